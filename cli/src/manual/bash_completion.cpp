#include "manual.hpp"
#include "shared_text.hpp"

#include <tenure/config/setting_table.hpp>

namespace tenure::cli::manual {
namespace {

// Each part is a case of its own; the words of filters end in an equals sign, behind which the value is typed.
constexpr std::string_view kScript =
    R"(# Completion of `tenure` for bash, made from the tables of the command.
_tenure() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} is_value=
  # Bash takes --color=auto apart at the equals sign.
  if [[ $current == = ]]; then
    is_value=yes current=
  elif [[ $before == = ]]; then
    is_value=yes before=${{COMP_WORDS[COMP_CWORD - 2]}}
  fi
  local noun='' verb='' word at
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=${{COMP_WORDS[at]}}
    case $word in
      {with_value})
        [[ ${{COMP_WORDS[at + 1]}} == = ]] && ((at++))
        ((at++))
        ;;
      -* | =) ;;
{shorthands}      *) if [[ ! $noun ]]; then noun=$word; elif [[ ! $verb ]]; then verb=$word; fi ;;
    esac
  done
  local options='{options}' words='' sort='' columns=''
  case "$noun $verb" in
    ' ') words='{nouns}' ;;
{cases}  esac
  COMPREPLY=()
  case $before in
    {with_file})
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
{choices}    --sort) words=$sort ;;
    --columns)
      local front=
      [[ $current == *,* ]] && front=${{current%,*}},
      compopt -o nospace 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -P "$front" -W "$columns" -- "${{current##*,}}")
      return
      ;;
    {with_other_value}) return ;;
    *)
      [[ ! $is_value ]] || return
      [[ $current != -* ]] || words=$options
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  [[ ${{COMPREPLY[0]}} != *= ]] || compopt -o nospace 2>/dev/null
}}
complete -F _tenure tenure
)";

std::string long_name(const OptionSpec& option) { return fmt::format("--{}", option.name); }

template <class Chosen>
std::vector<OptionSpec> options_that(Chosen chosen) {
  std::vector<OptionSpec> options;
  for (const OptionSpec& option : option_specs())
    if (chosen(option)) options.push_back(option);
  return options;
}

std::string setting_keys() {
  return joined(config::all_settings(), " ", [](const config::SettingInfo& info) { return info.key; });
}

std::string setting(std::string_view name, std::string_view words) {
  return words.empty() ? "" : fmt::format("      {}='{}'\n", name, words);
}

// Empty where the verb has nothing of its own.
std::string verb_case(const Verb& verb) {
  const auto own = options_that(
      [&](const OptionSpec& option) { return takes(verb, option.name) && !is_global(option.name); });
  std::string out =
      setting("options+", joined(own, "", [](const auto& option) { return ' ' + long_name(option); }));
  if (verb.words == "KEY") out += setting("words", setting_keys());
  if (verb.list_words != nullptr) {
    const ListWords words = verb.list_words();
    out += setting("words", joined(words.filter_fields, " ", [](queue::FilterField field) {
                     return fmt::format("{}=", name_of(field));
                   }));
    if (takes(verb, "sort")) out += setting("sort", joined(words.sort_fields, " ", same));
    if (takes(verb, "columns")) out += setting("columns", joined(words.columns, " ", same));
  }
  return out.empty() ? "" : fmt::format("    '{} {}')\n{}      ;;\n", verb.noun, verb.name, out);
}

std::string cases() {
  std::string out;
  for (const Noun& noun : nouns()) {
    std::string names;
    for (const Verb& verb : noun.verbs()) names += fmt::format("{}{}", names.empty() ? "" : " ", verb.name);
    out += fmt::format("    '{} ') words='{}' ;;\n", noun.name, names);
  }
  for (const Verb& verb : verbs()) out += verb_case(verb);
  return out;
}

std::string bash_shorthands() {
  return joined(shorthands(), "", [](const Shorthand& each) {
    return fmt::format(
        "      {}) if [[ ! $noun ]]; then noun={} verb={}; elif [[ ! $verb ]]; then verb=$word; fi ;;\n",
        each.word, each.noun, each.verb);
  });
}

std::string choices() {
  std::string out;
  for (const OptionSpec& option : option_specs())
    if (!option.values.empty()) out += fmt::format("    --{}) words='{}' ;;\n", option.name, option.values);
  return out;
}

}  // namespace

File bash_completion() {
  const auto with_value = options_that([](const OptionSpec& option) { return !option.value.empty(); });
  const auto with_file = options_that([](const OptionSpec& option) { return option.value == "FILE"; });
  const auto with_other_value = options_that([](const OptionSpec& option) {
    return !option.value.empty() && option.value != "FILE" && option.values.empty() &&
           option.name != "sort" && option.name != "columns";
  });
  const auto global = options_that([](const OptionSpec& option) { return is_global(option.name); });
  return {"bash-completion/completions/tenure",
          fmt::format(kScript, fmt::arg("with_value", joined(with_value, " | ", long_name)),
                      fmt::arg("with_other_value", joined(with_other_value, " | ", long_name)),
                      fmt::arg("with_file", joined(with_file, " | ", long_name)),
                      fmt::arg("options", joined(global, " ", long_name)), fmt::arg("nouns", first_words()),
                      fmt::arg("shorthands", bash_shorthands()), fmt::arg("cases", cases()),
                      fmt::arg("choices", choices()))};
}

}  // namespace tenure::cli::manual
