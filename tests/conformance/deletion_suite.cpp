#include "store_suite.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

// Tenants that are deleted, as far as the store keeps it.
namespace tenure::testing {
namespace {

using ::testing::IsEmpty;

class DeletionSuite : public StoreSuite {
 protected:
  DeletionSuite() : acme_(create_tenant("acme")) { create_tenant("beta"); }

  Result<DeletionRecord> begin(std::string_view name = "acme") {
    return written([&](StoreWriter& writer) {
      return writer.begin_deletion(
          {.tenant = TenantName{name}, .uid = 1000, .login = "dana", .reason = "left us"}, now_);
    });
  }
  Result<void> bury(std::int64_t newest = 0) {
    return written([&](StoreWriter& writer) {
      return writer.bury(acme_.number,
                         {.size_bytes = 4096, .newest = OutboxSeq{newest}, .erase_at = now_ + hours{1}});
    });
  }
  void bury_at_once() {
    EXPECT_TRUE(begin());
    EXPECT_TRUE(bury());
  }
  Result<void> take_back() {
    return written([&](StoreWriter& writer) { return writer.begin_taking_back(acme_.number, now_); });
  }
  Result<void> give_up() {
    return written([&](StoreWriter& writer) { return writer.give_up_taking_back(acme_.number); });
  }
  Result<void> erase() {
    return written([&](StoreWriter& writer) { return writer.begin_erasing(acme_.number, now_); });
  }
  DeletionStep step() { return deletion()->step; }

  // A job that a transaction of the tenant has enqueued.
  NewJob job_of_outbox() {
    NewJob job = new_job("acme");
    job.generation = acme_.generation;
    return job;
  }
  static OutboxRow row(std::int64_t seq, const NewJob& job) {
    return {OutboxSeq{seq}, write_outbox_row(job, {})};
  }
  Result<CancelledOutbox> end_rows(std::vector<OutboxRow> rows, std::int64_t newest) {
    return written([&](StoreWriter& writer) {
      return writer.cancel_outbox(owner_, {.newest = OutboxSeq{newest}, .rows = rows}, now_);
    });
  }
  std::int64_t watermark() {
    return asked([&](JobReader& reader) { return reader.outbox_watermark(owner_); }).value;
  }
  BatchId open_batch(BatchId id, std::optional<std::string_view> tenant = "acme") {
    NewBatch batch;
    batch.id = id;
    if (tenant) batch.tenant = TenantName{*tenant};
    write([&](StoreWriter& writer) { value_or_raise(writer.batches().open(batch, now_)); });
    return batch.id;
  }
  BatchRecord batch(BatchId id) {
    return asked([&](JobReader& reader) { return reader.batches().batch(id); }).value();
  }
  std::int64_t end_batches(std::size_t limit = 100) {
    return written([&](StoreWriter& writer) { return writer.end_batches_of(acme_.number, limit, now_); });
  }
  std::int64_t jobs_there() {
    return asked([](JobReader& reader) { return reader.summary().jobs; });
  }
  ErasableJobs erasable(JobSeq after = JobSeq{0}, std::size_t looks_max = 100) {
    return asked([&](JobReader& reader) { return reader.erasable_jobs(after, looks_max); });
  }
  Result<void> erase_job(JobId id) {
    return written([&](StoreWriter& writer) { return writer.erase_job(id, now_); });
  }
  Result<void> end(DeletionStep how) {
    return written([&](StoreWriter& writer) { return writer.end_deletion(acme_.number, how); });
  }
  std::optional<DeletionRecord> deletion() {
    return asked([&](JobReader& reader) { return reader.deletion(acme_.number); });
  }
  std::optional<DeletionRecord> open_deletion() {
    return asked([](JobReader& reader) { return reader.open_deletion(TenantName{"acme"}, std::nullopt); });
  }
  std::vector<DeletionRecord> open_deletions(TenantNumber after = TenantNumber{0}, std::size_t limit = 100) {
    return asked([&](JobReader& reader) { return reader.open_deletions(after, limit); });
  }
  TenantState state(std::string_view name = "acme") {
    return store().registry().find(TenantName{name})->state;
  }

