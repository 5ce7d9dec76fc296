#include "store_suite.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/text.hpp>

namespace tenure::testing {

TEST_P(StoreSuite, LSE_02_AnOldClaimTokenChangesNothing) {
  const Enqueued job = put();
  const ClaimRef old = ref(claim_one());
  write([&](StoreWriter& writer) { value_or_raise(writer.release(old, false, {}, now_)); });
  const ClaimedJob current = claim_one();
  const JobRecord before = record(job.id);
  write([&](StoreWriter& writer) {
    EXPECT_EQ(code_of(writer.finish_succeeded(old, now_)), ErrorCode::claim_lost);
    EXPECT_EQ(code_of(writer.release(old, true, {}, now_)), ErrorCode::claim_lost);
    EXPECT_EQ(code_of(writer.block(old, JobReason::envelope_newer)), ErrorCode::claim_lost);
    EXPECT_EQ(code_of(writer.reclaim(old, CrashCharge::counted, {}, now_)), ErrorCode::claim_lost);
  });
  EXPECT_TRUE(attempts(job.seq).empty());
  EXPECT_EQ(record(job.id).claim, current.token);
  EXPECT_EQ(record(job.id).releases, before.releases);
  write([&](StoreWriter& writer) { EXPECT_FALSE(code_of(writer.finish_succeeded(ref(current), now_))); });
}

TEST_P(StoreSuite, LSE_02_ALosersFailureIsRecordedAsLostOnceAndUncharged) {
  const Enqueued job = put();
  const ClaimRef old = ref(claim_one());
  write([&](StoreWriter& writer) { value_or_raise(writer.reclaim(old, CrashCharge::none, {}, now_)); });
  for (int again = 0; again < 2; ++again)
    write([&](StoreWriter& writer) {
      const AttemptFailure failure{ErrorCode::handler_failed, "too late"};
      EXPECT_EQ(code_of(writer.retry(old, now_, failure, now_)), ErrorCode::claim_lost);
      EXPECT_EQ(code_of(writer.finish(old, JobState::dead, JobReason::by_rule, failure, now_)),
                ErrorCode::claim_lost);
    });
  const auto history = attempts(job.seq);
  ASSERT_EQ(history.size(), 2U);
  EXPECT_EQ(history[0].outcome, AttemptOutcome::interrupted);
  EXPECT_EQ(history[1].outcome, AttemptOutcome::lost);
  EXPECT_EQ(history[1].error, "too late");
  EXPECT_EQ(history[1].claim, old.token);
  const JobRecord shown = record(job.id);
  EXPECT_EQ(shown.state, ShownState::ready);
  EXPECT_EQ(shown.failures + shown.crashes + shown.releases, 0);
}

TEST_P(StoreSuite, LSE_02_ARepeatedFailureAfterItsOwnEndIsNotRecordedTwice) {
  const Enqueued job = put();
  const ClaimRef claim = ref(claim_one());
  write([&](StoreWriter& writer) { value_or_raise(writer.retry(claim, now_, {}, now_)); });
  write([&](StoreWriter& writer) {
    EXPECT_EQ(code_of(writer.retry(claim, now_, {}, now_)), ErrorCode::claim_lost);
  });
  EXPECT_EQ(attempts(job.seq).size(), 1U);
  EXPECT_EQ(record(job.id).failures, 1);
}

TEST_P(StoreSuite, LSE_04_ClaimsOfFormerHoldersAreReclaimedUnchargedAndKnownAgain) {
  const auto acme = create_tenant("acme");
  put(new_job("acme"));
  const Enqueued second = put(new_job("acme"));
  const ClaimReply old = claim(acme.number, 2);
  put();
  ClaimRequest request;
  request.queue = lanes().at(0).queue;
  request.kinds.push_back({lanes().at(0).kind, {}});
  request.incarnation = Incarnation{kLife.value + 1};
  const ClaimReply present = written([&](StoreWriter& writer) { return writer.claim(request, now_); });
  ASSERT_EQ(present.jobs.size(), 1U);

  const auto reclaim = [&](std::size_t limit) {
    return written([&](StoreWriter& writer) {
      return writer.reclaim_of_former_holders(request.incarnation, limit, now_);
    });
  };
  const auto first = reclaim(1);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].seq, old.jobs[0].seq);
  EXPECT_EQ(first[0].lane, old.jobs[0].lane);
  EXPECT_EQ(first[0].due, old.jobs[0].place.due);
  EXPECT_EQ(first[0].state, JobState::ready);
  EXPECT_EQ(reclaim(10).size(), 1U);
  EXPECT_TRUE(reclaim(10).empty());

  EXPECT_EQ(record(present.jobs[0].id).state, ShownState::running) << "the present holder's stay";
  const JobRecord shown = record(second.id);
  EXPECT_EQ(shown.state, ShownState::ready);
  EXPECT_EQ(shown.failures + shown.crashes + shown.releases, 0);
  ASSERT_EQ(attempts(second.seq).size(), 1U);
  EXPECT_EQ(attempts(second.seq)[0].outcome, AttemptOutcome::interrupted);
  EXPECT_EQ(attempts(second.seq)[0].error_code, ErrorCode::interrupted);
}

