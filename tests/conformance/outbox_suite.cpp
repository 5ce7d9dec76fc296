#include "store_suite.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

// Jobs that come out of a tenant's database: marks, rows, and the watermark.
namespace tenure::testing {
namespace {

class OutboxSuite : public StoreSuite {
 protected:
  OutboxSuite() : acme_(create_tenant("acme").number) {}

  NewJob job_of_acme() {
    NewJob job = new_job("acme");
    job.generation = kFirst;
    return job;
  }
  OutboxRow row(std::int64_t seq, const NewJob& job) { return {OutboxSeq{seq}, write_outbox_row(job, {})}; }
  // Of jobs that are numbered from `first` on, all that the file has.
  OutboxRows rows_of(std::int64_t first, const std::vector<NewJob>& jobs) {
    OutboxRows rows{.newest = OutboxSeq{first - 1}};
    for (const NewJob& job : jobs) {
      rows.newest.value += 1;
      rows.rows.push_back(row(rows.newest.value, job));
    }
    return rows;
  }
  Relayed relay(const OutboxRows& rows, const OutboxOwner& owner = kAcme) {
    return written([&](StoreWriter& writer) { return writer.relay_outbox(owner, rows, now_); });
  }
  std::int64_t watermark() {
    return asked([&](JobReader& reader) { return reader.outbox_watermark(kAcme); }).value;
  }
  std::optional<bool> mark(std::int64_t epoch, const OutboxOwner& owner = kAcme) {
    const auto marked =
        written([&](StoreWriter& writer) { return writer.mark_outbox(owner, {.epoch = epoch}, now_); });
    return marked ? std::optional{marked->existed} : std::nullopt;
  }
  std::optional<ErrorCode> refusal_of_mark(const OutboxOwner& owner, std::int64_t newest = 0) {
    const OutboxState file{.epoch = 1, .newest = OutboxSeq{newest}};
    return code_of(written([&](StoreWriter& writer) { return writer.mark_outbox(owner, file, now_); }));
  }
  std::vector<OutboxMark> marks(OutboxMarkNumber after = {}, std::size_t limit = 100) {
    return asked([&](JobReader& reader) { return reader.outbox_marks(after, limit); });
  }
  void note_older_copy(std::int64_t newest) {
    const OutboxSeq watermark = asked([](JobReader& reader) { return reader.outbox_watermark(kAcme); });
    write([&](StoreWriter& writer) { writer.note_older_copy(kAcme, OutboxSeq{newest}, watermark, now_); });
  }
  std::optional<OutboxSeq> behind() {
    return asked([&](JobReader& reader) { return reader.outbox_behind(kAcme); });
  }
  std::optional<ErrorCode> recheck(std::int64_t newest) {
    return code_of(
        written([&](StoreWriter& writer) { return writer.recheck_outbox(kAcme, OutboxSeq{newest}); }));
  }
  TenantState state() {
    return asked([&](JobReader& reader) { return reader.tenant(kAcme.tenant).value().tenant.state; });
  }
  std::vector<AuditRecord> audit() {
    return asked([&](JobReader& reader) {
      std::vector<AuditRecord> records;
      reader.for_each_audit({}, [&](const AuditRecord& record) { return records.push_back(record), true; });
      return records;
    });
  }
  std::size_t jobs_there() {
    return asked([&](JobReader& reader) { return reader.list_jobs({}, {}, now_); }).jobs.size();
  }

