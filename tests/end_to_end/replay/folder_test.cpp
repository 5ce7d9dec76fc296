#include "capsules.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace tenure::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A test program of an application, whose tests are the capsules of a folder.
class ReplayFolder : public Replays {
 protected:
  std::string run_tests(const std::string& does = "", const std::vector<std::string>& arguments = {}) {
    std::vector<std::string> command{FOLDER_PROGRAM};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const auto path = folder_ / "output";
    std::filesystem::remove(path);
    auto variables = variables_for(does);
    variables.push_back("CAPSULES=" + tested_.string());
    Process process(command, path, variables);
    const auto end = process.wait();
    output_ = process.output();
    return end.value_or("still running");
  }
  void put(const std::string& name) {
    std::filesystem::create_directories(tested_);
    std::filesystem::copy_file(capsule_, tested_ / name);
  }

  std::filesystem::path tested_ = folder_ / "corpus";
};

TEST_F(ReplayFolder, EachCapsuleIsATestThatPassesWhereItsRunIsTheSame) {
  put("pay.capsule");
  put("pay.fails.capsule");
  put("pay.fails.HandlerFailed.capsule");
  EXPECT_EQ(run_tests(), "exit 0") << output_;
  for (const char* name : {"corpus.pay", "corpus.pay.fails", "corpus.pay.fails.HandlerFailed"})
    EXPECT_THAT(output_, HasSubstr("[       OK ] " + std::string(name) + " ")) << output_;
}

// From the red test to the green one: the bug is there, and then it is mended.
TEST_F(ReplayFolder, ACapsuleThatIsToPassFailsUntilTheBugIsMended) {
  put("pay.passes.capsule");
  EXPECT_EQ(run_tests(), "exit 1") << output_;
  EXPECT_THAT(output_, HasSubstr("no answer from the bank"));
  EXPECT_EQ(run_tests("mended"), "exit 0") << output_;
}

TEST_F(ReplayFolder, RPL_08_ACapsuleInTheFolderRunsAsATestAndOneThatMustFailFailsItWhereItPasses) {
  put("pay.fails.capsule");
  EXPECT_EQ(run_tests(), "exit 0") << output_;
  EXPECT_THAT(output_, HasSubstr("[       OK ] corpus.pay.fails"));
  EXPECT_EQ(run_tests("mended"), "exit 1") << output_;
  EXPECT_THAT(output_, HasSubstr("[  FAILED  ] corpus.pay.fails"));
}

TEST_F(ReplayFolder, ACapsuleThatIsToFailByAnErrorAndFailsByAnotherFailsItsTest) {
  put("pay.fails.TenantBusy.capsule");
  EXPECT_EQ(run_tests(), "exit 1") << output_;
  EXPECT_THAT(output_, HasSubstr("HandlerFailed"));
  EXPECT_EQ(run_tests("busy"), "exit 0") << output_;
}

TEST_F(ReplayFolder, EffectsThatDifferFailTheTest) {
  put("pay.capsule");
  EXPECT_EQ(run_tests("other-line"), "exit 1") << output_;
  EXPECT_THAT(output_, HasSubstr("invoice"));
}

TEST_F(ReplayFolder, WhatCannotBeRecordedFailsEachTest) {
  put("pay.fails.capsule");
  EXPECT_EQ(run_tests("alters"), "exit 1") << output_;
  EXPECT_THAT(output_, HasSubstr("SchemaMismatch"));
}

TEST_F(ReplayFolder, AMissingOrEmptyFolderIsAFailingTest) {
  EXPECT_EQ(run_tests(), "exit 1") << output_;
  EXPECT_THAT(output_, HasSubstr("[  FAILED  ] corpus.HasNoCapsules"));
  EXPECT_THAT(output_, HasSubstr(tested_.string() + ": No such file or directory"));
  std::filesystem::create_directory(tested_);
  std::ofstream(tested_ / ".gitignore") << "*\n";
  EXPECT_EQ(run_tests(), "exit 1") << output_;
  EXPECT_THAT(output_, HasSubstr("there is no capsule in " + tested_.string()));
}

TEST_F(ReplayFolder, ANameThatSaysNothingIsAFailingTest) {
  put("pay.capsule");
  put("pay.fails.TenantBussy.capsule");
  put("pay.pases.capsule");
  put("pay.capsul");
  EXPECT_EQ(run_tests(), "exit 1") << output_;
  EXPECT_THAT(output_, HasSubstr("did you mean TenantBusy?"));
  EXPECT_THAT(output_, HasSubstr("did you mean .passes.capsule?"));
  EXPECT_THAT(output_, HasSubstr("pay.capsul: a capsule is called"));
  EXPECT_THAT(output_, HasSubstr("3 FAILED TESTS"));
}

TEST_F(ReplayFolder, ADamagedCapsuleIsAFailingTestThatSaysSo) {
  put("pay.capsule");
  std::filesystem::resize_file(tested_ / "pay.capsule", std::filesystem::file_size(capsule_) / 2);
  EXPECT_EQ(run_tests(), "exit 1") << output_;
  EXPECT_THAT(output_, HasSubstr("DatabaseDamaged"));
}

// GoogleTest's filter, by which CTest names a test, has words of its own.
TEST_F(ReplayFolder, EachTestCanBeNamedAlone) {
  tested_ = folder_ / "a-b.c";
  put("pay-it: now.capsule");
  put("pay-it; now.capsule");
  EXPECT_EQ(run_tests("", {"--gtest_filter=a_b_c.pay_it__now_2"}), "exit 0") << output_;
  EXPECT_THAT(output_, HasSubstr("1 test from 1 test suite ran"));
}

TEST_F(ReplayFolder, ReachesNothingOutsideOfItsScratchFolder) {
  put("pay.fails.capsule");
  const auto before = live_files();
  for (const char* does : {"client", "other-database"}) {
    EXPECT_EQ(run_tests(does), "exit 0") << output_;  // it fails, as expected
    EXPECT_EQ(live_files(), before);
  }
  tested_ = folder_ / "other";
  put("pay.capsule");
  EXPECT_EQ(run_tests("client"), "exit 1");
  EXPECT_THAT(output_, HasSubstr("a replay opens no client"));
  EXPECT_EQ(run_tests("control"), "exit 1");
  EXPECT_THAT(output_, HasSubstr("no way to the service: Permission denied"));
  EXPECT_TRUE(is_scratch_empty());
}

}  // namespace
}  // namespace tenure::testing
