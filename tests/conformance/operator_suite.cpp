#include "store_suite.hpp"

#include <tenure/queue/envelope.hpp>

#include <array>
#include <vector>

// What an operator does to jobs that wait, and to those that have ended.
namespace tenure::testing {

class OperatorSuite : public StoreSuite {
 protected:
  using Verb = Result<void> (StoreWriter::*)(JobId, WallTime);

  std::optional<ErrorCode> done(Verb verb, JobId id) {
    return code_of(written([&](StoreWriter& writer) { return (writer.*verb)(id, now_); }));
  }
  std::optional<ErrorCode> cancel(JobId id) { return done(&StoreWriter::cancel_by_operator, id); }
  std::optional<ErrorCode> discard(JobId id) { return done(&StoreWriter::discard_by_operator, id); }
  std::optional<ErrorCode> run(JobId id) { return done(&StoreWriter::run_by_operator, id); }
  std::optional<ErrorCode> change(JobId id, const JobChange& to) {
    return code_of(written([&](StoreWriter& writer) { return writer.change_by_operator(id, to, now_); }));
  }
  std::optional<ErrorCode> erase(JobId id) {
    return code_of(written([&](StoreWriter& writer) { return writer.delete_by_operator(id); }));
  }

  // By another process, as the command line is.
  template <class Action>
  void elsewhere(Action action) {
    world_->of_another_process().write(Durability::durable,
                                       [&](StoreWriter& writer) { value_or_raise(action(writer)); });
  }

  Enqueued put_for_later() {
    NewJob job = new_job();
    job.due = now_ + hours{1};
    return put(job);
  }
  Enqueued put_failed() {
    const Enqueued job = put();
    const ClaimedJob claimed = claim_one();
    write([&](StoreWriter& writer) {
      value_or_raise(writer.retry(ref(claimed), now_ + minutes{1}, {ErrorCode::handler_failed, "no"}, now_));
    });
    return job;
  }
  Enqueued put_blocked(JobReason reason) {
    const Enqueued job = put();
    const ClaimedJob claimed = claim_one();
    write([&](StoreWriter& writer) {
      if (reason == JobReason::suspect)
        value_or_raise(writer.suspect(ref(claimed), CrashCharge::none, {}, now_));
      else value_or_raise(writer.block(ref(claimed), reason));
    });
    return job;
  }
  Enqueued put_ended(JobState state) {
    const Enqueued job = put();
    const ClaimedJob claimed = claim_one();
    write([&](StoreWriter& writer) {
      if (state == JobState::succeeded) value_or_raise(writer.finish_succeeded(ref(claimed), now_));
      else value_or_raise(writer.finish(ref(claimed), state, JobReason::by_rule, {}, now_));
    });
    return job;
  }

