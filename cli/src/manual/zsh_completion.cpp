#include "manual.hpp"
#include "shared_text.hpp"

#include <tenure/config/setting_table.hpp>

namespace tenure::cli::manual {
namespace {

constexpr std::string_view kZshScript = R"(#compdef tenure
# Completion of `tenure` for zsh, made from the tables of the command.

_tenure_words() {{
  local -a described
  case "$noun $verb" in
    ' ')
      described=({nouns})
      _describe noun described
      ;;
{words}  esac
}}

_tenure() {{
  local noun verb word
  local -a options
  integer at
  for ((at = 2; at < CURRENT; at++)); do
    word=$words[at]
    case $word in
      {with_value}) ((at++)) ;;
      -*) ;;
{shorthands}      *) if [[ -z $noun ]]; then noun=$word; elif [[ -z $verb ]]; then verb=$word; fi ;;
    esac
  done
  options=({options})
  case "$noun $verb" in
{cases}  esac
  _arguments -S : $options '*: :_tenure_words'
}}

_tenure "$@"
)";

// Between single quotes, with a backslash before what _arguments and _describe take for theirs.
std::string quoted_for_zsh(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':') out += '\\';
    if (c == '\'') out += "'\\''";
    else out += c;
  }
  return out;
}

std::string described(std::string_view name, std::string_view help) {
  return fmt::format("\n        '{}:{}'", name, quoted_for_zsh(help));
}

std::string action(const OptionSpec& option, const Verb* verb) {
  if (option.value == "FILE") return "_files";
  if (!option.values.empty()) return fmt::format("({})", option.values);
  if (verb == nullptr || verb->list_words == nullptr) return " ";
  const ListWords words = verb->list_words();
  if (option.name == "sort") return fmt::format("({})", joined(words.sort_fields, " ", same));
  if (option.name == "columns")
    return fmt::format("_values -s , column {}", joined(words.columns, " ", same));
  return " ";
}

std::string option_spec(const OptionSpec& option, const Verb* verb) {
  const std::string help = quoted_for_zsh(option.help);
  if (option.value.empty()) return fmt::format("\n    '--{}[{}]'", option.name, help);
  return fmt::format("\n    '--{}=[{}]:{}:{}'", option.name, help, quoted_for_zsh(option.value),
                     action(option, verb));
}

std::string zsh_words() {
  std::string out;
  for (const Noun& noun : nouns()) {
    std::string names;
    for (const Verb& verb : noun.verbs()) names += described(verb.name, verb.summary);
    out += fmt::format("    '{} ')\n      described=({})\n      _describe verb described\n      ;;\n",
                       noun.name, names);
  }
  for (const Verb& verb : verbs()) {
    if (verb.list_words != nullptr)
      out += fmt::format("    '{} {}') compadd -S '' -- {} ;;\n", verb.noun, verb.name,
                         joined(verb.list_words().filter_fields, " ",
                                [](queue::FilterField field) { return fmt::format("{}=", name_of(field)); }));
    if (verb.words == "KEY")
      out += fmt::format(
          "    '{} {}') compadd -- {} ;;\n", verb.noun, verb.name,
          joined(config::all_settings(), " ", [](const config::SettingInfo& info) { return info.key; }));
  }
  return out;
}

std::string zsh_cases() {
  std::string out;
  for (const Verb& verb : verbs()) {
    std::string specs;
    for (const OptionSpec& option : option_specs())
      if (takes(verb, option.name) && !is_global(option.name)) specs += option_spec(option, &verb);
    if (!specs.empty()) out += fmt::format("    '{} {}') options+=({}) ;;\n", verb.noun, verb.name, specs);
  }
  return out;
}

std::string zsh_shorthands() {
  return joined(shorthands(), "", [](const Shorthand& each) {
    return fmt::format(
        "      {}) if [[ -z $noun ]]; then noun={} verb={}; elif [[ -z $verb ]]; then verb=$word; fi ;;\n",
        each.word, each.noun, each.verb);
  });
}

}  // namespace

File zsh_completion() {
  std::string global;
  std::string with_value;
  for (const OptionSpec& option : option_specs()) {
    if (is_global(option.name)) global += option_spec(option, nullptr);
    if (!option.value.empty())
      with_value += fmt::format("{}--{}", with_value.empty() ? "" : " | ", option.name);
  }
  const std::string all_nouns =
      joined(nouns(), "", [](const Noun& noun) { return described(noun.name, noun.summary); }) +
      joined(shorthands(), "", [](const Shorthand& each) { return described(each.word, summary_of(each)); });
  return {"zsh/vendor-completions/_tenure",
          fmt::format(kZshScript, fmt::arg("nouns", all_nouns), fmt::arg("words", zsh_words()),
                      fmt::arg("with_value", with_value), fmt::arg("options", global),
                      fmt::arg("cases", zsh_cases()), fmt::arg("shorthands", zsh_shorthands()))};
}

}  // namespace tenure::cli::manual
