#include <gmock/gmock.h>

#include <outbox/sweep_plan.hpp>
#include <string>
#include <vector>

namespace tenure::daemon {
namespace {

using namespace std::chrono_literals;
using queue::OutboxMark;
using queue::OutboxMarkNumber;
using queue::OutboxOwner;
using queue::OutboxSeq;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SweepPlanTest : public ::testing::Test {
 protected:
  static OutboxOwner owner(const std::string& name) { return {TenantName{name}, Generation{1}}; }
  OutboxMark mark(const std::string& name, std::optional<std::int64_t> epoch) {
    return {OutboxMarkNumber{++last_mark_}, owner(name), epoch, clock_.wall()};
  }
  void marked(const std::vector<OutboxMark>& marks, SweepPlan::Mark when = SweepPlan::Mark::later) {
    plan_.marked(marks, when, clock_.steady());
  }
  // The names of all that are due, each looked at with that outcome.
  std::vector<std::string> look(const SweepOutcome& outcome) {
    std::vector<std::string> names;
    while (const auto look = plan_.next(clock_.steady())) {
      names.push_back(look->owner.tenant.text());
      SweepOutcome its = outcome;
      its.has_ended_marks = outcome.is_empty && !look->ending.empty();
      was_news_ = plan_.looked(*look, its, {clock_.wall(), clock_.steady()});
      if (is_heard_) plan_.told(look->owner);
      if (names.size() > 100) break;
    }
    return names;
  }
  std::vector<std::string> find_empty(std::int64_t watermark = 1) {
    return look({.watermark = OutboxSeq{watermark}, .is_empty = true});
  }
  std::vector<std::string> find_trouble(const std::string& trouble = "locked") {
    return look({.trouble = trouble});
  }

  VirtualClock clock_;
  SweepPlan plan_;
  std::int64_t last_mark_ = 0;
  bool was_news_ = false;
  bool is_heard_ = true;
};

TEST_F(SweepPlanTest, WithoutMarksNothingIsEverDue) {
  marked({}, SweepPlan::Mark::at_start);
  EXPECT_EQ(plan_.next(clock_.steady() + std::chrono::hours{1}), std::nullopt);
  EXPECT_EQ(plan_.next_at(), std::nullopt);
  EXPECT_EQ(plan_.oldest_wait(), std::nullopt);
}

TEST_F(SweepPlanTest, MarksThatWereThereAtTheStartComeAtOnceInTheirOrder) {
  marked({mark("acme", 1), mark("globex", std::nullopt)}, SweepPlan::Mark::at_start);
  marked({mark("initech", 3)}, SweepPlan::Mark::at_start);
  EXPECT_EQ(plan_.read_until(), OutboxMarkNumber{3});
  EXPECT_THAT(find_empty(), ElementsAre("acme", "globex", "initech"));
  EXPECT_THAT(find_empty(), IsEmpty());
}

TEST_F(SweepPlanTest, AMarkThatIsSetAgainTakesThePlaceOfTheOneBefore) {
  for (int again = 0; again < 1000; ++again) marked({mark("acme", std::nullopt), mark("acme", again)});
  EXPECT_EQ(plan_.marks_of(owner("acme")).size(), 1U + 1000U) << "one without an epoch, and those with";
}

TEST_F(SweepPlanTest, ALaterMarkComesAtOnceOnlyWhereARunHasEndedWithoutAWord) {
  marked({mark("acme", 1), mark("globex", std::nullopt)});
  EXPECT_THAT(find_empty(), ElementsAre("globex"));
  EXPECT_EQ(plan_.files(), 1U) << "its mark has ended with the look";
  clock_.advance(SweepPlan::kLookEvery - 1us);
  EXPECT_THAT(find_empty(), IsEmpty());
  clock_.advance(1us);
  EXPECT_THAT(find_empty(), ElementsAre("acme"));
}

TEST_F(SweepPlanTest, AMarkWithAnEpochEndsWhenNothingNewHasComeForAWhile) {
  marked({mark("acme", 1)}, SweepPlan::Mark::at_start);
  std::int64_t watermark = 1;
  for (int look = 0; look < 20; ++look) {  // its application goes on writing, beyond kQuietFor
    EXPECT_THAT(find_empty(watermark++), ElementsAre("acme"));
    clock_.advance(SweepPlan::kLookEvery);
  }
  EXPECT_THAT(find_empty(watermark), ElementsAre("acme"));
  auto quiet = SweepPlan::kLookEvery;
  for (; quiet < SweepPlan::kQuietFor; quiet += SweepPlan::kLookEvery) {
    clock_.advance(SweepPlan::kLookEvery);
    EXPECT_THAT(plan_.next(clock_.steady())->ending, IsEmpty()) << quiet.count();
    EXPECT_THAT(find_empty(watermark), ElementsAre("acme"));
  }
  clock_.advance(SweepPlan::kLookEvery);
  EXPECT_EQ(plan_.next(clock_.steady())->ending.size(), 1U);
  EXPECT_THAT(find_empty(watermark), ElementsAre("acme"));
  EXPECT_EQ(plan_.files(), 0U);
  EXPECT_EQ(plan_.next_at(), std::nullopt);
}

TEST_F(SweepPlanTest, AFileOfAControlDatabaseThatWasPutBackIsLookedAtOnce) {
  marked({mark("acme", queue::kEpochOfRestore), mark("globex", 1)}, SweepPlan::Mark::at_start);
  EXPECT_THAT(find_empty(), ElementsAre("acme", "globex"));
  EXPECT_EQ(plan_.files(), 1U);
  EXPECT_THAT(plan_.marks_of(owner("acme")), IsEmpty());
  marked({mark("acme", queue::kEpochOfRestore)});
  marked({mark("acme", queue::kEpochOfRestore)});
  EXPECT_EQ(plan_.marks_of(owner("acme")).size(), 1U) << "the one before it has this number now";
  EXPECT_THAT(find_empty(), ElementsAre("acme")) << "at once, also later";
  EXPECT_EQ(plan_.files(), 1U);
}

TEST_F(SweepPlanTest, OnlyTheMarksOfTheLookEnd) {
  marked({mark("acme", 1), mark("acme", std::nullopt)}, SweepPlan::Mark::at_start);
  const auto look = plan_.next(clock_.steady());
  ASSERT_EQ(look->ending.size(), 1U);
  EXPECT_EQ(look->ending[0].epoch, std::nullopt);
  EXPECT_THAT(find_empty(), ElementsAre("acme"));
  ASSERT_EQ(plan_.marks_of(owner("acme")).size(), 1U);
  EXPECT_EQ(plan_.marks_of(owner("acme"))[0].epoch, 1);
}

TEST_F(SweepPlanTest, AFileInTroubleComesMoreAndMoreRarelyAndHoldsUpNoOther) {
  marked({mark("acme", 1), mark("globex", 1)}, SweepPlan::Mark::at_start);
  auto wait = std::chrono::microseconds{SweepPlan::kBackOffMin};
  EXPECT_THAT(find_trouble(), ElementsAre("acme", "globex"));
  EXPECT_TRUE(was_news_);
  for (int look = 0; look < 12; ++look) {
    clock_.advance(wait - 1us);
    EXPECT_THAT(find_trouble(), IsEmpty());
    marked({mark("initech", std::nullopt)});
    EXPECT_THAT(find_empty(), ElementsAre("initech"));
    clock_.advance(1us);
    EXPECT_THAT(find_trouble(), ElementsAre("acme", "globex"));
    EXPECT_FALSE(was_news_);
    wait = std::min<std::chrono::microseconds>(wait * 2, SweepPlan::kBackOffMax);
  }
  EXPECT_EQ(plan_.files_in_trouble(), 2U);
  clock_.advance(SweepPlan::kBackOffMax);
  EXPECT_THAT(find_trouble("another"), ElementsAre("acme", "globex"));
  EXPECT_TRUE(was_news_);
  clock_.advance(SweepPlan::kBackOffMax);
  EXPECT_THAT(find_empty(), ElementsAre("acme", "globex"));
  EXPECT_EQ(plan_.files_in_trouble(), 0U);
  clock_.advance(SweepPlan::kLookEvery);
  EXPECT_THAT(find_empty(), ElementsAre("acme", "globex")) << "as any other again";
}

TEST_F(SweepPlanTest, AMarkOfAFileInTroubleDoesNotBringItForward) {
  marked({mark("acme", 1)}, SweepPlan::Mark::at_start);
  EXPECT_THAT(find_trouble(), ElementsAre("acme"));
  marked({mark("acme", std::nullopt)});
  EXPECT_THAT(find_trouble(), IsEmpty());
  clock_.advance(SweepPlan::kBackOffMin);
  EXPECT_THAT(find_empty(), ElementsAre("acme"));
}

TEST_F(SweepPlanTest, TroubleIsNewsUntilSomebodyHasHeardOfIt) {
  marked({mark("acme", 1)}, SweepPlan::Mark::at_start);
  is_heard_ = false;
  for (int look = 0; look < 3; ++look) {
    EXPECT_THAT(find_trouble(), ElementsAre("acme"));
    EXPECT_TRUE(was_news_);
    clock_.advance(SweepPlan::kBackOffMax);
    is_heard_ = look > 0;
  }
  EXPECT_THAT(find_trouble(), ElementsAre("acme"));
  EXPECT_FALSE(was_news_);
}

TEST_F(SweepPlanTest, TroubleOfTheStoreMakesNoFileComeMoreRarely) {
  marked({mark("acme", 1)}, SweepPlan::Mark::at_start);
  for (int look = 0; look < 10; ++look) {
    EXPECT_THAT(this->look({.trouble = "busy", .is_of_store = true}), ElementsAre("acme"));
    clock_.advance(SweepPlan::kBackOffMin);
  }
  EXPECT_EQ(plan_.files_in_trouble(), 0U);
}

TEST_F(SweepPlanTest, AFileWithMoreThanALookTakesAlongComesNextBehindTheOthers) {
  marked({mark("acme", 1), mark("globex", 1)}, SweepPlan::Mark::at_start);
  const auto first = plan_.next(clock_.steady());
  EXPECT_EQ(first->owner, owner("acme"));
  static_cast<void>(plan_.looked(*first, {.watermark = OutboxSeq{1000}}, {clock_.wall(), clock_.steady()}));
  EXPECT_THAT(find_empty(), ElementsAre("globex", "acme"));
}

TEST_F(SweepPlanTest, ItsOldestWaitIsSinceTheMarkOrSinceItWasEmpty) {
  marked({mark("acme", 1)}, SweepPlan::Mark::at_start);
  const WallTime marked_at = clock_.wall();
  clock_.advance(5s);
  marked({mark("globex", 1)}, SweepPlan::Mark::at_start);
  EXPECT_EQ(plan_.oldest_wait(), marked_at);
  EXPECT_THAT(find_trouble(), ElementsAre("acme", "globex"));
  EXPECT_EQ(plan_.oldest_wait(), marked_at);
  clock_.advance(10s);
  EXPECT_THAT(find_empty(), ElementsAre("acme", "globex"));
  EXPECT_EQ(plan_.oldest_wait(), clock_.wall());
}

TEST_F(SweepPlanTest, AFileThatIsLeftIsNeverDueAgainAndCountsAsInTrouble) {
  marked({mark("acme", 1)}, SweepPlan::Mark::at_start);
  plan_.leave(owner("acme"));
  marked({mark("acme", std::nullopt)});
  clock_.advance(std::chrono::hours{1});
  EXPECT_EQ(plan_.next(clock_.steady()), std::nullopt);
  EXPECT_EQ(plan_.files_in_trouble(), 1U);
  plan_.drop(owner("acme"));
  EXPECT_EQ(plan_.files(), 0U);
}

}  // namespace
}  // namespace tenure::daemon
