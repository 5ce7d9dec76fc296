#include "installation.hpp"

#include <tenure/base/line_exchange.hpp>

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

namespace tenure::testing {
namespace {

using queue::ShownState;
using ::testing::HasSubstr;

// A daemon that runs, and operators who ask it by its socket.
class ControlTest : public Installation {
 protected:
  // The command line, until it has ended; what it printed to both.
  std::pair<std::string, std::string> tenure(std::vector<std::string> words) {
    words.insert(words.begin(), TENURE_PROGRAM);
    words.insert(words.end(), {"--config", config_file()});
    const auto file = folder_ / ("tenure-" + std::to_string(++commands_));
    Process command(words, file);
    const auto end = command.wait();
    return {end.value_or("does not end"), command.output()};
  }
  [[nodiscard]] std::filesystem::path socket() const { return folder_ / "control.db-run/control.sock"; }
  static bool says(const Process& daemon, const std::string& text) {
    return wait_until([&] { return daemon.output().find(text) != std::string::npos; });
  }
  int commands_ = 0;
};

TEST_F(ControlTest, STP_05_QuietLetsRunningJobsEndAndResumeClaimsAgain) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  const auto running = enqueue(Wait{"running"});
  const pid_t worker = wait_for_start_of("running");
  EXPECT_EQ(tenure({"worker", "quiet"}).first, "exit 0");
  const auto waiting = enqueue(Wait{"waiting"});
  let_go("running");
  expect_state(running, ShownState::succeeded);
  const auto [end, list] = tenure({"worker", "list"});
  EXPECT_EQ(end, "exit 0");
  EXPECT_THAT(list, HasSubstr("quiet"));
  EXPECT_THAT(list, HasSubstr("pool general is quiet since"));
  EXPECT_THAT(list, HasSubstr(std::to_string(worker)));
  EXPECT_EQ(record(waiting).state, ShownState::ready);
  EXPECT_EQ(tenure({"worker", "resume"}).first, "exit 0");
  EXPECT_EQ(wait_for_start_of("waiting"), worker) << "it has answered its pings all the time";
  let_go("waiting");
  expect_state(waiting, ShownState::succeeded);
  EXPECT_TRUE(says(*daemon, "pool.quiet"));
  EXPECT_TRUE(says(*daemon, "pool.resumed"));
}

TEST_F(ControlTest, ShowsWhatEachSlotPerforms) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  const auto job = enqueue(Wait{"shown"});
  const pid_t worker = wait_for_start_of("shown");
  const std::string shown = tenure({"worker", "show", "1", "--json"}).second;
  EXPECT_THAT(shown, HasSubstr("\"pid\":" + std::to_string(worker)));
  EXPECT_THAT(shown, HasSubstr("{\"id\":\"" + job.text() +
                               "\",\"tenant\":\"acme\",\"kind\":\"test.wait\",\"state\":\"performing\","));
  EXPECT_EQ(tenure({"worker", "dump"}).first, "exit 0");
  EXPECT_TRUE(says(*daemon, "slot.performing"));
  let_go("shown");
  expect_state(job, ShownState::succeeded);
}

TEST_F(ControlTest, WhySaysThatTheSlotIsTakenAndWhoseTurnItIs) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  const auto running = enqueue(Wait{"running"});
  static_cast<void>(wait_for_start_of("running"));
  const auto waiting = enqueue(Wait{"waiting"});
  std::string told;
  EXPECT_TRUE(wait_until([&] {
    told = tenure({"why", waiting.text()}).second;
    return told.find("turn       its tenant is next in pool general, of whose slots 1 of 1 perform; ") !=
           std::string::npos;
  })) << told;
  EXPECT_THAT(told, HasSubstr("waits for  a slot, of which all are taken (slots_full)\n"));
  EXPECT_THAT(told, HasSubstr("in pool general (0 of 1 slots free)\n"));
  EXPECT_THAT(tenure({"top", "--json"}).second,
              HasSubstr(R"("pools":[{"name":"general","slots":1,"busy":1,)"));
  let_go("running");
  expect_state(running, ShownState::succeeded);
  static_cast<void>(wait_for_start_of("waiting"));
  let_go("waiting");
  expect_state(waiting, ShownState::succeeded);
  EXPECT_THAT(tenure({"top"}).second, HasSubstr("SLOTS ["));
}

