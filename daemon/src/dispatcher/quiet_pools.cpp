#include "quiet_pools.hpp"

#include "recall.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tenure::daemon {

template <class Change>
void QuietPools::for_each_asked(std::optional<std::size_t> asked, Change&& change) {
  for (std::size_t pool = 0; pool < quiet_.size(); ++pool)
    if (!asked || *asked == pool) change(pool);
}

void QuietPools::ask(const QuietAsked& event, WallTime now, Actions& actions) {
  for_each_asked(event.pool, [&](std::size_t pool) {
    if (quiet_[pool]) return;
    quiet_[pool] = Quiet{now, event.uid};
    processes_.set_quiet(pool, true);
    actions.emplace_back(
        Note{Note::Level::warning, "pool.quiet",
             fmt::format("Nothing more is claimed for this pool, since uid {} has asked so; what runs goes "
                         "on. `tenure worker resume` ends that, and so does a new start of the daemon.",
                         event.uid),
             settings_.pools[pool].name, ProcessNumber{}});
    for (auto& [number, process] : processes_.all())
      if (process.pool == pool) recall_all(process, actions);
  });
}

void QuietPools::resume(const ResumeAsked& event, Actions& actions) {
  for_each_asked(event.pool, [&](std::size_t pool) {
    if (!quiet_[pool]) return;
    quiet_[pool].reset();
    processes_.set_quiet(pool, false);
    actions.emplace_back(Note{Note::Level::info, "pool.resumed",
                              fmt::format("Jobs are claimed for this pool again, by uid {}.", event.uid),
                              settings_.pools[pool].name, ProcessNumber{}});
  });
}

std::int64_t QuietPools::count() const {
  return std::ranges::count_if(quiet_, [](const auto& quiet) { return quiet.has_value(); });
}

std::optional<Quiet> QuietPools::first() const {
  std::optional<Quiet> first;
  for (const std::optional<Quiet>& quiet : quiet_)
    if (quiet && (!first || quiet->since < first->since)) first = quiet;
  return first;
}

}  // namespace tenure::daemon