  const TenantNumber acme_;
  static constexpr Generation kFirst{1};
  static inline const OutboxOwner kAcme{TenantName::parse("acme").value(), kFirst};
};

TEST_P(OutboxSuite, RowsAreJobsAsIfTheyHadBeenEnqueuedHere) {
  NewJob job = job_of_acme();
  job.queue = "mailers";
  job.priority = Priority{-7};
  job.attempts_max = 3;
  job.due = now_ + minutes{5};
  NewJob direct = job;
  direct.id = new_job().id;
  const Enqueued other = put(direct);
  EXPECT_EQ(relay(rows_of(1, {job})).inserted, 1);
  const JobRecord relayed = record(job.id);
  JobRecord enqueued = record(other.id);
  EXPECT_EQ(relayed.state, ShownState::scheduled);
  EXPECT_GT(relayed.seq, enqueued.seq);
  EXPECT_EQ(relayed.queue, "mailers");
  EXPECT_EQ(relayed.priority, enqueued.priority);
  EXPECT_EQ(relayed.due, enqueued.due);
  EXPECT_EQ(relayed.attempts_max, enqueued.attempts_max);
  EXPECT_EQ(relayed.tenant, enqueued.tenant);
  EXPECT_EQ(relayed.generation, enqueued.generation);
  EXPECT_EQ(relayed.kind, enqueued.kind);
  const auto envelope_of = [&](JobSeq seq) {
    return asked([&](JobReader& reader) { return reader.envelope(seq); }).value();
  };
  const std::string its_own = envelope_of(relayed.seq);
  std::string same = envelope_of(other.seq);
  same.replace(same.find(direct.id.text()), direct.id.text().size(), job.id.text());
  EXPECT_EQ(its_own, same);
}

TEST_P(OutboxSuite, RowsKeepTheirOrderAndAreTakenOverOnce) {
  const std::vector<NewJob> jobs{job_of_acme(), job_of_acme(), job_of_acme()};
  const OutboxRows rows = rows_of(1, jobs);
  const Relayed first = relay(rows);
  EXPECT_EQ(first.watermark, OutboxSeq{3});
  EXPECT_EQ(first.inserted, 3);
  EXPECT_EQ(first.missing, 0);
  EXPECT_TRUE(first.has_ready);
  EXPECT_FALSE(first.refused || first.is_file_behind);
  EXPECT_LT(record(jobs[0].id).seq, record(jobs[1].id).seq);
  EXPECT_LT(record(jobs[1].id).seq, record(jobs[2].id).seq);
  EXPECT_EQ(watermark(), 3);

  const Relayed again = relay(rows);
  EXPECT_EQ(again.watermark, OutboxSeq{3});
  EXPECT_EQ(again.inserted + again.existed, 0);
  EXPECT_FALSE(again.has_ready);
  EXPECT_EQ(jobs_there(), 3U);

  const NewJob later = job_of_acme();
  OutboxRows overlapping = rows;
  overlapping.newest = OutboxSeq{4};
  overlapping.rows.push_back(row(4, later));
  EXPECT_EQ(relay(overlapping).inserted, 1);
  EXPECT_EQ(jobs_there(), 4U);
  EXPECT_EQ(watermark(), 4);
}

TEST_P(OutboxSuite, RowsThatWereReadBeforeTheJobRanAndWasRemovedBringNothing) {
  const NewJob job = job_of_acme();
  const OutboxRows read_early = rows_of(1, {job});
  EXPECT_EQ(relay(read_early).inserted, 1);
  const NewJob newest = job_of_acme();  // the newest of all jobs stays
  put(newest);
  const ClaimedJob claimed = claim_one(acme_);
  EXPECT_EQ(
      code_of(written([&](StoreWriter& writer) { return writer.finish_succeeded(ref(claimed), now_); })),
      std::nullopt);
  EXPECT_EQ(code_of(written([&](StoreWriter& writer) { return writer.delete_by_operator(job.id); })),
            std::nullopt);
  const Relayed late = relay(read_early);
  EXPECT_EQ(late.inserted + late.existed, 0);
  EXPECT_EQ(jobs_there(), 1U);
}

TEST_P(OutboxSuite, ARowThatIsRefusedStaysAndThoseBehindItWait) {
  const NewJob good = job_of_acme();
  NewJob foreign = new_job("globex");
  foreign.generation = kFirst;
  const NewJob behind = job_of_acme();
  const Relayed relayed = relay(rows_of(1, {good, foreign, behind}));
  EXPECT_EQ(relayed.inserted, 1);
  EXPECT_EQ(relayed.watermark, OutboxSeq{1});
  ASSERT_TRUE(relayed.refused);
  EXPECT_EQ(relayed.refused->seq, OutboxSeq{2});
  EXPECT_EQ(relayed.refused->failure.code, ErrorCode::wrong_tenant);
  EXPECT_EQ(jobs_there(), 1U);
  EXPECT_EQ(watermark(), 1);
}

TEST_P(OutboxSuite, WhatTheStoreRefusesItRefusesOfARow) {
  set_tenant_state("acme", TenantState::draining);
  const Relayed draining = relay(rows_of(1, {job_of_acme()}));
  ASSERT_TRUE(draining.refused);
  EXPECT_EQ(draining.refused->failure.code, ErrorCode::tenant_not_ready);
  EXPECT_EQ(draining.watermark, OutboxSeq{0});

  set_tenant_state("acme", TenantState::paused);
  EXPECT_EQ(relay(rows_of(1, {job_of_acme()})).inserted, 1);

  const OutboxOwner nobody{TenantName::parse("nobody").value(), kFirst};
  NewJob job = new_job("nobody");
  job.generation = kFirst;
  const Relayed unknown = relay(rows_of(1, {job}), nobody);
  ASSERT_TRUE(unknown.refused);
  EXPECT_EQ(unknown.refused->failure.code, ErrorCode::tenant_does_not_exist);
}

TEST_P(OutboxSuite, RowsOfAnOlderGenerationAreReportedAndNotTakenOver) {
  set_tenant_state("acme", TenantState::deleted);
  const TenantRecord second = create_tenant("acme");
  ASSERT_EQ(second.generation, Generation{2});
  const Relayed old = relay(rows_of(1, {job_of_acme()}));
  ASSERT_TRUE(old.refused);
  EXPECT_EQ(old.refused->failure.code, ErrorCode::stale_generation);

  NewJob fresh = new_job("acme");
  fresh.generation = Generation{2};
  const OutboxOwner now{kAcme.tenant, Generation{2}};
  EXPECT_EQ(relay(rows_of(1, {fresh}), now).inserted, 1);
  EXPECT_EQ(watermark(), 0) << "each generation has its own file and its own watermark";
}

TEST_P(OutboxSuite, AJobThatIsThereAlreadyIsTakenForTheSame) {
  NewJob job = job_of_acme();
  put(job);
  const Relayed relayed = relay(rows_of(1, {job}));
  EXPECT_EQ(relayed.existed, 1);
  EXPECT_EQ(relayed.inserted, 0);
  EXPECT_EQ(relayed.watermark, OutboxSeq{1});

  NewJob other = job;
  other.arguments = R"({"invoice":"other"})";
  const Relayed conflict = relay({OutboxSeq{2}, {row(2, other)}});
  ASSERT_TRUE(conflict.refused);
  EXPECT_EQ(conflict.refused->failure.code, ErrorCode::id_conflict);
}

TEST_P(OutboxSuite, AFileThatHasGivenFewerNumbersIsBehindAndNothingIsTakenOver) {
  relay(rows_of(1, {job_of_acme(), job_of_acme()}));
  EXPECT_FALSE(relay({OutboxSeq{2}, {}}).is_file_behind) << "all rows deleted is not behind";
  const Relayed behind = relay(rows_of(1, {job_of_acme()}));
  EXPECT_TRUE(behind.is_file_behind);
  EXPECT_EQ(behind.watermark, OutboxSeq{2});
  EXPECT_EQ(behind.inserted, 0);
  EXPECT_EQ(jobs_there(), 2U);
  EXPECT_EQ(state(), TenantState::active) << "who is late says nothing of the file";
}

TEST_P(OutboxSuite, WhoeverWantsToAddRowsToAnOlderCopyIsRefusedAndTheTenantIsFailed) {
  relay(rows_of(1, {job_of_acme(), job_of_acme()}));
  EXPECT_EQ(refusal_of_mark(kAcme, 2), std::nullopt);
  EXPECT_EQ(behind(), std::nullopt);
  EXPECT_EQ(refusal_of_mark(kAcme, 1), ErrorCode::tenant_not_ready);
  EXPECT_EQ(behind(), OutboxSeq{1});
  EXPECT_EQ(state(), TenantState::failed);
  EXPECT_EQ(audit().front().entry.verb, "tenant failed");
  EXPECT_EQ(marks().size(), 1U) << "somebody has to look";
  EXPECT_EQ(refusal_of_mark(kAcme, 3), ErrorCode::tenant_not_ready) << "also where it has gone on";
  EXPECT_EQ(recheck(2), std::nullopt);
  EXPECT_EQ(refusal_of_mark(kAcme, 2), std::nullopt);
}

TEST_P(OutboxSuite, TheTenantOfAFileThatIsBehindIsFailedUntilTheRightOneIsThere) {
  const OutboxRows all = rows_of(1, {job_of_acme(), job_of_acme()});
  relay(all);
  EXPECT_EQ(behind(), std::nullopt);
  EXPECT_EQ(recheck(2), ErrorCode::state_changed) << "it was not behind";
  const std::size_t audited = audit().size();
  for (int twice = 0; twice < 2; ++twice) {
    note_older_copy(1);
    EXPECT_EQ(state(), TenantState::failed);
    EXPECT_EQ(behind(), OutboxSeq{1});
    ASSERT_EQ(audit().size(), audited + 1) << "once";
  }
  EXPECT_EQ(audit().front().entry.verb, "tenant failed");
  EXPECT_EQ(audit().front().entry.reason,
            "file_behind: its outbox has given 1 numbers, and 2 were taken over");
  note_older_copy(0);  // an even older one
  EXPECT_EQ(behind(), OutboxSeq{0});
  EXPECT_EQ(audit().size(), audited + 1);

  EXPECT_TRUE(relay(rows_of(1, {job_of_acme(), job_of_acme(), job_of_acme()})).is_file_behind)
      << "its own next rows would be passed over";
  EXPECT_EQ(jobs_there(), 2U);

  EXPECT_EQ(recheck(1), ErrorCode::state_changed) << "it still is";
  EXPECT_EQ(state(), TenantState::failed);
  EXPECT_EQ(recheck(2), std::nullopt);
  EXPECT_EQ(state(), TenantState::active);
  EXPECT_EQ(behind(), std::nullopt);
  EXPECT_EQ(relay(all).inserted, 0);
  EXPECT_EQ(relay(rows_of(3, {job_of_acme()})).inserted, 1);
}

TEST_P(OutboxSuite, ARecheckedTenantIsWhatItWasBeforeItFailed) {
  for (const TenantState before : {TenantState::paused, TenantState::read_only, TenantState::active}) {
    relay(rows_of(1, {job_of_acme(), job_of_acme()}));
    set_tenant_state("acme", before);
    note_older_copy(1);
    note_older_copy(0);
    EXPECT_EQ(state(), TenantState::failed);
    EXPECT_EQ(recheck(2), std::nullopt);
    EXPECT_EQ(state(), before);
  }
  set_tenant_state("acme", TenantState::failed);
  note_older_copy(1);
  EXPECT_EQ(recheck(2), std::nullopt);
  EXPECT_EQ(state(), TenantState::failed) << "for something else";
}

TEST_P(OutboxSuite, AFileThatIsBehindFailsNoTenantThatIsOnItsWayOut) {
  relay(rows_of(1, {job_of_acme(), job_of_acme()}));
  set_tenant_state("acme", TenantState::draining);
  note_older_copy(1);
  EXPECT_EQ(state(), TenantState::draining);
  EXPECT_EQ(behind(), OutboxSeq{1});
  EXPECT_EQ(recheck(2), std::nullopt);
  EXPECT_EQ(state(), TenantState::draining);
}

TEST_P(OutboxSuite, ARowIsPassedOverWhereItIsRefusedAndTakenOverWhereItIsNot) {
  NewJob foreign = job_of_acme();
  foreign.tenant = TenantName::parse("globex").value();
  const OutboxRow refused = row(1, foreign);
  const NewJob behind_it = job_of_acme();
  const OutboxRow good = row(2, behind_it);
  const auto pass_over = [&](const OutboxRow& first) {
    return written(
        [&](StoreWriter& writer) { return writer.pass_over_outbox(kAcme, OutboxSeq{2}, first, now_); });
  };
  EXPECT_TRUE(relay({OutboxSeq{2}, {refused, good}}).refused);
  const Relayed passed = pass_over(refused);
  ASSERT_TRUE(passed.refused);
  EXPECT_EQ(passed.refused->failure.code, ErrorCode::wrong_tenant);
  EXPECT_EQ(passed.watermark, OutboxSeq{1});
  EXPECT_EQ(watermark(), 1);
  EXPECT_EQ(jobs_there(), 0U);
  EXPECT_FALSE(pass_over(refused).refused) << "it was passed over before";
  const Relayed taken = pass_over(good);
  EXPECT_FALSE(taken.refused);
  EXPECT_EQ(taken.inserted, 1);
  EXPECT_EQ(watermark(), 2);
}

TEST_P(OutboxSuite, NumbersWithoutRowsAreCounted) {
  OutboxRows rows{OutboxSeq{7}, {row(3, job_of_acme()), row(4, job_of_acme()), row(7, job_of_acme())}};
  const Relayed relayed = relay(rows);
  EXPECT_EQ(relayed.inserted, 3);
  EXPECT_EQ(relayed.missing, 4) << "1, 2, 5 and 6";
}

TEST_P(OutboxSuite, ATransactionThatIsUndoneLeavesNeitherJobsNorWatermarkNorMarks) {
  const OutboxRows rows = rows_of(1, {job_of_acme()});
  EXPECT_THROW(store().write(Durability::durable,
                             [&](StoreWriter& writer) {
                               static_cast<void>(writer.mark_outbox(kAcme, {.epoch = 1}, now_));
                               static_cast<void>(writer.relay_outbox(kAcme, rows, now_));
                               throw Abandoned{};
                             }),
               Abandoned);
  EXPECT_EQ(watermark(), 0);
  EXPECT_EQ(jobs_there(), 0U);
  EXPECT_TRUE(marks().empty());
  EXPECT_EQ(relay(rows).inserted, 1);
}

TEST_P(OutboxSuite, AMarkStandsOnceForEachEpoch) {
  EXPECT_EQ(mark(4), false);
  advance(seconds{1});
  EXPECT_EQ(mark(4), true);
  EXPECT_EQ(mark(5), false);
  write([&](StoreWriter& writer) { writer.mark_outbox_of(acme_, now_); });
  write([&](StoreWriter& writer) { writer.mark_outbox_of(acme_, now_); });
  write([&](StoreWriter& writer) { writer.mark_outbox_of(kUntenanted, now_); });
  const auto found = marks();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].owner, kAcme);
  EXPECT_EQ(found[0].epoch, 4);
  EXPECT_EQ(found[0].marked, now_ - seconds{1}) << "of the first";
  EXPECT_EQ(found[1].epoch, 5);
  EXPECT_EQ(found[2].epoch, std::nullopt);
  EXPECT_EQ(marks(found[0].number).size(), 2U);
  EXPECT_EQ(marks({}, 2).size(), 2U);
}

