#include "lanes.hpp"

#include <tenure/base/error.hpp>

#include <algorithm>
#include <limits>

namespace tenure::daemon {

using queue::ClaimReply;
using queue::ClaimRequest;
using queue::JobSeq;
using queue::KindNumber;
using queue::Lane;
using queue::LanePlace;
using queue::QueueNumber;

Lanes::Lanes(const std::vector<PoolSettings>& pools) : rings_(pools.size()), tenants_of_pools_(pools) {
  for (const PoolSettings& settings : pools) pools_.push_back(Pool{settings.name, settings.queues, {}});
}

void Lanes::scanned(const Lane& lane) {
  bool is_new = false;
  KindLane& entry = lane_at(lane, is_new);
  entry.after = std::nullopt;
  entry.jobs = std::nullopt;
  const Bucket id{lane.queue, lane.priority};
  refresh(id, lane.tenant, buckets_[id][lane.tenant]);
}

void Lanes::rumoured(const Lane& lane) {
  const auto queue = queues_.find(lane.queue);
  const auto kind = kinds_.find(lane.kind);
  if (queue == queues_.end() || queue->second.name.empty() || kind == kinds_.end() || kind->second.empty())
    return;
  scanned(lane);
}

void Lanes::arrived(const Lane& lane, const LanePlace& place) {
  // The last place before this one.
  const LanePlace before{place.due, JobSeq{place.seq.value - 1}};
  bool is_new = false;
  KindLane& entry = lane_at(lane, is_new);
  if (is_new) {
    entry.after = before;
    entry.jobs = 0;
  } else if (entry.after && before < *entry.after) {
    entry.after = before;
  }
  if (entry.jobs) ++*entry.jobs;
  const Bucket id{lane.queue, lane.priority};
  refresh(id, lane.tenant, buckets_[id][lane.tenant]);
}

Lanes::KindLane& Lanes::lane_at(const Lane& lane, bool& is_new) {
  const Bucket id{lane.queue, lane.priority};
  if (queues_.try_emplace(lane.queue).second) unnamed_queues_.insert(lane.queue);
  if (kinds_.try_emplace(lane.kind).second) unnamed_kinds_.insert(lane.kind);
  const auto [entry, tenant_is_new] = buckets_[id].try_emplace(lane.tenant);
  if (tenant_is_new) tenants_[lane.tenant].buckets.push_back(id);
  if (tenant_is_new) met(lane.tenant);
  std::vector<KindLane>& kinds = entry->second.kinds;
  const auto found =
      std::find_if(kinds.begin(), kinds.end(), [&](const KindLane& kind) { return kind.kind == lane.kind; });
  is_new = found == kinds.end();
  if (!is_new) return *found;
  ++count_;
  kinds.push_back(KindLane{lane.kind, std::nullopt, std::nullopt, 0});
  return kinds.back();
}

void Lanes::settle(const ClaimRequest& request, const ClaimReply& reply, JobSeq known_until) {
  if (reply.jobs.empty()) tried_in_vain(request.tenant);
  const Bucket id{request.queue, request.priority};
  const auto bucket = buckets_.find(id);
  if (bucket == buckets_.end()) return;
  const auto entry = bucket->second.find(request.tenant);
  if (entry == bucket->second.end()) return;
  TenantLanes& lanes = entry->second;
  lanes.forget_plan();
  if (reply.gate == TenantState::deleted) {
    forget_tenant(request.tenant);
    return;
  }
  if (reply.gate) {
    refresh(id, request.tenant, lanes);
    set_tenant_state(request.tenant, *reply.gate);
    return;
  }
  const bool is_short =
      reply.jobs.size() < request.count && !reply.stopped_by_bytes && !reply.stopped_by_keys;
  for (const queue::LaneCursor& asked : request.kinds) {
    const auto lane = std::find_if(lanes.kinds.begin(), lanes.kinds.end(),
                                   [&](const KindLane& kind) { return kind.kind == asked.kind; });
    if (lane == lanes.kinds.end()) continue;  // an earlier answer of this round found it empty
    // Something has become ready before the place where this claim began to look.
    const bool was_taken_back = lane->after < asked.after;
    if (!was_taken_back) settle_kind(asked, *lane, reply, known_until);
    if (is_short) lane->jobs = was_taken_back ? std::nullopt : std::optional<std::int64_t>{0};
    if (was_taken_back && !is_short) lane->jobs = std::nullopt;
  }
  remove_empty(id, request.tenant, lanes);
}

void Lanes::settle_kind(const queue::LaneCursor& asked, KindLane& lane, const ClaimReply& reply,
                        JobSeq known_until) {
  for (const queue::ClaimedJob& job : reply.jobs) {
    if (job.lane.kind != asked.kind) continue;
    if (!lane.after || *lane.after < job.place) lane.after = job.place;
    // One that was claimed before its arrival was read has never been counted.
    if (lane.jobs && job.seq <= known_until) lane.jobs = std::max<std::int64_t>(0, *lane.jobs - 1);
  }
}

void Lanes::remove_empty(const Bucket& id, TenantNumber tenant, TenantLanes& lanes) {
  count_ -= static_cast<std::int64_t>(
      std::erase_if(lanes.kinds, [](const KindLane& lane) { return lane.jobs == 0; }));
  refresh(id, tenant, lanes);
  if (!lanes.kinds.empty()) return;
  TENURE_INVARIANT(lanes.entries == 0 && lanes.open == 0);
  const auto bucket = buckets_.find(id);
  bucket->second.erase(tenant);
  if (bucket->second.empty()) buckets_.erase(bucket);
  const auto entry = tenants_.find(tenant);
  std::erase(entry->second.buckets, id);
  if (!entry->second.buckets.empty()) return;
  gated_.erase(tenant);
  read_only_.erase(tenant);
  tenants_.erase(entry);
}

std::vector<QueueNumber> Lanes::unnamed_queues(std::size_t limit) const {
  std::vector<QueueNumber> numbers(unnamed_queues_.begin(), unnamed_queues_.end());
  if (numbers.size() > limit) numbers.resize(limit);
  return numbers;
}

std::vector<KindNumber> Lanes::unnamed_kinds(std::size_t limit) const {
  std::vector<KindNumber> numbers(unnamed_kinds_.begin(), unnamed_kinds_.end());
  if (numbers.size() > limit) numbers.resize(limit);
  return numbers;
}

void Lanes::name_queue(QueueNumber number, const std::string& name) {
  unnamed_queues_.erase(number);
  QueueEntry& entry = queues_[number];
  if (!entry.name.empty()) return;
  limits_.forget_names();
  entry.name = name;
  entry.is_paused = paused_queues_.contains(name);
  for (std::size_t pool = 0; pool < pools_.size(); ++pool) {
    const std::vector<std::string>& queues = pools_[pool].queues;
    const auto rank = std::find(queues.begin(), queues.end(), name);
    if (rank == queues.end()) continue;
    entry.pools.push_back(pool);
    rings_[pool].list_queue(number, static_cast<std::size_t>(rank - queues.begin()));
  }
  // What limits take was asked by names: anew of every lane, and now, since whoever only looks must not be the first to ask.
  if (has_limits()) return refresh_all();
  for (auto& [id, bucket] : buckets_) {
    if (id.queue != number) continue;
    for (auto& [tenant, lanes] : bucket) refresh(id, tenant, lanes);
  }
}

void Lanes::name_kinds(const std::vector<KindNumber>& numbers, const std::vector<std::string>& names) {
  bool is_news = false;
  for (std::size_t index = 0; index < numbers.size(); ++index) {
    unnamed_kinds_.erase(numbers[index]);
    if (kinds_[numbers[index]] != names[index] && has_limits()) {
      limits_.forget_names();
      is_news = true;
    }
    kinds_[numbers[index]] = names[index];
    if (paused_kinds_.contains(names[index])) paused_kind_numbers_.insert(numbers[index]);
    if (names[index] == queue::kMigrateKind) migrate_kind_ = numbers[index];
    for (Pool& pool : pools_) {
      for (Offer& offer : pool.offers) {
        const bool performs =
            std::binary_search(offer.kind_names.begin(), offer.kind_names.end(), names[index]);
        if (!performs || offer.kinds.contains(numbers[index])) continue;
        offer.number_kind(numbers[index], names[index]);
        is_news = true;
      }
    }
  }
  if (is_news) refresh_all();
}

std::string Lanes::queue_name(QueueNumber number) const {
  const auto found = queues_.find(number);
  return found == queues_.end() ? std::string{} : found->second.name;
}

std::string Lanes::kind_name(KindNumber number) const {
  const auto found = kinds_.find(number);
  return found == kinds_.end() ? std::string{} : found->second;
}

std::size_t Lanes::process_came(std::size_t pool, const std::vector<std::string>& kinds,
                                const std::vector<std::string>& default_queues,
                                const std::map<std::string, std::int64_t>& schemas,
                                const std::vector<std::string>& reads_only,
                                const std::map<std::string, std::int64_t>& newest_schemas) {
  const std::size_t number = offer_with(pool, kinds, schemas, reads_only, newest_schemas);
  std::vector<Offer>& offers = pools_[pool].offers;
  offers[number].default_queues = default_queues;
  if (++offers[number].processes > 1) return number;
  for (Offer& other : offers) {
    if (other.processes == 0) other = {};
  }
  refused_.clear();  // it has not been tried there
  refresh_all();
  return number;
}

void Lanes::process_went(std::size_t pool, std::size_t offer) {
  std::vector<Offer>& offers = pools_[pool].offers;
  if (--offers[offer].processes > 0) return;
  const bool is_last =
      std::none_of(offers.begin(), offers.end(), [](const Offer& other) { return other.processes > 0; });
  if (!is_last) offers[offer] = {};
  refresh_all();
}

bool Lanes::Pool::knows(KindNumber kind) const {
  return std::any_of(offers.begin(), offers.end(),
                     [&](const Offer& offer) { return offer.processes > 0 && offer.knows(kind); });
}

bool Lanes::takes(std::size_t pool, TenantNumber tenant, KindNumber kind) const {
  const std::vector<Offer>& offers = pools_[pool].offers;
  return takes_tenant(pool, tenant) && std::any_of(offers.begin(), offers.end(), [&](const Offer& offer) {
           return offer.processes > 0 && takes(offer, tenant, kind);
         });
}

void Lanes::set_behind(const std::map<TenantNumber, std::int64_t>& behind) {
  std::set<TenantNumber> changed;
  for (const auto& [tenant, wanted] : behind)
    if (const auto known = behind_.find(tenant); known == behind_.end() || known->second != wanted)
      changed.insert(tenant);
  for (const auto& [tenant, wanted] : behind_)
    if (!behind.contains(tenant)) changed.insert(tenant);
  behind_ = behind;
  for (const TenantNumber tenant : changed) refresh_tenant(tenant);
}

void Lanes::is_behind(TenantNumber tenant, std::int64_t wanted) {
  const auto [known, is_new] = behind_.try_emplace(tenant, wanted);
  if (!is_new && known->second <= wanted) return;
  known->second = wanted;
  refresh_tenant(tenant);
}

void Lanes::is_level(TenantNumber tenant) {
  if (behind_.erase(tenant) > 0) refresh_tenant(tenant);
}

void Lanes::forget_tenant(TenantNumber tenant) {
  refused_.erase(tenant);
  tenants_of_pools_.forget(tenant);
  const auto entry = tenants_.find(tenant);
  if (entry == tenants_.end()) return;
  for (const Bucket& id : std::vector<Bucket>{entry->second.buckets}) {
    TenantLanes& lanes = buckets_.at(id).at(tenant);
    for (KindLane& lane : lanes.kinds) lane.jobs = 0;
    remove_empty(id, tenant, lanes);
  }
}

void Lanes::set_paused(std::set<std::string> queues, std::set<std::string> kinds) {
  if (queues == paused_queues_ && kinds == paused_kinds_) return;
  paused_queues_ = std::move(queues);
  paused_kinds_ = std::move(kinds);
  for (auto& [number, entry] : queues_) entry.is_paused = paused_queues_.contains(entry.name);
  paused_kind_numbers_.clear();
  for (const auto& [number, name] : kinds_)
    if (paused_kinds_.contains(name)) paused_kind_numbers_.insert(number);
  refresh_all();
}

void Lanes::set_tenant_state(TenantNumber tenant, TenantState state) {
  if (state == TenantState::deleted) return forget_tenant(tenant);
  const auto entry = tenants_.find(tenant);
  if (entry == tenants_.end()) return;
  const std::optional<TenantState> gate =
      queue::tenant_gate(state) == queue::JobReason::none ? std::nullopt : std::optional<TenantState>{state};
  if (entry->second.gate == gate) return;
  entry->second.gate = gate;
  if (gate) {
    gated_.insert(tenant);
  } else {
    gated_.erase(tenant);
  }
  if (state == TenantState::read_only) read_only_.insert(tenant);
  else read_only_.erase(tenant);
  refresh_tenant(tenant);
}

std::vector<TenantNumber> Lanes::parked_tenants(std::size_t limit) {
  std::vector<TenantNumber> tenants;
  auto at = asked_until_ ? gated_.upper_bound(*asked_until_) : gated_.begin();
  while (tenants.size() < std::min(limit, gated_.size())) {
    if (at == gated_.end()) at = gated_.begin();
    tenants.push_back(*at++);
  }
  if (!tenants.empty()) asked_until_ = tenants.back();
  return tenants;
}

void Lanes::park_busy(TenantNumber tenant, Instant now, TenantPause pause) {
  if (busy_.released(tenant, now, pause)) refresh_tenant(tenant);
}

void Lanes::not_busy(TenantNumber tenant, Instant now) {
  if (busy_.ended(tenant, now)) refresh_tenant(tenant);
}

void Lanes::tried_in_vain(TenantNumber tenant) {
  if (busy_.probe_failed(tenant)) refresh_tenant(tenant);
}

void Lanes::unpark_due(Instant now) {
  for (const TenantNumber tenant : busy_.take_due(now)) refresh_tenant(tenant);
  limits_.expire(now);
  refresh_limited();
}

bool Lanes::performs(std::size_t pool, std::size_t offer, const Lane& lane) const {
  return may_try(pools_[pool].offers[offer], lane.queue, lane.tenant, lane.kind);
}

bool Lanes::performs(std::size_t pool, std::size_t offer, const std::string& kind) const {
  const std::vector<std::string>& names = pools_[pool].offers[offer].kind_names;
  return std::binary_search(names.begin(), names.end(), kind);
}

std::size_t Lanes::jobs_max(std::size_t pool, std::size_t offer, const Ring::Standing& standing) const {
  std::int64_t jobs =
      jobs_for(pools_[pool].offers[offer], standing.bucket.queue, standing.tenant, lanes_of(standing));
  if (busy_.is_probed(standing.tenant)) jobs = std::min<std::int64_t>(jobs, 1);
  return static_cast<std::size_t>(std::max<std::int64_t>(0, jobs));
}

std::int64_t Lanes::jobs_for(const Offer& offer, QueueNumber queue, TenantNumber tenant,
                             const TenantLanes& lanes) const {
  std::int64_t jobs = 0;
  for (const KindLane& kind : lanes.kinds) {
    if (!may_try(offer, queue, tenant, kind.kind) || is_paused(kind.kind) || kind.is_limited) continue;
    if (!kind.jobs) return std::numeric_limits<std::int64_t>::max();
    jobs += *kind.jobs - kind.planned;
  }
  return jobs;
}

// Counted by kind, in any order: what is planned for one offer must not hide the kinds that only another one performs.
void Lanes::planned(std::size_t pool, std::size_t offer, const Ring::Standing& standing,
                    const std::vector<queue::LaneCursor>& kinds, std::size_t jobs) {
  const Bucket& id = standing.bucket;
  TenantLanes& lanes = buckets_.at(id).at(standing.tenant);
  auto left = static_cast<std::int64_t>(jobs);
  for (KindLane& kind : lanes.kinds) {
    const Offer& of = pools_[pool].offers[offer];
    if (!may_try(of, id.queue, standing.tenant, kind.kind) || is_paused(kind.kind)) continue;
    if (has_limits() && std::ranges::find(kinds, kind.kind, &queue::LaneCursor::kind) == kinds.end())
      continue;
    const std::int64_t here = kind.jobs ? std::clamp<std::int64_t>(*kind.jobs - kind.planned, 0, left) : left;
    kind.planned += here;
    left -= here;
  }
  if (has_limits()) {
    ++lanes.visits;
    const Lane lane{id.queue, id.priority, standing.tenant, kinds.front().kind};
    for (const queue::LimitGroup& group : limit_groups(lane))
      limits_.planned(group, static_cast<std::int64_t>(jobs));
    refresh_limited();
  }
  refresh(id, standing.tenant, lanes);
  if (!busy_.is_probed(standing.tenant)) return;
  busy_.probe_sent(standing.tenant);
  refresh_tenant(standing.tenant);
}

void Lanes::forget_plan(const ClaimRequest& request) {
  tried_in_vain(request.tenant);
  const Bucket id{request.queue, request.priority};
  const auto bucket = buckets_.find(id);
  if (bucket == buckets_.end()) return;
  const auto entry = bucket->second.find(request.tenant);
  if (entry == bucket->second.end()) return;
  entry->second.forget_plan();
  refresh(id, request.tenant, entry->second);
}

const Lanes::TenantLanes& Lanes::lanes_of(const Ring::Standing& standing) const {
  return buckets_.at(standing.bucket).at(standing.tenant);
}

bool Lanes::is_parked(TenantNumber tenant) const {
  const auto entry = tenants_.find(tenant);
  if (entry != tenants_.end() && entry->second.gate && !is_read_only(tenant)) return true;
  return busy_.is_parked(tenant);
}

// The one place that decides what is open: in which rings the tenant stands for this bucket.
void Lanes::refresh(const Bucket& id, TenantNumber tenant, TenantLanes& lanes) {
  const QueueEntry& queue = queues_[id.queue];
  const bool is_gated = is_parked(tenant) || queue.is_paused;
  if (has_limits()) note_limited(id, tenant, lanes);
  std::size_t entries = 0;
  for (const std::size_t pool : queue.pools) {
    const std::vector<Offer>& offers = pools_[pool].offers;
    const bool is_its_pool = !is_gated && takes_tenant(pool, tenant);
    for (std::size_t offer = 0; offer < offers.size(); ++offer) {
      if (is_its_pool && jobs_for(offers[offer], id.queue, tenant, lanes) > 0) {
        rings_[pool].join(id, tenant, offer);
        ++entries;
      } else {
        rings_[pool].leave(id, tenant, offer);
      }
    }
  }
  entries_ += entries - lanes.entries;
  lanes.entries = entries;
  const std::int64_t open = is_gated ? 0 : open_lanes(queue, tenant, lanes);
  if (!is_gated && open < std::ssize(lanes.kinds))
    may_hold_ = may_hold_ || has_unperformed(queue, tenant, lanes);
  open_ += open - lanes.open;
  lanes.open = open;
  check();
}

// A lane is open to an offer exactly when its tenant stands in that ring: whoever stands there was put there by refresh(), and what
// refresh() has put there is what is known.
void Lanes::check() const {
  std::size_t entries = 0;
  for (const Ring& ring : rings_) entries += ring.entries();
  TENURE_INVARIANT(entries == entries_);
}

std::int64_t Lanes::open_lanes(const QueueEntry& queue, TenantNumber tenant, const TenantLanes& lanes) const {
  return std::count_if(lanes.kinds.begin(), lanes.kinds.end(), [&](const KindLane& lane) {
    return is_performed(queue, tenant, lane) && !lane.is_limited;
  });
}

std::optional<bool> Lanes::is_gated(const Lane& lane) const {
  const auto bucket = buckets_.find(Bucket{lane.queue, lane.priority});
  if (bucket == buckets_.end()) return std::nullopt;
  const auto entry = bucket->second.find(lane.tenant);
  if (entry == bucket->second.end()) return std::nullopt;
  const auto kind = std::ranges::find(entry->second.kinds, lane.kind, &KindLane::kind);
  if (kind == entry->second.kinds.end()) return std::nullopt;
  const QueueEntry& queue = queues_.at(lane.queue);
  const bool is_named = !queue.name.empty() && !kinds_.at(lane.kind).empty() && is_known(lane.tenant);
  return is_named && (is_parked(lane.tenant) || kind->is_limited || !is_performed(queue, lane.tenant, *kind));
}

bool Lanes::has_unperformed(const QueueEntry& queue, TenantNumber tenant, const TenantLanes& lanes) const {
  return std::ranges::any_of(lanes.kinds,
                             [&](const KindLane& lane) { return !is_performed(queue, tenant, lane); });
}

bool Lanes::is_performed(const QueueEntry& queue, TenantNumber tenant, const KindLane& lane) const {
  return !queue.is_paused && !is_paused(lane.kind) &&
         std::any_of(queue.pools.begin(), queue.pools.end(),
                     [&](std::size_t pool) { return takes(pool, tenant, lane.kind); });
}

void Lanes::refresh_tenant(TenantNumber tenant) {
  const auto entry = tenants_.find(tenant);
  if (entry == tenants_.end()) return;
  for (const Bucket& id : entry->second.buckets) refresh(id, tenant, buckets_.at(id).at(tenant));
}

void Lanes::refresh_all() {
  for (auto& [id, bucket] : buckets_) {
    for (auto& [tenant, lanes] : bucket) refresh(id, tenant, lanes);
  }
}

}  // namespace tenure::daemon
