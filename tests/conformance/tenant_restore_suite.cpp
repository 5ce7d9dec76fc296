#include "store_suite.hpp"

#include <tenure/queue/envelope.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

// Tenants whose database is put back from a copy, as far as the store keeps it, and what becomes of their jobs.
namespace tenure::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TenantRestoreSuite : public StoreSuite {
 protected:
  TenantRestoreSuite() : acme_(create_tenant("acme")) {}

  Result<TenantRestore> begin(WallTime copied, Generation of = Generation{1},
                              std::string_view name = "acme") {
    return written([&](StoreWriter& writer) {
      return writer.begin_restore({.tenant = TenantName{name},
                                   .copied = copied,
                                   .copied_generation = of,
                                   .uid = 1000,
                                   .login = "dana",
                                   .reason = "ticket 4711"},
                                  now_);
    });
  }
  Result<void> hold(JobId id) {
    return written([&](StoreWriter& writer) { return writer.hold_for_restore(id); });
  }
  Result<TenantRecord> next() {
    return written([&](StoreWriter& writer) {
      return writer.begin_next(TenantName{"acme"}, 4096, now_ + hours{1}, now_);
    });
  }
  void activate(Generation generation) {
    value_or_raise(store().registry().activate(TenantName{"acme"}, generation));
  }
  // All of it, with what waits held.
  TenantRecord put_back(const std::vector<JobId>& waiting) {
    value_or_raise(begin(now_));
    for (const JobId id : waiting) value_or_raise(hold(id));
    TenantRecord made = value_or_raise(next());
    activate(made.generation);
    return made;
  }
  Result<void> restamp(JobId id) {
    return written([&](StoreWriter& writer) { return writer.restamp(id, now_); });
  }
  std::optional<TenantRestore> restore() {
    return asked([](JobReader& reader) { return reader.tenant_restore(TenantName{"acme"}); });
  }
  TenantRecord newest(std::string_view name = "acme") { return *store().registry().find(TenantName{name}); }
  std::optional<DeletionRecord> deletion() {
    return asked([&](JobReader& reader) { return reader.deletion(acme_.number); });
  }
  std::vector<DefectRecord> defects() {
    return asked([](JobReader& reader) { return reader.defects(PageCheck::none); });
  }

  const TenantRecord acme_;
};

TEST_P(TenantRestoreSuite, FromItsBeginningNothingIsAcceptedAndTheNextGenerationFollowsInOneCommit) {
  put(new_job("acme"));
  const auto begun = begin(now_ - hours{3});
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->before.state, TenantState::draining);
  EXPECT_EQ(begun->copied, now_ - hours{3});
  EXPECT_FALSE(begun->next);
  EXPECT_TRUE(begun->is_open());
  EXPECT_EQ(code_of(enqueue(new_job("acme"))), ErrorCode::tenant_not_ready);
  EXPECT_EQ(claim(acme_.number).gate, TenantState::draining);
  const auto made = next();
  ASSERT_TRUE(made);
  EXPECT_EQ(made->generation, Generation{2});
  EXPECT_EQ(newest().state, TenantState::provisioning);
  EXPECT_EQ(next()->number, made->number) << "again, it is the same";
  EXPECT_TRUE(restore()->is_open());
  EXPECT_EQ(restore()->before.state, TenantState::deleted);
  EXPECT_TRUE(enqueue(new_job("acme"))) << "held, in the new generation";
  activate(Generation{2});
  EXPECT_FALSE(restore()->is_open());
  EXPECT_EQ(restore()->next->generation, Generation{2});
  EXPECT_EQ(code_of(next()), std::nullopt);
}

TEST_P(TenantRestoreSuite, TheOldGenerationIsBuriedWithItsJobsKept) {
  put_back({});
  ASSERT_TRUE(deletion());
  EXPECT_EQ(deletion()->step, DeletionStep::buried);
  EXPECT_EQ(deletion()->size_bytes, 4096);
  EXPECT_EQ(deletion()->login, "dana");
  EXPECT_TRUE(deletion()->is_restore);
  const auto open = asked([](JobReader& reader) { return reader.open_deletions(TenantNumber{0}, 10); });
  ASSERT_EQ(open.size(), 1U);
  EXPECT_TRUE(open.front().is_restore);
}

