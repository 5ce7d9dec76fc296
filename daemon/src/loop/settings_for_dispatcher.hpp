#pragma once

#include <tenure/config/settings.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/queue/limit_rule.hpp>
#include <tenure/queue/pool.hpp>

#include <cstdint>
#include <vector>

namespace tenure::daemon {

// What the configuration says, as the store and the dispatcher take it.
[[nodiscard]] std::vector<queue::DeclaredLimit> limits_in(const config::Settings& settings);
[[nodiscard]] queue::PoolTenants tenants_in(const config::PoolSettings& pool);
[[nodiscard]] std::vector<queue::ReservedSlots> reserved_in(const config::PoolSettings& pool);
[[nodiscard]] DispatcherSettings dispatcher_settings(const config::Settings& settings, std::uint64_t seed,
                                                     bool can_end_processes = true, bool former_died = false);

}  // namespace tenure::daemon