TEST_P(StoreSuite, AClaimOfADispatcherThatNeverWasIsReclaimed) {
  const auto acme = create_tenant("acme");
  const Enqueued job = put(new_job("acme"));
  ASSERT_EQ(claim(acme.number, 1).jobs.size(), 1U);
  const auto reclaimed = written([&](StoreWriter& writer) {
    return writer.reclaim_of_former_holders(Incarnation{kLife.value - 1}, 10, now_);
  });
  EXPECT_EQ(reclaimed.size(), 1U);
  EXPECT_EQ(record(job.id).state, ShownState::ready);
}

TEST_P(StoreSuite, LSE_05_ACrashIsCountedAndPoisonWhereItIsSaid) {
  const Enqueued job = put();
  const AttemptFailure crash{ErrorCode::worker_crashed, "signal 11"};
  constexpr int kCrashes = limits::kCrashesMax + 2;  // whoever ends the claim counts, not the store
  for (int crashes = 1; crashes <= kCrashes; ++crashes) {
    const ClaimedJob claimed = claim_one();
    EXPECT_EQ(claimed.crashes, crashes - 1);
    advance(seconds{1});
    const auto charge = crashes < kCrashes ? CrashCharge::counted : CrashCharge::poison;
    EXPECT_TRUE(
        written([&](StoreWriter& writer) { return writer.reclaim(ref(claimed), charge, crash, now_); }));
    EXPECT_EQ(record(job.id).state, crashes < kCrashes ? ShownState::ready : ShownState::dead);
    EXPECT_EQ(record(job.id).crashes, crashes);
  }
  const JobRecord shown = record(job.id);
  EXPECT_EQ(shown.state, ShownState::dead);
  EXPECT_EQ(shown.reason, JobReason::poison);
  EXPECT_EQ(shown.failures, 0) << "crashes have a budget of their own";
  EXPECT_EQ(shown.started, now_ - seconds{1});
  EXPECT_EQ(shown.finished, now_);
  EXPECT_EQ(shown.error, "signal 11");
  EXPECT_EQ(attempts(job.seq).size(), static_cast<std::size_t>(kCrashes));
  EXPECT_TRUE(lanes().empty());
}

TEST_P(StoreSuite, LSE_06_AnUnchargedReclaimCostsNothing) {
  const Enqueued job = put();
  for (int i = 0; i < limits::kCrashesMax + 1; ++i) {
    const ClaimedJob claimed = claim_one();
    EXPECT_TRUE(written(
        [&](StoreWriter& writer) { return writer.reclaim(ref(claimed), CrashCharge::none, {}, now_); }));
    EXPECT_EQ(record(job.id).state, ShownState::ready);
  }
  EXPECT_EQ(record(job.id).crashes, 0);
}

