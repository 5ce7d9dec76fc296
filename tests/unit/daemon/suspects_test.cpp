#include "suspects.hpp"

#include "stepper.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

// What the daemon does after its death: LSE-26.
namespace tenure::daemon {
namespace {

using simulation::Performance;

constexpr int kLivesMax = 20;

TEST(TrialTime, IsShortForTheFirstDeathAndGrowsToItsBound) {
  EXPECT_EQ(trial_time(1, 1), kTrial);
  EXPECT_EQ(trial_time(1, 6), kTrial);
  EXPECT_EQ(trial_time(1, 7), kFirstTrials / 7);
  EXPECT_EQ(trial_time(1, 10'000), kTrialMin);
  EXPECT_EQ(trial_time(2, 10'000), kTrial * kTrialGrowth);
  EXPECT_EQ(trial_time(3, 1), kTrial * kTrialGrowth * kTrialGrowth);
  EXPECT_EQ(trial_time(1000, 1), kTrialMax);
}

// Kinds say what a job does: "killer" ends the daemon after `kills_after`, "long" performs for an hour, others for a millisecond.
simulation::Options with_killers(int processes, int slots, std::chrono::microseconds kills_after = 1ms) {
  auto options = one_pool(processes, slots);
  options.kinds = {"job", "killer", "long"};
  options.perform = [kills_after](const queue::ClaimedJob& job) {
    if (job.kind == "killer") return Performance{.run_time = kills_after, .kills_dispatcher = true};
    return Performance{.run_time = job.kind == "long" ? 3600s : 1ms};
  };
  return options;
}

// As an init system does: starts the daemon again whenever it has died, until the job has ended. How often it died.
int live_until_ended(Simulated& sim, queue::JobId job) {
  for (int deaths = 0; deaths < kLivesMax; ++deaths) {
    sim->start();
    const auto is_over = [&] { return !sim->is_up() || sim->job(job).finished.has_value(); };
    EXPECT_TRUE(sim->run_until(is_over, 3600s));
    if (sim->is_up()) return deaths;
  }
  return kLivesMax;
}

void expect_poisoned(Simulated& sim, queue::JobId job) {
  EXPECT_EQ(sim->job(job).state, ShownState::dead);
  EXPECT_EQ(sim->job(job).reason, queue::JobReason::poison);
  EXPECT_EQ(sim->job(job).crashes, 3);
}

void expect_ended_uncharged(Simulated& sim, const std::vector<queue::JobId>& jobs) {
  for (const queue::JobId job : jobs) {
    EXPECT_EQ(sim->job(job).state, ShownState::succeeded);
    EXPECT_EQ(sim->job(job).crashes + sim->job(job).failures, 0);
  }
}

TEST(Suspects, LSE_26_AKillerIsPoisonAfterThreeChargedDeathsAndTheOthersEnd) {
  Simulated sim(with_killers(2, 2));
  auto others = sim->enqueue_many({}, 20);
  const auto killer = sim->enqueue({.kind = "killer"});
  const auto later = sim->enqueue_many({}, 20);
  others.insert(others.end(), later.begin(), later.end());
  EXPECT_EQ(live_until_ended(sim, killer), 4) << "one that makes the suspects, three that are charged";
  expect_poisoned(sim, killer);
  ASSERT_TRUE(sim.drains(60s));
  expect_ended_uncharged(sim, others);
  EXPECT_TRUE(sim->verdict().claims_left == 0 && sim->verdict().duplicated == 0) << sim->verdict_line();
}

TEST(Suspects, LSE_26_AnOrderlyLeaveBeforeClaimsAreTakenBackMakesNobodyInnocent) {
  Simulated sim(with_killers(1, 1));
  const auto killer = sim->enqueue({.kind = "killer"});
  sim->start();
  ASSERT_TRUE(sim->run_until([&] { return !sim->is_up(); }, 60s));
  sim->start();
  sim->fail_next_rounds(1000);
  sim->stop();
  ASSERT_TRUE(sim->run_until([&] { return sim->has_left(); }, 60s));
  sim->fail_next_rounds(-sim->rounds_to_fail());
  EXPECT_EQ(live_until_ended(sim, killer), 3) << "those that are charged";
  expect_poisoned(sim, killer);
}

TEST(Suspects, LSE_26_LongJobsBesideAKillerAreNotBlamedAndDoNotHideIt) {
  for (const bool killer_is_last : {false, true}) {
    Simulated sim(with_killers(1, 6));
    std::vector<queue::JobId> others;
    if (killer_is_last) others = sim->enqueue_many({.kind = "long"}, 5);
    const auto killer = sim->enqueue({.kind = "killer"});
    if (!killer_is_last) others = sim->enqueue_many({.kind = "long"}, 5);
    EXPECT_LE(live_until_ended(sim, killer), 5);
    expect_poisoned(sim, killer);
    ASSERT_TRUE(sim.drains(2 * 3600s));
    expect_ended_uncharged(sim, others);
  }
}

TEST(Suspects, LSE_26_WhoKillsLateIsFoundToo) {
  Simulated sim(with_killers(1, 4, 10s));
  const auto others = sim->enqueue_many({.kind = "long"}, 3);
  const auto killer = sim->enqueue({.kind = "killer"});
  EXPECT_LE(live_until_ended(sim, killer), 7);
  expect_poisoned(sim, killer);
  ASSERT_TRUE(sim.drains(4 * 3600s));
  expect_ended_uncharged(sim, others);
}

TEST(Suspects, LSE_26_TwoKillersAreBothPoison) {
  Simulated sim(with_killers(2, 2));
  const auto others = sim->enqueue_many({}, 5);
  const auto killers = sim->enqueue_many({.kind = "killer"}, 2);
  static_cast<void>(live_until_ended(sim, killers[0]));
  static_cast<void>(live_until_ended(sim, killers[1]));
  for (const auto killer : killers) expect_poisoned(sim, killer);
  ASSERT_TRUE(sim.drains(60s));
  expect_ended_uncharged(sim, others);
}

TEST(Suspects, LSE_26_TheyStartOneAtATimeBeforeAllOthers) {
  auto options = one_pool(2, 2);
  options.perform = [](const queue::ClaimedJob&) { return Performance{.run_time = 100ms}; };
  Simulated sim(options);
  const auto suspects = sim->enqueue_many({}, 4);
  sim->start();
  ASSERT_TRUE(sim->run_until([&] { return sim->running() == 4; }, 1s));
  sim->crash_dispatcher();
  const auto others = sim->enqueue_many({.priority = -1}, 4);
  sim->starts.clear();
  sim->performing_max = 0;
  sim->start();
  ASSERT_TRUE(sim->run_until([&] { return sim->starts.size() == 4; }, 2s));
  EXPECT_EQ(sim->performing_max, 1);
  std::set<queue::JobId> started;
  for (const auto& start : sim->starts) started.insert(start.id);
  EXPECT_EQ(started, std::set<queue::JobId>(suspects.begin(), suspects.end()));
  ASSERT_TRUE(sim.drains(10s));
  EXPECT_GT(sim->performing_max, 1);
  const auto told = std::ranges::count(sim->notes, std::string{"daemon.suspects"}, &Note::event);
  EXPECT_EQ(told, 1);
}

TEST(Suspects, LSE_26_LongOnesHoldTheOthersUpForTheirTrialsOnly) {
  Simulated sim(with_killers(1, 8));
  const auto longs = sim->enqueue_many({.kind = "long"}, 7);
  sim->start();
  ASSERT_TRUE(sim->run_until([&] { return sim->running() == 7; }, 1s));
  sim->crash_dispatcher();
  const auto quick = sim->enqueue({});
  sim->start();
  ASSERT_TRUE(sim->run_until([&] { return sim->job(quick).finished.has_value(); }, kFirstTrials + 100ms));
  EXPECT_EQ(sim->running(), 7);
}

TEST(Suspects, LSE_26_ARebootMakesNoneAndChargesNobody) {
  Simulated sim(with_killers(1, 2));
  const auto killer = sim->enqueue({.kind = "killer"});
  for (int death = 0; death < 6; ++death) {
    sim->start();
    ASSERT_TRUE(sim->run_until([&] { return !sim->is_up(); }, 10s));
    sim->reboot();
  }
  EXPECT_EQ(sim->job(killer).crashes, 0);
  EXPECT_EQ(sim->job(killer).state, ShownState::running);
}

TEST(Suspects, LSE_26_KillsFromOutsideMakeNoInnocentPoison) {
  std::int64_t charged = 0;
  // Soon after each start, when suspects are on trial, and at any time.
  for (const std::uint64_t kill_within_us : {20'000UL, 60'000UL, 250'000UL}) {
    const std::uint64_t seed = kill_within_us;
    auto options = one_pool(2, 2, seed);
    options.perform = [](const queue::ClaimedJob& job) {
      return Performance{.run_time = std::chrono::microseconds{200 + job.seq.value % 10 * 900}};
    };
    Simulated sim(options);
    Random random(seed);
    for (int kill = 0; kill < 100; ++kill) {
      sim->start();
      (void)sim->enqueue_many({}, 40);
      sim->run_for(std::chrono::microseconds{5'000 + random.below(kill_within_us)});
      sim->crash_dispatcher();
    }
    sim->start();
    ASSERT_TRUE(sim.drains(3600s));
    EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
    EXPECT_EQ(sim->count(ShownState::dead), 0) << sim->verdict_line();
    const auto is_charged = [&](const auto& start) { return sim->job(start.id).crashes > 0; };
    charged += std::ranges::count_if(sim->starts, is_charged);
  }
  EXPECT_GT(charged, 0) << "the kills have met no suspect alone, so they prove nothing";
}

TEST(Suspects, LSE_26_OneOfAKindThatNobodyPerformsHoldsNobodyUp) {
  auto options = one_pool(1, 2);
  options.kinds = {"job", "old"};
  options.perform = [](const queue::ClaimedJob& job) {
    return Performance{.run_time = job.kind == "old" ? 3600s : 1ms};
  };
  Simulated sim(options);
  const auto old = sim->enqueue({.kind = "old"});
  sim->start();
  ASSERT_TRUE(sim->run_until([&] { return sim->running() == 1; }, 1s));
  sim->crash_dispatcher();
  sim->set_kinds({"job"});
  const auto job = sim->enqueue({});
  sim->start();
  ASSERT_TRUE(sim->run_until([&] { return sim->job(job).finished.has_value(); }, 100ms));
  EXPECT_EQ(sim->job(old).reason, queue::JobReason::suspect);
  EXPECT_EQ(sim->job(old).state, ShownState::blocked);
}

TEST(Suspects, LSE_26_OneOfAGatedTenantHoldsNobodyUpAndIsTriedAgain) {
  Stepper stepper;
  stepper.step(Started{});
  stepper.answer<OpeningPart>(queue::Incarnation{7});
  stepper.answer();  // reclaiming
  RoundReply reply;
  reply.answer<SuspectsPart>() = {{.seq = queue::JobSeq{50}, .queue = "default", .kind = "job"}};
  reply.answer<LaneScanPart>() = {queue::JobSeq{100}, {kLane}};
  stepper.answer(std::move(reply));
  stepper.step(WorkerReady{ProcessNumber{1}, 1, {"job"}});
  stepper.answer();  // the names
  ASSERT_TRUE(stepper.round().ask<TrialsPart>());
  EXPECT_TRUE(stepper.round().ask<TrialsPart>()->is_alone);
  EXPECT_TRUE(stepper.claims().empty());
  stepper.answer<TrialsPart>({.jobs = {}, .gate = TenantState::paused});
  ASSERT_EQ(stepper.claims().size(), 1U);
  stepper.answer_claims({Stepper::jobs_of(stepper.claims().front(), 1)});
  stepper.pass(kGatedWait);
  stepper.step(
      AttemptsEnded{ProcessNumber{1}, {{stepper.last_assigned().front(), RunResult::succeeded, 1ms, {}}}});
  ASSERT_TRUE(stepper.round().ask<TrialsPart>());
  EXPECT_EQ(stepper.round().ask<TrialsPart>()->seq, queue::JobSeq{50});
}

TEST(Suspects, InAReadOnlyTenantThoseOfKindsThatReadStartAndTheOthersWait) {
  auto options = one_pool(1, 4);
  options.kinds = {"job", "report"};
  options.reads_only = {"report"};
  bool is_long = true;
  options.perform = [&](const queue::ClaimedJob&) { return Performance{.run_time = is_long ? 3600s : 1ms}; };
  Simulated sim(options);
  sim->create_tenant("acme");
  const auto first = sim->enqueue({.tenant = "acme"});
  const auto reads = sim->enqueue({.tenant = "acme", .kind = "report"});
  const auto last = sim->enqueue({.tenant = "acme"});
  sim->start();
  ASSERT_TRUE(sim->run_until([&] { return sim->running() == 3; }, 1s));
  sim->crash_dispatcher();
  is_long = false;
  const auto set_read_only = [&](bool is_read_only) {
    sim.store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      EXPECT_TRUE(writer.set_read_only(TenantName("acme"), is_read_only));
    });
    sim->hint();
  };
  set_read_only(true);
  sim->start();
  ASSERT_TRUE(sim->run_until([&] { return sim->job(reads).finished.has_value(); }, 10s));
  sim->run_for(30s);
  for (const auto id : {first, last}) EXPECT_EQ(sim->job(id).reason, queue::JobReason::suspect);
  set_read_only(false);
  EXPECT_TRUE(sim.drains(10s));
  expect_ended_uncharged(sim, {first, reads, last});
}

// What the store says of a kind in a read-only tenant it says of its queue: another queue's pools may say otherwise.
TEST(Suspects, OneThatAReadOnlyTenantHoldsHoldsNoneOfAnotherQueue) {
  DispatcherSettings settings{.pools = {PoolSettings{"default", 1, {"default", "other"}}}};
  Stepper stepper(settings);
  stepper.step(Started{});
  stepper.answer<OpeningPart>(queue::Incarnation{7});
  stepper.answer();  // reclaiming
  RoundReply reply;
  reply.answer<SuspectsPart>() = {
      {.seq = queue::JobSeq{1}, .tenant = kLane.tenant, .queue = "default", .kind = "job", .counter = 2},
      {.seq = queue::JobSeq{2}, .tenant = kLane.tenant, .queue = "other", .kind = "job", .counter = 1}};
  stepper.answer(std::move(reply));
  stepper.step(WorkerReady{ProcessNumber{1}, 1, {"job"}});
  while (stepper.has_round() && !stepper.round().ask<TrialsPart>()) stepper.answer();
  ASSERT_TRUE(stepper.has_round());
  EXPECT_EQ(stepper.round().ask<TrialsPart>()->seq, queue::JobSeq{1});
  stepper.answer<TrialsPart>({.jobs = {}, .gate = TenantState::read_only});
  ASSERT_TRUE(stepper.has_round());
  ASSERT_TRUE(stepper.round().ask<TrialsPart>());
  EXPECT_EQ(stepper.round().ask<TrialsPart>()->seq, queue::JobSeq{2});
}

TEST(Suspects, ATrialUnderWayAtAReloadDoesNotBeginWhereThePoolTakesItsTenantNoMore) {
  Stepper stepper;
  stepper.step(Started{});
  stepper.answer<OpeningPart>(queue::Incarnation{7});
  stepper.answer();  // reclaiming
  RoundReply reply;
  reply.answer<SuspectsPart>() = {
      {.seq = queue::JobSeq{1}, .tenant = kLane.tenant, .queue = "default", .kind = "job", .lane = kLane}};
  reply.answer<LaneScanPart>() = {queue::JobSeq{100}, {kLane}};
  stepper.answer(std::move(reply));
  stepper.step(WorkerReady{ProcessNumber{1}, 1, {"job"}});
  stepper.answer();  // the names
  ASSERT_TRUE(stepper.round().ask<TrialsPart>());
  stepper.step(Reconfigured{.pools = {{.tenants = {queue::PoolTenants::Rule::only, {"acme"}}}}});
  EXPECT_FALSE(find<Assign>(stepper.answer<TrialsPart>(Stepper::jobs_of({.count = 1}, 1))));
  ASSERT_TRUE(stepper.has_round());
  ASSERT_EQ(stepper.ends().size(), 1U);
  EXPECT_TRUE(std::holds_alternative<EndRelease>(stepper.ends().front().how));
}

TEST(Suspects, LSE_26_AnOrderlyStopBetweenKeepsThemSuspects) {
  Simulated sim(with_killers(1, 1));
  const auto killer = sim->enqueue({.kind = "killer"});
  sim->start();
  ASSERT_TRUE(sim->run_until([&] { return !sim->is_up(); }, 10s));
  sim->start();
  sim->stop(StopAsked::How::at_once);
  ASSERT_TRUE(sim->run_until([&] { return sim->has_left(); }, 10s));
  EXPECT_LE(live_until_ended(sim, killer), 5);
  expect_poisoned(sim, killer);
}

}  // namespace
}  // namespace tenure::daemon
