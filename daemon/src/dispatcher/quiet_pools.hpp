#pragma once

#include "processes.hpp"
#include "remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/daemon/dispatcher.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

// Pools for which nothing is claimed, since an operator has asked so: what runs goes on, what was assigned ahead comes back. Of
// this daemon's life; the next one begins with none.
namespace tenure::daemon {

class QuietPools {
 public:
  // Both must outlive it.
  QuietPools(const DispatcherSettings& settings, Processes& processes)
      : settings_(settings), processes_(processes), quiet_(settings.pools.size()) {}

  // A pool that is quiet already stays so by who asked first.
  void ask(const QuietAsked& event, WallTime now, Actions& actions);
  void resume(const ResumeAsked& event, Actions& actions);
  [[nodiscard]] const std::optional<Quiet>& of(std::size_t pool) const { return quiet_[pool]; }
  [[nodiscard]] std::int64_t count() const;
  // The first that was asked for and is in force.
  [[nodiscard]] std::optional<Quiet> first() const;

 private:
  template <class Change>
  void for_each_asked(std::optional<std::size_t> pool, Change&& change);

  const DispatcherSettings& settings_;
  Processes& processes_;
  std::vector<std::optional<Quiet>> quiet_;  // of each pool

  TENURE_REMEMBERS_BESIDE((settings, processes), quiet)
};

}  // namespace tenure::daemon
