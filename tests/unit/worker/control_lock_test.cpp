#include <tenure/daemon/control_lock.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <support/temporary_folder.hpp>
#include <sys/stat.h>
#include <unistd.h>

namespace tenure::daemon {
namespace {

TEST(ControlLock, LSE_13_ASecondHolderIsToldTheFirstOnesPid) {
  const testing::TemporaryFolder folder;
  const auto control = folder.path() / "control.db";
  const auto first = ControlLock::try_acquire(control);
  ASSERT_TRUE(first.has_value());
  const auto second = ControlLock::try_acquire(control);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::lock_held);
  EXPECT_NE(second.error().message.find("process " + std::to_string(::getpid())), std::string::npos);
}

TEST(ControlLock, IsFreeAgainWhenItsHolderHasGone) {
  const testing::TemporaryFolder folder;
  const auto control = folder.path() / "control.db";
  { ASSERT_TRUE(ControlLock::try_acquire(control).has_value()); }
  EXPECT_TRUE(ControlLock::try_acquire(control).has_value());
}

// A worker process keeps the lock for its daemon: a copy of the descriptor is the same lock.
TEST(ControlLock, LSE_23_IsHeldAsLongAsAnyCopyOfItsDescriptorIsOpen) {
  const testing::TemporaryFolder folder;
  const auto control = folder.path() / "control.db";
  int copy = -1;
  {
    const auto lock = ControlLock::try_acquire(control);
    ASSERT_TRUE(lock.has_value());
    EXPECT_NE(::fcntl(lock->descriptor(), F_GETFD) & FD_CLOEXEC, 0);
    copy = ::dup(lock->descriptor());
  }
  EXPECT_FALSE(ControlLock::try_acquire(control).has_value());
  ::close(copy);
  EXPECT_TRUE(ControlLock::try_acquire(control).has_value());
}

TEST(ControlLock, AFileThatWasRemovedOrReplacedIsNoLockAnyMore) {
  const testing::TemporaryFolder folder;
  const auto control = folder.path() / "control.db";
  const auto first = ControlLock::try_acquire(control);
  ASSERT_TRUE(first.has_value());
  EXPECT_NO_THROW(first->require_in_place());
  std::filesystem::remove(queue::dispatcher_lock_path(control));
  EXPECT_THROW(first->require_in_place(), DatabaseMoved);
  const auto second = ControlLock::try_acquire(control);
  ASSERT_TRUE(second.has_value());
  EXPECT_THROW(first->require_in_place(), DatabaseMoved);
  EXPECT_NO_THROW(second->require_in_place());
}

TEST(ControlLock, LiesBesideTheControlDatabaseForTheGroup) {
  const testing::TemporaryFolder folder;
  const auto control = folder.path() / "control.db";
  const auto lock = ControlLock::try_acquire(control);
  struct stat status {};
  ASSERT_EQ(::stat(queue::dispatcher_lock_path(control).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0660U);
}

}  // namespace
}  // namespace tenure::daemon