// Whoever makes tenants would begin with an empty one.
TEST_P(TenantRestoreSuite, NobodyElseMakesTheNextGeneration) {
  EXPECT_TRUE(begin(now_));
  EXPECT_EQ(code_of(store().registry().begin_create(TenantName{"acme"}, now_)), ErrorCode::tenant_exists);
  EXPECT_TRUE(next());
  EXPECT_EQ(code_of(store().registry().begin_create(TenantName{"acme"}, now_)), ErrorCode::state_changed);
}

TEST_P(TenantRestoreSuite, BegunAgainItGoesOnWithTheCopyThatIsSaidThen) {
  EXPECT_TRUE(begin(now_ - hours{3}));
  const auto again = begin(now_ - hours{2});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->begun, now_);
  EXPECT_EQ(again->copied, now_ - hours{2});
  EXPECT_TRUE(next());
  EXPECT_EQ(begin(now_ - hours{1})->next->generation, Generation{2});
  EXPECT_EQ(code_of(begin(now_, Generation{2})), ErrorCode::state_changed)
      << "of a generation that is not older than the one that is made";
  activate(Generation{2});
  EXPECT_EQ(begin(now_)->before.generation, Generation{2}) << "another one, once it is over";
}

TEST_P(TenantRestoreSuite, TheNextGenerationIsAboveThatOfTheCopyToo) {
  EXPECT_TRUE(begin(now_, Generation{7}));
  EXPECT_EQ(next()->generation, Generation{8});
}

TEST_P(TenantRestoreSuite, WhichTenantsMayBePutBack) {
  for (const TenantState before : {TenantState::active, TenantState::paused, TenantState::read_only,
                                   TenantState::migrating, TenantState::failed}) {
    const std::string name = "t" + std::to_string(static_cast<int>(before));
    create_tenant(name);
    set_tenant_state(name, before);
    EXPECT_TRUE(begin(now_, Generation{1}, name)) << name_of(before);
    EXPECT_EQ(newest(name).state, TenantState::draining);
  }
  EXPECT_EQ(code_of(begin(now_, Generation{1}, "nobody")), ErrorCode::tenant_does_not_exist);
  create_tenant("making");
  set_tenant_state("making", TenantState::provisioning);
  EXPECT_EQ(code_of(begin(now_, Generation{1}, "making")), ErrorCode::tenant_not_ready);
  create_tenant("going");
  EXPECT_TRUE(written(
      [&](StoreWriter& writer) { return writer.begin_deletion({.tenant = TenantName{"going"}}, now_); }));
  EXPECT_EQ(code_of(begin(now_, Generation{1}, "going")), ErrorCode::state_changed);
}

TEST_P(TenantRestoreSuite, ADeletedOneIsPutBackAndItsOldJobsAreErasedAsWasSaid) {
  EXPECT_TRUE(written(
      [&](StoreWriter& writer) { return writer.begin_deletion({.tenant = TenantName{"acme"}}, now_); }));
  EXPECT_TRUE(written([&](StoreWriter& writer) {
    return writer.bury(acme_.number, {.size_bytes = 10, .erase_at = now_ + hours{2}});
  }));
  EXPECT_TRUE(begin(now_));
  EXPECT_EQ(next()->generation, Generation{2});
  EXPECT_FALSE(deletion()->is_restore);
  EXPECT_EQ(deletion()->erase_at, now_ + hours{2});
}

TEST_P(TenantRestoreSuite, OneThatIsBeingPutBackIsNotDeletedMeanwhile) {
  EXPECT_TRUE(begin(now_));
  const auto refused = written(
      [&](StoreWriter& writer) { return writer.begin_deletion({.tenant = TenantName{"acme"}}, now_); });
  EXPECT_EQ(code_of(refused), ErrorCode::state_changed);
  EXPECT_THAT(refused.error().message, HasSubstr("tenure tenant restore acme FILE"));
}

