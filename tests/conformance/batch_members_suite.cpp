#include "batch_suite.hpp"

#include <tenure/base/random.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

// Members of batches: how they come, where they are found, and that they are counted right.
namespace tenure::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_P(BatchSuite, WhatATenantsTransactionHasEnqueuedJoinsUntilTheBatchIsComplete) {
  const OutboxOwner owner{name_of_tenant("acme"), Generation{1}};
  std::int64_t number = 0;
  const auto relayed = [&](const NewJob& job) {
    const auto row = store().outbox_row(job);
    EXPECT_TRUE(row.has_value()) << row.error().text();
    EXPECT_THAT(*row, HasSubstr("tenure-outbox/3 "));
    const OutboxSeq seq{++number};
    return written([&](StoreWriter& writer) {
      return writer.relay_outbox(owner, {.newest = seq, .rows = {{seq, *row}}}, now_);
    });
  };
  const auto child = [&](BatchId id) {
    NewJob job = member(id);
    job.generation = Generation{1};
    return job;
  };
  const BatchId id = open();
  put_members(id, 1);
  const NewJob first = child(id);
  EXPECT_EQ(relayed(first).inserted, 1);
  close(id);
  const NewJob behind_close = child(id);
  EXPECT_EQ(relayed(behind_close).inserted, 1) << "it was acknowledged, and a member has not ended";
  EXPECT_EQ(batch(id).counts.members, 3);
  for (const ClaimedJob& job : claim(acme_, 3).jobs) succeed(job);
  ASSERT_THAT(made(id), ElementsAre("complete", "success"));
  const NewJob late = child(id);
  EXPECT_EQ(relayed(late).inserted, 1);
  EXPECT_FALSE(record(late.id).batch.has_value());
  EXPECT_EQ(record(first.id).batch, id);
  EXPECT_EQ(batch(id).counts.members, 3);
  const NewJob of_none = child(BatchId{new_job().id.uuid});
  EXPECT_EQ(relayed(of_none).inserted, 1) << "a batch that is not there loses no job";
  const NewJob of_others = child(open("globex"));
  EXPECT_EQ(relayed(of_others).inserted, 1) << "refused it would hold up all behind it";
  EXPECT_FALSE(record(of_others.id).batch.has_value());
  EXPECT_EQ(relayed(late).existed, 1) << "whoever has lost an answer enqueues it again";
  EXPECT_EQ(relayed(of_none).existed, 1);
}

TEST_P(BatchSuite, MembersAreFoundByTheirBatch) {
  const BatchId one = open();
  const BatchId two = open();
  const Enqueued a = put(member(one));
  const Enqueued b = put(member(one));
  const Enqueued c = put(member(two));
  const Enqueued d = put(new_job("acme"));
  succeed(claim_one(acme_));
  put(new_job("globex"));
  EXPECT_THAT(listed("batch=" + one.text()), ElementsAre(b.id, a.id)) << "however old the succeeded ones are";
  EXPECT_THAT(listed("batch=" + one.text() + " state=succeeded"), ElementsAre(a.id));
  EXPECT_THAT(listed("batch=" + one.text() + " state=ready"), ElementsAre(b.id));
  EXPECT_THAT(listed("batch=" + one.text() + "," + two.text()), ElementsAre(c.id, b.id, a.id));
  EXPECT_THAT(listed("state=ready tenant=acme batch!=" + one.text()), ElementsAre(d.id, c.id));
  EXPECT_THAT(listed("batch=" + BatchId{new_job().id.uuid}.text()), IsEmpty());
  const auto callback = asked([&](JobReader& reader) {
    return reader.batches().callback_of(job_id_of_callback(two, BatchMoment::success));
  });
  ASSERT_TRUE(callback.has_value());
  EXPECT_EQ(callback->batch, two);
  EXPECT_EQ(callback->moment, BatchMoment::success);
}

TEST_P(BatchSuite, ABatchGoesWhenNoMemberIsLeftAndItWasCompleteLongEnoughAgo) {
  const BatchId empty = open();
  close(empty);
  const BatchId with_member = open();
  put_members(with_member, 1);
  put(new_job("globex"));
  close(with_member);
  const BatchId never_closed = open();
  const ClaimedJob job = [&] {
    for (ClaimedJob& each : claim(acme_, 10).jobs)
      if (record(each.id).batch) return each;
    return ClaimedJob{};
  }();
  succeed(job);
  advance(hours{48});
  const auto forget = [&](std::chrono::microseconds ago) {
    return written([&](StoreWriter& writer) { return writer.batches().forget(now_ - ago, 10); });
  };
  EXPECT_EQ(forget(hours{72}), 0);
  EXPECT_EQ(forget(hours{24}), 1);
  EXPECT_FALSE(asked([&](JobReader& reader) { return reader.batches().batch(empty); }).has_value());
  write([&](StoreWriter& writer) { value_or_raise(writer.delete_by_operator(job.id)); });
  EXPECT_EQ(forget(hours{24}), 1);
  EXPECT_EQ(batch(never_closed).state(), BatchState::open);
  const BatchCensus census = asked([](JobReader& reader) { return reader.batches().census(); });
  EXPECT_EQ(census.open, 1);
  EXPECT_EQ(census.oldest_open_id, never_closed);
}

