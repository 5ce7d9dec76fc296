#include "installation.hpp"
#include "support/sanitized.hpp"

#include <gmock/gmock.h>

#include <fstream>

// The disk answers a sync of the control database with EIO. What the kernel could not write it forgets, so that another sync would lie.
namespace tenure::testing {
namespace {

using queue::ShownState;
using ::testing::HasSubstr;
using ::testing::Not;

class SyncFailure : public Installation {
 protected:
  void SetUp() override {
    if (kIsSanitized) GTEST_SKIP() << "not run here: a preloaded library goes before the sanitizer's";
    configure({.slots = 1});
  }
  std::unique_ptr<Process> start(const std::vector<std::string>& command, const char* output) {
    return std::make_unique<Process>(
        command, folder_ / output,
        std::vector<std::string>{"LD_PRELOAD=" TROUBLE_EIO, "TROUBLE_FOLDER=" + control().string(),
                                 "TROUBLE_FLAG=" + flag_.string(), "TROUBLE_HITS=" + hits_.string()});
  }
  void break_syncs() {
    std::ofstream(folder_ / "flag") << "sync\n";
    std::filesystem::rename(folder_ / "flag", flag_);
  }
  [[nodiscard]] bool has_failed() const { return std::filesystem::exists(hits_); }

  const std::filesystem::path flag_ = folder_ / "trouble";
  const std::filesystem::path hits_ = folder_ / "trouble-hits";
};

TEST_F(SyncFailure, LSE_21_EndsTheDaemonAndWhatItHadNotAcknowledgedIsDoneOnce) {
  auto daemon = start({TENURED, "--config", config_file()}, "tenured.log");
  const auto job = enqueue(Wait{"work"});
  static_cast<void>(wait_for_start_of("work"));
  break_syncs();
  let_go("work");
  EXPECT_EQ(daemon->wait(), "exit 74") << daemon->output();
  EXPECT_THAT(daemon->output(), HasSubstr("DiskSyncFailed"));
  EXPECT_TRUE(has_failed());

  std::filesystem::remove(flag_);
  daemon = start_daemon();
  const auto another = enqueue(Count{"another"});
  expect_state(another, ShownState::succeeded);
  expect_state(job, ShownState::succeeded);
  EXPECT_EQ(runs_of("work"), 1);
}

TEST_F(SyncFailure, LSE_21_EndsTheCommandAndNoJobIsAcknowledged) {
  const std::string id = "019cadff-0000-7000-8000-000000000007";
  break_syncs();
  const auto command = start({TENURE_PROGRAM, "job", "enqueue", "test.count", R"({"name":"lost"})",
                              "--tenant", "acme", "--id", id, "--config", config_file()},
                             "tenure.log");
  EXPECT_EQ(command->wait(), "exit 74");
  EXPECT_THAT(command->output(), HasSubstr("tenure: DiskSyncFailed"));
  EXPECT_THAT(command->output(), Not(HasSubstr(id)));
  EXPECT_TRUE(has_failed());
}

}  // namespace
}  // namespace tenure::testing
