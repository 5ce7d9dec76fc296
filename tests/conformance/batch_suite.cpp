#include "batch_suite.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

// When a batch is complete and has succeeded, and what it makes then.
namespace tenure::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_P(BatchSuite, LIM_11_CallbacksAreEnqueuedOnceByTheEndOfTheLastMemberWhateverItHasBeenThrough) {
  const BatchId id = open();
  put_members(id, 4);
  close(id);
  EXPECT_EQ(batch(id).state(), BatchState::closed);
  auto jobs = claim(acme_, 4).jobs;
  ASSERT_EQ(jobs.size(), 4U);
  succeed(jobs[0]);
  write([&](StoreWriter& writer) {
    value_or_raise(writer.retry(ref(jobs[1]), {.due = now_ + seconds{1}}, failure_, now_));
    value_or_raise(writer.release(ref(jobs[2]), true, failure_, now_));
    value_or_raise(writer.reclaim(ref(jobs[3]), CrashCharge::counted, failure_, now_));
  });
  EXPECT_EQ(batch(id).counts.ended(), 1);
  advance(seconds{2});
  write([&](StoreWriter& writer) { static_cast<void>(writer.promote(now_, 10)); });
  jobs = claim(acme_, 3).jobs;
  ASSERT_EQ(jobs.size(), 3U);
  succeed(jobs[0]);
  succeed(jobs[1]);
  EXPECT_THAT(made(id), IsEmpty());
  static_cast<void>(written([](StoreWriter& writer) { return writer.take_lane_hints(100); }));
  succeed(jobs[2]);
  EXPECT_THAT(made(id), ElementsAre("complete", "success"));
  const BatchRecord done = batch(id);
  EXPECT_EQ(done.state(), BatchState::complete);
  EXPECT_EQ(done.completed, now_);
  EXPECT_EQ(done.succeeded, now_);
  EXPECT_EQ(done.on_complete->enqueued, now_);
  EXPECT_EQ(done.counts, (BatchCounts{.members = 4, .present = 4, .succeeded = 4}));
  // A dispatcher is told of them, and claims them.
  EXPECT_EQ(written([](StoreWriter& writer) { return writer.take_lane_hints(100); }).size(), 2U);
  const auto callbacks = claim(acme_, 1).jobs;
  ASSERT_EQ(callbacks.size(), 1U);
  EXPECT_EQ(callbacks.front().id, job_id_of_callback(id, BatchMoment::complete));
  EXPECT_FALSE(record(callbacks.front().id).batch.has_value()) << "it is no member";
  EXPECT_EQ(
      code_of(written([&](StoreWriter& writer) { return writer.finish_succeeded(ref(jobs[2]), now_); })),
      ErrorCode::claim_lost);
  EXPECT_EQ(batch(id).counts.succeeded, 4);
}

TEST_P(BatchSuite, LIM_11_ABatchWithAMemberThatHasNotSucceededHasNoSuccessCallback) {
  const BatchId id = open();
  put_members(id, 2);
  close(id);
  const auto jobs = claim(acme_, 2).jobs;
  end(jobs.at(0), JobState::dead);
  succeed(jobs.at(1));
  EXPECT_THAT(made(id), ElementsAre("complete"));
  EXPECT_FALSE(batch(id).succeeded.has_value());
}

TEST_P(BatchSuite, LIM_12_MembersThatAreDeadDiscardedCancelledDeletedOrPrunedHaveEndedWithoutSuccess) {
  const BatchId id = open();
  put_members(id, 5);
  const Enqueued expires = [&] {
    NewJob job = member(id);
    job.start_before = now_ + seconds{10};
    return put(job);
  }();
  const Enqueued waits = put(member(id));
  put(new_job("globex"));  // the newest of all is never removed
  close(id);
  const auto jobs = claim(acme_, 5).jobs;
  ASSERT_EQ(jobs.size(), 5U);
  end(jobs[0], JobState::dead);
  end(jobs[1], JobState::discarded);
  write([&](StoreWriter& writer) {
    value_or_raise(writer.cancel(ref(jobs[2]), true, failure_, now_));
    value_or_raise(writer.reclaim(ref(jobs[3]), CrashCharge::poison, failure_, now_));
    value_or_raise(writer.cancel_by_operator(waits.id, now_));
    value_or_raise(writer.delete_by_operator(waits.id));
  });
  advance(seconds{11});
  EXPECT_EQ(written([&](StoreWriter& writer) { return writer.expire(now_, 10); }).size(), 1U);
  EXPECT_EQ(record(expires.id).state, ShownState::discarded);
  EXPECT_THAT(made(id), IsEmpty());
  EXPECT_EQ(batch(id).counts,
            (BatchCounts{.members = 7, .present = 6, .dead = 2, .discarded = 2, .cancelled = 2}));
  // All that has ended goes before the last one ends.
  advance(hours{24 * 365});
  write([&](StoreWriter& writer) {
    std::vector<JobSeq> seqs;
    for (const ClaimedJob& job : jobs) seqs.push_back(job.seq);
    EXPECT_EQ(writer.prune(seqs, PrunePass{}, now_).total(), 4);
  });
  EXPECT_EQ(batch(id).counts.present, 2);
  EXPECT_THAT(miscounted(), IsEmpty());
  succeed(jobs[4]);
  EXPECT_THAT(made(id), ElementsAre("complete"));
  EXPECT_EQ(batch(id).counts.ended(), 7);
}

