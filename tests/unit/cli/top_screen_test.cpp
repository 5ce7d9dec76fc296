#include "top_screen.hpp"

#include "support/golden.hpp"
#include "top_layout.hpp"

#include <tenure/base/text.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

// What stands where on a terminal, and what each key does there.
namespace tenure::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

using What = TerminalEvent::What;

TopPicture full_picture() {
  TopPicture picture;
  picture.daemon = TopPicture::Daemon{.version = "1.0.0",
                                      .node = "app-1",
                                      .pid = 812,
                                      .up = 76h,
                                      .in = 410,
                                      .out = 405,
                                      .failed = 0.4,
                                      .starts = 5000,
                                      .delay_p50 = 6ms,
                                      .delay_p99 = 210ms};
  picture.size_bytes = 812LL << 20;
  picture.wal_bytes = 3LL << 20;
  picture.pools = {{"general", 16, 16}, {"heavy", 6, 8, true}};
  picture.tenants = {{"blue-heron", 9412, 6, 48s, 0.27}, {"acme", 4, 2, 1s, 0.09}};
  for (int i = 0; i < 40; ++i)
    picture.tenants.push_back({"tenant-with-a-long-name-" + std::to_string(i), 1, 0, std::nullopt, 0.01});
  picture.queues = {{"mailers", 9430, 14, 48s}, {"default", 116, 2, 3s}};
  picture.kinds = {{"billing.send_invoice", 14, 1900ms},
                   {"reports.monthly", 6, 7min},
                   {"reports.yearly", 1, std::nullopt}};
  picture.workers = {{1, 813, "general", "ready", 8, 8, 612LL << 20, 3min},
                     {2, 814, "heavy", "quiet", 6, 8, 0, 1s}};
  return picture;
}

TopPicture picture_without_daemon() {
  TopPicture picture = full_picture();
  picture.daemon.reset();
  picture.problem =
      "no daemon answers at /run/tenure/control.sock (Connection refused): start tenured, or name the "
      "configuration "
      "that it runs by with --config";
  picture.pools.clear();
  picture.workers.clear();
  picture.tenants.resize(2);
  for (auto& tenant : picture.tenants) tenant.share.reset();
  return picture;
}

std::string drawn(const TopPicture& picture, const TopChoice& choice, TerminalSize size) {
  const Frame frame = top_frame(picture, choice, size);
  EXPECT_EQ(std::ssize(frame.lines), size.rows);
  std::string text;
  for (const std::string& line : frame.lines) {
    EXPECT_LE(character_count(line), static_cast<std::size_t>(size.columns)) << line;
    text += line + '\n';
  }
  return text;
}

constexpr std::array kTables{TopTable::tenants, TopTable::queues, TopTable::kinds, TopTable::workers};

TEST(TopFrame, StaysAsItIsAtEachSize) {
  for (const TerminalSize size : {TerminalSize{80, 24}, {120, 40}, {40, 10}}) {
    std::string all;
    for (const TopTable table : kTables) {
      all += drawn(full_picture(), {.table = table}, size) + "----\n";
      all += drawn(picture_without_daemon(), {.table = table}, size) + "----\n";
    }
    testing::expect_golden(
        all, std::filesystem::path(TENURE_GOLDEN_FOLDER) /
                 ("top_" + std::to_string(size.columns) + "x" + std::to_string(size.rows) + ".txt"));
  }
}

TEST(TopFrame, FitsWhateverTheSizeIs) {
  for (int columns = 1; columns <= 140; columns += 7)
    for (int rows = 1; rows <= 30; ++rows)
      for (const TopTable table : kTables)
        (void)drawn(full_picture(), {.table = table, .row = 20}, {columns, rows});
}

TEST(TopFrame, TheChosenRowIsAmongThoseThatAreShown) {
  for (std::size_t row = 0; row < 42; ++row) {
    const Frame frame = top_frame(full_picture(), {.table = TopTable::tenants, .row = row}, {99, 12});
    ASSERT_TRUE(frame.marked) << row;
    EXPECT_THAT(frame.lines[*frame.marked], HasSubstr(full_picture().tenants[row].name)) << row;
    EXPECT_THAT(frame.lines.back(), EndsWith("enter why " + full_picture().tenants[row].name));
  }
}

class TopScreenTest : public ::testing::Test {
 protected:
  TopScreenTest() { tell(TopBegun{{80, 24}}); }

  // What was wanted since, in words; the screen is kept.
  void tell(const TopEvent& event) {
    for (const TopAction& action : screen.step(event, now))
      std::visit([this](const auto& what) { note(what); }, action);
  }
  void note(const TopTake&) { wanted.emplace_back("take"); }
  void note(const TopGiveBack&) { wanted.emplace_back("give back"); }
  void note(const TopWrite& write) { shown = write.text; }
  void note(const TopLook&) {
    wanted.emplace_back("look");
    now = now + look_takes;
    tell(TopLookedAt{full_picture()});
  }
  void note(const TopExplain& what) { wanted.push_back("explain " + what.field + "=" + what.name); }
  void note(const TopStop&) { wanted.emplace_back("stop"); }
  void note(const TopLeave&) { wanted.emplace_back("leave"); }
  void type(std::string_view keys) { tell(TerminalEvent{What::typed, std::string(keys)}); }
  std::vector<std::string> taken() { return std::exchange(wanted, {}); }

  Instant now{100s};
  std::chrono::microseconds look_takes{0};
  TopScreen screen{{}};
  std::vector<std::string> wanted;
  std::string shown;
};

