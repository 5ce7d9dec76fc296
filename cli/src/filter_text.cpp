#include "filter_text.hpp"

#include <algorithm>

namespace tenure::cli {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-_.,:=+/@%!").find(c) != std::string_view::npos;
}

std::string shell_word(std::string_view word) {
  if (!word.empty() && std::ranges::all_of(word, is_plain)) return std::string(word);
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'') out += "'\\''";
    else out += c;
  }
  return out + '\'';
}

bool needs_quotes(std::string_view text) {
  return text.empty() || text.find_first_of("*?,\"") != std::string_view::npos ||
         text.find("..") != std::string_view::npos;
}

}  // namespace

std::string shell_text(std::span<const std::string> words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + shell_word(word);
  return out;
}

std::string exact_term(std::string_view field, std::string_view text) {
  std::string term{field};
  term += '=';
  if (!needs_quotes(text)) return term += text;
  term += '"';
  for (const char c : text) term.append(c == '"' ? 2 : 1, c);
  return term + '"';
}

std::string term_of_prefix(std::string_view field, std::string_view text) {
  std::string term{field};
  term += '=';
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool has_meaning =
        std::string_view("*,\"").find(text[at]) != std::string_view::npos || text.substr(at, 2) == "..";
    term += has_meaning ? '?' : text[at];
  }
  return term + '*';
}

}  // namespace tenure::cli
