#pragma once

#include <tenure/queue/lane_gate.hpp>

#include <span>

// Internal.
namespace tenure::queue {

// Whether one of them performs the lane's jobs, and says that they only read.
[[nodiscard]] bool is_read_by(std::span<const PoolForLane> pools);

}  // namespace tenure::queue
