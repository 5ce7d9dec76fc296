#include "capsules.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace tenure::testing {
namespace {

using ::testing::HasSubstr;

class ReplayRefusals : public Replays {
 protected:
  std::string run(const std::string& capsule, const std::string& program) {
    return tenure({"replay", "run", capsule, "--program", program}, variables_for(""));
  }
  void execute(const std::filesystem::path& file, const std::string& sql) const {
    Process shell({"/usr/bin/sqlite3", file, sql}, folder_ / "shell");
    ASSERT_EQ(shell.wait(), "exit 0") << shell.output();
  }
  std::filesystem::path script(const std::string& text) {
    const auto file = folder_ / "program";
    std::ofstream(file) << text;
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    return file;
  }
};

TEST_F(ReplayRefusals, WithoutAProgramTheMissingOptionIsNamed) {
  EXPECT_EQ(tenure({"replay", "run", capsule_}), "exit 2");
  EXPECT_THAT(output_, HasSubstr("--program FILE is missing"));
  EXPECT_EQ(tenure({"replay", "run", "--program", REPLAY_WORKER}), "exit 2");
  EXPECT_THAT(output_, HasSubstr("needs CAPSULE"));
}

TEST_F(ReplayRefusals, WhatIsNoCapsuleIsRefused) {
  EXPECT_EQ(run(folder_ / "missing.capsule", REPLAY_WORKER), "exit 69") << output_;
  EXPECT_THAT(output_, HasSubstr("missing.capsule"));
  EXPECT_NE(run(folder_.path(), REPLAY_WORKER), "exit 0") << output_;
  std::ofstream(folder_ / "text.capsule") << "no database at all";
  EXPECT_EQ(run(folder_ / "text.capsule", REPLAY_WORKER), "exit 65") << output_;
  EXPECT_EQ(run(live_ / "tenants/bolt.db", REPLAY_WORKER), "exit 65") << output_;
  EXPECT_EQ(run(capsule_as("pay.pases.capsule"), REPLAY_WORKER), "exit 2") << output_;
  EXPECT_THAT(output_, HasSubstr("did you mean .passes.capsule?"));
  EXPECT_TRUE(is_scratch_empty());
}

TEST_F(ReplayRefusals, ADamagedCapsuleIsRefusedAndOneOfAnotherVersionNamingBoth) {
  const auto cut = capsule_as("cut.capsule");
  std::filesystem::resize_file(cut, std::filesystem::file_size(cut) / 2);
  EXPECT_EQ(run(cut, REPLAY_WORKER), "exit 65") << output_;
  EXPECT_THAT(output_, HasSubstr("DatabaseDamaged"));
  const auto newer = capsule_as("newer.capsule");
  execute(newer, "update tenure_capsule set version = 2");
  EXPECT_EQ(run(newer, REPLAY_WORKER), "exit 78") << output_;
  EXPECT_THAT(output_, HasSubstr("version 2"));
  EXPECT_THAT(output_, HasSubstr("version 1"));
}

TEST_F(ReplayRefusals, AProgramThatCannotBeStartedIsRefused) {
  EXPECT_EQ(run(capsule_, folder_ / "missing"), "exit 2") << output_;
  EXPECT_THAT(output_, HasSubstr("missing: No such file or directory"));
  EXPECT_EQ(run(capsule_, folder_.path()), "exit 2") << output_;
  EXPECT_THAT(output_, HasSubstr("is a folder and no program"));
  EXPECT_EQ(run(capsule_, capsule_), "exit 2") << output_;
  EXPECT_THAT(output_, HasSubstr("may not be executed by this user"));
  EXPECT_EQ(run(capsule_, script("no program")), "exit 2") << output_;
  EXPECT_THAT(output_, HasSubstr("cannot be started: Exec format error"));
  EXPECT_TRUE(is_scratch_empty());
}

TEST_F(ReplayRefusals, AProgramThatIsNoWorkerProgramIsRecognised) {
  EXPECT_EQ(run(capsule_, "/bin/true"), "exit 2") << output_;
  EXPECT_THAT(output_, HasSubstr("/bin/true: ended (exit 0) without a word of worker_main"));
  EXPECT_EQ(run(capsule_, script("#!/bin/sh\nkill -9 $$\n")), "exit 2") << output_;
  EXPECT_THAT(output_, HasSubstr("ended (signal 9 (Killed))"));
}

// Neither a failure that was expected nor a difference.
TEST_F(ReplayRefusals, WhatCannotBeRecordedIsNoVerdict) {
  for (const char* name : {"pay.capsule", "pay.passes.capsule", "pay.fails.capsule"}) {
    EXPECT_EQ(
        tenure({"replay", "run", capsule_as(name), "--program", REPLAY_WORKER}, variables_for("alters")),
        "exit 78")
        << name << output_;
    EXPECT_THAT(output_, HasSubstr("SchemaMismatch"));
  }
}

// One of before replays takes the socket for its daemon's, and finds that there is none; whatever configuration it would read by hand.
TEST_F(ReplayRefusals, AnOlderWorkerProgramDoesNotBeginToDispatch) {
  const auto older =
      script("#!/bin/sh\nunset $(env | sed -n 's/^\\(TENURE_WORKER_REPLAY[A-Z_]*\\)=.*/\\1/p')\nexec " +
             std::string(REPLAY_WORKER) + " --config " + (live_ / "tenure.toml").string() + "\n");
  const auto before = live_files();
  EXPECT_EQ(run(capsule_, older), "exit 2") << output_;
  EXPECT_THAT(output_, HasSubstr("ended (exit 78) without a word of worker_main"));
  EXPECT_EQ(live_files(), before);
}

}  // namespace
}  // namespace tenure::testing
