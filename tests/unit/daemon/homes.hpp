#pragma once

#include "recent_tenants.hpp"
#include "simulated.hpp"

#include <string>

// Tenants by the process of a pool at which they are at home.
namespace tenure::daemon {

[[nodiscard]] inline int home_of(TenantNumber tenant, int processes) {
  int home = 0;
  for (int position = 1; position < processes; ++position)
    if (distance_from_home(tenant, position) < distance_from_home(tenant, home)) home = position;
  return home;
}

// Makes tenants, of the names NAME0, NAME1 and so on, until one is at home there.
[[nodiscard]] inline std::string create_tenant_at(Simulated& sim, const std::string& name, int position,
                                                  int processes) {
  for (int number = 0;; ++number) {
    const std::string each = name + std::to_string(number);
    sim->create_tenant(each);
    if (home_of(sim.store->registry().find(TenantName{each})->number, processes) == position) return each;
  }
}

}  // namespace tenure::daemon
