#include "../commands.hpp"
#include "man_page.hpp"
#include "shared_text.hpp"

#include <fmt/format.h>

namespace tenure::cli::manual {
namespace {

constexpr std::string_view kSummary = "looks after the jobs and tenants of one control database";

std::string page_name(const Noun& noun) { return fmt::format("tenure-{}", noun.name); }

void add_filters(ManPage& page) {
  page.section("FILTERS")
      .paragraph(
          "A filter is any number of terms, each one word of the shell, which must all hold. A term is "
          "`FIELD=VALUE,...` (any value may hold) or `FIELD!=VALUE,...` (none). Each page names its fields.")
      .entry("text",
             "With `*` for any run and `?` for one character, or in double quotes, where neither means "
             "anything.")
      .entry("number, duration",
             "5, or 30s, 5m, 2h, 1d; a range `FIRST..LAST` has both ends, each of which may be missing.")
      .entry("time", "2026-03-02, 2026-03-02T10:14:00Z, now, -2h (ago), +10m (ahead), or a range of them.");
}

void add_environment(ManPage& page) {
  page.section("ENVIRONMENT")
      .entry("TENURE_CONFIG", "The configuration, where `--config` does not name it.")
      .entry("TENURE_SECTION_KEY",
             "A setting, which wins over the file: `TENURE_STORE_PATH` is path of [store].")
      .entry("NO_COLOR", "No colour, unless `--color` asks for it.");
  page.section("FILES").entry("/etc/tenure/tenure.toml", "The configuration, described in `tenure.toml`(5).");
}

File overview_page(std::string_view date) {
  ManPage page("tenure", 1, date, kSummary);
  page.section("SYNOPSIS").paragraph("`tenure` NOUN VERB [FILTER...] [OPTIONS]");
  page.section("DESCRIPTION")
      .paragraph(
          "It works on the control database itself, with the daemon `tenured`(8) up or down. Data goes to "
          "standard "
          "output, everything else to standard error. `tenure` NOUN `--help` and `tenure` NOUN VERB `--help` "
          "say "
          "what the pages say.");
  page.section("COMMANDS");
  for (const Noun& noun : nouns())
    for (const Verb& verb : noun.verbs())
      page.entry(fmt::format("{} {}{}{}", verb.noun, verb.name, verb.words.empty() ? "" : " ", verb.words),
                 fmt::format("{} See `{}`(1).", sentence(verb.summary), page_name(noun)));
  for (const Shorthand& each : shorthands()) page.entry(each.word, sentence(summary_of(each)));
  page.section("OPTIONS").paragraph(
      "They go with every command; those of one command are in the page of its noun.");
  for (const OptionSpec& option : option_specs())
    if (is_global(option.name)) page.entry(written(option), sentence(option.help));
  add_filters(page);
  add_exit_codes(page);
  add_environment(page);
  page.section("SEE ALSO")
      .paragraph(
          joined(nouns(), ", ", [](const Noun& noun) { return fmt::format("`{}`(1)", page_name(noun)); }) +
          ", `tenure.toml`(5), `tenured`(8)");
  return page.file();
}

void add_words(ManPage& page, const Verb& verb) {
  if (verb.list_words == nullptr) return;
  const ListWords words = verb.list_words();
  page.paragraph(
      fmt::format("Filter fields: {}.", joined(words.filter_fields, " ", [](queue::FilterField field) {
                    return fmt::format("`{}`", name_of(field));
                  })));
  const auto bold = [](std::string_view word) { return fmt::format("`{}`", word); };
  if (takes(verb, "sort"))
    page.paragraph(fmt::format("Fields of `--sort`: {}.", joined(words.sort_fields, " ", bold)));
  if (takes(verb, "columns")) page.paragraph(fmt::format("Columns: {}.", joined(words.columns, " ", bold)));
}

// Details end in the fields where help has no other place for them.
std::string_view own_details(const Verb& verb) {
  const std::string_view own = verb.details.substr(
      0, verb.list_words == nullptr ? verb.details.size() : verb.details.find("Filter fields: "));
  return own.substr(0, own.find_last_not_of(' ') + 1);
}

void add_verb(ManPage& page, const Verb& verb) {
  page.subsection(fmt::format("{} {}{}{}", verb.noun, verb.name, verb.words.empty() ? "" : " ", verb.words));
  page.paragraph(
      fmt::format("{}{}{}", sentence(verb.summary), own_details(verb).empty() ? "" : " ", own_details(verb)));
  add_words(page, verb);
  for (const OptionSpec& option : option_specs())
    if (takes(verb, option.name) && !is_global(option.name))
      page.entry(written(option), sentence(option.help));
  page.example(verb.example);
}

File noun_page(const Noun& noun, std::string_view date) {
  ManPage page(page_name(noun), 1, date, noun.summary);
  page.section("SYNOPSIS");
  for (const Verb& verb : noun.verbs())
    page.paragraph(fmt::format("`tenure {} {}` {}{}[OPTIONS]", verb.noun, verb.name, verb.words,
                               verb.words.empty() ? "" : " "));
  page.section("COMMANDS")
      .paragraph("The options that go with every command are in `tenure`(1), and so is what a filter is.");
  for (const Verb& verb : noun.verbs()) add_verb(page, verb);
  add_exit_codes(page);
  page.section("SEE ALSO").paragraph("`tenure`(1), `tenure.toml`(5), `tenured`(8)");
  return page.file();
}

}  // namespace

std::vector<File> command_pages(std::string_view date) {
  std::vector<File> pages{overview_page(date)};
  for (const Noun& noun : nouns()) pages.push_back(noun_page(noun, date));
  return pages;
}

}  // namespace tenure::cli::manual
