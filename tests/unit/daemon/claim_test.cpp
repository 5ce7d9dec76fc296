#include "claim_plan.hpp"
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
using simulation::Start;

simulation::Options running_for(simulation::Options options, std::chrono::microseconds time) {
  options.perform = [time](const queue::ClaimedJob&) { return Performance{.run_time = time}; };
  return options;
}

std::vector<JobId> ids(const std::vector<Start>& starts) {
  std::vector<JobId> ids;
  for (const Start& start : starts) ids.push_back(start.id);
  return ids;
}

// How many starts it took until one of `tenant`, counted from `first`.
std::size_t starts_until(const std::vector<Start>& starts, std::size_t first, const std::string& tenant) {
  for (std::size_t index = first; index < starts.size(); ++index) {
    if (starts[index].tenant == tenant) return index - first + 1;
  }
  return starts.size();
}

TEST(Claim, CLM_02_LowerPriorityNumberFirstThenDueTimeThenSequence) {
  Simulated sim(running_for(one_pool(1, 1), 20ms));
  const auto late = sim->enqueue({.priority = 5});
  const auto second = sim->enqueue({.priority = 0});
  const auto third = sim->enqueue({.priority = 0});
  const auto first = sim->enqueue({.priority = 0, .due_in = -1s});
  const auto urgent = sim->enqueue({.priority = -100});
  sim->start();
  ASSERT_TRUE(sim.drains(10s));
  EXPECT_EQ(ids(sim->starts), (std::vector{urgent, first, second, third, late}));
}

TEST(Claim, CLM_03_ATenantsFirstJobStartsSoonBehindAnyBacklog) {
  Simulated sim(running_for(one_pool(2, 4), 5ms));
  sim->create_tenant("acme");
  sim->create_tenant("bolt");
  (void)sim->enqueue_many({.tenant = "acme"}, 5000);
  sim->start();
  sim->run_for(500ms);
  const std::size_t before = sim->starts.size();
  ASSERT_GT(before, 100U);
  (void)sim->enqueue({.tenant = "bolt"});
  sim->run_for(200ms);
  EXPECT_LE(starts_until(sim->starts, before, "bolt"), 16U);
}

TEST(Claim, CLM_04_OnOneSlotTheOtherTenantsJobIsTheFirstOrSecondStartAfterItsEnqueue) {
  Simulated sim(running_for(one_pool(1, 1), 10ms));
  sim->create_tenant("acme");
  sim->create_tenant("bolt");
  (void)sim->enqueue_many({.tenant = "acme"}, 1000);
  sim->start();
  for (int time = 0; time < 20; ++time) {
    sim->run_for(137ms);
    const std::size_t before = sim->starts.size();
    (void)sim->enqueue({.tenant = "bolt"});
    sim->run_for(60ms);
    EXPECT_LE(starts_until(sim->starts, before, "bolt"), 2U);
  }
}

TEST(Claim, CLM_05_FairnessNeverOutranksPriority) {
  Simulated sim(running_for(one_pool(1, 1), 10ms));
  sim->create_tenant("acme");
  sim->create_tenant("bolt");
  (void)sim->enqueue_many({.tenant = "bolt", .priority = 10}, 20);
  (void)sim->enqueue_many({.tenant = "acme", .priority = 0}, 40);
  (void)sim->enqueue_many({.tenant = "bolt", .priority = 0}, 20);
  sim->start();
  ASSERT_TRUE(sim.drains(10s));
  ASSERT_EQ(sim->starts.size(), 80U);
  for (std::size_t index = 0; index < 80; ++index) {
    EXPECT_EQ(sim->starts[index].priority, queue::Priority{index < 60 ? 0 : 10}) << index;
  }
  const auto bolts = std::count_if(sim->starts.begin(), sim->starts.begin() + 40,
                                   [](const Start& start) { return start.tenant == "bolt"; });
  EXPECT_NEAR(static_cast<double>(bolts), 20, 2);
}

TEST(Claim, CLM_07_InOneLaneOfSeveralKindsStartOrderIsEnqueueOrder) {
  auto options = running_for(one_pool(1, 1), 200us);
  options.kinds = {"a", "b", "c"};
  Simulated sim(options);
  sim->create_tenant("acme");
  std::vector<JobId> enqueued;
  const std::vector<std::string> kinds{"a", "b", "c"};
  for (std::size_t job = 0; job < 200; ++job) {
    enqueued.push_back(sim->enqueue({.tenant = "acme", .kind = kinds[(job * 7) % 3]}));
    sim->run_for(10us);
  }
  sim->start();
  ASSERT_TRUE(sim.drains(10s));
  EXPECT_EQ(ids(sim->starts), enqueued);
}

