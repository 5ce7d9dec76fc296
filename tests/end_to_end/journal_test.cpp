#include "installation.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <vector>

namespace tenure::testing {
namespace {

using queue::ShownState;
using ::testing::HasSubstr;

// The dispatcher's journal of a daemon that runs, and of one that has crashed.
class JournalTest : public Installation {
 protected:
  // The command line, until it has ended; what it printed to both.
  std::pair<std::string, std::string> tenure(std::vector<std::string> words) {
    words.insert(words.begin(), TENURE_PROGRAM);
    words.insert(words.end(), {"--config", config_file()});
    Process command(words, folder_ / ("tenure-" + std::to_string(++commands_)));
    const auto end = command.wait();
    return {end.value_or("does not end"), command.output()};
  }
  int commands_ = 0;
};

TEST_F(JournalTest, IsWrittenOnRequestAndReplaysByteForByte) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  const auto job = enqueue(Wait{"recorded"});
  static_cast<void>(wait_for_start_of("recorded"));
  let_go("recorded");
  expect_state(job, ShownState::succeeded);
  const std::string file = folder_ / "asked.journal";
  const auto [dumped, said] = tenure({"replay", "journal", "dump", file});
  EXPECT_EQ(dumped, "exit 0") << said;
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  const auto [replayed, text] = tenure({"replay", "journal", file});
  EXPECT_EQ(replayed, "exit 0") << text;
  EXPECT_THAT(text, HasSubstr("written for: request\nevents 1 to "));
  EXPECT_THAT(text, HasSubstr("equal: the same events gave the same actions, byte for byte\n"));
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  const auto [refused, why] = tenure({"replay", "journal", file});
  EXPECT_EQ(refused, "exit 65");
  EXPECT_THAT(why, HasSubstr("tenure: BadPayload: it is cut"));
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");
}

TEST_F(JournalTest, IsLeftByACrash) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  static_cast<void>(enqueue(Wait{"meanwhile"}));
  static_cast<void>(wait_for_start_of("meanwhile"));
  daemon->signal(SIGABRT);
  EXPECT_EQ(daemon->wait(), "signal 6");
  EXPECT_THAT(daemon->output(), HasSubstr("tenured: its journal is in "));
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "control.db-journals"))
    files.push_back(entry.path());
  ASSERT_EQ(files.size(), 1U);
  EXPECT_THAT(files.front(), HasSubstr("/crash-"));
  const auto [replayed, text] = tenure({"replay", "journal", files.front()});
  EXPECT_EQ(replayed, "exit 0") << text;
  EXPECT_THAT(text, HasSubstr("written for: crash\nevents 1 to "));
}

}  // namespace
}  // namespace tenure::testing
