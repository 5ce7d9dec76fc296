#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenure {

// What stands at the front of a text: a code point and its bytes, or one malformed byte.
struct Character {
  std::uint32_t code_point = 0;
  std::size_t size = 1;
  bool well_formed = false;
};

// Of a text that is not empty.
[[nodiscard]] Character first_character(std::string_view text);

// How many characters there are; a malformed byte counts as one.
[[nodiscard]] std::size_t character_count(std::string_view text);
// The prefix of at most so many.
[[nodiscard]] std::string_view first_characters(std::string_view text, std::size_t characters_max);

// Whether it is a control, invisible, or turns the direction of what follows.
[[nodiscard]] bool is_hidden(std::uint32_t code_point);

// For people: control characters, escapes, bidi and zero-width marks and bad UTF-8 become \xNN or \u{...}, so that
// nothing that came from data can move a cursor or forge a line. At most `bytes_max` bytes of input are shown. What was escaped
// before stays as it is, since messages quote texts that were: a backslash of the data is left alone, and log lines double it.
[[nodiscard]] std::string escaped(std::string_view text, std::size_t bytes_max = 256);

// Sorts them and keeps each once.
void sort_uniquely(std::vector<std::string>& texts);

// The prefix of at most `bytes_max` bytes that ends between two characters.
[[nodiscard]] std::string_view cut_utf8(std::string_view text, std::size_t bytes_max);

[[nodiscard]] bool is_utf8(std::string_view text);

// `text` with every malformed byte replaced by U+FFFD.
[[nodiscard]] std::string to_utf8(std::string_view text);

// The parts between the separators, empty ones too: one more than there are separators.
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);

// Broken between words so that no line has more than `columns` bytes, if no word has; those after the first begin with `indent`
// blanks. A newline of the text is a blank like another. For texts of our own, which are ASCII.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent);

// The candidate with the least edit distance, if one is near enough to be what somebody meant (a third of its length).
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view word,
                                                      std::span<const std::string_view> candidates);

[[nodiscard]] inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}
[[nodiscard]] inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace tenure
