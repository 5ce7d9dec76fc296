#include "explained_job.hpp"

#include "counted_reasons.hpp"
#include "program.hpp"

#include <tenure/queue/filter.hpp>

#include <optional>
#include <string>
#include <vector>

// Why jobs do not run, as values: nothing is printed, and no daemon is asked.
namespace tenure::cli {
namespace {

using queue::JobReason;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

class ExplainedJobs : public Program {
 protected:
  ExplainedJobs() {
    add_tenant("acme");
    tell_pools({{"general", {"default"}, 2, {"mail.send"}}});
    add_job(1, "acme", "mail.send");
    add_job(2, "acme", "mail.send");
    add_job(3, "acme", "mail.sned");
  }

  ExplainedJob explain(int seed) {
    std::optional<ExplainedJob> job;
    store->read([&](queue::JobReader& reader) {
      job = explained(reader, reader.find_job(job_id(seed)).value(), clock.wall());
    });
    return job.value();
  }

  CountedReasons count(const std::vector<QuietPool>& quiet) {
    const std::vector<std::string> words{"tenant=acme"};
    const JobsToCount jobs{
        .words = words,
        .filter = queue::parse_filter(words, queue::job_filter_fields(), clock.wall()).value(),
        .looks = 100,
        .quiet = quiet};
    CountedReasons all;
    store->read([&](queue::JobReader& reader) { all = counted_reasons(reader, jobs, clock.wall()); });
    return all;
  }
};

TEST_F(ExplainedJobs, OneThatOnlyWaitsForItsTurnHasItsPoolsAndItsPlace) {
  const ExplainedJob job = explain(2);
  EXPECT_THAT(job.reasons, ElementsAre(Field(&queue::WaitReason::reason, JobReason::tenant_turn)));
  EXPECT_THAT(job.pools, ElementsAre(Field(&queue::PoolSlots::name, "general")));
  ASSERT_TRUE(job.ahead);
  EXPECT_EQ(job.ahead->jobs, 1);
  EXPECT_THAT(job.quiet, IsEmpty());
  EXPECT_FALSE(job.turn);
}

TEST_F(ExplainedJobs, OneOfAPausedTenantHasThatReasonBeforeTheOthers) {
  queue::set_tenant_state_for_test(*store, TenantName("acme"), TenantState::paused);
  const ExplainedJob job = explain(3);
  EXPECT_THAT(job.reasons, ElementsAre(Field(&queue::WaitReason::reason, JobReason::tenant_paused),
                                       Field(&queue::WaitReason::reason, JobReason::kind_unknown)));
  EXPECT_THAT(job.pools, IsEmpty());
}

TEST_F(ExplainedJobs, ThoseWhosePoolsAreAllQuietAreCountedAsThat) {
  const CountedReasons all = count({{"general", "2026-03-02T10:13:00Z", 1000}});
  ASSERT_EQ(all.rows.size(), 2U);
  EXPECT_TRUE(all.rows[0].is_quiet);
  EXPECT_EQ(all.rows[0].jobs, 2);
  EXPECT_EQ(all.rows[0].filter, "tenant=acme state=ready");
  EXPECT_EQ(all.rows[1].reason, JobReason::kind_unknown);
  EXPECT_FALSE(count({{"heavy", "2026-03-02T10:13:00Z", 1000}}).rows[0].is_quiet);
}

}  // namespace
}  // namespace tenure::cli
