#include "scratch_folder.hpp"

#include <tenure/config/check.hpp>

#include <gmock/gmock.h>

namespace tenure::config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class MachineCheck : public ScratchFolder {
 protected:
  MachineCheck() {
    settings_.store.path = folder_ / "control.db";
    settings_.tenants.path = (folder_ / "tenants/%{tenant}.db").string();
    settings_.pools = {{.name = "general", .program = "/bin/true"}};
  }
  std::string first_problem() const {
    const MachineFindings findings = check_machine(settings_, {});
    return findings.problems.empty() ? "" : findings.problems.front().message;
  }
  Settings settings_;
};

TEST_F(MachineCheck, CFG_02_AFolderThatIsThereAndWritableIsFine) { EXPECT_EQ(first_problem(), ""); }

TEST_F(MachineCheck, CFG_02_AMissingFolderIsNamedWithTheReason) {
  settings_.store.path = folder_ / "none/control.db";
  EXPECT_THAT(first_problem(), HasSubstr("its folder cannot be used: No such file or directory"));
}

TEST_F(MachineCheck, CFG_02_AFileInPlaceOfTheFolderIsNamed) {
  write("", "file");
  settings_.store.path = folder_ / "file/control.db";
  EXPECT_THAT(first_problem(), HasSubstr("what should be its folder is none"));
}

TEST_F(MachineCheck, CFG_02_AFolderInPlaceOfTheFileIsNamed) {
  std::filesystem::create_directory(folder_ / "control.db");
  EXPECT_THAT(first_problem(), HasSubstr("is not a regular file"));
}

TEST_F(MachineCheck, CFG_02_ALinkToADatabaseIsNamedWithItsTarget) {
  std::filesystem::create_symlink("/nowhere/real.db", folder_ / "control.db");
  EXPECT_THAT(first_problem(), HasSubstr("control.db is a symbolic link to /nowhere/real.db"));
}

TEST_F(MachineCheck, AMissingMigrationsFolderIsAProblem) {
  settings_.tenants.migrations = folder_ / "none";
  EXPECT_THAT(first_problem(), HasSubstr("tenants.migrations"));
}

TEST_F(MachineCheck, WithoutAPoolNothingWouldStart) {
  settings_.pools.clear();
  EXPECT_THAT(first_problem(), HasSubstr("there is no [[pool]], so tenured would not start"));
}

TEST_F(MachineCheck, ALogFileThatCannotBeOpenedIsNamed) {
  settings_.log.file = folder_ / "made/with/its/folders/tenured.log";
  EXPECT_EQ(first_problem(), "");
  settings_.log.file = write("", "tenured.log");
  EXPECT_EQ(first_problem(), "");
  settings_.log.file = folder_ / "tenured.log/below";
  EXPECT_THAT(first_problem(), HasSubstr("tenured.log is no folder"));
  settings_.log.file = folder_;
  EXPECT_THAT(first_problem(), HasSubstr("log.file = \"" + folder_.string() + "\": is a folder"));
  settings_.log.file = "/proc/sys/kernel/tenured.log";
  EXPECT_THAT(first_problem(), HasSubstr("/proc/sys/kernel may not be written by this user"));
}

TEST_F(MachineCheck, CFG_08_AHandleBudgetAboveTheDescriptorLimitIsAWarning) {
  settings_.tenants.descriptors_max = 1024;
  const auto warns = [&](std::uint64_t limit) {
    return std::ranges::any_of(
        check_machine(settings_, {.descriptors_limit = limit}).warnings,
        [](const Problem& warning) { return warning.key == "tenants.descriptors_max"; });
  };
  EXPECT_FALSE(warns(0));
  EXPECT_FALSE(warns(1024));
  EXPECT_TRUE(warns(1023));
}

TEST_F(MachineCheck, AWorkerProgramThatCannotStartIsAWarning) {
  settings_.pools = {{.name = "general", .program = write("", "worker")}};
  bool warned = false;
  for (const Problem& warning : check_machine(settings_, {}).warnings)
    warned = warned || warning.key == "pool[0].program";
  EXPECT_TRUE(warned);
}

TEST_F(MachineCheck, TheDefaultPathOfTheControlDatabaseIsCalledThat) {
  EXPECT_THAT(missing_store_text({}), HasSubstr("this is the default path"));
  EXPECT_THAT(missing_store_text({}), HasSubstr("which TENURE_CONFIG or --config FILE names"));
  settings_.store.path = folder_ / "none/control.db";
  EXPECT_THAT(missing_store_text(settings_.store), Not(HasSubstr("default")));
  EXPECT_THAT(first_problem(), Not(HasSubstr("default")));
  settings_.store = {};
  if (!std::filesystem::exists(settings_.store.path.parent_path())) {
    EXPECT_THAT(first_problem(), HasSubstr("this is the default path"));
  }
}

TEST_F(MachineCheck, CFG_02_MemoryIsAWarning) {
  if (!std::filesystem::is_directory("/dev/shm")) GTEST_SKIP() << "not run here: there is no /dev/shm";
  settings_.store.path = "/dev/shm/control.db";
  EXPECT_THAT(check_machine(settings_, {}).warnings.front().message, HasSubstr("lies in memory"));
}

}  // namespace
}  // namespace tenure::config