TEST(Claim, CLM_07_ARetryTakesThePlaceOfItsNewDueTime) {
  auto options = one_pool(1, 1);
  bool has_failed = false;
  options.perform = [&](const queue::ClaimedJob&) {
    Performance performance{.run_time = 30s};
    if (!std::exchange(has_failed, true)) {
      performance.result = RunResult::failed;
      performance.failure = {ErrorCode::handler_failed, "once"};
    }
    return performance;
  };
  Simulated sim(options);
  const auto failing = sim->enqueue({});
  std::vector<JobId> others;
  for (int job = 0; job < 6; ++job)
    others.push_back(sim->enqueue({.due_in = std::chrono::seconds{job * 20}}));
  sim->start();
  ASSERT_TRUE(sim.drains(1h));
  std::vector<std::pair<WallTime, JobId>> by_due{{sim->job(failing).due, failing}};
  for (const JobId id : others) by_due.emplace_back(sim->job(id).due, id);
  std::sort(by_due.begin(), by_due.end());
  std::vector<JobId> expected{failing};
  for (const auto& [due, id] : by_due) expected.push_back(id);
  EXPECT_EQ(ids(sim->starts), expected);
  EXPECT_GT(std::find(expected.begin() + 1, expected.end(), failing) - expected.begin(), 1);
}

TEST(Claim, CLM_11_TheFirstQueueIsDrainedBeforeTheSecondAndAnUnlistedOneNeverRuns) {
  auto options = running_for(one_pool(1, 2), 5ms);
  options.settings.pools[0].queues = {"zebra", "apple"};
  Simulated sim(options);
  (void)sim->enqueue_many({.queue = "apple", .priority = -50}, 20);
  (void)sim->enqueue_many({.queue = "zebra", .priority = 50}, 20);
  const auto unlisted = sim->enqueue({.queue = "elsewhere"});
  sim->start();
  sim->run_for(10s);
  ASSERT_EQ(sim->starts.size(), 40U);
  for (std::size_t index = 0; index < 40; ++index) {
    EXPECT_EQ(sim->starts[index].priority, queue::Priority{index < 20 ? 50 : -50});
  }
  EXPECT_EQ(sim->job(unlisted).state, ShownState::held);
  EXPECT_EQ(sim->dispatcher().status().parked, 1);
}

TEST(Claim, CLM_13_ClaimsNeverExceedFreeSlotsPlusTwoMillisecondsAhead) {
  Simulated sim(running_for(one_pool(1, 4), 500us));
  sim->create_tenant("acme");
  (void)sim->enqueue_many({.tenant = "acme"}, 3000);
  std::int64_t ahead_max = 0;
  sim->on_step = [&](const Event&, const Actions&) {
    const auto status = sim->dispatcher().status();
    ahead_max = std::max(ahead_max, status.ahead);
    EXPECT_LE(status.busy, 4);
  };
  sim->start();
  ASSERT_TRUE(sim.drains(10s));
  EXPECT_EQ(sim->performing_max, 4);
  EXPECT_LE(ahead_max, 4 * 2000 / 500);
  EXPECT_GE(ahead_max, 4 * 2000 / 500 - 4);
}

TEST(Claim, CLM_13_SlowAndUnknownKindsAreNeverAssignedAhead) {
  Simulated sim(running_for(one_pool(1, 2), 9ms));
  (void)sim->enqueue_many({}, 300);
  std::int64_t ahead_max = 0;
  sim->on_step = [&](const Event&, const Actions&) {
    ahead_max = std::max(ahead_max, sim->dispatcher().status().ahead);
  };
  sim->start();
  ASSERT_TRUE(sim.drains(10s));
  EXPECT_EQ(ahead_max, 0);
}

TEST(Claim, JobsAheadHaveACapHoweverShortTheyAre) {
  Simulated sim(running_for(one_pool(1, 8), 2us));
  (void)sim->enqueue_many({}, 9000);
  std::int64_t ahead_max = 0;
  sim->on_step = [&](const Event&, const Actions&) {
    ahead_max = std::max(ahead_max, sim->dispatcher().status().ahead);
  };
  sim->start();
  ASSERT_TRUE(sim.drains(10s));
  EXPECT_EQ(ahead_max, static_cast<std::int64_t>(kAheadJobsMax));
}

