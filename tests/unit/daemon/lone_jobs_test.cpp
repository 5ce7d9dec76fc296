#include "lone_jobs.hpp"

#include "simulated.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

// The end of a worker process: who is charged, and who is performed alone from then on.
namespace tenure::daemon {
namespace {

using simulation::Performance;

constexpr std::size_t kSlots = 8;
const queue::JobSeq kPoison{4};  // the fourth that is enqueued

// The poison ends its process after `poison_time`, named by the board or not; the others run for `time`.
simulation::Options with_poison(int processes, std::chrono::microseconds time,
                                std::chrono::microseconds poison_time, bool is_named) {
  auto options = one_pool(processes, static_cast<int>(kSlots));
  options.perform = [=](const queue::ClaimedJob& job) {
    const bool is_poison = job.seq == kPoison;
    return Performance{
        .run_time = is_poison ? poison_time : time, .kills_process = is_poison, .is_named = is_named};
  };
  return options;
}

std::vector<queue::AttemptRecord> history_of(Simulated& sim, queue::JobId id) {
  std::vector<queue::AttemptRecord> attempts;
  const queue::JobSeq seq = sim->job(id).seq;
  sim.store->read([&](queue::JobReader& reader) { attempts = reader.attempts(seq); });
  return attempts;
}

TEST(LoneJobs, LSE_24_OnlyTheJobThatCrashedIsChargedAndItsNeighboursRunAgainAtNoCost) {
  Simulated sim(with_poison(1, 50ms, 10ms, true));
  const auto ids = sim->enqueue_many({}, kSlots);
  sim->start();
  ASSERT_TRUE(sim.drains(60s));
  for (std::size_t index = 0; index < ids.size(); ++index) {
    const auto job = sim->job(ids[index]);
    if (job.seq == kPoison) continue;
    EXPECT_EQ(job.state, ShownState::succeeded);
    EXPECT_EQ(job.crashes + job.failures, 0) << index;
    EXPECT_EQ(job.releases, 3) << "each of the three crashes interrupted it";
    ASSERT_EQ(history_of(sim, ids[index]).size(), 1U);
    EXPECT_EQ(history_of(sim, ids[index])[0].outcome, queue::AttemptOutcome::released);
  }
  const auto poison = sim->job(ids[3]);
  EXPECT_EQ(poison.reason, queue::JobReason::poison);
  EXPECT_EQ(poison.crashes, 3);
  EXPECT_EQ(history_of(sim, ids[3]).size(), 3U);
  EXPECT_EQ(history_of(sim, ids[3])[0].place.exit, simulation::kSegmentationFault);
  EXPECT_EQ(sim->performing_max, static_cast<std::int64_t>(kSlots)) << "and nobody was performed alone";
}

TEST(LoneJobs, LSE_24_WhatHadNotStartedIsUntouched) {
  Simulated sim(with_poison(1, 300us, 300us, true));
  const auto ids = sim->enqueue_many({}, 2000);
  sim->start();
  ASSERT_TRUE(sim.drains(60s));
  int interrupted = 0;
  for (const queue::JobId id : ids) {
    const auto job = sim->job(id);
    if (job.seq == kPoison) continue;
    EXPECT_EQ(job.crashes + job.failures, 0);
    interrupted += history_of(sim, id).empty() ? 0 : 1;
  }
  EXPECT_LE(interrupted, 3 * static_cast<int>(kSlots - 1));
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
}

// The process of each start of the second runs, by job.
std::map<queue::JobId, ProcessNumber> last_processes(const Simulated& sim) {
  std::map<queue::JobId, ProcessNumber> processes;
  for (const simulation::Start& start : sim.world.starts) processes[start.id] = start.process;
  return processes;
}

TEST(LoneJobs, LSE_25_WhereNobodyIsNamedEachIsChargedOnceAndStartsAloneWithinTwoSeconds) {
  auto options = one_pool(1, static_cast<int>(kSlots));
  options.perform = [](const queue::ClaimedJob&) { return Performance{.run_time = 20s}; };
  Simulated sim(options);
  const auto ids = sim->enqueue_many({}, kSlots);
  sim->start();
  sim->run_for(1s);
  ASSERT_EQ(sim->running(), static_cast<std::int64_t>(kSlots));
  sim->kill_worker(sim->live_workers().front());
  ASSERT_TRUE(sim->run_until([&] { return sim->starts.size() == 2 * kSlots; }, 2s));
  const auto others = sim->enqueue_many({}, kSlots);
  ASSERT_TRUE(sim->run_until([&] { return sim->starts.size() == 3 * kSlots; }, 1s))
      << "the slots of the pool are free for others";
  std::map<ProcessNumber, int> jobs_of;
  for (const auto& [id, process] : last_processes(sim)) ++jobs_of[process];
  EXPECT_EQ(jobs_of.size(), kSlots + 1);
  for (const queue::JobId id : ids) {
    EXPECT_EQ(jobs_of.at(last_processes(sim).at(id)), 1) << "it is alone in its process";
    EXPECT_EQ(sim->job(id).crashes, 1);
    EXPECT_EQ(history_of(sim, id)[0].place.exit, simulation::kKilled);
  }
  ASSERT_TRUE(sim.drains(60s));
  sim->run_for(1s);
  EXPECT_EQ(sim->live_workers().size(), 1U) << "the processes of the suspects have ended with their jobs";
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
}

TEST(LoneJobs, LSE_06_LSE_25_WhoKillsAloneIsPoisonAndTheOthersEnd) {
  Simulated sim(with_poison(1, 50ms, 10ms, false));
  const auto ids = sim->enqueue_many({}, 3 * kSlots);
  sim->start();
  ASSERT_TRUE(sim.drains(60s));
  for (const queue::JobId id : ids) {
    const auto job = sim->job(id);
    const bool is_poison = job.seq == kPoison;
    EXPECT_EQ(job.state, is_poison ? ShownState::dead : ShownState::succeeded);
    EXPECT_EQ(job.crashes == 3, is_poison);
    EXPECT_LE(job.crashes, is_poison ? 3 : 1) << "it was in company once";
  }
  EXPECT_EQ(sim->job(ids[3]).reason, queue::JobReason::poison);
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
}

// How many jobs of the healthy kind end in ten seconds while a job is tried until it is poison.
std::int64_t healthy_rate(bool has_poison, bool is_named) {
  auto options = with_poison(2, 10ms, 500ms, is_named);
  if (!has_poison) options.perform = [](const auto&) { return Performance{.run_time = 10ms}; };
  Simulated sim(options);
  const auto ids = sim->enqueue_many({}, 4);
  (void)sim->enqueue_many({}, 20'000);
  sim->start();
  sim->run_for(10s);
  if (has_poison) {
    EXPECT_EQ(sim->job(ids[3]).state, ShownState::dead);
  }
  return sim->count(ShownState::succeeded);
}

TEST(LoneJobs, LSE_18_HealthyJobsKeepFourFifthsOfTheirRateWhileAPoisonOneIsTried) {
  for (const bool is_named : {true, false}) {
    EXPECT_GE(healthy_rate(true, is_named) * 10, healthy_rate(false, is_named) * 8);
  }
}

TEST(LoneJobs, AProgramThatDoesNotStartIsTriedLaterAndLaterAndTheJobWaits) {
  auto options = one_pool(1, 2);
  bool starts = true;
  options.starts = [&](ProcessNumber) { return starts; };
  options.perform = [](const queue::ClaimedJob&) { return Performance{.run_time = 5s}; };
  Simulated sim(options);
  const auto id = sim->enqueue({});
  sim->start();
  sim->run_for(2s);
  starts = false;
  sim->kill_worker(sim->live_workers().front());
  sim->run_for(60s);
  EXPECT_EQ(sim->job(id).state, ShownState::blocked);
  EXPECT_EQ(sim->job(id).reason, queue::JobReason::suspect);
  EXPECT_LE(moments<StartProcess>(sim.world).size(), 1U + 2 * 12U);
  const auto delays = std::ranges::count(sim->notes, std::string{"worker.restart_delayed"}, &Note::event);
  EXPECT_EQ(delays + 1, std::ssize(moments<StartProcess>(sim.world)))
      << "all but the first, which was killed at its work";
  starts = true;
  ASSERT_TRUE(sim.drains(20s));
  EXPECT_EQ(sim->job(id).crashes, 1);
}

TEST(LoneJobs, AStopLeavesThemToTheNextDispatcher) {
  auto options = one_pool(1, 2);
  options.perform = [](const queue::ClaimedJob&) { return Performance{.run_time = 5s}; };
  Simulated sim(options);
  const auto ids = sim->enqueue_many({}, 2);
  sim->start();
  sim->run_for(2s);
  sim->kill_worker(sim->live_workers().front());
  sim->run_for(1ms);
  sim->stop();
  ASSERT_TRUE(sim->run_until([&] { return sim->has_left(); }, 60s));
  EXPECT_EQ(sim->count(ShownState::blocked), 2);
  sim->start();
  ASSERT_TRUE(sim.drains(60s));
  for (const queue::JobId id : ids) EXPECT_EQ(sim->job(id).crashes, 1);
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
}

// Before the commit and after it, in each round: nothing of a suspect is forgotten.
TEST(LoneJobs, RoundsThatFailLoseNoSuspect) {
  for (int failing = 1; failing < 12; ++failing) {
    Simulated sim(with_poison(1, 50ms, 10ms, false));
    (void)sim->enqueue_many({}, kSlots);
    sim->start();
    for (int round = 0; round < failing; ++round) {
      sim->run_for(5ms);
      sim->fail_next_rounds(1);
    }
    ASSERT_TRUE(sim.drains(60s)) << failing;
    EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
  }
}

// The table alone, of a pool with one process.
class LoneJobsTest : public ::testing::Test {
 protected:
  static constexpr queue::JobSeq kJob{5};
  static constexpr queue::JobSeq kOther{6};
  static constexpr TenantNumber kTenant{3};
  void tick() { lone_jobs.tick(now, actions); }
  void all_ready() {
    for (auto& [number, process] : processes.all()) process.phase = Phase::ready;
  }
  template <class Kind>
  [[nodiscard]] std::vector<ProcessNumber> taken() const {
    std::vector<ProcessNumber> numbers;
    for (const Action& action : actions)
      if (const auto* const one = std::get_if<Kind>(&action)) numbers.push_back(one->process);
    return numbers;
  }

  DispatcherSettings settings{.pools = {PoolSettings{"default", 1, {"default"}}}};
  Processes processes{settings};
  Lanes lanes{settings.pools};
  LoneJobs lone_jobs{processes, lanes};
  Instant now;
  Actions actions;
};

// It was cancelled and retried meanwhile, and another process took it along.
TEST_F(LoneJobsTest, AJobThatIsSuspectedAgainWhileItWaitsHasOneProcess) {
  for (int time = 0; time < 2; ++time) {
    lone_jobs.suspected(kJob, {.tenant = kTenant}, {}, now);
    tick();
  }
  EXPECT_EQ(taken<StartProcess>().size(), 1U);
  all_ready();
  EXPECT_EQ(lone_jobs.take().size(), 1U);
  lone_jobs.gone(kJob);
  EXPECT_FALSE(lone_jobs.next_at());
}

TEST_F(LoneJobsTest, AProcessWhoseJobIsGoneIsDrained) {
  lone_jobs.suspected(kJob, {.tenant = kTenant}, {}, now);
  tick();
  all_ready();
  static_cast<void>(lone_jobs.take());
  tick();
  EXPECT_TRUE(taken<Drain>().empty());
  lone_jobs.gone(kJob);
  tick();
  EXPECT_EQ(taken<Drain>(), taken<StartProcess>());
}

TEST_F(LoneJobsTest, NoProcessIsStartedForAGatedTenantUntilItIsActiveAgain) {
  lone_jobs.suspected(kJob, {.tenant = kTenant}, {}, now);
  tick();
  all_ready();
  ASSERT_EQ(lone_jobs.take().size(), 1U);
  lone_jobs.suspected(kOther, {.tenant = kTenant}, {}, now);
  lone_jobs.gated(kJob, TenantState::paused);
  lone_jobs.suspected(queue::JobSeq{7}, {.tenant = kTenant}, {}, now);
  tick();
  EXPECT_EQ(taken<StartProcess>().size(), 1U);
  EXPECT_EQ(taken<Drain>().size(), 1U);
  EXPECT_FALSE(lone_jobs.next_at()) << "only the tenant's state changes anything";
  EXPECT_EQ(lone_jobs.gated_tenants(), std::set{kTenant});
  lone_jobs.set_tenant_state(kTenant, TenantState::failed);
  tick();
  EXPECT_EQ(taken<StartProcess>().size(), 1U);
  lone_jobs.set_tenant_state(kTenant, TenantState::active);
  tick();
  EXPECT_EQ(taken<StartProcess>().size(), 1U + 3U);
  EXPECT_TRUE(lone_jobs.gated_tenants().empty());
}

TEST_F(LoneJobsTest, InAReadOnlyTenantProcessesAreStartedForKindsThatRead) {
  static_cast<void>(lanes.process_came(0, {"job", "report"}, {}, {}, {"report"}));
  const auto suspected = [&](queue::JobSeq seq, const std::string& kind) {
    lone_jobs.suspected(seq, {.tenant = kTenant}, {.queue = "default", .kind = kind}, now);
  };
  suspected(kJob, "report");
  suspected(kOther, "job");
  lone_jobs.set_tenant_state(kTenant, TenantState::read_only);
  tick();
  ASSERT_EQ(taken<StartProcess>().size(), 1U);
  all_ready();
  ASSERT_EQ(lone_jobs.take().size(), 1U);
  lone_jobs.gated(kJob, TenantState::read_only);  // another program has told the store otherwise
  tick();
  EXPECT_TRUE(lone_jobs.take().empty()) << "until the tenant's state is asked again";
  EXPECT_EQ(taken<StartProcess>().size(), 1U);
  lone_jobs.set_tenant_state(kTenant, TenantState::read_only);
  tick();
  EXPECT_EQ(taken<StartProcess>().size(), 2U);
  lone_jobs.set_tenant_state(kTenant, TenantState::active);
  tick();
  EXPECT_EQ(taken<StartProcess>().size(), 3U);
}

TEST_F(LoneJobsTest, WhatTheStoreSaysOfOneHoldsForThoseOfItsKindAndFreesNone) {
  static_cast<void>(lanes.process_came(0, {"job", "report"}, {}, {}, {"report"}));
  for (const queue::JobSeq seq : {kJob, kOther})
    lone_jobs.suspected(seq, {.tenant = kTenant}, {.queue = "default", .kind = "report"}, now);
  tick();
  all_ready();
  ASSERT_EQ(lone_jobs.take().size(), 2U);
  for (const queue::JobSeq seq : {kJob, kOther}) lone_jobs.gated(seq, TenantState::read_only);
  tick();
  EXPECT_EQ(taken<StartProcess>().size(), 2U);
  EXPECT_EQ(taken<Drain>().size(), 2U);
  lone_jobs.suspected(queue::JobSeq{7}, {.tenant = kTenant}, {.queue = "default", .kind = "job"}, now);
  tick();
  EXPECT_EQ(taken<StartProcess>().size(), 2U);
}

TEST_F(LoneJobsTest, OfADeletedTenantNothingIsKept) {
  for (const queue::JobSeq seq : {kJob, kOther}) lone_jobs.suspected(seq, {.tenant = kTenant}, {}, now);
  tick();
  all_ready();
  ASSERT_EQ(lone_jobs.take().size(), 2U);
  for (const queue::JobSeq seq : {kJob, kOther}) lone_jobs.gated(seq, TenantState::deleted);
  tick();
  EXPECT_EQ(taken<Drain>().size(), 2U);
  EXPECT_TRUE(lone_jobs.gated_tenants().empty());
  EXPECT_FALSE(lone_jobs.next_at());
}

TEST_F(LoneJobsTest, AQuietPoolHoldsNoProcessesForThem) {
  lone_jobs.suspected(kJob, {.tenant = kTenant}, {}, now);
  tick();
  all_ready();
  processes.set_quiet(0, true);
  tick();
  EXPECT_EQ(taken<Drain>(), taken<StartProcess>());
  processes.set_quiet(0, false);
  tick();
  EXPECT_EQ(taken<StartProcess>().size(), 2U);
}

// A machine that was out of memory just now is not given as many processes at once as there were jobs.
TEST(LoneJobs, LSE_25_OfThoseThatMayHaveBeenKilledForWantOfMemoryOneOfEachPoolIsPerformedAtATime) {
  auto options = one_pool(1, static_cast<int>(kSlots));
  options.settings.pools = {PoolSettings{"one", 1, {"default"}}, PoolSettings{"two", 1, {"other"}}};
  options.perform = [](const queue::ClaimedJob&) { return Performance{.run_time = 5s}; };
  Simulated sim(options);
  const auto ids = sim->enqueue_many({}, kSlots);
  const auto others = sim->enqueue_many({.queue = "other"}, 2);
  sim->start();
  sim->run_for(1s);
  ASSERT_EQ(sim->running(), static_cast<std::int64_t>(kSlots + 2));
  sim->lack_memory(true);
  for (const ProcessNumber process : sim->live_workers()) sim->kill_worker(process);
  sim->starts.clear();
  sim->performing_max = 0;
  ASSERT_TRUE(sim->run_until([&] { return sim->starts.size() == 2; }, 2s)) << "one of each pool";
  sim->run_for(1s);
  EXPECT_EQ(sim->starts.size(), 2U);
  for (const queue::JobId id : ids) {
    if (id == sim->starts[0].id || id == sim->starts[1].id) continue;
    EXPECT_EQ(sim->job(id).state, ShownState::blocked);
    EXPECT_EQ(sim->job(id).reason, queue::JobReason::suspect);
  }
  ASSERT_TRUE(sim.drains(60s));
  EXPECT_EQ(sim->performing_max, 2);
  ASSERT_EQ(sim->starts.size(), kSlots + 2);
  std::vector<queue::JobId> order;
  for (const simulation::Start& start : sim->starts)
    if (std::ranges::find(ids, start.id) != ids.end()) order.push_back(start.id);
  EXPECT_EQ(order, ids) << "in the order in which they had begun";
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
}

// Two that were performed side by side could be ended for each other's memory, until the innocent one is poison.
TEST(LoneJobs, LSE_06_OneThatTakesAllMemoryIsPoisonAndTheOthersEnd) {
  Simulated sim([] {
    auto options = one_pool(1, static_cast<int>(kSlots));
    options.perform = [](const queue::ClaimedJob& job) {
      return Performance{.run_time = job.seq == kPoison ? 10ms : 50ms, .kills_process = job.seq == kPoison};
    };
    return options;
  }());
  sim->lack_memory(true);
  const auto ids = sim->enqueue_many({}, kSlots);
  sim->start();
  ASSERT_TRUE(sim.drains(60s));
  for (const queue::JobId id : ids)
    EXPECT_EQ(sim->job(id).state, sim->job(id).seq == kPoison ? ShownState::dead : ShownState::succeeded);
}

// Their ends are under way when a neighbour takes the process along.
class UntoldEnds : public ::testing::Test {
 protected:
  void begin(RunResult result, bool is_named) {
    auto options = one_pool(1, 2);
    options.report_time = 5ms;
    options.perform = [=](const queue::ClaimedJob& job) {
      if (job.seq == queue::JobSeq{1}) {
        const queue::AttemptFailure failure{ErrorCode::handler_failed, "no"};
        return Performance{.run_time = 10ms, .result = result, .failure = failure};
      }
      return Performance{.run_time = 12ms, .kills_process = job.crashes == 0, .is_named = is_named};
    };
    sim_.emplace(options);
    ids_ = (*sim_)->enqueue_many({}, 2);
    (*sim_)->start();
  }
  std::size_t starts_of(queue::JobId id) {
    return static_cast<std::size_t>(std::ranges::count((*sim_)->starts, id, &simulation::Start::id));
  }
  std::optional<Simulated> sim_;
  std::vector<queue::JobId> ids_;
};

TEST_F(UntoldEnds, ASuccessIsASuccessAndTheJobRunsNoMore) {
  for (const bool is_named : {true, false}) {
    begin(RunResult::succeeded, is_named);
    ASSERT_TRUE(sim_->drains(5s));
    EXPECT_EQ((*sim_)->job(ids_[0]).state, ShownState::succeeded);
    EXPECT_EQ(starts_of(ids_[0]), 1U);
    EXPECT_TRUE(history_of(*sim_, ids_[0]).empty());
    EXPECT_EQ((*sim_)->job(ids_[1]).crashes, 1) << "and was alone";
    EXPECT_TRUE((*sim_)->verdict().is_clean()) << (*sim_)->verdict_line();
  }
}

TEST_F(UntoldEnds, AFailureCostsNothingSinceNobodyKnowsWhy) {
  for (const bool is_named : {true, false}) {
    begin(RunResult::failed, is_named);
    ASSERT_TRUE((*sim_)->run_until([&] { return starts_of(ids_[0]) == 2; }, 1s));
    EXPECT_EQ((*sim_)->job(ids_[0]).crashes + (*sim_)->job(ids_[0]).failures, 0);
    EXPECT_EQ((*sim_)->job(ids_[0]).releases, 1);
    EXPECT_EQ(history_of(*sim_, ids_[0])[0].outcome, queue::AttemptOutcome::released);
    EXPECT_EQ((*sim_)->job(ids_[1]).crashes, 1);
  }
}

TEST(LoneJobs, MoreThanTheirBoundWaitForOneToEnd) {
  constexpr std::size_t kJobs = kLoneProcessesMax + 3;
  auto options = one_pool(1, static_cast<int>(kJobs));
  options.perform = [](const queue::ClaimedJob&) { return Performance{.run_time = 5s}; };
  Simulated sim(options);
  (void)sim->enqueue_many({}, kJobs);
  sim->start();
  sim->run_for(2s);
  sim->kill_worker(sim->live_workers().front());
  sim->run_for(2s);
  EXPECT_EQ(sim->running(), static_cast<std::int64_t>(kLoneProcessesMax));
  EXPECT_EQ(sim->live_workers().size(), kLoneProcessesMax + 1);
  ASSERT_TRUE(sim.drains(30s));
}

}  // namespace
}  // namespace tenure::daemon
