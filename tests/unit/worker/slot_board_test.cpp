#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <protocol/slot_board.hpp>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace tenure::daemon {
namespace {

using queue::ProcessExit;

constexpr ProcessExit kSegfault{ProcessExit::By::signal, SIGSEGV};
constexpr ProcessExit kExit{ProcessExit::By::code, 0};

queue::ClaimRef claim(std::int64_t seq) { return {queue::JobSeq{seq}, {queue::Incarnation{7}, seq + 100}}; }

class SlotBoardTest : public ::testing::Test {
 protected:
  Descriptor memory{value_or_raise(make_board(2))};
};

TEST_F(SlotBoardTest, OneThatNobodyKeptSaysNothing) {
  EXPECT_FALSE(read_board(memory.number(), kExit));
  EXPECT_FALSE(read_board(-1, kExit));
  const SlotBoard board(memory.number());
  ASSERT_TRUE(read_board(memory.number(), kExit));
  EXPECT_TRUE(read_board(memory.number(), kExit)->begun.empty());
}

TEST_F(SlotBoardTest, HasASlotForEachThreadAndNoMore) {
  const SlotBoard board(memory.number());
  EXPECT_NE(board.slot(0), nullptr);
  EXPECT_NE(board.slot(1), nullptr);
  EXPECT_EQ(board.slot(2), nullptr);
  EXPECT_EQ(SlotBoard{}.slot(0), nullptr);
}

TEST_F(SlotBoardTest, TellsTheLastJobOfEachSlotWhetherOrNotItHasEnded) {
  const SlotBoard board(memory.number());
  { const PerformedInSlot performed(board.slot(0), claim(1), {}); }
  { const PerformedInSlot performed(board.slot(0), claim(2), {}); }
  const PerformedInSlot performed(board.slot(1), claim(3), {});
  EXPECT_EQ(read_board(memory.number(), kExit)->begun, (std::vector{claim(2), claim(3)}));
}

TEST_F(SlotBoardTest, NamesWhoseThreadMetTheSignalThatEndedTheProcess) {
  const SlotBoard board(memory.number());
  const PerformedInSlot one(board.slot(0), claim(1), {});
  const PerformedInSlot two(board.slot(1), claim(2), {});
  board.slot(1)->signal = SIGSEGV;
  EXPECT_EQ(read_board(memory.number(), kSegfault)->crashed, std::vector{claim(2)});
  EXPECT_TRUE(read_board(memory.number(), {ProcessExit::By::signal, SIGKILL})->crashed.empty())
      << "it survived";
  EXPECT_TRUE(read_board(memory.number(), {ProcessExit::By::code, SIGSEGV})->crashed.empty());
  const PerformedInSlot next(board.slot(1), claim(3), {});
  EXPECT_TRUE(read_board(memory.number(), kSegfault)->crashed.empty()) << "of an earlier job";
}

TEST_F(SlotBoardTest, TwoThatMetASignalNameNobodyWhicheverEndedTheProcess) {
  const SlotBoard board(memory.number());
  const PerformedInSlot one(board.slot(0), claim(1), {});
  const PerformedInSlot two(board.slot(1), claim(2), {});
  board.slot(1)->signal = SIGSEGV;
  for (const int other : {SIGFPE, SIGSEGV}) {
    board.slot(0)->signal = other;
    EXPECT_TRUE(read_board(memory.number(), kSegfault)->crashed.empty());
  }
}

queue::AttemptEnd ended(std::int64_t seq, queue::RunResult result) {
  return {claim(seq), result, std::chrono::microseconds{seq * 10}, {}};
}

TEST_F(SlotBoardTest, TellsHowJobsHaveEndedWhoseSlotsPerformOthersSince) {
  SlotBoard board(memory.number());
  EXPECT_TRUE(read_board(memory.number(), kExit)->ended.empty());
  board.note_end(ended(1, queue::RunResult::succeeded));
  board.note_end(ended(2, queue::RunResult::failed));
  EXPECT_EQ(read_board(memory.number(), kExit)->ended,
            (std::vector{ended(1, queue::RunResult::succeeded), ended(2, queue::RunResult::failed)}));
  SlotBoard{}.note_end(ended(1, queue::RunResult::succeeded));
}

// As many as a process can have been assigned and not have told of.
TEST_F(SlotBoardTest, KeepsTheLastEndsAndNoMore) {
  SlotBoard board(memory.number());
  constexpr std::int64_t kKept = 2 + kBoardEndsMore;
  for (std::int64_t seq = 1; seq <= kKept + 1; ++seq) board.note_end(ended(seq, queue::RunResult::succeeded));
  const auto ends = read_board(memory.number(), kExit)->ended;
  ASSERT_EQ(std::ssize(ends), kKept);
  EXPECT_EQ(ends[0].claim, claim(kKept + 1)) << "in the place of the first";
  EXPECT_EQ(ends[1].claim, claim(2));
  EXPECT_EQ(ends.back().claim, claim(kKept));
  EXPECT_TRUE(read_board(memory.number(), kExit)->begun.empty());
}

TEST_F(SlotBoardTest, AnEndThatIsHalfWrittenOrSpoiltIsNone) {
  SlotBoard board(memory.number());
  board.note_end(ended(1, queue::RunResult::failed));
  auto* const units = static_cast<std::int64_t*>(
      ::mmap(nullptr, 4 * 64, PROT_READ | PROT_WRITE, MAP_SHARED, memory.number(), 0));
  ASSERT_NE(static_cast<void*>(units), MAP_FAILED);
  std::int64_t* const end = units + 3 * 8;  // behind the head and two slots
  ASSERT_EQ(end[1], 1);
  for (int word = 0; word <= 5; ++word) {
    const std::int64_t before = std::exchange(end[word], end[word] ^ 1);
    EXPECT_TRUE(read_board(memory.number(), kExit)->ended.empty()) << word;
    end[word] = before;
  }
  EXPECT_EQ(read_board(memory.number(), kExit)->ended.size(), 1U);
  ::munmap(units, 4 * 64);
}

TEST_F(SlotBoardTest, WhatIsHalfWrittenDownIsNoJob) {
  const SlotBoard board(memory.number());
  board.slot(0)->seq = 5;
  EXPECT_TRUE(read_board(memory.number(), kExit)->begun.empty());
}

TEST_F(SlotBoardTest, NobodyCanChangeItsSize) {
  EXPECT_EQ(::ftruncate(memory.number(), 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(::ftruncate(memory.number(), 1 << 20), -1);
}

}  // namespace
}  // namespace tenure::daemon
