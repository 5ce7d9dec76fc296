#include "installation.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <vector>

// What an operator does from the command line to jobs that wait or run, beside a daemon that lives and knows of them.
namespace tenure::testing {
namespace {

using namespace std::chrono_literals;
using queue::ShownState;
using ::testing::HasSubstr;

class Operator : public Installation {
 protected:
  void end(Process& daemon) {
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(), "exit 0");
  }
};

TEST_F(Operator, AJobOfKindAndJsonIsCheckedAndRuns) {
  configure();
  const auto daemon = start_daemon();
  EXPECT_EQ(tenure({"job", "enqueue", "test.count", R"({"name":"typed", "more":[1,})", "--tenant", "acme"}),
            "exit 65");
  EXPECT_THAT(output_, HasSubstr("(byte 27) (at $.more[1])"));
  EXPECT_EQ(tenure({"job", "enqueue", "test.count", R"({"name":{"$gid":"gid://test/X/1?tenant=globex"}})",
                    "--tenant", "acme"}),
            "exit 1");
  EXPECT_THAT(output_, HasSubstr("WrongTenant"));
  const std::string id = "019cadff-0000-7000-8000-000000000007";
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(
        tenure({"job", "enqueue", "test.count", R"({ "name" : "typed" })", "--tenant", "acme", "--id", id}),
        "exit 0");
  EXPECT_THAT(output_, HasSubstr(id + "\n"));
  expect_state({*Uuid::parse(id)}, ShownState::succeeded);
  EXPECT_EQ(runs_of("typed"), 1);
  end(*daemon);
}

TEST_F(Operator, AJobThatIsChangedStartsWhereItWasPutAndACopyOfItRunsAgain) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  static_cast<void>(enqueue(Wait{.name = "first"}));
  static_cast<void>(wait_for_start_of("first"));
  const auto fresh = enqueue(Count{"moved"}, {.queue = "nowhere"});
  const auto later = enqueue(Count{"moved"}, {.run_in = 1h, .queue = "nowhere"});
  EXPECT_EQ(tenure({"job", "change", "queue=nowhere", "--queue", "default", "--run-at", "now", "--yes"}),
            "exit 0");
  EXPECT_THAT(output_, HasSubstr("changed 2 jobs of 1 tenant\n"));
  let_go("first");
  expect_state(fresh, ShownState::succeeded);
  expect_state(later, ShownState::succeeded);
  EXPECT_EQ(tenure({"job", "copy", later.text()}), "exit 0");
  ASSERT_EQ(output_.find(later.text() + "  "), 0U) << output_;
  const auto copy = Uuid::parse(std::string_view(output_).substr(38, 36));
  ASSERT_TRUE(copy) << output_;
  expect_state({*copy}, ShownState::succeeded);
  EXPECT_EQ(runs_of("moved"), 3);
  end(*daemon);
}

TEST_F(Operator, AScheduledJobIsMadeDueAndStarts) {
  configure();
  const auto daemon = start_daemon();
  const auto job = enqueue(Count{"early"}, {.run_in = 1h});
  const auto other = enqueue(Count{"late"}, {.run_in = 1h});
  EXPECT_EQ(tenure({"job", "run", job.text()}), "exit 0") << output_;
  EXPECT_EQ(output_, "made due 1 job of 1 tenant\n");
  expect_state(job, ShownState::succeeded);
  EXPECT_EQ(runs_of("early"), 1);
  EXPECT_EQ(record(other).state, ShownState::scheduled);
  end(*daemon);
}

TEST_F(Operator, RUN_05_AJobThatIsCancelledWhileItWaitsNeverStarts) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  const auto running = enqueue(Wait{.name = "first"});
  static_cast<void>(wait_for_start_of("first"));
  std::vector<queue::JobId> behind;
  for (int i = 0; i < 20; ++i) behind.push_back(enqueue(Count{"behind"}));
  EXPECT_EQ(tenure({"job", "cancel", "kind=test.count", "--yes"}), "exit 0") << output_;
  EXPECT_EQ(output_, "cancelled 20 jobs of 1 tenant\n");
  const auto after = enqueue(Count{"after"});
  let_go("first");
  expect_state(running, ShownState::succeeded);
  expect_state(after, ShownState::succeeded);
  EXPECT_EQ(runs_of("behind"), 0);
  for (const queue::JobId job : behind) {
    EXPECT_EQ(record(job).state, ShownState::cancelled);
    EXPECT_TRUE(attempts(job).empty());
  }
  end(*daemon);
}

TEST_F(Operator, RUN_06_ARunningJobStopsWhereItsHandlerObeysAndElseShowsThatItShould) {
  configure();
  const auto daemon = start_daemon();
  const auto obedient = enqueue(Wait{.name = "obedient", .obeys_stop = true});
  const auto stubborn = enqueue(Wait{.name = "stubborn"});
  static_cast<void>(wait_for_start_of("obedient"));
  static_cast<void>(wait_for_start_of("stubborn"));
  EXPECT_EQ(tenure({"job", "cancel", "kind=test.wait", "--yes"}), "exit 0") << output_;
  EXPECT_EQ(output_, "cancelled 0 jobs; asked 2 running jobs of 1 tenant to stop\n");
  expect_state(obedient, ShownState::cancelled);
  ASSERT_EQ(attempts(obedient).size(), 1U);
  EXPECT_EQ(attempts(obedient)[0].outcome, queue::AttemptOutcome::interrupted);
  EXPECT_EQ(runs_of("obedient"), 0);
  EXPECT_EQ(record(stubborn).state, ShownState::running);
  EXPECT_EQ(tenure({"job", "list", "state=running"}), "exit 0");
  EXPECT_THAT(output_, HasSubstr("cancel requested"));
  let_go("stubborn");
  expect_state(stubborn, ShownState::succeeded);
  EXPECT_EQ(runs_of("stubborn"), 1);
  end(*daemon);
}

TEST_F(Operator, RUN_06_AJobOfAWorkerProgramStartedByHandIsStoppedAlike) {
  configure();
  const auto program = start_alone();
  const auto job = enqueue(Wait{.name = "obedient", .obeys_stop = true});
  static_cast<void>(wait_for_start_of("obedient"));
  EXPECT_EQ(tenure({"job", "cancel", job.text()}), "exit 0") << output_;
  expect_state(job, ShownState::cancelled);
  end(*program);
}

TEST_F(Operator, ACancelledJobIsRetriedAndStartsOnce) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  static_cast<void>(enqueue(Wait{.name = "first"}));
  static_cast<void>(wait_for_start_of("first"));
  const auto job = enqueue(Count{"again"});
  EXPECT_EQ(tenure({"job", "cancel", job.text()}), "exit 0") << output_;
  EXPECT_EQ(tenure({"job", "retry", job.text()}), "exit 0") << output_;
  let_go("first");
  expect_state(job, ShownState::succeeded);
  EXPECT_EQ(runs_of("again"), 1);
  EXPECT_EQ(tenure({"job", "delete", job.text(), "--yes"}), "exit 1") << "it is the newest";
  static_cast<void>(enqueue(Count{"newest"}));
  EXPECT_EQ(tenure({"job", "delete", job.text(), "--yes"}), "exit 0") << output_;
  EXPECT_EQ(tenure({"job", "show", job.text()}), "exit 1");
  end(*daemon);
}

}  // namespace
}  // namespace tenure::testing
