#include "store_suite.hpp"

namespace tenure::testing {
namespace {

constexpr Incarnation kNextLife{kLife.value + 1};

// The daemon of kLife has died, and the one of kNextLife looks at what it has left.
class SuspectSuite : public StoreSuite {
 protected:
  std::vector<FormerClaim> former_claims(std::size_t limit = 10) {
    return written([&](StoreWriter& writer) { return writer.former_claims(life_, limit); });
  }
  void suspect(ClaimRef claim, CrashCharge charge = CrashCharge::none) {
    const AttemptFailure failure{ErrorCode::interrupted, "the daemon died"};
    write([&](StoreWriter& writer) { value_or_raise(writer.suspect(claim, charge, failure, now_)); });
  }
  std::vector<Suspect> suspects(JobSeq after = JobSeq{0}, std::size_t limit = 10) {
    return told([&](LaneReader& reader) { return reader.suspects(after, limit); });
  }
  ClaimReply claim_suspect(JobSeq seq, bool is_alone) {
    const SuspectRequest request{seq, {life_, next_counter_++}, kProcess, is_alone};
    return written([&](StoreWriter& writer) { return writer.claim_suspect(request, now_); });
  }
  void die() { ++life_.value; }

  Incarnation life_ = kNextLife;
};

TEST_P(SuspectSuite, LSE_26_WhatWasClaimedWhenTheDaemonDiedIsBlockedUntilItIsClaimedByItself) {
  const auto acme = create_tenant("acme");
  const Enqueued job = put(new_job("acme"));
  put(new_job("acme"));
  const ClaimedJob claimed = claim_one(acme.number);
  const auto left = former_claims();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].claim, ref(claimed));
  EXPECT_FALSE(left[0].was_alone);
  suspect(left[0].claim);
  EXPECT_TRUE(former_claims().empty());
  EXPECT_EQ(record(job.id).state, ShownState::blocked);
  EXPECT_EQ(record(job.id).reason, JobReason::suspect);
  ASSERT_EQ(attempts(job.seq).size(), 1U);
  EXPECT_EQ(attempts(job.seq)[0].error, "the daemon died");
  EXPECT_NE(claim_one(acme.number).seq, job.seq) << "it is in no lane";

  const auto found = suspects();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].seq, job.seq);
  EXPECT_EQ(found[0].tenant, acme.number);
  EXPECT_EQ(found[0].queue, "default");
  EXPECT_EQ(found[0].kind, "billing.send_invoice");
  EXPECT_EQ(found[0].deaths, 1);
  EXPECT_EQ(found[0].counter, claimed.token.counter);
  EXPECT_FALSE(found[0].was_on_trial || found[0].was_alone);

  const ClaimReply reply = claim_suspect(job.seq, true);
  ASSERT_EQ(reply.jobs.size(), 1U);
  EXPECT_EQ(reply.jobs[0].id, job.id);
  EXPECT_EQ(reply.jobs[0].envelope, claimed.envelope);
  EXPECT_EQ(reply.jobs[0].tenant, claimed.tenant);
  EXPECT_EQ(record(job.id).state, ShownState::running);
  EXPECT_TRUE(suspects().empty());
  EXPECT_TRUE(claim_suspect(job.seq, true).jobs.empty()) << "once";
  write([&](StoreWriter& writer) {
    value_or_raise(writer.finish_succeeded(ref(reply.jobs[0]), now_));
    writer.acquit(job.seq);
  });
  EXPECT_EQ(record(job.id).state, ShownState::succeeded);
  EXPECT_EQ(record(job.id).crashes, 0);
}

TEST_P(SuspectSuite, LSE_26_WhoPerformedAloneAtADeathIsToldApart) {
  struct Case {
    bool is_alone, has_outlived;
  };
  for (const Case& each : {Case{true, false}, Case{false, false}, Case{true, true}}) {
    const Enqueued job = put();
    suspect(ref(claim_one()));
    ASSERT_EQ(claim_suspect(job.seq, each.is_alone).jobs.size(), 1U);
    if (each.has_outlived) write([&](StoreWriter& writer) { writer.end_trial(job.seq); });
    die();
    const auto left = former_claims();
    ASSERT_EQ(left.size(), 1U);
    EXPECT_EQ(left[0].was_alone, each.is_alone && !each.has_outlived);
    suspect(left[0].claim);
    const auto found = suspects();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].deaths, 2);
    EXPECT_EQ(found[0].was_on_trial, !each.has_outlived);
    EXPECT_EQ(found[0].was_alone, left[0].was_alone);
    const ClaimReply reply = claim_suspect(job.seq, true);
    write([&](StoreWriter& writer) {
      value_or_raise(writer.finish_succeeded(ref(reply.jobs.at(0)), now_));
      writer.acquit(job.seq);
    });
    life_ = kNextLife;
  }
}

