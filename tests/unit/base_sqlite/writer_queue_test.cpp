#include "support/lock_waiters.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/writer_queue.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace tenure::sqlite {
namespace {

namespace fs = std::filesystem;

class WriterQueueTest : public ::testing::Test {
 protected:
  tenure::testing::TemporaryFolder folder_;
  fs::path file_ = folder_ / "a.db-writers";
};

TEST_F(WriterQueueTest, TheFileBelongsToTheGroupWhateverTheUmask) {
  const mode_t before = ::umask(0077);
  const WriterQueue queue{file_};
  ::umask(before);
  EXPECT_EQ(static_cast<int>(fs::status(file_).permissions()) & 0777, 0660);
}

TEST_F(WriterQueueTest, HND_16_TheDescriptorIsNotInherited) {
  const WriterQueue queue{file_};
  bool found = false;
  for (const auto& entry : fs::directory_iterator{"/proc/self/fd"}) {
    std::error_code ignored;
    if (fs::read_symlink(entry.path(), ignored) != file_) continue;
    found = true;
    EXPECT_NE(::fcntl(std::stoi(entry.path().filename().string()), F_GETFD) & FD_CLOEXEC, 0);
  }
  EXPECT_TRUE(found);
}

TEST_F(WriterQueueTest, ASymlinkIsRefused) {
  fs::create_symlink(folder_ / "elsewhere", file_);
  EXPECT_THROW(WriterQueue{file_}, AccessRefused);
  EXPECT_FALSE(fs::exists(folder_ / "elsewhere"));
}

TEST_F(WriterQueueTest, AnotherQueueWaitsForTheTurn) {
  WriterQueue first{file_};
  WriterQueue second{file_};
  std::atomic<bool> had_turn = false;
  WriterQueue::Turn turn = first.wait();
  std::thread other{[&] {
    WriterQueue::Turn own = second.wait();
    had_turn = true;
  }};
  tenure::testing::wait_for_lock_waiters(file_, 1);
  EXPECT_FALSE(had_turn);
  turn.end();
  turn.end();
  other.join();
  EXPECT_TRUE(had_turn);
}

TEST_F(WriterQueueTest, AThreadOfTheSameQueueWaitsToo) {
  WriterQueue queue{file_};
  std::atomic<int> inside = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int turns = 0; turns < 100; ++turns) {
        const WriterQueue::Turn turn = queue.wait();
        EXPECT_EQ(inside.fetch_add(1), 0);
        inside.fetch_sub(1);
      }
    });
  for (std::thread& thread : threads) thread.join();
}

TEST_F(WriterQueueTest, ASignalDoesNotEndTheWait) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "the thread sanitizer keeps signals back until a call that it knows, and flock is none";
#endif
  struct sigaction action {};
  struct sigaction before {};
  static std::atomic<int> signals;
  signals = 0;
  action.sa_handler = [](int) { ++signals; };  // without SA_RESTART: flock answers EINTR
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  WriterQueue first{file_};
  WriterQueue second{file_};
  std::atomic<bool> had_turn = false;
  WriterQueue::Turn turn = first.wait();
  std::thread other{[&] {
    const WriterQueue::Turn own = second.wait();
    had_turn = true;
  }};
  tenure::testing::wait_for_lock_waiters(file_, 1);
  ASSERT_EQ(::pthread_kill(other.native_handle(), SIGUSR1), 0);
  while (signals == 0) std::this_thread::yield();
  tenure::testing::wait_for_lock_waiters(file_, 1);
  EXPECT_FALSE(had_turn);
  turn.end();
  other.join();
  EXPECT_TRUE(had_turn);
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST_F(WriterQueueTest, ATurnMovesAndAnEmptyOneEndsNothing) {
  WriterQueue queue{file_};
  WriterQueue::Turn none;
  none.end();
  WriterQueue::Turn turn = queue.wait();
  none = std::move(turn);
  turn.end();
  EXPECT_EQ(tenure::testing::lock_waiters(file_), 0);
  none.end();
  const WriterQueue::Turn again = queue.wait();
}

}  // namespace
}  // namespace tenure::sqlite