// It would stay, in creation for ever.
TEST_P(TenantRestoreSuite, WhileItsNextGenerationIsMadeItIsNotDeletedEither) {
  const auto removed = [&] {
    return written(
        [&](StoreWriter& writer) { return writer.begin_deletion({.tenant = TenantName{"acme"}}, now_); });
  };
  EXPECT_TRUE(begin(now_));
  const auto made = next();
  ASSERT_TRUE(made);
  const auto refused = removed();
  EXPECT_EQ(code_of(refused), ErrorCode::state_changed);
  EXPECT_THAT(refused.error().message, HasSubstr("tenure tenant restore acme FILE"));
  activate(made->generation);
  EXPECT_TRUE(removed());
}

// It could only be given up, and until then nobody erases it.
TEST_P(TenantRestoreSuite, WhatLiesInTheGraveyardIsNotTakenBackWhileACopyIsPutInItsPlace) {
  EXPECT_TRUE(written(
      [&](StoreWriter& writer) { return writer.begin_deletion({.tenant = TenantName{"acme"}}, now_); }));
  EXPECT_TRUE(written([&](StoreWriter& writer) {
    return writer.bury(acme_.number, {.size_bytes = 10, .erase_at = now_ + hours{2}});
  }));
  const auto take_back = [&] {
    return written([&](StoreWriter& writer) { return writer.begin_taking_back(acme_.number, now_); });
  };
  EXPECT_TRUE(begin(now_));
  EXPECT_EQ(code_of(take_back()), ErrorCode::state_changed);
  EXPECT_TRUE(next());
  const auto refused = take_back();
  EXPECT_EQ(code_of(refused), ErrorCode::state_changed);
  EXPECT_THAT(refused.error().message, HasSubstr("tenure tenant restore acme FILE"));
  EXPECT_EQ(deletion()->step, DeletionStep::buried);
}

TEST_P(TenantRestoreSuite, WithTheNewestGenerationGoWhatWasPutAwayForItAndItsJobs) {
  for (const bool is_file_gone : {false, true}) {
    const std::string name = is_file_gone ? "gone" : "there";
    const TenantRecord old = create_tenant(name);
    const JobId held = put(new_job(name)).id;
    const TenantName tenant{name};
    value_or_raise(begin(now_, Generation{1}, name));
    value_or_raise(hold(held));
    const TenantRecord made = value_or_raise(written([&](StoreWriter& writer) {
      return writer.begin_next(tenant, 4096, now_ + hours{is_file_gone ? 1 : 5}, now_);
    }));
    value_or_raise(store().registry().activate(tenant, made.generation));
    EXPECT_TRUE(
        written([&](StoreWriter& writer) { return writer.begin_deletion({.tenant = tenant}, now_); }));
    EXPECT_TRUE(written([&](StoreWriter& writer) {
      return writer.bury(made.number, {.size_bytes = 1, .erase_at = now_ + hours{2}});
    }));
    const auto of_old = [&] {
      return *asked([&](JobReader& reader) { return reader.deletion(old.number); });
    };
    const auto begin_erasing = [&](TenantNumber number) {
      return written([&](StoreWriter& writer) { return writer.begin_erasing(number, now_); });
    };
    const auto erasable = [&] {
      const auto found = asked([](JobReader& reader) { return reader.erasable_jobs(JobSeq{0}, 1000); }).jobs;
      return std::ranges::find(found, held) != found.end();
    };
    advance(hours{3});
    if (is_file_gone) {
      EXPECT_TRUE(begin_erasing(old.number));
      EXPECT_TRUE(written(
          [&](StoreWriter& writer) { return writer.end_deletion(old.number, DeletionStep::erased); }));
    }
    EXPECT_FALSE(erasable());
    EXPECT_TRUE(of_old().is_restore);
    EXPECT_TRUE(begin_erasing(made.number));
    EXPECT_FALSE(of_old().is_restore);
    if (!is_file_gone) {
      EXPECT_EQ(of_old().step, DeletionStep::buried) << "its own window is not over";
      advance(hours{3});
      EXPECT_TRUE(begin_erasing(old.number));
    }
    EXPECT_EQ(of_old().step, DeletionStep::erasing);
    EXPECT_TRUE(erasable());
    EXPECT_THAT(defects(), IsEmpty());
  }
}

