#include "processes.hpp"
#include "simulated.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// The runs of a job that a worker process ended with while nobody was named: each is alone until one has succeeded.
namespace tenure::daemon {
namespace {

using simulation::Performance;

// Two jobs that share a process, which is killed under them. The flaky one behaves as `runs` say: of each of its runs, from the first.
class LoneRuns : public ::testing::Test {
 protected:
  using Runs = std::vector<Performance>;

  void begin(Runs runs) {
    auto options = one_pool(1, 2);
    options.kinds = {"job", "flaky"};
    options.perform = [this, runs = std::move(runs)](const queue::ClaimedJob& job) {
      if (job.kind != "flaky") return Performance{.run_time = 100ms};
      return runs.at(std::min(runs_begun_++, runs.size() - 1));
    };
    sim_.emplace(std::move(options));
    flaky_ = world().enqueue({.kind = "flaky"});
    neighbour_ = world().enqueue({});
    world().start();
    ASSERT_TRUE(world().run_until([this] { return world().starts.size() == 2; }, 1s));
    ASSERT_EQ(world().starts[0].process, world().starts[1].process);
    world().kill_worker(world().starts[0].process);
  }
  simulation::Simulation& world() { return sim_->world; }
  queue::JobRecord flaky() { return world().job(flaky_); }
  // Jobs that come all the time, so that whoever goes into company has some.
  bool drains_in_company(std::chrono::microseconds bound) {
    const Instant until = world().now() + bound;
    while (world().now() < until && !flaky().finished) {
      (void)world().enqueue_many({}, 2);
      world().run_for(50ms);
    }
    return sim_->drains(bound);
  }
  // The processes of the flaky job's runs, in order.
  std::vector<ProcessNumber> processes() {
    std::vector<ProcessNumber> processes;
    for (const simulation::Start& start : world().starts)
      if (start.id == flaky_) processes.push_back(start.process);
    return processes;
  }
  // But the first, which was in company. Each dispatcher numbers its processes anew.
  void expect_all_runs_alone(std::size_t runs) {
    using Place = std::pair<queue::Incarnation, ProcessNumber>;
    std::map<Place, int> jobs_of;
    std::vector<Place> used;
    for (const simulation::Start& start : world().starts) {
      const Place place{start.token.incarnation, start.process};
      ++jobs_of[place];
      if (start.id == flaky_) used.push_back(place);
    }
    ASSERT_EQ(used.size(), runs);
    for (std::size_t run = 1; run < runs; ++run) EXPECT_EQ(jobs_of[used[run]], 1) << "run " << run;
    EXPECT_TRUE(world().verdict().is_clean()) << world().verdict_line();
  }
  static Performance fails(ErrorCode code) {
    return {.run_time = 10ms, .result = RunResult::failed, .failure = {code, "simulated"}};
  }
  static constexpr Performance kLong{.run_time = 60s};
  static constexpr Performance kShort{.run_time = 10ms};

