#pragma once

#include "support/simulation.hpp"

#include <tenure/queue/memory_store.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// A simulation with a store of its own, and the settings that most tests want: one pool on the queue "default".
namespace tenure::daemon {

using namespace std::chrono_literals;
using queue::ShownState;

inline simulation::Options one_pool(int processes, int slots, std::uint64_t seed = 1) {
  simulation::Options options;
  options.seed = seed;
  options.slots = slots;
  options.settings.pools = {PoolSettings{"default", processes, {"default"}}};
  options.settings.node = "test";
  return options;
}

struct Simulated {
  explicit Simulated(simulation::Options options)
      : store(queue::make_memory_store()), world(*store, std::move(options)) {}

  // Everything that was enqueued is final, within so long.
  [[nodiscard]] bool drains(std::chrono::microseconds bound) {
    return world.run_until([this] { return world.is_idle(); }, bound);
  }
  simulation::Simulation* operator->() { return &world; }

  std::unique_ptr<queue::Store> store;
  simulation::Simulation world;
};

// The actions of that kind that the dispatcher has wanted of worker processes, with their moments, in order.
template <class Kind>
std::vector<std::pair<Instant, Kind>> control_of(const simulation::Simulation& world) {
  std::vector<std::pair<Instant, Kind>> found;
  for (const auto& [moment, action] : world.control) {
    if (const auto* const one = std::get_if<Kind>(&action)) found.emplace_back(moment, *one);
  }
  return found;
}

// The moments of these.
template <class Kind>
std::vector<Instant> moments(const simulation::Simulation& world) {
  std::vector<Instant> moments;
  for (const auto& [moment, action] : control_of<Kind>(world)) moments.push_back(moment);
  return moments;
}

template <class Kind>
std::optional<Instant> first(const simulation::Simulation& world) {
  const auto all = moments<Kind>(world);
  return all.empty() ? std::nullopt : std::optional{all.front()};
}

// Of which processes they were wanted.
template <class Kind>
std::vector<ProcessNumber> processes_of(const simulation::Simulation& world) {
  std::vector<ProcessNumber> processes;
  for (const auto& [moment, action] : control_of<Kind>(world)) processes.push_back(action.process);
  return processes;
}

}  // namespace tenure::daemon
