#include "lanes.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/lane_gate.hpp>

#include <algorithm>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

// Of the lanes: who performs what, and which of them nobody performs.
namespace tenure::daemon {

using queue::JobReason;
using queue::KindNumber;
using queue::Lane;
using queue::QueueNumber;

std::size_t Lanes::Pool::processes() const {
  return std::accumulate(offers.begin(), offers.end(), std::size_t{0},
                         [](std::size_t sum, const Offer& offer) { return sum + offer.processes; });
}

namespace {
void append(std::vector<std::string>& texts, const std::vector<std::string>& more) {
  texts.insert(texts.end(), more.begin(), more.end());
}
}  // namespace

bool Lanes::is_listed(std::string_view queue) const {
  return std::ranges::any_of(
      pools_, [&](const Pool& pool) { return std::ranges::find(pool.queues, queue) != pool.queues.end(); });
}

void Lanes::Offer::number_kind(KindNumber number, const std::string& name) {
  kinds.insert(number);
  if (const auto wants_any = schemas.find(name); wants_any != schemas.end())
    wanted[number] = wants_any->second;
  if (const auto takes_at_most = newest_schemas.find(name); takes_at_most != newest_schemas.end())
    newest[number] = takes_at_most->second;
  if (std::binary_search(reads_only.begin(), reads_only.end(), name)) reading.insert(number);
}

// A set of kinds that no process offers gives its number away.
std::size_t Lanes::offer_with(std::size_t pool, const std::vector<std::string>& kinds,
                              const std::map<std::string, std::int64_t>& schemas,
                              const std::vector<std::string>& reads_only,
                              const std::map<std::string, std::int64_t>& newest_schemas) {
  std::vector<Offer>& offers = pools_[pool].offers;
  const auto same = std::find_if(offers.begin(), offers.end(), [&](const Offer& offer) {
    return offer.kind_names == kinds && offer.schemas == schemas && offer.reads_only == reads_only &&
           offer.newest_schemas == newest_schemas;
  });
  if (same != offers.end()) return static_cast<std::size_t>(same - offers.begin());
  auto free =
      std::find_if(offers.begin(), offers.end(), [](const Offer& offer) { return offer.processes == 0; });
  if (free == offers.end()) free = offers.insert(offers.end(), Offer{});
  free->kind_names = kinds;
  free->schemas = schemas;
  free->reads_only = reads_only;
  free->newest_schemas = newest_schemas;
  free->kinds.clear();
  free->wanted.clear();
  free->newest.clear();
  free->reading.clear();
  for (const auto& [number, name] : kinds_) {
    if (std::binary_search(kinds.begin(), kinds.end(), name)) free->number_kind(number, name);
  }
  return static_cast<std::size_t>(free - offers.begin());
}

// A kind that does not matter to one of its processes matters to none.
std::map<std::string, std::int64_t> Lanes::schemas_of(const Pool& pool) {
  std::map<std::string, std::int64_t> least;
  for (const Offer& offer : pool.offers) {
    if (offer.processes == 0) continue;
    for (const std::string& kind : offer.kind_names) {
      const auto wanted = offer.schemas.find(kind);
      const std::int64_t here = wanted == offer.schemas.end() ? 0 : wanted->second;
      const auto [known, is_new] = least.try_emplace(kind, here);
      if (!is_new) known->second = std::min(known->second, here);
    }
  }
  std::erase_if(least, [](const auto& kind) { return kind.second == 0; });
  return least;
}

std::vector<queue::PoolRecord> Lanes::pools() const {
  std::vector<queue::PoolRecord> records;
  for (std::size_t number = 0; number < pools_.size(); ++number) {
    const Pool& pool = pools_[number];
    queue::PoolRecord record{.name = pool.name,
                             .queues = pool.queues,
                             .workers = static_cast<std::int64_t>(pool.processes()),
                             .kinds = {},
                             .default_queues = {}};
    for (const Offer& offer : pool.offers) {
      if (offer.processes == 0) continue;
      append(record.kinds, offer.kind_names);
      append(record.default_queues, offer.default_queues);
    }
    for (const Offer& offer : pool.offers)
      if (offer.processes > 0) append(record.reads_only, offer.reads_only);
    sort_uniquely(record.reads_only);
    record.schemas = schemas_of(pool);
    record.tenants = tenants_of_pools_.of(number);
    sort_uniquely(record.kinds);
    sort_uniquely(record.default_queues);
    records.push_back(std::move(record));
  }
  return records;
}

bool Lanes::is_for(std::size_t pool, TenantNumber tenant, const std::string& queue,
                   const std::string& kind) const {
  const auto& queues = pools_[pool].queues;
  return !is_paused(queue, kind) && takes_tenant(pool, tenant) &&
         std::ranges::find(queues, queue) != queues.end() &&
         std::ranges::any_of(pools_[pool].offers, [&](const Offer& offer) {
           return std::ranges::binary_search(offer.kind_names, kind);
         });
}

bool Lanes::is_read_in(std::size_t pool, const std::string& kind) const {
  return std::ranges::any_of(pools_[pool].offers, [&](const Offer& offer) {
    return std::ranges::binary_search(offer.reads_only, kind);
  });
}

std::optional<std::size_t> Lanes::pool_for(TenantNumber tenant, const std::string& queue,
                                           const std::string& kind) const {
  for (std::size_t pool = 0; pool < pools_.size(); ++pool)
    if (is_for(pool, tenant, queue, kind)) return pool;
  return std::nullopt;
}

std::vector<queue::PoolForLane> Lanes::pools_for(const QueueEntry& queue, TenantNumber tenant,
                                                 KindNumber kind) const {
  std::vector<queue::PoolForLane> pools;
  for (const std::size_t number : queue.pools) {
    const Pool& pool = pools_[number];
    const auto any = [&](auto&& is) {
      return std::ranges::any_of(pool.offers,
                                 [&](const Offer& offer) { return offer.processes > 0 && is(offer); });
    };
    pools.push_back({pool.processes() > 0, pool.knows(kind),
                     any([&](const Offer& offer) { return has_schema(offer, tenant, kind); }),
                     takes_tenant(number, tenant),
                     any([&](const Offer& offer) { return offer.reading.contains(kind); })});
  }
  return pools;
}

std::vector<KnownLane> Lanes::all() const {
  std::vector<KnownLane> all;
  for (const auto& [id, bucket] : buckets_) {
    const QueueEntry& queue = queues_.at(id.queue);
    for (const auto& [tenant, lanes] : bucket) {
      const auto known = tenants_.find(tenant);
      queue::LaneFacts facts{.is_tenant_busy = busy_.is_parked(tenant)};
      if (known != tenants_.end()) facts.tenant = known->second.gate.value_or(TenantState::active);
      for (const KindLane& kind : lanes.kinds) {
        facts.is_queue_paused = queue.is_paused;
        facts.is_kind_paused = is_paused(kind.kind);
        facts.pools = pools_for(queue, tenant, kind.kind);
        const Lane lane{id.queue, id.priority, tenant, kind.kind};
        facts.is_at_cap = false;
        facts.next_start = std::nullopt;
        if (has_limits()) add_limits(lane, facts);
        all.push_back({lane, kind.after, queue::gates_of(facts),
                       !is_parked(tenant) && is_performed(queue, tenant, kind) && !kind.is_limited});
      }
    }
  }
  return all;
}

// What it is behind by, and which pools take it: those of nearly all tenants are the same.
Lanes::TenantClass Lanes::class_of(TenantNumber tenant) const {
  TenantClass of;
  if (const auto behind = behind_.find(tenant); behind != behind_.end()) of.first = behind->second;
  if (tenants_of_pools_.is_common(tenant)) return of;
  for (std::size_t pool = 0; pool < pools_.size(); ++pool) of.second.push_back(takes_tenant(pool, tenant));
  return of;
}

std::vector<HeldLane> Lanes::held(std::size_t* asked) {
  std::map<std::tuple<QueueNumber, KindNumber, TenantClass>, JobReason> known;
  std::map<std::pair<QueueNumber, KindNumber>, std::set<JobReason>> reasons;
  for (const auto& [id, bucket] : buckets_) {
    const QueueEntry& queue = queues_[id.queue];
    for (const auto& [tenant, lanes] : bucket) {
      if (lanes.open == std::ssize(lanes.kinds) || is_parked(tenant)) continue;
      const TenantClass of = class_of(tenant);
      for (const KindLane& lane : lanes.kinds) {
        const auto [entry, is_new] = known.try_emplace({id.queue, lane.kind, of}, JobReason::none);
        if (!is_new) continue;
        if (asked != nullptr) ++*asked;
        entry->second = queue::lane_gate(pools_for(queue, tenant, lane.kind));
        if (entry->second != JobReason::none) reasons[{id.queue, lane.kind}].insert(entry->second);
      }
    }
  }
  std::vector<HeldLane> held;
  may_hold_ = !reasons.empty();
  for (const auto& [lane, held_for] : reasons) {
    const auto& [queue, kind] = lane;
    for (const JobReason reason : held_for)
      if (!queues_[queue].name.empty() && !kinds_[kind].empty())
        held.push_back({reason, queues_[queue].name, kinds_[kind]});
  }
  return held;
}

void Lanes::was_refused(std::size_t pool, std::size_t offer, const Lane& lane) {
  const std::int64_t newest = pools_[pool].offers[offer].newest_of(lane.kind);
  if (!has_newer(newest, lane.queue, lane.tenant, lane.kind)) return;
  const auto [known, is_new] = refused_.try_emplace(lane.tenant, newest);
  if (!is_new && known->second >= newest) return;
  known->second = newest;
  refresh_tenant(lane.tenant);
}

bool Lanes::gives_way(const Offer& offer, QueueNumber queue, TenantNumber tenant, KindNumber kind) const {
  const auto refused = refused_.find(tenant);
  return refused != refused_.end() && offer.newest_of(kind) <= refused->second &&
         has_newer(refused->second, queue, tenant, kind);
}

bool Lanes::has_newer(std::int64_t than, QueueNumber queue, TenantNumber tenant, KindNumber kind) const {
  const auto known = queues_.find(queue);
  if (known == queues_.end()) return false;
  return std::ranges::any_of(known->second.pools, [&](std::size_t pool) {
    return takes_tenant(pool, tenant) && std::ranges::any_of(pools_[pool].offers, [&](const Offer& offer) {
             return offer.processes > 0 && takes(offer, tenant, kind) && offer.newest_of(kind) > than;
           });
  });
}

void Lanes::name_tenant(TenantNumber tenant, const std::string& name) {
  tenants_of_pools_.name(tenant, name);
  refresh_tenant(tenant);
}

void Lanes::set_pool_tenants(std::size_t pool, queue::PoolTenants tenants) {
  if (tenants == tenants_of_pools_.of(pool)) return;
  tenants_of_pools_.set(pool, std::move(tenants));
  for (const auto& [id, bucket] : buckets_)
    for (const auto& [tenant, lanes] : bucket) met(tenant);
  refresh_all();
}

}  // namespace tenure::daemon
