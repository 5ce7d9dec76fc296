#include "command_line.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tenure::cli {
namespace {

tl::unexpected<Failure> bad(std::string message) { return fail(ErrorCode::bad_options, std::move(message)); }

Result<void> check_arguments(std::span<const std::string> arguments) {
  if (arguments.size() > kArgumentsMax) return bad(fmt::format("more than {} arguments", kArgumentsMax));
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument.size() > kArgumentMax)
      return bad(fmt::format("argument {} ({}) is longer than {} bytes", i + 1, escaped(argument, 32),
                             kArgumentMax));
    if (!is_utf8(argument))
      return bad(fmt::format("argument {} ({}) is not UTF-8", i + 1, escaped(argument, 64)));
  }
  return {};
}

tl::unexpected<Failure> unknown_option(std::string_view name, std::span<const OptionSpec> options) {
  std::vector<std::string> names;
  names.reserve(options.size());
  for (const OptionSpec& option : options) names.push_back(fmt::format("--{}", option.name));
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const auto near = nearest(name, candidates);
  return bad(fmt::format("unknown option {}{}", escaped(name),
                         near ? fmt::format("; did you mean {}?", *near) : "; --help lists them"));
}

// An option as it stands in an argument: "--limit=10" has its value with it.
struct Written {
  std::string_view name;  // with its dashes
  std::optional<std::string_view> value;
};

Written written_option(std::string_view argument) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string_view::npos) return {argument, std::nullopt};
  return {argument.substr(0, equals), argument.substr(equals + 1)};
}

class Parser {
 public:
  Parser(std::span<const std::string> arguments, std::span<const OptionSpec> options)
      : rest_(arguments), options_(options) {}

  Result<CommandLine> parse() {
    while (!rest_.empty()) {
      const std::string& argument = take();
      if (argument == "--") break;
      // A lone dash is a word.
      if (argument.size() < 2 || argument.front() != '-') line_.words.push_back(argument);
      else if (auto read = read_option(argument); !read) return tl::unexpected(read.error());
    }
    line_.words.insert(line_.words.end(), rest_.begin(), rest_.end());
    return std::move(line_);
  }

 private:
  const std::string& take() {
    const std::string& argument = rest_.front();
    rest_ = rest_.subspan(1);
    return argument;
  }

  Result<void> read_option(std::string_view argument) {
    const auto [name, value] = written_option(argument);
    const auto option = std::ranges::find_if(options_, [&, name = name](const OptionSpec& each) {
      return name.starts_with("--") && name.substr(2) == each.name;
    });
    if (option == options_.end()) return unknown_option(name, options_);
    if (option->value.empty()) {
      if (value && !option->value_behind_equals.empty()) return keep(*option, *value);
      if (value) return bad(fmt::format("{} takes no value; write it alone", name));
      return keep(*option, "");
    }
    if (value) return keep(*option, *value);
    // What begins with two dashes is taken for an option whose neighbour lost its value; a negative number is one.
    if (rest_.empty() || rest_.front().starts_with("--"))
      return bad(fmt::format("{} needs a value behind it: {} {}", name, name, option->value));
    return keep(*option, take());
  }

  Result<void> keep(const OptionSpec& option, std::string_view value) {
    const auto [kept, fresh] = line_.options.emplace(option.name, value);
    if (fresh || kept->second == value) return {};
    return bad(
        fmt::format("--{} is given twice, as {} and {}", option.name, escaped(kept->second), escaped(value)));
  }

  std::span<const std::string> rest_;
  std::span<const OptionSpec> options_;
  CommandLine line_;
};

}  // namespace

std::string_view CommandLine::value(std::string_view option) const {
  const auto found = options.find(option);
  return found == options.end() ? std::string_view{} : std::string_view{found->second};
}

Result<CommandLine> parse_command_line(std::span<const std::string> arguments,
                                       std::span<const OptionSpec> options) {
  if (auto checked = check_arguments(arguments); !checked) return tl::unexpected(checked.error());
  return Parser(arguments, options).parse();
}

std::string written(const OptionSpec& option) {
  if (!option.value_behind_equals.empty())
    return fmt::format("--{}[={}]", option.name, option.value_behind_equals);
  return fmt::format("--{}{}{}", option.name, option.value.empty() ? "" : " ", option.value);
}

Result<std::int64_t> whole_number(std::string_view option, std::string_view text, std::int64_t min,
                                  std::int64_t max) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end || number < min || number > max)
    return bad(
        fmt::format("--{} {} must be a whole number from {} to {}", option, escaped(text, 32), min, max));
  return number;
}

}  // namespace tenure::cli