TEST_P(SuspectSuite, LSE_26_ATrialThatHasEndedSaysNothingOfALaterClaim) {
  const Enqueued job = put();
  suspect(ref(claim_one()));
  const ClaimReply trial = claim_suspect(job.seq, true);
  write([&](StoreWriter& writer) { value_or_raise(writer.release(ref(trial.jobs.at(0)), true, {}, now_)); });
  static_cast<void>(claim_one());  // as an older program does, which acquits nobody
  die();
  ASSERT_EQ(former_claims().size(), 1U);
  EXPECT_FALSE(former_claims()[0].was_alone);
  suspect(former_claims()[0].claim);
  EXPECT_FALSE(suspects().at(0).was_on_trial);
}

TEST_P(SuspectSuite, LSE_26_TheChargeIsCountedAndTheLastIsPoison) {
  const Enqueued job = put();
  suspect(ref(claim_one()));
  for (int crashes = 1; crashes <= 3; ++crashes) {
    ASSERT_EQ(claim_suspect(job.seq, true).jobs.size(), 1U);
    die();
    const auto left = former_claims();
    ASSERT_EQ(left.size(), 1U);
    EXPECT_EQ(left[0].crashes, crashes - 1);
    suspect(left[0].claim, crashes < 3 ? CrashCharge::counted : CrashCharge::poison);
    EXPECT_EQ(record(job.id).crashes, crashes);
  }
  EXPECT_EQ(record(job.id).state, ShownState::dead);
  EXPECT_EQ(record(job.id).reason, JobReason::poison);
  EXPECT_EQ(attempts(job.seq).size(), 4U);
  EXPECT_TRUE(suspects().empty());
}

TEST_P(SuspectSuite, LSE_26_WhatIsReclaimedFromAHolderThatLeftIsNoSuspectAnyMore) {
  const Enqueued job = put();
  suspect(ref(claim_one()));
  ASSERT_EQ(claim_suspect(job.seq, true).jobs.size(), 1U);
  die();
  const auto reclaimed =
      written([&](StoreWriter& writer) { return writer.reclaim_of_former_holders(life_, 10, now_); });
  ASSERT_EQ(reclaimed.size(), 1U);
  EXPECT_EQ(record(job.id).state, ShownState::ready);
  suspect(ref(claim_one()));
  EXPECT_EQ(suspects().at(0).deaths, 1) << "it begins anew";
}

TEST_P(SuspectSuite, LSE_26_ASuspectOfAGatedTenantWaits) {
  const auto acme = create_tenant("acme");
  const Enqueued job = put(new_job("acme"));
  suspect(ref(claim_one(acme.number)));
  set_tenant_state("acme", TenantState::paused);
  EXPECT_EQ(claim_suspect(job.seq, true).gate, TenantState::paused);
  EXPECT_EQ(suspects().size(), 1U);
  set_tenant_state("acme", TenantState::active);
  EXPECT_EQ(claim_suspect(job.seq, true).jobs.size(), 1U);
}

TEST_P(SuspectSuite, LSE_26_ClaimsAndSuspectsComeInPages) {
  for (int job = 0; job < 3; ++job) {
    put();
    static_cast<void>(claim_one());
  }
  ASSERT_EQ(former_claims(2).size(), 2U);
  for (const FormerClaim& left : former_claims()) suspect(left.claim);
  const auto page = suspects(JobSeq{0}, 2);
  ASSERT_EQ(page.size(), 2U);
  EXPECT_LT(page[0].seq, page[1].seq);
  ASSERT_EQ(suspects(page[1].seq, 2).size(), 1U);
}

TEST_P(SuspectSuite, LSE_26_ClaimsOfADispatcherThatNeverWasMakeSuspectsToo) {
  put();
  static_cast<void>(claim_one());
  life_ = Incarnation{kLife.value - 1};
  EXPECT_EQ(former_claims().size(), 1U);
  life_ = kLife;
  EXPECT_TRUE(former_claims().empty());
}

TEST_P(SuspectSuite, LSE_02_AClaimThatHasMovedOnIsNotSuspected) {
  const Enqueued job = put();
  const ClaimRef old = ref(claim_one());
  write([&](StoreWriter& writer) { value_or_raise(writer.release(old, false, {}, now_)); });
  write([&](StoreWriter& writer) {
    EXPECT_EQ(code_of(writer.suspect(old, CrashCharge::poison, {}, now_)), ErrorCode::claim_lost);
  });
  EXPECT_EQ(record(job.id).state, ShownState::ready);
}

