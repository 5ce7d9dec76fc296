// The envelope, a job's payload as it is stored and sent. It is read, or refused as BadPayload or NewerEnvelope; one value has
// one text, so what is read is written as the very bytes it came from. No announced size allocates anything.

#include "target.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/envelope.hpp>

namespace tenure::fuzz {

const MemoryLimit kMemoryLimit{.base = 16UL * 1024, .for_each_byte = 8};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure;
  using fuzz::require;
  const auto bytes = fuzz::text_of(data, size);
  const auto envelope = queue::read_envelope(bytes);
  if (!envelope) {
    const Failure& failure = envelope.error();
    require(failure.code == ErrorCode::bad_payload || failure.code == ErrorCode::newer_envelope,
            "a refusal is BadPayload or NewerEnvelope");
    require(is_utf8(failure.message), "the message is text");
    return 0;
  }
  fuzz::accepted();
  require(queue::write_envelope(*envelope) == bytes, "one value has one text");
  require(envelope->tenant.has_value() == (envelope->generation.value > 0), "a tenant has a generation");
  return 0;
}
