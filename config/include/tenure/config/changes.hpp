#pragma once

#include <tenure/config/settings.hpp>

#include <string>
#include <vector>

// What becomes of a configuration that was read again while a daemon runs by another one. Threads: any.
namespace tenure::config {

struct Changes {
  Settings settings;                        // those before, with all that can be taken over
  std::vector<std::string> taken_over;      // at once: "store.poll", "pool.processes of general"
  std::vector<std::string> by_new_workers;  // by those that start from now on
  std::vector<std::string> at_start;        // keys whose new values wait for the next start
  // For each pool, in the order of `settings`: what its worker processes have read is different now.
  std::vector<bool> workers_are_old;
};

// Pools are compared by name. One that came or went waits for the next start, and so do its queues. Schedules
// are taken over whole.
[[nodiscard]] Changes changes(const Settings& before, const Settings& after);

}  // namespace tenure::config
