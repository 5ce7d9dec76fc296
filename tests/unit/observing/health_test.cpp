#include "simulated.hpp"

#include <tenure/base/json.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <observing/health.hpp>
#include <string>

namespace tenure::daemon {
namespace {

using Probe = Health::Probe;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Instant at(std::chrono::microseconds since_start) { return Instant{since_start}; }

// What keeps it from being well.
std::vector<std::string> faults(const Health& health, Probe probe, Instant now) {
  std::vector<std::string> names;
  const Health::Answer answer = health.answer(probe, now);
  for (const Health::Check& check : answer.checks)
    if (!check.is_ok) names.emplace_back(check.name);
  EXPECT_EQ(answer.is_ok, names.empty());
  return names;
}

// One that dispatches with one worker process, at second 1.
Health ready_health() {
  Health health{at(0s)};
  health.lock_taken(at(0s));
  health.decided({RunRound{}}, at(0s));
  health.happened(RoundDone{}, at(1s));
  health.decided({Serving{}}, at(1s));
  health.happened(WorkerReady{.process = ProcessNumber{1}, .slots = 2, .kinds = {}, .default_queues = {}},
                  at(1s));
  health.disk_looked_at(Health::kFreeMin, at(1s));
  health.ticked(at(1s));
  return health;
}

TEST(Health, IsReadyWithStoreLockWorkerAndRoomOnTheDisk) {
  EXPECT_THAT(faults(ready_health(), Probe::ready, at(2s)), IsEmpty());
  EXPECT_THAT(faults(ready_health(), Probe::started, at(2s)), IsEmpty());
}

TEST(Health, SaysQuietAndIsReadyWhereOperatorsHaveAskedThatNothingBeClaimed) {
  Health health = ready_health();
  const auto says = [&] {
    const auto checks = health.answer(Probe::ready, at(2s)).checks;
    return std::string(std::ranges::find(checks, "serving", &Health::Check::name)->says);
  };
  EXPECT_EQ(says(), "claims jobs");
  health.pools_are_quiet(true);
  EXPECT_EQ(says(), "quiet");
  EXPECT_THAT(faults(health, Probe::ready, at(2s)), IsEmpty());
  health.pools_are_quiet(false);
  EXPECT_EQ(says(), "claims jobs");
}

TEST(Health, IsNeitherReadyNorStartedAtFirstButLives) {
  const Health health{at(0s)};
  EXPECT_THAT(faults(health, Probe::live, at(0s)), IsEmpty());
  EXPECT_THAT(faults(health, Probe::started, at(0s)), ElementsAre("started"));
  EXPECT_THAT(faults(health, Probe::ready, at(0s)), ElementsAre("serving", "lock", "store", "workers"));
}

TEST(Health, WhoStandsByLivesAndIsNotReady) {
  Health health{at(0s)};
  health.ticked(at(600s));
  EXPECT_THAT(faults(health, Probe::live, at(601s)), IsEmpty());
  EXPECT_THAT(faults(health, Probe::ready, at(601s)), ::testing::Contains("lock"));
}

TEST(Health, DoesNotLiveWhereTheLoopHasNotTickedForTenSeconds) {
  const Health health = ready_health();
  EXPECT_THAT(faults(health, Probe::live, at(11s)), IsEmpty());
  EXPECT_THAT(faults(health, Probe::live, at(11s) + 1us), ElementsAre("loop"));
  EXPECT_THAT(faults(health, Probe::ready, at(11s) + 1us), ElementsAre("loop"));
}

TEST(Health, AStoreMayOweAnAnswerForFiveSeconds) {
  Health health = ready_health();
  health.decided({RunRound{}}, at(2s));
  EXPECT_THAT(faults(health, Probe::ready, at(7s)), IsEmpty());
  EXPECT_THAT(faults(health, Probe::ready, at(7s) + 1us), ElementsAre("store"));
  health.happened(RoundDone{}, at(8s));
  EXPECT_THAT(faults(health, Probe::ready, at(8s)), IsEmpty());
}

TEST(Health, AStoreThatIsAskedAgainStillOwesItsFirstAnswer) {
  Health health = ready_health();
  for (int second = 2; second < 8; ++second) {
    health.decided({RunRound{}}, at(std::chrono::seconds{second}));
    health.happened(RoundFailed{{ErrorCode::store_busy, "no"}}, at(std::chrono::seconds{second}));
  }
  EXPECT_THAT(faults(health, Probe::ready, at(8s)), ElementsAre("store"));
}

TEST(Health, AStoreThatNobodyAsksOwesNothing) {
  Health health = ready_health();
  health.ticked(at(59s));
  EXPECT_THAT(faults(health, Probe::ready, at(60s)), IsEmpty());
}

TEST(Health, IsNotReadyWhileNoWorkerProcessIsUp) {
  Health health = ready_health();
  health.happened(WorkerGone{.process = ProcessNumber{7}, .cause = "exit 1"}, at(2s));
  EXPECT_THAT(faults(health, Probe::ready, at(2s)), IsEmpty()) << "another one";
  health.happened(WorkerGone{.process = ProcessNumber{1}, .cause = "exit 1"}, at(2s));
  EXPECT_THAT(faults(health, Probe::ready, at(2s)), ElementsAre("workers"));
}

TEST(Health, IsNotReadyOnAFullDisk) {
  Health health = ready_health();
  health.disk_looked_at(Health::kFreeMin - 1, at(2s));
  EXPECT_THAT(faults(health, Probe::ready, at(2s)), ElementsAre("disk"));
  EXPECT_THAT(faults(health, Probe::live, at(2s)), IsEmpty());
}

TEST(Health, StaysStartedAndIsNotReadyWhenItStops) {
  Health health = ready_health();
  health.happened(StopAsked{}, at(2s));
  EXPECT_THAT(faults(health, Probe::ready, at(2s)), ElementsAre("serving"));
  EXPECT_THAT(faults(health, Probe::started, at(2s)), IsEmpty());
}

TEST(Health, SaysEachCheckWithItsAge) {
  const std::string text = json_of(ready_health().answer(Probe::ready, at(3s)));
  const auto document = json::Document::parse(text, {4096, 8});
  ASSERT_TRUE(document) << text;
  EXPECT_EQ(text.substr(0, 47), R"({"schema":"tenure.health/1","ok":true,"checks":)");
  const auto checks = document->root().member("checks");
  for (const char* const name : {"loop", "serving", "lock", "store", "workers", "disk"}) {
    const auto check = checks->member(name);
    ASSERT_TRUE(check) << name;
    EXPECT_TRUE(*check->member("ok")->boolean()) << name;
    EXPECT_EQ(*check->member("age_s")->number(), std::string(name) == "lock" ? 3.0 : 2.0) << name;
  }
}

TEST(Health, OBS_03_ReadyIsFalseWhileTheStoreIsGoneAndBothRecoverAloneAfterTenMinutes) {
  Simulated sim(one_pool(1, 2));
  Health health{sim->now()};
  health.lock_taken(sim->now());
  sim->on_step = [&](const Event& event, const Actions& actions) {
    health.happened(event, sim->now());
    health.decided(actions, sim->now());
  };
  const auto second_passes = [&] {
    sim->run_for(1s);
    health.ticked(sim->now());
  };
  sim->start();
  second_passes();
  EXPECT_THAT(faults(health, Probe::ready, sim->now()), IsEmpty());

  const Instant gone_at = sim->now();
  sim->fail_next_rounds(100'000);
  while (sim->now() - gone_at < 10min) {
    second_passes();
    EXPECT_THAT(faults(health, Probe::live, sim->now()), IsEmpty());
    if (sim->now() - gone_at > Health::kStoreMax + 2s) {
      EXPECT_THAT(faults(health, Probe::ready, sim->now()), ElementsAre("store"));
    }
  }
  sim->fail_next_rounds(-sim->rounds_to_fail());
  const auto id = sim->enqueue({});
  for (int second = 0; second < 6; ++second) second_passes();  // rounds are tried again within 5 s
  EXPECT_THAT(faults(health, Probe::ready, sim->now()), IsEmpty());
  EXPECT_EQ(sim->job(id).state, ShownState::succeeded);
}

}  // namespace
}  // namespace tenure::daemon
