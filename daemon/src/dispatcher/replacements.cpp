#include "replacements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tenure::daemon {

void Replacements::reloaded(const Reconfigured& settings) {
  for (auto& [number, process] : processes_.all()) {
    if (settings.pools[process.pool].is_new && !process.is_replaced)
      want(number, "its program or what it has read of the configuration is new");
  }
}

void Replacements::look_at(const Process& process, std::int64_t memory) {
  constexpr std::int64_t kMebibyte = 1024LL * 1024;
  if (process.is_replaced || !process.takes_jobs()) return;
  const PoolSettings& pool = settings_.pools[process.pool];
  if (pool.jobs_max > 0 && process.performed >= pool.jobs_max)
    want(process.number, fmt::format("it has performed {} jobs (jobs_max)", process.performed));
  if (pool.memory_max > 0 && memory > pool.memory_max)
    want(process.number, fmt::format("it has {} MiB of memory (memory_max)", memory / kMebibyte));
}

void Replacements::want(ProcessNumber process, std::string because) {
  const bool is_wanted =
      std::ranges::any_of(wanted_, [&](const Wanted& wanted) { return wanted.process == process; });
  if (!is_wanted) wanted_.push_back({process, std::move(because)});
}

void Replacements::leaves(Process& process, Instant now, Actions& actions) {
  if (process.phase != Phase::ready) return;
  actions.emplace_back(Note{Note::Level::info, "worker.told_to_end",
                            "The worker process was told to end by a signal; another one takes its place.",
                            settings_.pools[process.pool].name, process.number});
  Processes::drain(process, actions);
  processes_.start_successor(process, now, actions);
}

void Replacements::came(const Process& successor, Actions& actions) {
  for (auto& [number, process] : processes_.all()) {
    if (process.pool == successor.pool && process.position == successor.position && process.is_replaced)
      Processes::drain(process, actions);
  }
}

void Replacements::tick(Instant now, Actions& actions) {
  // It was drained, or has ended by itself.
  if (const Process* former = under_way_ ? processes_.find(*under_way_) : nullptr;
      former == nullptr || former->phase == Phase::leaving)
    under_way_.reset();
  while (!under_way_ && !wanted_.empty()) {
    const Wanted next = std::move(wanted_.front());
    wanted_.pop_front();
    Process* const former = processes_.find(next.process);
    if (former == nullptr || former->is_replaced || former->phase == Phase::leaving) continue;
    actions.emplace_back(
        Note{Note::Level::info, "worker.replaced",
             fmt::format("Another worker process takes the place of this one: {}.", next.because),
             settings_.pools[former->pool].name, former->number});
    under_way_ = former->number;
    processes_.start_successor(*former, now, actions);
  }
}

}  // namespace tenure::daemon
