#pragma once

#include <cstdint>

namespace tenure::queue {

// Why a run shall stop. On the wire: never renumber; a new one takes the next number.
enum class StopReason : std::uint8_t {
  stop = 1,            // its process is about to end; the job comes again at no cost
  operator_asked = 2,  // the job was cancelled
  time_limit = 3,      // the run has had 80 % of its time limit
};

}  // namespace tenure::queue
