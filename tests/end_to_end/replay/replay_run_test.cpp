#include "capsules.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

namespace tenure::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(Replays, ReplaysAFailedRunElsewhereWithTheSameOutcomeAndEffects) {
  EXPECT_EQ(asked_outside(), "rate\nfee\n");
  ASSERT_EQ(replay(), "exit 0") << output_;
  EXPECT_THAT(output_,
              HasSubstr("the same: failed, HandlerFailed: std::runtime_error: no answer from the bank; "
                        "2 recorded calls, 1 job, 2 rows\n"));
  EXPECT_THAT(output_, HasSubstr("the rate is 117\n")) << "what the program prints passes through";
  EXPECT_TRUE(is_scratch_empty());
}

// The capsule is not used up, and nothing of one replay is there in the next.
TEST_F(Replays, TheSameCapsuleReplaysAgainAndAgain) {
  const std::string before = content_of(capsule_);
  for (int i = 0; i < 2; ++i) ASSERT_EQ(replay(), "exit 0") << output_;
  EXPECT_EQ(content_of(capsule_), before);
}

TEST_F(Replays, WhatDiffersIsNamedFirst) {
  ASSERT_EQ(replay("mended"), "exit 1") << output_;
  EXPECT_THAT(output_, HasSubstr("\ndiffers   in outcome"));
  EXPECT_THAT(output_, HasSubstr("\nreplayed  "));
  ASSERT_EQ(replay("busy"), "exit 1") << output_;
  EXPECT_THAT(output_, HasSubstr("TenantBusy"));
  ASSERT_EQ(replay("other-line"), "exit 1") << output_;
  EXPECT_THAT(output_, HasSubstr("differs   in rows"));
  ASSERT_EQ(replay("other-job"), "exit 1") << output_;
  EXPECT_THAT(output_, HasSubstr("differs   in jobs"));
  ASSERT_EQ(replay("asks-more"), "exit 1") << output_;
  EXPECT_THAT(output_, HasSubstr("discount"));
}

TEST_F(Replays, RPL_13_RecordedCallsAreMadeOnceKeptAndAnsweredAndOthersAreNamed) {
  EXPECT_EQ(asked_outside(), "rate\nfee\n") << "at the captured run";
  ASSERT_EQ(replay("other-rate"), "exit 0") << output_;
  EXPECT_THAT(output_, HasSubstr("the rate is 117\n")) << "as it was, though it would be another one now";
  // One that the recording lacks, one in another order, and one that is not made any more.
  ASSERT_EQ(replay("asks-more"), "exit 1") << output_;
  EXPECT_THAT(output_, HasSubstr("discount"));
  ASSERT_EQ(replay("other-order"), "exit 1") << output_;
  EXPECT_THAT(output_, HasSubstr("differs   in calls, first at call 1, \"rate\""));
  EXPECT_THAT(output_, HasSubstr("fee"));
  ASSERT_EQ(replay("asks-less"), "exit 1") << output_;
  EXPECT_THAT(output_, HasSubstr("differs   in calls, first at call 2, \"fee\""));
  EXPECT_EQ(asked_outside(), "") << "by none of these replays";
}

TEST_F(Replays, TheNameOfACapsuleSaysWhatIsExpected) {
  capsule_ = capsule_as("pay.passes.capsule");
  EXPECT_EQ(replay("mended"), "exit 0") << output_;
  EXPECT_THAT(output_, HasSubstr("as expected, it passes: succeeded; "));
  EXPECT_EQ(replay(), "exit 1") << output_;
  EXPECT_THAT(output_, HasSubstr("no answer from the bank"));
  capsule_ = capsule_as("pay.fails.TenantBusy.capsule");
  EXPECT_EQ(replay("busy"), "exit 0") << output_;
  EXPECT_EQ(replay(), "exit 1") << output_;
  EXPECT_EQ(replay("mended"), "exit 1") << output_;
}

TEST_F(Replays, AHandlerThatEndsItsProcessHasDiffered) {
  ASSERT_EQ(replay("crash"), "exit 1") << output_;
  EXPECT_THAT(output_,
              HasSubstr("replayed  the handler ended its process: signal 11 (Segmentation fault)\n"));
  ASSERT_EQ(replay("exit"), "exit 1") << output_;
  EXPECT_THAT(output_, HasSubstr("replayed  the handler ended its process: exit 0\n"));
  EXPECT_TRUE(is_scratch_empty());
}

