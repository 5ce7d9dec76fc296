#include "processes.hpp"

#include "homes.hpp"
#include "simulated.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace tenure::daemon {
namespace {

using simulation::Performance;

simulation::Options running_for(simulation::Options options, std::chrono::microseconds time) {
  options.perform = [time](const queue::ClaimedJob&) { return Performance{.run_time = time}; };
  return options;
}

TEST(Process, RoomAheadIsTwoMillisecondsForEachSlotBelowAtAndAbove) {
  Process process;
  process.phase = Phase::ready;
  process.slots = 4;
  EXPECT_EQ(process.room_ahead(1000us), 8U);
  EXPECT_EQ(process.room_ahead(8000us), 1U);
  EXPECT_EQ(process.room_ahead(8001us), 0U);
  EXPECT_EQ(process.room_ahead(1us), kAheadJobsMax);
  process.plan(4 + 7, 1000us);
  EXPECT_EQ(process.free_slots(), 0U);
  EXPECT_EQ(process.room_ahead(1000us), 1U);
  process.plan(1, 1000us);
  EXPECT_EQ(process.room_ahead(1000us), 0U);
}

TEST(Process, NothingIsAssignedAheadBehindEightMebibytesOfEnvelopes) {
  Process process;
  process.phase = Phase::ready;
  OutstandingJob job;
  job.claim.seq = queue::JobSeq{1};
  job.bytes = kAheadBytesMax - 1;
  process.jobs.add(job, Instant{});
  EXPECT_GT(process.room_ahead(1us), 0U);
  job.claim.seq = queue::JobSeq{2};
  job.bytes = 1;
  process.jobs.add(job, Instant{});
  EXPECT_EQ(process.room_ahead(1us), 0U);
  ASSERT_TRUE(process.jobs.take(job.claim, Instant{}));
  EXPECT_GT(process.room_ahead(1us), 0U);
}

TEST(Process, ACursorCountsAsItsEnvelopeDoes) {
  Process process;
  queue::ClaimedJob job;
  job.seq = queue::JobSeq{1};
  job.envelope = "{}";
  job.cursor.assign(queue::kCursorMax, 'c');
  process.assigned(job, 1, Instant{});
  EXPECT_EQ(process.jobs.bytes(), job.envelope.size() + queue::kCursorMax);
}

TEST(RecentTenants, AreTheLastOnesAndNotManyMore) {
  RecentTenants recent;
  const auto tenant = [](std::size_t number) { return TenantNumber{static_cast<std::int64_t>(number)}; };
  for (std::size_t number = 0; number < 10 * kRecentTenants; ++number) {
    recent.use(tenant(7'000'000));
    recent.use(tenant(number));
    EXPECT_LT(recent.size(), 2 * kRecentTenants);
    EXPECT_TRUE(recent.has(tenant(number)));
    EXPECT_TRUE(recent.has(tenant(7'000'000)));
    EXPECT_TRUE(number < kRecentTenants || recent.has(tenant(number - (kRecentTenants - 2))));
  }
  EXPECT_FALSE(recent.has(tenant(0)));
}

TEST(HomeOfATenant, EachProcessHasItsShareAndAnotherOneTakesNoMoreThanItsOwn) {
  const auto home = [](std::int64_t tenant, int processes) {
    return home_of(TenantNumber{tenant}, processes);
  };
  std::vector<int> tenants(8);
  int moved = 0;
  for (std::int64_t tenant = 1; tenant <= 8'000; ++tenant) {
    ++tenants[static_cast<std::size_t>(home(tenant, 8))];
    if (home(tenant, 9) != home(tenant, 8)) ++moved;
  }
  for (const int count : tenants) EXPECT_NEAR(count, 1'000, 150);
  EXPECT_NEAR(moved, 8'000 / 9, 150);
}

TEST(Processes, TheWaitBeforeARestartDoublesUpToItsBound) {
  EXPECT_EQ(restart_wait(1), 250ms);
  EXPECT_EQ(restart_wait(2), 500ms);
  EXPECT_EQ(restart_wait(6), 8s);
  EXPECT_EQ(restart_wait(7), kRestartWaitMax);
  EXPECT_EQ(restart_wait(1'000'000), kRestartWaitMax);
}

TEST(Processes, LSE_01_AKilledWorkersJobsStartAgainAtOnceAndAreChargedOneCrash) {
  Simulated sim(running_for(one_pool(1, 2), 3s));
  const auto ids = sim->enqueue_many({}, 2);
  sim->start();
  sim->run_for(2s);
  ASSERT_EQ(sim->running(), 2);
  const Instant killed = sim->now();
  sim->kill_worker(sim->starts.front().process);
  ASSERT_TRUE(sim->run_until([&] { return sim->starts.size() == 4; }, 2s));
  EXPECT_LE(sim->now() - killed, 50ms);
  ASSERT_TRUE(sim.drains(10s));
  for (const auto id : ids) {
    EXPECT_EQ(sim->job(id).crashes, 1);
    EXPECT_EQ(sim->job(id).failures, 0);
  }
  const queue::JobSeq seq = sim->job(ids[0]).seq;
  sim.store->read([&](queue::JobReader& reader) {
    const auto attempts = reader.attempts(seq);
    ASSERT_FALSE(attempts.empty());
    EXPECT_EQ(attempts[0].outcome, queue::AttemptOutcome::interrupted);
    EXPECT_NE(attempts[0].error.find("signal 9 (Killed)"), std::string::npos);
  });
  EXPECT_TRUE(std::any_of(sim->notes.begin(), sim->notes.end(),
                          [](const Note& note) { return note.event == "worker.crashed"; }));
}

TEST(Processes, JobsAheadOfADeadProcessGoBackUncharged) {
  Simulated sim(running_for(one_pool(1, 2), 300us));
  const auto ids = sim->enqueue_many({}, 2000);
  sim->start();
  ASSERT_TRUE(
      sim->run_until([&] { return sim->starts.size() > 300 && sim->dispatcher().status().ahead > 5; }, 5s));
  sim->kill_worker(sim->live_workers().front());
  ASSERT_TRUE(sim.drains(10s));
  int crashes = 0;
  for (const auto id : ids) {
    crashes += sim->job(id).crashes;
    EXPECT_EQ(sim->job(id).releases + sim->job(id).failures, 0);
  }
  EXPECT_LE(crashes, 2);
  EXPECT_GE(crashes, 1);
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
}

TEST(Processes, LSE_05_AJobThatKillsItsProcessIsDeadAfterThreeStarts) {
  auto options = one_pool(1, 1);
  options.perform = [](const queue::ClaimedJob&) {
    return Performance{.run_time = 2s, .kills_process = true};
  };
  Simulated sim(options);
  const auto id = sim->enqueue({});
  sim->start();
  ASSERT_TRUE(sim.drains(60s));
  EXPECT_EQ(sim->job(id).state, ShownState::dead);
  EXPECT_EQ(sim->job(id).reason, queue::JobReason::poison);
  EXPECT_EQ(sim->starts.size(), 3U);
}

TEST(Processes, RUN_15_AProgramThatEndsAtStartIsStartedAgainLaterAndLater) {
  auto options = one_pool(1, 2);
  options.settings.pools.push_back(PoolSettings{"other", 1, {"other"}});
  // The first pool's program never runs; the second pool's is the process with number 2.
  options.starts = [](ProcessNumber number) { return number == ProcessNumber{2}; };
  Simulated sim(options);
  sim->start();
  const auto other = sim->enqueue({.queue = "other"});
  sim->run_for(60s);
  EXPECT_EQ(sim->job(other).state, ShownState::succeeded);
  std::vector<Instant> starts = moments<StartProcess>(sim.world);
  starts.erase(starts.begin() + 1);
  ASSERT_GE(starts.size(), 8U);
  for (std::size_t index = 1; index < starts.size(); ++index) {
    const auto wait = starts[index] - starts[index - 1];
    EXPECT_GE(wait, restart_wait(static_cast<int>(index)));
    EXPECT_LE(wait, restart_wait(static_cast<int>(index)) + 1ms);
  }
  const auto warned = std::count_if(sim->notes.begin(), sim->notes.end(), [](const Note& note) {
    return note.event == "worker.restart_delayed" && note.pool == "default" &&
           note.message.find("exit 127") != std::string::npos;
  });
  EXPECT_GE(warned, 8);
}

TEST(Processes, RUN_15_AProcessThatLivedIsStartedAgainAtOnce) {
  Simulated sim(one_pool(1, 2));
  sim->start();
  sim->run_for(2s);
  sim->kill_worker(sim->live_workers().front());
  sim->run_for(10ms);
  EXPECT_EQ(sim->live_workers().size(), 1U);
}

TEST(Processes, AProcessThatAJobTookAlongIsStartedAgainAtOnce) {
  auto options = one_pool(1, 1);
  options.perform = [](const queue::ClaimedJob&) {
    return Performance{.run_time = 10ms, .kills_process = true, .is_named = true};
  };
  Simulated sim(options);
  (void)sim->enqueue({});
  sim->start();
  ASSERT_TRUE(sim.drains(1s));
  ASSERT_EQ(sim->starts.size(), 3U);
  EXPECT_LE(sim->starts[2].at - sim->starts[0].at, 2 * (10ms + 10ms));
}

// It would be assigned the same job again at once, and end before it begins that, for ever.
TEST(Processes, AProcessThatEndsBeforeItHasBegunAJobIsStartedAgainLater) {
  auto options = one_pool(1, 1);
  options.frame_time = 1s;  // on its way meanwhile
  Simulated sim(options);
  (void)sim->enqueue({});
  sim->start();
  ASSERT_TRUE(sim->run_until([&] { return sim->dispatcher().status().busy == 1; }, 10s));
  sim->kill_worker(sim->live_workers().front());
  sim->run_for(100ms);
  EXPECT_TRUE(sim->live_workers().empty());
  ASSERT_TRUE(sim.drains(20s));
  EXPECT_EQ(sim->starts.size(), 1U);
}

TEST(Processes, LSE_16_AProcessThatAnswersNoPingIsAbortedKilledAndReplacedAndItsJobsRunAgain) {
  Simulated sim(running_for(one_pool(1, 1), 100s));
  const auto id = sim->enqueue({});
  sim->start();
  sim->run_for(1s);
  const ProcessNumber hung = sim->live_workers().front();
  const Instant begun = sim->now();
  sim->hang_worker(hung);
  ASSERT_TRUE(sim->run_until([&] { return sim->starts.size() == 2; }, 60s));
  EXPECT_LE(sim->now() - begun, 30s + 5s + 1s + 50ms);
  EXPECT_GE(sim->now() - begun, 30s + 1s);
  std::vector<EndProcess::By> ends;
  for (const auto& [at, action] : sim->control) {
    if (const auto* const ended = std::get_if<EndProcess>(&action)) ends.push_back(ended->by);
  }
  EXPECT_EQ(ends, (std::vector<EndProcess::By>{EndProcess::By::abort, EndProcess::By::kill}));
  ASSERT_TRUE(sim.drains(200s));
  EXPECT_EQ(sim->job(id).crashes, 1);
  EXPECT_EQ(sim->verdict().duplicated, 0);
  EXPECT_EQ(sim->faults.workers_hung, 1);
}

TEST(Processes, LSE_08_ABusyProcessThatAnswersPingsIsLeftAlone) {
  Simulated sim(running_for(one_pool(1, 1), 600s));
  (void)sim->enqueue({});
  sim->start();
  ASSERT_TRUE(sim.drains(700s));
  EXPECT_EQ(sim->starts.size(), 1U);
  EXPECT_TRUE(moments<EndProcess>(sim.world).empty());
}

TEST(Processes, AProcessThatNeverSaysHelloIsHeldToThePingBound) {
  auto options = one_pool(1, 1);
  options.start_time = std::chrono::hours{24};
  Simulated sim(options);
  sim->start();
  sim->run_for(29s);
  EXPECT_TRUE(moments<EndProcess>(sim.world).empty());
  sim->run_for(2s);
  EXPECT_FALSE(moments<EndProcess>(sim.world).empty());
}

}  // namespace
}  // namespace tenure::daemon
