#pragma once

#include "remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/queue/records.hpp>

#include <chrono>
#include <optional>
#include <vector>

// What the store has been told of the pools for those who only look, and when it is told again. Worker processes that came are told
// at once; that they went only when none has come in their place for kLossToldAfter, so that a crash shows no job as held.
namespace tenure::daemon {

inline constexpr std::chrono::milliseconds kLossToldAfter{1000};

class ToldPools {
 public:
  explicit ToldPools(std::vector<queue::PoolRecord> pools) : pools_(std::move(pools)) {}

  void came(std::vector<queue::PoolRecord> pools, Instant now) { changed(std::move(pools), now); }
  void went(std::vector<queue::PoolRecord> pools, Instant now) {
    changed(std::move(pools), now + kLossToldAfter);
  }
  // What the store should be told now; null where there is nothing.
  [[nodiscard]] const std::vector<queue::PoolRecord>* due(Instant now) const {
    return tell_at_ && now >= *tell_at_ ? &pools_ : nullptr;
  }
  void told(const std::vector<queue::PoolRecord>& pools, Instant now);
  [[nodiscard]] const std::optional<Instant>& next_at() const { return tell_at_; }

 private:
  void changed(std::vector<queue::PoolRecord> pools, Instant tell_at);

  std::vector<queue::PoolRecord> pools_;
  std::optional<std::vector<queue::PoolRecord>> told_;
  std::optional<Instant> tell_at_{Instant{}};

  TENURE_REMEMBERS(pools, told, tell_at)
};

}  // namespace tenure::daemon