  const TenantRecord acme_;
  const OutboxOwner owner_{acme_.name, acme_.generation};
};

TEST_P(DeletionSuite, REG_08_FromItsBeginningNothingIsAcceptedAndThenTheGenerationIsNamed) {
  put(new_job("acme"));
  const auto begun = begin();
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->step, DeletionStep::draining);
  EXPECT_EQ(begun->begun, now_);
  EXPECT_EQ(begun->login, "dana");
  EXPECT_EQ(begun->reason, "left us");
  EXPECT_EQ(begun->tenant.generation, acme_.generation);
  EXPECT_EQ(state(), TenantState::draining);
  EXPECT_EQ(code_of(enqueue(new_job("acme"))), ErrorCode::tenant_not_ready);
  EXPECT_EQ(claim(acme_.number).gate, TenantState::draining);
  EXPECT_TRUE(bury());
  EXPECT_EQ(state(), TenantState::deleted);
  const auto refused = enqueue(new_job("acme"));
  EXPECT_EQ(code_of(refused), ErrorCode::tenant_deleted);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("its last generation was 1"));
  EXPECT_TRUE(enqueue(new_job("beta")));
}

// An enqueue of the same transaction has looked the tenant up before.
TEST_P(DeletionSuite, WhatItsOwnTransactionHasReadOfTheTenantIsForgotten) {
  write([&](StoreWriter& writer) {
    EXPECT_TRUE(writer.enqueue(new_job("acme"), now_));
    EXPECT_TRUE(writer.begin_deletion({.tenant = TenantName{"acme"}}, now_));
    EXPECT_EQ(code_of(writer.enqueue(new_job("acme"), now_)), ErrorCode::tenant_not_ready);
  });
  EXPECT_EQ(code_of(enqueue(new_job("acme"))), ErrorCode::tenant_not_ready);
}

TEST_P(DeletionSuite, BegunAgainItIsTheOneThatHasBegun) {
  EXPECT_TRUE(begin());
  advance(seconds{5});
  EXPECT_EQ(begin()->begun, now_ - seconds{5});
  EXPECT_TRUE(bury());
  EXPECT_EQ(code_of(begin()), ErrorCode::tenant_deleted);
  EXPECT_EQ(code_of(begin("nobody")), ErrorCode::tenant_does_not_exist);
}

TEST_P(DeletionSuite, ATenantInAnyLiveStateMayGo) {
  for (const TenantState before :
       {TenantState::provisioning, TenantState::active, TenantState::paused, TenantState::read_only,
        TenantState::migrating, TenantState::failed, TenantState::draining}) {
    const std::string name = "t" + std::to_string(static_cast<int>(before));
    create_tenant(name);
    set_tenant_state(name, before);
    EXPECT_TRUE(begin(name)) << name_of(before);
    EXPECT_EQ(state(name), TenantState::draining);
  }
}

TEST_P(DeletionSuite, EachStepFollowsTheOneBefore) {
  EXPECT_EQ(code_of(bury()), ErrorCode::state_changed);
  EXPECT_TRUE(begin());
  EXPECT_EQ(code_of(end(DeletionStep::erased)), ErrorCode::state_changed);
  EXPECT_EQ(code_of(take_back()), ErrorCode::state_changed);
  EXPECT_EQ(code_of(erase()), ErrorCode::state_changed);
  EXPECT_TRUE(bury());
  EXPECT_EQ(deletion()->step, DeletionStep::buried);
  EXPECT_EQ(deletion()->erase_at, now_ + hours{1});
  EXPECT_EQ(deletion()->size_bytes, 4096);
  EXPECT_EQ(code_of(bury()), ErrorCode::state_changed);
  EXPECT_EQ(code_of(end(DeletionStep::erased)), ErrorCode::state_changed) << "nobody has begun to";
  EXPECT_EQ(code_of(erase()), ErrorCode::state_changed) << "its window is not over";
  advance(hours{1});
  EXPECT_TRUE(erase());
  EXPECT_TRUE(end(DeletionStep::erased));
  EXPECT_EQ(step(), DeletionStep::erased);
  EXPECT_EQ(code_of(end(DeletionStep::taken_back)), ErrorCode::state_changed);
  EXPECT_EQ(code_of(erase()), ErrorCode::state_changed);
}

TEST_P(DeletionSuite, OpenOnesAreListedUntilTheyAreErasedOrTakenBack) {
  EXPECT_THAT(open_deletions(), IsEmpty());
  EXPECT_FALSE(open_deletion());
  EXPECT_TRUE(begin());
  EXPECT_TRUE(begin("beta"));
  ASSERT_EQ(open_deletions().size(), 2U);
  EXPECT_EQ(open_deletions(TenantNumber{0}, 1).size(), 1U);
  EXPECT_EQ(open_deletions(acme_.number).size(), 1U);
  EXPECT_TRUE(bury());
  EXPECT_EQ(open_deletion()->step, DeletionStep::buried);
  EXPECT_TRUE(take_back());
  EXPECT_EQ(open_deletion()->step, DeletionStep::taking_back);
  EXPECT_TRUE(end(DeletionStep::taken_back));
  EXPECT_FALSE(open_deletion());
  ASSERT_EQ(open_deletions().size(), 1U);
  EXPECT_EQ(open_deletions().front().tenant.name.text(), "beta");
}