TEST(Claim, CLM_14_TenThousandJobsDueInOneSecondAllStart) {
  Simulated sim(running_for(one_pool(2, 8), 20us));
  for (int priority = 0; priority < 4; ++priority)
    (void)sim->enqueue_many({.priority = priority, .due_in = 5s}, 2500);
  std::size_t promoted_max = 0;
  sim->on_step = [&](const Event& event, const Actions&) {
    const auto* const done = std::get_if<RoundDone>(&event);
    if (done == nullptr || !done->reply.answer<DueJobsPart>()) return;
    promoted_max = std::max(promoted_max, done->reply.answer<DueJobsPart>()->size());
  };
  sim->start();
  sim->run_for(4900ms);
  EXPECT_TRUE(sim->starts.empty());
  ASSERT_TRUE(sim.drains(20s));
  EXPECT_EQ(promoted_max, kRoundRowsMax);
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
  EXPECT_EQ(sim->starts.size(), 10'000U);
}

TEST(Claim, CLM_21_WhatAnotherProcessMadeReadyWithoutAHintStartsWithinASecond) {
  auto options = one_pool(1, 2);
  bool fails = true;
  options.perform = [&](const queue::ClaimedJob&) {
    Performance performance;
    if (fails) {
      performance.result = RunResult::failed;
      performance.failure = {ErrorCode::handler_failed, "no"};
    }
    return performance;
  };
  Simulated sim(options);
  sim->start();
  const auto id = sim->enqueue({.attempts_max = 1});
  sim->run_for(3s);
  ASSERT_EQ(sim->job(id).state, ShownState::dead);
  fails = false;
  sim.store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    EXPECT_TRUE(writer.retry_by_operator(id, sim->wall()).has_value());
  });
  sim->lost_hint();
  sim->run_for(1s + 10ms);
  EXPECT_EQ(sim->job(id).state, ShownState::succeeded);
  const auto silent = sim->enqueue({}, false);
  sim->run_for(1s + 10ms);
  EXPECT_EQ(sim->job(silent).state, ShownState::succeeded);
}

TEST(Claim, JobsThatAnOperatorCancelsAreMissedByNoClaimAndStopNoOther) {
  auto options = one_pool(1, 1);
  options.perform = [](const queue::ClaimedJob&) { return Performance{.run_time = 10s}; };
  Simulated sim(options);
  sim->start();
  (void)sim->enqueue({});
  sim->run_for(1s);
  std::vector<queue::JobId> behind;
  for (int i = 0; i < 6; ++i) behind.push_back(sim->enqueue({}));
  sim->run_for(1s);
  sim.store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    for (std::size_t i = 0; i < behind.size(); i += 2)
      EXPECT_TRUE(writer.cancel_by_operator(behind[i], sim->wall()).has_value());
  });
  sim->run_for(60s);
  EXPECT_EQ(sim->starts.size(), 4U);
  for (std::size_t i = 0; i < behind.size(); ++i)
    EXPECT_EQ(sim->job(behind[i]).state, i % 2 == 0 ? ShownState::cancelled : ShownState::succeeded);
}

TEST(Claim, AJobThatAnOperatorMakesDueStartsWithinASecondWithoutAHint) {
  Simulated sim(one_pool(1, 1));
  sim->start();
  const auto id = sim->enqueue({.due_in = 1h});
  const auto other = sim->enqueue({.due_in = 2h});
  sim->run_for(1s);
  sim.store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    EXPECT_TRUE(writer.run_by_operator(id, sim->wall()).has_value());
  });
  sim->lost_hint();
  sim->run_for(1s + 10ms);
  EXPECT_EQ(sim->job(id).state, ShownState::succeeded);
  sim->run_for(2h);
  EXPECT_EQ(sim->job(other).state, ShownState::succeeded);
}

TEST(Claim, CLM_10_AnIdleDispatcherLooksOncePerPollAndOtherwiseSleeps) {
  Simulated sim(one_pool(1, 2));
  sim->start();
  sim->run_for(10s);
  const std::int64_t before = sim->rounds;
  sim->run_for(60s);
  EXPECT_LE(sim->rounds - before, 61);
}