TEST_P(StoreSuite, RTY_02_AttemptsAreCompleteAndOrdered) {
  const Enqueued job = put();
  const auto next = [&] {
    advance(minutes{1});
    static_cast<void>(written([&](StoreWriter& writer) { return writer.promote(now_, 10); }));
    ClaimedJob claimed = claim_one();
    advance(seconds{3});
    return claimed;
  };
  ClaimedJob claimed = next();
  write([&](StoreWriter& writer) {
    value_or_raise(
        writer.retry(ref(claimed), now_, {ErrorCode::handler_failed, "SmtpTimeout: no answer"}, now_));
  });
  claimed = next();
  write([&](StoreWriter& writer) {
    value_or_raise(writer.release(ref(claimed), true, {ErrorCode::tenant_busy, "locked"}, now_));
  });
  claimed = next();
  write([&](StoreWriter& writer) {
    value_or_raise(
        writer.reclaim(ref(claimed), CrashCharge::counted, {ErrorCode::worker_crashed, "signal 6"}, now_));
  });
  claimed = next();
  write([&](StoreWriter& writer) {
    value_or_raise(writer.finish(ref(claimed), JobState::dead, JobReason::attempts_exhausted,
                                 {ErrorCode::time_limit, "30 s"}, now_));
  });

  const auto history = attempts(job.seq);
  ASSERT_EQ(history.size(), 4U);
  const std::vector<AttemptOutcome> outcomes{AttemptOutcome::failed, AttemptOutcome::released,
                                             AttemptOutcome::interrupted, AttemptOutcome::failed};
  const std::vector<std::optional<ErrorCode>> codes{ErrorCode::handler_failed, ErrorCode::tenant_busy,
                                                    ErrorCode::worker_crashed, ErrorCode::time_limit};
  for (std::size_t i = 0; i < history.size(); ++i) {
    EXPECT_EQ(history[i].number, static_cast<int>(i) + 1);
    EXPECT_EQ(history[i].outcome, outcomes[i]);
    EXPECT_EQ(history[i].error_code, codes[i]);
    EXPECT_EQ(history[i].finished - *history[i].started, seconds{3});
    EXPECT_EQ(history[i].process, kProcess);
    EXPECT_TRUE(i == 0 || history[i].claim > history[i - 1].claim);
  }
  const JobRecord shown = record(job.id);
  EXPECT_EQ(shown.id, job.id);
  EXPECT_EQ(shown.state, ShownState::dead);
  EXPECT_EQ(shown.reason, JobReason::attempts_exhausted);
  EXPECT_EQ(shown.error, "30 s");
}

TEST_P(StoreSuite, RTY_07_ADeadJobIsRetriedWithItsHistoryAndANewBudget) {
  const auto acme = create_tenant("acme");
  const Enqueued job = put(new_job("acme"));
  for (int crash = 0; crash < 2; ++crash) {
    const ClaimedJob crashed = claim_one(acme.number);
    write([&](StoreWriter& writer) {
      value_or_raise(writer.reclaim(ref(crashed), CrashCharge::counted, {}, now_));
    });
  }
  const ClaimedJob claimed = claim_one(acme.number);
  write([&](StoreWriter& writer) {
    value_or_raise(writer.finish(ref(claimed), JobState::dead, JobReason::permanent_error, {}, now_));
  });
  advance(hours{1});
  EXPECT_FALSE(code_of(written([&](StoreWriter& writer) { return writer.retry_by_operator(job.id, now_); })));

  const JobRecord shown = record(job.id);
  EXPECT_EQ(shown.state, ShownState::ready);
  EXPECT_EQ(shown.reason, JobReason::none);
  EXPECT_EQ(shown.due, now_);
  EXPECT_EQ(shown.failures, 0);
  EXPECT_EQ(shown.crashes, 0);
  EXPECT_FALSE(shown.started || shown.finished);
  EXPECT_EQ(attempts(job.seq).size(), 3U);
  const auto hints = written([&](StoreWriter& writer) { return writer.take_lane_hints(10); });
  ASSERT_EQ(hints.size(), 1U);
  EXPECT_EQ(hints[0].seq, job.seq);
  EXPECT_EQ(hints[0].lane, claimed.lane);
  EXPECT_EQ(hints[0].due, now_);
  EXPECT_EQ(hints[0].state, JobState::ready);
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.take_lane_hints(10); }).empty());
  EXPECT_EQ(claim_one(acme.number).id, job.id);
}

