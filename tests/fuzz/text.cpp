// Foreign text on its way to people: bytes become UTF-8, or something that can be shown, and a cut never leaves half a
// character of well-formed text.

#include "target.hpp"

#include <tenure/base/text.hpp>

#include <algorithm>
#include <array>

namespace tenure::fuzz {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

void check_shown(std::string_view text, std::size_t bytes_max) {
  const std::string shown = escaped(text, bytes_max);
  require(is_utf8(shown), "what is shown is UTF-8");
  require(std::ranges::none_of(shown, is_control), "what is shown has no control character");
  require(escaped(shown, shown.size()) == shown, "what can be shown stays as it is");
}

void check_cut(std::string_view text, std::size_t bytes_max) {
  const std::string_view cut = cut_utf8(text, bytes_max);
  require(cut.size() <= bytes_max && text.starts_with(cut), "a cut is a prefix of at most so many bytes");
  require(cut.size() + 4 > std::min(text.size(), bytes_max), "a cut takes off less than a character");
  if (is_utf8(text)) require(is_utf8(cut), "a cut of well-formed text is well-formed");
}

}  // namespace

const MemoryLimit kMemoryLimit{.base = 64UL * 1024, .for_each_byte = 32};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure;
  const auto text = fuzz::text_of(data, size);
  for (const std::size_t bytes_max : {std::size_t{0}, std::size_t{3}, size / 2, size}) {
    fuzz::check_cut(text, bytes_max);
    fuzz::check_shown(text, bytes_max);
  }
  if (is_utf8(text)) fuzz::accepted();
  const std::string repaired = to_utf8(text);
  fuzz::require(is_utf8(repaired), "what is repaired is UTF-8");
  fuzz::require((repaired == text) == is_utf8(text), "only what is malformed is repaired");
  constexpr std::array<std::string_view, 3> kCandidates{"store.path", "pool", "daemon.stop_deadline"};
  if (const auto near = nearest(text, kCandidates))
    fuzz::require(std::ranges::count(kCandidates, *near) == 1, "the nearest word is one of the candidates");
  return 0;
}
