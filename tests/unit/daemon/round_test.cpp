#include "rounds_by_hand.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/daemon/round.hpp>
#include <tenure/queue/memory_store.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace tenure::daemon {
namespace {

using queue::ClaimRequest;
using queue::Incarnation;
using queue::JobSeq;
using queue::JobState;
using queue::Lane;

constexpr std::size_t kPlenty = std::numeric_limits<std::size_t>::max();
const WallTime kRoundTime = from_us(1'700'000'000'000'000);

class RoundTest : public ::testing::Test {
 protected:
  void enqueue(std::uint8_t number, WallTime due = kRoundTime, std::string arguments = "{}") {
    queue::NewJob job;
    job.id = queue::JobId{Uuid{Uuid::Bytes{number}}};
    job.queue = "default";
    job.kind = "job";
    job.due = due;
    job.attempts_max = 10;
    job.arguments = std::move(arguments);
    store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      ASSERT_TRUE(writer.enqueue(job, kRoundTime).has_value());
    });
  }
  RoundReply round(const RoundWork& work, WallTime now = kRoundTime) { return run_round(*store, work, now); }
  Incarnation open() { return *round(asking<OpeningPart>({"test", 1})).answer<OpeningPart>(); }
  Lane lane() { return round(asking<LaneScanPart>({})).answer<LaneScanPart>()->lanes.at(0); }
  ClaimRequest request(Incarnation incarnation, std::size_t count, std::int64_t counter) {
    ClaimRequest made;
    const Lane where = lane();
    made.queue = where.queue;
    made.priority = where.priority;
    made.tenant = where.tenant;
    made.kinds = {{where.kind, std::nullopt}};
    made.count = count;
    made.incarnation = incarnation;
    made.first_counter = counter;
    made.process = queue::ProcessNumber{1};
    return made;
  }
  std::vector<queue::ClaimReply> claimed(std::vector<ClaimRequest> requests,
                                         std::size_t bytes_max = kPlenty) {
    return *round(asking<ClaimsPart>({std::move(requests), bytes_max})).answer<ClaimsPart>();
  }
  EndsPart::Answer ended(std::vector<ClaimEnd> ends) {
    return *round(asking<EndsPart>(std::move(ends))).answer<EndsPart>();
  }
  std::unique_ptr<queue::Store> store = queue::make_memory_store();
};

TEST_F(RoundTest, ADispatcherThatHasBeenFollowedChangesNothing) {
  const Incarnation former = open();
  enqueue(1);
  const Incarnation later = open();
  RoundWork work = asking<ClaimsPart>({{request(former, 1, 1)}, kPlenty});
  work.incarnation = former;
  EXPECT_THROW(static_cast<void>(round(work)), ClaimLost);
  store->read([](queue::JobReader& reader) { EXPECT_EQ(reader.summary().claims, 0); });
  work.incarnation = later;
  EXPECT_EQ(round(work).answer<ClaimsPart>()->at(0).jobs.size(), 1U);
}

TEST_F(RoundTest, OnlyOpeningIsDurable) {
  RoundWork work;
  EXPECT_TRUE(work.is_empty());
  work.ask<LaneHintsPart>().emplace();
  EXPECT_FALSE(work.is_empty());
  EXPECT_EQ(work.durability(), queue::Durability::ordered);
  work.ask<OpeningPart>().emplace();
  EXPECT_EQ(work.durability(), queue::Durability::durable);
}

