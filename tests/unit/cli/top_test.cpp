#include "program.hpp"

#include <deque>
#include <map>
#include <utility>

// tenure top, as an operator sees it.
namespace tenure::cli {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kActivity =
    R"({"status":200,"body":{"schema":"tenure.activity/1","daemon":{"pid":812,"node":"app-1",)"
    R"("standing_by":false,"holder":null,"quiet":null},"version":"1.0.0","up_ms":273600000,)"
    R"("rates":{"over_ms":8000,"in_per_second":410,"out_per_second":405.4,"failed_per_second":0.3},)"
    R"("start_delay":{"starts":12000,"p50_ms":6,"p99_ms":210},)"
    R"("pools":[{"name":"general","quiet":null,"processes":2,"slots":16,"reserved":[{"priority":-50,"slots":1},{"priority":-10,"slots":2}],"busy":16,"ahead":3},)"
    R"({"name":"heavy","quiet":{"since":"2026-03-02T10:13:00Z","uid":0},"processes":1,"slots":8,"busy":6,"ahead":0}],)"
    R"("tenants":[{"name":"corvid","share":0.27},{"name":"acme","share":0.09}],)"
    R"("kinds":[{"name":"billing.send_invoice","running":14,"runs":9000,"p99_ms":1900},)"
    R"({"name":"reports.monthly\u001b","running":6,"runs":0,"p99_ms":null}]}})";
constexpr std::string_view kWorkers =
    R"({"status":200,"body":{"items":[{"process":1,"pool":"general","pid":813,"state":"ready","quiet":false,)"
    R"("slots":8,"performing":8,"memory_bytes":641728512,"up_ms":180000},)"
    R"({"process":3,"pool":"heavy","pid":815,"state":"ready","quiet":true,"slots":8,"performing":6,)"
    R"("memory_bytes":0,"up_ms":1000}]}})";

class TopTest : public Program {
 protected:
  TopTest() {
    for (const char* const name : {"acme", "corvid", "dodo"}) add_tenant(name);
    for (int seed = 1; seed <= 4; ++seed) add_job(seed, "acme", "billing.send_invoice", "{}", {}, "mailers");
    for (int seed = 5; seed <= 6; ++seed) add_job(seed, "corvid", "reports.monthly");
    hold(5);
    clock.advance(std::chrono::seconds(48));
    environment.ask_daemon =
        [this](const std::filesystem::path&, std::string_view line,
               std::chrono::milliseconds wait) -> tl::expected<std::string, FailedExchange> {
      EXPECT_LE(wait, std::chrono::seconds{2}) << "who looks on is not kept waiting";
      if (!daemon_runs)
        return tl::unexpected(FailedExchange{FailedExchange::Why::nobody_listens, "Connection refused"});
      return std::string(line.find("/activity") == std::string_view::npos ? kWorkers : kActivity);
    };
  }
  bool daemon_runs = true;
};

TEST_F(TopTest, WithoutATerminalItPrintsOnePicture) {
  EXPECT_EQ(run({"top"}), 0);
  expect_golden("top.txt");
  const std::string once = output.out;
  EXPECT_EQ(run({"worker", "top"}), 0);
  EXPECT_EQ(output.out, once);
}

TEST_F(TopTest, CLI_01_ItsJsonStaysAsItIs) {
  EXPECT_EQ(run({"top", "--json"}), 0);
  expect_golden("top.json");
}

TEST_F(TopTest, WithoutADaemonItSaysSoInOneLineAndShowsWhatTheStoreKnows) {
  daemon_runs = false;
  EXPECT_EQ(run({"top"}), 0);
  expect_golden("top_without_daemon.txt");
  EXPECT_EQ(run({"top", "--json"}), 0);
  EXPECT_THAT(output.out,
              AllOf(HasSubstr(R"("daemon":null,"problem":"no daemon answers at )"),
                    HasSubstr(R"({"name":"acme","ready":4,"running":0,"oldest_ms":48000,"share":null})")));
}

TEST_F(TopTest, WhereNobodyUsesASlotTheTenantsWithMostThatWaitsAreShown) {
  environment.ask_daemon = [](const std::filesystem::path&, std::string_view,
                              std::chrono::milliseconds) -> tl::expected<std::string, FailedExchange> {
    return R"({"status":200,"body":{"daemon":{"pid":1},"tenants":[],"pools":[],"kinds":[],"items":[]}})";
  };
  EXPECT_EQ(run({"top"}), 0);
  EXPECT_THAT(output.out, HasSubstr("acme        4    0    48.0      -\n"
                                    "corvid      1    1    48.0      -\n"));
  EXPECT_THAT(output.out, Not(HasSubstr("dodo")));
}

TEST_F(TopTest, WithWatchItPrintsOneAfterTheOther) {
  int pauses = 0;
  on_pause = [&] { return ++pauses < 3; };
  EXPECT_EQ(run({"top", "--watch", "5s", "--json"}), 0);
  EXPECT_EQ(std::ranges::count(output.out, '\n'), 3);
  EXPECT_THAT(output.out, HasSubstr(R"("at":"2026-03-02T10:14:58Z")"));
  on_terminal(80);
  environment.variables.emplace_back("TERM", "dumb");
  pauses = 0;
  EXPECT_EQ(run({"top", "--watch", "5s"}), 0) << "a dumb terminal has no screen to draw on";
  EXPECT_EQ(output.out.find('\x1b'), std::string::npos);
  EXPECT_EQ(run({"top", "--watch", "5"}), 2);
}

TEST_F(TopTest, NothingOfTheDaemonsWordsReachesTheTerminalRaw) {
  EXPECT_EQ(run({"top"}), 0);
  EXPECT_THAT(output.out, AllOf(HasSubstr(R"(reports.monthly\x1b)"), Not(HasSubstr("\x1b"))));
}

// A terminal on which somebody types, as it was told and in that order.
class PlayedTerminal final : public LiveTerminal {
 public:
  struct Played {
    std::deque<TerminalEvent> events;  // and then nothing more comes, and somebody types q
    std::string screen;                // what was written last
    std::vector<std::string> done;     // "take", "give back", "stop"
    std::vector<std::chrono::milliseconds> waits;
    bool closed = false;
  };
  PlayedTerminal(Played& played, VirtualClock& clock) : played_(played), clock_(clock) {}
  ~PlayedTerminal() override { played_.done.emplace_back("gone"); }
  void take() override { played_.done.emplace_back("take"); }
  void give_back() override { played_.done.emplace_back("give back"); }
  TerminalSize size() override { return {100, 16}; }
  bool write(std::string_view text) override {
    played_.screen = text;
    return !played_.closed;
  }
  TerminalEvent wait(std::chrono::milliseconds time) override {
    played_.waits.push_back(time);
    if (played_.events.empty()) return {TerminalEvent::What::typed, "q"};
    TerminalEvent event = played_.events.front();
    played_.events.pop_front();
    if (event.what == TerminalEvent::What::time_passed) clock_.advance(time);
    return event;
  }
  void stop_process() override { played_.done.emplace_back("stop"); }

