#include <tenure/base/limits.hpp>
#include <tenure/daemon/round.hpp>
#include <tenure/queue/memory_store.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tenure::daemon {
namespace {

using queue::ClaimRequest;
using queue::Incarnation;
using queue::JobSeq;
using queue::JobState;
using queue::Lane;

const WallTime kNow = from_us(1'700'000'000'000'000);

class RoundTest : public ::testing::Test {
 protected:
  void enqueue(std::uint8_t number, WallTime due = kNow, std::string arguments = "{}") {
    queue::NewJob job;
    job.id = queue::JobId{Uuid{Uuid::Bytes{number}}};
    job.queue = "default";
    job.kind = "job";
    job.due = due;
    job.attempts_max = 10;
    job.arguments = std::move(arguments);
    store->write(queue::Durability::durable,
                 [&](queue::StoreWriter& writer) { ASSERT_TRUE(writer.enqueue(job, kNow).has_value()); });
  }
  RoundReply round(const RoundWork& work, WallTime now = kNow) { return run_round(*store, work, now); }
  Incarnation open() {
    RoundWork work;
    work.open = OpenIncarnation{"test", 1};
    return *round(work).incarnation;
  }
  Lane lane() {
    RoundWork work;
    work.lanes_after.emplace(std::nullopt);
    return round(work).lanes.at(0);
  }
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
  std::unique_ptr<queue::Store> store = queue::make_memory_store();
};

TEST_F(RoundTest, OnlyOpeningIsDurable) {
  RoundWork work;
  EXPECT_TRUE(work.is_empty());
  work.take_hints = true;
  EXPECT_FALSE(work.is_empty());
  EXPECT_EQ(work.durability(), queue::Durability::ordered);
  work.open = OpenIncarnation{};
  EXPECT_EQ(work.durability(), queue::Durability::durable);
}

TEST_F(RoundTest, IncarnationsGrowAlsoWhereTheClockIsSetBack) {
  RoundWork work;
  work.open = OpenIncarnation{"test", 1};
  const auto first = *round(work).incarnation;
  const auto second = *round(work, kNow - std::chrono::hours{24 * 365}).incarnation;
  EXPECT_EQ(first.value, (kNow.time_since_epoch().count() / 1'000'000) - 1'577'836'800);
  EXPECT_EQ(second.value, first.value + 1);
}

TEST_F(RoundTest, EndsComeBeforeClaimsSoThatWhatIsReleasedCanBeClaimedAtOnce) {
  enqueue(1);
  const Incarnation incarnation = open();
  RoundWork claim;
  claim.claims = {request(incarnation, 1, 1)};
  const auto claimed = round(claim).claims.at(0).jobs.at(0);
  RoundWork both;
  both.ends = {{{claimed.seq, claimed.token}, EndRelease{}}};
  both.claims = {request(incarnation, 1, 2)};
  const RoundReply reply = round(both);
  EXPECT_EQ(reply.ends.at(0), JobState::ready);
  ASSERT_EQ(reply.claims.at(0).jobs.size(), 1U);
  EXPECT_LT(claimed.token, reply.claims[0].jobs[0].token);
}

TEST_F(RoundTest, LSE_02_AnEndWithAnOldTokenIsLostAndTheOthersAreNot) {
  for (std::uint8_t number = 1; number <= 2; ++number) enqueue(number);
  const Incarnation incarnation = open();
  RoundWork claim;
  claim.claims = {request(incarnation, 2, 1)};
  const auto jobs = round(claim).claims.at(0).jobs;
  RoundWork ends;
  auto old = jobs[0].token;
  --old.counter;
  ends.ends = {{{jobs[0].seq, old}, EndSucceeded{}},
               {{jobs[0].seq, old}, EndRetry{kNow, {}}},
               {{jobs[0].seq, old}, EndRelease{true, {}}},
               {{jobs[0].seq, old}, EndReclaim{queue::CrashCharge::counted, {}}},
               {{jobs[0].seq, old}, EndFinal{JobState::dead, queue::JobReason::poison, {}}},
               {{jobs[0].seq, old}, EndBlock{}},
               {{jobs[1].seq, jobs[1].token}, EndSucceeded{}}};
  const RoundReply reply = round(ends);
  for (std::size_t index = 0; index < 6; ++index) {
    ASSERT_FALSE(reply.ends.at(index).has_value()) << index;
    EXPECT_EQ(reply.ends[index].error().code, ErrorCode::claim_lost);
  }
  EXPECT_EQ(reply.ends.at(6), JobState::succeeded);
  RoundWork real;
  real.ends = {{{jobs[0].seq, jobs[0].token}, EndSucceeded{}}};
  EXPECT_EQ(round(real).ends.at(0), JobState::succeeded);
}

TEST_F(RoundTest, EachEndTellsTheStateThatTheJobHasThen) {
  for (std::uint8_t number = 1; number <= 5; ++number) enqueue(number);
  const Incarnation incarnation = open();
  RoundWork claim;
  claim.claims = {request(incarnation, 5, 1)};
  const auto jobs = round(claim).claims.at(0).jobs;
  const auto ref = [&](std::size_t index) { return queue::ClaimRef{jobs[index].seq, jobs[index].token}; };
  RoundWork ends;
  ends.ends = {{ref(0), EndRetry{kNow + std::chrono::seconds{16}, {}}},
               {ref(1), EndFinal{JobState::dead, queue::JobReason::permanent_error, {}}},
               {ref(2), EndBlock{}},
               {ref(3), EndReclaim{}},
               {ref(4), EndReclaim{queue::CrashCharge::counted, {}}}};
  ends.promote = true;
  const RoundReply reply = round(ends);
  EXPECT_EQ(reply.ends.at(0), JobState::scheduled);
  EXPECT_EQ(reply.ends.at(1), JobState::dead);
  EXPECT_EQ(reply.ends.at(2), JobState::blocked);
  EXPECT_EQ(reply.ends.at(3), JobState::ready);
  EXPECT_EQ(reply.ends.at(4), JobState::ready);
  EXPECT_EQ(reply.next_due, kNow + std::chrono::seconds{16});
  RoundWork unblock;
  unblock.unblock = Unblock{};
  EXPECT_EQ(round(unblock).unblocked.size(), 1U);
}

TEST_F(RoundTest, TwoRequestsForOneLaneDivideItInOrder) {
  for (std::uint8_t number = 1; number <= 5; ++number) enqueue(number);
  const Incarnation incarnation = open();
  RoundWork claim;
  claim.claims = {request(incarnation, 2, 1), request(incarnation, 9, 3)};
  const RoundReply reply = round(claim);
  ASSERT_EQ(reply.claims.size(), 2U);
  std::vector<std::int64_t> seqs;
  for (const auto& each : reply.claims) {
    for (const auto& job : each.jobs) seqs.push_back(job.seq.value);
  }
  EXPECT_EQ(seqs, (std::vector<std::int64_t>{1, 2, 3, 4, 5}));
}

TEST_F(RoundTest, ClaimsShareTheBytesOfTheRoundAndTheNextRoundGoesOn) {
  store = queue::make_memory_store({.payload_max = limits::kPayloadMax});
  constexpr std::size_t kBig = limits::kPayloadMax - 1000;
  constexpr std::size_t kFit = 7;
  for (std::uint8_t number = 1; number <= kFit + 3; ++number) enqueue(number, kNow, std::string(kBig, '0'));
  const Incarnation incarnation = open();
  RoundWork claim;
  claim.claims_bytes_max = kFit * limits::kPayloadMax;
  claim.claims = {request(incarnation, kFit - 1, 1), request(incarnation, 4, 100),
                  request(incarnation, 1, 200), request(incarnation, 2, 300)};
  claim.claims[1].first_of_any_size = false;
  claim.claims[2].first_of_any_size = false;
  const RoundReply first = round(claim);
  EXPECT_EQ(first.claims.at(0).jobs.size(), kFit - 1);
  EXPECT_FALSE(first.claims.at(0).stopped_by_bytes);
  EXPECT_EQ(first.claims.at(1).jobs.size(), 1U);
  EXPECT_TRUE(first.claims.at(1).stopped_by_bytes);
  EXPECT_TRUE(first.claims.at(2).jobs.empty());
  EXPECT_TRUE(first.claims.at(2).stopped_by_bytes);
  EXPECT_EQ(first.claims.at(3).jobs.size(), 1U) << "whatever its size";
  claim.claims = {request(incarnation, 4, 400)};
  EXPECT_EQ(round(claim).claims.at(0).jobs.size(), 2U);
}

TEST_F(RoundTest, ALookWhereNobodyHasWrittenDoesNothing) {
  RoundWork look;
  look.take_hints = true;
  look.arrivals_after = JobSeq{0};
  look.count_changes = true;
  const std::int64_t before = store->change_counter();
  RoundReply reply = round(look);
  EXPECT_FALSE(reply.was_unchanged);
  EXPECT_EQ(reply.change_counter, before);
  look.unless_changed_since = store->change_counter();
  reply = round(look);
  EXPECT_TRUE(reply.was_unchanged);
  enqueue(1);
  reply = round(look);
  EXPECT_FALSE(reply.was_unchanged);
  EXPECT_EQ(reply.arrived.size(), 1U);
}

TEST_F(RoundTest, NothingHappensWhereTheStoreThrows) {
  RoundWork work;
  work.ends.push_back({{JobSeq{1}, {}}, EndSucceeded{}});
  struct Failing final : queue::Store {
    void write(queue::Durability, FunctionRef<void(queue::StoreWriter&)>) override {
      raise(ErrorCode::disk, "no");
    }
    void read(FunctionRef<void(queue::StoreReader&)>) override {}
    void sync() override {}
    std::int64_t change_counter() override { return 0; }
    void checkpoint(std::int64_t) override {}
    TenantRegistry& registry() override { invariant_broken("unused", __FILE__, __LINE__); }
  } failing;
  EXPECT_THROW((void)run_round(failing, work, kNow), DiskError);
}

}  // namespace
}  // namespace tenure::daemon