TEST_F(Replays, AsJsonTheVerdictAloneIsOnStandardOutput) {
  const std::filesystem::path data = folder_ / "data";
  std::vector<std::string> words{"/bin/sh", "-c",  "\"$@\" > \"$0\"", data,        TENURE_PROGRAM,
                                 "replay",  "run", capsule_,          "--program", REPLAY_WORKER,
                                 "--json"};
  Process process(words, folder_ / "messages", variables_for("other-line"));
  ASSERT_EQ(process.wait(), "exit 1") << process.output();
  const std::string document = content_of(data);
  EXPECT_THAT(document, StartsWith(R"({"schema":"tenure.replay.run/1","item":{)"));
  for (const char* member :
       {R"("kind":"test.pay")", R"("expected":"the same","as_expected":false)",
        R"("recorded":{"result":"failed","error":"HandlerFailed")", R"("recorded_by":"replay 1")",
        R"("replayed":{"result":"failed")", R"("replayed_by":"replay 1")", R"("calls":2,"jobs":1,"rows":2)",
        R"("steps":["mark paid","log"])", R"("difference":{"in":"rows")", R"("kept":null)"})
    EXPECT_THAT(document, HasSubstr(member));
  EXPECT_THAT(process.output(), HasSubstr("the rate is 117")) << "what the program prints";
}

TEST_F(Replays, KeptScratchIsThereForItsUserAloneAndSaysWhere) {
  ASSERT_EQ(replay("", {"--keep"}), "exit 0") << output_;
  const auto kept = std::filesystem::directory_iterator(scratch_)->path();
  EXPECT_THAT(output_, HasSubstr("kept: " + kept.string()));
  struct stat status {};
  ASSERT_EQ(::stat(kept.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  EXPECT_TRUE(std::filesystem::exists(kept / "tenants/acme.db"));
}

TEST_F(Replays, TheScratchFolderIsMadeWhereItIsTold) {
  std::filesystem::create_directory(folder_ / "elsewhere");
  ASSERT_EQ(replay("", {"--scratch", folder_ / "elsewhere", "--keep"}), "exit 0") << output_;
  EXPECT_TRUE(is_scratch_empty());
  EXPECT_FALSE(std::filesystem::is_empty(folder_ / "elsewhere"));
  EXPECT_EQ(replay("", {"--scratch", folder_ / "missing"}), "exit 69") << output_;
}

TEST_F(Replays, FromAStepOnOutputBeginsThere) {
  ASSERT_EQ(replay("", {"--from", "log"}), "exit 0") << output_;
  EXPECT_THAT(output_, Not(HasSubstr("between the steps")));
  EXPECT_THAT(output_, HasSubstr("pay ends\n"));
  EXPECT_THAT(output_, HasSubstr("the same: "));
}

TEST_F(Replays, AStepThatTheRunHasNotIsRefusedWithThoseThatItHas) {
  ASSERT_EQ(replay("", {"--from", "lag"}), "exit 2") << output_;
  EXPECT_THAT(output_, HasSubstr(R"(--from "lag": the run has begun no such step, but "mark paid", "log")"));
  EXPECT_THAT(output_, Not(HasSubstr("pay begins")));
}

// As a terminal does it: the whole group gets the signal.
TEST_F(Replays, CtrlCEndsProgramAndCommandAndLeavesNothing) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    std::filesystem::remove(folder_ / "hangs");
    Process process({TENURE_PROGRAM, "replay", "run", capsule_, "--program", REPLAY_WORKER},
                    folder_ / "ended", variables_for("hang"));
    ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(folder_ / "hangs"); })) << process.output();
    const pid_t program = std::stoi(content_of(folder_ / "hangs"));
    process.signal(number);
    EXPECT_EQ(process.wait(), "exit 75") << process.output();
    EXPECT_THAT(process.output(), HasSubstr("Interrupted: the replay was ended before the run had"));
    EXPECT_FALSE(is_alive(program));
    EXPECT_TRUE(is_scratch_empty());
  }
}

// One that is killed cannot end its program, but the kernel does.
TEST_F(Replays, TheProgramDoesNotOutliveTheCommand) {
  Process process({TENURE_PROGRAM, "replay", "run", capsule_, "--program", REPLAY_WORKER}, folder_ / "ended",
                  variables_for("hang"));
  ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(folder_ / "hangs"); })) << process.output();
  const pid_t program = std::stoi(content_of(folder_ / "hangs"));
  process.signal(SIGKILL);
  EXPECT_TRUE(wait_until([&] { return !is_alive(program); }));
}

TEST_F(Replays, AProgramWithoutAHandlerForTheKindIsNamed) {
  const auto program = folder_ / "other-worker";
  std::ofstream(program) << "#!/bin/sh\nexec " << OTHER_WORKER << "\n";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  ASSERT_EQ(tenure({"replay", "run", capsule_, "--program", program}, variables_for("")), "exit 2")
      << output_;
  EXPECT_THAT(output_, HasSubstr("has no handler for test.pay"));
}

}  // namespace
}  // namespace tenure::testing
