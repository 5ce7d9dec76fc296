#include "busy_tenants.hpp"

#include <algorithm>

namespace tenure::daemon {
namespace {

std::chrono::milliseconds next_wait(std::chrono::milliseconds last, TenantPause pause) {
  if (pause == TenantPause::flat) return kBusyParkMin;
  return std::clamp(last * 2, kBusyParkMin, pause == TenantPause::trouble ? kTroubleParkMax : kBusyParkMax);
}

}  // namespace

void BusyTenants::move(TenantNumber tenant, Busy& busy, Phase phase, Instant until) {
  order_of(busy.phase).erase({busy.until, tenant});
  busy.phase = phase;
  busy.until = until;
  order_of(phase).emplace(until, tenant);
}

bool BusyTenants::released(TenantNumber tenant, Instant now, TenantPause pause) {
  Busy& busy = busy_[tenant];
  if (busy.phase == Phase::parked) return false;
  busy.wait = next_wait(busy.wait, pause);
  busy.pause = pause;
  move(tenant, busy, Phase::parked, now + busy.wait);
  return true;
}

bool BusyTenants::ended(TenantNumber tenant, Instant now) {
  const auto entry = busy_.find(tenant);
  if (entry == busy_.end()) return false;
  Busy& busy = entry->second;
  if (busy.phase == Phase::parked) {
    busy.wait = {};
    move(tenant, busy, Phase::parked, std::min(busy.until, now + kBusyParkMin));
    return false;
  }
  order_of(busy.phase).erase({busy.until, tenant});
  busy_.erase(entry);
  return true;
}

bool BusyTenants::is_parked(TenantNumber tenant) const {
  const auto busy = busy_.find(tenant);
  return busy != busy_.end() && withholds(busy->second.phase);
}

bool BusyTenants::is_probed(TenantNumber tenant) const {
  const auto busy = busy_.find(tenant);
  return busy != busy_.end() && busy->second.phase == Phase::probed;
}

void BusyTenants::probe_sent(TenantNumber tenant) {
  const auto entry = busy_.find(tenant);
  if (entry == busy_.end() || entry->second.phase != Phase::probed) return;
  move(tenant, entry->second, Phase::probing, entry->second.until + kProbeMax);
}

bool BusyTenants::probe_failed(TenantNumber tenant) {
  const auto entry = busy_.find(tenant);
  if (entry == busy_.end() || entry->second.phase != Phase::probing) return false;
  move(tenant, entry->second, Phase::probed, Instant{entry->second.until.since_start - kProbeMax});
  return true;
}

std::vector<TenantNumber> BusyTenants::take_due(Instant now) {
  std::vector<TenantNumber> due;
  while (!withheld_until_.empty() && withheld_until_.begin()->first <= now) {
    const TenantNumber tenant = withheld_until_.begin()->second;
    Busy& busy = busy_.at(tenant);
    move(tenant, busy, busy.pause == TenantPause::flat ? Phase::remembered : Phase::probed, busy.until);
    due.push_back(tenant);
  }
  while (!open_since_.empty() && open_since_.begin()->first + kBusyForget <= now) {
    busy_.erase(open_since_.begin()->second);
    open_since_.erase(open_since_.begin());
  }
  return due;
}

std::optional<Instant> BusyTenants::next_due() const {
  if (withheld_until_.empty()) return std::nullopt;
  return withheld_until_.begin()->first;
}

}  // namespace tenure::daemon
