#include "support/lock_waiters.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/writer_queue.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace tenure::sqlite {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using tenure::testing::wait_for_lock_waiters;

constexpr milliseconds kLong{600'000};

// Whether its turn comes within a moment.
bool has_turn(WriterQueue& queue) {
  bool come = false;
  try {
    queue.run(milliseconds{1}, [&](WriterQueue::Turn&) { come = true; });
  } catch (const StoreBusy&) {
    EXPECT_FALSE(come);
  }
  return come;
}

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
  std::thread other;
  first.run(kLong, [&](WriterQueue::Turn& turn) {
    other = std::thread{[&] { second.run(kLong, [&](WriterQueue::Turn&) { had_turn = true; }); }};
    wait_for_lock_waiters(file_, 1);
    EXPECT_FALSE(had_turn);
    turn.end();
    turn.end();
    other.join();
    EXPECT_TRUE(had_turn);
  });
}

TEST_F(WriterQueueTest, AThreadOfTheSameQueueWaitsToo) {
  WriterQueue queue{file_};
  std::atomic<int> inside = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int turns = 0; turns < 100; ++turns)
        queue.run(kLong, [&](WriterQueue::Turn&) {
          EXPECT_EQ(inside.fetch_add(1), 0);
          inside.fetch_sub(1);
        });
    });
  for (std::thread& thread : threads) thread.join();
}

// Eight queues stand for eight processes: most of their turns come on the queues' own threads.
TEST_F(WriterQueueTest, OfSeveralQueuesOneAtATimeHasTheTurnAndNoneIsLost) {
  constexpr int kTurns = 200;
  std::atomic<int> inside = 0, turns = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, queue = std::make_shared<WriterQueue>(file_)] {
      for (int own = 0; own < kTurns; ++own)
        queue->run(kLong, [&](WriterQueue::Turn&) {
          EXPECT_EQ(inside.fetch_add(1), 0);
          ++turns;
          inside.fetch_sub(1);
        });
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(turns, 8 * kTurns);
}

TEST_F(WriterQueueTest, WhatTheWorkThrowsReachesItsCallerAndEndsTheTurn) {
  WriterQueue first{file_};
  WriterQueue second{file_};
  const auto fail = [](WriterQueue::Turn&) { throw std::runtime_error{"no"}; };
  EXPECT_THROW(first.run(kLong, fail), std::runtime_error) << "on its own thread";
  std::thread other;
  first.run(kLong, [&](WriterQueue::Turn&) {
    other = std::thread{[&] { EXPECT_THROW(second.run(kLong, fail), std::runtime_error); }};
    wait_for_lock_waiters(file_, 1);
  });
  other.join();
  EXPECT_TRUE(has_turn(first));
  EXPECT_TRUE(has_turn(second));
}

TEST_F(WriterQueueTest, ASignalDoesNotEndTheWait) {
  struct sigaction action {};
  struct sigaction before {};
  static std::atomic<int> signals;
  signals = 0;
  action.sa_handler = [](int) { ++signals; };  // without SA_RESTART
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  WriterQueue first{file_};
  WriterQueue second{file_};
  std::atomic<bool> had_turn = false;
  std::thread other;
  first.run(kLong, [&](WriterQueue::Turn&) {
    other = std::thread{[&] { second.run(kLong, [&](WriterQueue::Turn&) { had_turn = true; }); }};
    wait_for_lock_waiters(file_, 1);
    ASSERT_EQ(::pthread_kill(other.native_handle(), SIGUSR1), 0);
    while (signals == 0) std::this_thread::yield();
    wait_for_lock_waiters(file_, 1);
    EXPECT_FALSE(had_turn);
  });
  other.join();
  EXPECT_TRUE(had_turn);
  ::sigaction(SIGUSR1, &before, nullptr);
}

// A process that was stopped in its turn does not end it.
TEST_F(WriterQueueTest, PastTheBoundItIsStoreBusyAndNamesFileAndProcess) {
  WriterQueue first{file_};
  WriterQueue second{file_};
  first.run(kLong, [&](WriterQueue::Turn&) {
    for (const milliseconds wait_max : {milliseconds{0}, milliseconds{1}, milliseconds{1}}) {
      try {
        second.run(wait_max, [](WriterQueue::Turn&) { ADD_FAILURE() << "it had the turn of somebody else"; });
        ADD_FAILURE() << "nothing was done, and nobody told";
      } catch (const StoreBusy& busy) {
        EXPECT_NE(busy.failure().message.find("process " + std::to_string(::getpid())), std::string::npos)
            << busy.failure().message;
        EXPECT_EQ(busy.failure().where, file_.string());
      }
    }
    EXPECT_FALSE(has_turn(first)) << "another thread of the same process waits too";
  });
  EXPECT_EQ(permanence_of(ErrorCode::store_busy), Permanence::transient);
}

TEST_F(WriterQueueTest, AfterAWaitThatWasGivenUpEverybodyHasHisTurnAgain) {
  WriterQueue first{file_};
  WriterQueue second{file_};
  for (int round = 0; round < 20; ++round) {
    std::thread other;
    std::atomic<int> turns = 0;
    first.run(kLong, [&](WriterQueue::Turn&) {
      EXPECT_FALSE(has_turn(second));
      wait_for_lock_waiters(file_, 1);  // its place in the line is kept
      if (round % 2 == 0)
        other = std::thread{[&] { second.run(kLong, [&](WriterQueue::Turn&) { ++turns; }); }};
    });
    if (other.joinable()) other.join();
    EXPECT_EQ(turns, round % 2 == 0 ? 1 : 0);
    first.run(kLong, [&](WriterQueue::Turn&) { ++turns; });
    second.run(kLong, [&](WriterQueue::Turn&) { ++turns; });
    EXPECT_EQ(turns, round % 2 == 0 ? 3 : 2);
  }
  EXPECT_EQ(tenure::testing::lock_waiters(file_), 0);
}

TEST_F(WriterQueueTest, AQueueEndsThoughItsPlaceInTheLineIsNotServed) {
  WriterQueue first{file_};
  first.run(kLong, [&](WriterQueue::Turn&) {
    {
      WriterQueue second{file_};
      EXPECT_FALSE(has_turn(second));
    }
    wait_for_lock_waiters(file_, 1);
  });
  wait_for_lock_waiters(file_, 0);
  WriterQueue third{file_};
  third.run(kLong, [](WriterQueue::Turn&) {});
}

TEST_F(WriterQueueTest, ATurnMovesAndAnEmptyOneEndsNothing) {
  WriterQueue queue{file_};
  WriterQueue::Turn none;
  none.end();
  queue.run(kLong, [&](WriterQueue::Turn& turn) {
    none = std::move(turn);
    turn.end();
    EXPECT_FALSE(has_turn(queue));
    none.end();
    EXPECT_TRUE(has_turn(queue));
    none.end();
  });
  EXPECT_TRUE(has_turn(queue));
}

}  // namespace
}  // namespace tenure::sqlite