// A damaged file may have lost it: it may be the one that killed.
TEST_P(SuspectSuite, OneThatNothingNotesAsSuchIsOneOfADaemonsFirstDeath) {
  const auto acme = create_tenant("acme");
  const Enqueued job = put(new_job("acme"));
  suspect(ref(claim_one(acme.number)));
  write([&](StoreWriter& writer) { writer.acquit(job.seq); });
  const auto found = suspects();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].seq, job.seq);
  EXPECT_EQ(found[0].tenant, acme.number);
  EXPECT_EQ(found[0].deaths, 1);
  EXPECT_EQ(found[0].counter, 0);
  EXPECT_FALSE(found[0].was_on_trial || found[0].was_alone);
  EXPECT_TRUE(suspects(job.seq).empty());
  ASSERT_EQ(claim_suspect(job.seq, true).jobs.size(), 1U);
  die();
  ASSERT_EQ(former_claims().size(), 1U);
  EXPECT_TRUE(former_claims()[0].was_alone);
  suspect(former_claims()[0].claim);
  EXPECT_EQ(suspects().at(0).deaths, 2);
}

// A worker process ended under it: until it has succeeded it stands in no lane.
class SuspectOfProcessSuite : public SuspectSuite {
 protected:
  void suspect_of_process(ClaimRef claim, CrashCharge charge = CrashCharge::counted) {
    const AttemptFailure failure{ErrorCode::worker_crashed, "its process ended"};
    write([&](StoreWriter& writer) {
      value_or_raise(writer.suspect_of_process(claim, charge, failure, now_));
    });
  }
  // Enqueued, suspected, and claimed by itself.
  ClaimedJob claimed_alone() {
    job_ = put();
    suspect_of_process(ref(claim_one()));
    return claimed_again();
  }
  ClaimedJob claimed_again() {
    ClaimReply reply = claim_suspect(job_.seq, false);
    write([&](StoreWriter& writer) { writer.end_trial(job_.seq); });
    return std::move(reply.jobs.at(0));
  }
  void expect_suspect() {
    EXPECT_EQ(record(job_.id).state, ShownState::blocked);
    EXPECT_EQ(record(job_.id).reason, JobReason::suspect);
    const auto found = suspects();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].seq, job_.seq);
    EXPECT_EQ(found[0].deaths, 0);
    EXPECT_FALSE(found[0].was_on_trial || found[0].was_alone);
    EXPECT_TRUE(lanes().empty());
  }
  void retry(const ClaimedJob& claimed) {
    write([&](StoreWriter& writer) {
      value_or_raise(writer.retry(ref(claimed), now_ + seconds{30}, {ErrorCode::handler_failed, "no"}, now_));
    });
  }
  std::vector<JobArrival> promote() {
    return written([&](StoreWriter& writer) { return writer.promote(now_, 10); });
  }

  Enqueued job_;
};

TEST_P(SuspectOfProcessSuite, LSE_25_ItIsChargedAndBlockedUntilItIsClaimedByItself) {
  job_ = put();
  suspect_of_process(ref(claim_one()));
  expect_suspect();
  EXPECT_EQ(record(job_.id).crashes, 1);
  EXPECT_EQ(attempts(job_.seq).at(0).outcome, AttemptOutcome::interrupted);
  const ClaimedJob alone = claimed_again();
  EXPECT_EQ(alone.id, job_.id);
  write([&](StoreWriter& writer) {
    value_or_raise(writer.finish_succeeded(ref(alone), now_));
    writer.acquit(job_.seq);
  });
  EXPECT_EQ(record(job_.id).state, ShownState::succeeded);
  EXPECT_TRUE(suspects().empty());
}

TEST_P(SuspectOfProcessSuite, LSE_25_WhatIsGivenBackStaysASuspectAndIsCountedWhereItHadStarted) {
  ClaimedJob claimed = claimed_alone();
  for (const bool started : {false, true}) {
    write([&](StoreWriter& writer) {
      value_or_raise(writer.release_suspect(ref(claimed), started, {ErrorCode::tenant_busy, "it was"}, now_));
    });
    expect_suspect();
    EXPECT_EQ(record(job_.id).releases, started ? 1 : 0);
    EXPECT_EQ(attempts(job_.seq).size(), started ? 2U : 1U);
    claimed = claimed_again();
  }
}

TEST_P(SuspectOfProcessSuite, LSE_25_WhatIsGivenBackStaysASuspectAlsoWhereNothingNotedItAsOne) {
  const ClaimedJob claimed = claimed_alone();
  write([&](StoreWriter& writer) {
    writer.acquit(job_.seq);
    value_or_raise(writer.release_suspect(ref(claimed), true, {ErrorCode::tenant_busy, "it was"}, now_));
  });
  expect_suspect();
  static_cast<void>(claimed_again());
  die();
  static_cast<void>(
      written([&](StoreWriter& writer) { return writer.reclaim_of_former_holders(life_, 10, now_); }));
  expect_suspect();
}

