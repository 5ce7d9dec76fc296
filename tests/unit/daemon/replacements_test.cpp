#include "simulated.hpp"
#include "stepper.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace tenure::daemon {
namespace {

struct Replacing : Simulated {
  explicit Replacing(simulation::Options options) : Simulated(std::move(options)) {
    world.create_tenant("acme");
    world.start();
    world.run_for(50ms);
  }
  // None of them is charged or was begun a second time.
  [[nodiscard]] bool ended_undisturbed(const std::vector<queue::JobId>& jobs) {
    return drains(1h) && world.starts.size() == jobs.size() &&
           std::ranges::all_of(jobs, [&](const queue::JobId& id) { return world.job(id).crashes == 0; });
  }
};

simulation::Options slow_jobs(int processes, int slots, std::chrono::microseconds run_time = 300ms) {
  auto options = one_pool(processes, slots);
  options.perform = [=](const queue::ClaimedJob&) { return simulation::Performance{.run_time = run_time}; };
  return options;
}

TEST(Replacements, STP_10_ProcessesOfANewProgramTakeTheirPlacesOneByOneAndRunningJobsEndInTheOldOnes) {
  Replacing sim(slow_jobs(3, 1));
  const auto jobs = sim->enqueue_many({.tenant = "acme"}, 3);
  sim->run_for(20ms);
  ASSERT_EQ(sim->running(), 3);
  std::int64_t together_max = 0;
  sim->reload(3, true);
  for (int look = 0; look < 200; ++look) {
    sim->run_for(500us);
    together_max = std::max(together_max, static_cast<std::int64_t>(sim->live_workers().size()));
  }
  EXPECT_EQ(together_max, 6) << "the old ones still perform";
  EXPECT_EQ(processes_of<Drain>(sim.world),
            (std::vector{ProcessNumber{1}, ProcessNumber{2}, ProcessNumber{3}}));
  EXPECT_TRUE(sim.ended_undisturbed(jobs));
  sim->run_for(1s);
  EXPECT_EQ(sim->live_workers(), (std::vector{ProcessNumber{4}, ProcessNumber{5}, ProcessNumber{6}}));
  EXPECT_EQ(processes_of<EndProcess>(sim.world).size(), 0U);
}

TEST(Replacements, STP_10_TheNextOneIsStartedOnceTheOneBeforeHasSaidHello) {
  Stepper stepper(one_pool(2, 1).settings);
  stepper.step(Started{});
  for (int process : {1, 2}) stepper.step(WorkerReady{ProcessNumber{process}, 1, {"job"}});
  const Reconfigured reload{.pools = {{.processes = 2, .is_new = true}}};
  EXPECT_EQ(find<StartProcess>(stepper.step(reload))->process, ProcessNumber{3});
  EXPECT_FALSE(find<StartProcess>(stepper.step(TimePassed{})));
  const Actions came = stepper.step(WorkerReady{ProcessNumber{3}, 1, {"job"}});
  EXPECT_EQ(find<Drain>(came)->process, ProcessNumber{1});
  EXPECT_EQ(find<StartProcess>(came)->process, ProcessNumber{4});
}

TEST(Replacements, STP_10_AProgramThatDoesNotStartTakesNobodysPlace) {
  auto options = slow_jobs(2, 1);
  options.starts = [](ProcessNumber process) { return process.value <= 2; };
  Replacing sim(options);
  sim->reload(2, true);
  const auto jobs = sim->enqueue_many({.tenant = "acme"}, 10);
  EXPECT_TRUE(sim.ended_undisturbed(jobs));
  EXPECT_EQ(sim->live_workers(), (std::vector{ProcessNumber{1}, ProcessNumber{2}}));
  EXPECT_TRUE(processes_of<Drain>(sim.world).empty());
}

TEST(Replacements, ASecondReloadReplacesThoseOfTheFirst) {
  Replacing sim(slow_jobs(2, 1));
  sim->reload(2, true);
  sim->run_for(2ms);  // the first successor is on its way
  sim->reload(2, true);
  sim->run_for(2s);
  EXPECT_EQ(sim->live_workers().size(), 2U);
  for (const ProcessNumber process : sim->live_workers())
    EXPECT_GT(process.value, 3) << "read before the second";
}

TEST(Replacements, STP_09_AReloadWithoutNewsStartsAndEndsNothing) {
  Replacing sim(slow_jobs(2, 1));
  const std::size_t before = sim->control.size();
  sim->reload(2, false);
  sim->run_for(2s);
  EXPECT_EQ(sim->control.size(), before);
}

TEST(Replacements, STP_09_MoreProcessesStartAtOnceAndFewerEndWhenTheirJobsHave) {
  Replacing sim(slow_jobs(2, 1));
  sim->reload(4, false);
  const auto jobs = sim->enqueue_many({.tenant = "acme"}, 4);
  sim->run_for(50ms);
  EXPECT_EQ(sim->running(), 4);
  sim->reload(1, false);
  sim->run_for(50ms);
  EXPECT_EQ(sim->running(), 4) << "nobody is interrupted";
  EXPECT_TRUE(sim.ended_undisturbed(jobs));
  sim->run_for(2s);
  EXPECT_EQ(sim->live_workers(), std::vector{ProcessNumber{1}});
  sim->reload(2, false);
  sim->run_for(2s);
  EXPECT_EQ(sim->live_workers().size(), 2U) << "a place may be opened again";
}

TEST(Replacements, ThoseThatStartByTheReloadAreNotReplacedByIt) {
  Replacing sim(slow_jobs(1, 1));
  sim->reload(3, true);
  sim->run_for(2s);
  EXPECT_EQ(processes_of<StartProcess>(sim.world).size(), 1U + 2U + 1U);
  EXPECT_EQ(processes_of<Drain>(sim.world), std::vector{ProcessNumber{1}});
}

TEST(Replacements, STP_09_TheNewDeadlineIsThatOfTheNextStop) {
  Replacing sim(slow_jobs(1, 1, 1h));
  (void)sim->enqueue({.tenant = "acme"});
  sim->run_for(50ms);
  sim->reload(Reconfigured{.stop_deadline = 700ms, .pools = {{.processes = 1}}});
  const Instant asked = sim->now();
  sim->stop();
  ASSERT_TRUE(sim->run_until([&] { return sim->has_left(); }, 10s));
  EXPECT_GE(sim->now() - asked, 700ms);
  EXPECT_LT(sim->now() - asked, 1700ms);
}

TEST(Replacements, STP_11_AWorkerThatIsToldToEndDrainsIsReplacedAndNothingIsCharged) {
  Replacing sim(slow_jobs(1, 2));
  const auto jobs = sim->enqueue_many({.tenant = "acme"}, 6);
  sim->run_for(20ms);
  ASSERT_EQ(sim->running(), 2);
  sim->tell_worker_to_end(ProcessNumber{1});
  sim->tell_worker_to_end(ProcessNumber{1});
  sim->run_for(30ms);
  EXPECT_EQ(sim->live_workers(), (std::vector{ProcessNumber{1}, ProcessNumber{2}}));
  EXPECT_EQ(sim->running(), 4) << "the other one performs meanwhile";
  EXPECT_TRUE(sim.ended_undisturbed(jobs));
  sim->run_for(2s);
  EXPECT_EQ(sim->live_workers(), std::vector{ProcessNumber{2}});
  for (const auto& id : jobs) EXPECT_EQ(sim->job(id).failures, 0);
}

TEST(Replacements, ASuccessorThatDiesIsStartedAgainAlsoOnceTheFormerHasGone) {
  auto options = slow_jobs(1, 1, 100ms);
  options.starts = [](ProcessNumber process) { return process.value == 1 || process.value > 3; };
  Replacing sim(options);
  sim->tell_worker_to_end(ProcessNumber{1});
  sim->run_for(5s);
  EXPECT_EQ(sim->live_workers(), std::vector{ProcessNumber{4}});
}

TEST(Replacements, ACrashOfTheFormerOneStartsNoOtherSuccessor) {
  Replacing sim(slow_jobs(1, 1));
  (void)sim->enqueue({.tenant = "acme"});
  sim->run_for(20ms);
  sim->reload(1, true);
  sim->run_for(20ms);
  sim->kill_worker(ProcessNumber{1});
  sim->run_for(2s);
  EXPECT_EQ(sim->live_workers(), std::vector{ProcessNumber{2}});
  EXPECT_EQ(processes_of<StartProcess>(sim.world).size(), 3U) << "the job was performed alone in the third";
}

TEST(Replacements, RUN_17_AProcessThatHasPerformedEnoughIsReplacedOneAtATimeAndNoJobIsInterrupted) {
  auto options = slow_jobs(2, 2, 10ms);
  options.settings.pools[0].jobs_max = 20;
  Replacing sim(options);
  const auto jobs = sim->enqueue_many({.tenant = "acme"}, 400);
  std::size_t together_max = 0;
  for (int look = 0; look < 20'000 && !sim->is_idle(); ++look) {
    sim->run_for(500us);
    const auto live = sim->live_workers();
    together_max = std::max(together_max, live.size());
  }
  EXPECT_TRUE(sim.ended_undisturbed(jobs));
  EXPECT_GE(processes_of<Drain>(sim.world).size(), 10U);
  EXPECT_LE(together_max, 4U) << "one successor, and those that end";
  EXPECT_TRUE(processes_of<EndProcess>(sim.world).empty());
}

TEST(Replacements, RUN_17_AProcessThatHasGrownTooLargeIsReplaced) {
  auto options = slow_jobs(2, 1, 10ms);
  options.settings.ping_max = 600ms;
  options.settings.pools[0].memory_max = 1000;
  Replacing sim(options);
  const auto jobs = sim->enqueue_many({.tenant = "acme"}, 20);
  sim->set_memory(1000);
  sim->run_for(1s);
  EXPECT_TRUE(processes_of<Drain>(sim.world).empty()) << "at the bound";
  sim->set_memory(1001);
  sim->run_for(2s);
  EXPECT_EQ(sim->live_workers(), (std::vector{ProcessNumber{3}, ProcessNumber{4}}))
      << "and not again and again, since those have done nothing";
  EXPECT_TRUE(sim.ended_undisturbed(jobs));
}

TEST(Replacements, STP_10_ProcessesOfAProgramThatWasReplacedMakeRoomAndNoOthers) {
  Replacing sim(slow_jobs(3, 1));
  sim->reload(Reconfigured{.pools = {{.processes = 3}}, .of_old_programs = {ProcessNumber{2}}});
  sim->run_for(2s);
  EXPECT_EQ(sim->live_workers(), (std::vector{ProcessNumber{1}, ProcessNumber{3}, ProcessNumber{4}}));
}

TEST(Replacements, AProcessThatIsReplacedBeforeItsHelloStaysUntilItsSuccessorIsThere) {
  Stepper stepper;
  stepper.step(Started{});
  EXPECT_EQ(
      find<StartProcess>(stepper.step(Reconfigured{.pools = {{.processes = 1, .is_new = true}}}))->process,
      ProcessNumber{2});
  EXPECT_FALSE(find<Drain>(stepper.step(WorkerReady{ProcessNumber{1}, 1, {"job"}})));
  const Actions came = stepper.step(WorkerReady{ProcessNumber{2}, 1, {"job"}});
  ASSERT_TRUE(find<Drain>(came));
  EXPECT_EQ(find<Drain>(came)->process, ProcessNumber{1});
}

TEST(Replacements, AProgramThatDoesNotStartHoldsUpItsOwnPoolOnly) {
  auto options = slow_jobs(1, 1, 10ms);
  options.settings.pools = {PoolSettings{"broken", 1, {"default"}}, PoolSettings{"sound", 1, {"default"}}};
  options.starts = [](ProcessNumber process) { return process.value % 2 == 0 || process.value == 1; };
  Replacing sim(options);
  sim->reload(Reconfigured{.pools = {{.processes = 1, .is_new = true}, {.processes = 1, .is_new = true}}});
  sim->run_for(30s);
  EXPECT_FALSE(processes_of<Drain>(sim.world).empty());
  EXPECT_EQ(processes_of<Drain>(sim.world).front(), ProcessNumber{2}) << "of the pool that can";
}

TEST(Replacements, NobodyIsReplacedDuringAStop) {
  Replacing sim(slow_jobs(2, 1));
  const auto jobs = sim->enqueue_many({.tenant = "acme"}, 2);
  sim->run_for(20ms);
  sim->stop();
  sim->reload(3, true);
  sim->tell_worker_to_end(ProcessNumber{1});
  ASSERT_TRUE(sim->run_until([&] { return sim->has_left(); }, 10s));
  EXPECT_EQ(processes_of<StartProcess>(sim.world).size(), 2U);
  for (const auto& id : jobs) EXPECT_EQ(sim->job(id).state, ShownState::succeeded);
}

TEST(Replacements, STP_12_ADescriptionNamesEachProcessAndAsksIt) {
  Stepper stepper(one_pool(2, 1).settings);
  stepper.step(Started{});
  stepper.step(WorkerReady{ProcessNumber{1}, 1, {"job"}});
  const Actions actions = stepper.step(DescriptionAsked{});
  std::vector<std::string> lines;
  for (const Action& action : actions) {
    if (const auto* const note = std::get_if<Note>(&action)) lines.push_back(note->message);
  }
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[1],
            "The worker process takes jobs, performs 0 jobs in 1 slots, holds 0 ahead, and has performed 0.");
  EXPECT_EQ(lines[2], "The worker process has not said hello yet.");
  EXPECT_EQ(find<Describe>(actions)->process, ProcessNumber{1});
}

}  // namespace
}  // namespace tenure::daemon
