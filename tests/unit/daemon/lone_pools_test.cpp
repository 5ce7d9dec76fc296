#include "lone_jobs.hpp"
#include "simulated.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Where a job is performed alone that a worker process ended with: in which pool, beside whom, and what is told of it.
namespace tenure::daemon {
namespace {

using simulation::Performance;

// Two pools of one process each. What a program performs that starts from now on is said by set_kinds().
class LonePools : public ::testing::Test {
 protected:
  void begin(std::vector<PoolSettings> pools, std::size_t slots = 2) {
    auto options = one_pool(1, static_cast<int>(slots));
    options.settings.pools = std::move(pools);
    options.perform = [this](const queue::ClaimedJob& job) {
      return runs_[job.seq]++ == 0 ? first_ : later_;
    };
    sim_.emplace(std::move(options));
    world().on_step = [this](const Event&, const Actions& actions) {
      for (const Action& action : actions)
        if (const auto* const start = std::get_if<StartProcess>(&action))
          pool_of_[start->process] = start->pool;
    };
  }
  simulation::Simulation& world() { return sim_->world; }
  void kill_all() {
    for (const ProcessNumber process : world().live_workers()) world().kill_worker(process);
  }
  [[nodiscard]] std::size_t pool_of_last_start() { return pool_of_.at(world().starts.back().process); }
  std::int64_t told(std::string_view event) {
    return std::ranges::count(world().notes, event,
                              [](const Note& note) -> std::string_view { return note.event; });
  }
  static Performance fails() {
    return {
        .run_time = 10ms, .result = RunResult::failed, .failure = {ErrorCode::handler_failed, "simulated"}};
  }

  Performance first_{.run_time = 60s};
  Performance later_{.run_time = 10ms};
  std::map<queue::JobSeq, int> runs_;
  std::map<ProcessNumber, std::size_t> pool_of_;
  std::optional<Simulated> sim_;
};

// It was cancelled, retried and changed while a process of its former pool started for it, and another process took it along.
TEST(LonePoolsAlone, OneThatIsSuspectedAgainInAnotherPoolIsNotClaimedForAProcessOfTheFormer) {
  const DispatcherSettings settings{
      .pools = {PoolSettings{"one", 1, {"default"}}, PoolSettings{"two", 1, {"other"}}}};
  Processes processes{settings};
  Lanes lanes{settings.pools};
  LoneJobs lone_jobs{processes, lanes};
  constexpr queue::JobSeq job{5};
  std::vector<std::size_t> pools;
  for (std::size_t pool = 0; pool < settings.pools.size(); ++pool) {
    Actions actions;
    lone_jobs.suspected(job, {.tenant = TenantNumber{3}}, {.pool = pool}, Instant{});
    lone_jobs.tick(Instant{}, actions);
    for (auto& [number, process] : processes.all()) process.phase = Phase::ready;
    for (const Action& action : actions)
      if (const auto* const start = std::get_if<StartProcess>(&action)) pools.push_back(start->pool);
  }
  EXPECT_EQ(pools, (std::vector<std::size_t>{0, 1}));
  const auto claims = lone_jobs.take();
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(processes.find(claims[0].process)->pool, 1U);
}

TEST_F(LonePools, LSE_25_ASuspectWhoseKindMovesToAnotherPoolFollowsIt) {
  begin({PoolSettings{"one", 1, {"default"}}, PoolSettings{"two", 1, {"default"}}});
  world().start();
  world().run_for(1500ms);
  const auto id = world().enqueue({});
  ASSERT_TRUE(world().run_until([&] { return world().running() == 1; }, 1s));
  const std::size_t before = pool_of_last_start();
  const ProcessNumber holder = world().starts.back().process;
  // Its own pool comes back with a program that does not perform it, and before that nothing starts.
  world().set_kinds({"other"});
  world().kill_worker(holder);
  world().run_for(1s);
  world().set_kinds({"job"});
  for (const ProcessNumber process : world().live_workers())
    if (pool_of_.at(process) != before) world().kill_worker(process);
  ASSERT_TRUE(sim_->drains(20s));
  EXPECT_NE(pool_of_last_start(), before);
  EXPECT_EQ(world().job(id).crashes, 1);
  EXPECT_TRUE(world().verdict().is_clean()) << world().verdict_line();
}

TEST_F(LonePools, LSE_25_ASuspectWhoseQueueIsChangedIsPerformedByThatQueuesPool) {
  begin({PoolSettings{"one", 1, {"default"}}, PoolSettings{"two", 1, {"other"}}});
  const auto id = world().enqueue({});
  world().start();
  ASSERT_TRUE(world().run_until([&] { return world().running() == 1; }, 1s));
  later_ = fails();
  kill_all();
  ASSERT_TRUE(world().run_until([&] { return world().job(id).state == ShownState::scheduled; }, 5s));
  EXPECT_EQ(pool_of_last_start(), 0U);
  later_ = {.run_time = 10ms};
  sim_->store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    value_or_raise(writer.change_by_operator(id, {.queue = "other", .due = world().wall()}, world().wall()));
  });
  world().hint();
  ASSERT_TRUE(sim_->drains(5s));
  EXPECT_EQ(pool_of_last_start(), 1U);
  EXPECT_EQ(world().job(id).state, ShownState::succeeded);
}

