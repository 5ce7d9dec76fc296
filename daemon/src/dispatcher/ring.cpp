#include "ring.hpp"

#include <tenure/base/error.hpp>

#include <algorithm>

namespace tenure::daemon {

void Ring::join(const Bucket& bucket, TenantNumber tenant, std::size_t offer) {
  Flow& flow = flows_[tenant];
  const Entry entry{offer, key_of(bucket)};
  if (std::find(flow.entries.begin(), flow.entries.end(), entry) != flow.entries.end()) return;
  came(tenant, flow);
  if (flow.entries.empty()) {
    const std::int64_t lift = std::max<std::int64_t>(0, start_in(entry.key) - flow.virtual_us);
    flow.virtual_us += lift;
    if (flow.outstanding > 0) {
      flow.lifted_us += lift;
    } else if (newcomers_.size() < kNewcomersMax) {
      newcomers_.push_back(tenant);
    }
  }
  flow.entries.push_back(entry);
  ++entries_;
  if (offers_.size() <= offer) offers_.resize(offer + 1);
  const bool is_new = offers_[offer][entry.key].emplace(flow.virtual_us, tenant).second;
  TENURE_INVARIANT(is_new);
}

void Ring::leave(const Bucket& bucket, TenantNumber tenant, std::size_t offer) {
  const auto found = flows_.find(tenant);
  if (found == flows_.end()) return;
  Flow& flow = found->second;
  const Entry left{offer, key_of(bucket)};
  const auto entry = std::find(flow.entries.begin(), flow.entries.end(), left);
  if (entry == flow.entries.end()) return;
  flow.entries.erase(entry);
  --entries_;
  Buckets& buckets = offers_[offer];
  const auto order = buckets.find(left.key);
  const auto erased = order->second.erase({flow.virtual_us, tenant});
  TENURE_INVARIANT(erased == 1);
  if (order->second.empty()) buckets.erase(order);
  went(tenant, flow);
}

bool Ring::is_in(const Bucket& bucket, TenantNumber tenant, std::size_t offer) const {
  const auto found = flows_.find(tenant);
  if (found == flows_.end()) return false;
  const std::vector<Entry>& entries = found->second.entries;
  return std::find(entries.begin(), entries.end(), Entry{offer, key_of(bucket)}) != entries.end();
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

std::optional<Ring::Standing> Ring::first(std::size_t offer) const {
  if (offer >= offers_.size() || offers_[offer].empty()) return std::nullopt;
  const auto& [key, order] = *offers_[offer].begin();
  return Standing{key.bucket(), order.begin()->first, order.begin()->second};
}

std::optional<Ring::Standing> Ring::after(const Standing& standing, std::size_t offer) const {
  if (offer >= offers_.size()) return std::nullopt;
  const Buckets& buckets = offers_[offer];
  const Key key = key_of(standing.bucket);
  auto bucket = buckets.lower_bound(key);
  if (bucket != buckets.end() && bucket->first == key) {
    const auto next = bucket->second.upper_bound({standing.virtual_us, standing.tenant});
    if (next != bucket->second.end()) return Standing{bucket->first.bucket(), next->first, next->second};
    ++bucket;
  }
  if (bucket == buckets.end()) return std::nullopt;
  return Standing{bucket->first.bucket(), bucket->second.begin()->first, bucket->second.begin()->second};
}

std::optional<Ring::Standing> Ring::after_bucket(const Bucket& bucket, std::size_t offer) const {
  if (offer >= offers_.size()) return std::nullopt;
  const auto next = offers_[offer].upper_bound(key_of(bucket));
  if (next == offers_[offer].end()) return std::nullopt;
  return Standing{next->first.bucket(), next->second.begin()->first, next->second.begin()->second};
}

void Ring::served(const Standing& standing) {
  served_us_ = std::max(served_us_, standing.virtual_us);
  forget_old_absences();
}

std::int64_t Ring::virtual_us(TenantNumber tenant) const {
  const auto found = flows_.find(tenant);
  return found == flows_.end() ? 0 : found->second.virtual_us;
}

std::vector<TenantNumber> Ring::take_newcomers() { return std::exchange(newcomers_, {}); }

std::optional<Ring::Standing> Ring::standing_of(TenantNumber tenant) const {
  const auto found = flows_.find(tenant);
  if (found == flows_.end() || found->second.entries.empty()) return std::nullopt;
  const Flow& flow = found->second;
  const auto best = std::min_element(flow.entries.begin(), flow.entries.end(),
                                     [](const Entry& a, const Entry& b) { return a.key < b.key; });
  return Standing{best->key.bucket(), flow.virtual_us, tenant};
}

Ring::Key Ring::key_of(const Bucket& bucket) const {
  return {ranks_.at(bucket.queue), bucket.priority, bucket.queue};
}

void Ring::move(Flow& flow, TenantNumber tenant, std::int64_t virtual_us) {
  if (!flow.is_present()) {
    absent_.erase({flow.virtual_us, tenant});
    absent_.emplace(virtual_us, tenant);
  }
  for (const Entry& entry : flow.entries) {
    Order& order = offers_[entry.offer].at(entry.key);
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
  for (const Buckets& buckets : offers_) {
    for (const auto& [key, order] : buckets) least = std::min(least, order.begin()->first);
  }
  while (!absent_.empty() && absent_.begin()->first <= least - ahead_us_) {
    flows_.erase(absent_.begin()->second);
    absent_.erase(absent_.begin());
  }
}

// Runs that were charged and have not begun can still be called back, and then the newcomer is before them.
std::int64_t Ring::start_in(const Key& key) const {
  return least_in(key) - (ahead_us_ > 0 ? ahead_us_ + 1 : 0);
}

std::int64_t Ring::least_in(const Key& key) const {
  std::optional<std::int64_t> least;
  for (const Buckets& buckets : offers_) {
    const auto found = buckets.find(key);
    if (found == buckets.end()) continue;
    const std::int64_t first = found->second.begin()->first;
    least = least ? std::min(*least, first) : first;
  }
  return least.value_or(served_us_);
}

}  // namespace tenure::daemon
