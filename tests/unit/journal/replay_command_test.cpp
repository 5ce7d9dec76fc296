#include "simulated.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/system.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <journal/journal.hpp>
#include <journal/replay_command.hpp>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace tenure::daemon::journal {
namespace {

using ::testing::HasSubstr;

class ReplayCommandTest : public ::testing::Test {
 protected:
  ReplayCommandTest() {
    Simulated sim(one_pool(1, 1));
    (void)sim->enqueue({});
    sim->start();
    sim->run_for(1s);
    (void)sim->write_journals(folder.path(), "run");
  }
  int replayed(std::vector<std::string> options, const std::string& version = "simulated") {
    options.insert(options.begin(), {kReplayOption, file});
    ::testing::internal::CaptureStdout();
    const int code = replay_command(options, version);
    out = ::testing::internal::GetCapturedStdout();
    return code;
  }

  testing::TemporaryFolder folder;
  std::string file = (folder / "run-life-1.journal").string();
  std::string out;
};

TEST_F(ReplayCommandTest, TellsWhatItHasReplayed) {
  EXPECT_EQ(replayed({}), 0);
  EXPECT_THAT(out, HasSubstr("journal of tenured simulated, node test, pid 0, written for: test\n"));
  EXPECT_THAT(out, HasSubstr("events 1 to "));
  EXPECT_THAT(out, HasSubstr("equal: the same events gave the same actions, byte for byte\n"));
  EXPECT_EQ(replayed({"--json"}), 0);
  EXPECT_THAT(out, HasSubstr(R"({"schema":"tenure.replay.journal/1","item":{"file":")" + file));
  EXPECT_THAT(out, HasSubstr(R"("ended_within":false,"difference":null}})"));
}

TEST_F(ReplayCommandTest, StepsThroughItFromAnEventOn) {
  EXPECT_EQ(replayed({"--events"}), 0);
  EXPECT_EQ(out.find("1 2023-11-14T22:13:20Z Started{}\n  StartProcess{ProcessNumber 1, 0}\n"), 0U) << out;
  EXPECT_EQ(replayed({"--events", "--from", "3"}), 0);
  EXPECT_EQ(out.find("3 "), 0U) << out;
}

// A reply that answers nothing of what its round has asked breaks an invariant.
std::string journal_of_a_crash() {
  Dispatcher dispatcher(one_pool(1, 1).settings);
  Journal journal(1UL << 20U);
  const Now now{from_us(5), {}};
  journal.happened(dispatcher, Started{}, now);
  journal.decided(dispatcher.step(Started{}, now));
  journal.happened(dispatcher, RoundDone{}, now);
  const Descriptor file(::memfd_create("journal", MFD_CLOEXEC));
  const std::string head = payload_of(head_of_this_program("simulated", "test", 0, Why::crash));
  EXPECT_EQ(write_journal(file.number(), head, journal.records()), 0);
  EXPECT_EQ(::lseek(file.number(), 0, SEEK_SET), 0);
  return read_up_to(file.number(), 1UL << 20U).value();
}

TEST_F(ReplayCommandTest, OfACrashItShowsTheFatalEventBeforeItEndsAsTheDaemonDid) {
  std::ofstream(file, std::ios::binary) << journal_of_a_crash();
  for (const std::string option : {"", "--events", "--json"}) {
    const std::filesystem::path said = folder / "said";
    const pid_t child = ::fork();
    if (child == 0) {
      const rlimit none{0, 0};
      ::setrlimit(RLIMIT_CORE, &none);
      const int to = ::open(said.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      ::dup2(to, option == "--json" ? STDERR_FILENO : STDOUT_FILENO);
      std::vector<std::string> words{kReplayOption, file};
      if (!option.empty()) words.push_back(option);
      ::_exit(replay_command(words, "simulated"));
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << option;
    const std::string text{std::istreambuf_iterator<char>(std::ifstream(said).rdbuf()), {}};
    EXPECT_THAT(text, HasSubstr("the daemon ended with event 2 1970-01-01T00:00:00.000005Z RoundDone{"))
        << option;
    EXPECT_EQ(text.find("\n2 1970") != std::string::npos, option == "--events") << text;
  }
}

TEST_F(ReplayCommandTest, OfAnotherVersionItSaysThatItMayDecideOtherwise) {
  EXPECT_EQ(replayed({}, "9.9.9"), 0);
  EXPECT_THAT(out, HasSubstr("replayed by tenured 9.9.9, which may decide otherwise\n"));
}

TEST_F(ReplayCommandTest, RefusesWhatMeansNothing) {
  EXPECT_EQ(replayed({"--speed", "3"}), 2);
  EXPECT_EQ(replayed({"--from", "x"}), 2);
  EXPECT_EQ(replayed({"another.journal"}), 2);
  EXPECT_EQ(out, "");
  std::filesystem::resize_file(file, 100);
  try {
    (void)replayed({});
    ADD_FAILURE() << "a cut file was replayed";
  } catch (const Error& error) {
    (void)::testing::internal::GetCapturedStdout();
    EXPECT_EQ(error.code(), ErrorCode::bad_payload);
    EXPECT_THAT(error.what(), HasSubstr("it is cut"));
    EXPECT_THAT(error.what(), HasSubstr(file));
  }
}

}  // namespace
}  // namespace tenure::daemon::journal