  void expect_cancelled(JobId id) {
    const JobRecord shown = record(id);
    EXPECT_EQ(shown.state, ShownState::cancelled);
    EXPECT_EQ(shown.reason, JobReason::by_operator);
    EXPECT_EQ(shown.started, std::nullopt);
    EXPECT_EQ(shown.finished, now_);
  }
  std::int64_t counted(JobState state) {
    Filter filter;
    filter.terms.push_back({FilterField::state, false, {Glob{std::string{name_of(state)}, true}}});
    return asked([&](JobReader& reader) { return reader.count_jobs(filter, {}, now_); }).count;
  }
  QueueRecord queue() {
    return asked([](JobReader& reader) { return reader.queues(); }).at(0);
  }
};

TEST_P(OperatorSuite, AJobThatWaitsIsCancelledWhereverItWaitsAndNeverStarts) {
  const Enqueued blocked = put_blocked(JobReason::envelope_newer);
  const Enqueued suspect = put_blocked(JobReason::suspect);
  const Enqueued failed = put_failed();
  const Enqueued later = put_for_later();
  const Enqueued ready = put();
  advance(seconds{5});
  for (const Enqueued& job : {blocked, suspect, failed, later, ready}) {
    EXPECT_EQ(cancel(job.id), std::nullopt);
    expect_cancelled(job.id);
  }
  EXPECT_EQ(attempts(failed.seq).size(), 1U) << "what was stays";
  EXPECT_EQ(counted(JobState::cancelled), 5);
  EXPECT_EQ(queue().ready + queue().scheduled + queue().held, 0);
  EXPECT_EQ(told([](LaneReader& reader) { return reader.next_due(); }), std::nullopt);
  EXPECT_TRUE(told([](LaneReader& reader) { return reader.suspects(JobSeq{0}, 10); }).empty());
  advance(hours{2});
  write([&](StoreWriter& writer) {
    EXPECT_TRUE(writer.promote(now_, 10).empty());
    EXPECT_TRUE(writer.unblock(JobReason::envelope_newer, JobSeq{0}, 10).empty());
    EXPECT_TRUE(writer.claim_suspect({.seq = suspect.seq, .token = {kLife, 99}, .process = kProcess}, now_)
                    .jobs.empty());
  });
  EXPECT_TRUE(claim(kUntenanted, 10).jobs.empty());
}

TEST_P(OperatorSuite, ASuspectThatCameBackFromItsTrialAndIsCancelledIsNone) {
  const Enqueued suspect = put_blocked(JobReason::suspect);
  write([&](StoreWriter& writer) {
    const ClaimReply reply =
        writer.claim_suspect({.seq = suspect.seq, .token = {kLife, 99}, .process = kProcess}, now_);
    value_or_raise(writer.release(ref(reply.jobs.at(0)), false, {}, now_));
  });
  EXPECT_EQ(cancel(suspect.id), std::nullopt);
  expect_cancelled(suspect.id);
  EXPECT_EQ(erase(suspect.id), ErrorCode::limit_reached);
}

TEST_P(OperatorSuite, AJobIsCancelledByAnotherProcessAfterTheDispatcherHasHeardOfIt) {
  const Enqueued first = put();
  const Enqueued second = put();
  const Enqueued third = put();
  const ClaimRequest planned = claim_request(kUntenanted, 3);
  elsewhere([&](StoreWriter& writer) { return writer.cancel_by_operator(second.id, now_); });
  const ClaimReply reply = written([&](StoreWriter& writer) { return writer.claim(planned, now_); });
  ASSERT_EQ(reply.jobs.size(), 2U);
  EXPECT_EQ(reply.jobs[0].seq, first.seq);
  EXPECT_EQ(reply.jobs[1].seq, third.seq);
  EXPECT_FALSE(reply.gate || reply.stopped_by_bytes);
  expect_cancelled(second.id);
}

TEST_P(OperatorSuite, ACancelledJobIsNotMadeReadyAgainByTidyingUp) {
  std::vector<Enqueued> jobs;
  for (int i = 0; i < 40; ++i) jobs.push_back(put());
  static_cast<void>(lanes());  // the dispatcher has heard of them
  for (std::size_t i = 0; i < jobs.size(); i += 2)
    elsewhere([&](StoreWriter& writer) { return writer.cancel_by_operator(jobs[i].id, now_); });
  for (int i = 0; i < 5; ++i) put();
  while (store().tidy()) continue;
  EXPECT_EQ(queue().ready, 25);
  std::size_t claimed = 0;
  for (ClaimReply reply = claim(kUntenanted, 100); !reply.jobs.empty(); reply = claim(kUntenanted, 100))
    claimed += reply.jobs.size();
  EXPECT_EQ(claimed, 25U);
  EXPECT_EQ(counted(JobState::cancelled), 20);
}

TEST_P(OperatorSuite, RTY_07_ACancelledJobIsRetriedOnce) {
  const Enqueued job = put();
  static_cast<void>(lanes());
  elsewhere([&](StoreWriter& writer) { return writer.cancel_by_operator(job.id, now_); });
  advance(seconds{1});
  elsewhere([&](StoreWriter& writer) { return writer.retry_by_operator(job.id, now_); });
  while (store().tidy()) continue;
  EXPECT_EQ(record(job.id).state, ShownState::ready);
  EXPECT_EQ(record(job.id).finished, std::nullopt);
  EXPECT_EQ(queue().ready, 1);
  const ClaimReply reply = claim(kUntenanted, 5);
  ASSERT_EQ(reply.jobs.size(), 1U);
  EXPECT_EQ(reply.jobs[0].place, (LanePlace{now_, job.seq}));
}

TEST_P(OperatorSuite, CLI_05_RunningEndedAndUnknownJobsAreLeftAsTheyAre) {
  const Enqueued running = put();
  const ClaimedJob claimed = claim_one();
  std::vector<Enqueued> ended;
  for (const JobState state : {JobState::succeeded, JobState::dead, JobState::discarded, JobState::cancelled})
    ended.push_back(put_ended(state));
  for (const Verb verb :
       {&StoreWriter::cancel_by_operator, &StoreWriter::discard_by_operator, &StoreWriter::run_by_operator}) {
    EXPECT_EQ(done(verb, running.id), ErrorCode::state_changed);
    for (const Enqueued& job : ended) {
      const ShownState before = record(job.id).state;
      EXPECT_EQ(done(verb, job.id), ErrorCode::state_changed);
      EXPECT_EQ(record(job.id).state, before);
    }
    EXPECT_EQ(done(verb, new_job().id), ErrorCode::job_not_found);
  }
  EXPECT_EQ(erase(running.id), ErrorCode::state_changed);
  EXPECT_EQ(erase(new_job().id), ErrorCode::job_not_found);
  EXPECT_EQ(record(running.id).claim, claimed.token);
  write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(claimed), now_)); });
  EXPECT_EQ(record(running.id).state, ShownState::succeeded);
}

