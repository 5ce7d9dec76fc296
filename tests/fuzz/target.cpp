#include "target.hpp"

#include <tenure/base/text.hpp>

#include <cstdio>
#include <cstdlib>

namespace tenure::fuzz {

void require(bool holds, std::string_view property) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: not so: %.*s\n", static_cast<int>(property.size()), property.data());
  std::abort();
}

void check_refusal(const Failure& failure, ErrorCode code) {
  require(failure.code == code, "a refusal has its own code");
  require(escaped(failure.message, failure.message.size()) == failure.message, "a refusal can be shown");
}

namespace {
std::size_t accepted_inputs = 0;
}
void accepted() { ++accepted_inputs; }
std::size_t accepted_count() { return accepted_inputs; }

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (;;) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

}  // namespace tenure::fuzz
