#include "settings_for_dispatcher.hpp"

#include <tenure/base/start_rate.hpp>
#include <tenure/config/log_options.hpp>
#include <tenure/queue/declared_schedules.hpp>

#include <algorithm>
#include <string>
#include <unistd.h>
#include <utility>

namespace tenure::daemon {

std::vector<queue::DeclaredLimit> limits_in(const config::Settings& settings) {
  std::vector<queue::DeclaredLimit> declared;
  for (const config::LimitSettings& written : settings.limits) {
    queue::DeclaredLimit limit{.name = written.name,
                               .target = {written.kind, written.queue,
                                          queue::parse_limit_per(written.per).value_or(queue::LimitPer{})}};
    if (written.running > 0) limit.bounds.running = written.running;
    if (!written.rate.empty()) limit.bounds.rate = value_or_raise(parse_start_rate(written.rate));
    declared.push_back(std::move(limit));
  }
  return declared;
}

queue::PoolTenants tenants_in(const config::PoolSettings& pool) {
  using Rule = queue::PoolTenants::Rule;
  queue::PoolTenants tenants;
  for (std::string name : pool.tenants) {
    const bool is_left_out = name.starts_with('!');
    tenants.rule = is_left_out ? Rule::all_but : Rule::only;
    tenants.names.push_back(is_left_out ? name.substr(1) : std::move(name));
  }
  std::ranges::sort(tenants.names);
  return tenants;
}

std::vector<queue::ReservedSlots> reserved_in(const config::PoolSettings& pool) {
  std::vector<queue::ReservedSlots> reserved;
  for (const config::ReservedSlots& each : pool.reserved)
    reserved.push_back({queue::Priority{static_cast<int>(each.priority)}, each.slots});
  return reserved;
}

DispatcherSettings dispatcher_settings(const config::Settings& settings, std::uint64_t seed,
                                       bool can_end_processes, bool former_died) {
  DispatcherSettings result{.pools = {},
                            .poll = settings.store.poll,
                            .stop_deadline = settings.daemon.stop_deadline,
                            .ping_max = settings.daemon.ping_max,
                            .node = config::node_name(settings),
                            .pid = ::getpid(),
                            .seed = seed,
                            .can_end_processes = can_end_processes,
                            .former_died = former_died,
                            .schedules = queue::declared_schedules(settings.schedules),
                            .limits = limits_in(settings)};
  for (const auto& pool : settings.pools)
    result.pools.push_back({.name = pool.name,
                            .processes = static_cast<int>(pool.processes),
                            .queues = pool.queues,
                            .jobs_max = pool.jobs_max,
                            .memory_max = static_cast<std::int64_t>(pool.memory_max),
                            .tenants = tenants_in(pool),
                            .reserved = reserved_in(pool)});
  return result;
}

}  // namespace tenure::daemon
