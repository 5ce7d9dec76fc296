#include "program.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <map>
#include <string>
#include <sys/stat.h>
#include <vector>

namespace tenure::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ReplayTest : public Program {
 protected:
  ReplayTest() {
    environment.run_tenured = [this](const std::vector<std::string>& arguments,
                                     FunctionRef<void(std::string_view)> on_output) {
      started.push_back(arguments);
      for (const std::string& piece : pieces) on_output(piece), printed_by_then.push_back(output.out);
      return tenured;
    };
    environment.ask_daemon = [this](const std::filesystem::path&, std::string_view line,
                                    std::chrono::milliseconds) -> tl::expected<std::string, FailedExchange> {
      if (line.find("POST") != std::string_view::npos) return begun;
      const std::string state = states.front();
      if (states.size() > 1) states.erase(states.begin());
      return R"({"status":200,"body":{"schema":"tenure.journal/1","size_bytes":4096,"dump":)" + state + "}}";
    };
    on_pause = [] { return true; };
    std::ofstream(written) << "the journal";
  }
  std::string dump_in(const std::string& state, const std::string& error = "") {
    return R"({"state":")" + state + R"(","file":")" + written.string() + R"(","bytes":11,"error":")" +
           error + R"("})";
  }

  std::filesystem::path written = folder / "dump-1.journal";
  std::vector<std::string> pieces{"equal: ", "all of it\n"};
  std::vector<std::string> printed_by_then;
  ProgramAnswer tenured;
  std::vector<std::vector<std::string>> started;
  std::string begun = R"({"status":200,"body":)" + dump_in("writing") + "}";
  std::vector<std::string> states{dump_in("writing"), dump_in("written")};
};

TEST_F(ReplayTest, PrintsWhatTenuredSaysOfTheJournal) {
  EXPECT_EQ(run({"replay", "journal", "/tmp/x.journal"}), 0);
  EXPECT_EQ(output.out, "equal: all of it\n");
  EXPECT_THAT(started.back(), ElementsAre("--replay-journal", "/tmp/x.journal"));
  EXPECT_THAT(printed_by_then, ElementsAre("equal: ", "equal: all of it\n")) << "as it comes";
  tenured = {.exit_code = 1};
  pieces = {"differs at event 7\n"};
  EXPECT_EQ(run({"replay", "journal", "/tmp/x.journal", "--events", "--from", "5"}), 1);
  EXPECT_EQ(output.out, "differs at event 7\n");
  EXPECT_THAT(started.back(), ElementsAre("--replay-journal", "/tmp/x.journal", "--from", "5", "--events"));
  tenured = {};
  pieces = {"{\"schema\":", "\"tenure.replay.journal/1\"}\n"};
  EXPECT_EQ(run({"replay", "journal", "/tmp/x.journal", "--json"}), 0);
  EXPECT_EQ(output.out, "{\"schema\":\"tenure.replay.journal/1\"}\n");
}

TEST_F(ReplayTest, WhatTenuredRefusesIsSaidByItsNameAndExitCode) {
  pieces = {};
  tenured = {.exit_code = 65,
             .errors = "tenured: BadPayload: it is cut: there is no end behind its 3 records\n"};
  EXPECT_EQ(run({"replay", "journal", "x"}), 65);
  EXPECT_THAT(output.error, HasSubstr("tenure: BadPayload: it is cut: there is no end behind its 3 records"));
  EXPECT_EQ(output.out, "");
  tenured = {.signal = 6, .errors = "tenured: an invariant is broken\n"};
  EXPECT_EQ(run({"replay", "journal", "x"}), 1);
  EXPECT_THAT(output.error, HasSubstr("ReplayEnded: tenured ended by signal 6 while it replayed"));
  pieces = {"1 Started{}\n2 Time", "Passed{}\n"};
  EXPECT_EQ(run({"replay", "journal", "x", "--events"}), 1);
  EXPECT_EQ(output.out, "1 Started{}\n2 TimePassed{}\n") << "how far it came";
  EXPECT_THAT(output.error, HasSubstr("ReplayEnded"));
  EXPECT_EQ(run({"replay", "journal", "x", "--json"}), 1);
  EXPECT_EQ(output.out, "") << "no document, or a whole one";
}

TEST_F(ReplayTest, RefusesWordsThatMeanNothing) {
  EXPECT_EQ(run({"replay", "journal", "x", "y"}), 2);
  EXPECT_EQ(run({"replay", "journal", "x", "--from", "0"}), 2);
  EXPECT_EQ(run({"replay", "journal", "x", "--events", "--json"}), 2);
  EXPECT_TRUE(started.empty());
}

TEST_F(ReplayTest, HasTheDaemonWriteItAndWaitsUntilItIsOnDisk) {
  EXPECT_EQ(run({"replay", "journal", "dump"}), 0);
  EXPECT_EQ(output.out, "written to " + written.string() + ", 11\n");
  EXPECT_EQ(run({"replay", "journal", "dump", "--json"}), 0);
  EXPECT_EQ(output.out, R"({"schema":"tenure.replay.dump/1","item":{"path":")" + written.string() +
                            "\",\"size_bytes\":11}}\n");
}

TEST_F(ReplayTest, MovesItToTheFileThatIsNamedAndOverwritesNothing) {
  const std::filesystem::path target = folder / "mine.journal";
  EXPECT_EQ(run({"replay", "journal", "dump", target.string()}), 0);
  EXPECT_EQ(output.out, "written to " + target.string() + ", 11\n");
  std::string text;
  std::getline(std::ifstream(target), text);
  EXPECT_EQ(text, "the journal");
  struct stat status {};
  ASSERT_EQ(::stat(target.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_FALSE(std::filesystem::exists(written));
  EXPECT_EQ(run({"replay", "journal", "dump", target.string()}), 1);
  EXPECT_THAT(output.error, HasSubstr("FileExists"));
}

TEST_F(ReplayTest, WhatCameMeanwhileIsNotOverwrittenAndTheNextTryFindsNothingInItsWay) {
  const std::filesystem::path target = folder / "mine.journal";
  on_pause = [&] {
    std::ofstream(target) << "another";
    return true;
  };
  EXPECT_NE(run({"replay", "journal", "dump", target.string()}), 0);
  EXPECT_THAT(output.error, HasSubstr("File exists"));
  std::string text;
  std::getline(std::ifstream(target), text);
  EXPECT_EQ(text, "another");
  EXPECT_TRUE(std::filesystem::exists(written));
  EXPECT_FALSE(std::filesystem::exists(target.string() + ".unfinished"));
  std::filesystem::remove(target);
  EXPECT_EQ(run({"replay", "journal", "dump", target.string()}), 0) << output.error;
}

TEST_F(ReplayTest, WhatTheDaemonCannotWriteIsSaid) {
  states = {dump_in("writing"), dump_in("failed", "No space left on device")};
  EXPECT_EQ(run({"replay", "journal", "dump"}), 1);
  EXPECT_THAT(output.error, HasSubstr("JournalNotWritten"));
  EXPECT_THAT(output.error, HasSubstr("No space left on device"));
  begun = R"({"status":409,"body":{"error":{"code":"JournalNotWritten","message":"no journal is kept"}}})";
  EXPECT_EQ(run({"replay", "journal", "dump"}), 1);
  EXPECT_THAT(output.error, HasSubstr("JournalNotWritten: no journal is kept"));
}

}  // namespace
}  // namespace tenure::cli
