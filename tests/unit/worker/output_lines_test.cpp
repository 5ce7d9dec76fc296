#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <supervisor/output_lines.hpp>

namespace tenure::daemon {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Instant moment(std::chrono::microseconds since_start) { return Instant{since_start}; }

TEST(OutputLines, AreCutAtTheirEndsHoweverTheyCome) {
  OutputLines lines;
  EXPECT_THAT(lines.received("one\ntw", moment(1s)), ElementsAre("one"));
  EXPECT_THAT(lines.received("o\n\nthree", moment(1s)), ElementsAre("two")) << "an empty one says nothing";
  EXPECT_THAT(lines.ended(), ElementsAre("three"));
  EXPECT_THAT(lines.ended(), IsEmpty());
}

TEST(OutputLines, AreOfABoundedLength) {
  OutputLines lines;
  const std::string bound(OutputLines::kLineMax, 'x');
  EXPECT_THAT(lines.received(bound + "\n" + bound + "y\nnext\n", moment(1s)),
              ElementsAre(bound, bound + "...", "next"));
  for (int read = 0; read < 1000; ++read) EXPECT_THAT(lines.received(bound, moment(1s)), IsEmpty());
  EXPECT_THAT(lines.ended(), ElementsAre(bound));
}

TEST(OutputLines, AreSoManyInASecondAndTheOthersAreCounted) {
  OutputLines lines;
  std::string many;
  for (int line = 0; line < OutputLines::kLinesPerSecond + 5; ++line) many += "x\n";
  EXPECT_EQ(lines.received(many, moment(1s)).size(), static_cast<std::size_t>(OutputLines::kLinesPerSecond));
  EXPECT_THAT(lines.received("y\n", moment(1999ms)), IsEmpty());
  EXPECT_THAT(lines.received("z\n", moment(2s)),
              ElementsAre("(6 lines were left out: more than 100 in a second)", "z"));
}

TEST(OutputLines, ThoseThatWereLeftOutAreCountedWhenTheSecondIsOver) {
  OutputLines lines;
  EXPECT_FALSE(lines.next_at());
  std::string many;
  for (int line = 0; line < OutputLines::kLinesPerSecond + 2; ++line) many += "x\n";
  static_cast<void>(lines.received(many, moment(1s)));
  ASSERT_EQ(lines.next_at(), moment(2s));
  EXPECT_THAT(lines.second_passed(moment(1999ms)), IsEmpty());
  EXPECT_THAT(lines.second_passed(moment(2s)),
              ElementsAre("(2 lines were left out: more than 100 in a second)"));
  EXPECT_FALSE(lines.next_at());
  EXPECT_THAT(lines.received("y\n", moment(2s)), ElementsAre("y"));
}

TEST(OutputLines, TheLastOfThemAreCountedAtTheEnd) {
  OutputLines lines;
  std::string many;
  for (int line = 0; line < OutputLines::kLinesPerSecond + 2; ++line) many += "x\n";
  static_cast<void>(lines.received(many, moment(1s)));
  EXPECT_THAT(lines.ended(), ElementsAre("(2 lines were left out: more than 100 in a second)"));
}

}  // namespace
}  // namespace tenure::daemon
