// UUIDs. Only the canonical 36 characters are one, and they print back byte for byte; 16 bytes are one, others are none.

#include "target.hpp"

#include <tenure/base/text.hpp>
#include <tenure/base/uuid.hpp>

namespace tenure::fuzz {

const MemoryLimit kMemoryLimit{.base = 4UL * 1024, .for_each_byte = 0};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure;
  const auto text = fuzz::text_of(data, size);
  if (const auto uuid = Uuid::parse(text)) {
    fuzz::accepted();
    fuzz::require(uuid->text() == text, "a UUID prints back byte for byte");
  }
  const auto from_bytes = Uuid::from_bytes(as_bytes(text));
  fuzz::require(from_bytes.has_value() == (size == Uuid::kSize), "exactly 16 bytes are a UUID");
  if (from_bytes)
    fuzz::require(Uuid::parse(from_bytes->text()) == from_bytes, "a UUID that is printed reads back");
  return 0;
}
