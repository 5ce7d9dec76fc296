#include <tenure/daemon/control_lock.hpp>
#include <tenure/queue/dispatcher_lock.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <string>
#include <support/temporary_folder.hpp>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
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

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream{file}.rdbuf();
  return text.str();
}

// What the holder leaves behind is written over, as if it had never come to its end.
bool former_died_after(const std::filesystem::path& control, const std::string& text) {
  std::ofstream(queue::dispatcher_lock_path(control)) << text;
  const auto lock = ControlLock::try_acquire(control);
  return lock.has_value() && lock->former_died();
}

TEST(ControlLock, LSE_26_TellsAHolderThatDiedFromOneThatLeft) {
  const testing::TemporaryFolder folder;
  const auto control = folder.path() / "control.db";
  std::string at_work;
  std::string leaving;
  {
    const auto first = ControlLock::try_acquire(control);
    ASSERT_TRUE(first.has_value());
    EXPECT_FALSE(first->former_died()) << "there was none";
    at_work = text_of(queue::dispatcher_lock_path(control));
    ControlLock::note_leaving();
    leaving = text_of(queue::dispatcher_lock_path(control));
  }
  EXPECT_EQ(text_of(queue::dispatcher_lock_path(control)), leaving);
  EXPECT_TRUE(former_died_after(control, at_work));
  EXPECT_FALSE(former_died_after(control, leaving));
  EXPECT_FALSE(former_died_after(control, ""));
}

TEST(ControlLock, LSE_26_WhoLeavesBeforeItHasTakenClaimsBackLeavesTheDeathToTheNext) {
  const testing::TemporaryFolder folder;
  const auto control = folder.path() / "control.db";
  const auto next_former_died = [&](bool takes_claims_back) {
    const auto lock = ControlLock::try_acquire(control);
    const bool died = lock.value().former_died();
    if (takes_claims_back) ControlLock::note_claims_taken_back();
    ControlLock::note_leaving();
    return died;
  };
  std::string at_work;
  {
    const auto lock = ControlLock::try_acquire(control);
    at_work = text_of(queue::dispatcher_lock_path(control));
  }
  std::ofstream(queue::dispatcher_lock_path(control)) << at_work;
  EXPECT_TRUE(next_former_died(false));
  EXPECT_TRUE(next_former_died(false));
  EXPECT_TRUE(next_former_died(true));
  EXPECT_FALSE(next_former_died(false));
}

TEST(ControlLock, LSE_26_AfterARebootNobodyHasDied) {
  const testing::TemporaryFolder folder;
  const auto control = folder.path() / "control.db";
  { ASSERT_TRUE(ControlLock::try_acquire(control).has_value()); }
  EXPECT_FALSE(former_died_after(control, "at-work 00000000-0000-0000-0000-000000000000\n"));
}

TEST(ControlLock, LSE_26_AChildOfItsHolderSaysNothingOfIt) {
  const testing::TemporaryFolder folder;
  const auto control = folder.path() / "control.db";
  const auto lock = ControlLock::try_acquire(control);
  ASSERT_TRUE(lock.has_value());
  const std::string before = text_of(queue::dispatcher_lock_path(control));
  const pid_t child = ::fork();
  if (child == 0) {
    ControlLock::note_leaving();
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_EQ(text_of(queue::dispatcher_lock_path(control)), before);
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
