#include "commands.hpp"
#include "program.hpp"

#include <tenure/base/json.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/text.hpp>
#include <tenure/config/setting_table.hpp>

#include <array>

namespace tenure::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Usage : public Program {
 protected:
  // Exit code 2, nothing on standard output and one line on standard error, which is returned without its front: the program, and the
  // name of the error.
  std::string refusal(const std::vector<std::string>& arguments) {
    EXPECT_EQ(run(arguments), 2);
    EXPECT_EQ(output.out, "");
    EXPECT_EQ(std::count(output.error.begin(), output.error.end(), '\n'), 1) << output.error;
    EXPECT_THAT(output.error, ::testing::ContainsRegex("^tenure: [A-Z][A-Za-z]+: "));
    const std::size_t front = output.error.find(": ", 8) + 2;
    return output.error.substr(front, output.error.size() - front - 1);
  }
};

TEST_F(Usage, BadInput1_NoArgumentsPrintsAnOverviewAndIsAnError) {
  EXPECT_EQ(run({}), 2);
  EXPECT_EQ(output.out, "");
  for (const Noun& noun : nouns()) EXPECT_THAT(output.error, HasSubstr(std::string(noun.name)));
}

TEST_F(Usage, HelpIsDataAndNoError) {
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_THAT(output.out, HasSubstr("tenure NOUN VERB"));
  EXPECT_THAT(output.error, IsEmpty());
  EXPECT_EQ(run({"job", "--help"}), 0);
  EXPECT_THAT(output.out, HasSubstr("tenure job retry"));
  EXPECT_EQ(run({"job"}), 2);
  EXPECT_THAT(output.error, HasSubstr("tenure job retry"));
}

TEST_F(Usage, EveryVerbHasHelpWithAnExampleAndItsOptions) {
  for (const Verb& verb : verbs()) {
    EXPECT_EQ(run({std::string(verb.noun), std::string(verb.name), "--help"}), 0);
    EXPECT_THAT(output.out,
                HasSubstr("Example:\n  tenure " + std::string(verb.noun) + " " + std::string(verb.name)));
    const bool verb_looks_at_copies = can_look_at_copies(verb) && verb.effect != Effect::changes;
    const auto is_for_copies = [](std::string_view option) { return option == "offline" || option == "now"; };
    for (const OptionSpec& option : option_specs())
      EXPECT_EQ(output.out.find("--" + std::string(option.name) +
                                (option.value.empty() ? " " : " " + std::string(option.value))) !=
                    std::string::npos,
                takes(verb, option.name) && (verb_looks_at_copies || !is_for_copies(option.name)))
          << verb.noun << ' ' << verb.name << " --" << option.name;
  }
}

TEST_F(Usage, HelpStaysAsItIs) {
  (void)run({"--help"});
  std::string all = output.out;
  for (const Verb& verb : verbs()) {
    (void)run({std::string(verb.noun), std::string(verb.name), "--help"});
    all +=
        "\n---- tenure " + std::string(verb.noun) + " " + std::string(verb.name) + " --help\n" + output.out;
  }
  output.out = all;
  expect_golden("help.txt");
}

TEST_F(Usage, HelpFitsIntoEightyColumns) {
  std::vector<std::vector<std::string>> pages{{"--help"}};
  for (const Noun& noun : nouns()) pages.push_back({std::string(noun.name), "--help"});
  for (const Verb& verb : verbs())
    pages.push_back({std::string(verb.noun), std::string(verb.name), "--help"});
  for (const config::SettingInfo& setting : config::all_settings())
    pages.push_back({"config", "explain", setting.key});
  for (const auto& page : pages) {
    ASSERT_EQ(run(page), 0) << output.error;
    for (const std::string& line : split(output.out, '\n')) {
      if (line.starts_with("now ")) continue;  // a value is as long as it is
      EXPECT_LE(line.size(), 80U) << line;
    }
  }
}

