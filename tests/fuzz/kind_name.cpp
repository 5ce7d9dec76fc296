// Names of kinds and of queues. A name is good or BadOptions with a message that can be shown; a good one has its place in the
// first line of an envelope.

#include "target.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/types.hpp>

#include <algorithm>

namespace tenure::fuzz {
namespace {

bool is_plain(std::string_view name, std::string_view punctuation) {
  return std::ranges::all_of(name, [&](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') || punctuation.find(c) != std::string_view::npos;
  });
}

void check_refusal(const Failure& failure, ErrorCode code) {
  require(failure.code == code, "a refusal has its own code");
  require(escaped(failure.message, failure.message.size()) == failure.message, "a refusal can be shown");
}

bool check_name(const Result<void>& checked, std::string_view name, std::size_t bytes_max) {
  if (!checked) {
    check_refusal(checked.error(), ErrorCode::bad_options);
    return false;
  }
  require(!name.empty() && name.size() <= bytes_max, "a name has at least one byte and at most its limit");
  require(is_plain(name, "_-.:"), "a name has no space and no control character");
  return true;
}

}  // namespace

const MemoryLimit kMemoryLimit{.base = 64UL * 1024, .for_each_byte = 4};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure;
  const auto text = fuzz::text_of(data, size);
  if (fuzz::check_name(queue::check_kind_name(text), text, limits::kKindNameMax)) fuzz::accepted();
  static_cast<void>(fuzz::check_name(queue::check_queue_name(text), text, limits::kQueueNameMax));
  return 0;
}