 private:
  Played& played_;
  VirtualClock& clock_;
};

class LiveTop : public TopTest {
 protected:
  LiveTop() {
    on_terminal(100);
    environment.open_terminal = [this] { return std::make_unique<PlayedTerminal>(played, clock); };
  }
  void type(std::string keys) { played.events.push_back({TerminalEvent::What::typed, std::move(keys)}); }
  void come(TerminalEvent::What what) { played.events.push_back({what}); }
  PlayedTerminal::Played played;
};

TEST_F(LiveTop, DrawsOnTheWholeTerminalUntilQIsTyped) {
  EXPECT_EQ(run({"top"}), 0);
  EXPECT_THAT(played.screen, AllOf(StartsWith("\x1b[Htenured 1.0.0 app-1"), HasSubstr("SLOTS ["),
                                   EndsWith("enter why corvid\x1b[K")));
  EXPECT_THAT(played.done, ::testing::ElementsAre("take", "give back", "gone"));
  EXPECT_EQ(output.out + output.error, "") << "nothing stands on the terminal afterwards";
}

TEST_F(LiveTop, LooksAgainEachTwoSecondsOrAsWatchSays) {
  come(TerminalEvent::What::time_passed);
  EXPECT_EQ(run({"top"}), 0);
  EXPECT_EQ(played.waits,
            (std::vector<std::chrono::milliseconds>{std::chrono::seconds{2}, std::chrono::seconds{2}}));
  played = {};
  come(TerminalEvent::What::time_passed);
  EXPECT_EQ(run({"top", "--watch", "5s"}), 0);
  EXPECT_EQ(played.waits.front(), std::chrono::seconds{5});
  EXPECT_EQ(run({"top", "--watch", "99h"}), 2);
}

TEST_F(LiveTop, EnterSaysWhyTheJobsOfTheChosenRowWait) {
  type("u");
  type("\r");
  come(TerminalEvent::What::end_asked);
  EXPECT_EQ(run({"top"}), 0);
  EXPECT_THAT(played.screen, AllOf(HasSubstr("tenure why queue=mailers"), HasSubstr("tenant_turn  ready"),
                                   HasSubstr("q back")));
}

TEST_F(LiveTop, StopsAndGoesOnWithTheTerminalGivenBackMeanwhile) {
  come(TerminalEvent::What::stop_asked);
  EXPECT_EQ(run({"top"}), 0);
  EXPECT_THAT(played.done, ::testing::ElementsAre("take", "give back", "stop", "take", "give back", "gone"));
}

TEST_F(LiveTop, ATerminalThatIsGoneEndsIt) {
  played.closed = true;
  EXPECT_EQ(run({"top"}), 0);
  EXPECT_THAT(played.done, ::testing::ElementsAre("take", "give back", "gone"));
}

TEST_F(LiveTop, WhateverGoesWrongTheTerminalIsGivenBackFirst) {
  environment.ask_daemon = [](const std::filesystem::path&, std::string_view,
                              std::chrono::milliseconds) -> tl::expected<std::string, FailedExchange> {
    throw std::runtime_error("nobody has thought of this");
  };
  EXPECT_EQ(run({"top"}), 1);
  EXPECT_THAT(played.done, ::testing::ElementsAre("take", "gone"));
  EXPECT_THAT(output.error, HasSubstr("nobody has thought of this"));
}

TEST_F(LiveTop, WithoutColourNothingIsReversed) {
  EXPECT_EQ(run({"top"}), 0);
  EXPECT_THAT(played.screen, HasSubstr("\x1b[7m"));
  environment.variables.emplace_back("NO_COLOR", "1");
  EXPECT_EQ(run({"top"}), 0);
  EXPECT_THAT(played.screen, Not(HasSubstr("\x1b[7m")));
}

TEST_F(LiveTop, WhereNobodyCanTypeOnePictureIsPrinted) {
  environment.answers_are_terminal = false;
  EXPECT_EQ(run({"top"}), 0);
  EXPECT_THAT(output.out, StartsWith("tenured 1.0.0 app-1"));
  EXPECT_TRUE(played.done.empty());
}

}  // namespace
}  // namespace tenure::cli
