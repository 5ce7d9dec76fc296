#pragma once

#include "command_line.hpp"
#include "list_words.hpp"
#include "session.hpp"

#include <tenure/cli/run.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The table of nouns, verbs and options, from which parsing, help, suggestions, man pages and completion come.
namespace tenure::cli {

// As wide as help is at most, on whatever terminal.
inline constexpr std::size_t kHelpColumns = 80;

// On the control database or on a daemon. What mends changes something with --fix only, what gives up with --pass-over only, what
// reconciles with one of its three options, and what reveals leaves with --reveal only its record.
enum class Effect : std::uint8_t { reads, reveals, mends, gives_up, reconciles, changes };

struct Verb {
  std::string_view noun;
  std::string_view name;
  std::string_view words;  // what follows it, for help: "ID", "[FILTER...]"
  std::size_t words_min = 0;
  std::size_t words_max = 0;
  std::string_view summary;
  std::string_view details;  // more sentences, or empty
  std::string_view example;
  std::string_view options;  // besides the global ones, separated by spaces
  Effect effect;
  ExitCode (*run)(Session& session);
  ListWords (*list_words)() = nullptr;  // where a filter may follow it
  // Whether it does itself what --watch says.
  bool (*draws_again)(const Environment& environment, const CommandLine& line) = nullptr;
};

struct Noun {
  std::string_view name;
  std::string_view summary;
  std::span<const Verb> (*verbs)();
};

// A word that stands for a noun and a verb.
struct Shorthand {
  std::string_view word;
  std::string_view noun;
  std::string_view verb;
};

[[nodiscard]] std::span<const Noun> nouns();
[[nodiscard]] std::span<const Verb> verbs();  // of all nouns, in their order
[[nodiscard]] std::span<const Shorthand> shorthands();
[[nodiscard]] std::span<const OptionSpec> option_specs();
[[nodiscard]] bool is_global(std::string_view option);
[[nodiscard]] bool takes(const Verb& verb, std::string_view option);
// Whoever does takes --reason, and leaves an audit record.
[[nodiscard]] bool changes_something(const Verb& verb, const CommandLine& line);
// Of seals, where one is in force: for what brings jobs in, or has them run again.
[[nodiscard]] bool needs_keys(const Verb& verb);
// Not what is about the configuration or the daemon, nor what follows changes, of which a copy has none.
[[nodiscard]] bool can_look_at_copies(const Verb& verb);

// Puts noun and verb in the place of a shorthand that the words begin with.
void write_out(std::vector<std::string>& words);

// BadOptions suggests the nearest.
[[nodiscard]] const Noun& find_noun(std::string_view word);
[[nodiscard]] const Verb& find_verb(const Noun& noun, std::string_view word);

[[nodiscard]] std::string overview_text();
[[nodiscard]] std::string noun_help(const Noun& noun);
[[nodiscard]] std::string verb_help(const Verb& verb);

}  // namespace tenure::cli
