#include "store_suite.hpp"

#include <array>
#include <functional>
#include <string_view>
#include <vector>

// Jobs that are of no use any more where they have not started by some time.
namespace tenure::testing {
namespace {

class ExpirySuite : public StoreSuite {
 protected:
  static constexpr seconds kWithin{10};

  NewJob late_job(std::optional<std::string_view> tenant = std::nullopt) {
    NewJob job = new_job(tenant);
    job.start_before = now_ + kWithin;
    return job;
  }
  std::vector<JobId> expire(std::size_t limit = 100) {
    std::vector<JobId> ids;
    for (const ExpiredJob& job : written([&](StoreWriter& writer) { return writer.expire(now_, limit); }))
      ids.push_back(job.id);
    return ids;
  }
  std::optional<WallTime> next_expiry() {
    return written([&](StoreWriter& writer) { return writer.next_expiry(now_); });
  }
  void expect_expired(const Enqueued& job) {
    const JobRecord shown = record(job.id);
    EXPECT_EQ(shown.state, ShownState::discarded);
    EXPECT_EQ(shown.reason, JobReason::expired);
    EXPECT_EQ(shown.started, std::nullopt);
    EXPECT_EQ(shown.finished, now_);
    EXPECT_EQ(shown.start_before, std::nullopt) << "it is over";
    EXPECT_EQ(shown.failures + shown.crashes + shown.releases, 0);
    EXPECT_TRUE(attempts(job.seq).empty());
  }
};

TEST_P(ExpirySuite, AJobThatWaitsIsDiscardedWhenItsTimeHasComeAndNotBefore) {
  const WallTime before = now_ + kWithin;
  const Enqueued ready = put(late_job());
  NewJob later = late_job();
  later.due = now_ + hours{1};
  const Enqueued scheduled = put(later);
  const Enqueued other = put();
  EXPECT_EQ(record(ready.id).start_before, before);
  EXPECT_EQ(record(other.id).start_before, std::nullopt);
  EXPECT_EQ(next_expiry(), before);
  advance(kWithin - milliseconds{1});
  EXPECT_TRUE(expire().empty());
  EXPECT_EQ(record(ready.id).state, ShownState::ready);
  advance(milliseconds{1});
  EXPECT_EQ(expire(), (std::vector{ready.id, scheduled.id}));
  expect_expired(ready);
  expect_expired(scheduled);
  EXPECT_EQ(next_expiry(), std::nullopt);
  EXPECT_TRUE(expire().empty());
  const auto claimed = claim(kUntenanted, 10).jobs;
  ASSERT_EQ(claimed.size(), 1U) << "what has expired stands in no lane";
  EXPECT_EQ(claimed[0].id, other.id);
  advance(hours{2});
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.promote(now_, 10); }).empty());
}

TEST_P(ExpirySuite, JobsOfAllLanesAreDiscardedWhateverHoldsThem) {
  create_tenant("acme");
  const Enqueued paused = put(late_job("acme"));
  const Enqueued blocked = put(late_job());
  const ClaimedJob claimed = claim_one();
  write([&](StoreWriter& writer) { value_or_raise(writer.block(ref(claimed), JobReason::envelope_newer)); });
  set_tenant_state("acme", TenantState::paused);
  EXPECT_EQ(record(blocked.id).state, ShownState::blocked);
  advance(kWithin);
  EXPECT_EQ(expire(), (std::vector{paused.id, blocked.id}));
  expect_expired(paused);
  expect_expired(blocked);
  EXPECT_TRUE(written([&](StoreWriter& writer) {
                return writer.unblock(JobReason::envelope_newer, JobSeq{0}, 10);
              }).empty());
}