TEST_P(OperatorSuite, AJobThatSucceedsInTheSameTransactionIsNoLongerWaiting) {
  const Enqueued first = put();
  const Enqueued second = put();
  const auto claimed = claim(kUntenanted, 2).jobs;
  write([&](StoreWriter& writer) {
    value_or_raise(writer.finish_succeeded(ref(claimed.at(0)), now_));
    EXPECT_EQ(code_of(writer.cancel_by_operator(first.id, now_)), ErrorCode::state_changed);
    value_or_raise(writer.finish_succeeded(ref(claimed.at(1)), now_));
    EXPECT_EQ(code_of(writer.cancel_by_operator(second.id, now_)), ErrorCode::state_changed);
  });
  EXPECT_EQ(counted(JobState::succeeded), 2);
}

TEST_P(OperatorSuite, AScheduledJobIsDueNowUnderItsIdAndTheDispatcherIsTold) {
  const Enqueued later = put_for_later();
  const Enqueued failed = put_failed();
  advance(seconds{5});
  for (const Enqueued& job : {later, failed}) {
    EXPECT_EQ(run(job.id), std::nullopt);
    const JobRecord shown = record(job.id);
    EXPECT_EQ(shown.state, ShownState::ready);
    EXPECT_EQ(shown.reason, JobReason::none);
    EXPECT_EQ(shown.due, now_);
  }
  EXPECT_EQ(record(failed.id).failures, 1) << "no new budget";
  const auto hints = written([](StoreWriter& writer) { return writer.take_lane_hints(10); });
  ASSERT_EQ(hints.size(), 2U);
  EXPECT_EQ(hints[0].seq, later.seq);
  EXPECT_EQ(hints[0].due, now_);
  EXPECT_EQ(hints[0].state, JobState::ready);
  EXPECT_EQ(told([](LaneReader& reader) { return reader.next_due(); }), std::nullopt);
  EXPECT_EQ(claim(kUntenanted, 10).jobs.size(), 2U);
  advance(hours{2});
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.promote(now_, 10); }).empty());
}

TEST_P(OperatorSuite, AJobThatWasDueAlreadyKeepsItsPlace) {
  const Enqueued later = put_for_later();
  advance(hours{3});
  EXPECT_EQ(run(later.id), std::nullopt);
  EXPECT_EQ(record(later.id).due, now_ - hours{2});
  EXPECT_EQ(claim_one().place, (LanePlace{now_ - hours{2}, later.seq}));
}

TEST_P(OperatorSuite, OnlyWhatIsScheduledIsMadeDue) {
  const Enqueued ready = put();
  EXPECT_EQ(run(ready.id), ErrorCode::state_changed);
  const Enqueued blocked = put_blocked(JobReason::envelope_newer);
  EXPECT_EQ(run(blocked.id), ErrorCode::state_changed);
  EXPECT_TRUE(written([](StoreWriter& writer) { return writer.take_lane_hints(10); }).empty());
}

