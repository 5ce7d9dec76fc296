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

Lanes::Lanes(const std::vector<PoolSettings>& pools) : rings_(pools.size()) {
  for (const PoolSettings& settings : pools) pools_.push_back(Pool{settings.queues, {}});
}

void Lanes::scanned(const Lane& lane) {
  bool is_new = false;
  KindLane& entry = lane_at(lane, is_new);
  entry.after = std::nullopt;
  entry.jobs = std::nullopt;
  const BucketId id{lane.queue, lane.priority};
  refresh(id, lane.tenant, buckets_[id][lane.tenant]);
}

void Lanes::rumoured(const Lane& lane) {
  const auto queue = queues_.find(lane.queue);
  const auto kind = kinds_.find(lane.kind);
  if (queue == queues_.end() || !queue->second.named || kind == kinds_.end() || kind->second.empty()) return;
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
  const BucketId id{lane.queue, lane.priority};
  refresh(id, lane.tenant, buckets_[id][lane.tenant]);
}

Lanes::KindLane& Lanes::lane_at(const Lane& lane, bool& is_new) {
  const BucketId id{lane.queue, lane.priority};
  if (queues_.try_emplace(lane.queue).second) unnamed_queues_.insert(lane.queue);
  if (kinds_.try_emplace(lane.kind).second) unnamed_kinds_.insert(lane.kind);
  const auto [entry, tenant_is_new] = buckets_[id].try_emplace(lane.tenant);
  if (tenant_is_new) tenants_[lane.tenant].buckets.push_back(id);
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
  const BucketId id{request.queue, request.priority};
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
  const bool is_short = reply.jobs.size() < request.count && !reply.stopped_by_bytes;
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

void Lanes::remove_empty(const BucketId& id, TenantNumber tenant, TenantLanes& lanes) {
  count_ -= static_cast<std::int64_t>(
      std::erase_if(lanes.kinds, [](const KindLane& lane) { return lane.jobs == 0; }));
  refresh(id, tenant, lanes);
  if (!lanes.kinds.empty()) return;
  const auto bucket = buckets_.find(id);
  bucket->second.erase(tenant);
  if (bucket->second.empty()) buckets_.erase(bucket);
  const auto entry = tenants_.find(tenant);
  std::erase(entry->second.buckets, id);
  if (!entry->second.buckets.empty()) return;
  gated_.erase(tenant);
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
  if (entry.named) return;
  entry.named = true;
  for (std::size_t pool = 0; pool < pools_.size(); ++pool) {
    const std::vector<std::string>& queues = pools_[pool].queues;
    const auto rank = std::find(queues.begin(), queues.end(), name);
    if (rank != queues.end()) entry.pools.emplace_back(pool, static_cast<std::size_t>(rank - queues.begin()));
  }
  for (auto& [id, bucket] : buckets_) {
    if (id.queue != number) continue;
    for (auto& [tenant, lanes] : bucket) refresh(id, tenant, lanes);
  }
}

void Lanes::name_kinds(const std::map<KindNumber, std::string>& names) {
  bool is_news = false;
  for (const auto& [number, name] : names) {
    unnamed_kinds_.erase(number);
    kinds_[number] = name;
    for (Pool& pool : pools_) {
      for (Program& program : pool.programs) {
        const bool performs = std::binary_search(program.kind_names.begin(), program.kind_names.end(), name);
        is_news = (performs && program.kinds.insert(number).second) || is_news;
      }
    }
  }
  if (is_news) refresh_all();
}

std::size_t Lanes::process_came(std::size_t pool, const std::vector<std::string>& kinds) {
  const std::size_t number = program_with(pool, kinds);
  std::vector<Program>& programs = pools_[pool].programs;
  if (++programs[number].processes > 1) return number;
  for (Program& other : programs) {
    if (other.processes == 0) other = {};
  }
  refresh_all();
  return number;
}

// A program that no process runs gives its number away.
std::size_t Lanes::program_with(std::size_t pool, const std::vector<std::string>& kinds) {
  std::vector<Program>& programs = pools_[pool].programs;
  const auto same = std::find_if(programs.begin(), programs.end(),
                                 [&](const Program& program) { return program.kind_names == kinds; });
  if (same != programs.end()) return static_cast<std::size_t>(same - programs.begin());
  auto free = std::find_if(programs.begin(), programs.end(),
                           [](const Program& program) { return program.processes == 0; });
  if (free == programs.end()) free = programs.insert(programs.end(), Program{});
  free->kind_names = kinds;
  free->kinds.clear();
  for (const auto& [number, name] : kinds_) {
    if (std::binary_search(kinds.begin(), kinds.end(), name)) free->kinds.insert(number);
  }
  return static_cast<std::size_t>(free - programs.begin());
}

void Lanes::process_went(std::size_t pool, std::size_t program) {
  std::vector<Program>& programs = pools_[pool].programs;
  if (--programs[program].processes > 0) return;
  const bool is_last = std::none_of(programs.begin(), programs.end(),
                                    [](const Program& other) { return other.processes > 0; });
  if (!is_last) programs[program] = {};
  refresh_all();
}

bool Lanes::Pool::performs(KindNumber kind) const {
  return std::any_of(programs.begin(), programs.end(),
                     [&](const Program& program) { return program.processes > 0 && program.knows(kind); });
}

void Lanes::forget_tenant(TenantNumber tenant) {
  const auto entry = tenants_.find(tenant);
  if (entry == tenants_.end()) return;
  for (const BucketId& id : std::vector<BucketId>{entry->second.buckets}) {
    TenantLanes& lanes = buckets_.at(id).at(tenant);
    for (KindLane& lane : lanes.kinds) lane.jobs = 0;
    remove_empty(id, tenant, lanes);
  }
}

void Lanes::set_tenant_state(TenantNumber tenant, TenantState state) {
  if (state == TenantState::deleted) return forget_tenant(tenant);
  const auto entry = tenants_.find(tenant);
  if (entry == tenants_.end()) return;
  const std::optional<TenantState> gate =
      state == TenantState::active ? std::nullopt : std::optional<TenantState>{state};
  if (entry->second.gate == gate) return;
  entry->second.gate = gate;
  if (gate) {
    gated_.insert(tenant);
  } else {
    gated_.erase(tenant);
  }
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

void Lanes::park_busy(TenantNumber tenant, Instant now, bool grows) {
  Busy& busy = busy_[tenant];
  if (busy.is_parked) return;
  remembered_from_.erase({busy.until, tenant});
  busy.wait = grows ? std::clamp(busy.wait * 2, kBusyParkMin, kBusyParkMax) : kBusyParkMin;
  busy.is_parked = true;
  busy.until = now + busy.wait;
  parked_until_.emplace(busy.until, tenant);
  refresh_tenant(tenant);
}

void Lanes::not_busy(TenantNumber tenant, Instant now) {
  const auto entry = busy_.find(tenant);
  if (entry == busy_.end()) return;
  Busy& busy = entry->second;
  if (!busy.is_parked) {
    remembered_from_.erase({busy.until, tenant});
    busy_.erase(entry);
    return;
  }
  parked_until_.erase({busy.until, tenant});
  busy.until = std::min(busy.until, now + kBusyParkMin);
  busy.wait = {};
  parked_until_.emplace(busy.until, tenant);
}

void Lanes::unpark_due(Instant now) {
  while (!parked_until_.empty() && parked_until_.begin()->first <= now) {
    const auto node = parked_until_.extract(parked_until_.begin());
    const TenantNumber tenant = node.value().second;
    busy_.at(tenant).is_parked = false;
    remembered_from_.insert(node.value());
    refresh_tenant(tenant);
  }
  while (!remembered_from_.empty() && remembered_from_.begin()->first + kBusyForget <= now) {
    busy_.erase(remembered_from_.begin()->second);
    remembered_from_.erase(remembered_from_.begin());
  }
}

std::optional<Instant> Lanes::next_unpark() const {
  if (parked_until_.empty()) return std::nullopt;
  return parked_until_.begin()->first;
}

std::optional<BucketKey> Lanes::bucket_of(std::size_t pool, const Lane& lane) const {
  const auto entry = queues_.find(lane.queue);
  if (entry == queues_.end()) return std::nullopt;
  for (const auto& [index, rank] : entry->second.pools) {
    if (index == pool) return BucketKey{rank, lane.priority, lane.queue};
  }
  return std::nullopt;
}

std::size_t Lanes::jobs_max(std::size_t pool, std::size_t program, const Ring::Place& place) const {
  const std::int64_t jobs = jobs_for(pools_[pool].programs[program], lanes_of(place));
  return static_cast<std::size_t>(std::max<std::int64_t>(0, jobs));
}

std::int64_t Lanes::jobs_for(const Program& program, const TenantLanes& lanes) {
  std::int64_t jobs = 0;
  for (const KindLane& kind : lanes.kinds) {
    if (!program.knows(kind.kind)) continue;
    if (!kind.jobs) return std::numeric_limits<std::int64_t>::max();
    jobs += *kind.jobs - kind.planned;
  }
  return jobs;
}

// Counted by kind, in any order: what is planned for one program must not hide the kinds that only another one performs.
void Lanes::planned(std::size_t pool, std::size_t program, const Ring::Place& place, std::size_t jobs) {
  const BucketId id{place.bucket.queue, place.bucket.priority};
  TenantLanes& lanes = buckets_.at(id).at(place.tenant);
  auto left = static_cast<std::int64_t>(jobs);
  for (KindLane& kind : lanes.kinds) {
    if (!pools_[pool].programs[program].knows(kind.kind)) continue;
    const std::int64_t here = kind.jobs ? std::clamp<std::int64_t>(*kind.jobs - kind.planned, 0, left) : left;
    kind.planned += here;
    left -= here;
  }
  refresh(id, place.tenant, lanes);
}

void Lanes::forget_plan(const ClaimRequest& request) {
  const BucketId id{request.queue, request.priority};
  const auto bucket = buckets_.find(id);
  if (bucket == buckets_.end()) return;
  const auto entry = bucket->second.find(request.tenant);
  if (entry == bucket->second.end()) return;
  entry->second.forget_plan();
  refresh(id, request.tenant, entry->second);
}

std::vector<KnownLane> Lanes::all() const {
  std::vector<KnownLane> all;
  for (const auto& [id, bucket] : buckets_) {
    for (const auto& [tenant, lanes] : bucket) {
      for (const KindLane& kind : lanes.kinds) {
        all.push_back({Lane{id.queue, id.priority, tenant, kind.kind}, kind.after});
      }
    }
  }
  return all;
}

const Lanes::TenantLanes& Lanes::lanes_of(const Ring::Place& place) const {
  return buckets_.at({place.bucket.queue, place.bucket.priority}).at(place.tenant);
}

bool Lanes::is_parked(TenantNumber tenant) const {
  const auto entry = tenants_.find(tenant);
  if (entry != tenants_.end() && entry->second.gate) return true;
  const auto busy = busy_.find(tenant);
  return busy != busy_.end() && busy->second.is_parked;
}

// The one place that decides what is open: in which rings the tenant stands for this bucket.
void Lanes::refresh(const BucketId& id, TenantNumber tenant, TenantLanes& lanes) {
  const bool is_gated = is_parked(tenant);
  const QueueEntry& queue = queues_[id.queue];
  for (const auto& [pool, rank] : queue.pools) {
    const BucketKey key{rank, id.priority, id.queue};
    const std::vector<Program>& programs = pools_[pool].programs;
    for (std::size_t program = 0; program < programs.size(); ++program) {
      if (!is_gated && jobs_for(programs[program], lanes) > 0) {
        rings_[pool].join(key, tenant, program);
      } else {
        rings_[pool].leave(key, tenant, program);
      }
    }
  }
  const std::int64_t open = is_gated ? 0 : open_lanes(queue, lanes);
  open_ += open - lanes.open;
  lanes.open = open;
}

std::int64_t Lanes::open_lanes(const QueueEntry& queue, const TenantLanes& lanes) const {
  return std::count_if(lanes.kinds.begin(), lanes.kinds.end(), [&](const KindLane& lane) {
    return std::any_of(queue.pools.begin(), queue.pools.end(),
                       [&](const auto& entry) { return pools_[entry.first].performs(lane.kind); });
  });
}

void Lanes::refresh_tenant(TenantNumber tenant) {
  const auto entry = tenants_.find(tenant);
  if (entry == tenants_.end()) return;
  for (const BucketId& id : entry->second.buckets) refresh(id, tenant, buckets_.at(id).at(tenant));
}

void Lanes::refresh_all() {
  for (auto& [id, bucket] : buckets_) {
    for (auto& [tenant, lanes] : bucket) refresh(id, tenant, lanes);
  }
}

}  // namespace tenure::daemon
