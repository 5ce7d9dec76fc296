#include "installation.hpp"

#include <csignal>
#include <string>

// Limits of the configuration and of an operator, while tenured dispatches and behind its restart.
namespace tenure::testing {
namespace {

using queue::JobId;
using queue::ShownState;

class LimitTest : public Installation {
 protected:
  void stop(Process& daemon) {
    daemon.signal(SIGTERM);
    ASSERT_EQ(daemon.wait(), "exit 0") << daemon.output();
  }
  bool says(const std::string& text) const { return output_.find(text) != std::string::npos; }
};

TEST_F(LimitTest, OneOfTheConfigurationHoldsAndAnOperatorsWordIsBeforeItAlsoBehindARestart) {
  configure({.more = "[[limit]]\nname = \"waits\"\nkind = \"test.wait\"\nrunning = 1\n"});
  auto daemon = start_daemon();
  const JobId first = enqueue(Wait{.name = "first"});
  static_cast<void>(wait_for_start_of("first"));
  const JobId second = enqueue(Wait{.name = "second"});
  const JobId beside = enqueue(Count{"beside"});
  expect_state(beside, ShownState::succeeded);  // there is a free slot, and the limit takes no part in it
  expect_state(second, ShownState::held);
  EXPECT_EQ(tenure({"why", second.text()}), "exit 0");
  EXPECT_TRUE(says("(limit_cap)")) << output_;
  EXPECT_TRUE(says("waits: 1 of 1 run")) << output_;
  EXPECT_TRUE(says(first.text() + " runs since")) << output_;
  EXPECT_EQ(tenure({"limit", "set", "waits", "2", "--reason", "month end"}), "exit 0") << output_;
  static_cast<void>(wait_for_start_of("second"));
  EXPECT_EQ(tenure({"limit", "show", "waits"}), "exit 0");
  EXPECT_TRUE(says("2 run; full")) << output_;
  let_go("first");
  let_go("second");
  expect_state(second, ShownState::succeeded);
  stop(*daemon);
  EXPECT_EQ(tenure({"limit", "list"}), "exit 0");
  EXPECT_TRUE(says("month end")) << output_;
  daemon = start_daemon();
  EXPECT_TRUE(wait_until([&] { return daemon->output().find("waits (2 run)") != std::string::npos; }))
      << daemon->output();
  EXPECT_EQ(tenure({"limit", "unset", "waits"}), "exit 0") << output_;
  EXPECT_TRUE(wait_until([&] { return daemon->output().find("waits (1 run)") != std::string::npos; }))
      << daemon->output();
  stop(*daemon);
}

}  // namespace
}  // namespace tenure::testing
