#include "store_suite.hpp"

#include <array>
#include <functional>
#include <vector>

// What an operator's cancel does to a job that runs: a request beside its claim.
namespace tenure::testing {
namespace {

class CancelSuite : public StoreSuite {
 protected:
  // By another process, as the command line is.
  std::optional<ErrorCode> ask(JobId id) {
    std::optional<ErrorCode> code;
    world_->of_another_process().write(
        Durability::durable, [&](StoreWriter& writer) { code = code_of(writer.ask_to_cancel(id, now_)); });
    return code;
  }
  std::vector<CancelRequest> requests(CancelNumber after = {}, std::size_t limit = 10) {
    return written([&](StoreWriter& writer) { return writer.cancel_requests(after, limit); });
  }
  bool is_asked(ClaimRef claim) {
    return written([&](StoreWriter& writer) { return writer.is_cancel_asked(claim); });
  }
  std::optional<ErrorCode> cancel(ClaimRef claim, bool started, const AttemptFailure& why) {
    return code_of(written([&](StoreWriter& writer) { return writer.cancel(claim, started, why, now_); }));
  }
  const AttemptFailure stopped_{ErrorCode::interrupted, "it stopped"};
};

TEST_P(CancelSuite, RUN_06_AJobThatRunsGoesOnAndSaysSinceWhenItsCancelIsRequested) {
  const Enqueued job = put();
  const Enqueued other = put();
  const auto claimed = claim(kUntenanted, 2).jobs;
  ASSERT_EQ(claimed.size(), 2U);
  const WallTime asked = now_;
  EXPECT_EQ(ask(job.id), std::nullopt);
  advance(seconds{5});
  EXPECT_EQ(ask(job.id), std::nullopt) << "twice";
  EXPECT_EQ(record(job.id).state, ShownState::running);
  EXPECT_EQ(record(job.id).cancel_asked, asked) << "the first one stays";
  EXPECT_EQ(record(other.id).cancel_asked, std::nullopt);
  const auto found = requests();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].claim, ref(claimed[0]));
  EXPECT_EQ(found[0].id, job.id);
  EXPECT_TRUE(requests(found[0].number).empty());
  EXPECT_TRUE(is_asked(ref(claimed[0])));
  EXPECT_FALSE(is_asked(ref(claimed[1])));
}

TEST_P(CancelSuite, RUN_06_ARunThatEndedIsCancelledAndItsAttemptSaysHow) {
  const Enqueued job = put();
  const ClaimedJob claimed = claim_one();
  const WallTime begun = now_;
  EXPECT_EQ(ask(job.id), std::nullopt);
  advance(seconds{5});
  EXPECT_EQ(cancel(ref(claimed), true, stopped_), std::nullopt);
  const JobRecord shown = record(job.id);
  EXPECT_EQ(shown.state, ShownState::cancelled);
  EXPECT_EQ(shown.reason, JobReason::by_operator);
  EXPECT_EQ(shown.started, begun);
  EXPECT_EQ(shown.finished, now_);
  EXPECT_EQ(shown.failures + shown.crashes + shown.releases, 0);
  EXPECT_EQ(shown.cancel_asked, std::nullopt);
  const auto rows = attempts(job.seq);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].outcome, AttemptOutcome::interrupted);
  EXPECT_EQ(rows[0].error, "it stopped");
  EXPECT_TRUE(claim(kUntenanted, 10).jobs.empty());
}

TEST_P(CancelSuite, RUN_05_AClaimedJobThatNeverBeganIsCancelledWithoutAnAttempt) {
  const Enqueued job = put();
  const ClaimedJob claimed = claim_one();
  EXPECT_EQ(ask(job.id), std::nullopt);
  EXPECT_EQ(cancel(ref(claimed), false, {}), std::nullopt);
  EXPECT_EQ(record(job.id).state, ShownState::cancelled);
  EXPECT_EQ(record(job.id).started, std::nullopt);
  EXPECT_EQ(record(job.id).finished, now_);
  EXPECT_TRUE(attempts(job.seq).empty());
  EXPECT_TRUE(requests().empty());
}

TEST_P(CancelSuite, ARequestGoesWithItsClaimHoweverThatEnds) {
  using End = std::function<Result<void>(StoreWriter&, ClaimRef)>;
  const std::array<End, 8> ends{
      [&](StoreWriter& writer, ClaimRef claim) { return writer.finish_succeeded(claim, now_); },
      [&](StoreWriter& writer, ClaimRef claim) {
        return writer.finish(claim, JobState::dead, JobReason::by_rule, {}, now_);
      },
      [&](StoreWriter& writer, ClaimRef claim) { return writer.retry(claim, now_, {}, now_); },
      [&](StoreWriter& writer, ClaimRef claim) { return writer.release(claim, true, {}, now_); },
      [&](StoreWriter& writer, ClaimRef claim) { return writer.block(claim, JobReason::envelope_newer); },
      [&](StoreWriter& writer, ClaimRef claim) {
        return writer.reclaim(claim, CrashCharge::counted, {}, now_);
      },
      [&](StoreWriter& writer, ClaimRef claim) { return writer.suspect(claim, CrashCharge::none, {}, now_); },
      [&](StoreWriter& writer, ClaimRef) -> Result<void> {
        static_cast<void>(writer.reclaim_of_former_holders(Incarnation{kLife.value + 1}, 10, now_));
        return {};
      }};
  CancelNumber last;
  for (const End& end : ends) {
    const Enqueued job = put();
    const ClaimedJob claimed = claim_one();
    EXPECT_EQ(ask(job.id), std::nullopt);
    const auto found = requests(last);
    ASSERT_EQ(found.size(), 1U) << "numbers only grow";
    last = found[0].number;
    write([&](StoreWriter& writer) { value_or_raise(end(writer, {claimed.seq, claimed.token})); });
    EXPECT_TRUE(requests().empty());
    EXPECT_FALSE(is_asked(ref(claimed)));
    EXPECT_EQ(record(job.id).cancel_asked, std::nullopt);
    write([&](StoreWriter& writer) {
      static_cast<void>(writer.promote(now_, 10));
      static_cast<void>(writer.unblock(JobReason::envelope_newer, JobSeq{0}, 10));
    });
    for (const ClaimedJob& again : claim(kUntenanted, 10).jobs) {
      EXPECT_FALSE(is_asked(ref(again))) << "it was for the claim before";
      write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(again), now_)); });
    }
  }
}

