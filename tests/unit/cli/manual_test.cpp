#include "manual/manual.hpp"

#include "commands.hpp"

#include <tenure/base/exit_code.hpp>
#include <tenure/config/setting_table.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <array>

namespace tenure::cli::manual {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kDate = "2026-03-02";

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

// As its reader has it: in one line, without fonts.
std::string read_text(std::string text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kReplacements{
      {{"\\fB", ""}, {"\\fR", ""}, {"\\&", ""}, {"\\-", "-"}, {"\\(aq", "'"}, {"\n", " "}}};
  for (const auto& [what, with] : kReplacements) replace_all(text, what, with);
  return text;
}

std::string page(std::string_view path) {
  for (const auto& pages : {command_pages(kDate), daemon_pages(kDate)})
    for (const File& each : pages)
      if (each.path == path) return read_text(each.text);
  ADD_FAILURE() << "there is no page " << path;
  return "";
}

TEST(ManPages, EachVerbIsInItsPageWithItsOptionsAndExample) {
  const std::string overview = page("man1/tenure.1");
  for (const Verb& verb : verbs()) {
    const std::string text = page(fmt::format("man1/tenure-{}.1", verb.noun));
    EXPECT_THAT(overview, HasSubstr(fmt::format("{} {} {}", verb.noun, verb.name, verb.words)));
    EXPECT_THAT(text, HasSubstr(fmt::format("tenure {} {}", verb.noun, verb.name)));
    EXPECT_THAT(text, HasSubstr(std::string(verb.example)));
    for (const OptionSpec& option : option_specs()) {
      if (!takes(verb, option.name)) continue;
      EXPECT_THAT(is_global(option.name) ? overview : text, HasSubstr(written(option))) << verb.name;
    }
  }
}

TEST(ManPages, TheWordsOfAListAreInItsPage) {
  for (const Verb& verb : verbs()) {
    if (verb.list_words == nullptr) continue;
    const std::string text = page(fmt::format("man1/tenure-{}.1", verb.noun));
    for (const queue::FilterField field : verb.list_words().filter_fields)
      EXPECT_THAT(text, HasSubstr(std::string(name_of(field))));
    for (const std::string_view column : verb.list_words().columns)
      EXPECT_THAT(text, HasSubstr(std::string(column)));
  }
}

TEST(ManPages, WhateverTakesAFilterHasItsWords) {
  for (const Verb& verb : verbs())
    EXPECT_EQ(verb.list_words != nullptr, verb.words.find("FILTER") != std::string_view::npos)
        << verb.noun << ' ' << verb.name;
}

TEST(ManPages, HelpNamesTheFilterFieldsThatThereAre) {
  for (const Verb& verb : verbs()) {
    if (verb.list_words == nullptr || verb.details.find("Filter fields: ") == std::string_view::npos)
      continue;
    std::string fields = "Filter fields:";
    for (const queue::FilterField field : verb.list_words().filter_fields)
      fields += fmt::format(" {}", name_of(field));
    EXPECT_THAT(std::string(verb.details), HasSubstr(fields + '.'));
  }
}

TEST(ManPages, EachSettingHasItsDefaultLimitsVariableAndHelp) {
  const std::string text = page("man5/tenure.toml.5");
  for (const config::SettingInfo& info : config::all_settings()) {
    EXPECT_THAT(text, HasSubstr(read_text(info.help))) << info.key;
    EXPECT_THAT(text, HasSubstr(fmt::format("Limits: {}.", info.limits))) << info.key;
    const std::string value = info.default_value.empty() ? "none" : info.default_value + '.';
    EXPECT_THAT(text, HasSubstr(fmt::format("Default: {}", value))) << info.key;
    EXPECT_THAT(text, HasSubstr(info.environment)) << info.key;
    EXPECT_THAT(text, HasSubstr(std::string(config::text_of(info.taken_over)))) << info.key;
    EXPECT_THAT(text, HasSubstr(fmt::format(" {} ", info.key.substr(info.key.find('.') + 1)))) << info.key;
  }
}

TEST(ManPages, ExitCodesAreThoseOfTheTable) {
  for (const auto* path : {"man1/tenure.1", "man1/tenure-job.1", "man8/tenured.8"})
    for (const ExitCode code : exit_codes()) {
      EXPECT_THAT(page(path), HasSubstr(fmt::format(" {} ", number_of(code)))) << path;
      // A sentence there, which begins with a capital letter.
      EXPECT_THAT(page(path), HasSubstr(fmt::format("{}.", meaning_of(code).substr(1)))) << path;
    }
}

TEST(ManPages, TextIsNeverAMacro) {
  for (const auto& pages : {command_pages(kDate), daemon_pages(kDate)})
    for (const File& each : pages) {
      EXPECT_THAT(each.text, Not(HasSubstr("\n'"))) << each.path;
      EXPECT_THAT(each.text, Not(HasSubstr("\n.."))) << each.path;
    }
}

TEST(Completion, EachScriptNamesAllVerbsOptionsAndFields) {
  for (const File& script : {bash_completion(), zsh_completion(), fish_completion()}) {
    for (const Noun& noun : nouns())
      EXPECT_THAT(script.text, HasSubstr(std::string(noun.name))) << script.path;
    for (const Verb& verb : verbs()) {
      EXPECT_THAT(script.text, HasSubstr(std::string(verb.name))) << script.path;
      if (verb.list_words == nullptr) continue;
      for (const queue::FilterField field : verb.list_words().filter_fields)
        EXPECT_THAT(script.text, HasSubstr(fmt::format("{}=", name_of(field)))) << script.path;
    }
    for (const OptionSpec& option : option_specs())
      EXPECT_THAT(script.text, HasSubstr(std::string(option.name))) << script.path;
    for (const config::SettingInfo& info : config::all_settings())
      EXPECT_THAT(script.text, HasSubstr(info.key)) << script.path;
  }
}

}  // namespace
}  // namespace tenure::cli::manual
