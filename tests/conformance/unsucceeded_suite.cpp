#include "store_suite.hpp"

#include <gmock/gmock.h>

#include <limits>
#include <vector>

// Which jobs may still run, for whoever forgets what jobs have left behind that never will.
namespace tenure::testing {
namespace {

using ::testing::IsEmpty;

class UnsucceededSuite : public StoreSuite {
 protected:
  UnsucceededJobs look(JobSeq after = kFromTheFirst, JobSeq until = kToTheLast, std::size_t looks_max = 100) {
    return asked([&](JobReader& reader) { return reader.unsucceeded_jobs(after, until, looks_max); });
  }
  std::vector<JobId> found() {
    std::vector<JobId> ids;
    for (const UnsucceededJob& job : look().jobs) ids.push_back(job.id);
    return ids;
  }
  JobId claimed_and(JobState state) {
    const ClaimedJob job = claim_one();
    write([&](StoreWriter& writer) {
      if (state == JobState::succeeded) value_or_raise(writer.finish_succeeded(ref(job), now_));
      else value_or_raise(writer.finish(ref(job), state, JobReason::by_rule, {}, now_));
    });
    return job.id;
  }
  // What a dispatcher does when it is idle.
  void settle() {
    while (store().tidy()) {
    }
  }

  static constexpr JobSeq kFromTheFirst{std::numeric_limits<std::int64_t>::min()};
  static constexpr JobSeq kToTheLast{std::numeric_limits<std::int64_t>::max()};
};

TEST_P(UnsucceededSuite, AnEmptyStoreHasNone) {
  const UnsucceededJobs all = look();
  EXPECT_THAT(all.jobs, IsEmpty());
  EXPECT_EQ(all.looked_until, kToTheLast);
  EXPECT_EQ(all.newest, JobSeq{0});
}

TEST_P(UnsucceededSuite, OnlyASuccessIsLeftOut) {
  put();
  const JobId succeeded = claimed_and(JobState::succeeded);
  std::vector<JobId> expected;
  for (const JobState state : {JobState::dead, JobState::discarded, JobState::cancelled}) {
    expected.push_back(put().id);
    EXPECT_EQ(claimed_and(state), expected.back());
  }
  expected.push_back(put().id);
  static_cast<void>(claim_one());  // runs
  expected.push_back(put().id);
  NewJob later = new_job();
  later.due = now_ + hours{1};
  expected.push_back(put(later).id);
  settle();
  EXPECT_EQ(found(), expected);
  EXPECT_THAT(found(), ::testing::Not(::testing::Contains(succeeded)));
  write([&](StoreWriter& writer) { value_or_raise(writer.retry_by_operator(expected[0], now_)); });
  EXPECT_EQ(found(), expected) << "retried, too";
}

TEST_P(UnsucceededSuite, EachIsToldWithItsTenant) {
  const TenantNumber acme = create_tenant("acme").number;
  const Enqueued of_acme = put(new_job("acme"));
  const Enqueued of_nobody = put();
  const auto jobs = look().jobs;
  ASSERT_EQ(jobs.size(), 2U);
  EXPECT_EQ(jobs[0].tenant, acme);
  EXPECT_EQ(jobs[0].seq, of_acme.seq);
  EXPECT_EQ(jobs[1].tenant, kUntenanted);
  EXPECT_EQ(jobs[1].seq, of_nobody.seq);
}

TEST_P(UnsucceededSuite, APageEndsBehindSoManyRowsOrAtItsEnd) {
  std::vector<Enqueued> jobs;
  for (int each = 0; each < 4; ++each) jobs.push_back(put());
  static_cast<void>(claimed_and(JobState::succeeded));  // the first
  settle();
  const UnsucceededJobs two = look(kFromTheFirst, kToTheLast, 2);
  ASSERT_EQ(two.jobs.size(), 1U) << "a success is looked at";
  EXPECT_EQ(two.jobs[0].id, jobs[1].id);
  EXPECT_EQ(two.looked_until, jobs[1].seq);
  EXPECT_EQ(two.newest, jobs[3].seq);
  const UnsucceededJobs third = look(two.looked_until, jobs[2].seq, 2);
  ASSERT_EQ(third.jobs.size(), 1U);
  EXPECT_EQ(third.jobs[0].id, jobs[2].id);
  EXPECT_EQ(third.looked_until, jobs[2].seq);
  const UnsucceededJobs none = look(jobs[3].seq, jobs[3].seq, 2);
  EXPECT_THAT(none.jobs, IsEmpty());
  EXPECT_EQ(none.looked_until, jobs[3].seq);
  EXPECT_EQ(none.newest, jobs[3].seq);
}

INSTANTIATE_TEST_SUITE_P(EachStore, UnsucceededSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
