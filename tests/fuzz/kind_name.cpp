// Names of kinds and of queues. A name is good or BadOptions with a message that can be shown; a good one has its place in the
// first line of an envelope.

#include "target.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/names.hpp>
#include <tenure/base/text.hpp>

#include <algorithm>

namespace tenure::fuzz {
namespace {

bool is_plain(std::string_view name, std::string_view punctuation) {
  return std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || punctuation.find(c) != std::string_view::npos;
  });
}

bool is_sound(const Result<void>& checked, std::string_view name, std::size_t bytes_max) {
  if (!checked) {
    check_refusal(checked.error(), ErrorCode::bad_options);
    return false;
  }
  require(!name.empty() && name.size() <= bytes_max, "a name has at least one byte and at most its limit");
  require(is_plain(name, "_-."), "a name has no space and no control character");
  require(is_plain(name.substr(0, 1), ""), "a name begins with a letter or a digit");
  return true;
}

}  // namespace

const MemoryLimit kMemoryLimit{.base = 64UL * 1024, .for_each_byte = 4};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure;
  const auto text = fuzz::text_of(data, size);
  if (fuzz::is_sound(check_name(NameOf::kind, text), text, limits::kKindNameMax)) fuzz::accepted();
  static_cast<void>(fuzz::is_sound(check_name(NameOf::queue, text), text, limits::kQueueNameMax));
  return 0;
}
