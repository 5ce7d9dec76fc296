#pragma once

#include "support/simulation.hpp"

#include <tenure/queue/memory_store.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

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

}  // namespace tenure::daemon