TEST_P(TenantRestoreSuite, WhateverWaitsIsHeldWithTheReasonGeneration) {
  const JobId ready = put(new_job("acme")).id;
  NewJob later = new_job("acme");
  later.due = now_ + hours{1};
  const JobId scheduled = put(later).id;
  NewJob keyed = new_job("acme");
  keyed.concurrency = ConcurrencyKey{.key = "k", .running_max = 1};
  put(keyed);
  const ClaimedJob running = claim(acme_.number, 10).jobs.back();
  EXPECT_EQ(code_of(hold(running.id)), ErrorCode::state_changed);
  const auto all = asked([&](JobReader& reader) { return reader.list_jobs({}, {}, now_); }).jobs;
  write([&](StoreWriter& writer) {
    for (const JobRecord& job : all)
      if (job.claim) value_or_raise(writer.release({job.seq, *job.claim}, true, {}, now_));
  });
  for (const JobId id : {ready, scheduled, keyed.id}) {
    EXPECT_TRUE(hold(id));
    EXPECT_EQ(record(id).state, ShownState::blocked);
    EXPECT_EQ(record(id).reason, JobReason::generation);
  }
  EXPECT_TRUE(hold(ready)) << "again";
  EXPECT_EQ(code_of(hold(new_job().id)), ErrorCode::job_not_found);
  EXPECT_THAT(lanes(), IsEmpty());
  advance(hours{2});
  EXPECT_THAT(written([&](StoreWriter& writer) { return writer.promote(now_, 10); }), IsEmpty());
  EXPECT_THAT(claim(acme_.number).jobs, IsEmpty());
  EXPECT_THAT(defects(), IsEmpty());
}

TEST_P(TenantRestoreSuite, RestampedAJobRunsInTheNewGenerationUnderItsIdWithItsHistory) {
  const NewJob job = new_job("acme");
  put(job);
  const ClaimedJob first = claim_one(acme_.number);
  write([&](StoreWriter& writer) {
    value_or_raise(writer.tell({.claim = ref(first), .progress = {}, .cursor = "at 500"}, now_));
    value_or_raise(
        writer.retry(ref(first), now_ + hours{1}, {.code = ErrorCode::disk, .error = "full"}, now_));
  });
  const WallTime due = record(job.id).due;
  const TenantRecord made = put_back({job.id});
  EXPECT_EQ(code_of(written([&](StoreWriter& writer) { return writer.retry_by_operator(job.id, now_); })),
            ErrorCode::state_changed);
  ASSERT_TRUE(restamp(job.id));
  const JobRecord restamped = record(job.id);
  EXPECT_EQ(restamped.generation, made.generation);
  EXPECT_EQ(restamped.state, ShownState::scheduled);
  EXPECT_EQ(restamped.due, due);
  EXPECT_EQ(restamped.failures, 0) << "a new budget";
  ASSERT_EQ(attempts(restamped.seq).size(), 1U);
  EXPECT_EQ(attempts(restamped.seq).front().error, "full");
  EXPECT_THAT(claim(acme_.number).jobs, IsEmpty());
  EXPECT_THAT(defects(), IsEmpty());
  advance(hours{2});
  EXPECT_EQ(written([&](StoreWriter& writer) { return writer.promote(now_, 10); }).size(), 1U);
  const ClaimedJob again = claim_one(made.number);
  EXPECT_EQ(again.id, job.id);
  EXPECT_EQ(again.generation, made.generation);
  EXPECT_EQ(again.cursor, "") << "what it counts may not be in the copy";
  const auto envelope = read_envelope(again.envelope);
  ASSERT_TRUE(envelope);
  EXPECT_EQ(envelope->generation, made.generation);
  EXPECT_EQ(envelope->arguments, job.arguments);
}