TEST_P(CancelSuite, LSE_02_AnOldTokenCancelsNothing) {
  const Enqueued job = put();
  const ClaimRef old = ref(claim_one());
  write([&](StoreWriter& writer) { value_or_raise(writer.release(old, false, {}, now_)); });
  const ClaimedJob claimed = claim_one();
  EXPECT_EQ(ask(job.id), std::nullopt);
  EXPECT_FALSE(is_asked(old));
  EXPECT_EQ(cancel(old, true, stopped_), ErrorCode::claim_lost);
  EXPECT_EQ(record(job.id).state, ShownState::running);
  EXPECT_EQ(record(job.id).claim, claimed.token);
  EXPECT_TRUE(is_asked(ref(claimed)));
  ASSERT_EQ(attempts(job.seq).size(), 1U);
  EXPECT_EQ(attempts(job.seq)[0].outcome, AttemptOutcome::lost);
}

TEST_P(CancelSuite, OnlyAJobThatRunsIsAsked) {
  const Enqueued ready = put();
  EXPECT_EQ(ask(ready.id), ErrorCode::state_changed);
  const ClaimedJob claimed = claim_one();
  write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(claimed), now_)); });
  EXPECT_EQ(ask(ready.id), ErrorCode::state_changed);
  EXPECT_EQ(ask(new_job().id), ErrorCode::job_not_found);
  EXPECT_TRUE(requests().empty());
}

TEST_P(CancelSuite, ASuspectThatIsCancelledOnItsTrialIsNoneAnyMore) {
  const Enqueued job = put();
  const ClaimedJob first = claim_one();
  write(
      [&](StoreWriter& writer) { value_or_raise(writer.suspect(ref(first), CrashCharge::none, {}, now_)); });
  const ClaimReply trial = written([&](StoreWriter& writer) {
    return writer.claim_suspect({.seq = job.seq, .token = {kLife, 99}, .process = kProcess}, now_);
  });
  ASSERT_EQ(trial.jobs.size(), 1U);
  EXPECT_EQ(ask(job.id), std::nullopt);
  EXPECT_EQ(cancel(ref(trial.jobs[0]), true, stopped_), std::nullopt);
  write([&](StoreWriter& writer) { value_or_raise(writer.retry_by_operator(job.id, now_)); });
  const ClaimedJob again = claim_one();
  write(
      [&](StoreWriter& writer) { value_or_raise(writer.suspect(ref(again), CrashCharge::none, {}, now_)); });
  EXPECT_EQ(told([](LaneReader& reader) { return reader.suspects(JobSeq{0}, 10); }).at(0).deaths, 1);
}

TEST_P(CancelSuite, RequestsComeInPagesInTheirOrder) {
  std::vector<Enqueued> jobs;
  for (int i = 0; i < 3; ++i) jobs.push_back(put());
  ASSERT_EQ(claim(kUntenanted, 3).jobs.size(), 3U);
  for (const std::size_t which : {2U, 0U, 1U}) EXPECT_EQ(ask(jobs[which].id), std::nullopt);
  const auto page = requests({}, 2);
  ASSERT_EQ(page.size(), 2U);
  EXPECT_EQ(page[0].id, jobs[2].id);
  EXPECT_EQ(page[1].id, jobs[0].id);
  const auto rest = requests(page[1].number, 2);
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].id, jobs[1].id);
}

TEST_P(CancelSuite, WhatWasAbandonedWasNotAskedAndNotCancelled) {
  const Enqueued job = put();
  const ClaimedJob claimed = claim_one();
  const auto abandon = [&](auto verb) {
    EXPECT_THROW(write([&](StoreWriter& writer) {
                   value_or_raise(verb(writer));
                   throw Abandoned{};
                 }),
                 Abandoned);
  };
  abandon([&](StoreWriter& writer) { return writer.ask_to_cancel(job.id, now_); });
  EXPECT_TRUE(requests().empty());
  EXPECT_EQ(ask(job.id), std::nullopt);
  abandon([&](StoreWriter& writer) { return writer.cancel(ref(claimed), true, stopped_, now_); });
  EXPECT_EQ(record(job.id).state, ShownState::running);
  EXPECT_TRUE(is_asked(ref(claimed)));
  EXPECT_TRUE(attempts(job.seq).empty());
}

INSTANTIATE_TEST_SUITE_P(EachStore, CancelSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
