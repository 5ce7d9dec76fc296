#pragma once

#include <tenure/base/text.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

// Many texts, of which each may stand at the front of another. Internal.
namespace tenure::queue {

struct FormLengths {
  std::size_t least = 1;  // of each of the texts
  std::size_t part = 0;   // so much of one's beginning stands for it
};

[[nodiscard]] inline std::size_t common_front(std::string_view one, std::string_view other) {
  return static_cast<std::size_t>(std::ranges::mismatch(one, other).in1 - one.begin());
}

// How many bytes of the front of `text` are one of `forms`, or the beginning of one; 0: none. `forms` are sorted, each once. Whichever
// has most in common with the text is beside the place where the text would stand; what is shorter than `part` must be there as a whole.
// So it asks `before` as often as the logarithm of their number, times `part` at most.
template <class Before = std::less<std::string_view>>
[[nodiscard]] std::size_t length_at_front(std::string_view text, std::span<const std::string> forms,
                                          FormLengths lengths, const Before& before = {}) {
  const auto place = std::lower_bound(forms.begin(), forms.end(), text, before);
  std::size_t common = 0;
  std::string_view longest;
  for (auto form = place == forms.begin() ? place : place - 1; form != forms.end() && form <= place; ++form) {
    const std::size_t same = common_front(*form, text);
    if (same >= common) longest = *form;
    common = std::max(common, same);
  }
  if (common >= lengths.part) return cut_utf8(longest, common).size();
  for (; common >= lengths.least; --common)
    if (std::binary_search(forms.begin(), place == forms.end() ? place : place + 1, text.substr(0, common),
                           before))
      return common;
  return 0;
}

}  // namespace tenure::queue
