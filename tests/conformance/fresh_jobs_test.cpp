#include "bookkeeping_test.hpp"

#include <functional>
#include <vector>

// Memory of fresh jobs that was undone and is read anew by the verb that needs it first, with limits so small that reading anew
// absorbs on its way.
namespace tenure::testing {
namespace {

class FreshJobsTest : public BookkeepingTest {
 protected:
  FreshJobsTest() : BookkeepingTest(eager_bookkeeping()) {}

  // One less: memory makes room before it looks for a row that may not be there.
  const std::size_t held_max_ = eager_bookkeeping().fresh.jobs_max - 1;
};

}  // namespace

TEST_F(FreshJobsTest, AJobIsGivenBackAlthoughReadingAnewAbsorbsItsNeighbours) {
  using Verb = std::function<Result<void>(StoreWriter&, ClaimRef)>;
  const std::vector<Verb> verbs{
      [&](StoreWriter& writer, ClaimRef claim) { return writer.release(claim, false, {}, now_); },
      [&](StoreWriter& writer, ClaimRef claim) {
        return writer.reclaim(claim, CrashCharge::none, {}, now_);
      }};
  for (const Verb& verb : verbs) {
    const Enqueued first = put("a.one", now_);
    for (std::size_t i = 1; i < held_max_; ++i) put("a.two", now_);
    follow();
    const auto claimed = claim(first.arrival->lane, 1);
    ASSERT_EQ(claimed.size(), 1U);
    undo_something();
    EXPECT_TRUE(written([&](StoreWriter& writer) {
      return verb(writer, {claimed[0].seq, claimed[0].token});
    }));
    EXPECT_EQ(misplaced(), std::vector<std::string>{});
    EXPECT_EQ(claim(first.arrival->lane, 2).size(), 1U) << "once";
    while (store_.tidy()) continue;
  }
}

TEST_F(FreshJobsTest, ClaimsOfAFormerHolderAreGivenBackAlthoughReadingAnewAbsorbs) {
  const Enqueued first = put("a.one", now_);
  for (std::size_t i = 1; i < held_max_; ++i) put("a.two", now_);
  follow();
  ASSERT_EQ(claim(first.arrival->lane, 1).size(), 1U);
  undo_something();
  const auto jobs = written([&](StoreWriter& writer) {
    return writer.reclaim_of_former_holders(Incarnation{kLife.value + 1}, 10, now_);
  });
  EXPECT_EQ(jobs.size(), 1U);
  EXPECT_EQ(misplaced(), std::vector<std::string>{});
}

// A row that reading anew puts between two that were read already must not leave the lane with them.
TEST_F(FreshJobsTest, AClaimTakesWhatReadingAnewAbsorbsIntoItsLane) {
  const Enqueued early = put("a.one", now_ + seconds{1});
  const Enqueued late = put("a.one", now_ + seconds{10});
  for (int i = 0; i < 3; ++i) put("a.two", now_ + hours{1});  // so that the mark is worth raising
  now_ += seconds{20};
  ASSERT_EQ(written([&](StoreWriter& writer) { return writer.promote(now_, 10); }).size(), 2U);
  follow();
  ASSERT_TRUE(store_.tidy());
  const Enqueued between = put("a.one", now_ - seconds{15});
  for (std::size_t i = 1; i < held_max_; ++i) put("a.two", now_);
  follow();
  undo_something();
  const auto claimed = claim(early.arrival->lane, 3);
  ASSERT_EQ(claimed.size(), 3U);
  EXPECT_EQ(claimed[0].seq, early.seq);
  EXPECT_EQ(claimed[1].seq, between.seq);
  EXPECT_EQ(claimed[2].seq, late.seq);
  EXPECT_EQ(misplaced(), std::vector<std::string>{});
}

TEST_F(FreshJobsTest, WhatWasToldOnceIsFoundAfterReadingAnew) {
  for (std::size_t i = 1; i < held_max_; ++i) put("a.two", now_);
  const Enqueued last = put("a.one", now_);
  follow();
  undo_something();
  const auto claimed = claim(last.arrival->lane, 1);
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].seq, last.seq);
}

}  // namespace tenure::testing
