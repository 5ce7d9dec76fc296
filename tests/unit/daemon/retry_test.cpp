#include "dead_jobs.hpp"
#include "lanes.hpp"
#include "simulated.hpp"

#include <tenure/queue/retry_rule.hpp>

#include <gtest/gtest.h>

namespace tenure::daemon {
namespace {

using simulation::Performance;

simulation::Options failing_with(ErrorCode code, int times) {
  auto options = one_pool(1, 2);
  options.perform = [code, left = std::make_shared<int>(times)](const queue::ClaimedJob&) {
    Performance performance;
    if (*left == 0) return performance;
    --*left;
    performance.result = RunResult::failed;
    performance.failure = {code, "no"};
    return performance;
  };
  return options;
}

TEST(Retry, RTY_01_WaitsAfterFailureNAndIsDeadAfterTenAttempts) {
  Simulated sim(failing_with(ErrorCode::handler_failed, 100));
  sim->start();
  const auto id = sim->enqueue({});
  ASSERT_TRUE(sim.drains(std::chrono::hours{100}));
  EXPECT_EQ(sim->job(id).state, ShownState::dead);
  EXPECT_EQ(sim->job(id).reason, queue::JobReason::attempts_exhausted);
  ASSERT_EQ(sim->starts.size(), 10U);
  for (int n = 1; n < 10; ++n) {
    const auto wait =
        sim->starts[static_cast<std::size_t>(n)].at - sim->starts[static_cast<std::size_t>(n) - 1].at;
    const std::chrono::seconds least{n * n * n * n + 15};
    EXPECT_GE(wait, least);
    EXPECT_LE(wait, least + std::chrono::seconds{30 * n} + 10ms);
  }
}

// The note of retries that were drawn in, where there was one.
std::vector<std::string> told_of_drawn_in(const Simulated& sim) {
  std::vector<std::string> told;
  for (const Note& note : sim.world.notes)
    if (note.event == "retries.drawn_in") told.push_back(note.message);
  return told;
}

TEST(Retry, AClockThatWasADayAheadAndIsPutRightDelaysNoRetryByADay) {
  Simulated sim(failing_with(ErrorCode::handler_failed, 1));
  sim->start();
  sim->jump_wall(24h);
  const auto id = sim->enqueue({});
  ASSERT_TRUE(sim->run_until([&] { return sim->job(id).reason == queue::JobReason::retry_wait; }, 10s));
  sim->jump_wall(-24h);
  const auto next_week = sim->enqueue({.due_in = 24h * 7});
  const auto week_due = sim->job(next_week).due;
  EXPECT_TRUE(sim->run_until([&] { return sim->job(id).state == ShownState::succeeded; }, 7min));
  EXPECT_EQ(sim->job(next_week).due, week_due);
  EXPECT_EQ(told_of_drawn_in(sim).size(), 1U);
}

// The clock is put right while no daemon runs.
TEST(Retry, ADaemonThatStartsDrawsInWhatAWrongClockPutOff) {
  Simulated sim(failing_with(ErrorCode::handler_failed, 1));
  sim->start();
  sim->jump_wall(24h);
  const auto id = sim->enqueue({});
  ASSERT_TRUE(sim->run_until([&] { return sim->job(id).reason == queue::JobReason::retry_wait; }, 10s));
  sim->reboot();
  sim->jump_wall(-24h);
  sim->start();
  EXPECT_TRUE(sim->run_until([&] { return sim->job(id).state == ShownState::succeeded; }, 7min));
}

// A machine without a clock of its own, and the time comes from elsewhere a minute later.
TEST(Retry, AMachineThatStartsInAnotherYearDrawsInNothing) {
  Simulated sim(failing_with(ErrorCode::handler_failed, 3));
  sim->start();
  const auto id = sim->enqueue({});
  ASSERT_TRUE(sim->run_until([&] { return sim->job(id).failures == 2; }, 10min));
  const auto due = sim->job(id).due;
  sim->reboot();
  sim->jump_wall(-24h * 365 * 20);
  sim->start();
  sim->run_for(1min);
  sim->jump_wall(24h * 365 * 20);
  sim->run_for(1s);
  EXPECT_EQ(sim->job(id).due, due);
  EXPECT_TRUE(told_of_drawn_in(sim).empty());
}

std::vector<std::string> told_of_the_dead(const Simulated& sim) {
  std::vector<std::string> told;
  for (const Note& note : sim.world.notes)
    if (note.event == "job.dead") told.push_back(note.message);
  return told;
}

TEST(Retry, ADeadJobIsToldToTheOperator) {
  Simulated sim(failing_with(ErrorCode::wrong_tenant, 100));
  sim->start();
  (void)sim->enqueue({});
  ASSERT_TRUE(sim.drains(10s));
  sim->run_for(1ms);  // until the dispatcher knows that it is stored
  EXPECT_EQ(told_of_the_dead(sim),
            std::vector<std::string>{"A job is dead by WrongTenant: no. See tenure job list state=dead"});
}

TEST(Retry, AnErrorThatEndsInAFullStopGetsNoSecondOne) {
  DeadJobs dead;
  for (const auto& [error, told] :
       {std::pair{"It had not obeyed its stop token.", "It had not obeyed its stop token. See"},
        std::pair{"no", "no. See"}}) {
    Actions actions;
    dead.died({.code = ErrorCode::time_limit, .error = error});
    dead.leave(actions);
    ASSERT_EQ(actions.size(), 1U);
    EXPECT_EQ(std::get<Note>(actions.front()).message,
              std::string("A job is dead by TimeLimit: ") + told + " tenure job list state=dead");
  }
}

// However many die: one line at once, and one a second after that.
TEST(Retry, OBS_10_ManyDeadJobsAreOneLineASecond) {
  constexpr int kJobs = 500;
  Simulated sim(failing_with(ErrorCode::wrong_tenant, kJobs));
  sim->start();
  for (int i = 0; i < kJobs; ++i) (void)sim->enqueue({});
  const auto from = sim->now();
  ASSERT_TRUE(sim.drains(1min));
  const auto passed = sim->now() - from;
  sim->run_for(2 * kDeadNotePause);
  const auto told = told_of_the_dead(sim);
  EXPECT_LE(std::ssize(told), 2 + passed / kDeadNotePause);
  EXPECT_GE(told.size(), 2U);
  std::int64_t counted = 0;
  for (const std::string& line : told) counted += line.starts_with("A job") ? 1 : std::stoll(line);
  EXPECT_EQ(counted, kJobs);
}

TEST(Retry, RTY_03_APermanentErrorIsFinalAtOnce) {
  Simulated sim(failing_with(ErrorCode::wrong_tenant, 100));
  sim->start();
  const auto id = sim->enqueue({});
  ASSERT_TRUE(sim.drains(10s));
  EXPECT_EQ(sim->job(id).reason, queue::JobReason::permanent_error);
  EXPECT_EQ(sim->starts.size(), 1U);
}

TEST(Retry, RTY_04_ABusyTenantCostsNoAttemptAndDoesNotSpin) {
  Simulated sim(failing_with(ErrorCode::tenant_busy, 8));
  sim->create_tenant("acme");
  sim->create_tenant("bolt");
  sim->start();
  const auto id = sim->enqueue({.tenant = "acme", .attempts_max = 1});
  ASSERT_TRUE(sim.drains(2min));
  const auto job = sim->job(id);
  EXPECT_EQ(job.state, ShownState::succeeded);
  EXPECT_EQ(job.failures, 0);
  EXPECT_EQ(job.releases, 8);
  ASSERT_EQ(sim->starts.size(), 9U);
  for (std::size_t start = 1; start < 9; ++start) {
    EXPECT_GE(sim->starts[start].at - sim->starts[start - 1].at, kBusyParkMin);
  }
}

std::vector<queue::AttemptRecord> attempts_of(Simulated& sim, queue::JobId id) {
  std::vector<queue::AttemptRecord> attempts;
  const queue::JobSeq seq = sim->job(id).seq;
  sim.store->read([&](queue::JobReader& reader) { attempts = reader.attempts(seq); });
  return attempts;
}

// What a tenant is not ready with, and how long it is left alone at most.
struct Reason {
  ErrorCode code;
  std::chrono::milliseconds wait_max;
};
class LongWait : public ::testing::TestWithParam<Reason> {};

TEST_P(LongWait, RTY_04_ATenantThatIsNotReadyForADayIsAskedInTheLongestStepsAndLeavesOneAttemptRow) {
  const auto [code, wait_max] = GetParam();
  Simulated sim(failing_with(code, 1'000'000));
  sim->create_tenant("acme");
  sim->start();
  const auto id = sim->enqueue({.tenant = "acme"});
  sim->run_for(24h);
  EXPECT_GE(std::ssize(sim->starts), 24h / wait_max - 50);
  EXPECT_LE(std::ssize(sim->starts), 24h / wait_max + 10);
  EXPECT_EQ(sim->job(id).releases, static_cast<int>(sim->starts.size()));
  const auto attempts = attempts_of(sim, id);
  ASSERT_EQ(attempts.size(), 1U);
  EXPECT_EQ(attempts[0].outcome, queue::AttemptOutcome::released);
  EXPECT_EQ(attempts[0].error_code, code);
  EXPECT_EQ(attempts[0].error, "no");
  EXPECT_EQ(attempts[0].claim, sim->starts.back().token);
}

INSTANTIATE_TEST_SUITE_P(EachReason, LongWait,
                         ::testing::Values(Reason{ErrorCode::tenant_not_ready, kBusyParkMax},
                                           Reason{ErrorCode::tenant_busy, kTroubleParkMax},
                                           Reason{ErrorCode::tenant_unavailable, kTroubleParkMax},
                                           Reason{ErrorCode::disk, kTroubleParkMax}),
                         [](const auto& each) { return std::string{name_of(each.param.code)}; });

TEST(Retry, RTY_04_TheWaitForABusyTenantDoublesToItsBoundAndStartsAnewWhenAJobOfItHasEnded) {
  Simulated sim(failing_with(ErrorCode::tenant_not_ready, 10));
  sim->create_tenant("acme");
  sim->start();
  (void)sim->enqueue({.tenant = "acme"});
  ASSERT_TRUE(sim.drains(10min));
  ASSERT_EQ(sim->starts.size(), 11U);
  auto wait = kBusyParkMin;
  for (std::size_t start = 1; start < 11; ++start) {
    const auto waited = sim->starts[start].at - sim->starts[start - 1].at;
    EXPECT_GE(waited, wait) << start;
    EXPECT_LE(waited, wait + 5ms) << start;
    wait = std::min(wait * 2, kBusyParkMax);
  }
}

TEST(Retry, RTY_04_OthersRunWhileABusyTenantIsLeftAlone) {
  auto options = one_pool(1, 2);
  options.perform = [](const queue::ClaimedJob& job) {
    Performance performance;
    if (job.tenant->text() == "acme") {
      performance.result = RunResult::failed;
      performance.failure = {ErrorCode::tenant_busy, "no"};
    }
    return performance;
  };
  Simulated sim(options);
  sim->create_tenant("acme");
  sim->create_tenant("bolt");
  sim->start();
  (void)sim->enqueue_many({.tenant = "acme"}, 100);
  const auto ids = sim->enqueue_many({.tenant = "bolt"}, 100);
  sim->run_for(1s);
  for (const auto id : ids) EXPECT_EQ(sim->job(id).state, ShownState::succeeded);
}

TEST(Retry, RTY_05_AnUnknownKindIsHeldAndStartsWhenAWorkerWithItComes) {
  auto options = one_pool(1, 2);
  Simulated sim(options);
  sim->start();
  const auto id = sim->enqueue({.kind = "report"});
  sim->run_for(5s);
  EXPECT_EQ(sim->job(id).state, ShownState::held);
  EXPECT_EQ(sim->dispatcher().status().parked, 1);
  EXPECT_TRUE(sim->starts.empty());
  sim->set_kinds({"job", "report"});
  sim->kill_worker(sim->live_workers().front());
  ASSERT_TRUE(sim.drains(2s));
  EXPECT_EQ(sim->job(id).failures + sim->job(id).crashes + sim->job(id).releases, 0);
}

TEST(Retry, ANewerEnvelopeIsBlockedAndLookedAtAgainAtTheNextHello) {
  Simulated sim(failing_with(ErrorCode::newer_envelope, 1));
  sim->start();
  const auto id = sim->enqueue({});
  sim->run_for(5s);
  EXPECT_EQ(sim->job(id).state, ShownState::blocked);
  sim->kill_worker(sim->live_workers().front());
  ASSERT_TRUE(sim.drains(2s));
  EXPECT_EQ(sim->job(id).state, ShownState::succeeded);
  EXPECT_EQ(sim->job(id).failures, 0);
}

TEST(Retry, AHelloLooksAtEachBlockedJobAtMostOnceHoweverManyThereAre) {
  constexpr std::size_t kJobs = 5 * kRoundRowsMax + 1;
  auto options = failing_with(ErrorCode::newer_envelope, 1'000'000);
  // The jobs of one page are blocked again before the next page is asked for.
  options.slots = 2000;
  options.perform = [perform = options.perform](const queue::ClaimedJob& job) {
    Performance performance = perform(job);
    performance.run_time = 1us;
    return performance;
  };
  Simulated sim(options);
  sim->start();
  (void)sim->enqueue_many({}, kJobs);
  sim->run_for(60s);
  ASSERT_EQ(sim->count(ShownState::blocked), static_cast<std::int64_t>(kJobs));
  ASSERT_EQ(sim->starts.size(), kJobs);
  sim->kill_worker(sim->live_workers().front());
  sim->run_for(60s);
  EXPECT_EQ(sim->starts.size(), 2 * kJobs);
  EXPECT_EQ(sim->count(ShownState::blocked), static_cast<std::int64_t>(kJobs));
}

TEST(Retry, AHelloInTheMiddleOfALookAtBlockedJobsIsFollowedByALookOfItsOwn) {
  constexpr std::size_t kJobs = 2 * kRoundRowsMax + 500;
  auto options = failing_with(ErrorCode::newer_envelope, static_cast<int>(kJobs));
  options.settings.pools[0].processes = 2;
  Simulated sim(options);
  sim->start();
  const auto ids = sim->enqueue_many({}, kJobs);
  sim->run_for(60s);
  ASSERT_EQ(sim->count(ShownState::blocked), static_cast<std::int64_t>(kJobs));
  for (const ProcessNumber process : sim->live_workers()) {
    sim->kill_worker(process);
    sim->run_for(1ms);
  }
  ASSERT_TRUE(sim.drains(60s));
}

}  // namespace
}  // namespace tenure::daemon
