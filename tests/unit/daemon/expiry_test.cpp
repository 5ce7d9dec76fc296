#include "expired_jobs.hpp"
#include "simulated.hpp"

#include <gtest/gtest.h>

#include <algorithm>

// Jobs that have not started in time are discarded, wherever they are.
namespace tenure::daemon {
namespace {

using queue::JobReason;
using simulation::JobSpec;
using simulation::Performance;

constexpr auto kWithin = 5s;

simulation::Options running_for(std::chrono::microseconds time, int slots) {
  auto options = one_pool(1, slots);
  options.perform = [time](const queue::ClaimedJob&) { return Performance{.run_time = time}; };
  return options;
}

void expect_expired(Simulated& sim, queue::JobId id) {
  const auto job = sim->job(id);
  EXPECT_EQ(job.state, ShownState::discarded);
  EXPECT_EQ(job.reason, JobReason::expired);
  EXPECT_EQ(job.started, std::nullopt);
  EXPECT_EQ(job.failures + job.crashes + job.releases, 0);
  EXPECT_EQ(std::ranges::count(sim->starts, id, &simulation::Start::id), 0) << "without a start";
}

std::vector<std::string> told_of_the_expired(const Simulated& sim) {
  std::vector<std::string> told;
  for (const Note& note : sim.world.notes)
    if (note.event == "job.expired") told.push_back(note.message);
  return told;
}

// Each where a job can be that has not started: in an open lane and behind each gate, scheduled, blocked, assigned ahead.
TEST(Expiry, RTY_14_AJobThatHasNotStartedInTimeIsDiscardedWhereverItIs) {
  auto options = running_for(1min, 1);
  options.perform = [](const queue::ClaimedJob& job) {
    if (job.kind == "new")
      return Performance{.result = RunResult::failed, .failure = {ErrorCode::newer_envelope, "no"}};
    return Performance{.run_time = 1min};
  };
  options.kinds = {"job", "new"};
  Simulated sim(options);
  sim->create_tenant("acme");
  sim->create_tenant("late", false);
  sim->start();
  const auto blocked = sim->enqueue({.kind = "new", .start_within = kWithin});
  ASSERT_TRUE(sim->run_until([&] { return sim->job(blocked).state == ShownState::blocked; }, 1s));
  const auto running = sim->enqueue({.start_within = kWithin});
  ASSERT_TRUE(sim->run_until([&] { return sim->job(running).state == ShownState::running; }, 1s));
  sim->run_for(1ms);
  const std::size_t begun = sim->starts.size();
  const std::vector ids{sim->enqueue({.tenant = "acme", .start_within = kWithin}),
                        sim->enqueue({.tenant = "late", .start_within = kWithin}),
                        sim->enqueue({.kind = "unknown", .start_within = kWithin}),
                        sim->enqueue({.queue = "nobodys", .start_within = kWithin}),
                        sim->enqueue({.due_in = 1h, .start_within = kWithin}),
                        sim->enqueue({.due_in = 2s, .start_within = kWithin}),
                        blocked};
  const auto in_time = sim->enqueue({.start_within = 10min});
  sim->run_for(kWithin - 10ms);
  for (const auto id : ids) EXPECT_EQ(sim->job(id).finished, std::nullopt);
  // One of them has been assigned ahead of its turn, and is looked at when it has come.
  sim->run_for(2min);
  for (const auto id : ids)
    if (id != blocked) expect_expired(sim, id);
  EXPECT_EQ(sim->job(blocked).reason, JobReason::expired);
  EXPECT_EQ(sim->job(running).state, ShownState::succeeded) << "it had started";
  EXPECT_EQ(sim->job(in_time).state, ShownState::succeeded);
  EXPECT_EQ(sim->starts.size(), begun + 1);
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
}

// What is assigned ahead stands in no table that anybody else would look at.
TEST(Expiry, RTY_14_AJobThatWasAssignedAheadIsNotStartedWhenItsTimeHasCome) {
  Simulated sim(running_for(30s, 1));
  sim->start();
  const auto ids = sim->enqueue_many({.start_within = kWithin}, 2);
  ASSERT_TRUE(sim.drains(2min));
  EXPECT_EQ(sim->starts.size(), 1U);
  expect_expired(sim, ids[1]);
  EXPECT_EQ(sim->dispatcher().status().failed, 0);
}

TEST(Expiry, ItIsNoticedAtItsTimeWithoutAHintOrAWorker) {
  auto options = one_pool(1, 1);
  options.starts = [](ProcessNumber) { return false; };
  Simulated sim(options);
  sim->start();
  sim->run_for(10s);
  const auto id = sim->enqueue({.start_within = kWithin + 300ms}, false);
  sim->run_for(kWithin + 299ms);
  EXPECT_EQ(sim->job(id).finished, std::nullopt);
  sim->run_for(20ms);
  expect_expired(sim, id);
  EXPECT_EQ(told_of_the_expired(sim),
            std::vector<std::string>{"A job was discarded, not started in time. See tenure job list "
                                     "state=discarded reason=expired"});
}

TEST(Expiry, AJobThatHasFailedOnceIsRetriedHoweverLate) {
  auto options = one_pool(1, 1);
  options.perform = [failures = std::make_shared<int>(3)](const queue::ClaimedJob&) {
    if (--*failures < 0) return Performance{};
    return Performance{.result = RunResult::failed, .failure = {ErrorCode::handler_failed, "no"}};
  };
  Simulated sim(options);
  sim->start();
  const auto id = sim->enqueue({.start_within = kWithin});
  ASSERT_TRUE(sim.drains(1h));
  EXPECT_EQ(sim->job(id).state, ShownState::succeeded);
  EXPECT_EQ(sim->job(id).failures, 3);
}

// The claim of a job goes with its dispatcher, and nobody knows whether it had begun.
TEST(Expiry, WhatHasExpiredWhileNoDaemonRanIsDiscardedByTheNextOne) {
  Simulated sim(one_pool(1, 1));
  sim->start();
  sim->run_for(1s);
  sim->crash_dispatcher();
  const auto id = sim->enqueue({.start_within = kWithin}, false);
  sim->run_for(1min);
  EXPECT_EQ(sim->job(id).finished, std::nullopt);
  sim->start();
  ASSERT_TRUE(sim.drains(2s));
  expect_expired(sim, id);
}

TEST(Expiry, AJobThatComesBackUnstartedBehindItsTimeExpires) {
  auto options = one_pool(1, 1);
  options.perform = [quick = std::make_shared<int>(5)](const queue::ClaimedJob&) {
    return Performance{.run_time = --*quick >= 0 ? std::chrono::microseconds{100us} : 1h};
  };
  Simulated sim(options);
  sim->start();
  (void)sim->enqueue_many({}, 5);  // so that others are assigned ahead
  ASSERT_TRUE(sim.drains(1s));
  const auto ids = sim->enqueue_many({.start_within = kWithin}, 2);
  ASSERT_TRUE(sim->run_until([&] { return sim->starts.size() == 6; }, 1s));
  ASSERT_TRUE(sim->job(ids[1]).claim.has_value()) << "assigned ahead";
  sim->hang_worker(sim->live_workers().front());  // it gives back nothing that is recalled
  sim->run_for(20s);
  EXPECT_TRUE(sim->job(ids[1]).claim.has_value());
  sim->run_for(30s);  // until it is ended
  expect_expired(sim, ids[1]);
}

TEST(Expiry, ManyAtOnceGoPageByPageAndAreOneLineASecond) {
  constexpr std::size_t kJobs = 3 * kRoundRowsMax + 17;
  Simulated sim(running_for(1h, 1));
  sim->create_tenant("late", false);
  sim->start();
  const auto ids = sim->enqueue_many({.tenant = "late", .start_within = kWithin}, kJobs);
  sim->run_for(kWithin + 100ms);
  for (const auto id : ids) ASSERT_EQ(sim->job(id).reason, JobReason::expired);
  EXPECT_EQ(sim->dispatcher().status().expired, std::ssize(ids));
  sim->run_for(2 * kExpiredNotePause);
  const auto told = told_of_the_expired(sim);
  EXPECT_LE(told.size(), 2U);
  std::int64_t counted = 0;
  for (const std::string& line : told) counted += line.starts_with("A job") ? 1 : std::stoll(line);
  EXPECT_EQ(counted, std::ssize(ids));
}

// It is cancelled where that was asked first.
TEST(Expiry, ACancelOfAJobThatWasAssignedAheadCountsBeforeItsTime) {
  Simulated sim(running_for(10s, 1));
  sim->start();
  const auto ids = sim->enqueue_many({.start_within = kWithin}, 2);
  sim->run_for(1s);
  sim->cancel(ids[1]);
  ASSERT_TRUE(sim.drains(1min));
  EXPECT_EQ(sim->job(ids[1]).state, ShownState::cancelled);
  EXPECT_EQ(sim->job(ids[1]).started, std::nullopt);
}

}  // namespace
}  // namespace tenure::daemon
