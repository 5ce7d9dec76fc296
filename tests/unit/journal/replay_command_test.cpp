#include "simulated.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <journal/journal.hpp>
#include <journal/replay_command.hpp>
#include <string>
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