TEST_P(BatchSuite, ATransactionThatIsUndoneLeavesNothingOfABatch) {
  const NewBatch batch_to_be = new_batch();
  const BatchId id = open();
  put_members(id, 1);
  const ClaimedJob job = claim_one(acme_);
  EXPECT_THROW(write([&](StoreWriter& writer) {
                 value_or_raise(writer.batches().open(batch_to_be, now_));
                 value_or_raise(writer.enqueue(member(batch_to_be.id), now_));
                 value_or_raise(writer.batches().close(id, now_));
                 value_or_raise(writer.finish_succeeded(ref(job), now_));
                 throw Abandoned{};
               }),
               Abandoned);
  EXPECT_FALSE(asked([&](JobReader& reader) { return reader.batches().batch(batch_to_be.id); }).has_value());
  EXPECT_THAT(made(id), IsEmpty());
  EXPECT_EQ(batch(id).counts, (BatchCounts{.members = 1, .present = 1}));
  close(id);
  succeed(job);
  EXPECT_THAT(made(id), ElementsAre("complete", "success"));
}

// Whatever is done in whatever order: the counts are what a look at every member says, and each callback is one job.
TEST_P(BatchSuite, CountsAreThoseOfAFullScanAfterAnySequenceOfVerbs) {
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    Random random(seed);
    std::vector<BatchId> open_ones{open(), open()};
    std::vector<BatchId> all = open_ones;
    std::vector<JobId> jobs;
    std::vector<ClaimedJob> running;
    const auto some = [&](const auto& from) { return static_cast<std::size_t>(random.below(from.size())); };
    for (int step = 0; step < 120; ++step) {
      switch (random.below(10)) {
        case 0:
        case 1:
        case 2: {
          if (open_ones.empty()) break;
          const NewJob job = member(open_ones[some(open_ones)]);
          put(job);
          jobs.push_back(job.id);
          break;
        }
        case 3:
        case 4:
          if (lanes().empty()) break;
          for (ClaimedJob& job : claim(acme_, 2).jobs) running.push_back(std::move(job));
          break;
        case 5:
        case 6:
        case 7: {
          if (running.empty()) break;
          const std::size_t at = some(running);
          const ClaimedJob job = running[at];
          running.erase(running.begin() + static_cast<std::ptrdiff_t>(at));
          const auto how = random.below(5);
          if (how < 2) succeed(job);
          else if (how == 2) end(job, JobState::dead);
          else if (how == 3)
            write([&](StoreWriter& writer) {
              value_or_raise(writer.reclaim(ref(job), CrashCharge::poison, failure_, now_));
            });
          else
            write(
                [&](StoreWriter& writer) { value_or_raise(writer.release(ref(job), true, failure_, now_)); });
          break;
        }
        case 8: {
          if (jobs.empty()) break;
          const JobId id = jobs[some(jobs)];
          const auto verb = random.below(3);
          write([&](StoreWriter& writer) {
            if (verb == 0) static_cast<void>(writer.cancel_by_operator(id, now_));
            else if (verb == 1) static_cast<void>(writer.retry_by_operator(id, now_));
            else static_cast<void>(writer.delete_by_operator(id));
          });
          break;
        }
        default: {
          if (open_ones.empty() || random.below(6) != 0) break;
          const std::size_t at = some(open_ones);
          close(open_ones[at]);
          open_ones.erase(open_ones.begin() + static_cast<std::ptrdiff_t>(at));
        }
      }
      ASSERT_THAT(miscounted(), IsEmpty()) << "seed " << seed << ", step " << step;
    }
    for (const BatchId id : all) {
      const BatchRecord now = batch(id);
      const auto callbacks = made(id);
      EXPECT_EQ(now.completed.has_value(), now.on_complete->enqueued.has_value()) << "seed " << seed;
      EXPECT_EQ(now.succeeded.has_value(), now.on_success->enqueued.has_value()) << "seed " << seed;
      if (now.closed && now.counts.unended() == 0) {
        EXPECT_TRUE(now.completed.has_value()) << "seed " << seed;
      }
      if (!now.closed) {
        EXPECT_THAT(callbacks, IsEmpty()) << "seed " << seed;
      }
    }
    for (const ClaimedJob& job : running) succeed(job);
  }
}

}  // namespace
}  // namespace tenure::testing