  std::size_t runs_begun_ = 0;
  std::optional<Simulated> sim_;
  queue::JobId flaky_;
  queue::JobId neighbour_;
};

TEST_F(LoneRuns, LSE_25_OneThatFailsAloneIsAloneAgainAtItsRetry) {
  begin({kLong, fails(ErrorCode::handler_failed), fails(ErrorCode::handler_failed), kShort});
  world().run_for(2s);
  EXPECT_EQ(flaky().state, ShownState::scheduled);
  EXPECT_EQ(flaky().reason, queue::JobReason::retry_wait);
  ASSERT_TRUE(drains_in_company(200s));
  EXPECT_EQ(flaky().failures, 2);
  EXPECT_EQ(flaky().crashes, 1);
  expect_all_runs_alone(4);
}

TEST_F(LoneRuns, LSE_25_OneThatIsGivenBackIsAloneAgainAndNotAtOnce) {
  begin({kLong, fails(ErrorCode::tenant_busy), fails(ErrorCode::tenant_busy), kShort});
  ASSERT_TRUE(drains_in_company(20s));
  EXPECT_EQ(flaky().releases, 2);
  expect_all_runs_alone(4);
  std::vector<Instant> starts;
  for (const simulation::Start& start : world().starts)
    if (start.id == flaky_) starts.push_back(start.at);
  EXPECT_GE(starts[2] - starts[1], restart_wait(1));
  EXPECT_GE(starts[3] - starts[2], restart_wait(2));
}

TEST_F(LoneRuns, LSE_25_OneWhoseProcessEndsBeforeItHasBegunIsAloneAgainAndNotCharged) {
  begin({kLong, kShort});
  ASSERT_TRUE(world().run_until([this] { return flaky().state == ShownState::running; }, 2s));
  ASSERT_EQ(processes().size(), 1U) << "it is on its way";
  ASSERT_TRUE(world().run_until(
      [this] {
        for (const ProcessNumber process : world().live_workers()) world().kill_worker(process);
        return flaky().state != ShownState::running;
      },
      1s));
  EXPECT_EQ(flaky().state, ShownState::blocked);
  EXPECT_EQ(flaky().reason, queue::JobReason::suspect);
  ASSERT_TRUE(drains_in_company(5s));
  EXPECT_EQ(flaky().crashes, 1);
  expect_all_runs_alone(2);
}

TEST_F(LoneRuns, LSE_25_OneThatCrashesByItsOwnSignalWhileItIsAloneStaysAlone) {
  begin({kLong, {.run_time = 10ms, .kills_process = true, .is_named = true}, kShort});
  ASSERT_TRUE(drains_in_company(5s));
  EXPECT_EQ(flaky().crashes, 2);
  expect_all_runs_alone(3);
}

TEST_F(LoneRuns, LSE_25_TheNextDispatcherKnowsThatItIsToBeAlone) {
  for (const bool dies : {false, true}) {
    runs_begun_ = 0;
    begin({kLong, fails(ErrorCode::handler_failed), kShort});
    ASSERT_TRUE(world().run_until([this] { return flaky().state == ShownState::scheduled; }, 2s));
    if (dies) {
      world().crash_dispatcher();
    } else {
      world().stop();
      ASSERT_TRUE(world().run_until([this] { return world().has_left(); }, 60s));
    }
    world().start();
    ASSERT_TRUE(drains_in_company(60s));
    expect_all_runs_alone(3);
  }
}

// While it is blocked as a suspect: the next dispatcher need not try it before all others, since it is known to have ended no daemon.
TEST_F(LoneRuns, LSE_25_OneThatWaitsAtAStopIsPerformedAloneByTheNextDispatcher) {
  begin({kLong, kShort});
  world().run_for(1ms);
  world().stop();
  ASSERT_TRUE(world().run_until([this] { return world().has_left(); }, 60s));
  EXPECT_EQ(flaky().state, ShownState::blocked);
  world().start();
  ASSERT_TRUE(drains_in_company(5s));
  expect_all_runs_alone(2);
  EXPECT_EQ(std::ranges::count(world().notes, std::string{"daemon.suspects"}, &Note::event), 0);
}

TEST_F(LoneRuns, LSE_25_ARebootOrAnOperatorDoesNotBringItIntoCompany) {
  begin({kLong, fails(ErrorCode::handler_failed), kLong, kShort});
  ASSERT_TRUE(world().run_until([this] { return flaky().state == ShownState::scheduled; }, 2s));
  sim_->store->write(queue::Durability::durable, [this](queue::StoreWriter& writer) {
    value_or_raise(writer.run_by_operator(flaky_, world().wall()));
  });
  world().hint();
  ASSERT_TRUE(world().run_until([this] { return processes().size() == 3; }, 2s));
  world().reboot();
  world().start();
  ASSERT_TRUE(drains_in_company(60s));
  expect_all_runs_alone(4);
}

TEST_F(LoneRuns, OnceItHasSucceededOrIsDeadNothingOfItIsKept) {
  begin({kLong, fails(ErrorCode::bad_payload), kShort});
  ASSERT_TRUE(world().run_until([this] { return flaky().state == ShownState::dead; }, 2s));
  sim_->store->write(queue::Durability::durable, [this](queue::StoreWriter& writer) {
    value_or_raise(writer.retry_by_operator(flaky_, world().wall()));
  });
  world().hint();
  world().run_for(1s);
  EXPECT_EQ(flaky().state, ShownState::succeeded);
  EXPECT_EQ(processes().back(), world().live_workers().front()) << "in company: its budget is new";
}

// A worker program by hand on a store that tenured has left: there is no other process, and it is tried as a suspect of a death.
TEST_F(LoneRuns, WhereThereIsNoOtherProcessItIsTriedBeforeTheOthers) {
  begin({kLong, fails(ErrorCode::handler_failed), kShort});
  ASSERT_TRUE(world().run_until([this] { return flaky().state == ShownState::scheduled; }, 2s));
  world().stop();
  ASSERT_TRUE(world().run_until([this] { return world().has_left(); }, 60s));
  world().start_by_hand();
  ASSERT_TRUE(drains_in_company(60s));
  EXPECT_EQ(world().live_workers().size(), 1U);
  EXPECT_TRUE(world().verdict().is_clean()) << world().verdict_line();
}

TEST(LoneRunsOfAReadOnlyTenant, LSE_25_OneOfAKindThatReadsIsPerformedAloneAndTheOthersWait) {
  auto options = one_pool(1, 2);
  options.kinds = {"job", "report"};
  options.reads_only = {"report"};
  bool is_long = true;
  options.perform = [&](const queue::ClaimedJob&) { return Performance{.run_time = is_long ? 60s : 10ms}; };
  Simulated sim(options);
  sim->create_tenant("acme");
  const auto writes = sim->enqueue({.tenant = "acme"});
  const auto reads = sim->enqueue({.tenant = "acme", .kind = "report"});
  sim->start();
  ASSERT_TRUE(sim->run_until([&] { return sim->starts.size() == 2; }, 1s));
  is_long = false;
  const auto set_read_only = [&](bool is_read_only) {
    sim.store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      EXPECT_TRUE(writer.set_read_only(TenantName("acme"), is_read_only));
    });
    sim->hint();
  };
  sim->kill_worker(sim->starts[0].process);
  set_read_only(true);  // while both wait
  ASSERT_TRUE(sim->run_until([&] { return sim->starts.size() == 3; }, 2s));
  const simulation::Start again = sim->starts.back();
  EXPECT_EQ(again.id, reads);
  ASSERT_TRUE(sim->run_until([&] { return sim->job(reads).finished.has_value(); }, 60s));
  sim->run_for(60s);
  EXPECT_EQ(sim->job(reads).state, ShownState::succeeded);
  for (const queue::JobId id : {reads, writes}) EXPECT_EQ(sim->job(id).crashes, 1);
  EXPECT_EQ(sim->job(writes).reason, queue::JobReason::suspect);
  EXPECT_EQ(sim->job(writes).state, ShownState::blocked);
  set_read_only(false);
  EXPECT_TRUE(sim.drains(60s));
  EXPECT_EQ(sim->job(writes).state, ShownState::succeeded);
  EXPECT_EQ(std::ranges::count(sim->starts, again.process, &simulation::Start::process), 1)
      << "a process of its own";
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
}

}  // namespace
}  // namespace tenure::daemon
