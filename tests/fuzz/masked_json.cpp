// Arguments of a job as `tenure` shows them, with secrets masked. What is no JSON is shown as nothing, what is JSON stays so,
// and masking what is masked changes nothing. A text that says all of the arguments and is searched for their secrets stays text.

#include "target.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/mask.hpp>

namespace tenure::fuzz {

const MemoryLimit kMemoryLimit{.base = 256UL * 1024, .for_each_byte = 256};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure;
  const queue::Mask mask({"recipient", "*_key"});
  const std::string_view arguments = fuzz::text_of(data, size);
  const std::string masked = mask.shown(arguments);
  if (!masked.empty()) fuzz::accepted();
  fuzz::require(is_utf8(masked), "what is shown is text");
  fuzz::require(mask.shown(masked) == masked, "masking what is masked changes nothing");
  const queue::Secrets secrets(mask, arguments);
  if (is_utf8(arguments)) fuzz::require(is_utf8(secrets.hidden_in(arguments)), "what is searched stays text");
  return 0;
}