using Wanted = std::vector<std::string>;

TEST_F(TopScreenTest, BeginsWithALook) {
  EXPECT_EQ(taken(), (Wanted{"take", "look"}));
  EXPECT_THAT(shown, HasSubstr("blue-heron"));
  EXPECT_EQ(screen.next_at(), Instant{102s});
}

TEST_F(TopScreenTest, EachWayOutGivesTheTerminalBackFirst) {
  for (const TopEvent& event :
       {TopEvent{TerminalEvent{What::typed, "q"}}, TopEvent{TerminalEvent{What::typed, "\x03"}},
        TopEvent{TerminalEvent{What::typed, "\x1c"}}, TopEvent{TerminalEvent{What::end_asked}},
        TopEvent{TopNobodyThere{}}}) {
    screen = TopScreen{{}};
    tell(TopBegun{{80, 24}});
    wanted.clear();
    tell(event);
    EXPECT_EQ(taken(), (Wanted{"give back", "leave"}));
  }
}

TEST_F(TopScreenTest, StopsWithTheTerminalGivenBackAndTakesItAgain) {
  wanted.clear();
  for (const TopEvent& event :
       {TopEvent{TerminalEvent{What::stop_asked}}, TopEvent{TerminalEvent{What::typed, "\x1a"}}}) {
    tell(event);
    EXPECT_EQ(taken(), (Wanted{"give back", "stop"}));
    shown.clear();
    tell(TopWentOn{{40, 10}});
    EXPECT_EQ(taken(), (Wanted{"take", "look"}));
    EXPECT_EQ(std::ranges::count(shown, '\n'), 9) << "by the size that it has now";
  }
}

TEST_F(TopScreenTest, ALookThatTakesLongIsFollowedByALongRest) {
  look_takes = 1s;
  now = now + 2s;
  tell(TerminalEvent{});
  EXPECT_EQ(screen.next_at() - now, 10s);
  wanted.clear();
  now = now + 9s;
  tell(TerminalEvent{});
  EXPECT_EQ(taken(), Wanted{}) << "something else has woken it";
  now = now + 1s;
  tell(TerminalEvent{});
  EXPECT_EQ(taken(), Wanted{"look"});
}

TEST_F(TopScreenTest, LettersChooseTheTableAndArrowsTheRow) {
  wanted.clear();
  type("\x1b[B\r");
  EXPECT_EQ(taken(), Wanted{"explain tenant=acme"});
  type("u\x1b[B\x1b[B\x1b[B\r");
  EXPECT_EQ(taken(), Wanted{"explain queue=default"}) << "no further than the last row";
  type("k\r");
  EXPECT_EQ(taken(), Wanted{"explain kind=billing.send_invoice"}) << "another table begins at its first row";
  type("\x1bOB\x1b[A\x1b[A\n");
  EXPECT_EQ(taken(), Wanted{"explain kind=billing.send_invoice"});
  type("w\r");
  EXPECT_EQ(taken(), Wanted{}) << "no jobs belong to a worker process";
  type("t\x1b[6~\r");
  EXPECT_EQ(taken(), Wanted{"explain tenant=tenant-with-a-long-name-8"});
  type("pxyz?");
  EXPECT_EQ(taken(), Wanted{});
}

TEST_F(TopScreenTest, AKeyMayComeInTwoPartsAndALoneEscapeIsOne) {
  wanted.clear();
  type("\x1b[");
  type("B\r");
  EXPECT_EQ(taken(), Wanted{"explain tenant=acme"});
  type("\x1b");
  type("\r");
  EXPECT_EQ(taken(), Wanted{"explain tenant=acme"});
}

TEST_F(TopScreenTest, AnExplanationIsReadAndLeftWithoutLeavingTop) {
  std::string text = "tenure why tenant=acme\n";
  for (int line = 1; line <= 40; ++line) text += "\nline " + std::to_string(line);
  tell(TopExplained{text});
  EXPECT_THAT(shown, AllOf(HasSubstr("line 1\x1b[K"), HasSubstr("q back"), Not(HasSubstr("blue-heron"))));
  type("\x1b[6~");
  EXPECT_THAT(shown, Not(HasSubstr("line 1\x1b[K")));
  now = now + 2s;
  tell(TerminalEvent{});
  EXPECT_THAT(shown, HasSubstr("q back")) << "a look takes nothing from whoever reads";
  wanted.clear();
  type("tq");
  EXPECT_THAT(shown, HasSubstr("blue-heron"));
  EXPECT_EQ(taken(), Wanted{});
  type("q");
  EXPECT_EQ(taken(), (Wanted{"give back", "leave"}));
}

TEST_F(TopScreenTest, AnotherSizeIsDrawnAtOnce) {
  shown.clear();
  wanted.clear();
  tell(TopResized{{120, 40}});
  EXPECT_EQ(taken(), Wanted{});
  EXPECT_EQ(std::ranges::count(shown, '\n'), 39);
}

TEST_F(TopScreenTest, OnlyTheChosenTablesRowIsReversed) {
  tell(TopResized{{120, 40}});
  type("u");
  EXPECT_THAT(shown, HasSubstr("\x1b[7mmailers  9,430   14    48 s\x1b[0m"));
  screen = TopScreen{{.has_attributes = false}};
  tell(TopBegun{{120, 40}});
  EXPECT_THAT(shown, Not(HasSubstr("\x1b[7m")));
}

}  // namespace
}  // namespace tenure::cli
