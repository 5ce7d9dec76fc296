#pragma once

#include <tenure/base/error.hpp>

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The arguments taken apart: words and options, in any order. It knows no noun and no verb.
namespace tenure::cli {

struct OptionSpec {
  std::string_view name;   // without the dashes
  std::string_view value;  // what its value is called in help; empty for a flag
  std::string_view help;
  std::string_view values = {};  // all that it can be, separated by blanks; empty where that is no list
  std::string_view value_behind_equals =
      {};  // of a flag that may be written --NAME=VALUE too: what the value is called
};

struct CommandLine {
  std::vector<std::string> words;
  std::map<std::string, std::string, std::less<>> options;  // a flag has an empty value

  [[nodiscard]] bool has(std::string_view option) const { return options.contains(option); }
  // Empty where it was not given.
  [[nodiscard]] std::string_view value(std::string_view option) const;
};

inline constexpr std::size_t kArgumentMax = 64UL * 1024;  // bytes of one argument
inline constexpr std::size_t kArgumentsMax = 10'000;

// Options are --NAME, and --NAME VALUE or --NAME=VALUE, or one of --NAME and --NAME=VALUE as one likes; a value that begins with two dashes needs the second form. After `--`
// everything is a word. BadOptions names the argument: not UTF-8, too long, an unknown option (with the nearest one), a value
// missing or where none belongs, or an option twice with different values.
[[nodiscard]] Result<CommandLine> parse_command_line(std::span<const std::string> arguments,
                                                     std::span<const OptionSpec> options);

// "--limit N", "--debugger[=COMMAND]"
[[nodiscard]] std::string written(const OptionSpec& option);

// The value of an option as a whole number between the limits; BadOptions names all three.
[[nodiscard]] Result<std::int64_t> whole_number(std::string_view option, std::string_view text,
                                                std::int64_t min, std::int64_t max);

}  // namespace tenure::cli
