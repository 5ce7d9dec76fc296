#include "installation.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>

namespace tenure::testing {
namespace {

using queue::ShownState;

// The worker program is a script.
class ScriptTest : public Installation {
 protected:
  std::string script(const std::string& text) {
    const std::filesystem::path path = folder_ / "worker.sh";
    std::ofstream{path} << "#!/bin/sh\n" << text << '\n';
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
};

TEST_F(ScriptTest, ThatEndsWithExecIsAWorkerLikeAnother) {
  configure({.program = script("exec '" WORKER_PROGRAM "'")});
  const auto daemon = start_daemon();
  expect_state(enqueue(Count{"run"}), ShownState::succeeded);
}

TEST_F(ScriptTest, WithoutExecIsNamed) {
  configure({.program = script("'" WORKER_PROGRAM "'; true")});
  const auto daemon = start_daemon();
  const auto is_named = [&](const char* text) { return daemon->output().find(text) != std::string::npos; };
  EXPECT_TRUE(wait_until([&] { return is_named("\"event\":\"worker.wrapped\""); })) << daemon->output();
  EXPECT_TRUE(is_named("\"pool\":\"general\"")) << daemon->output();
}

TEST_F(ScriptTest, ThatIsSlowToStartDoesNotKeepTheLockOfItsDaemon) {
  configure({.program = script("exec sleep 1000")});
  const auto killed = start_daemon();
  pid_t slow = 0;
  ASSERT_TRUE(wait_until([&] {
    const auto children = children_of(killed->pid());
    if (children.size() == 1) slow = children[0];
    return slow != 0;
  }));
  killed->signal(SIGKILL);
  ASSERT_EQ(killed->wait(), "signal 9");
  EXPECT_TRUE(wait_until([&] { return !is_alive(slow); }));
  configure();
  const auto daemon = start_daemon();
  expect_state(enqueue(Count{"run"}), ShownState::succeeded);
}

// Nothing ends what a script leaves behind.
TEST_F(ScriptTest, ThatNeverSaysHelloLeavesNobodyWithTheLock) {
  configure({.program = script("sleep 1000 & exec sleep 1001")});
  const auto killed = start_daemon();
  pid_t left_behind = 0;
  ASSERT_TRUE(wait_until([&] {
    for (const pid_t child : children_of(killed->pid()))
      if (const auto of_child = children_of(child); of_child.size() == 1) left_behind = of_child[0];
    return left_behind != 0;
  }));
  killed->signal(SIGKILL);
  ASSERT_EQ(killed->wait(), "signal 9");
  configure();
  const auto daemon = start_daemon();
  expect_state(enqueue(Count{"run"}), ShownState::succeeded);
  EXPECT_TRUE(is_alive(left_behind));
  ::kill(left_behind, SIGKILL);
}

}  // namespace
}  // namespace tenure::testing
