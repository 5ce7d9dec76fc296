#include "supervisor/control_groups.hpp"

#include <gtest/gtest.h>

#include <support/temporary_folder.hpp>

namespace tenure::daemon {
namespace {

constexpr const char* kMounts =
    "23 30 0:22 / /proc rw,nosuid shared:5 - proc proc rw\n"
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev shared:9 master:1 - cgroup2 cgroup2 rw,nsdelegate\n";

TEST(ControlGroups, TheFolderIsTheMountAndThePathInIt) {
  EXPECT_EQ(group_folder("0::/system.slice/tenured.service\n", kMounts),
            "/sys/fs/cgroup/system.slice/tenured.service");
}

TEST(ControlGroups, BesideHierarchiesOfVersionOneTheSecondOneIsFound) {
  EXPECT_EQ(group_folder("12:pids:/user\n1:name=systemd:/user\n0::/a.slice\n",
                         "31 30 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
                         "32 30 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"),
            "/sys/fs/cgroup/unified/a.slice");
}

TEST(ControlGroups, WithoutVersionTwoThereIsNone) {
  EXPECT_EQ(group_folder("1:name=systemd:/user\n", kMounts), "");
  EXPECT_EQ(group_folder("0::/a.slice\n", "31 30 0:27 / /sys/fs/cgroup rw - cgroup cgroup rw,pids\n"), "");
  EXPECT_EQ(group_folder("", ""), "");
  EXPECT_EQ(group_folder("0::/a", "31 30\n - cgroup2"), "");
}

TEST(ControlGroups, TheRootOfTheHierarchyIsNobodysToDivide) {
  EXPECT_EQ(group_folder("0::/\n", kMounts), "");
}

TEST(ControlGroups, WhereNoneIsDelegatedNoneIsMade) {
  ControlGroups groups{{}};
  const auto group = groups.make(queue::ProcessNumber{1});
  ASSERT_TRUE(group);
  EXPECT_EQ(group->folder, "");
  EXPECT_FALSE(group->entry.is_open());
  groups.end(group->folder);
}

TEST(ControlGroups, AGroupThatCannotBeMadeIsAFailureThatNamesIt) {
  const testing::TemporaryFolder folder;
  ControlGroups groups{folder / "absent"};
  const auto group = groups.make(queue::ProcessNumber{1});
  ASSERT_FALSE(group);
  EXPECT_TRUE(group.error().where.starts_with((folder / "absent/worker-").string())) << group.error().text();
}

// A plain folder has no cgroup.procs: nothing may be left of it.
TEST(ControlGroups, AGroupThatCannotBeEnteredIsTakenAway) {
  const testing::TemporaryFolder folder;
  ControlGroups groups{folder / ""};
  EXPECT_FALSE(groups.make(queue::ProcessNumber{1}));
  EXPECT_TRUE(std::filesystem::is_empty(folder / ""));
}

}  // namespace
}  // namespace tenure::daemon
