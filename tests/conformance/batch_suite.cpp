#include "store_suite.hpp"

#include <tenure/base/random.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

// Batches of jobs.
namespace tenure::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class BatchSuite : public StoreSuite {
 protected:
  BatchSuite() {
    acme_ = create_tenant("acme").number;
    globex_ = create_tenant("globex").number;
  }

  static TenantName name_of_tenant(std::string_view name) { return value_or_raise(TenantName::parse(name)); }
  BatchCallback callback(std::string_view kind) {
    BatchCallback callback;
    callback.job.queue = "default";
    callback.job.kind = kind;
    callback.job.attempts_max = 3;
    callback.job.arguments = "{}";
    return callback;
  }
  NewBatch new_batch(std::optional<std::string_view> tenant = "acme") {
    NewBatch batch;
    batch.id = BatchId{new_job().id.uuid};
    if (tenant) batch.tenant = name_of_tenant(*tenant);
    batch.name = "import";
    batch.on_complete = callback("report.complete");
    batch.on_success = callback("report.success");
    return batch;
  }
  BatchId open(std::optional<std::string_view> tenant = "acme") { return open(new_batch(tenant)); }
  BatchId open(const NewBatch& batch) {
    write([&](StoreWriter& writer) { value_or_raise(writer.batches().open(batch, now_)); });
    return batch.id;
  }
  void close(BatchId id) {
    write([&](StoreWriter& writer) { value_or_raise(writer.batches().close(id, now_)); });
  }
  NewJob member(BatchId id, std::string_view tenant = "acme") {
    NewJob job = new_job(tenant);
    job.batch = id;
    return job;
  }
  void put_members(BatchId id, int count) {
    for (int i = 0; i < count; ++i) put(member(id));
  }
  BatchRecord batch(BatchId id) {
    return asked([&](JobReader& reader) { return reader.batches().batch(id); }).value();
  }
  // Which of its callbacks are jobs.
  std::vector<std::string> made(BatchId id) {
    std::vector<std::string> moments;
    for (const BatchMoment moment : {BatchMoment::complete, BatchMoment::success})
      if (asked([&](JobReader& reader) { return reader.find_job(job_id_of_callback(id, moment)); }))
        moments.emplace_back(name_of(moment));
    return moments;
  }
  void succeed(const ClaimedJob& job) {
    write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(job), now_)); });
  }
  void end(const ClaimedJob& job, JobState state) {
    write([&](StoreWriter& writer) {
      value_or_raise(writer.finish(ref(job), state, JobReason::by_rule, failure_, now_));
    });
  }
  template <class Verb>
  auto by_operator(Verb verb) {
    return written(verb);
  }
  std::vector<MiscountedBatch> miscounted() {
    return asked([](JobReader& reader) { return reader.batches().miscounted(10); });
  }
  std::vector<JobId> listed(const std::string& words) {
    std::vector<std::string> terms;
    for (std::size_t at = 0; at < words.size();) {
      const std::size_t blank = std::min(words.find(' ', at), words.size());
      terms.push_back(words.substr(at, blank - at));
      at = blank + 1;
    }
    const Filter filter = value_or_raise(parse_filter(terms, job_filter_fields(), now_));
    std::vector<JobId> ids;
    for (const JobRecord& job :
         asked([&](JobReader& reader) { return reader.list_jobs(filter, {.looks_max = 1}, now_); }).jobs)
      ids.push_back(job.id);
    return ids;
  }

  TenantNumber acme_, globex_;
  const AttemptFailure failure_{ErrorCode::handler_failed, "no"};
};

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

INSTANTIATE_TEST_SUITE_P(EachStore, BatchSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"EagerSqlite", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