TEST_P(BatchSuite,
       LIM_13_AnEmptyBatchIsCompleteWhenItIsClosedAndTakesNoJobsThenAndItsCallbacksAreItsTenants) {
  const BatchId id = open();
  EXPECT_THAT(made(id), IsEmpty());
  close(id);
  EXPECT_THAT(made(id), ElementsAre("complete", "success"));
  const JobRecord callback = record(job_id_of_callback(id, BatchMoment::complete));
  EXPECT_EQ(callback.tenant, name_of_tenant("acme"));
  EXPECT_EQ(callback.kind, "report.complete");
  const auto refused = enqueue(member(id));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::state_changed);
  EXPECT_THAT(refused.error().message, HasSubstr("is closed"));
  close(id);  // once more does nothing
  EXPECT_EQ(asked([](JobReader& reader) { return reader.summary(); }).jobs, 2);
  const BatchId with_member = open();
  put_members(with_member, 1);
  close(with_member);
  EXPECT_EQ(code_of(enqueue(member(with_member))), ErrorCode::state_changed) << "also while members run";
  const BatchId none{new_job().id.uuid};
  EXPECT_EQ(code_of(enqueue(member(none))), ErrorCode::record_not_found);
  EXPECT_EQ(code_of(written([&](StoreWriter& writer) { return writer.batches().close(none, now_); })),
            ErrorCode::record_not_found);
}

TEST_P(BatchSuite, ARetryOfADeadMemberCompletesNothingASecondTimeButMayBringTheSuccess) {
  const BatchId id = open();
  put_members(id, 2);
  close(id);
  const auto jobs = claim(acme_, 2).jobs;
  succeed(jobs.at(0));
  end(jobs.at(1), JobState::dead);
  ASSERT_THAT(made(id), ElementsAre("complete"));
  const WallTime completed = batch(id).completed.value();
  advance(seconds{5});
  const auto retry = [&] {
    write([&](StoreWriter& writer) { value_or_raise(writer.retry_by_operator(jobs[1].id, now_)); });
    return claim(acme_, 3).jobs;
  };
  auto again = retry();
  EXPECT_EQ(batch(id).counts.unended(), 1);
  const auto is_member = [&](const ClaimedJob& job) { return job.id == jobs[1].id; };
  end(*std::ranges::find_if(again, is_member), JobState::dead);
  EXPECT_THAT(made(id), ElementsAre("complete"));
  EXPECT_EQ(batch(id).completed, completed);
  again = retry();
  succeed(*std::ranges::find_if(again, is_member));
  EXPECT_THAT(made(id), ElementsAre("complete", "success"));
  EXPECT_EQ(batch(id).completed, completed);
  EXPECT_EQ(batch(id).succeeded, now_);
  EXPECT_EQ(asked([](JobReader& reader) { return reader.summary(); }).jobs, 4);
}

TEST_P(BatchSuite, AMemberRetriedBeforeTheBatchIsCompleteIsWaitedFor) {
  const BatchId id = open();
  put_members(id, 2);
  close(id);
  const auto jobs = claim(acme_, 2).jobs;
  end(jobs.at(0), JobState::discarded);
  write([&](StoreWriter& writer) { value_or_raise(writer.retry_by_operator(jobs[0].id, now_)); });
  succeed(jobs.at(1));
  EXPECT_THAT(made(id), IsEmpty());
  EXPECT_THAT(asked([&](JobReader& reader) { return reader.batches().unended_members(id, 5); }),
              ElementsAre(jobs[0].id));
  succeed(claim_one(acme_));
  EXPECT_THAT(made(id), ElementsAre("complete", "success"));
}

TEST_P(BatchSuite, ACancelledBatchTakesNoMoreJobsAndNeverSucceeds) {
  const BatchId id = open();
  put_members(id, 1);
  const auto cancel = [&](BatchId which) {
    return written([&](StoreWriter& writer) { return writer.batches().cancel(which, now_); });
  };
  ASSERT_TRUE(cancel(id).has_value());
  EXPECT_EQ(batch(id).state(), BatchState::closed);
  EXPECT_EQ(batch(id).cancelled, now_);
  EXPECT_EQ(code_of(enqueue(member(id))), ErrorCode::state_changed);
  succeed(claim_one(acme_));
  EXPECT_THAT(made(id), ElementsAre("complete"));
  EXPECT_EQ(code_of(cancel(id)), ErrorCode::state_changed) << "it is complete";
  const BatchId empty = open();
  ASSERT_TRUE(cancel(empty).has_value());
  EXPECT_THAT(made(empty), ElementsAre("complete"));
}