TEST_P(StoreSuite, RTY_07_RunningSucceededWaitingAndUnknownJobsAreNotRetried) {
  const auto retry = [&](JobId id) {
    return code_of(written([&](StoreWriter& writer) { return writer.retry_by_operator(id, now_); }));
  };
  const Enqueued job = put();
  EXPECT_EQ(retry(job.id), ErrorCode::state_changed) << "ready";
  const ClaimedJob claimed = claim_one();
  EXPECT_EQ(retry(job.id), ErrorCode::state_changed) << "running";
  write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(claimed), now_)); });
  EXPECT_EQ(retry(job.id), ErrorCode::state_changed) << "succeeded";
  EXPECT_EQ(retry(new_job().id), ErrorCode::job_not_found);
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.take_lane_hints(10); }).empty());
}

TEST_P(StoreSuite, RTY_07_AJobOfAGoneTenantOrGenerationIsNotRetried) {
  const auto acme = create_tenant("acme");
  const Enqueued job = put(new_job("acme"));
  const ClaimedJob claimed = claim_one(acme.number);
  write([&](StoreWriter& writer) {
    value_or_raise(writer.finish(ref(claimed), JobState::dead, JobReason::by_rule, {}, now_));
  });
  const auto retry = [&] {
    return code_of(written([&](StoreWriter& writer) { return writer.retry_by_operator(job.id, now_); }));
  };
  set_tenant_state("acme", TenantState::draining);
  EXPECT_EQ(retry(), ErrorCode::tenant_not_ready);
  set_tenant_state("acme", TenantState::deleted);
  EXPECT_EQ(retry(), ErrorCode::tenant_deleted);
  create_tenant("acme");
  EXPECT_EQ(retry(), ErrorCode::stale_generation);
  EXPECT_EQ(record(job.id).state, ShownState::dead);
}

TEST_P(StoreSuite, RTY_08_CrashesReleasesAndFailuresAreCountedApart) {
  const Enqueued job = put();
  ClaimedJob claimed = claim_one();
  write([&](StoreWriter& writer) { value_or_raise(writer.release(ref(claimed), true, {}, now_)); });
  claimed = claim_one();
  write([&](StoreWriter& writer) {
    value_or_raise(writer.reclaim(ref(claimed), CrashCharge::counted, {}, now_));
  });
  for (int failures = 1; failures <= 3; ++failures) {
    claimed = claim_one();
    EXPECT_EQ(claimed.failures, failures - 1);
    write([&](StoreWriter& writer) { value_or_raise(writer.retry(ref(claimed), now_, {}, now_)); });
    static_cast<void>(written([&](StoreWriter& writer) { return writer.promote(now_, 10); }));
  }
  const JobRecord shown = record(job.id);
  EXPECT_EQ(shown.failures, 3);
  EXPECT_EQ(shown.crashes, 1);
  EXPECT_EQ(shown.releases, 1);
  claimed = claim_one();
  EXPECT_EQ(claimed.releases, 1);
  EXPECT_EQ(claimed.crashes, 1);
}

