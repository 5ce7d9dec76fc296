#pragma once

#include "../commands.hpp"
#include "man_page.hpp"

#include <tenure/base/exit_code.hpp>

#include <fmt/format.h>

#include <string>
#include <string_view>

// What several pages and scripts say alike.
namespace tenure::cli::manual {

inline std::string sentence(std::string_view text) {
  std::string out(text);
  if (!out.empty() && out.front() >= 'a' && out.front() <= 'z')
    out.front() = static_cast<char>(out.front() - 'a' + 'A');
  if (!out.ends_with('.')) out += '.';
  return out;
}

inline void add_exit_codes(ManPage& page) {
  page.section("EXIT STATUS");
  for (const ExitCode code : exit_codes())
    page.entry(std::to_string(number_of(code)), sentence(meaning_of(code)));
}

// The words of a range, with `separator` between them; `text_of` makes each.
template <class Range, class TextOf>
std::string joined(const Range& range, std::string_view separator, TextOf text_of) {
  std::string out;
  for (const auto& each : range) out += fmt::format("{}{}", out.empty() ? "" : separator, text_of(each));
  return out;
}

inline std::string_view same(std::string_view word) { return word; }

// Nouns, and what stands for one with its verb.
inline std::string first_words() {
  return joined(nouns(), " ", [](const Noun& noun) { return noun.name; }) + ' ' +
         joined(shorthands(), " ", [](const Shorthand& each) { return each.word; });
}

inline std::string summary_of(const Shorthand& shorthand) {
  return fmt::format("the same as tenure {} {}", shorthand.noun, shorthand.verb);
}

}  // namespace tenure::cli::manual