TEST(Claim, CLM_10_AHintStartsAJobAtOnce) {
  Simulated sim(one_pool(1, 2));
  sim->start();
  sim->run_for(10s + 300ms);
  (void)sim->enqueue({});
  const Instant enqueued = sim->now();
  ASSERT_TRUE(sim->run_until([&] { return !sim->starts.empty(); }, 1s));
  // A new queue and kind are asked for by name once: three rounds of 40 us.
  EXPECT_LE(sim->starts.front().at - enqueued, 200us);
  sim->run_for(100ms);
  (void)sim->enqueue({});
  const Instant again = sim->now();
  ASSERT_TRUE(sim->run_until([&] { return sim->starts.size() == 2; }, 1s));
  EXPECT_LE(sim->starts.back().at - again, 100us);
}

TEST(Claim, CLM_23_LongJobsNeverTakeTheLastFreeSlotWhileTheirTenantRuns) {
  Simulated sim(running_for(one_pool(2, 2), 2s));
  sim->create_tenant("acme");
  sim->create_tenant("bolt");
  sim->start();
  (void)sim->enqueue({.tenant = "acme"});  // so that the kind is known to be long
  ASSERT_TRUE(sim.drains(10s));
  (void)sim->enqueue_many({.tenant = "acme"}, 50);
  sim->run_for(7s);
  EXPECT_EQ(sim->running(), 3);
  const std::size_t before = sim->starts.size();
  (void)sim->enqueue({.tenant = "bolt"});
  sim->run_for(1ms);
  ASSERT_EQ(sim->starts.size(), before + 1);
  EXPECT_EQ(sim->starts.back().tenant, "bolt");
}

TEST(Claim, CLM_23_APoolOfThreeSlotsKeepsNoneFree) {
  Simulated sim(running_for(one_pool(1, 3), 2s));
  sim->create_tenant("acme");
  (void)sim->enqueue_many({.tenant = "acme"}, 50);
  sim->start();
  sim->run_for(9s);
  EXPECT_EQ(sim->running(), 3);
}

TEST(Claim, CLM_24_ATenantsJobsStayInOneProcessWhileItHasFreeSlotsAndNoSlotIdlesForThat) {
  Simulated sim(running_for(one_pool(3, 4), 50ms));
  sim->create_tenant("acme");
  sim->start();
  sim->run_for(100ms);
  for (int job = 0; job < 4; ++job) {
    (void)sim->enqueue({.tenant = "acme"});
    sim->run_for(1ms);
  }
  ASSERT_EQ(sim->starts.size(), 4U);
  std::set<ProcessNumber> processes;
  for (const Start& start : sim->starts) processes.insert(start.process);
  EXPECT_EQ(processes.size(), 1U);
  (void)sim->enqueue_many({.tenant = "acme"}, 8);
  sim->run_for(2ms);
  EXPECT_EQ(sim->running(), 12);
}

// Three processes of four slots; "long" jobs run for ten seconds, others for 100 ms.
simulation::Options three_processes() {
  auto options = one_pool(3, 4);
  options.kinds = {"job", "long"};
  options.perform = [](const queue::ClaimedJob& job) {
    return Performance{.run_time = job.kind == "long" ? 10s : 100ms};
  };
  return options;
}

TEST(Claim, CLM_24_TheProcessThatRanATenantLatelyIsPreferred) {
  Simulated sim(three_processes());
  sim->create_tenant("acme");
  sim->create_tenant("bolt");
  sim->start();
  sim->run_for(100ms);
  (void)sim->enqueue_many({.tenant = "acme"}, 4);
  sim->run_for(1ms);
  const ProcessNumber acmes = sim->starts.back().process;
  (void)sim->enqueue({.tenant = "bolt"});
  sim->run_for(1ms);
  const ProcessNumber bolts = sim->starts.back().process;
  ASSERT_NE(bolts, acmes);
  ASSERT_TRUE(sim.drains(5s));
  sim->run_for(1s);
  (void)sim->enqueue({.tenant = "bolt"});
  sim->run_for(1ms);
  EXPECT_EQ(sim->starts.back().process, bolts);
}