// Of those that nobody has killed for want of memory none waits for another.
TEST_F(LonePools, LSE_25_AfterAStopAndAtTheirRetriesEachStartsWithinTwoSeconds) {
  constexpr std::size_t slots = 8;
  begin({PoolSettings{"one", 1, {"default"}}}, slots);
  (void)world().enqueue_many({}, slots);
  world().start();
  ASSERT_TRUE(world().run_until([&] { return world().starts.size() == slots; }, 1s));
  later_ = {.run_time = 60s};
  kill_all();
  world().run_for(1ms);
  world().stop();
  ASSERT_TRUE(world().run_until([&] { return world().has_left(); }, 60s));
  EXPECT_EQ(world().count(ShownState::blocked), static_cast<std::int64_t>(slots));
  world().start();
  ASSERT_TRUE(world().run_until([&] { return world().starts.size() == 2 * slots; }, 2s));
}

TEST_F(LonePools, LSE_25_OneThatMayHaveLackedMemoryIsPerformedByItselfAtItsRetryToo) {
  constexpr std::size_t slots = 4;
  begin({PoolSettings{"one", 1, {"default"}}}, slots);
  (void)world().enqueue_many({.attempts_max = 3}, slots);
  world().start();
  ASSERT_TRUE(world().run_until([&] { return world().starts.size() == slots; }, 1s));
  world().lack_memory(true);
  later_ = fails();
  later_.run_time = 60s;  // longer than any wait for a retry: all of them come to be due side by side
  kill_all();
  world().performing_max = 0;
  ASSERT_TRUE(sim_->drains(3600s));
  EXPECT_EQ(world().performing_max, 1);
  EXPECT_GE(world().starts.size(), 3 * slots);
}

// The second crash says what the first one did not.
TEST_F(LonePools, LSE_25_OneThatLacksMemoryOnlyWhenItIsAloneIsPerformedByItselfFromThenOn) {
  begin({PoolSettings{"one", 1, {"default"}}});
  (void)world().enqueue_many({}, 2);
  world().start();
  ASSERT_TRUE(world().run_until([&] { return world().starts.size() == 2; }, 1s));
  later_ = {.run_time = 5s};
  kill_all();
  ASSERT_TRUE(world().run_until([&] { return world().running() == 2; }, 2s));
  world().lack_memory(true);
  kill_all();
  world().run_for(1ms);
  world().performing_max = 0;
  ASSERT_TRUE(sim_->drains(60s));
  EXPECT_EQ(world().performing_max, 1);
}

TEST_F(LonePools, ABrokenProgramIsToldOfAFewTimesASecondHoweverManySuspectsWaitForIt) {
  constexpr std::size_t kJobs = 40;
  auto options = one_pool(1, static_cast<int>(kJobs));
  bool starts = true;
  options.starts = [&](ProcessNumber) { return starts; };
  options.perform = [](const queue::ClaimedJob&) { return Performance{.run_time = 5s}; };
  sim_.emplace(std::move(options));
  (void)world().enqueue_many({}, kJobs);
  world().start();
  ASSERT_TRUE(world().run_until([&] { return world().running() == std::int64_t{kJobs}; }, 1s));
  starts = false;
  kill_all();
  const auto processes_before = moments<StartProcess>(world()).size();
  world().run_for(60s);
  const auto tries = moments<StartProcess>(world()).size() - processes_before;
  ASSERT_GT(tries, 5 * kJobs);
  const std::int64_t lines = told("worker.restart_delayed");
  EXPECT_LE(lines, 60);
  EXPECT_EQ(told("worker.ended"), 0) << "each end is one line, or in the count of one";
  EXPECT_TRUE(std::ranges::any_of(world().notes, [](const Note& note) {
    return note.message.find("more that are not shown") != std::string::npos;
  }));
  starts = true;
  ASSERT_TRUE(sim_->drains(60s));
}

}  // namespace
}  // namespace tenure::daemon
