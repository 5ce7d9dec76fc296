// Arguments of a job as `tenure` shows them, with secrets masked. What is no JSON is shown as nothing, what is JSON stays so,
// and masking what is masked changes nothing.

#include "masking.hpp"
#include "target.hpp"

#include <tenure/base/text.hpp>

namespace tenure::fuzz {

const MemoryLimit kMemoryLimit{.base = 256UL * 1024, .for_each_byte = 256};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure;
  const std::string masked = cli::masked_json(fuzz::text_of(data, size));
  if (!masked.empty()) fuzz::accepted();
  fuzz::require(is_utf8(masked), "what is shown is text");
  fuzz::require(cli::masked_json(masked) == masked, "masking what is masked changes nothing");
  return 0;
}