TEST_P(BatchSuite, MembersAreOfTheBatchsTenantUnlessItHasNone) {
  const BatchId of_acme = open();
  EXPECT_EQ(code_of(enqueue(member(of_acme, "globex"))), ErrorCode::wrong_tenant);
  NewJob untenanted = new_job();
  untenanted.batch = of_acme;
  EXPECT_EQ(code_of(enqueue(untenanted)), ErrorCode::wrong_tenant);
  const BatchId of_all = open(std::nullopt);
  put(member(of_all, "acme"));
  put(member(of_all, "globex"));
  close(of_all);
  succeed(claim_one(acme_));
  succeed(claim_one(globex_));
  ASSERT_THAT(made(of_all), ElementsAre("complete", "success"));
  EXPECT_FALSE(record(job_id_of_callback(of_all, BatchMoment::success)).tenant.has_value());
}

TEST_P(BatchSuite, ARepeatedEnqueueIsTheMemberThatIsThereAlsoWhenTheBatchIsClosed) {
  const BatchId id = open();
  const NewJob job = member(id);
  put(job);
  close(id);
  const auto again = enqueue(job);
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->existed);
  EXPECT_EQ(batch(id).counts.members, 1);
  NewJob elsewhere = job;
  elsewhere.batch.reset();
  EXPECT_EQ(code_of(enqueue(elsewhere)), ErrorCode::id_conflict);
  elsewhere.batch = open();
  EXPECT_EQ(code_of(enqueue(elsewhere)), ErrorCode::id_conflict);
}

TEST_P(BatchSuite, ARepeatedOpeningIsTheBatchThatIsThere) {
  const NewBatch first = new_batch();
  open(first);
  const auto again = [&](const NewBatch& batch) {
    return written([&](StoreWriter& writer) { return writer.batches().open(batch, now_); });
  };
  ASSERT_TRUE(again(first).has_value());
  EXPECT_TRUE(again(first)->existed);
  NewBatch other = first;
  other.name = "export";
  EXPECT_EQ(code_of(again(other)), ErrorCode::id_conflict);
  other = first;
  other.tenant = name_of_tenant("globex");
  EXPECT_EQ(code_of(again(other)), ErrorCode::id_conflict);
}

TEST_P(BatchSuite, WhatNoStoreTakesOfABatchIsRefusedAndLeavesNone) {
  const auto refused = [&](const NewBatch& batch) {
    return code_of(written([&](StoreWriter& writer) { return writer.batches().open(batch, now_); }));
  };
  NewBatch batch = new_batch();
  batch.name = std::string(kBatchNameMax, 'n');
  EXPECT_EQ(refused(batch), std::nullopt);
  batch = new_batch();
  batch.name = std::string(kBatchNameMax + 1, 'n');
  EXPECT_EQ(refused(batch), ErrorCode::bad_options);
  batch = new_batch();
  batch.name = "two\nlines";
  EXPECT_EQ(refused(batch), ErrorCode::bad_options);
  batch = new_batch();
  batch.on_success->job.unique = UniqueKey{"one"};
  EXPECT_EQ(refused(batch), ErrorCode::bad_options);
  batch = new_batch();
  batch.on_complete->job.kind = "no kind";
  EXPECT_EQ(refused(batch), ErrorCode::bad_options);
  batch = new_batch();
  batch.tenant = name_of_tenant("hooli");
  EXPECT_EQ(refused(batch), ErrorCode::tenant_does_not_exist);
  EXPECT_EQ(asked([](JobReader& reader) { return reader.batches().batches(std::nullopt, 10); }).size(), 1U);
}

TEST_P(BatchSuite, ACallbackIsDueAndExpiresByItsOptionsFromTheEndOn) {
  NewBatch batch = new_batch();
  batch.on_complete->run_in = minutes{5};
  batch.on_complete->start_within = minutes{1};
  batch.on_complete->job.priority = Priority{-3};
  batch.on_complete->job.concurrency = ConcurrencyKey{"reports", 2, true};
  batch.on_success.reset();
  const BatchId id = open(batch);
  advance(hours{1});
  close(id);
  const JobRecord job = record(job_id_of_callback(id, BatchMoment::complete));
  EXPECT_EQ(job.state, ShownState::scheduled);
  EXPECT_EQ(job.due, now_ + minutes{5});
  EXPECT_EQ(job.start_before, now_ + minutes{6});
  EXPECT_EQ(job.priority.value, -3);
  EXPECT_EQ(asked([&](JobReader& reader) { return reader.job_keys(job); }).concurrency,
            batch.on_complete->job.concurrency);
  EXPECT_THAT(made(id), ElementsAre("complete"));
}

TEST_P(BatchSuite, ACallbackThatItsTenantTakesNoMoreIsNotedAndTheMembersEndCounts) {
  const BatchId id = open();
  put_members(id, 1);
  close(id);
  const ClaimedJob job = claim_one(acme_);
  set_tenant_state("acme", TenantState::draining);
  succeed(job);
  EXPECT_THAT(made(id), IsEmpty());
  EXPECT_EQ(batch(id).state(), BatchState::complete);
  EXPECT_THAT(batch(id).on_complete->refused, HasSubstr("TenantNotReady"));
  EXPECT_FALSE(batch(id).on_complete->enqueued.has_value());
}

INSTANTIATE_TEST_SUITE_P(EachStore, BatchSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"EagerSqlite", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