TEST_P(StoreSuite, RTY_09_AnErrorOfAnySizeAndBytesIsKeptCutAndReadable) {
  const Enqueued job = put();
  const auto fail_with = [&](std::string error) {
    const ClaimedJob claimed = claim_one();
    write([&](StoreWriter& writer) {
      value_or_raise(writer.retry(ref(claimed), now_, {ErrorCode::handler_failed, std::move(error)}, now_));
    });
    static_cast<void>(written([&](StoreWriter& writer) { return writer.promote(now_, 10); }));
    return attempts(job.seq).back().error;
  };
  std::string too_long = "x";
  too_long.resize(10'000'000, '\xC3');
  const std::string huge = fail_with(std::move(too_long));
  EXPECT_LE(huge.size(), limits::kErrorTextMax);
  EXPECT_TRUE(is_utf8(huge));
  EXPECT_EQ(fail_with(std::string(limits::kErrorTextMax, 'a')).size(), limits::kErrorTextMax);
  EXPECT_EQ(fail_with(std::string(limits::kErrorTextMax + 1, 'a')).size(), limits::kErrorTextMax);
  std::string umlauts = "x";
  while (umlauts.size() <= limits::kErrorTextMax) umlauts += "\xC3\xBC";
  EXPECT_EQ(fail_with(umlauts).size(), limits::kErrorTextMax - 1) << "no half character";
  EXPECT_EQ(fail_with(std::string{"a\0b", 3}),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(fail_with("bad \xFF byte"), "bad \xEF\xBF\xBD byte");
  EXPECT_EQ(record(job.id).error, "bad \xEF\xBF\xBD byte");
}

TEST_P(StoreSuite, RTY_10_ADiscardedJobStaysVisible) {
  const Enqueued job = put();
  const ClaimedJob claimed = claim_one();
  write([&](StoreWriter& writer) {
    value_or_raise(writer.finish(ref(claimed), JobState::discarded, JobReason::by_rule, {}, now_));
  });
  EXPECT_EQ(record(job.id).state, ShownState::discarded);
  EXPECT_EQ(record(job.id).failures, 1);
}

TEST_P(StoreSuite, RTY_14_AnExpiredJobHasNoAttemptAndACancelledOneNoFailure) {
  const Enqueued expired = put();
  ClaimedJob claimed = claim_one();
  write([&](StoreWriter& writer) {
    value_or_raise(writer.finish(ref(claimed), JobState::discarded, JobReason::expired, {}, now_));
  });
  EXPECT_TRUE(attempts(expired.seq).empty());
  EXPECT_EQ(record(expired.id).failures, 0);
  EXPECT_EQ(record(expired.id).reason, JobReason::expired);

  const Enqueued cancelled = put();
  claimed = claim_one();
  write([&](StoreWriter& writer) {
    value_or_raise(writer.finish(ref(claimed), JobState::cancelled, JobReason::by_operator, {}, now_));
  });
  ASSERT_EQ(attempts(cancelled.seq).size(), 1U);
  EXPECT_EQ(attempts(cancelled.seq)[0].outcome, AttemptOutcome::interrupted);
  EXPECT_EQ(record(cancelled.id).failures, 0);
}

TEST_P(StoreSuite, STP_02_AReleasedJobIsReadyAtItsOldPlaceAndUncharged) {
  const JobId first = put().id;
  const JobId second = put().id;
  const ClaimedJob claimed = claim_one();
  advance(seconds{25});
  write([&](StoreWriter& writer) { value_or_raise(writer.release(ref(claimed), true, {}, now_)); });
  EXPECT_EQ(record(first).state, ShownState::ready);
  EXPECT_EQ(record(first).failures, 0);
  EXPECT_EQ(attempts(claimed.seq).at(0).outcome, AttemptOutcome::released);
  const ClaimReply again = claim(kUntenanted, 2);
  ASSERT_EQ(again.jobs.size(), 2U);
  EXPECT_EQ(again.jobs[0].id, first);
  EXPECT_EQ(again.jobs[0].place, claimed.place);
  EXPECT_EQ(again.jobs[1].id, second);
}

TEST_P(StoreSuite, RTY_08_ReleasesInARowShareOneAttemptWhichTellsTheLastOfThem) {
  const Enqueued job = put();
  const auto release = [&](ErrorCode code, const std::string& why) {
    advance(minutes{1});
    const ClaimedJob claimed = claim_one();
    advance(seconds{3});
    write([&](StoreWriter& writer) {
      value_or_raise(writer.release(ref(claimed), true, {code, why}, now_));
    });
    return claimed.token;
  };
  static_cast<void>(release(ErrorCode::tenant_busy, "locked"));
  static_cast<void>(release(ErrorCode::tenant_busy, "locked"));
  const ClaimToken last = release(ErrorCode::tenant_not_ready, "migrating");
  ASSERT_EQ(attempts(job.seq).size(), 1U);
  const AttemptRecord shared = attempts(job.seq)[0];
  EXPECT_EQ(shared.number, 1);
  EXPECT_EQ(shared.outcome, AttemptOutcome::released);
  EXPECT_EQ(shared.error_code, ErrorCode::tenant_not_ready);
  EXPECT_EQ(shared.error, "migrating");
  EXPECT_EQ(shared.claim, last);
  EXPECT_EQ(shared.finished, now_);
  EXPECT_EQ(shared.started, now_ - seconds{3});
  EXPECT_EQ(record(job.id).releases, 3);
  EXPECT_EQ(record(job.id).error, "") << "a release is no failure";

  const ClaimedJob crashed = claim_one();
  write([&](StoreWriter& writer) {
    value_or_raise(writer.reclaim(ref(crashed), CrashCharge::counted, {}, now_));
  });
  static_cast<void>(release(ErrorCode::tenant_busy, "locked again"));
  ASSERT_EQ(attempts(job.seq).size(), 3U);
  EXPECT_EQ(attempts(job.seq)[0].error, "migrating");
  EXPECT_EQ(attempts(job.seq)[2].error, "locked again");
}

TEST_P(StoreSuite, STP_02_AJobThatWasNotStartedGoesBackWithoutATrace) {
  const Enqueued job = put();
  const ClaimedJob claimed = claim_one();
  write([&](StoreWriter& writer) { value_or_raise(writer.release(ref(claimed), false, {}, now_)); });
  EXPECT_TRUE(attempts(job.seq).empty());
  EXPECT_EQ(record(job.id).releases, 0);
  EXPECT_FALSE(record(job.id).started);
}

TEST_P(StoreSuite, STP_04_AReleasedJobsLateFinishIsClaimLost) {
  const Enqueued job = put();
  const ClaimedJob claimed = claim_one();
  write([&](StoreWriter& writer) { value_or_raise(writer.release(ref(claimed), true, {}, now_)); });
  EXPECT_EQ(
      code_of(written([&](StoreWriter& writer) { return writer.finish_succeeded(ref(claimed), now_); })),
      ErrorCode::claim_lost);
  EXPECT_EQ(record(job.id).state, ShownState::ready);
  EXPECT_EQ(attempts(job.seq).size(), 1U);
}

TEST_P(StoreSuite, SER_07_AJobWithANewerEnvelopeIsBlockedUntouchedUntilItIsUnblocked) {
  const Enqueued job = put();
  const Enqueued other = put();
  const auto envelope = asked([&](JobReader& reader) { return reader.envelope(job.seq); });
  const ClaimedJob claimed = claim_one();
  write([&](StoreWriter& writer) { value_or_raise(writer.block(ref(claimed), JobReason::envelope_newer)); });
  EXPECT_EQ(record(job.id).state, ShownState::blocked);
  EXPECT_EQ(record(job.id).reason, JobReason::envelope_newer);
  EXPECT_EQ(record(job.id).failures, 0);
  EXPECT_TRUE(attempts(job.seq).empty());
  EXPECT_EQ(asked([&](JobReader& reader) { return reader.envelope(job.seq); }), envelope);
  EXPECT_EQ(claim(kUntenanted, 10).jobs.at(0).id, other.id);

  const auto unblock = [&](JobReason reason, std::size_t limit) {
    return written([&](StoreWriter& writer) { return writer.unblock(reason, JobSeq{0}, limit); });
  };
  EXPECT_TRUE(unblock(JobReason::by_rule, 10).empty());
  EXPECT_TRUE(unblock(JobReason::envelope_newer, 0).empty());
  const auto jobs = unblock(JobReason::envelope_newer, 10);
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].seq, job.seq);
  EXPECT_EQ(jobs[0].lane, claimed.lane);
  EXPECT_EQ(jobs[0].state, JobState::ready);
  EXPECT_EQ(claim_one().id, job.id);
}

}  // namespace tenure::testing
