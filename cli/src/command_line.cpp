#include "command_line.hpp"

#include <tenure/base/text.hpp>

#include <CLI/CLI.hpp>
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

tl::unexpected<Failure> unknown_option(const std::string& argument, std::span<const OptionSpec> options) {
  const std::string typed = argument.substr(0, argument.find('='));
  std::vector<std::string> names;
  for (const OptionSpec& option : options) names.push_back("--" + std::string(option.name));
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const auto near = nearest(typed, candidates);
  return bad(fmt::format("unknown option {}{}", escaped(typed),
                         near ? fmt::format("; did you mean {}?", *near) : ""));
}

// Holds what CLI11 fills while it parses.
class Parser {
 public:
  explicit Parser(std::span<const OptionSpec> options) : specs_(options), values_(options.size()) {
    app_.set_help_flag();  // help is a flag like others
    // Words are what no option takes: as values of one, CLI11 would split [a,b] into two.
    app_.allow_extras();
    for (std::size_t i = 0; i < options.size(); ++i) {
      const std::string name = "--" + std::string(options[i].name);
      if (options[i].value.empty()) flags_.emplace_back(i, app_.add_flag(name));
      else app_.add_option(name, values_[i])->expected(1)->take_all()->allow_extra_args(false);
    }
  }

  Result<CommandLine> parse(std::span<const std::string> arguments) {
    // CLI11 would report the two dashes themselves as something that it does not know.
    const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
    std::vector<std::string> before(arguments.begin(), dashes);
    std::reverse(before.begin(), before.end());  // it wants the last one first
    try {
      app_.parse(std::move(before));
    } catch (const CLI::Error& error) {
      return bad(escaped(error.what()));
    }
    CommandLine line;
    for (std::string& rest : app_.remaining()) {
      if (rest.size() > 1 && rest.front() == '-') return unknown_option(rest, specs_);
      line.words.push_back(std::move(rest));
    }
    if (dashes != arguments.end()) line.words.insert(line.words.end(), dashes + 1, arguments.end());
    for (const auto& [i, flag] : flags_)
      if (flag->count() > 0) line.options.emplace(specs_[i].name, "");
    for (std::size_t i = 0; i < specs_.size(); ++i) {
      const std::vector<std::string>& given = values_[i];
      if (given.empty()) continue;
      if (std::any_of(given.begin(), given.end(), [&](const auto& other) { return other != given.front(); }))
        return bad(fmt::format("--{} is given twice, as {} and {}", specs_[i].name, escaped(given.front()),
                               escaped(given.back())));
      line.options.emplace(specs_[i].name, given.front());
    }
    return line;
  }

 private:
  CLI::App app_;
  std::span<const OptionSpec> specs_;
  std::vector<std::vector<std::string>> values_;
  std::vector<std::pair<std::size_t, CLI::Option*>> flags_;
};

}  // namespace

std::string_view CommandLine::value(std::string_view option) const {
  const auto found = options.find(option);
  return found == options.end() ? std::string_view{} : std::string_view{found->second};
}

Result<CommandLine> parse_command_line(std::span<const std::string> arguments,
                                       std::span<const OptionSpec> options) {
  if (auto checked = check_arguments(arguments); !checked) return tl::unexpected(checked.error());
  return Parser(options).parse(arguments);
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
