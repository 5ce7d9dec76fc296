// Durations and sizes as people write them. A text is one or BadConfiguration; what is read prints in the largest unit that
// divides it, and that reads back as the same value and prints the same.

#include "target.hpp"

#include <tenure/config/units.hpp>

namespace tenure::fuzz {
namespace {

template <class Parse, class Print>
void check(std::string_view text, Parse parse, Print print) {
  const auto value = parse(text);
  if (!value)
    return require(value.error().code == ErrorCode::bad_configuration, "a refusal is BadConfiguration");
  accepted();
  const std::string printed = print(*value);
  const auto again = parse(printed);
  require(again && *again == *value, "what is printed reads back as the same value");
  require(print(*again) == printed, "printing what was read is stable");
}

}  // namespace

const MemoryLimit kMemoryLimit{.base = 16UL * 1024, .for_each_byte = 2};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure;
  const auto text = fuzz::text_of(data, size);
  fuzz::check(text, config::parse_duration, config::duration_text);
  fuzz::check(text, config::parse_size, config::size_text);
  return 0;
}
