#pragma once

#include "simulated.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/queue/sqlite_store.hpp>
#include <tenure/queue/why.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

// A simulation with limits, on either store.
namespace tenure::daemon {

using queue::DeclaredLimit;
using queue::JobReason;
using queue::LimitBounds;
using simulation::Performance;

enum class OnStore : std::uint8_t { memory, sqlite };

inline simulation::Options with_limits(std::vector<DeclaredLimit> limits,
                                       std::chrono::microseconds run_time = 50ms) {
  auto options = one_pool(3, 4);
  options.settings.pools = {PoolSettings{"default", 3, {"default", "exports"}}};
  options.settings.limits = std::move(limits);
  options.kinds = {"fast", "job", "slow"};
  options.perform = [run_time](const queue::ClaimedJob&) { return Performance{.run_time = run_time}; };
  return options;
}

class Limited {
 public:
  Limited(OnStore on, simulation::Options options)
      : store_(make_store(on)), world(*store_, std::move(options)) {
    for (const char* const tenant : {"acme", "bolt", "crane"}) world.create_tenant(tenant);
  }
  queue::Store& store() { return *store_; }
  void set(const std::string& name, LimitBounds bounds, bool is_hinted = true) {
    store_->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      static_cast<void>(value_or_raise(writer.set_limit({.name = name, .bounds = bounds}, world.wall())));
    });
    if (is_hinted) world.hint();
  }
  void unset(const std::string& name) {
    store_->write(queue::Durability::durable,
                  [&](queue::StoreWriter& writer) { value_or_raise(writer.unset_limit(name)); });
    world.hint();
  }
  std::vector<queue::WaitReason> why(queue::JobId id) {
    std::vector<queue::WaitReason> reasons;
    store_->read([&](queue::JobReader& reader) {
      reader.set_now(world.wall());
      const auto job = reader.find_job(id).value();
      reasons = queue::wait_reasons(job, reader.lane_facts(job), std::nullopt, world.wall());
    });
    return reasons;
  }
  [[nodiscard]] bool drains(std::chrono::microseconds bound) {
    return world.run_until([this] { return world.is_idle(); }, bound);
  }
  // The most starts in any window of that length.
  [[nodiscard]] std::ptrdiff_t most_starts(std::chrono::microseconds window) const {
    std::ptrdiff_t most = 0;
    for (const simulation::Start& last : world.starts)
      most = std::max(most, std::ranges::count_if(world.starts, [&](const simulation::Start& start) {
                        return start.at <= last.at && start.at > last.at - window;
                      }));
    return most;
  }

 private:
  std::unique_ptr<queue::Store> make_store(OnStore on) {
    if (on == OnStore::memory) return queue::make_memory_store();
    return queue::open_sqlite_store({.path = folder_ / "control.db", .create = true}, clock_);
  }
  tenure::testing::TemporaryFolder folder_;
  VirtualClock clock_;
  std::unique_ptr<queue::Store> store_;

 public:
  simulation::Simulation world;
};

inline std::int64_t most_performing(const Limited& sim, std::string_view tenant, std::string_view kind,
                                    std::chrono::microseconds run_time) {
  std::int64_t most = 0;
  for (const simulation::Start& last : sim.world.starts) {
    std::int64_t beside = 0;
    for (const simulation::Start& start : sim.world.starts) {
      const bool counts = (tenant.empty() || start.tenant == tenant) && (kind.empty() || start.kind == kind);
      beside += counts && start.at <= last.at && last.at < start.at + run_time ? 1 : 0;
    }
    most = std::max(most, beside);
  }
  return most;
}

inline std::string name_of(const ::testing::TestParamInfo<OnStore>& each) {
  return each.param == OnStore::memory ? "Memory" : "Sqlite";
}

}  // namespace tenure::daemon
