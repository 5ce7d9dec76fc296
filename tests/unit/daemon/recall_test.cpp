#include "homes.hpp"
#include "processes.hpp"
#include "simulated.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace tenure::daemon {
namespace {

using queue::JobId;
using simulation::Performance;

// What a job of kind "job" takes: 5 us, but for those that the test names.
class Runs {
 public:
  void slow(const std::vector<JobId>& ids, std::chrono::microseconds time) {
    for (const JobId& id : ids) slow_[id] = time;
  }
  simulation::Options in(simulation::Options options) {
    options.perform = [this](const queue::ClaimedJob& job) {
      const auto found = slow_.find(job.id);
      return Performance{.run_time = found == slow_.end() ? 5us : found->second};
    };
    return options;
  }

 private:
  std::map<JobId, std::chrono::microseconds> slow_;
};

std::optional<Instant> start_of(Simulated& sim, JobId id) {
  for (const simulation::Start& start : sim->starts)
    if (start.id == id) return start.at;
  return std::nullopt;
}

// 3000 runs of 5 us: the kind is believed to be quick.
void teach(Simulated& sim) {
  sim->create_tenant("acme");
  sim->start();
  (void)sim->enqueue_many({.tenant = "acme"}, 3000);
  ASSERT_TRUE(sim.drains(10s));
}

TEST(Recall, CLM_25_AnUrgentJobDoesNotWaitBehindJobsThatTakeLongerThanTheyEverDid) {
  Runs runs;
  Simulated sim(runs.in(one_pool(1, 1)));
  teach(sim);
  sim->create_tenant("bolt");
  const auto slow = sim->enqueue_many({.tenant = "acme"}, 120);
  runs.slow(slow, 100ms);
  sim->run_for(1ms);
  EXPECT_GT(sim->dispatcher().status().ahead, 100) << "they are thought to be quick";
  const JobId urgent = sim->enqueue({.tenant = "bolt", .priority = -10});
  const Instant enqueued = sim->now();
  ASSERT_TRUE(sim->run_until([&] { return start_of(sim, urgent).has_value(); }, 60s));
  EXPECT_LT(*start_of(sim, urgent) - enqueued, 101ms) << "the one that runs, and none behind it";
  ASSERT_TRUE(sim.drains(60s));
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
}

TEST(Recall, CLM_25_WhatWaitsBehindALateJobIsGivenBackWithinTenMillisecondsAndRunsElsewhere) {
  Runs runs;
  Simulated sim(runs.in(one_pool(2, 1)));
  teach(sim);
  const JobId slow = sim->enqueue({.tenant = "acme"}, false);
  runs.slow({slow}, 6s);
  const auto quick = sim->enqueue_many({.tenant = "acme"}, 30);
  ASSERT_TRUE(sim->run_until([&] { return start_of(sim, slow).has_value(); }, 1s));
  const Instant late = *start_of(sim, slow) + 5us;
  sim->run_for(11ms);
  for (const JobId& id : quick) EXPECT_EQ(sim->job(id).state, ShownState::succeeded);
  for (const auto& [at, action] : sim->control) {
    if (std::holds_alternative<Recall>(action) && at > late) {
      EXPECT_LE(at - late, 10ms);
    }
  }
  EXPECT_EQ(sim->job(slow).state, ShownState::running);
  for (const JobId& id : quick)
    EXPECT_EQ(sim->job(id).releases, 0) << "it had not started: that costs nothing";
  ASSERT_TRUE(sim.drains(10s));
}

TEST(Recall, WithOneOfTwoSlotsHeldUpOnlyWhatItsShareIsTooMuchComesBack) {
  Process process;
  process.phase = Phase::ready;
  process.slots = 2;
  process.jobs = Outstanding{2};
  OutstandingJob job;
  job.assumed_us = 100;
  const Instant start{1s};
  for (std::int64_t seq = 1; seq <= 2; ++seq) {
    job.claim.seq = queue::JobSeq{seq};
    process.jobs.add(job, seq == 1 ? start : start + 3ms);
  }
  const std::int64_t one_slot = kAheadPerSlot.count();
  EXPECT_EQ(process.ahead_us_max(start + 100us + kLateAfter, kLateAfter), 2 * one_slot);
  EXPECT_EQ(process.ahead_us_max(start + 101us + kLateAfter, kLateAfter), one_slot);
  EXPECT_EQ(process.ahead_us_max(start + 3ms + 101us + kLateAfter, kLateAfter), 0);
}

TEST(Recall, NothingIsAssignedBehindALongJob) {
  Process process;
  process.phase = Phase::ready;
  process.slots = 2;
  process.jobs = Outstanding{2};
  OutstandingJob job;
  job.assumed_us = 2 * kAheadPerSlot.count() + 1;
  job.claim.seq = queue::JobSeq{1};
  process.jobs.add(job, Instant{});
  process.begin_plan(Instant{});
  EXPECT_EQ(process.room_ahead(1000us), 2U);
  process.plan(1, std::chrono::microseconds{job.assumed_us});
  EXPECT_EQ(process.room_ahead(1000us), 0U);
}

TEST(Recall, ReportsThatComeInBundlesAreNoLateJobs) {
  Runs runs;
  auto options = runs.in(one_pool(1, 1));
  options.report_time = 3ms;
  Simulated sim(options);
  teach(sim);
  EXPECT_TRUE(std::none_of(sim->control.begin(), sim->control.end(),
                           [](const auto& each) { return std::holds_alternative<Recall>(each.second); }));
}

TEST(Recall, AFreeSlotAsksForHalfOfWhatWaitsElsewhere) {
  auto options = one_pool(2, 1);
  int longs = 0;
  options.perform = [&longs](const queue::ClaimedJob& job) {
    return Performance{.run_time = job.kind == "job" ? 100us : 20ms + 500us * (++longs % 2)};
  };
  options.kinds = {"job", "long"};
  Simulated sim(options);
  // The process where acme is at home is the one that is busy for longer.
  const std::string acme = create_tenant_at(sim, "acme", 0, 2);
  const std::string bolt = create_tenant_at(sim, "bolt", 0, 2);
  sim->start();
  (void)sim->enqueue_many({.tenant = acme}, 100);
  (void)sim->enqueue_many({.tenant = bolt, .kind = "long"}, 10);
  ASSERT_TRUE(sim.drains(10s));
  sim->starts.clear();
  // Both processes are busy, one for half a millisecond longer: meanwhile the other one gets all 21 jobs of 100 us.
  (void)sim->enqueue_many({.tenant = bolt, .kind = "long"}, 2);
  sim->run_for(1ms);
  ASSERT_EQ(sim->running(), 2);
  (void)sim->enqueue_many({.tenant = acme}, 21);
  ASSERT_TRUE(sim.drains(1s));
  std::map<ProcessNumber, int> shares;
  for (const simulation::Start& start : sim->starts) {
    if (start.kind == "job") ++shares[start.process];
  }
  ASSERT_EQ(shares.size(), 2U);
  for (const auto& [process, share] : shares) EXPECT_GE(share, 5) << process.value;
}

// What waits beside kept slots is nothing that it could claim.
TEST(Recall, AFreeKeptSlotAsksForUrgentJobsThoughOthersWaitBesideIt) {
  auto options = one_pool(3, 1);
  options.settings.pools = {PoolSettings{
      .name = "default", .processes = 3, .queues = {"default"}, .reserved = {{queue::Priority{-10}, 2}}}};
  int longs = 0;
  options.perform = [&longs](const queue::ClaimedJob& job) {
    if (job.kind == "stay") return Performance{.run_time = 200ms};
    return Performance{.run_time = job.kind == "job" ? 100us : 20ms + 500us * (++longs % 2)};
  };
  options.kinds = {"job", "long", "stay"};
  Simulated sim(options);
  const std::string acme = create_tenant_at(sim, "acme", 0, 3);
  const std::string bolt = create_tenant_at(sim, "bolt", 0, 3);
  const std::string crane = create_tenant_at(sim, "crane", 2, 3);
  sim->start();
  (void)sim->enqueue_many({.tenant = acme, .priority = -20}, 100);
  (void)sim->enqueue_many({.tenant = bolt, .kind = "long", .priority = -20}, 10);
  ASSERT_TRUE(sim.drains(10s));
  (void)sim->enqueue({.tenant = crane, .kind = "stay"});
  sim->run_for(1ms);
  // As above, and one more process performs what the two kept slots leave room for.
  (void)sim->enqueue_many({.tenant = bolt, .kind = "long", .priority = -20}, 2);
  sim->run_for(1ms);
  ASSERT_EQ(sim->running(), 3);
  sim->starts.clear();
  (void)sim->enqueue_many({.tenant = crane}, 5);
  (void)sim->enqueue_many({.tenant = acme, .priority = -20}, 21);
  ASSERT_TRUE(sim->run_until([&] { return sim->starts.size() == 21; }, 100ms));
  std::map<ProcessNumber, int> shares;
  for (const simulation::Start& start : sim->starts) ++shares[start.process];
  ASSERT_EQ(shares.size(), 2U);
  for (const auto& [process, share] : shares) EXPECT_GE(share, 5) << process.value;
  ASSERT_TRUE(sim.drains(1s));
}

}  // namespace
}  // namespace tenure::daemon