TEST_P(OperatorSuite, AJobThatFailedIsGivenUpAndOneThatHasNotIsNone) {
  const Enqueued failed = put_failed();
  const Enqueued later = put_for_later();
  const Enqueued ready = put();
  advance(seconds{5});
  EXPECT_EQ(discard(failed.id), std::nullopt);
  const JobRecord shown = record(failed.id);
  EXPECT_EQ(shown.state, ShownState::discarded);
  EXPECT_EQ(shown.reason, JobReason::by_operator);
  EXPECT_EQ(shown.finished, now_);
  EXPECT_EQ(shown.error, "no");
  EXPECT_EQ(shown.failures, 1);
  EXPECT_EQ(discard(later.id), ErrorCode::state_changed);
  EXPECT_EQ(discard(ready.id), ErrorCode::state_changed);
  EXPECT_EQ(queue().scheduled, 1);
}

TEST_P(OperatorSuite, AJobThatHasEndedIsRemovedWithItsAttemptsAndItsIdIsFree) {
  std::vector<Enqueued> ended;
  for (const JobState state : {JobState::succeeded, JobState::dead, JobState::discarded, JobState::cancelled})
    ended.push_back(put_ended(state));
  const Enqueued newest = put();
  for (const Enqueued& job : ended) {
    EXPECT_EQ(erase(job.id), std::nullopt);
    EXPECT_FALSE(asked([&](JobReader& reader) { return reader.find_job(job.id); }));
    EXPECT_TRUE(attempts(job.seq).empty());
    EXPECT_FALSE(asked([&](JobReader& reader) { return reader.envelope(job.seq); }));
    EXPECT_EQ(erase(job.id), ErrorCode::job_not_found);
  }
  while (store().tidy()) continue;
  EXPECT_EQ(asked([&](JobReader& reader) { return reader.count_jobs({}, {}, now_); }).count, 1);
  EXPECT_EQ(asked([](JobReader& reader) { return reader.summary(); }).jobs, 1);
  NewJob again = new_job();
  again.id = ended[0].id;
  const Enqueued second = put(again);
  EXPECT_FALSE(second.existed);
  EXPECT_GT(second.seq, newest.seq);
  EXPECT_EQ(record(again.id).state, ShownState::ready);
}

TEST_P(OperatorSuite, WhatWaitsIsNotRemoved) {
  for (const Enqueued& job : {put_blocked(JobReason::envelope_newer), put_failed(), put_for_later(), put()})
    EXPECT_EQ(erase(job.id), ErrorCode::state_changed);
  EXPECT_EQ(asked([&](JobReader& reader) { return reader.count_jobs({}, {}, now_); }).count, 4);
}

TEST_P(OperatorSuite, TheNewestJobStaysUntilAnotherOneCame) {
  const Enqueued job = put();
  EXPECT_EQ(cancel(job.id), std::nullopt);
  EXPECT_EQ(erase(job.id), ErrorCode::limit_reached);
  EXPECT_EQ(record(job.id).state, ShownState::cancelled);
  put();
  EXPECT_EQ(erase(job.id), std::nullopt);
}

TEST_P(OperatorSuite, AHintOfAJobThatWasRemovedSinceIsPassedOver) {
  const Enqueued first = put_for_later();
  const Enqueued second = put_for_later();
  for (const Enqueued& job : {first, second}) EXPECT_EQ(run(job.id), std::nullopt);
  EXPECT_EQ(cancel(first.id), std::nullopt);
  EXPECT_EQ(erase(first.id), std::nullopt);
  const auto hints = written([](StoreWriter& writer) { return writer.take_lane_hints(10); });
  ASSERT_EQ(hints.size(), 1U);
  EXPECT_EQ(hints[0].seq, second.seq);
}

