#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tenure {
namespace {

struct Lead {
  std::uint8_t mask, pattern;
  std::size_t size;
  std::uint32_t least;  // smaller code points in this length are overlong
};
constexpr std::array kLeads{Lead{0x80, 0x00, 1, 0}, Lead{0xE0, 0xC0, 2, 0x80}, Lead{0xF0, 0xE0, 3, 0x800},
                            Lead{0xF8, 0xF0, 4, 0x10000}};

std::uint32_t byte_at(std::string_view text, std::size_t at) { return static_cast<std::uint8_t>(text[at]); }

bool is_continuation(std::uint32_t byte) { return (byte & 0xC0U) == 0x80U; }

struct Range {
  std::uint32_t first, last;
};
// Controls, and what is invisible or turns the direction of what follows.
constexpr std::array kHidden{Range{0x00, 0x1F},     Range{0x7F, 0x9F},     Range{0xAD, 0xAD},
                             Range{0x61C, 0x61C},   Range{0x180E, 0x180E}, Range{0x200B, 0x200F},
                             Range{0x2028, 0x202E}, Range{0x2060, 0x206F}, Range{0xFE00, 0xFE0F},
                             Range{0xFEFF, 0xFEFF}, Range{0xFFF9, 0xFFFB}, Range{0xE0000, 0xE0FFF}};

// The least number of insertions, deletions, replacements and swaps of neighbours.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

// Nobody mistypes a longer word than this, and the distance costs the square of it.
constexpr std::size_t kNearestWordMax = 128;

}  // namespace

Character first_character(std::string_view text) {
  const std::uint32_t first = byte_at(text, 0);
  const auto* const lead = std::find_if(kLeads.begin(), kLeads.end(),
                                        [&](const Lead& l) { return (first & l.mask) == l.pattern; });
  if (lead == kLeads.end() || text.size() < lead->size) return {};
  std::uint32_t code_point = first & static_cast<std::uint8_t>(~lead->mask);
  for (std::size_t i = 1; i < lead->size; ++i) {
    if (!is_continuation(byte_at(text, i))) return {};
    code_point = code_point << 6U | (byte_at(text, i) & 0x3FU);
  }
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (code_point < lead->least || code_point > 0x10FFFF || surrogate) return {};
  return {code_point, lead->size, true};
}

std::size_t character_count(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(first_character(text).size);
  return count;
}

std::string_view first_characters(std::string_view text, std::size_t characters_max) {
  std::size_t end = 0;
  for (std::size_t count = 0; count < characters_max && end < text.size(); ++count)
    end += first_character(text.substr(end)).size;
  return text.substr(0, end);
}

bool is_hidden(std::uint32_t code_point) {
  return std::any_of(kHidden.begin(), kHidden.end(),
                     [&](const Range& r) { return code_point >= r.first && code_point <= r.last; });
}

std::string escaped(std::string_view text, std::size_t bytes_max) {
  const std::string_view shown = cut_utf8(text, bytes_max);
  std::string out;
  out.reserve(shown.size());
  for (std::size_t at = 0; at < shown.size();) {
    const Character character = first_character(shown.substr(at));
    if (!character.well_formed || (character.size == 1 && is_hidden(character.code_point)))
      out += fmt::format("\\x{:02x}", byte_at(shown, at));
    else if (is_hidden(character.code_point)) out += fmt::format("\\u{{{:x}}}", character.code_point);
    else out += shown.substr(at, character.size);
    at += character.size;
  }
  if (shown.size() < text.size()) out += "...";
  return out;
}

std::string_view cut_utf8(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  for (int steps = 0; end > 0 && steps < 3 && is_continuation(byte_at(text, end)); ++steps) --end;
  // Four continuation bytes in a row are no UTF-8, and then there is no border to respect.
  return text.substr(0, is_continuation(byte_at(text, end)) ? bytes_max : end);
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (byte_at(text, at) < 0x80) {
      ++at;
      continue;
    }
    const Character character = first_character(text.substr(at));
    if (!character.well_formed) return false;
    at += character.size;
  }
  return true;
}

std::string to_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Character character = first_character(text.substr(at));
    out += character.well_formed ? text.substr(at, character.size) : std::string_view{"\xEF\xBF\xBD"};
    at += character.size;
  }
  return out;
}

void sort_uniquely(std::vector<std::string>& texts) {
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent) {
  std::string rest(text), out;
  std::ranges::replace(rest, '\n', ' ');
  for (std::size_t room = columns; rest.size() > room; room = columns - indent) {
    std::size_t end = rest.rfind(' ', room);
    // The first word of the line is too long for it.
    if (end == std::string::npos || rest.find_first_not_of(' ') > end) end = rest.find(' ', room);
    const std::size_t next = rest.find_first_not_of(' ', end);
    if (next == std::string::npos) break;
    out += rest.substr(0, end) + '\n' + std::string(indent, ' ');
    rest.erase(0, next);
  }
  return out + rest;
}

std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> candidates) {
  if (word.empty() || word.size() > kNearestWordMax) return std::nullopt;
  const std::size_t distance_max = std::max<std::size_t>(1, word.size() / 3);
  std::optional<std::string_view> best;
  std::size_t best_distance = distance_max + 1;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > word.size() + distance_max || word.size() > candidate.size() + distance_max)
      continue;
    const std::size_t found = distance(word, candidate);
    if (found >= best_distance) continue;
    best_distance = found;
    best = candidate;
  }
  return best;
}

}  // namespace tenure
