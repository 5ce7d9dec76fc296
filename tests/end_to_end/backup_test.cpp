#include "installation.hpp"

#include <csignal>
#include <fcntl.h>

namespace tenure::testing {
namespace {

class BackupTest : public Installation {
 protected:
  // Interrupts a copy that has begun, whose process is stopped until the signal waits for it; how it has ended.
  std::string interrupt(int signal, const std::filesystem::path& target) {
    const auto unfinished = target.string() + ".partial";
    Process backup({TENURE_PROGRAM, "store", "backup", target, "--config", config_file()},
                   folder_ / "backup.log");
    EXPECT_TRUE(
        wait_until([&] { return std::filesystem::exists(unfinished) || std::filesystem::exists(target); }));
    for (const int number : {SIGSTOP, signal, SIGCONT}) backup.signal(number);
    const std::string end = backup.wait().value_or("still running");
    EXPECT_FALSE(std::filesystem::exists(unfinished)) << backup.output();
    EXPECT_EQ(std::filesystem::exists(target), end == "exit 0") << end << backup.output();
    return end;
  }
};

TEST_F(BackupTest, ThatIsInterruptedLeavesNothingHalfDone) {
  configure();
  constexpr int kJobs = 200;
  with_tenant("acme", [&] {
    std::vector<Count> jobs(kJobs, Count{std::string(200'000, 'x')});
    client().enqueue_all(jobs);
  });
  int number = 0;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    std::string end;
    for (int tries = 0; tries < 50 && end != "exit 75"; ++tries)  // one may be complete before it is stopped
      end = interrupt(signal, folder_ / ("copy-" + std::to_string(++number) + ".db"));
    EXPECT_EQ(end, "exit 75") << signal;
  }
}

}  // namespace
}  // namespace tenure::testing