TEST_P(OutboxSuite, EachTenantWithAClaimOfAnotherIncarnationIsMarked) {
  const TenantRecord globex = create_tenant("globex");
  const TenantRecord initech = create_tenant("initech");
  for (const std::string_view tenant : {"acme", "acme", "globex", "initech"}) put(new_job(tenant));
  put();
  claim(acme_, 2);
  claim(globex.number);
  claim();
  write([](StoreWriter& writer) { writer.mark_outboxes_of_former_claims(kLife, {}); });
  EXPECT_TRUE(marks().empty()) << "they are of this one";
  for (int twice = 0; twice < 2; ++twice)
    write([&](StoreWriter& writer) {
      writer.mark_outboxes_of_former_claims(Incarnation{kLife.value + 1}, now_);
    });
  std::vector<OutboxOwner> owners;
  for (const OutboxMark& mark : marks()) {
    EXPECT_EQ(mark.epoch, std::nullopt);
    EXPECT_EQ(mark.marked, now_);
    owners.push_back(mark.owner);
  }
  EXPECT_THAT(owners, ::testing::UnorderedElementsAre(kAcme, OutboxOwner{globex.name, globex.generation}));
  static_cast<void>(initech);
}

TEST_P(OutboxSuite, AJobThatAnOperatorEndsWhileItWaitsLeavesAMark) {
  const Enqueued cancelled = put(new_job("acme"));
  const TenantRecord globex = create_tenant("globex");
  const Enqueued failed = put(new_job("globex"));
  const ClaimedJob claimed = claim_one(globex.number);
  written([&](StoreWriter& writer) { return writer.retry(ref(claimed), now_ + hours{1}, {}, now_); });
  EXPECT_TRUE(marks().empty());
  EXPECT_EQ(
      code_of(written([&](StoreWriter& writer) { return writer.cancel_by_operator(cancelled.id, now_); })),
      std::nullopt);
  ASSERT_EQ(marks().size(), 1U);
  EXPECT_EQ(marks()[0].owner, kAcme);
  EXPECT_EQ(
      code_of(written([&](StoreWriter& writer) { return writer.discard_by_operator(failed.id, now_); })),
      std::nullopt);
  EXPECT_EQ(marks().size(), 2U);
  const Enqueued untenanted = put();
  written([&](StoreWriter& writer) { return writer.cancel_by_operator(untenanted.id, now_); });
  EXPECT_EQ(marks().size(), 2U);
}

