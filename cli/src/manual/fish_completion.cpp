#include "manual.hpp"
#include "shared_text.hpp"

#include <tenure/config/setting_table.hpp>

namespace tenure::cli::manual {
namespace {

constexpr std::string_view kFishHead =
    R"(# Completion of `tenure` for fish, made from the tables of the command.
# Whether noun and verb are these; without arguments, whether there is none yet.
function __tenure_is
    set -l found
    set -l skip no
    for word in (commandline -opc)[2..-1]
        if test $skip = yes
            set skip no
            continue
        end
        switch $word
            case {with_value}
                set skip yes
            case '-*'
{shorthands}            case '*'
                set -a found $word
        end
    end
    test "$argv" = "$found[1..2]"
end

complete -c tenure -f
)";

std::string quoted_for_fish(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return fmt::format("'{}'", out);
}

std::string offer(std::string_view where, std::string_view words, std::string_view help = "") {
  return fmt::format("complete -c tenure -n '__tenure_is{}' -a {}{}\n", where, quoted_for_fish(words),
                     help.empty() ? "" : " -d " + quoted_for_fish(help));
}

std::string values(const OptionSpec& option, const Verb* verb) {
  if (option.value.empty()) return "";
  if (option.value == "FILE") return " -r -F";
  if (!option.values.empty()) return fmt::format(" -x -a '{}'", option.values);
  if (verb == nullptr || verb->list_words == nullptr) return " -x";
  const ListWords words = verb->list_words();
  if (option.name == "sort") return fmt::format(" -x -a '{}'", joined(words.sort_fields, " ", same));
  if (option.name == "columns")
    return fmt::format(" -x -a '(__fish_append , {})'", joined(words.columns, " ", same));
  return " -x";
}

std::string option_offer(const OptionSpec& option, const Verb* verb) {
  const std::string where =
      verb == nullptr ? "" : fmt::format(" -n '__tenure_is {} {}'", verb->noun, verb->name);
  return fmt::format("complete -c tenure{} -l {}{} -d {}\n", where, option.name, values(option, verb),
                     quoted_for_fish(option.help));
}

std::string verb_offers(const Verb& verb) {
  const std::string where = fmt::format(" {} {}", verb.noun, verb.name);
  std::string out;
  if (verb.list_words != nullptr)
    out += offer(where, joined(verb.list_words().filter_fields, " ",
                               [](queue::FilterField field) { return fmt::format("{}=", name_of(field)); }));
  if (verb.words == "KEY")
    out += offer(
        where, joined(config::all_settings(), " ", [](const config::SettingInfo& info) { return info.key; }));
  for (const OptionSpec& option : option_specs())
    if (takes(verb, option.name) && !is_global(option.name)) out += option_offer(option, &verb);
  return out;
}

std::string fish_shorthands() {
  return joined(shorthands(), "", [](const Shorthand& each) {
    return fmt::format(
        "            case {0}\n                if test (count $found) -eq 0\n"
        "                    set -a found {1} {2}\n                else\n"
        "                    set -a found $word\n                end\n",
        each.word, each.noun, each.verb);
  });
}

}  // namespace

File fish_completion() {
  std::string with_value;
  for (const OptionSpec& option : option_specs())
    if (!option.value.empty())
      with_value += fmt::format("{}--{}", with_value.empty() ? "" : " ", option.name);
  std::string out =
      fmt::format(kFishHead, fmt::arg("with_value", with_value), fmt::arg("shorthands", fish_shorthands()));
  for (const Noun& noun : nouns()) out += offer("", noun.name, noun.summary);
  for (const Shorthand& each : shorthands()) out += offer("", each.word, summary_of(each));
  for (const Verb& verb : verbs()) out += offer(fmt::format(" {}", verb.noun), verb.name, verb.summary);
  for (const OptionSpec& option : option_specs())
    if (is_global(option.name)) out += option_offer(option, nullptr);
  for (const Verb& verb : verbs()) out += verb_offers(verb);
  return {"fish/vendor_completions.d/tenure.fish", out};
}

}  // namespace tenure::cli::manual