TEST_P(OperatorSuite, ALoserOfARemovedJobRecordsNothing) {
  const Enqueued job = put();
  const ClaimedJob claimed = claim_one();
  write([&](StoreWriter& writer) {
    value_or_raise(writer.finish(ref(claimed), JobState::dead, JobReason::by_rule, {}, now_));
  });
  put();
  EXPECT_EQ(erase(job.id), std::nullopt);
  const AttemptFailure failure{ErrorCode::handler_failed, "late"};
  write([&](StoreWriter& writer) {
    EXPECT_EQ(code_of(writer.retry(ref(claimed), now_, failure, now_)), ErrorCode::claim_lost);
  });
  EXPECT_TRUE(attempts(job.seq).empty());
}

TEST_P(OperatorSuite, WhatWasAbandonedWasNotDone) {
  const Enqueued dead = put_ended(JobState::dead);
  const Enqueued later = put_for_later();
  const Enqueued ready = put();
  static_cast<void>(lanes());
  const auto abandon = [&](auto verb) {
    EXPECT_THROW(write([&](StoreWriter& writer) {
                   value_or_raise(verb(writer));
                   throw Abandoned{};
                 }),
                 Abandoned);
  };
  abandon([&](StoreWriter& writer) { return writer.cancel_by_operator(ready.id, now_); });
  abandon([&](StoreWriter& writer) { return writer.run_by_operator(later.id, now_); });
  abandon([&](StoreWriter& writer) { return writer.delete_by_operator(dead.id); });
  EXPECT_EQ(record(dead.id).state, ShownState::dead);
  EXPECT_EQ(attempts(dead.seq).size(), 1U);
  EXPECT_EQ(record(later.id).state, ShownState::scheduled);
  EXPECT_EQ(claim_one().seq, ready.seq);
}

TEST_P(OperatorSuite, AReadyJobGoesToAnotherQueueAndPriorityWhereverItWaits) {
  const Enqueued first = put();
  const Enqueued second = put();
  static_cast<void>(lanes());  // the dispatcher has heard of both
  const JobChange to{.queue = "reports", .priority = Priority{-7}};
  elsewhere([&](StoreWriter& writer) { return writer.change_by_operator(first.id, to, now_); });
  EXPECT_EQ(change(second.id, {.priority = Priority{3}}), std::nullopt);
  while (store().tidy()) continue;
  const JobRecord shown = record(first.id);
  EXPECT_EQ(shown.state, ShownState::ready);
  EXPECT_EQ(shown.queue, "reports");
  EXPECT_EQ(shown.priority, Priority{-7});
  EXPECT_EQ(record(second.id).queue, "default");
  const auto hints = written([](StoreWriter& writer) { return writer.take_lane_hints(10); });
  ASSERT_EQ(hints.size(), 2U);
  EXPECT_EQ(hints[0].seq, first.seq);
  EXPECT_EQ(hints[0].lane.priority, Priority{-7});
  ASSERT_EQ(lanes().size(), 2U) << "and none of those that they left";
  EXPECT_EQ(claim_one().seq, second.seq) << "its queue has the lesser number";
  EXPECT_EQ(claim_one().seq, first.seq);
  EXPECT_TRUE(claim(kUntenanted, 5).jobs.empty());
}

TEST_P(OperatorSuite, ADueTimeSaysWhetherAJobIsScheduledOrReady) {
  const Enqueued later = put_for_later();
  const Enqueued ready = put();
  EXPECT_EQ(change(later.id, {.due = now_ - seconds{1}}), std::nullopt);
  EXPECT_EQ(record(later.id).state, ShownState::ready);
  EXPECT_EQ(record(later.id).reason, JobReason::none);
  EXPECT_EQ(change(ready.id, {.due = now_ + minutes{5}}), std::nullopt);
  EXPECT_EQ(record(ready.id).state, ShownState::scheduled);
  EXPECT_EQ(record(ready.id).reason, JobReason::not_due);
  EXPECT_EQ(told([](LaneReader& reader) { return reader.next_due(); }), now_ + minutes{5});
  EXPECT_EQ(claim(kUntenanted, 5).jobs.size(), 1U);
  advance(minutes{5});
  EXPECT_EQ(written([&](StoreWriter& writer) { return writer.promote(now_, 10); }).size(), 1U);
  EXPECT_EQ(claim_one().seq, ready.seq);
}