TEST_P(OutboxSuite, MarksGoByTheirNumberAndNoneIsGivenTwice) {
  mark(1);
  const auto read = marks();
  write([&](StoreWriter& writer) { writer.unmark_outbox(std::vector{read[0].number}); });
  EXPECT_TRUE(marks().empty());
  EXPECT_EQ(mark(1), false) << "it is there no more";
  write([&](StoreWriter& writer) { writer.unmark_outbox(std::vector{read[0].number}); });
  ASSERT_EQ(marks().size(), 1U) << "the new mark is not the one that was read";
  EXPECT_GT(marks()[0].number, read[0].number);
}

// A sweep reads the mark and looks into the file; then another run is lost, which leaves the mark again; then the sweep is done.
TEST_P(OutboxSuite, AMarkWithoutAnEpochThatIsSetAgainOutlivesWhoHasReadItBefore) {
  const auto lose_a_run = [&] { write([&](StoreWriter& writer) { writer.mark_outbox_of(acme_, now_); }); };
  lose_a_run();
  const auto read = marks();
  advance(seconds{5});
  lose_a_run();
  write([&](StoreWriter& writer) { writer.unmark_outbox(std::vector{read[0].number}); });
  const auto left = marks();
  ASSERT_EQ(left.size(), 1U) << "nobody looks for what the second run has left";
  EXPECT_GT(left[0].number, read[0].number);
  EXPECT_EQ(left[0].marked, read[0].marked) << "it has stood since then";
}

TEST_P(OutboxSuite, WhoMayNotEnqueueMayNotMark) {
  EXPECT_EQ(refusal_of_mark({TenantName::parse("nobody").value(), kFirst}), ErrorCode::tenant_does_not_exist);
  EXPECT_EQ(refusal_of_mark({kAcme.tenant, Generation{9}}), ErrorCode::stale_generation);
  set_tenant_state("acme", TenantState::draining);
  EXPECT_EQ(refusal_of_mark(kAcme), ErrorCode::tenant_not_ready);
  set_tenant_state("acme", TenantState::deleted);
  EXPECT_EQ(refusal_of_mark(kAcme), ErrorCode::tenant_deleted);
  EXPECT_TRUE(marks().empty());
}

INSTANTIATE_TEST_SUITE_P(EachStore, OutboxSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
