#include "command_line.hpp"

#include <gmock/gmock.h>

#include <array>

namespace tenure::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::array kOptions{
    OptionSpec{"limit", "N", ""}, OptionSpec{"store", "FILE", ""}, OptionSpec{"json", "", ""},
    OptionSpec{.name = "debugger", .value = "", .help = "", .value_behind_equals = "COMMAND"}};

Result<CommandLine> parse(const std::vector<std::string>& arguments) {
  return parse_command_line(arguments, kOptions);
}
std::string refusal(const std::vector<std::string>& arguments) {
  const auto parsed = parse(arguments);
  return parsed ? "accepted" : parsed.error().message;
}

TEST(CommandLine, WordsAndOptionsMix) {
  const auto line =
      parse({"job", "--limit", "10", "list", "state=dead", "--json", "kind=a", "--store=x y"}).value();
  EXPECT_THAT(line.words, ElementsAre("job", "list", "state=dead", "kind=a"));
  EXPECT_EQ(line.value("limit"), "10");
  EXPECT_EQ(line.value("store"), "x y");
  EXPECT_TRUE(line.has("json"));
  EXPECT_FALSE(parse({"job"})->has("json"));
}

TEST(CommandLine, ANegativeNumberIsTheValueOfItsOption) {
  EXPECT_EQ(parse({"--limit", "-1"})->value("limit"), "-1");
  EXPECT_EQ(parse({"--limit=-1"})->value("limit"), "-1");
}

TEST(CommandLine, BadInput7_AfterTwoDashesEverythingIsAWord) {
  EXPECT_THAT(parse({"tenant", "create", "--", "-x", "--json"})->words,
              ElementsAre("tenant", "create", "-x", "--json"));
}

TEST(CommandLine, CLI_09_AnUnknownOptionIsNamedWithTheNearest) {
  EXPECT_EQ(refusal({"--limt", "10"}), "unknown option --limt; did you mean --limit?");
  EXPECT_EQ(refusal({"--limt=10"}), "unknown option --limt; did you mean --limit?");
  EXPECT_EQ(refusal({"--colour"}), "unknown option --colour; --help lists them");
  EXPECT_EQ(refusal({"-x"}), "unknown option -x; --help lists them");
}

TEST(CommandLine, BadInput6_AnOptionTwiceWithDifferentValuesIsRefused) {
  EXPECT_EQ(refusal({"--limit", "1", "--limit", "2"}), "--limit is given twice, as 1 and 2");
  EXPECT_EQ(parse({"--limit", "1", "--limit", "1", "--json", "--json"})->value("limit"), "1");
}

TEST(CommandLine, AnOptionWithoutItsValueIsRefused) {
  EXPECT_EQ(refusal({"--limit"}), "--limit needs a value behind it: --limit N");
  EXPECT_EQ(refusal({"--limit", "--json"}), "--limit needs a value behind it: --limit N");
  EXPECT_EQ(refusal({"--limit", "--"}), "--limit needs a value behind it: --limit N");
  EXPECT_EQ(parse({"--store=--json"})->value("store"), "--json");
  EXPECT_EQ(parse({"--store="})->value("store"), "");
  EXPECT_EQ(parse({"--store", ""})->value("store"), "");
}

TEST(CommandLine, AFlagWithAValueIsRefused) {
  EXPECT_EQ(refusal({"--json=no"}), "--json takes no value; write it alone");
  EXPECT_EQ(refusal({"--json="}), "--json takes no value; write it alone");
  EXPECT_THAT(parse({"--json", "no"})->words, ElementsAre("no"));
}

TEST(CommandLine, AFlagMayTakeAValueBehindItsEqualsSign) {
  EXPECT_EQ(parse({"--debugger=lldb --"})->value("debugger"), "lldb --");
  const auto alone = parse({"--debugger", "word"});
  EXPECT_TRUE(alone->has("debugger"));
  EXPECT_EQ(alone->value("debugger"), "");
  EXPECT_THAT(alone->words, ElementsAre("word"));
  EXPECT_EQ(refusal({"--debugger", "--debugger=lldb"}), "--debugger is given twice, as  and lldb");
  EXPECT_EQ(written(kOptions[3]), "--debugger[=COMMAND]");
  EXPECT_EQ(written(kOptions[0]), "--limit N");
  EXPECT_EQ(written(kOptions[2]), "--json");
}

TEST(CommandLine, ALoneDashIsAWordAndOneDashWithMoreIsNoOption) {
  EXPECT_THAT(parse({"job", "-"})->words, ElementsAre("job", "-"));
  EXPECT_EQ(refusal({"-limit", "3"}), "unknown option -limit; did you mean --limit?");
}

TEST(CommandLine, WordsAreTakenAsTheyStand) {
  EXPECT_THAT(parse({"[a,b]", "'c'", "", "a=--b", "x y"})->words,
              ElementsAre("[a,b]", "'c'", "", "a=--b", "x y"));
}

TEST(CommandLine, BadInput10_TheLimitOfAnArgumentIsExact) {
  EXPECT_TRUE(parse({std::string(kArgumentMax, 'a')}));
  EXPECT_THAT(refusal({"job", std::string(kArgumentMax + 1, 'a')}), HasSubstr("argument 2 (aaaa"));
  EXPECT_THAT(refusal({std::string(128UL * 1024, 'a')}), HasSubstr("is longer than 65536 bytes"));
  EXPECT_TRUE(parse(std::vector<std::string>(kArgumentsMax, "a")));
  EXPECT_EQ(refusal(std::vector<std::string>(kArgumentsMax + 1, "a")), "more than 10000 arguments");
}

TEST(CommandLine, BadInput11_InvalidUtf8IsRefusedEscaped) {
  EXPECT_EQ(refusal({"job", "\xff\xfe"}), "argument 2 (\\xff\\xfe) is not UTF-8");
}

TEST(WholeNumber, CLI_09_RefusesWhatIsNone) {
  EXPECT_EQ(whole_number("limit", "1", 1, 1000).value(), 1);
  EXPECT_EQ(whole_number("limit", "1000", 1, 1000).value(), 1000);
  for (const char* text : {"0", "1001", "-1", "10abc", "99999999999999999999", "", " 1", "+1", "1.0", "0x10"})
    EXPECT_FALSE(whole_number("limit", text, 1, 1000)) << text;
  EXPECT_EQ(whole_number("limit", "10abc", 1, 1000).error().message,
            "--limit 10abc must be a whole number from 1 to 1000");
}

}  // namespace
}  // namespace tenure::cli