TEST_P(OperatorSuite, ARetryThatIsPutOffByAnOperatorIsNotDrawnIn) {
  const Enqueued failed = put_failed();
  EXPECT_EQ(change(failed.id, {.priority = Priority{1}}), std::nullopt);
  EXPECT_EQ(record(failed.id).reason, JobReason::retry_wait) << "its time is as it was";
  EXPECT_EQ(change(failed.id, {.due = now_ + hours{48}}), std::nullopt);
  write([&](StoreWriter& writer) {
    const DrawnIn drawn = writer.draw_in_retries(
        {}, 10, [](int) { return minutes{1}; }, now_);
    EXPECT_TRUE(drawn.due.empty());
  });
  EXPECT_EQ(record(failed.id).due, now_ + hours{48});
  EXPECT_EQ(record(failed.id).failures, 1);
}

TEST_P(OperatorSuite, CLI_05_OnlyWhatIsScheduledOrReadyIsChangedAndOnlyToWhatAStoreTakes) {
  const Enqueued blocked = put_blocked(JobReason::envelope_newer);
  const Enqueued dead = put_ended(JobState::dead);
  const Enqueued running = put();
  static_cast<void>(claim_one());
  const Enqueued ready = put();
  const JobChange to{.queue = "reports", .priority = Priority{5}, .due = now_ + hours{1}};
  for (const Enqueued& job : {blocked, dead, running}) {
    EXPECT_EQ(change(job.id, to), ErrorCode::state_changed);
    EXPECT_EQ(record(job.id).queue, "default");
  }
  EXPECT_EQ(change(new_job().id, to), ErrorCode::job_not_found);
  EXPECT_EQ(change(ready.id, {.queue = "No Queue"}), ErrorCode::bad_options);
  EXPECT_EQ(change(ready.id, {.priority = Priority{101}}), ErrorCode::bad_options);
  EXPECT_THROW(write([&](StoreWriter& writer) {
                 value_or_raise(writer.change_by_operator(ready.id, to, now_));
                 throw Abandoned{};
               }),
               Abandoned);
  EXPECT_EQ(record(ready.id).queue, "default");
  EXPECT_EQ(claim_one().seq, ready.seq);
}

TEST_P(OperatorSuite, ACopyIsANewJobWithTheSameContentAndNoHistory) {
  const TenantRecord acme = create_tenant("acme");
  NewJob original = new_job("acme");
  original.queue = "reports";
  original.priority = Priority{4};
  original.attempts_max = 7;
  original.arguments = R"({"a":1})";
  const Enqueued job = put(original);
  const ClaimedJob claimed = claim_one(acme.number);
  write([&](StoreWriter& writer) {
    value_or_raise(writer.finish(ref(claimed), JobState::dead, JobReason::by_rule,
                                 {ErrorCode::handler_failed, "no"}, now_));
  });
  advance(seconds{5});
  const JobId id = new_job().id;
  const Enqueued copy =
      written([&](StoreWriter& writer) { return value_or_raise(writer.copy_by_operator(job.id, id, now_)); });
  EXPECT_EQ(record(job.id).state, ShownState::dead);
  const JobRecord shown = record(id);
  EXPECT_EQ(shown.state, ShownState::ready);
  EXPECT_EQ(shown.tenant, original.tenant);
  EXPECT_EQ(shown.generation, job.generation);
  EXPECT_EQ(shown.queue, "reports");
  EXPECT_EQ(shown.kind, original.kind);
  EXPECT_EQ(shown.priority, Priority{4});
  EXPECT_EQ(shown.attempts_max, 7);
  EXPECT_EQ(shown.failures, 0);
  EXPECT_EQ(shown.due, now_);
  EXPECT_TRUE(attempts(copy.seq).empty());
  const auto envelope = asked([&](JobReader& reader) { return reader.envelope(copy.seq); });
  EXPECT_EQ(value_or_raise(read_envelope(envelope.value())).arguments, R"({"a":1})");
  EXPECT_EQ(
      code_of(written([&](StoreWriter& writer) { return writer.copy_by_operator(new_job().id, id, now_); })),
      ErrorCode::job_not_found);
}

INSTANTIATE_TEST_SUITE_P(EachStore, OperatorSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace tenure::testing
