#include "store_suite.hpp"

#include <algorithm>
#include <set>

namespace tenure::testing {
namespace {

std::vector<JobId> ids_of(const ClaimReply& reply) {
  std::vector<JobId> ids;
  for (const ClaimedJob& job : reply.jobs) ids.push_back(job.id);
  return ids;
}

}  // namespace

TEST_P(StoreSuite, CLM_02_InsideATenantJobsComeByDueTimeThenSequence) {
  std::vector<NewJob> jobs;
  for (int i = 0; i < 5; ++i) jobs.push_back(new_job());
  jobs[0].due = now_ - seconds{1};
  jobs[3].due = now_ - seconds{2};
  for (const NewJob& job : jobs) put(job);
  EXPECT_EQ(ids_of(claim(kUntenanted, 10)),
            (std::vector<JobId>{jobs[3].id, jobs[0].id, jobs[1].id, jobs[2].id, jobs[4].id}));
}

TEST_P(StoreSuite, CLM_07_StartOrderIsEnqueueOrderAcrossKinds) {
  std::vector<JobId> ids;
  for (int i = 0; i < 30; ++i) {
    NewJob job = new_job();
    job.kind = "kind." + std::to_string((i * 7) % 4);
    ids.push_back(put(job).id);
  }
  std::vector<JobId> started;
  for (int visit = 0; visit < 8; ++visit)
    for (const JobId& id : ids_of(claim(kUntenanted, 4))) started.push_back(id);
  EXPECT_EQ(started, ids);
}

TEST_P(StoreSuite, CLM_07_ARetryTakesThePlaceOfItsNewDueTime) {
  const JobId first = put().id;
  const ClaimedJob claimed = claim_one();
  advance(seconds{1});
  const JobId second = put().id;
  advance(seconds{1});
  const WallTime due = now_;
  write([&](StoreWriter& writer) { value_or_raise(writer.retry(ref(claimed), due, {}, now_)); });
  advance(seconds{1});
  const JobId third = put().id;
  write([&](StoreWriter& writer) { EXPECT_EQ(writer.promote(now_, 10).size(), 1U); });
  EXPECT_EQ(ids_of(claim(kUntenanted, 10)), (std::vector<JobId>{second, first, third}));
}

TEST_P(StoreSuite, AClaimStopsBeforeTheJobThatWouldPassItsBytes) {
  std::vector<NewJob> jobs;
  for (int i = 0; i < 4; ++i) jobs.push_back(new_job());
  for (NewJob& job : jobs) put(job);
  const auto size = static_cast<std::size_t>(record(jobs[0].id).size_bytes);

  const ClaimReply below = claim(kUntenanted, 4, 2 * size - 1);
  EXPECT_EQ(ids_of(below), (std::vector<JobId>{jobs[0].id}));
  EXPECT_TRUE(below.stopped_by_bytes);
  const ClaimReply at = claim(kUntenanted, 4, 2 * size);
  EXPECT_EQ(ids_of(at), (std::vector<JobId>{jobs[1].id, jobs[2].id}));
  EXPECT_TRUE(at.stopped_by_bytes);
  const ClaimReply above = claim(kUntenanted, 4, 2 * size);
  EXPECT_EQ(ids_of(above), (std::vector<JobId>{jobs[3].id}));
  EXPECT_FALSE(above.stopped_by_bytes);
}

TEST_P(StoreSuite, AJobBiggerThanTheBytesOfAClaimIsClaimedAlone) {
  const JobId first = put().id;
  put();
  const ClaimReply reply = claim(kUntenanted, 2, 0);
  EXPECT_EQ(ids_of(reply), (std::vector<JobId>{first}));
  EXPECT_TRUE(reply.stopped_by_bytes);
}

TEST_P(StoreSuite, AClaimThatSaysSoTakesNotEvenAFirstJobPastItsBytes) {
  const Enqueued job = put();
  const auto size = static_cast<std::size_t>(record(job.id).size_bytes);
  ClaimRequest request = claim_request(kUntenanted, 1);
  request.first_of_any_size = false;
  const auto asked_for = [&](std::size_t bytes_max) {
    request.bytes_max = bytes_max;
    return written([&](StoreWriter& writer) { return writer.claim(request, now_); });
  };
  const ClaimReply below = asked_for(size - 1);
  EXPECT_TRUE(below.jobs.empty());
  EXPECT_TRUE(below.stopped_by_bytes);
  EXPECT_EQ(record(job.id).state, ShownState::ready);
  const ClaimReply at = asked_for(size);
  EXPECT_EQ(ids_of(at), (std::vector<JobId>{job.id}));
  EXPECT_FALSE(at.stopped_by_bytes);
}

TEST_P(StoreSuite, CLM_06_TokensOfABatchCountUpAndNeverRepeat) {
  for (int i = 0; i < 6; ++i) put();
  std::optional<ClaimToken> last;
  for (int visit = 0; visit < 3; ++visit) {
    const ClaimReply reply = claim(kUntenanted, 2);
    ASSERT_EQ(reply.jobs.size(), 2U);
    for (const ClaimedJob& job : reply.jobs) {
      EXPECT_TRUE(!last || job.token > *last);
      last = job.token;
      EXPECT_EQ(record(job.id).claim, job.token);
    }
  }
}

TEST_P(StoreSuite, CLM_06_TheTokenGrowsAtEachClaimOfAJob) {
  put();
  const ClaimedJob first = claim_one();
  write([&](StoreWriter& writer) { value_or_raise(writer.release(ref(first), false, {}, now_)); });
  const ClaimedJob second = claim_one();
  EXPECT_EQ(second.id, first.id);
  EXPECT_GT(second.token, first.token);
}

TEST_P(StoreSuite, AClaimCarriesWhatAWorkerNeeds) {
  const auto tenant = create_tenant("acme");
  NewJob job = new_job("acme");
  job.attempts_max = 3;
  const Enqueued enqueued = put(job);
  const ClaimedJob claimed = claim_one(tenant.number);
  EXPECT_EQ(claimed.seq, enqueued.seq);
  EXPECT_EQ(claimed.tenant, job.tenant);
  EXPECT_EQ(claimed.generation, Generation{1});
  EXPECT_EQ(claimed.kind, job.kind);
  EXPECT_EQ(claimed.lane.tenant, tenant.number);
  EXPECT_EQ(claimed.place, (LanePlace{job.due, enqueued.seq}));
  EXPECT_EQ(claimed.token, (ClaimToken{kLife, 1}));
  EXPECT_EQ(claimed.attempts_max, 3);
  EXPECT_EQ(claimed.envelope, asked([&](JobReader& reader) { return reader.envelope(enqueued.seq); }));
  const JobRecord shown = record(job.id);
  EXPECT_EQ(shown.state, ShownState::running);
  EXPECT_EQ(shown.started, now_);
  EXPECT_EQ(shown.process, kProcess);
}

TEST_P(StoreSuite, ACursorSkipsWhatLiesBeforeItAndClaimedJobsAreSkippedAnyway) {
  for (int i = 0; i < 4; ++i) put();
  const ClaimedJob first = claim_one();
  ClaimRequest request;
  request.queue = first.lane.queue;
  request.priority = first.lane.priority;
  request.count = 1;
  request.incarnation = kLife;
  const LanePlace second{first.place.due, JobSeq{first.seq.value + 1}};
  const auto claim_behind = [&](std::optional<LanePlace> after, std::int64_t counter) {
    request.kinds = {{first.lane.kind, after}};
    request.first_counter = counter;
    return written([&](StoreWriter& writer) { return writer.claim(request, now_); });
  };
  EXPECT_EQ(claim_behind(second, 100).jobs.at(0).seq.value, second.seq.value + 1)
      << "the cursor's own job is behind";
  EXPECT_EQ(claim_behind(std::nullopt, 101).jobs.at(0).seq, second.seq);
  request.count = 0;
  EXPECT_TRUE(claim_behind(std::nullopt, 102).jobs.empty());
}

TEST_P(StoreSuite, LanesAreKnownByWhatTheyHoldAndComeInPages) {
  const auto acme = create_tenant("acme");
  put();
  put();
  put(new_job("acme"));
  NewJob urgent = new_job("acme");
  urgent.priority = Priority{-5};
  put(urgent);
  NewJob other = new_job("acme");
  other.kind = "billing.remind";
  put(other);
  NewJob later = new_job();
  later.queue = "later";
  later.due = now_ + hours{1};
  put(later);

  const auto all = lanes();
  ASSERT_EQ(all.size(), 4U);
  EXPECT_TRUE(std::ranges::is_sorted(all));
  EXPECT_EQ(all[0].priority, Priority{-5});
  EXPECT_EQ(all[1].tenant, kUntenanted);
  EXPECT_EQ(all[3].tenant, acme.number);
  std::vector<Lane> paged;
  std::optional<Lane> after;
  for (;;) {
    const auto page = told([&](LaneReader& reader) { return reader.lanes(after, 1); });
    if (page.empty()) break;
    paged.push_back(page.front());
    after = page.front();
  }
  EXPECT_EQ(paged, all);
}

TEST_P(StoreSuite, ArrivalsAreRowsAboveTheLastOneThatIsKnown) {
  const Enqueued first = put();
  NewJob later = new_job();
  later.due = now_ + hours{1};
  const Enqueued second = put(later);
  const auto arrivals = told([&](LaneReader& reader) { return reader.arrivals(JobSeq{0}, 10); });
  ASSERT_EQ(arrivals.size(), 2U);
  EXPECT_EQ(arrivals[0].seq, first.seq);
  EXPECT_EQ(arrivals[0].state, JobState::ready);
  EXPECT_EQ(arrivals[1].state, JobState::scheduled);
  EXPECT_EQ(arrivals[1].due, later.due);
  EXPECT_EQ(told([&](LaneReader& reader) { return reader.arrivals(first.seq, 10).size(); }), 1U);
  EXPECT_EQ(told([&](LaneReader& reader) { return reader.arrivals(JobSeq{0}, 1).size(); }), 1U);
  EXPECT_EQ(told([](LaneReader& reader) { return reader.known_until(); }), second.seq);
}

TEST_P(StoreSuite, CLM_14_JobsDueInTheSameSecondArePromotedInBatchesAndNoneIsSkipped) {
  constexpr std::size_t kJobs = 10'000;
  constexpr std::size_t kBatch = 1'000;
  const WallTime due = now_ + seconds{1};
  write([&](StoreWriter& writer) {
    for (std::size_t i = 0; i < kJobs; ++i) {
      NewJob job = new_job();
      job.due = due;
      job.priority = Priority{static_cast<int>(i % 3)};
      value_or_raise(writer.enqueue(job, now_));
    }
  });
  advance(seconds{1});
  std::set<JobSeq> promoted;
  for (std::size_t commit = 0; commit < kJobs / kBatch; ++commit) {
    const auto batch = written([&](StoreWriter& writer) { return writer.promote(now_, kBatch); });
    ASSERT_EQ(batch.size(), kBatch);
    for (const JobArrival& job : batch) {
      EXPECT_EQ(job.state, JobState::ready);
      promoted.insert(job.seq);
    }
  }
  EXPECT_EQ(promoted.size(), kJobs);
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.promote(now_, kBatch); }).empty());
  const ClaimReply reply = claim(kUntenanted, kJobs);
  EXPECT_EQ(reply.jobs.size(), (kJobs + 2) / 3) << "the first priority alone";
}

