// Wake hints. Any datagram is one; what it says of a lane is taken from 33 bytes of one form only, with a priority that exists.

#include "target.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/queue/wake_hint.hpp>

namespace tenure::fuzz {

const MemoryLimit kMemoryLimit{.base = 1024, .for_each_byte = 0};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure;
  const auto lane = queue::read_wake_hint(fuzz::text_of(data, size));
  if (!lane) return 0;
  fuzz::accepted();
  fuzz::require(size == queue::kWakeHintMax && data[0] == 2, "only one form says more than look");
  fuzz::require(
      lane->priority.value >= limits::kPriorityHighest && lane->priority.value <= limits::kPriorityLowest,
      "a priority of a job");
  return 0;
}
