#include "crash_state.hpp"

#include "crash_records.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace tenure::testing::detail {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

StateRow row(std::string key, std::vector<StateValue> values) { return {std::move(key), std::move(values)}; }

TEST(CrashRecords, ComeBackWithWhateverBytesTheyHave) {
  const TemporaryFolder folder;
  const Record odd{"step", "", std::string("\0;3:\n", 5)};
  {
    RecordWriter writer(folder / "notes");
    writer.add({"a"});
    writer.add(odd);
  }
  RecordWriter(folder / "notes").add({"b", "c"});
  EXPECT_THAT(read_records(folder / "notes"), ElementsAre(Record{"a"}, odd, Record{"b", "c"}));
  EXPECT_THAT(read_records(folder / "nothing"), IsEmpty());
}

TEST(CrashRecords, OneThatWasCutOffEndsThem) {
  const TemporaryFolder folder;
  {
    RecordWriter writer(folder / "notes");
    writer.add({"whole"});
    writer.add({"cut", "off"});
  }
  for (auto size = std::filesystem::file_size(folder / "notes") - 1; size > 9; --size) {
    std::filesystem::resize_file(folder / "notes", size);
    EXPECT_THAT(read_records(folder / "notes"), ElementsAre(Record{"whole"}));
  }
}

TEST(CrashStates, ComeBackFromTheirRecords) {
  const TemporaryFolder folder;
  const State state{{"table a of x", {row("id: 1 ", {{"id", "1", true}, {"text", "'b'"}})}},
                    {"the job", {row("the job", {{"state", "succeeded"}})}}};
  RecordWriter writer(folder / "notes");
  writer.add({"ended", "1"});
  write_state(state, writer);
  EXPECT_EQ(state_in(read_records(folder / "notes")), state);
}

TEST(CrashStates, ThatAreAlikeDoNotDiffer) {
  const State state{{"t", {row("", {{"a", "1"}}), row("", {{"a", "1"}})}}};
  EXPECT_EQ(differences(state, state), "");
  EXPECT_EQ(differences({}, {}), "");
}

TEST(CrashStates, RowsOfOneKeyAreShownByWhatDiffers) {
  const State expected{{"t", {row("id: 1", {{"id", "1", true}, {"a", "1"}, {"b", "2"}})}}};
  const State got{{"t", {row("id: 1", {{"id", "1", true}, {"a", "1"}, {"b", "3"}})}}};
  EXPECT_EQ(differences(expected, got), "  t\n    expected  {id: 1, b: 2}\n    got       {id: 1, b: 3}\n");
}

TEST(CrashStates, RowsWithoutAKeyCountHowOftenTheyAreThere) {
  const State once{{"t", {row("", {{"a", "1"}})}}};
  const State twice{{"t", {row("", {{"a", "1"}}), row("", {{"a", "1"}})}}};
  EXPECT_EQ(differences(once, twice), "  t\n    expected  nothing\n    got       {a: 1}\n");
  EXPECT_EQ(differences(twice, once), "  t\n    expected  {a: 1}\n    got       nothing\n");
}

TEST(CrashStates, ATableThatIsInOneOnlyIsShown) {
  const State state{{"t", {row("", {{"a", "1"}})}}};
  EXPECT_EQ(differences({}, state), "  t\n    expected  nothing\n    got       {a: 1}\n");
}

TEST(CrashStates, FiveRowsOfATableAreShownAndTheOthersCounted) {
  State state;
  for (int number = 1; number <= 7; ++number) {
    state["t"].push_back(row("", {{"a", std::to_string(number)}}));
    const std::string text = differences({}, state);
    EXPECT_EQ(text.find("{a: 6}"), std::string::npos);
    EXPECT_EQ(text.find("more rows") == std::string::npos, number <= 5);
  }
  EXPECT_THAT(differences({}, state), HasSubstr("{a: 5}\n    and 2 more rows\n"));
}

TEST(CrashStates, LongValuesAreCutAndOddOnesEscaped) {
  const State state{{"t", {row("", {{"a", std::string(200, 'x')}, {"b", "\x1b[2J"}})}}};
  const std::string text = differences({}, state);
  EXPECT_THAT(text, HasSubstr(std::string(160, 'x') + "... (200 bytes)"));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace tenure::testing::detail
