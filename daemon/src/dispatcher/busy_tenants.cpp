#include "busy_tenants.hpp"

#include <algorithm>

namespace tenure::daemon {

bool BusyTenants::released(TenantNumber tenant, Instant now, TenantPause pause) {
  Busy& busy = busy_[tenant];
  if (busy.is_parked) return false;
  remembered_from_.erase({busy.until, tenant});
  const bool grows = pause == TenantPause::growing;
  busy.wait = grows ? std::clamp(busy.wait * 2, kBusyParkMin, kBusyParkMax) : kBusyParkMin;
  busy.is_parked = true;
  busy.until = now + busy.wait;
  parked_until_.emplace(busy.until, tenant);
  return true;
}

void BusyTenants::ended(TenantNumber tenant, Instant now) {
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

bool BusyTenants::is_parked(TenantNumber tenant) const {
  const auto busy = busy_.find(tenant);
  return busy != busy_.end() && busy->second.is_parked;
}

std::vector<TenantNumber> BusyTenants::take_due(Instant now) {
  std::vector<TenantNumber> due;
  while (!parked_until_.empty() && parked_until_.begin()->first <= now) {
    const auto node = parked_until_.extract(parked_until_.begin());
    due.push_back(node.value().second);
    busy_.at(due.back()).is_parked = false;
    remembered_from_.insert(node.value());
  }
  while (!remembered_from_.empty() && remembered_from_.begin()->first + kBusyForget <= now) {
    busy_.erase(remembered_from_.begin()->second);
    remembered_from_.erase(remembered_from_.begin());
  }
  return due;
}

std::optional<Instant> BusyTenants::next_due() const {
  if (parked_until_.empty()) return std::nullopt;
  return parked_until_.begin()->first;
}

}  // namespace tenure::daemon
