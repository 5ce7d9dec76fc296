#pragma once

#include <tenure/queue/lane_gate.hpp>

#include <cstdint>
#include <optional>
#include <vector>

// The gates of all lanes, from what the dispatcher has told of its pools. Internal.
namespace tenure::queue {

class LaneGates {
 public:
  // By their numbers in this store, sorted.
  struct Pool {
    bool has_worker = false;
    std::vector<std::int64_t> queues, kinds;
  };
  // Nobody has told anything: no lane has a gate.
  LaneGates() = default;
  explicit LaneGates(std::vector<Pool> pools) : is_told_(true), pools_(std::move(pools)) {}

  // Nothing where nobody has told anything.
  [[nodiscard]] std::optional<std::vector<PoolForLane>> pools_for(QueueNumber queue, KindNumber kind) const;
  [[nodiscard]] JobReason of(QueueNumber queue, KindNumber kind) const;

 private:
  bool is_told_ = false;
  std::vector<Pool> pools_;
};

}  // namespace tenure::queue