TEST_P(DeletionSuite, WhereTheNextGenerationIsThereTheBuriedOneIsFoundAllTheSame) {
  EXPECT_TRUE(begin());
  EXPECT_TRUE(bury());
  const TenantRecord next = create_tenant("acme");
  EXPECT_EQ(next.generation.value, acme_.generation.value + 1);
  EXPECT_EQ(open_deletion()->tenant.generation, acme_.generation);
  EXPECT_TRUE(enqueue(new_job("acme")));
}

TEST_P(DeletionSuite, WithTheTenantItsPauseGoesAndSoDoTheMarksOfItsFile) {
  write([&](StoreWriter& writer) {
    EXPECT_TRUE(writer.pause({.scope = PauseScope::tenant, .name = "acme"}, now_));
    writer.mark_outbox_of(acme_.number, now_);
  });
  EXPECT_TRUE(begin());
  EXPECT_FALSE(asked([](JobReader& reader) { return reader.tenant_pause(TenantName{"acme"}); }));
  EXPECT_EQ(asked([](JobReader& reader) { return reader.outbox_marks(OutboxMarkNumber{0}, 10); }).size(), 1U);
  EXPECT_TRUE(bury());
  EXPECT_THAT(asked([](JobReader& reader) { return reader.outbox_marks(OutboxMarkNumber{0}, 10); }),
              IsEmpty());
}

// What runs comes to its end while it drains, and what is to run again waits and can be cancelled.
TEST_P(DeletionSuite, RunsEndWhileItDrains) {
  put(new_job("acme"));
  put(new_job("acme"));
  const ClaimedJob first = claim_one(acme_.number);
  const ClaimedJob second = claim_one(acme_.number);
  EXPECT_TRUE(begin());
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.finish_succeeded(ref(first), now_); }));
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.release(ref(second), true, {}, now_); }));
  EXPECT_EQ(record(second.id).state, ShownState::held);
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.cancel_by_operator(second.id, now_); }));
  EXPECT_EQ(record(second.id).state, ShownState::cancelled);
}

TEST_P(DeletionSuite, TakingItBackAndErasingItExcludeEachOther) {
  bury_at_once();
  EXPECT_TRUE(take_back());
  EXPECT_TRUE(take_back()) << "begun again, it is the one that has begun";
  advance(hours{2});
  EXPECT_EQ(code_of(erase()), ErrorCode::state_changed);
  EXPECT_TRUE(take_back()) << "begun in time, it goes to its end";
  EXPECT_TRUE(give_up());
  EXPECT_EQ(step(), DeletionStep::buried);
  EXPECT_EQ(code_of(give_up()), ErrorCode::state_changed);
  EXPECT_EQ(code_of(take_back()), ErrorCode::state_changed) << "it is too late by now";
  EXPECT_TRUE(erase());
  EXPECT_EQ(step(), DeletionStep::erasing);
  EXPECT_EQ(code_of(take_back()), ErrorCode::state_changed);
  EXPECT_EQ(code_of(give_up()), ErrorCode::state_changed);
  EXPECT_EQ(code_of(end(DeletionStep::taken_back)), ErrorCode::state_changed);
  EXPECT_EQ(open_deletions().size(), 1U);
}

TEST_P(DeletionSuite, AnEarlierGenerationIsFoundByItsNumber) {
  bury_at_once();
  const TenantRecord next = create_tenant("acme");
  EXPECT_TRUE(begin());
  write([&](StoreWriter& writer) {
    value_or_raise(writer.bury(next.number, {.size_bytes = 1, .erase_at = now_ + hours{2}}));
  });
  const auto of = [&](std::int64_t generation) {
    return asked(
        [&](JobReader& reader) { return reader.open_deletion(TenantName{"acme"}, Generation{generation}); });
  };
  EXPECT_EQ(open_deletion()->tenant.generation, next.generation);
  EXPECT_EQ(of(1)->tenant.number, acme_.number);
  EXPECT_EQ(of(2)->tenant.number, next.number);
  EXPECT_FALSE(of(3));
}