TEST_F(Usage, VersionIsPrinted) {
  EXPECT_EQ(run({"--version"}), 0);
  EXPECT_THAT(output.out, ::testing::MatchesRegex("tenure [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_F(Usage, CLI_09_AnUnknownNounOrVerbIsNamedWithTheNearest) {
  EXPECT_EQ(refusal({"jobs", "list"}), "unknown noun 'jobs'; did you mean job?");
  EXPECT_EQ(refusal({"tenent"}), "unknown noun 'tenent'; did you mean tenant?");
  EXPECT_EQ(refusal({"weather"}), "unknown noun 'weather'; see tenure --help");
  EXPECT_EQ(refusal({"job", "lst"}), "unknown verb 'lst' of job; did you mean list?");
  EXPECT_EQ(refusal({"job", "explode"}), "unknown verb 'explode' of job; see tenure job --help");
  EXPECT_EQ(refusal({"job", "list", "--limt", "3"}), "unknown option --limt; did you mean --limit?");
  EXPECT_EQ(refusal({"\x1b[2J"}), "unknown noun '\\x1b[2J'; see tenure --help");
}

TEST_F(Usage, CLI_09_AnUnknownFieldStateOrColumnIsNamedWithTheNearest) {
  EXPECT_THAT(refusal({"job", "list", "stat=dead"}), HasSubstr("state"));
  EXPECT_THAT(refusal({"job", "list", "state=daed"}), HasSubstr("dead"));
  EXPECT_EQ(refusal({"job", "list", "--columns", "id,knd"}), "there is no column 'knd'; did you mean kind?");
  EXPECT_EQ(refusal({"queue", "list", "--sort", "redy"}),
            "there is no sort field 'redy'; did you mean ready?");
  EXPECT_EQ(refusal({"queue", "list", "--sort", "ready:down"}), "--sort ready:down ends in asc or desc");
}

TEST_F(Usage, CLI_09_BadInputs3To5_ALimitMustBeANumberInRange) {
  for (const char* text : {"-1", "0", "10abc", "99999999999999999999", "1001", ""})
    EXPECT_THAT(refusal({"job", "list", "--limit", text}),
                HasSubstr("must be a whole number from 1 to 1000"));
  EXPECT_EQ(run({"job", "list", "--limit", "1000"}), 0);
}

TEST_F(Usage, BadInput6_AnOptionTwiceIsRefused) {
  EXPECT_EQ(refusal({"job", "list", "--limit", "1", "--limit", "2"}), "--limit is given twice, as 1 and 2");
}

TEST_F(Usage, BadInput7_ANameWithALeadingDashIsRefusedAsAName) {
  EXPECT_THAT(refusal({"tenant", "create", "--", "-acme"}), HasSubstr("-acme"));
}

TEST_F(Usage, BadInputs8And9_WhatIsNoIdIsRefusedEscaped) {
  EXPECT_THAT(refusal({"job", "show", ""}), HasSubstr("'' is no job id"));
  EXPECT_THAT(refusal({"job", "show", job_id(1).text() + "\n"}), HasSubstr("000001\\x0a' is no job id"));
  EXPECT_THAT(refusal({"job", "retry", ""}), HasSubstr("'' is no job id"));
}

TEST_F(Usage, BadInputs10And11_HugeOrMalformedArgumentsAreRefused) {
  EXPECT_THAT(refusal({"job", "list", std::string(128UL * 1024, 'a')}), HasSubstr("is longer than"));
  EXPECT_THAT(refusal({"job", "list", "kind=\xc3"}), HasSubstr("is not UTF-8"));
}

TEST_F(Usage, BadInput14_AnAbsurdEnvironmentChangesNothing) {
  on_terminal(0);
  add_tenant("acme");
  add_job(1, "acme", "billing.close");
  for (const char* columns : {"0", "-1", "abc", "99999999999999999999", ""}) {
    environment.variables.emplace_back("COLUMNS", columns);
    EXPECT_EQ(run({"job", "list"}), 0);
    EXPECT_THAT(output.out, HasSubstr("KIND")) << columns;  // as on 80 columns
    environment.variables.pop_back();
  }
}

TEST_F(Usage, AnOptionOfAnotherVerbIsRefused) {
  EXPECT_EQ(refusal({"store", "show", "--limit", "3"}), "--limit means nothing to tenure store show");
  EXPECT_EQ(refusal({"job", "list", "--yes"}), "--yes means nothing to tenure job list");
}

TEST_F(Usage, MissingAndSurplusWordsAreNamed) {
  EXPECT_THAT(refusal({"job", "show"}), HasSubstr("needs ID; for example: tenure job show 019"));
  EXPECT_EQ(refusal({"store", "show", "me"}), "tenure store show takes nothing after it, not 'me'");
  EXPECT_EQ(refusal({"config", "explain", "a", "b"}),
            "tenure config explain takes one KEY after it, not 'b'");
  EXPECT_THAT(refusal({"job", "retry"}), HasSubstr("needs ID...|FILTER..."));
}

bool is_one_json_object(std::string_view text) {
  if (!text.ends_with('\n')) return false;
  const auto document =
      json::Document::parse(text.substr(0, text.size() - 1), {.bytes_max = 1U << 20U, .depth_max = 16});
  return document && document->root().type() == json::Type::object;
}

class WithJson : public Program, public ::testing::WithParamInterface<std::vector<std::string>> {};
TEST_P(WithJson, CLI_01_EachOutputHoldsOneObjectOrNothing) {
  on_terminal(120);
  answer = "y";
  for (const char* tenant : {"acme", "corvid"}) add_tenant(tenant);
  for (int i = 1; i <= 3; ++i) add_job(i, "acme", "billing.close");
  die(1);
  succeed(2);
  succeed(3);
  std::vector<std::string> arguments = GetParam();
  arguments.emplace_back("--json");
  (void)run(arguments);
  EXPECT_TRUE(output.out.empty() || is_one_json_object(output.out)) << output.out;
  EXPECT_TRUE(output.error.empty() || is_one_json_object(output.error)) << output.error;
  EXPECT_FALSE(output.out.empty() && output.error.empty());
}
INSTANTIATE_TEST_SUITE_P(
    Commands, WithJson,
    ::testing::Values(
        std::vector<std::string>{}, std::vector<std::string>{"--help"}, std::vector<std::string>{"--version"},
        std::vector<std::string>{"job"}, std::vector<std::string>{"job", "--help"},
        std::vector<std::string>{"job", "list", "--help"}, std::vector<std::string>{"job", "list"},
        std::vector<std::string>{"job", "list", "tenant=acme", "--scan", "1"},
        std::vector<std::string>{"job", "count", "tenant=acme", "--scan", "1"},
        std::vector<std::string>{"job", "show", "019cadff-0000-7000-8000-000000000001"},
        std::vector<std::string>{"job", "show", "019cadff-0000-7000-8000-000000000009"},
        std::vector<std::string>{"job", "retry", "state=dead"},
        std::vector<std::string>{"job", "retry", "state=dead", "--dry-run"},
        std::vector<std::string>{"job", "retry", "state=dead", "--yes"},
        std::vector<std::string>{"job", "retry", "state=cancelled"},
        std::vector<std::string>{"job", "retry", "019cadff-0000-7000-8000-000000000001", "--dry-run"},
        std::vector<std::string>{"job", "retry", "019cadff-0000-7000-8000-000000000001"},
        std::vector<std::string>{"job", "retry", "019cadff-0000-7000-8000-000000000002"},
        std::vector<std::string>{"tenant", "list"}, std::vector<std::string>{"tenant", "create", "heron"},
        std::vector<std::string>{"tenant", "create", "heron", "acme"},
        std::vector<std::string>{"queue", "list"}, std::vector<std::string>{"store", "show"},
        std::vector<std::string>{"config", "check"}, std::vector<std::string>{"config", "show"},
        std::vector<std::string>{"config", "explain", "store.poll"},
        std::vector<std::string>{"config", "explain", "store.pol"},
        std::vector<std::string>{"config", "sample"}));

TEST_F(Usage, CLI_11_AClosedOutputIsOneObjectToo) {
  output.closed = true;
  EXPECT_EQ(run({"job", "list", "--json"}), 1);
  EXPECT_TRUE(is_one_json_object(output.error)) << output.error;
  EXPECT_THAT(output.error, HasSubstr("\"code\":\"OutputClosed\""));
}

class LogLines : public Program {
 protected:
  void SetUp() override {
    log::capture_for_test(&lines_);
    environment.look_at_store = [this](const std::filesystem::path&) {
      for (const log::Level level : {log::Level::info, log::Level::warning, log::Level::error})
        log::write(level, "sqlite.message", "recovered 3 frames");
      return store;
    };
  }
  void TearDown() override {
    log::capture_for_test(nullptr);
    log::configure({});
  }
  std::size_t lines_of(const std::vector<std::string>& arguments) {
    lines_.clear();
    EXPECT_EQ(run(arguments), 0);
    return lines_.size();
  }

 private:
  std::vector<std::string> lines_;
};

TEST_F(LogLines, OfTheLibrariesStandBetweenMessagesOnlyWhereSomebodyShouldLook) {
  EXPECT_EQ(lines_of({"job", "list"}), 2U);
  EXPECT_EQ(lines_of({"job", "list", "--quiet"}), 1U);
  EXPECT_EQ(lines_of({"job", "list", "--json"}), 0U);
}

TEST_F(Usage, CLI_01_ErrorsAreOneJsonObjectWithJson) {
  EXPECT_EQ(run({"jobs", "list", "--json"}), 2);
  EXPECT_EQ(output.out, "");
  EXPECT_EQ(output.error,
            "{\"error\":{\"code\":\"BadOptions\",\"message\":\"unknown noun 'jobs'; did you mean "
            "job?\",\"tenant\":\"\","
            "\"where\":\"\",\"exit\":2}}\n");
}

struct CodeCase {
  ErrorCode code;
  int exit;
};
void PrintTo(const CodeCase& value, std::ostream* out) { *out << name_of(value.code); }
class ExitCodes : public Program, public ::testing::WithParamInterface<CodeCase> {};
TEST_P(ExitCodes, CLI_01_FollowTheKindOfTheError) {
  environment.look_at_store = [](const std::filesystem::path&) -> std::shared_ptr<queue::ReadableStore> {
    raise(GetParam().code, "the reason\nand more");
  };
  EXPECT_EQ(run({"job", "list"}), GetParam().exit);
  EXPECT_EQ(output.out, "");
  EXPECT_EQ(std::count(output.error.begin(), output.error.end(), '\n'), 1) << output.error;
  if (GetParam().code == ErrorCode::database_missing) return;  // says what to do instead
  EXPECT_THAT(output.error, HasSubstr("the reason\\x0aand more\n"));
}
INSTANTIATE_TEST_SUITE_P(
    Table, ExitCodes,
    ::testing::Values(CodeCase{ErrorCode::job_not_found, 1}, CodeCase{ErrorCode::tenant_exists, 1},
                      CodeCase{ErrorCode::bad_options, 2}, CodeCase{ErrorCode::bad_filter, 2},
                      CodeCase{ErrorCode::database_damaged, 65}, CodeCase{ErrorCode::bad_payload, 65},
                      CodeCase{ErrorCode::database_missing, 69}, CodeCase{ErrorCode::disk, 69},
                      CodeCase{ErrorCode::disk_sync_failed, 74}, CodeCase{ErrorCode::store_busy, 75},
                      CodeCase{ErrorCode::lock_held, 75}, CodeCase{ErrorCode::bad_configuration, 78},
                      CodeCase{ErrorCode::schema_mismatch, 78}, CodeCase{ErrorCode::access_refused, 78}));

class ClosedOutput : public Program, public ::testing::WithParamInterface<std::vector<std::string>> {};
TEST_P(ClosedOutput, CLI_11_BadInput12_IsAFailureThatIsSaid) {
  add_tenant("acme");
  add_job(1, "acme", "billing.close");
  die(1);
  output.closed = true;
  EXPECT_EQ(run(GetParam()), 1);
  EXPECT_THAT(output.error, HasSubstr("standard output is closed or full"));
}
INSTANTIATE_TEST_SUITE_P(
    Verbs, ClosedOutput,
    ::testing::Values(std::vector<std::string>{"job", "list"},
                      std::vector<std::string>{"job", "count", "--json"},
                      std::vector<std::string>{"job", "retry", "state=dead", "--yes"},
                      std::vector<std::string>{"tenant", "list"}, std::vector<std::string>{"queue", "list"},
                      std::vector<std::string>{"store", "show"}, std::vector<std::string>{"config", "sample"},
                      std::vector<std::string>{"config", "check"}, std::vector<std::string>{"--help"},
                      std::vector<std::string>{"--version"}));

TEST_F(Usage, ColourOnlyWhereItIsWanted) {
  add_tenant("acme");
  const auto is_bold = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"tenant", "list"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    EXPECT_EQ(run(arguments), 0);
    return output.out.find('\x1b') != std::string::npos;
  };
  EXPECT_FALSE(is_bold({}));
  EXPECT_TRUE(is_bold({"--color", "always"}));
  on_terminal(100);
  EXPECT_TRUE(is_bold({}));
  EXPECT_FALSE(is_bold({"--color", "never"}));
  environment.variables.emplace_back("NO_COLOR", "1");
  EXPECT_FALSE(is_bold({}));
  environment.variables.back() = {"TERM", "dumb"};
  EXPECT_FALSE(is_bold({}));
  EXPECT_EQ(refusal({"tenant", "list", "--color", "red"}), "--color red must be auto, always or never");
}

TEST_F(Usage, QuietLeavesOutMessagesButNoErrors) {
  EXPECT_EQ(run({"job", "list"}), 0);
  EXPECT_EQ(output.error, "0 jobs\n");
  EXPECT_EQ(run({"job", "list", "--quiet"}), 0);
  EXPECT_EQ(output.error, "");
  EXPECT_THAT(refusal({"job", "lst", "--quiet"}), HasSubstr("unknown verb"));
}

}  // namespace
}  // namespace tenure::cli
