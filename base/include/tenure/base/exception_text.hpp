#pragma once

#include <exception>
#include <string>
#include <string_view>

// What exceptions of others say, for messages. Threads: any.
namespace tenure {

// Its what(), which is null in some; malformed UTF-8 is replaced.
[[nodiscard]] std::string text_of(const std::exception& error);

// What std::throw_with_nested put into it, outermost first, as "; because of TYPE: TEXT; because of ...". Empty where nothing is.
[[nodiscard]] std::string text_of_nested(const std::exception& error);

// In a catch block: "TYPE: TEXT" of whatever was thrown, with what is nested in it. No text: "TYPE".
[[nodiscard]] std::string text_of_thrown();

}  // namespace tenure
