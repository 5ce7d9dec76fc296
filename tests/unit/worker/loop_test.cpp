#include "failing_store.hpp"

#include <tenure/base/exit_code.hpp>
#include <tenure/base/log.hpp>
#include <tenure/queue/memory_store.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <loop/loop.hpp>
#include <string>
#include <string_view>
#include <support/temporary_folder.hpp>
#include <vector>

namespace tenure::daemon {
namespace {

// No program can be started.
class NoHost final : public WorkerHost {
 public:
  Result<int> start(queue::ProcessNumber, const config::PoolSettings&, OnGone) override {
    return fail(ErrorCode::disk, "there is no program");
  }
  pid_t pid_of(queue::ProcessNumber) const override { return 0; }
  void end(queue::ProcessNumber, EndProcess::By) override {}
};

int exit_code_where_writes_fail_with(ErrorCode code, const testing::TemporaryFolder& folder = {}) {
  config::Settings settings;
  settings.store.path = folder / "control.db";
  settings.pools = {config::PoolSettings{.name = "default", .program = "/nowhere", .queues = {"default"}}};
  FailingStore store{queue::make_memory_store()};
  store.write_fails_with = code;
  const RealClock clock;
  NoHost host;
  boost::asio::io_context context(1);
  Signals signals(context);
  ServiceManager service(context, clock);
  NoObserver observer;
  Loop loop(context, settings, store, clock, host, signals, service, observer, [&] { return settings; });
  return loop.run();
}

TEST(Loop, LSE_20_AStoreThatNoRetryHealsEndsItWithTheCodeThatItsManualStates) {
  EXPECT_EQ(exit_code_where_writes_fail_with(ErrorCode::database_moved), number_of(ExitCode::unavailable));
  EXPECT_EQ(exit_code_where_writes_fail_with(ErrorCode::database_damaged), number_of(ExitCode::data));
  EXPECT_EQ(exit_code_where_writes_fail_with(ErrorCode::disk_sync_failed), number_of(ExitCode::sync_failed));
  EXPECT_EQ(exit_code_where_writes_fail_with(ErrorCode::schema_mismatch), number_of(ExitCode::configuration));
}

std::size_t line_of(std::string_view event, const std::vector<std::string>& lines) {
  for (std::size_t line = 0; line < lines.size(); ++line)
    if (lines[line].find(event) != std::string::npos) return line;
  return lines.size();
}

// Who waits for the line sends a hint next. What becomes of the socket is seen by its failure.
TEST(Loop, SaysThatItHasStartedOnceItsWakeSocketIsOpened) {
  const testing::TemporaryFolder folder;
  std::filesystem::create_directories(folder / "control.db-wake" / "no socket");
  std::vector<std::string> lines;
  log::capture_for_test(&lines);
  EXPECT_EQ(exit_code_where_writes_fail_with(ErrorCode::database_moved, folder),
            number_of(ExitCode::unavailable));
  log::capture_for_test(nullptr);
  EXPECT_LT(line_of("wake.unavailable", lines), line_of("daemon.started", lines));
  EXPECT_LT(line_of("daemon.started", lines), lines.size());
}

}  // namespace
}  // namespace tenure::daemon