TEST_P(DeletionSuite, WhatStandsInItsOutboxBecomesJobsThatAreCancelled) {
  EXPECT_EQ(code_of(end_rows({}, 0)), ErrorCode::state_changed) << "it does not drain";
  EXPECT_TRUE(begin());
  const NewJob due = job_of_outbox();
  NewJob later = job_of_outbox();
  later.due = now_ + hours{5};
  const auto ended = end_rows({row(1, due), row(2, later)}, 2);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->cancelled, 2);
  EXPECT_THAT(ended->refused, IsEmpty());
  for (const NewJob& job : {due, later}) {
    EXPECT_EQ(record(job.id).state, ShownState::cancelled);
    EXPECT_EQ(record(job.id).reason, JobReason::by_operator);
    EXPECT_EQ(record(job.id).generation, acme_.generation);
  }
  EXPECT_EQ(watermark(), 2);
  EXPECT_THAT(lanes(), IsEmpty());
  const auto again = end_rows({row(1, due), row(2, later)}, 2);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->cancelled + again->existed, 0) << "rows up to the watermark are passed over";
  EXPECT_TRUE(bury(2));
}

TEST_P(DeletionSuite, WhatCanBeNoJobIsGivenUpByNameAndHoldsNothingUp) {
  const NewJob known = job_of_outbox();
  put(known);
  write([&](StoreWriter& writer) { value_or_raise(writer.cancel_by_operator(known.id, now_)); });
  EXPECT_TRUE(begin());
  const NewJob last = job_of_outbox();
  const auto ended = end_rows({{OutboxSeq{3}, "no row of ours"}, row(4, known), row(5, last)}, 5);
  ASSERT_TRUE(ended);
  ASSERT_EQ(ended->refused.size(), 1U);
  EXPECT_EQ(ended->refused[0].seq, OutboxSeq{3});
  EXPECT_EQ(ended->refused[0].failure.code, ErrorCode::bad_payload);
  EXPECT_EQ(ended->existed, 1);
  EXPECT_EQ(ended->cancelled, 1);
  EXPECT_EQ(ended->lost, 2) << "1 and 2 are in neither database";
  EXPECT_EQ(watermark(), 5);
  EXPECT_EQ(record(last.id).state, ShownState::cancelled);
}

TEST_P(DeletionSuite, ItIsNotBuriedWhileRowsOfItsOutboxAreNoJobs) {
  EXPECT_TRUE(begin());
  EXPECT_EQ(code_of(bury(3)), ErrorCode::state_changed);
  EXPECT_TRUE(end_rows({row(1, job_of_outbox())}, 3));
  EXPECT_EQ(code_of(bury(3)), ErrorCode::state_changed);
  const auto rest = end_rows({}, 3);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->lost, 2) << "there are no more rows";
  EXPECT_TRUE(bury(3));
}

// Its numbers were taken over with other rows.
TEST_P(DeletionSuite, OfAnOlderCopyEachRowIsBroughtIn) {
  EXPECT_TRUE(begin());
  EXPECT_TRUE(end_rows({row(1, job_of_outbox()), row(2, job_of_outbox())}, 2));
  const NewJob gone_on = job_of_outbox();
  const auto ended = end_rows({row(1, gone_on)}, 1);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->cancelled, 1);
  EXPECT_EQ(record(gone_on.id).state, ShownState::cancelled);
  EXPECT_EQ(watermark(), 2);
  EXPECT_TRUE(bury(1));
}

TEST_P(DeletionSuite, ItsBatchesEndWithItAndAnotherGenerationsAreOthers) {
  const BatchId id{Uuid::from_bytes(std::as_bytes(std::span{"0123456789abcde"})).value()};
  const BatchId other{Uuid::from_bytes(std::as_bytes(std::span{"0123456789abcdf"})).value()};
  open_batch(id);
  open_batch(other, "beta");
  NewJob member = job_of_outbox();
  member.batch = id;
  EXPECT_TRUE(begin());
  EXPECT_EQ(end_rows({row(1, member)}, 1)->cancelled, 1);
  EXPECT_EQ(batch(id).counts.cancelled, 1);
  EXPECT_EQ(batch(id).state(), BatchState::open);
  EXPECT_EQ(end_batches(), 1);
  EXPECT_EQ(end_batches(), 0);
  EXPECT_EQ(batch(id).state(), BatchState::complete);
  EXPECT_TRUE(batch(id).cancelled);
  EXPECT_EQ(batch(other).state(), BatchState::open);
  EXPECT_TRUE(bury(1));

  const auto open_again = [&](Generation generation) {
    NewBatch again;
    again.id = id;
    again.tenant = TenantName{"acme"};
    again.generation = generation;
    return written([&](StoreWriter& writer) { return writer.batches().open(again, now_); });
  };
  EXPECT_TRUE(open_again(Generation{0})->existed) << "a lost answer is asked for again";
  create_tenant("acme");
  EXPECT_EQ(code_of(open_again(Generation{0})), ErrorCode::id_conflict);
  EXPECT_EQ(code_of(open_again(Generation{2})), ErrorCode::id_conflict);
  EXPECT_TRUE(open_again(Generation{1})->existed);
}