TEST_P(ExpirySuite, SoManyAtOnceTheOldestFirst) {
  std::vector<JobId> ids;
  for (int each = 0; each < 5; ++each) {
    NewJob job = late_job();
    *job.start_before -= seconds{each};  // the last one is the first to expire
    ids.insert(ids.begin(), put(job).id);
  }
  advance(kWithin);
  EXPECT_EQ(expire(2), (std::vector{ids[0], ids[1]}));
  EXPECT_EQ(next_expiry(), now_ - seconds{2}) << "there are more";
  EXPECT_EQ(expire(), (std::vector{ids[2], ids[3], ids[4]}));
}

// Whoever performs it decides, until it comes back.
TEST_P(ExpirySuite, AClaimedJobIsLeftAloneAndToldItsTime) {
  const Enqueued job = put(late_job());
  const ClaimedJob claimed = claim_one();
  EXPECT_EQ(claimed.start_before, now_ + kWithin);
  EXPECT_EQ(next_expiry(), now_ + kWithin) << "it may come back before that";
  advance(kWithin);
  EXPECT_TRUE(expire().empty());
  EXPECT_EQ(next_expiry(), std::nullopt);
  EXPECT_EQ(record(job.id).state, ShownState::running);
  write([&](StoreWriter& writer) { value_or_raise(writer.release(ref(claimed), false, {}, now_)); });
  EXPECT_EQ(next_expiry(), now_);
  EXPECT_EQ(expire(), std::vector{job.id}) << "it was given back, and has not started";
  expect_expired(job);
}

TEST_P(ExpirySuite, AClaimedJobThatIsFoundExpiredHasNotStarted) {
  const Enqueued job = put(late_job());
  const ClaimedJob claimed = claim_one();
  advance(kWithin);
  write([&](StoreWriter& writer) {
    value_or_raise(writer.finish(ref(claimed), JobState::discarded, JobReason::expired, {}, now_));
  });
  expect_expired(job);
  write([&](StoreWriter& writer) {
    EXPECT_EQ(code_of(writer.finish(ref(claimed), JobState::discarded, JobReason::expired, {}, now_)),
              ErrorCode::claim_lost);
  });
  EXPECT_TRUE(attempts(job.seq).empty()) << "no loser's run: it had none";
}

// Each way in which a run ends and its job runs again.
TEST_P(ExpirySuite, AJobThatHasStartedOnceIsRetriedHoweverLate) {
  const AttemptFailure failure{ErrorCode::handler_failed, "no"};
  using End = std::function<void(StoreWriter&, ClaimRef)>;
  const std::array<std::pair<std::string_view, End>, 6> ends{{
      {"failed", [&](StoreWriter& w, ClaimRef c) { value_or_raise(w.retry(c, now_, failure, now_)); }},
      {"released", [&](StoreWriter& w, ClaimRef c) { value_or_raise(w.release(c, true, failure, now_)); }},
      {"crashed", [&](StoreWriter& w,
                      ClaimRef c) { value_or_raise(w.reclaim(c, CrashCharge::counted, failure, now_)); }},
      {"lone",
       [&](StoreWriter& w, ClaimRef c) {
         value_or_raise(w.suspect_of_process(c, CrashCharge::counted, failure, now_));
       }},
      {"suspect",
       [&](StoreWriter& w, ClaimRef c) { value_or_raise(w.suspect(c, CrashCharge::none, failure, now_)); }},
      {"reclaimed",
       [&](StoreWriter& w, ClaimRef) {
         EXPECT_EQ(w.reclaim_of_former_holders(Incarnation{kLife.value + 1}, 10, now_).size(), 1U);
       }},
  }};
  for (const auto& [name, end] : ends) {
    SCOPED_TRACE(name);
    const Enqueued job = put(late_job());
    const ClaimedJob claimed = claim_one();
    ASSERT_EQ(claimed.id, job.id);
    write([&, &end = end](StoreWriter& writer) { end(writer, ref(claimed)); });
    EXPECT_EQ(record(job.id).start_before, std::nullopt);
    EXPECT_EQ(next_expiry(), std::nullopt);
    advance(kWithin * 2);
    EXPECT_TRUE(expire().empty());
    EXPECT_EQ(record(job.id).finished, std::nullopt);
    write([&](StoreWriter& writer) { value_or_raise(writer.cancel_by_operator(job.id, now_)); });
  }
}

