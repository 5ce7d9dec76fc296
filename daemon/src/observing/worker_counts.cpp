#include "worker_counts.hpp"

#include "metric_table.hpp"

#include <array>

namespace tenure::daemon {
namespace {

constexpr std::array<std::string_view, 3> kPhaseNames{"starting", "ready", "leaving"};
constexpr std::array<std::string_view, 6> kCauses{"exit_0",      "exit",    "signal",
                                                  "not_started", "trouble", "ended_by_daemon"};

// One of few words, whatever the cause says.
std::string_view cause_of(const WorkerGone& gone, bool is_ended_by_us, bool has_said_hello) {
  if (is_ended_by_us) return "ended_by_daemon";
  if (gone.is_in_trouble) return "trouble";
  if (gone.cause.starts_with("signal")) return "signal";
  if (gone.cause == "exit 0") return "exit_0";
  return has_said_hello ? "exit" : "not_started";
}

}  // namespace

void WorkerCounts::said_hello(const WorkerReady& ready) {
  const auto found = processes_.find(ready.process);
  if (found == processes_.end()) return;
  found->second.phase = Phase::ready;
}

void WorkerCounts::is_told_to_leave(ProcessNumber process) {
  const auto found = processes_.find(process);
  if (found == processes_.end()) return;
  found->second.phase = Phase::leaving;
}

void WorkerCounts::is_ended(ProcessNumber process) {
  if (const auto found = processes_.find(process); found != processes_.end())
    found->second.is_ended_by_us = true;
}

void WorkerCounts::ponged(const Ponged& pong) {
  if (const auto found = processes_.find(pong.process); found != processes_.end())
    found->second.memory = pong.memory;
}

void WorkerCounts::gone(const WorkerGone& gone) {
  const auto found = processes_.find(gone.process);
  if (found == processes_.end()) return;
  const Process& process = found->second;
  ++exits_[{process.pool, cause_of(gone, process.is_ended_by_us, process.phase != Phase::starting)}];
  processes_.erase(found);
}

void WorkerCounts::set_quiet(std::optional<std::size_t> pool, bool is_quiet) {
  for (std::size_t each = 0; each < pools_.size(); ++each) {
    if (pool && *pool != each) continue;
    if (is_quiet) quiet_.insert(each);
    else quiet_.erase(each);
  }
}

void WorkerCounts::add_to(MetricFamilies& families, const FollowedRuns& followed) const {
  struct Sum {
    std::array<double, kPhaseNames.size()> phases{};
    double performing = 0, slots = 0, memory = 0;
  };
  std::vector<Sum> sums(pools_.size());
  for (const auto& [number, process] : processes_) {
    Sum& sum = sums.at(process.pool);
    ++sum.phases[static_cast<std::size_t>(process.phase)];
    if (const Runs* const runs = followed.of(number)) {
      sum.performing += static_cast<double>(runs->performing());
      sum.slots += static_cast<double>(runs->slots());
    }
    sum.memory += static_cast<double>(process.memory);
  }
  for (std::size_t pool = 0; pool < pools_.size(); ++pool) {
    const std::string& name = pools_[pool];
    for (std::size_t phase = 0; phase < kPhaseNames.size(); ++phase)
      families.add(metric::kWorkers, {{"pool", name}, {"state", std::string{kPhaseNames[phase]}}},
                   sums[pool].phases[phase]);
    families.add(metric::kSlots, {{"pool", name}, {"state", "performing"}}, sums[pool].performing);
    families.add(metric::kSlots, {{"pool", name}, {"state", "idle"}},
                 sums[pool].slots - sums[pool].performing);
    families.add(metric::kSlotsReserved, {{"pool", name}},
                 pool < reserved_.size() ? static_cast<double>(reserved_[pool]) : 0);
    families.add(metric::kWorkerMemory, {{"pool", name}}, sums[pool].memory);
    families.add(metric::kPoolQuiet, {{"pool", name}}, quiet_.contains(pool) ? 1 : 0);
    for (const std::string_view cause : kCauses) {
      const auto exits = exits_.find({pool, cause});
      families.add(metric::kWorkerExits, {{"pool", name}, {"cause", std::string{cause}}},
                   exits == exits_.end() ? 0 : static_cast<double>(exits->second));
    }
  }
}

}  // namespace tenure::daemon
