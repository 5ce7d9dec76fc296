#include "replacements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tenure::daemon {

void Replacements::reloaded(const Reconfigured& settings) {
  for (auto& [number, process] : processes_.all()) {
    if (process.is_replaced) continue;
    const bool has_old_program =
        std::ranges::find(settings.of_old_programs, number) != settings.of_old_programs.end();
    if (has_old_program) want(number, Note::Level::info, "its program's file is another one now");
    else if (settings.pools[process.pool].is_new)
      want(number, Note::Level::info, "what it has read of the configuration is different now");
  }
}

void Replacements::look_at(const Process& process, std::int64_t memory) {
  constexpr std::int64_t kMebibyte = 1024LL * 1024;
  if (process.is_replaced || process.phase != Phase::ready) return;
  const PoolSettings& pool = settings_.pools[process.pool];
  if (pool.jobs_max > 0 && process.performed >= pool.jobs_max)
    want(process.number, Note::Level::info,
         fmt::format("it has performed {} jobs (jobs_max)", process.performed));
  // One that has done nothing would be followed by one that is as large.
  if (pool.memory_max > 0 && memory > pool.memory_max && process.performed > 0)
    want(process.number, Note::Level::warning,
         fmt::format("it has {} MiB of memory (memory_max)", memory / kMebibyte));
}

void Replacements::want(ProcessNumber process, Note::Level level, std::string because) {
  const bool is_wanted =
      std::ranges::any_of(wanted_, [&](const Wanted& wanted) { return wanted.process == process; });
  if (!is_wanted) wanted_.push_back({process, level, std::move(because)});
}

void Replacements::leaves(Process& process, Instant now, Actions& actions) {
  leave_now(process,
            Note{Note::Level::info, "worker.told_to_end",
                 "The worker process was told to end by a signal; another one takes its place.",
                 settings_.pools[process.pool].name, process.number},
            now, actions);
}

void Replacements::drain(Process& process, std::int64_t uid, Instant now, Actions& actions) {
  leave_now(
      process,
      Note{Note::Level::info, "worker.drained",
           fmt::format("The worker process ends when its jobs have, since uid {} has asked so; another one "
                       "takes its place.",
                       uid),
           settings_.pools[process.pool].name, process.number},
      now, actions);
}

void Replacements::recycle(const RecycleAsked& event) {
  for (const auto& [number, process] : processes_.all())
    if (!event.pool || process.pool == *event.pool)
      want(number, Note::Level::info, fmt::format("uid {} has asked for it", event.uid));
}

void Replacements::leave_now(Process& process, Note&& note, Instant now, Actions& actions) {
  if (process.phase != Phase::ready) return;
  actions.emplace_back(std::move(note));
  Processes::drain(process, actions);
  if (!process.alone) processes_.start_successor(process, now, actions);
}

void Replacements::came(const Process& successor, Actions& actions) {
  if (successor.is_replaced) return;  // it came late, and another one is on its way already
  for (auto& [number, process] : processes_.all()) {
    if (process.pool == successor.pool && process.position == successor.position && process.is_replaced)
      Processes::drain(process, actions);
  }
}

void Replacements::tick(Instant now, Actions& actions) {
  std::deque<Wanted> later;
  for (Wanted& wanted : std::exchange(wanted_, {})) {
    Process* const former = processes_.find(wanted.process);
    if (former == nullptr || former->is_replaced || former->phase == Phase::leaving) continue;
    if (is_busy(former->pool)) {
      later.push_back(std::move(wanted));
    } else {
      begin(*former, wanted, now, actions);
    }
  }
  wanted_ = std::move(later);
}

// Until the former one was drained, or has ended by itself.
bool Replacements::is_busy(std::size_t pool) {
  std::optional<ProcessNumber>& under_way = under_way_[pool];
  const Process* const former = under_way ? processes_.find(*under_way) : nullptr;
  if (former == nullptr || former->phase == Phase::leaving) under_way.reset();
  return under_way.has_value();
}

void Replacements::begin(Process& former, const Wanted& wanted, Instant now, Actions& actions) {
  actions.emplace_back(
      Note{wanted.level, "worker.replaced",
           fmt::format("Another worker process takes the place of this one: {}.", wanted.because),
           settings_.pools[former.pool].name, former.number});
  under_way_[former.pool] = former.number;
  processes_.start_successor(former, now, actions);
}

}  // namespace tenure::daemon
