#include "support/in_child.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/lock_holders.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/process_bound.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/uuid.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace tenure {
namespace {

using testing::in_child;
using testing::TemporaryFolder;

// A child that has begun, does nothing and ends with the object.
class IdleChild {
 public:
  IdleChild() {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) raise(ErrorCode::internal, "no pipe");
    const Descriptor begun{pipe[0]};
    Descriptor tell{pipe[1]};
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      static_cast<void>(write_all(tell.number(), "."));
      while (true) ::pause();
    }
    tell = Descriptor{};
    static_cast<void>(read_up_to(begun.number(), 1));
  }
  ~IdleChild() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  IdleChild(const IdleChild&) = delete;
  IdleChild& operator=(const IdleChild&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

Descriptor open_lock(const TemporaryFolder& folder) {
  return Descriptor{::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
}

TEST(ProcessBound, WhatWasMadeBeforeAForkIsInheritedInTheChildOnly) {
  const ProcessBound before;
  EXPECT_EQ(in_child([&] {
              const ProcessBound after;
              const bool is_refused = testing::throws<ForkedProcess>([&] { before.check("the object"); });
              after.check("the object");
              return before.is_inherited() && !after.is_inherited() && is_refused ? 1 : 0;
            }),
            1);
  EXPECT_FALSE(before.is_inherited());
}

TEST(ProcessBound, AGrandchildInheritsWhatItsParentMade) {
  const ProcessBound before;
  EXPECT_EQ(in_child([&] {
              const ProcessBound between;
              return in_child([&] { return before.is_inherited() && between.is_inherited() ? 1 : 0; });
            }),
            1);
}

// The time is the same, so only what is random tells the ids apart.
TEST(ProcessBound, AChildMakesIdsOfItsOwn) {
  constexpr WallTime kNow{};
  static_cast<void>(uuids_of_process().next(kNow));
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  const Descriptor from_child{pipe[0]};
  Descriptor to_parent{pipe[1]};
  EXPECT_EQ(
      in_child([&] { return write_all(to_parent.number(), uuids_of_process().next(kNow).text()) ? 1 : 0; }),
      1);
  to_parent = Descriptor{};
  EXPECT_NE(read_up_to(from_child.number(), 64), uuids_of_process().next(kNow).text());
}

TEST(KeptFromChildren, ALockEndsWithItsOwnerWhileAChildLivesOn) {
  const TemporaryFolder folder;
  Descriptor owner = open_lock(folder);
  ASSERT_EQ(lock_file(owner.number(), WhenLocked::give_up), 0);
  const Descriptor next = open_lock(folder);
  std::optional<KeptFromChildren> kept{owner.number()};
  const IdleChild child;
  EXPECT_EQ(lock_file(next.number(), WhenLocked::give_up), EWOULDBLOCK);
  kept.reset();
  owner = Descriptor{};
  EXPECT_EQ(lock_file(next.number(), WhenLocked::give_up), 0);
}

TEST(KeptFromChildren, TheNumberStaysInUseInTheChild) {
  const TemporaryFolder folder;
  const Descriptor owner = open_lock(folder);
  const KeptFromChildren kept{owner.number()};
  EXPECT_EQ(in_child([&] {
              const Descriptor fresh{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
              return ::fcntl(owner.number(), F_GETFD) == FD_CLOEXEC && fresh.number() != owner.number() ? 1
                                                                                                        : 0;
            }),
            1);
}

TEST(DefaultInChildren, AHandlerOfOursIsNotTheChilds) {
  std::signal(SIGUSR2, [](int) {});
  default_in_children(SIGUSR2);
  EXPECT_EQ(in_child([] { return std::signal(SIGUSR2, SIG_DFL) == SIG_DFL ? 1 : 0; }), 1);
  EXPECT_NE(std::signal(SIGUSR2, SIG_DFL), SIG_DFL);
}

TEST(LockHolders, NamesWhoKeepsTheLockAndNotWhoHasTheFileOpen) {
  const TemporaryFolder folder;
  Descriptor owner = open_lock(folder);
  const Descriptor other = open_lock(folder);
  ASSERT_EQ(lock_file(owner.number(), WhenLocked::give_up), 0);
  EXPECT_EQ(lock_holders(other.number()), "process " + std::to_string(::getpid()) + " (base_test)");
  const IdleChild child;
  owner = Descriptor{};
  EXPECT_EQ(lock_holders(other.number()), "process " + std::to_string(child.pid()) + " (base_test)")
      << "whoever took it is not asked about";
}

TEST(LockHolders, ALockIsSeenWithoutTryingIt) {
  const TemporaryFolder folder;
  EXPECT_FALSE(is_locked(folder / "nothing"));
  Descriptor owner = open_lock(folder);
  const auto file = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(owner.number()));
  EXPECT_FALSE(is_locked(file)) << "open is not locked";
  ASSERT_EQ(lock_file(owner.number(), WhenLocked::give_up), 0);
  EXPECT_TRUE(is_locked(file));
  owner = Descriptor{};
  EXPECT_FALSE(is_locked(file));
}

TEST(LockHolders, NobodyIsAnotherProcess) {
  const TemporaryFolder folder;
  EXPECT_EQ(lock_holders(open_lock(folder).number()), "another process");
}

}  // namespace
}  // namespace tenure