TEST_P(SuspectOfProcessSuite, LSE_25_ARetryWaitsAndIsASuspectWhenItIsDue) {
  retry(claimed_alone());
  EXPECT_EQ(record(job_.id).state, ShownState::scheduled);
  EXPECT_EQ(record(job_.id).reason, JobReason::retry_wait);
  EXPECT_TRUE(suspects().empty());
  EXPECT_TRUE(promote().empty());
  now_ += seconds{30};
  const auto due = promote();
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].state, JobState::blocked);
  expect_suspect();
}

TEST_P(SuspectOfProcessSuite, LSE_25_ItIsASuspectAlsoWhenItsEnvelopeCanBeRead) {
  const ClaimedJob claimed = claimed_alone();
  write([&](StoreWriter& writer) { value_or_raise(writer.block(ref(claimed), JobReason::envelope_newer)); });
  EXPECT_TRUE(suspects().empty());
  const auto unblocked =
      written([&](StoreWriter& writer) { return writer.unblock(JobReason::envelope_newer, JobSeq{0}, 10); });
  ASSERT_EQ(unblocked.size(), 1U);
  EXPECT_EQ(unblocked[0].state, JobState::blocked);
  expect_suspect();
}

TEST_P(SuspectOfProcessSuite, LSE_25_WhatAnOperatorMakesDueIsASuspectWhenItIsPromoted) {
  for (const bool is_change : {false, true}) {
    retry(claimed_alone());
    write([&](StoreWriter& writer) {
      value_or_raise(is_change ? writer.change_by_operator(job_.id, {.due = now_}, now_)
                               : writer.run_by_operator(job_.id, now_));
    });
    EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.take_lane_hints(10); }).empty());
    EXPECT_EQ(told([&](LaneReader& reader) { return reader.next_due(); }), now_);
    ASSERT_EQ(promote().size(), 1U);
    expect_suspect();
    write([&](StoreWriter& writer) { value_or_raise(writer.cancel_by_operator(job_.id, now_)); });
    EXPECT_TRUE(suspects().empty());
  }
}

TEST_P(SuspectOfProcessSuite, LSE_25_ItIsASuspectAlsoWhereItsHolderLeftOrTheMachineWentDown) {
  static_cast<void>(claimed_alone());
  die();
  const auto reclaimed =
      written([&](StoreWriter& writer) { return writer.reclaim_of_former_holders(life_, 10, now_); });
  ASSERT_EQ(reclaimed.size(), 1U);
  EXPECT_EQ(reclaimed[0].state, JobState::blocked);
  expect_suspect();
}

TEST_P(SuspectOfProcessSuite, ADeathOfTheDaemonIsItsFirst) {
  static_cast<void>(claimed_alone());
  die();
  const auto left = former_claims();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_FALSE(left[0].was_alone);
  suspect(left[0].claim);
  ASSERT_EQ(suspects().size(), 1U);
  EXPECT_EQ(suspects()[0].deaths, 1);
  EXPECT_FALSE(suspects()[0].was_on_trial);
}

TEST_P(SuspectOfProcessSuite, WhatHasEndedForGoodIsNoneAnyMore) {
  for (const bool is_poison : {false, true}) {
    const ClaimedJob claimed = claimed_alone();
    if (is_poison) {
      suspect_of_process(ref(claimed), CrashCharge::poison);
    } else {
      write([&](StoreWriter& writer) {
        value_or_raise(writer.finish(ref(claimed), JobState::dead, JobReason::attempts_exhausted,
                                     {ErrorCode::handler_failed, "no"}, now_));
      });
    }
    EXPECT_EQ(record(job_.id).state, ShownState::dead);
    write([&](StoreWriter& writer) { value_or_raise(writer.retry_by_operator(job_.id, now_)); });
    EXPECT_EQ(record(job_.id).state, ShownState::ready);
    EXPECT_EQ(claim_one().id, job_.id);
  }
}

TEST_P(SuspectOfProcessSuite, LSE_02_AClaimThatHasMovedOnIsLost) {
  const ClaimRef old = ref(claimed_alone());
  write([&](StoreWriter& writer) { value_or_raise(writer.release_suspect(old, false, {}, now_)); });
  write([&](StoreWriter& writer) {
    EXPECT_EQ(code_of(writer.release_suspect(old, true, {}, now_)), ErrorCode::claim_lost);
    EXPECT_EQ(code_of(writer.suspect_of_process(old, CrashCharge::poison, {}, now_)), ErrorCode::claim_lost);
  });
  expect_suspect();
}

INSTANTIATE_TEST_SUITE_P(EachStore, SuspectOfProcessSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

INSTANTIATE_TEST_SUITE_P(EachStore, SuspectSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