TEST_F(ControlTest, DrainAndRecycleReplaceProcessesAndInterruptNoJob) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  const auto first = enqueue(Wait{"first"});
  const pid_t worker = wait_for_start_of("first");
  EXPECT_EQ(tenure({"worker", "drain", "1"}).first, "exit 0");
  const auto second = enqueue(Wait{"second"});
  const pid_t successor = wait_for_start_of("second");
  EXPECT_NE(successor, worker);
  EXPECT_EQ(tenure({"worker", "recycle", "general", "--yes"}).first, "exit 0");
  for (const char* name : {"first", "second"}) let_go(name);
  for (const auto& job : {first, second}) {
    expect_state(job, ShownState::succeeded);
    EXPECT_EQ(record(job).crashes, 0);
  }
  EXPECT_TRUE(wait_until([&] { return !is_alive(worker) && !is_alive(successor); }));
  EXPECT_TRUE(wait_until([&] { return children_of(daemon->pid()).size() == 1; }));
}

TEST_F(ControlTest, STP_09_AReloadAnswersWhatItTookOverOrWhyNot) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  configure({.slots = 1, .stop_deadline = "1s"});
  EXPECT_EQ(tenure({"config", "reload"}).second, "taken over: daemon.stop_deadline\n");
  std::ofstream(config_file(), std::ios::app) << "[log]\nlevl = \"info\"\n";
  const auto answer = exchange_line(socket(), R"({"method":"POST","path":"/config/reload"})");
  ASSERT_TRUE(answer);
  EXPECT_THAT(*answer, HasSubstr("\"status\":422"));
  EXPECT_THAT(*answer, HasSubstr("log.levl is no setting"));
}

TEST_F(ControlTest, SEC_07_ADaemonWhosePathIsSquattedDispatchesAndServesNobody) {
  configure({.slots = 1});
  std::filesystem::create_directory(folder_ / "elsewhere");
  std::filesystem::create_symlink(folder_ / "elsewhere", folder_ / "control.db-run");
  const auto daemon = start_daemon();
  EXPECT_TRUE(says(*daemon, "control.unavailable"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "elsewhere"));
  expect_state(enqueue(Count{"work"}), ShownState::succeeded);
  EXPECT_EQ(tenure({"worker", "list"}).first, "exit 69");
}

TEST_F(ControlTest, TheSocketOfADeadDaemonIsReplacedAndThatOfAnEndedOneGone) {
  configure({.slots = 1});
  auto daemon = start_daemon();
  daemon->signal(SIGKILL);
  EXPECT_EQ(daemon->wait(), "signal 9");
  ASSERT_TRUE(std::filesystem::exists(socket()));
  EXPECT_EQ(tenure({"worker", "list"}).first, "exit 69");
  daemon = start_daemon();
  EXPECT_EQ(tenure({"worker", "list"}).first, "exit 0");
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");
  EXPECT_FALSE(std::filesystem::exists(socket()));
}

TEST_F(ControlTest, OneThatStandsByAnswersBesideTheHolderAndTakesItsPlace) {
  configure({.slots = 1});
  const auto holder = start_daemon();
  const auto second = start_daemon(false);
  ASSERT_TRUE(says(*second, "daemon.standing_by"));
  const std::filesystem::path beside = socket().string() + "-standby";
  std::string answer;
  // Its name is there a moment before anybody listens.
  ASSERT_TRUE(wait_until([&] {
    const auto said = exchange_line(beside, R"({"method":"GET","path":"/workers"})");
    answer = said.value_or("");
    return said.has_value();
  }));
  EXPECT_THAT(answer, HasSubstr("\"standing_by\":true,\"holder\":\"the dispatcher's lock"));
  holder->signal(SIGTERM);
  EXPECT_EQ(holder->wait(), "exit 0");
  ASSERT_TRUE(says(*second, "daemon.started"));
  EXPECT_THAT(tenure({"worker", "list", "--json"}).second,
              HasSubstr("\"pid\":" + std::to_string(second->pid())));
  EXPECT_FALSE(std::filesystem::exists(beside));
}

TEST_F(ControlTest, AWorkerProgramThatWasStartedByHandIsAskedToo) {
  configure({.slots = 1});
  const auto alone = start_alone();
  ASSERT_TRUE(says(*alone, "daemon.started"));
  EXPECT_EQ(tenure({"worker", "quiet"}).first, "exit 0");
  const auto job = enqueue(Count{"alone"});
  EXPECT_EQ(tenure({"worker", "drain", "1"}).first, "exit 1");
  EXPECT_EQ(record(job).state, ShownState::ready);
  EXPECT_EQ(tenure({"worker", "resume"}).first, "exit 0");
  expect_state(job, ShownState::succeeded);
  EXPECT_THAT(tenure({"top"}).second, HasSubstr("SLOTS ["));
}

}  // namespace
}  // namespace tenure::testing
