#pragma once

#include <span>
#include <string>
#include <string_view>

// Filters that are printed to be typed again.
namespace tenure::cli {

// The words as a shell takes them: in single quotes where one holds more than letters, digits and marks that mean nothing to it.
[[nodiscard]] std::string shell_text(std::span<const std::string> words);

// FIELD=VALUE that is met by this very text: in double quotes where the language of filters needs them.
[[nodiscard]] std::string exact_term(std::string_view field, std::string_view text);
// FIELD=VALUE that is met by what begins with this text, and where that has characters with a meaning by a little more.
[[nodiscard]] std::string term_of_prefix(std::string_view field, std::string_view text);

}  // namespace tenure::cli