TEST_P(ExpirySuite, WhatHasEndedExpiresNoMore) {
  const Enqueued succeeded = put(late_job());
  const ClaimedJob claimed = claim_one();
  write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(claimed), now_)); });
  const Enqueued cancelled = put(late_job());
  write([&](StoreWriter& writer) { value_or_raise(writer.cancel_by_operator(cancelled.id, now_)); });
  EXPECT_EQ(next_expiry(), std::nullopt);
  advance(kWithin);
  EXPECT_TRUE(expire().empty());
  EXPECT_EQ(record(succeeded.id).state, ShownState::succeeded);
  EXPECT_EQ(record(cancelled.id).state, ShownState::cancelled);
}

TEST_P(ExpirySuite, AnOperatorsRetryAndACopyOfAnExpiredJobStartWhenever) {
  const Enqueued job = put(late_job());
  advance(kWithin);
  EXPECT_EQ(expire(), std::vector{job.id});
  const JobId copy = new_job().id;
  write([&](StoreWriter& writer) {
    value_or_raise(writer.retry_by_operator(job.id, now_));
    static_cast<void>(value_or_raise(writer.copy_by_operator(job.id, copy, now_)));
  });
  advance(kWithin);
  EXPECT_TRUE(expire().empty());
  for (const JobId id : {job.id, copy}) {
    EXPECT_EQ(record(id).state, ShownState::ready);
    EXPECT_EQ(record(id).start_before, std::nullopt);
  }
  EXPECT_EQ(claim(kUntenanted, 10).jobs.size(), 2U);
}

TEST_P(ExpirySuite, TheTimeOfAJobThatWaitsOutlivesWhatAnOperatorChangesOfIt) {
  NewJob later = late_job();
  later.due = now_ + hours{1};
  const Enqueued job = put(later);
  write([&](StoreWriter& writer) {
    value_or_raise(writer.change_by_operator(job.id, {.queue = "moved"}, now_));
    value_or_raise(writer.run_by_operator(job.id, now_));
  });
  EXPECT_EQ(record(job.id).start_before, now_ + kWithin);
  advance(kWithin);
  EXPECT_EQ(expire(), std::vector{job.id});
  expect_expired(job);
}

// A lost answer is asked for again when the time may have come.
TEST_P(ExpirySuite, ARepeatedEnqueueIsTheSameJobWhateverHasBecomeOfIt) {
  const NewJob job = late_job();
  const Enqueued first = put(job);
  advance(kWithin);
  EXPECT_EQ(expire(), std::vector{first.id});
  const Enqueued again = put(job);
  EXPECT_TRUE(again.existed);
  expect_expired(first);
}

TEST_P(ExpirySuite, WhatIsUndoneHasNotExpired) {
  const Enqueued job = put(late_job());
  advance(kWithin);
  EXPECT_THROW(write([&](StoreWriter& writer) {
                 EXPECT_EQ(writer.expire(now_, 10).size(), 1U);
                 throw Abandoned{};
               }),
               Abandoned);
  EXPECT_EQ(record(job.id).state, ShownState::ready);
  EXPECT_EQ(expire(), std::vector{job.id});
}

// A power cut may have undone its claim, and kept what its run has written.
TEST_P(ExpirySuite, TheOutboxOfItsTenantIsLookedAt) {
  create_tenant("acme");
  put(late_job("acme"));
  advance(kWithin);
  EXPECT_EQ(expire().size(), 1U);
  const auto marks = asked([](JobReader& reader) { return reader.outbox_marks(OutboxMarkNumber{0}, 10); });
  ASSERT_EQ(marks.size(), 1U);
  EXPECT_EQ(marks[0].owner.tenant, TenantName{"acme"});
  EXPECT_EQ(marks[0].epoch, std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(EachStore, ExpirySuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
