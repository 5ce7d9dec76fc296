#include "installation.hpp"

#include <algorithm>
#include <csignal>
#include <vector>

namespace tenure::testing {
namespace {

using queue::ShownState;

constexpr int kTaught = 64;
constexpr int kBehind = 40;

class RecallTest : public Installation {
 protected:
  // Afterwards jobs of this kind are believed to be quick, so that many of them are assigned ahead.
  void teach() {
    std::vector<queue::JobId> quick;
    for (int job = 0; job < kTaught; ++job) quick.push_back(enqueue(Turn{}));
    for (const queue::JobId job : quick) expect_state(job, ShownState::succeeded);
  }
  // One that waits and quick ones behind it, which the daemon finds all at once.
  std::vector<queue::JobId> enqueue_behind_one_that_waits(Process& daemon) {
    daemon.signal(SIGSTOP);
    static_cast<void>(enqueue(Turn{.waits_as = "late"}));
    std::vector<queue::JobId> behind;
    for (int job = 0; job < kBehind; ++job) behind.push_back(enqueue(Turn{}));
    daemon.signal(SIGCONT);
    return behind;
  }
};

TEST_F(RecallTest, CLM_25_WhatWaitsBehindALateJobRunsInTheProcessThatIsFree) {
  configure({.processes = 2, .slots = 1});
  const auto daemon = start_daemon();
  teach();
  const auto behind = enqueue_behind_one_that_waits(*daemon);
  static_cast<void>(wait_for_start_of("late"));
  for (const queue::JobId job : behind) expect_state(job, ShownState::succeeded);
  for (const queue::JobId job : behind) EXPECT_EQ(record(job).releases, 0);
  let_go("late");
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");
}

TEST_F(RecallTest, CLM_25_AnUrgentJobIsNextWhenALateOneEnds) {
  configure({.processes = 1, .slots = 1});
  const auto daemon = start_daemon();
  teach();
  const auto behind = enqueue_behind_one_that_waits(*daemon);
  static_cast<void>(wait_for_start_of("late"));
  // What stood behind it has come back once nothing but the late job is claimed.
  ASSERT_TRUE(wait_until([&] {
    return std::none_of(behind.begin(), behind.end(),
                        [&](queue::JobId job) { return record(job).state == ShownState::running; });
  }));
  static_cast<void>(enqueue(Turn{.waits_as = "urgent"}, {.priority = -10}));
  let_go("late");
  static_cast<void>(wait_for_start_of("urgent"));
  for (const queue::JobId job : behind) EXPECT_NE(record(job).state, ShownState::succeeded);
  let_go("urgent");
  for (const queue::JobId job : behind) expect_state(job, ShownState::succeeded);
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");
}

}  // namespace
}  // namespace tenure::testing