TEST_P(TenantRestoreSuite, WhatHasEndedRunsAgainUnderItsIdDueNow) {
  const NewJob first = new_job("acme");
  const NewJob second = new_job("acme");
  put(first);
  put(second);
  const ClaimedJob done = claim_one(acme_.number);
  const ClaimedJob dead = claim_one(acme_.number);
  write([&](StoreWriter& writer) {
    value_or_raise(writer.finish_succeeded(ref(done), now_));
    value_or_raise(writer.finish(ref(dead), JobState::dead, JobReason::permanent_error, {}, now_));
  });
  const TenantRecord made = put_back({});
  advance(minutes{5});
  for (const JobId id : {done.id, dead.id}) {
    ASSERT_TRUE(restamp(id));
    EXPECT_EQ(record(id).state, ShownState::ready);
    EXPECT_EQ(record(id).generation, made.generation);
    EXPECT_EQ(record(id).due, now_);
    EXPECT_EQ(code_of(restamp(id)), ErrorCode::state_changed) << "it is of the newest generation by now";
  }
  while (store().tidy()) {
  }
  EXPECT_THAT(defects(), IsEmpty());
  EXPECT_EQ(claim(made.number, 10).jobs.size(), 2U);
}

// As far as the store has a part in it: what is re-stamped, rerun, cancelled and left.
TEST_P(TenantRestoreSuite, REG_19_OldClaimsAreVoidWhatWaitsIsBlockedAndEachIsDecidedUpon) {
  const WallTime copied = now_;
  advance(minutes{1});
  std::vector<JobId> ids;
  for (int each = 0; each < 5; ++each) ids.push_back(put(new_job("acme")).id);
  const ClaimedJob ended = claim_one(acme_.number);
  write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(ended), now_)); });
  const ClaimedJob running = claim_one(acme_.number);
  value_or_raise(begin(copied));
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.release(ref(running), true, {}, now_); }));
  std::erase(ids, ended.id);
  for (const JobId id : ids) value_or_raise(hold(id));
  const TenantRecord made = value_or_raise(next());
  EXPECT_EQ(made.generation, Generation{acme_.generation.value + 1});
  activate(made.generation);
  EXPECT_EQ(
      code_of(written([&](StoreWriter& writer) { return writer.finish_succeeded(ref(running), now_); })),
      ErrorCode::claim_lost);
  const auto listed = [&](Filter filter) {
    filter.terms.push_back({FilterField::tenant, false, {Glob{"acme", true}}});
    return asked([&](JobReader& reader) { return reader.count_jobs(filter, {}, now_).count; });
  };
  const Filter waiting{{{FilterField::reason, false, {Glob{"generation", true}}}}};
  const Filter since{{{FilterField::finished, false, {Range{to_us(copied), std::nullopt}}}}};
  EXPECT_EQ(listed(waiting), 4);
  EXPECT_EQ(listed(since), 1);
  EXPECT_TRUE(restamp(ids[0]));
  EXPECT_TRUE(restamp(ended.id));
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.cancel_by_operator(ids[1], now_); }));
  EXPECT_EQ(listed(waiting), 2) << "the rest is left";
  const auto again = claim(made.number, 10).jobs;
  ASSERT_EQ(again.size(), 2U);
  for (const ClaimedJob& job : again)
    EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.finish_succeeded(ref(job), now_); }));
  EXPECT_EQ(record(ended.id).state, ShownState::succeeded);
  EXPECT_EQ(record(ids[0]).state, ShownState::succeeded);
  EXPECT_EQ(record(ids[1]).state, ShownState::cancelled);
  EXPECT_EQ(record(ids[2]).state, ShownState::blocked);
}

