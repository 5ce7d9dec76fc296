#include "stepper.hpp"

#include <gtest/gtest.h>

#include <vector>

// What runs tell of themselves, on its way through the dispatcher into a round.
namespace tenure::daemon {
namespace {

using queue::Progress;
using queue::RunNews;

class Told : public ::testing::Test {
 protected:
  Told() {
    stepper.come_to_claim(2);
    stepper.answer_claims({Stepper::jobs_of(stepper.claims().at(0), 2)});
    claims = stepper.last_assigned();
    while (stepper.has_round()) stepper.answer();
  }
  void tell(RunNews news) { stepper.step(RunsTold{ProcessNumber{1}, {std::move(news)}}); }
  std::vector<RunNews> asked() { return stepper.round().ask<RunNewsPart>().value_or(std::vector<RunNews>{}); }

  Stepper stepper;
  std::vector<queue::ClaimRef> claims;
};

TEST_F(Told, RUN_13_TheLatestOfEachRunIsStoredWithTheNextRound) {
  ASSERT_EQ(claims.size(), 2U);
  tell({claims[0], Progress{1, 9, "a"}, "c1"});
  ASSERT_TRUE(stepper.has_round());
  EXPECT_EQ(asked(), (std::vector<RunNews>{{claims[0], Progress{1, 9, "a"}, "c1"}}));
  tell({claims[0], Progress{2, 9, "b"}, ""});
  tell({claims[1], std::nullopt, "d1"});
  tell({claims[0], std::nullopt, "c2"});
  tell({claims[0], Progress{3, 9, "c"}, ""});
  stepper.answer();
  ASSERT_TRUE(stepper.has_round());
  EXPECT_EQ(asked(),
            (std::vector<RunNews>{{claims[0], Progress{3, 9, "c"}, "c2"}, {claims[1], std::nullopt, "d1"}}));
  stepper.answer();
  EXPECT_FALSE(stepper.has_round()) << "once";
}

TEST_F(Told, WhatWasNotStoredIsToldAgainButForWhatIsNewer) {
  tell({claims[0], Progress{1, 9, "a"}, "c1"});
  tell({claims[0], Progress{2, 9, "b"}, ""});
  stepper.fail();
  stepper.pass(10s);
  stepper.step(TimePassed{});
  ASSERT_TRUE(stepper.has_round());
  EXPECT_EQ(asked(), (std::vector<RunNews>{{claims[0], Progress{2, 9, "b"}, "c1"}}));
}

TEST_F(Told, ARunThatIsNotOutstandingTellsNothing) {
  queue::ClaimRef other = claims[0];
  ++other.token.counter;
  tell({other, Progress{1, 9, "a"}, "c1"});
  stepper.step(RunsTold{ProcessNumber{9}, {{claims[0], Progress{1, 9, "a"}, "c1"}}});
  EXPECT_TRUE(!stepper.has_round() || asked().empty());
}

// So that a job which is given back has its last cursor.
TEST_F(Told, ComesBeforeTheEndsOfTheSameRound) {
  static_assert(RoundParts::index<RunNewsPart>() < RoundParts::index<EndsPart>());
  stepper.step(WakeHinted{});
  ASSERT_TRUE(stepper.has_round());
  tell({claims[0], std::nullopt, "c1"});
  stepper.step(AttemptsEnded{ProcessNumber{1},
                             {{claims[0], RunResult::failed, 10us, {ErrorCode::interrupted, "stopped"}}}});
  stepper.answer();
  ASSERT_TRUE(stepper.has_round());
  EXPECT_EQ(asked().size(), 1U);
  EXPECT_EQ(stepper.ends().size(), 1U);
}

}  // namespace
}  // namespace tenure::daemon
