#include "store_suite.hpp"

#include <tenure/queue/retention.hpp>

#include <array>
#include <set>
#include <vector>

// Which jobs that have ended go, and when.
namespace tenure::testing {
namespace {

constexpr hours kDay{24};

class RetentionSuite : public StoreSuite {
 protected:
  Enqueued ended(JobState state) {
    const Enqueued job = put();
    end(job, state);
    return job;
  }
  void end(const Enqueued& job, JobState state) {
    const ClaimedJob claimed = claim_one();
    EXPECT_EQ(claimed.id, job.id);
    write([&](StoreWriter& writer) {
      if (state == JobState::succeeded) value_or_raise(writer.finish_succeeded(ref(claimed), now_));
      else
        value_or_raise(
            writer.finish(ref(claimed), state, JobReason::by_rule, {ErrorCode::handler_failed, "no"}, now_));
    });
  }
  // What there is of bookkeeping comes first, as it does between a job's end and its day.
  void settle() {
    while (store().tidy()) continue;
  }
  Pruned prune(const Retention& rules = {}, std::size_t looks = 3) {
    settle();
    const PrunePass pass = asked([&](JobReader& reader) { return reader.begin_pruning(rules); });
    Pruned all;
    Pruned counted;
    PrunableJobs page;
    while (!page.is_end) {
      page = asked(
          [&](JobReader& reader) { return reader.prunable_jobs(page.looked_until, pass, now_, looks); });
      counted += page.counted;
      all += written([&](StoreWriter& writer) { return writer.prune(page.jobs, pass, now_); });
    }
    EXPECT_EQ(all, counted);
    return all;
  }
  bool is_there(JobId id) {
    return asked([&](JobReader& reader) { return reader.find_job(id); }).has_value();
  }
};

TEST_P(RetentionSuite, EachFinalStateIsKeptForItsTimeAndNotLonger) {
  const std::array<std::pair<JobState, hours>, 4> kept{{{JobState::succeeded, kDay},
                                                        {JobState::dead, 30 * kDay},
                                                        {JobState::discarded, 7 * kDay},
                                                        {JobState::cancelled, 7 * kDay}}};
  const WallTime start = now_;
  std::map<JobState, JobId> ids;
  for (const auto& [state, time] : kept) ids[state] = ended(state).id;
  NewJob later = new_job();
  later.due = now_ + 365 * kDay;
  const Enqueued waiting = put(later);
  put();  // the newest of all
  for (const hours time : {kDay, 7 * kDay, 30 * kDay}) {
    now_ = start + time - milliseconds{1};
    EXPECT_EQ(prune().total(), 0) << time.count();
    now_ = start + time;
    static_cast<void>(prune());
    for (const auto& [state, keep] : kept) EXPECT_EQ(is_there(ids[state]), keep > time) << state;
  }
  EXPECT_TRUE(is_there(waiting.id));
  now_ = start + 3650 * kDay;
  EXPECT_EQ(prune().total(), 0) << "what has not ended stays for ever";
}

TEST_P(RetentionSuite, OfMoreDeadJobsThanMayBeTheOldestGoFirst) {
  std::vector<JobId> ids;
  for (int each = 0; each < 7; ++each) ids.push_back(ended(JobState::dead).id);
  put();
  const Retention rules{.dead_max = 4};
  advance(kRetentionMin - milliseconds{1});
  EXPECT_EQ(prune(rules).total(), 0) << "an hour is the least";
  advance(milliseconds{1});
  EXPECT_EQ(prune(rules).dead, 3);
  for (std::size_t each = 0; each < ids.size(); ++each) EXPECT_EQ(is_there(ids[each]), each >= 3) << each;
}

TEST_P(RetentionSuite, NoRuleIsShorterThanAnHour) {
  ended(JobState::succeeded);
  put();
  const Retention rules{.succeeded = milliseconds{0}};
  advance(hours{1} - milliseconds{1});
  EXPECT_EQ(prune(rules).total(), 0);
  advance(milliseconds{1});
  EXPECT_EQ(prune(rules).succeeded, 1);
}

// Whose receipts may be older than the success, and would be looked for by a control database from a backup.
TEST_P(RetentionSuite, ASuccessThatNeededLongStaysAsLongAsReceiptsDo) {
  const Enqueued slow = put();
  const WallTime start = now_;
  advance(hours{1} + milliseconds{1});
  end(slow, JobState::succeeded);
  const WallTime finished = now_;
  put();
  now_ = start + 2 * kDay;
  EXPECT_EQ(prune().total(), 0);
  now_ = finished + 7 * kDay - milliseconds{1};
  EXPECT_EQ(prune().total(), 0);
  now_ = finished + 7 * kDay;
  EXPECT_EQ(prune().succeeded, 1);
}

TEST_P(RetentionSuite, SoDoesAnyOtherThatNeededLongThoughThereAreTooManyOrItsRuleIsShort) {
  const std::array states{JobState::dead, JobState::discarded, JobState::cancelled};
  std::vector<Enqueued> jobs;
  for (std::size_t each = 0; each < states.size(); ++each) jobs.push_back(put());
  advance(hours{1} + milliseconds{1});
  for (std::size_t each = 0; each < states.size(); ++each) end(jobs[each], states[each]);
  put();
  const Retention rules{.dead = hours{1}, .discarded = hours{1}, .cancelled = hours{1}, .dead_max = 0};
  advance(7 * kDay - milliseconds{1});
  EXPECT_EQ(prune(rules).total(), 0);
  advance(milliseconds{1});
  EXPECT_EQ(prune(rules).total(), std::ssize(states));
}

// A clock that was ahead for a while has left their times.
TEST_P(RetentionSuite, RowsOfATimeToComeHideNoneBehindThem) {
  const WallTime start = now_;
  now_ = start + 365 * kDay;
  for (int each = 0; each < 10; ++each) put();
  for (int each = 0; each < 10; ++each) static_cast<void>(claim_one());
  now_ = start;
  ended(JobState::succeeded);
  put();
  now_ = start + kDay;
  EXPECT_EQ(prune({}, 5).succeeded, 1);
}

TEST_P(RetentionSuite, AJobGoesWithAllThatIsItsOwnAndItsIdIsFree) {
  NewJob job = new_job();
  const Enqueued first = put(job);
  const ClaimedJob claimed = claim_one();
  write([&](StoreWriter& writer) {
    value_or_raise(writer.tell({ref(claimed), std::nullopt, "c7"}, now_));
    value_or_raise(writer.finish(ref(claimed), JobState::dead, JobReason::by_rule,
                                 {ErrorCode::handler_failed, "no"}, now_));
  });
  put();
  advance(30 * kDay - milliseconds{1});
  EXPECT_TRUE(put(job).existed);
  advance(milliseconds{1});
  EXPECT_EQ(prune().dead, 1);
  EXPECT_TRUE(attempts(first.seq).empty());
  const auto defects = asked([](JobReader& reader) { return reader.defects(PageCheck::none); });
  EXPECT_TRUE(defects.empty());
  job.due = now_;
  EXPECT_FALSE(put(job).existed);
}

TEST_P(RetentionSuite, WhatAnOperatorRetriesMeanwhileStays) {
  const Enqueued job = ended(JobState::dead);
  put();
  advance(30 * kDay);
  settle();
  const PrunePass pass = asked([&](JobReader& reader) { return reader.begin_pruning({}); });
  const auto page =
      asked([&](JobReader& reader) { return reader.prunable_jobs(JobSeq{0}, pass, now_, 100); });
  ASSERT_EQ(page.jobs, std::vector{job.seq});
  write([&](StoreWriter& writer) { value_or_raise(writer.retry_by_operator(job.id, now_)); });
  EXPECT_EQ(written([&](StoreWriter& writer) { return writer.prune(page.jobs, pass, now_); }), Pruned{});
  EXPECT_EQ(record(job.id).state, ShownState::ready);
}

// From whose number the next one is made.
TEST_P(RetentionSuite, TheNewestJobOfAllStays) {
  const Enqueued job = ended(JobState::succeeded);
  advance(2 * kDay);
  EXPECT_EQ(prune().total(), 0);
  const Enqueued next = put();
  EXPECT_GT(next.seq, job.seq);
  EXPECT_EQ(prune().succeeded, 1);
}

INSTANTIATE_TEST_SUITE_P(EachStore, RetentionSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