TEST_P(TenantRestoreSuite, WhatMayStillRunIsCountedForTheNewestGeneration) {
  const JobId held = put(new_job("acme")).id;
  const TenantRecord made = put_back({held});
  const auto all = asked([&](JobReader& reader) {
    return reader.unsucceeded_jobs(JobSeq{0}, JobSeq{1'000'000}, now_ + hours{1}, 100);
  });
  ASSERT_EQ(all.jobs.size(), 1U);
  EXPECT_EQ(all.jobs.front().id, held);
  EXPECT_EQ(all.jobs.front().tenant, made.number);
}

TEST_P(TenantRestoreSuite, AUniqueKeyThatAnotherJobHasByNowIsNamedAndNothingIsChanged) {
  NewJob old = new_job("acme");
  old.unique = UniqueKey{.key = "report"};
  put(old);
  put_back({old.id});
  NewJob other = new_job("acme");
  other.unique = UniqueKey{.key = "report"};
  EXPECT_FALSE(put(other).existed) << "the key is of one generation";
  const auto refused = restamp(old.id);
  EXPECT_EQ(code_of(refused), ErrorCode::limit_reached);
  EXPECT_THAT(refused.error().message, HasSubstr(other.id.text()));
  EXPECT_EQ(record(old.id).state, ShownState::blocked);
  EXPECT_EQ(record(old.id).generation, acme_.generation);
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.cancel_by_operator(other.id, now_); }));
  EXPECT_TRUE(restamp(old.id));
  EXPECT_EQ(record(old.id).state, ShownState::ready);
}

TEST_P(TenantRestoreSuite, HeldJobsCanBeCancelledAndAreNeverRetriedIntoTheOldGeneration) {
  const JobId id = put(new_job("acme")).id;
  put_back({id});
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.cancel_by_operator(id, now_); }));
  EXPECT_EQ(record(id).state, ShownState::cancelled);
  EXPECT_EQ(code_of(written([&](StoreWriter& writer) { return writer.retry_by_operator(id, now_); })),
            ErrorCode::stale_generation);
}

TEST_P(TenantRestoreSuite, RowsOfTheOldOutboxAreTakenOverWhileItDrains) {
  const OutboxOwner owner{TenantName{"acme"}, Generation{1}};
  NewJob job = new_job("acme");
  job.generation = Generation{1};
  const OutboxRows rows{.newest = OutboxSeq{1}, .rows = {{OutboxSeq{1}, write_outbox_row(job, {})}}};
  EXPECT_TRUE(begin(now_));
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.relay_outbox(owner, rows, now_); }).refused)
      << "not by whoever comes along";
  const Relayed relayed =
      written([&](StoreWriter& writer) { return writer.relay_for_restore(owner, rows, now_); });
  EXPECT_FALSE(relayed.refused);
  EXPECT_EQ(relayed.inserted, 1);
  EXPECT_TRUE(hold(job.id));
  EXPECT_EQ(record(job.id).reason, JobReason::generation);
  EXPECT_EQ(
      written([&](StoreWriter& writer) { return writer.relay_for_restore(owner, rows, now_); }).inserted, 0)
      << "the watermark knows";
}

TEST_P(TenantRestoreSuite, AJobThatIsNoneOfAnOlderGenerationIsNotRestamped) {
  const JobId untenanted = put().id;
  const JobId live = put(new_job("acme")).id;
  EXPECT_EQ(code_of(restamp(untenanted)), ErrorCode::state_changed);
  EXPECT_EQ(code_of(restamp(live)), ErrorCode::state_changed);
  EXPECT_EQ(code_of(restamp(new_job().id)), ErrorCode::job_not_found);
}

TEST_P(TenantRestoreSuite, NoNextGenerationWithoutARestore) {
  EXPECT_EQ(code_of(next()), ErrorCode::state_changed);
  EXPECT_FALSE(restore());
}

INSTANTIATE_TEST_SUITE_P(EachStore, TenantRestoreSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
