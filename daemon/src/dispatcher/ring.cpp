#include "ring.hpp"

#include <tenure/base/error.hpp>

#include <algorithm>

namespace tenure::daemon {

void Ring::join(const BucketKey& bucket, TenantNumber tenant, std::size_t program) {
  Flow& flow = flows_[tenant];
  const Stand stand{program, bucket};
  if (std::find(flow.stands.begin(), flow.stands.end(), stand) != flow.stands.end()) return;
  came(tenant, flow);
  if (flow.stands.empty()) {
    const std::int64_t lift = std::max<std::int64_t>(0, start_in(bucket) - flow.virtual_us);
    flow.virtual_us += lift;
    if (flow.outstanding > 0) {
      flow.lifted_us += lift;
    } else if (newcomers_.size() < kNewcomersMax) {
      newcomers_.push_back(tenant);
    }
  }
  flow.stands.push_back(stand);
  if (programs_.size() <= program) programs_.resize(program + 1);
  programs_[program][bucket].emplace(flow.virtual_us, tenant);
}

void Ring::leave(const BucketKey& bucket, TenantNumber tenant, std::size_t program) {
  const auto found = flows_.find(tenant);
  if (found == flows_.end()) return;
  Flow& flow = found->second;
  const auto entry = std::find(flow.stands.begin(), flow.stands.end(), Stand{program, bucket});
  if (entry == flow.stands.end()) return;
  flow.stands.erase(entry);
  Buckets& buckets = programs_[program];
  const auto order = buckets.find(bucket);
  order->second.erase({flow.virtual_us, tenant});
  if (order->second.empty()) buckets.erase(order);
  went(tenant, flow);
}

bool Ring::is_in(const BucketKey& bucket, TenantNumber tenant, std::size_t program) const {
  const auto found = flows_.find(tenant);
  if (found == flows_.end()) return false;
  const std::vector<Stand>& stands = found->second.stands;
  return std::find(stands.begin(), stands.end(), Stand{program, bucket}) != stands.end();
}

void Ring::charge(TenantNumber tenant, std::int64_t us) {
  const auto found = flows_.find(tenant);
  if (found != flows_.end()) move(found->second, tenant, found->second.virtual_us + us);
}

void Ring::correct(TenantNumber tenant, std::int64_t us) {
  const auto found = flows_.find(tenant);
  if (found == flows_.end()) return;
  Flow& flow = found->second;
  if (us > 0) {
    const std::int64_t covered = std::min(us, flow.lifted_us);
    flow.lifted_us -= covered;
    us -= covered;
  }
  move(flow, tenant, flow.virtual_us + us);
}

void Ring::assigned(TenantNumber tenant, queue::ProcessNumber process, int jobs) {
  Flow& flow = flows_[tenant];
  came(tenant, flow);
  flow.outstanding += jobs;
  const auto entry = std::find_if(flow.processes.begin(), flow.processes.end(),
                                  [&](const auto& pair) { return pair.first == process; });
  if (entry == flow.processes.end()) {
    flow.processes.emplace_back(process, jobs);
  } else {
    entry->second += jobs;
  }
}

void Ring::ended(TenantNumber tenant, queue::ProcessNumber process) {
  Flow& flow = flows_.at(tenant);
  const auto entry = std::find_if(flow.processes.begin(), flow.processes.end(),
                                  [&](const auto& pair) { return pair.first == process; });
  TENURE_INVARIANT(entry != flow.processes.end());
  if (--entry->second == 0) flow.processes.erase(entry);
  if (--flow.outstanding == 0) flow.lifted_us = 0;
  went(tenant, flow);
}

int Ring::outstanding(TenantNumber tenant) const {
  const auto found = flows_.find(tenant);
  return found == flows_.end() ? 0 : found->second.outstanding;
}

int Ring::outstanding(TenantNumber tenant, queue::ProcessNumber process) const {
  const auto found = flows_.find(tenant);
  if (found == flows_.end()) return 0;
  for (const auto& [number, jobs] : found->second.processes) {
    if (number == process) return jobs;
  }
  return 0;
}

std::optional<Ring::Place> Ring::first(std::size_t program) const {
  if (program >= programs_.size() || programs_[program].empty()) return std::nullopt;
  const auto& [key, order] = *programs_[program].begin();
  return Place{key, order.begin()->first, order.begin()->second};
}

std::optional<Ring::Place> Ring::after(const Place& place, std::size_t program) const {
  if (program >= programs_.size()) return std::nullopt;
  const Buckets& buckets = programs_[program];
  auto bucket = buckets.lower_bound(place.bucket);
  if (bucket != buckets.end() && bucket->first == place.bucket) {
    const auto next = bucket->second.upper_bound({place.virtual_us, place.tenant});
    if (next != bucket->second.end()) return Place{bucket->first, next->first, next->second};
    ++bucket;
  }
  if (bucket == buckets.end()) return std::nullopt;
  return Place{bucket->first, bucket->second.begin()->first, bucket->second.begin()->second};
}

void Ring::served(const Place& place) {
  served_us_ = std::max(served_us_, place.virtual_us);
  forget_old_absences();
}

std::int64_t Ring::virtual_us(TenantNumber tenant) const {
  const auto found = flows_.find(tenant);
  return found == flows_.end() ? 0 : found->second.virtual_us;
}

std::vector<TenantNumber> Ring::take_newcomers() { return std::exchange(newcomers_, {}); }

std::optional<Ring::Place> Ring::place_of(TenantNumber tenant) const {
  const auto found = flows_.find(tenant);
  if (found == flows_.end() || found->second.stands.empty()) return std::nullopt;
  const Flow& flow = found->second;
  const auto best = std::min_element(flow.stands.begin(), flow.stands.end(),
                                     [](const Stand& a, const Stand& b) { return a.bucket < b.bucket; });
  return Place{best->bucket, flow.virtual_us, tenant};
}

void Ring::move(Flow& flow, TenantNumber tenant, std::int64_t virtual_us) {
  if (!flow.is_present()) {
    absent_.erase({flow.virtual_us, tenant});
    absent_.emplace(virtual_us, tenant);
  }
  for (const Stand& stand : flow.stands) {
    Order& order = programs_[stand.program].at(stand.bucket);
    auto node = order.extract({flow.virtual_us, tenant});
    TENURE_INVARIANT(!node.empty());
    node.value().first = virtual_us;
    order.insert(std::move(node));
  }
  flow.virtual_us = virtual_us;
}

// Before the flow becomes present.
void Ring::came(TenantNumber tenant, const Flow& flow) {
  if (flow.is_present()) return;
  ++present_;
  absent_.erase({flow.virtual_us, tenant});
}

// After the flow may have ceased to be present.
void Ring::went(TenantNumber tenant, const Flow& flow) {
  if (flow.is_present()) return;
  absent_.emplace(flow.virtual_us, tenant);
  if (--present_ > 0) return;
  // Nobody competes: whoever comes next begins a new account.
  flows_.clear();
  absent_.clear();
  served_us_ = 0;
}

// A flow that is behind everybody else would be lifted when it comes back: there is nothing to remember.
void Ring::forget_old_absences() {
  if (absent_.empty()) return;
  std::int64_t least = served_us_;
  for (const Buckets& buckets : programs_) {
    for (const auto& [key, order] : buckets) least = std::min(least, order.begin()->first);
  }
  while (!absent_.empty() && absent_.begin()->first <= least - ahead_us_) {
    flows_.erase(absent_.begin()->second);
    absent_.erase(absent_.begin());
  }
}

// Runs that were charged and have not begun can still be called back, and then the newcomer is before them.
std::int64_t Ring::start_in(const BucketKey& bucket) const {
  return least_in(bucket) - (ahead_us_ > 0 ? ahead_us_ + 1 : 0);
}

std::int64_t Ring::least_in(const BucketKey& bucket) const {
  std::optional<std::int64_t> least;
  for (const Buckets& buckets : programs_) {
    const auto found = buckets.find(bucket);
    if (found == buckets.end()) continue;
    const std::int64_t first = found->second.begin()->first;
    least = least ? std::min(*least, first) : first;
  }
  return least.value_or(served_us_);
}

}  // namespace tenure::daemon