TEST_P(StoreSuite, SCH_01_ADelayedJobIsNeverReadyEarly) {
  NewJob job = new_job();
  job.due = now_ + seconds{10};
  put(job);
  advance(seconds{10} - std::chrono::microseconds{1});
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.promote(now_, 10); }).empty());
  EXPECT_TRUE(claim().jobs.empty());
  advance(std::chrono::microseconds{1});
  EXPECT_EQ(written([&](StoreWriter& writer) { return writer.promote(now_, 10); }).size(), 1U);
  EXPECT_EQ(record(job.id).reason, JobReason::none);
  EXPECT_EQ(claim_one().id, job.id);
}

TEST_P(StoreSuite, SCH_01_PromotionGoesByDueTimeAndSaysWhere) {
  NewJob late = new_job();
  late.due = now_ + seconds{2};
  NewJob early = new_job();
  early.due = now_ + seconds{1};
  put(late);
  put(early);
  advance(seconds{5});
  const auto first = written([&](StoreWriter& writer) { return writer.promote(now_, 1); });
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].seq, record(early.id).seq);
  EXPECT_EQ(first[0].due, early.due);
  EXPECT_EQ(first[0].lane, lanes().at(0));
}

TEST_P(StoreSuite, CLM_19_EachIncarnationIsGreaterThanTheLastAndThanTheClock) {
  const auto open = [&](std::int64_t seconds_since_2020) {
    return written(
        [&](StoreWriter& writer) { return writer.open_incarnation(seconds_since_2020, "app-1", 42, now_); });
  };
  EXPECT_EQ(open(5'000), Incarnation{5'000});
  EXPECT_EQ(open(5'000), Incarnation{5'001}) << "twice in a second";
  EXPECT_EQ(open(7), Incarnation{5'002}) << "the clock was set back";
  EXPECT_EQ(open(9'000), Incarnation{9'000}) << "a restored control file knows nothing of the lives since";
  EXPECT_EQ(written([](StoreWriter& writer) { return writer.newest_incarnation(); }), Incarnation{9'000});
  const auto holder = asked([](JobReader& reader) { return reader.summary().last_holder; });
  ASSERT_TRUE(holder);
  EXPECT_EQ(holder->incarnation, Incarnation{9'000});
  EXPECT_EQ(holder->node, "app-1");
  EXPECT_EQ(holder->pid, 42);
}

TEST_P(StoreSuite, CLM_27_AClaimAndASuccessLeaveNoAttemptRow) {
  const Enqueued job = put();
  const ClaimedJob claimed = claim_one();
  advance(milliseconds{30});
  write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(claimed), now_)); });
  EXPECT_TRUE(attempts(job.seq).empty());
  const JobRecord shown = record(job.id);
  EXPECT_EQ(shown.state, ShownState::succeeded);
  EXPECT_EQ(shown.started, now_ - milliseconds{30});
  EXPECT_EQ(shown.finished, now_);
  EXPECT_FALSE(shown.claim);
  EXPECT_TRUE(lanes().empty());
}

TEST_P(StoreSuite, AClaimOfAnUnknownTenantIsGated) {
  put();
  ClaimRequest request;
  request.tenant = TenantNumber{999};
  EXPECT_EQ(written([&](StoreWriter& writer) { return writer.claim(request, now_); }).gate,
            TenantState::deleted);
}

TEST_P(StoreSuite, NamesHaveNumbersInBothDirections) {
  put();
  write([](StoreWriter& writer) {
    LaneReader& reader = writer.reader();
    const auto queue = reader.queue_number("default");
    const auto kind = reader.kind_number("billing.send_invoice");
    ASSERT_TRUE(queue && kind);
    EXPECT_EQ(reader.queue_name(*queue), "default");
    EXPECT_EQ(reader.kind_name(*kind), "billing.send_invoice");
    EXPECT_FALSE(reader.queue_number("other"));
    EXPECT_EQ(reader.tenant_state(kUntenanted), TenantState::active);
    EXPECT_FALSE(reader.tenant_state(TenantNumber{77}));
  });
}

TEST_P(StoreSuite, TheChangeCounterGrowsWhenAnotherProcessHasWritten) {
  const auto before = store().change_counter();
  world_->of_another_process().write(
      Durability::durable, [&](StoreWriter& writer) { value_or_raise(writer.enqueue(new_job(), now_)); });
  EXPECT_GT(store().change_counter(), before);
}

}  // namespace tenure::testing
