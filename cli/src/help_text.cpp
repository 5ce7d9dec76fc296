#include "commands.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <string>

// What --help prints, from the tables.
namespace tenure::cli {
namespace {

constexpr std::size_t kOptionColumn = 24;  // where the help of options begins
constexpr std::size_t kNounColumn = 40;    // and that of nouns
constexpr std::size_t kVerbColumn = 12;    // and their verbs

std::string option_line(const OptionSpec& option) {
  return wrapped(fmt::format("  {:<21} {}", written(option), option.help), kHelpColumns, kOptionColumn) +
         '\n';
}

}  // namespace

std::string overview_text() {
  std::string out = wrapped(
      "tenure NOUN VERB [FILTER...] [OPTIONS]: looks after the jobs and tenants of one control database",
      kHelpColumns, 2);
  out += "\n\n";
  for (const Noun& noun : nouns()) {
    std::string names;
    for (const Verb& verb : noun.verbs()) names += (names.empty() ? "" : " ") + std::string(verb.name);
    // Where the verbs reach into the next column, that begins below them.
    const std::string front = fmt::format("  {:<{}}{:<28}", noun.name, kVerbColumn - 2, names);
    const bool fits = front.size() == kNounColumn;
    if (!fits) out += wrapped(front, kHelpColumns, kVerbColumn) + '\n';
    out += wrapped((fits ? front : std::string(kNounColumn, ' ')) + std::string(noun.summary), kHelpColumns,
                   kNounColumn);
    out += '\n';
  }
  for (const Shorthand& each : shorthands())
    out +=
        fmt::format("  {:<{}}the same as tenure {} {}\n", each.word, kNounColumn - 2, each.noun, each.verb);
  return out +
         "\ntenure NOUN --help and tenure NOUN VERB --help say more. It works with the\ndaemon up or down, "
         "but for worker and config reload, which ask the daemon.\n";
}

std::string noun_help(const Noun& noun) {
  std::string out = fmt::format("tenure {}: {}\n\n", noun.name, noun.summary);
  for (const Verb& verb : noun.verbs())
    out += fmt::format("  tenure {} {} {}\n{}\n      example: {}\n", verb.noun, verb.name, verb.words,
                       wrapped("      " + std::string(verb.summary), kHelpColumns, 6), verb.example);
  return out;
}

std::string verb_help(const Verb& verb) {
  std::string out = wrapped(fmt::format("tenure {} {} {}{}[OPTIONS]: {}", verb.noun, verb.name, verb.words,
                                        verb.words.empty() ? "" : " ", verb.summary),
                            kHelpColumns, 2);
  out += '\n';
  if (!verb.details.empty()) out += fmt::format("\n{}\n", wrapped(verb.details, kHelpColumns, 0));
  out += fmt::format("\nExample:\n  {}\n\nOptions:\n", verb.example);
  for (const OptionSpec& option : option_specs())
    if (takes(verb, option.name) && !is_global(option.name)) out += option_line(option);
  const bool looks_at_copies = can_look_at_copies(verb) && verb.effect != Effect::changes;
  for (const OptionSpec& option : option_specs())
    if (is_global(option.name) && (looks_at_copies || (option.name != "offline" && option.name != "now")))
      out += option_line(option);
  return out;
}

}  // namespace tenure::cli
