#include "installation.hpp"

#include <csignal>

namespace tenure::testing {
namespace {

using queue::ShownState;

using StandAlone = Installation;

TEST_F(StandAlone, RUN_14_PerformsAlikeAndCtrlCDrains) {
  configure();
  const auto worker = start_alone();
  const auto first = enqueue(Wait{"first"});
  static_cast<void>(wait_for_start_of("first"));
  worker->signal(SIGINT);
  ASSERT_TRUE(wait_until([&] { return worker->output().find("daemon.stopping") != std::string::npos; }));
  let_go("first");
  EXPECT_EQ(worker->wait(), "exit 0");
  EXPECT_EQ(record(first).state, ShownState::succeeded);
  EXPECT_EQ(runs_of("first"), 1);
}

TEST_F(StandAlone, RUN_14_IsRefusedWhileTenuredHoldsTheLock) {
  configure();
  const auto daemon = start_daemon();
  const auto worker = start_alone();
  EXPECT_EQ(worker->wait(), "exit 75");
  EXPECT_NE(worker->output().find(std::to_string(daemon->pid()) + " (tenured)"), std::string::npos)
      << worker->output();
}

TEST_F(StandAlone, RUN_14_HelpSaysThatThereIsNoCrashWall) {
  configure();
  Process help({WORKER_PROGRAM, "--help"}, folder_ / "help.txt");
  EXPECT_EQ(help.wait(), "exit 0");
  EXPECT_NE(help.output().find("A job that crashes ends it"), std::string::npos) << help.output();
}

TEST_F(StandAlone, WrongArgumentsAreNamed) {
  configure();
  Process wrong({WORKER_PROGRAM, "--confg"}, folder_ / "wrong.txt");
  EXPECT_EQ(wrong.wait(), "exit 2");
  EXPECT_NE(wrong.output().find("unknown argument --confg"), std::string::npos);
}

}  // namespace
}  // namespace tenure::testing