TEST_F(RoundTest, IncarnationsGrowAlsoWhereTheClockIsSetBack) {
  const RoundWork work = asking<OpeningPart>({"test", 1});
  const auto first = *round(work).answer<OpeningPart>();
  const auto second = *round(work, kRoundTime - std::chrono::hours{24 * 365}).answer<OpeningPart>();
  EXPECT_EQ(first.value, (kRoundTime.time_since_epoch().count() / 1'000'000) - 1'577'836'800);
  EXPECT_EQ(second.value, first.value + 1);
}

TEST_F(RoundTest, EndsComeBeforeClaimsSoThatWhatIsReleasedCanBeClaimedAtOnce) {
  enqueue(1);
  const Incarnation incarnation = open();
  const ClaimRequest second = request(incarnation, 1, 2);
  const auto job = claimed({request(incarnation, 1, 1)}).at(0).jobs.at(0);
  RoundWork both = asking<EndsPart>({{{job.seq, job.token}, EndRelease{}}});
  both.ask<ClaimsPart>() = ClaimsPart::Ask{{second}, kPlenty};
  const RoundReply reply = round(both);
  EXPECT_EQ(reply.answer<EndsPart>()->at(0), JobState::ready);
  const auto& again = reply.answer<ClaimsPart>()->at(0).jobs;
  ASSERT_EQ(again.size(), 1U);
  EXPECT_LT(job.token, again[0].token);
}

TEST_F(RoundTest, LSE_02_AnEndWithAnOldTokenIsLostAndTheOthersAreNot) {
  for (std::uint8_t number = 1; number <= 2; ++number) enqueue(number);
  const Incarnation incarnation = open();
  const auto jobs = claimed({request(incarnation, 2, 1)}).at(0).jobs;
  auto old = jobs[0].token;
  --old.counter;
  const auto states = ended({{{jobs[0].seq, old}, EndSucceeded{}},
                             {{jobs[0].seq, old}, EndRetry{kRoundTime, {}}},
                             {{jobs[0].seq, old}, EndRelease{true, {}}},
                             {{jobs[0].seq, old}, EndReclaim{queue::CrashCharge::counted, {}}},
                             {{jobs[0].seq, old}, EndFinal{JobState::dead, queue::JobReason::poison, {}}},
                             {{jobs[0].seq, old}, EndBlock{}},
                             {{jobs[1].seq, jobs[1].token}, EndSucceeded{}}});
  for (std::size_t index = 0; index < 6; ++index) {
    ASSERT_FALSE(states.at(index).has_value()) << index;
    EXPECT_EQ(states[index].error().code, ErrorCode::claim_lost);
  }
  EXPECT_EQ(states.at(6), JobState::succeeded);
  EXPECT_EQ(ended({{{jobs[0].seq, jobs[0].token}, EndSucceeded{}}}).at(0), JobState::succeeded);
}

TEST_F(RoundTest, WhatAHandlerReturnedIsStoredWithItsSuccessAndForNoLoser) {
  for (std::uint8_t number = 1; number <= 2; ++number) enqueue(number);
  const Incarnation incarnation = open();
  const auto jobs = claimed({request(incarnation, 2, 1)}).at(0).jobs;
  auto old = jobs[1].token;
  --old.counter;
  const queue::JobResult returned{"[1]", std::chrono::minutes{5}};
  const auto states = ended(
      {{{jobs[0].seq, jobs[0].token}, EndSucceeded{returned}}, {{jobs[1].seq, old}, EndSucceeded{returned}}});
  ASSERT_EQ(states.at(0), JobState::succeeded);
  ASSERT_FALSE(states.at(1).has_value());
  store->read([&](queue::JobReader& reader) {
    EXPECT_EQ(reader.result(jobs[0].seq, kRoundTime),
              (queue::StoredResult{"[1]", kRoundTime + std::chrono::minutes{5}}));
    EXPECT_EQ(reader.result(jobs[1].seq, kRoundTime), std::nullopt);
  });
}

TEST_F(RoundTest, EachEndTellsTheStateThatTheJobHasThen) {
  for (std::uint8_t number = 1; number <= 5; ++number) enqueue(number);
  const Incarnation incarnation = open();
  const auto jobs = claimed({request(incarnation, 5, 1)}).at(0).jobs;
  const auto ref = [&](std::size_t index) { return queue::ClaimRef{jobs[index].seq, jobs[index].token}; };
  RoundWork ends =
      asking<EndsPart>({{ref(0), EndRetry{kRoundTime + std::chrono::seconds{16}, {}}},
                        {ref(1), EndFinal{JobState::dead, queue::JobReason::permanent_error, {}}},
                        {ref(2), EndBlock{}},
                        {ref(3), EndReclaim{}},
                        {ref(4), EndReclaim{queue::CrashCharge::counted, {}}}});
  ends.ask<NextDuePart>().emplace();
  const RoundReply reply = round(ends);
  const auto& states = *reply.answer<EndsPart>();
  EXPECT_EQ(states.at(0), JobState::scheduled);
  EXPECT_EQ(states.at(1), JobState::dead);
  EXPECT_EQ(states.at(2), JobState::blocked);
  EXPECT_EQ(states.at(3), JobState::ready);
  EXPECT_EQ(states.at(4), JobState::ready);
  EXPECT_EQ(*reply.answer<NextDuePart>(), kRoundTime + std::chrono::seconds{16});
  EXPECT_EQ(round(asking<BlockedJobsPart>({})).answer<BlockedJobsPart>()->size(), 1U);
}

TEST_F(RoundTest, TwoRequestsForOneLaneDivideItInOrder) {
  for (std::uint8_t number = 1; number <= 5; ++number) enqueue(number);
  const Incarnation incarnation = open();
  const auto replies = claimed({request(incarnation, 2, 1), request(incarnation, 9, 3)});
  ASSERT_EQ(replies.size(), 2U);
  std::vector<std::int64_t> seqs;
  for (const auto& each : replies) {
    for (const auto& job : each.jobs) seqs.push_back(job.seq.value);
  }
  EXPECT_EQ(seqs, (std::vector<std::int64_t>{1, 2, 3, 4, 5}));
}

TEST_F(RoundTest, ClaimsShareTheBytesOfTheRoundAndTheNextRoundGoesOn) {
  store = queue::make_memory_store({.payload_max = limits::kPayloadMax});
  constexpr std::size_t kBig = limits::kPayloadMax - 1000;
  constexpr std::size_t kFit = 7;
  for (std::uint8_t number = 1; number <= kFit + 3; ++number)
    enqueue(number, kRoundTime, std::string(kBig, '0'));
  const Incarnation incarnation = open();
  std::vector<ClaimRequest> requests{request(incarnation, kFit - 1, 1), request(incarnation, 4, 100),
                                     request(incarnation, 1, 200), request(incarnation, 2, 300)};
  requests[1].first_of_any_size = false;
  requests[2].first_of_any_size = false;
  const auto first = claimed(requests, kFit * limits::kPayloadMax);
  EXPECT_EQ(first.at(0).jobs.size(), kFit - 1);
  EXPECT_FALSE(first.at(0).stopped_by_bytes);
  EXPECT_EQ(first.at(1).jobs.size(), 1U);
  EXPECT_TRUE(first.at(1).stopped_by_bytes);
  EXPECT_TRUE(first.at(2).jobs.empty());
  EXPECT_TRUE(first.at(2).stopped_by_bytes);
  EXPECT_EQ(first.at(3).jobs.size(), 1U) << "whatever its size";
  EXPECT_EQ(claimed({request(incarnation, 4, 400)}).at(0).jobs.size(), 2U);
}

TEST_F(RoundTest, ALookWhereNobodyHasWrittenDoesNothing) {
  RoundWork look = asking<NewJobsPart>({});
  look.change_check.emplace();
  const std::int64_t before = store->change_counter();
  RoundReply reply = round(look);
  EXPECT_FALSE(reply.was_unchanged);
  EXPECT_EQ(reply.change_counter, before);
  look.change_check->unless_still = store->change_counter();
  reply = round(look);
  EXPECT_TRUE(reply.was_unchanged);
  enqueue(1);
  reply = round(look);
  EXPECT_FALSE(reply.was_unchanged);
  EXPECT_EQ(reply.answer<NewJobsPart>()->size(), 1U);
}

TEST_F(RoundTest, NothingHappensWhereTheStoreThrows) {
  const RoundWork work = asking<EndsPart>({{{JobSeq{1}, {}}, EndSucceeded{}}});
  struct Failing final : queue::Store {
    void write(queue::Durability, FunctionRef<void(queue::StoreWriter&)>) override {
      raise(ErrorCode::disk, "no");
    }
    void read(FunctionRef<void(queue::JobReader&)>) override {}
    void sync() override {}
    Result<std::string> outbox_row(const queue::NewJob&) override { return std::string{}; }
    std::int64_t change_counter() override { return 0; }
    void checkpoint(std::int64_t) override {}
    bool tidy() override { return false; }
    TenantRegistry& registry() override { invariant_broken("unused", __FILE__, __LINE__); }
    std::unique_ptr<TenantRegistry> audited_registry(queue::AuditEntry, const Clock&) override {
      return nullptr;
    }
  } failing;
  EXPECT_THROW((void)run_round(failing, work, kRoundTime), DiskError);
}

}  // namespace
}  // namespace tenure::daemon