TEST_P(DeletionSuite, WhatItsJobsHaveReturnedIsNobodysToReadOnceItIsDeleted) {
  const Enqueued job = put(new_job("acme"));
  const ClaimedJob claimed = claim_one(acme_.number);
  write([&](StoreWriter& writer) {
    value_or_raise(writer.finish_succeeded(ref(claimed), now_));
    writer.keep_result(claimed.seq, {"1", hours{24}}, now_);
  });
  const auto result = [&] { return asked([&](JobReader& reader) { return reader.result(job.seq, now_); }); };
  EXPECT_TRUE(begin());
  EXPECT_TRUE(result());
  EXPECT_TRUE(bury());
  EXPECT_FALSE(result());
}

TEST_P(DeletionSuite, JobsOfAllThatAreErasedAreFoundInOnePass) {
  std::vector<JobId> of_acme;
  for (int each = 0; each < 3; ++each) {
    of_acme.push_back(put(new_job("acme")).id);
    put(new_job("beta"));
  }
  write([&](StoreWriter& writer) {
    for (const JobId id : of_acme) value_or_raise(writer.cancel_by_operator(id, now_));
  });
  bury_at_once();
  EXPECT_THAT(erasable().jobs, IsEmpty()) << "it can be taken back";
  advance(hours{1});
  EXPECT_TRUE(erase());
  EXPECT_EQ(erasable().jobs, of_acme);
  EXPECT_TRUE(erasable().is_end);
  const ErasableJobs page = erasable(JobSeq{0}, 3);
  EXPECT_EQ(page.jobs, (std::vector<JobId>{of_acme[0], of_acme[1]}));
  EXPECT_FALSE(page.is_end);
  EXPECT_EQ(erasable(page.looked_until).jobs, std::vector<JobId>{of_acme[2]});
  for (const JobId id : of_acme) EXPECT_TRUE(erase_job(id));
  EXPECT_EQ(jobs_there(), 3);
  EXPECT_EQ(code_of(erase_job(of_acme[0])), ErrorCode::job_not_found);
}

TEST_P(DeletionSuite, AJobThatADamagedFileHasLeftWaitingIsErasedAndTheNewestOfAllStays) {
  const Enqueued waiting = put(new_job("acme"));
  const Enqueued newest = put(new_job("acme"));
  set_tenant_state("acme", TenantState::deleted);
  EXPECT_TRUE(erase_job(waiting.id));
  EXPECT_EQ(code_of(erase_job(newest.id)), ErrorCode::limit_reached);
  EXPECT_EQ(jobs_there(), 1);
}

TEST_P(DeletionSuite, WhatIsKeptOfItBesidesJobsIsErasedAFewAtATime) {
  for (int each = 0; each < 3; ++each) open_batch(BatchId{new_job().id.uuid});
  EXPECT_TRUE(begin());
  EXPECT_EQ(end_batches(2), 2);
  EXPECT_EQ(end_batches(2), 1);
  EXPECT_TRUE(bury());
  const auto erased = [&] {
    return written([&](StoreWriter& writer) { return writer.erase_rows_of(acme_.number, 2); });
  };
  EXPECT_EQ(erased(), 2);
  EXPECT_EQ(erased(), 1);
  EXPECT_EQ(erased(), 0);
  EXPECT_THAT(asked([](JobReader& reader) { return reader.batches().batches(std::nullopt, 10); }), IsEmpty());
}

TEST_P(DeletionSuite, WhatItsLastMigrationHasSaidIsErasedToo) {
  write([&](StoreWriter& writer) {
    writer.note_migration({.tenant = acme_.number, .from = 1, .to = 1, .ended = now_, .error = "near 'x'"});
  });
  bury_at_once();
  const auto last = [&] {
    return asked([&](JobReader& reader) { return reader.last_migration(acme_.number); });
  };
  EXPECT_TRUE(last());
  EXPECT_EQ(written([&](StoreWriter& writer) { return writer.erase_rows_of(acme_.number, 2); }), 0);
  EXPECT_FALSE(last());
}

INSTANTIATE_TEST_SUITE_P(EachStore, DeletionSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