TEST(Claim, CLM_24_TheProcessThatRunsATenantNowIsPreferredToAnEmptierOneThatRanItLately) {
  Simulated sim(three_processes());
  const std::string acme = create_tenant_at(sim, "acme", 1, 3);
  const std::string bolt = create_tenant_at(sim, "bolt", 1, 3);
  sim->start();
  sim->run_for(100ms);
  (void)sim->enqueue({.tenant = bolt});
  sim->run_for(1ms);
  const ProcessNumber lately = sim->starts.back().process;
  ASSERT_TRUE(sim.drains(5s));
  (void)sim->enqueue_many({.tenant = acme}, 4);
  sim->run_for(1ms);
  ASSERT_EQ(sim->starts.back().process, lately);
  (void)sim->enqueue({.tenant = bolt, .kind = "long"});
  sim->run_for(1s);
  const ProcessNumber now = sim->starts.back().process;
  ASSERT_NE(now, lately);
  (void)sim->enqueue({.tenant = bolt});
  sim->run_for(1ms);
  EXPECT_EQ(sim->starts.back().process, now);
}

TEST(Claim, CLM_25_JobsAheadAreCalledBackForATenantWithLessVirtualTime) {
  Simulated sim(running_for(one_pool(1, 1), 400us));
  sim->create_tenant("acme");
  sim->create_tenant("bolt");
  const auto first = sim->enqueue_many({.tenant = "acme"}, 400);
  sim->start();
  ASSERT_TRUE(
      sim->run_until([&] { return sim->starts.size() > 100 && sim->dispatcher().status().ahead >= 5; }, 5s));
  const std::size_t before = sim->starts.size();
  (void)sim->enqueue({.tenant = "bolt"});
  ASSERT_TRUE(sim.drains(10s));
  EXPECT_LE(starts_until(sim->starts, before, "bolt"), 2U);
  const auto recalls = std::count_if(sim->control.begin(), sim->control.end(), [](const auto& each) {
    return std::holds_alternative<Recall>(each.second);
  });
  EXPECT_EQ(recalls, 1);
  EXPECT_EQ(sim->starts.size(), 401U);
  for (const JobId id : first) {
    EXPECT_EQ(sim->job(id).releases, 0);
    EXPECT_EQ(sim->job(id).failures, 0);
  }
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
}

TEST(Claim, ATenantThatIsNotActiveYetIsHeldAndRunsWithinAPollOfBecomingActive) {
  Simulated sim(one_pool(1, 2));
  sim->create_tenant("late", false);
  sim->create_tenant("acme");
  const auto held = sim->enqueue_many({.tenant = "late"}, 5);
  sim->start();
  const auto other = sim->enqueue({.tenant = "acme"});
  sim->run_for(5s);
  EXPECT_EQ(sim->starts.size(), 1U);
  EXPECT_EQ(sim->job(other).state, ShownState::succeeded);
  EXPECT_EQ(sim->dispatcher().status().parked, 1);
  sim->activate_tenant("late");
  sim->run_for(1s + 10ms);
  for (const JobId id : held) EXPECT_EQ(sim->job(id).state, ShownState::succeeded);
}

TEST(Claim, TheFirstClaimForEachProcessMayPassTheBytesOfTheRoundAndNoOther) {
  Simulated sim(one_pool(2, 2));
  for (const std::string tenant : {"a", "b", "c", "d"}) {
    sim->create_tenant(tenant);
    (void)sim->enqueue_many({.tenant = tenant}, 20);
  }
  int firsts = 0;
  int others = 0;
  sim->on_step = [&](const Event&, const Actions& actions) {
    for (const Action& action : actions) {
      const auto* const round = std::get_if<RunRound>(&action);
      if (round == nullptr || !round->work->ask<ClaimsPart>()) continue;
      EXPECT_EQ(round->work->ask<ClaimsPart>()->bytes_max, kRoundBytesMax);
      std::set<ProcessNumber> seen;
      for (const auto& claim : round->work->ask<ClaimsPart>()->requests) {
        EXPECT_EQ(claim.first_of_any_size, seen.insert(claim.process).second);
        ++(claim.first_of_any_size ? firsts : others);
      }
    }
  };
  sim->start();
  ASSERT_TRUE(sim.drains(1s));
  EXPECT_GT(firsts, 0);
  EXPECT_GT(others, 0);
}

TEST(Claim, UntenantedJobsAreOneFlowAmongTheTenants) {
  Simulated sim(running_for(one_pool(1, 1), 10ms));
  sim->create_tenant("acme");
  (void)sim->enqueue_many({.tenant = "acme"}, 200);
  (void)sim->enqueue_many({}, 200);
  sim->start();
  sim->run_for(1s);
  EXPECT_NEAR(static_cast<double>(sim->slot_time("").count()),
              static_cast<double>(sim->slot_time("acme").count()), 60'000);
}

}  // namespace
}  // namespace tenure::daemon
