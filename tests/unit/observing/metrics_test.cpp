#include "simulated.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <observing/metric_table.hpp>
#include <observing/metrics.hpp>
#include <set>
#include <string>

namespace tenure::daemon {
namespace {

using simulation::Performance;

const MetricFamily* family_of(const MetricFamilies& families, const MetricInfo& info) {
  const auto found = std::ranges::find_if(
      families.all(), [&](const MetricFamily& family) { return family.info.name == info.name; });
  return found == families.all().end() ? nullptr : &*found;
}

// Of all points that have these labels, together.
double sum_of(const MetricFamilies& families, const MetricInfo& info, const Labels& labels = {}) {
  double sum = 0;
  if (const MetricFamily* const family = family_of(families, info))
    for (const MetricPoint& point : family->points)
      if (std::ranges::all_of(labels, [&](const auto& label) {
            return std::ranges::find(point.labels, label) != point.labels.end();
          }))
        sum += info.type == MetricType::histogram ? static_cast<double>(point.histogram.count) : point.value;
  return sum;
}

std::set<std::string> values_of(const MetricFamilies& families, const MetricInfo& info,
                                std::string_view label) {
  std::set<std::string> values;
  if (const MetricFamily* const family = family_of(families, info))
    for (const MetricPoint& point : family->points)
      for (const auto& [name, value] : point.labels)
        if (name == label) values.insert(value);
  return values;
}

// A daemon whose every event and action is recorded, and folded by what is tested.
class MetricsTest : public ::testing::Test {
 protected:
  void simulate(simulation::Options options) {
    Metrics::Options metrics_options{.pools = {}, .top_tenants = 3, .version = "1"};
    for (const PoolSettings& pool : options.settings.pools) metrics_options.pools.push_back(pool.name);
    sim_.emplace(std::move(options));
    metrics_.emplace(std::move(metrics_options), now());
    world().on_step = [this](const Event& event, const Actions& actions) {
      metrics_->happened(event, now());
      metrics_->decided(actions, now());
      journal_.emplace_back(event, actions);
    };
    world().start();
    world().run_for(1s);
  }
  simulation::Simulation& world() { return sim_->world; }
  [[nodiscard]] Now now() { return {world().wall(), world().now()}; }
  MetricFamilies collect() { return metrics_->collect(now()); }
  void see_store() {
    StoreSample sample =
        *sample_store(*sim_->store, metrics_->top_tenants(), sim_->world.wall(), [] { return false; });
    sample.at = now().steady;
    metrics_->store_was_seen(std::move(sample));
  }
  // What the journal says of ends, by the word that it has for them.
  std::map<std::string, double> ends_in_journal() {
    std::map<std::string, double> counts;
    std::shared_ptr<const RoundWork> work;
    for (const auto& [event, actions] : journal_) {
      if (const auto* const done = std::get_if<RoundDone>(&event); done != nullptr && work) {
        if (const auto& states = done->reply.answer<EndsPart>())
          for (std::size_t i = 0; i < states->size(); ++i)
            count_end(work->ask<EndsPart>()->at(i), (*states)[i], counts);
        if (const auto& jobs = done->reply.answer<NewJobsPart>())
          counts["enqueued"] += static_cast<double>(jobs->size());
      }
      if (const auto* const ends = std::get_if<AttemptsEnded>(&event))
        for (const AttemptEnd& end : ends->ends)
          if (end.result != RunResult::not_started) ++counts["performed"];
      if (std::holds_alternative<WorkerGone>(event)) ++counts["exits"];
      for (const Action& action : actions)
        if (const auto* const round = std::get_if<RunRound>(&action)) work = round->work;
    }
    return counts;
  }

  std::optional<Simulated> sim_;
  std::optional<Metrics> metrics_;
  std::vector<std::pair<Event, Actions>> journal_;

 private:
  static void count_end(const ClaimEnd& end, const Result<queue::JobState>& state,
                        std::map<std::string, double>& counts) {
    if (!state) return static_cast<void>(++counts["lost"]);
    if (std::holds_alternative<EndReclaim>(end.how)) ++counts["interrupted"];
    if (std::holds_alternative<EndRetry>(end.how)) ++counts["failed"];
    if (*state == queue::JobState::dead && std::holds_alternative<EndFinal>(end.how)) ++counts["failed"];
    if (const auto* const release = std::get_if<EndRelease>(&end.how); release != nullptr && release->started)
      ++counts["released"];
    if (*state == queue::JobState::succeeded) ++counts["succeeded"];
    if (*state == queue::JobState::dead) ++counts["dead"];
  }
};

simulation::Options mixed_pools() {
  simulation::Options options;
  options.seed = 7;
  options.slots = 3;
  options.kinds = {"job", "mail.send", "report.make"};
  options.settings.pools = {PoolSettings{"general", 2, {"default", "mailers"}},
                            PoolSettings{"heavy", 1, {"reports"}}};
  options.settings.node = "test";
  options.perform = [number = std::make_shared<int>(0)](const queue::ClaimedJob& job) {
    Performance performance{.run_time = 20ms};
    const int turn = ++*number;
    if (job.kind == "mail.send" && turn % 3 == 0) {
      performance.result = RunResult::failed;
      performance.failure = {turn % 2 == 0 ? ErrorCode::wrong_tenant : ErrorCode::handler_failed, "no"};
    }
    if (job.kind == "report.make" && turn % 4 == 0) performance.kills_process = true;
    return performance;
  };
  return options;
}

// Whoever looks at the increase of a counter that was not there misses its first count.
TEST_F(MetricsTest, CountersAreThereBeforeTheyAreCounted) {
  simulate(one_pool(1, 1));
  static_cast<void>(world().enqueue({}));
  world().run_for(1s);
  const MetricFamilies families = collect();
  EXPECT_EQ(values_of(families, metric::kWorkerExits, "cause"),
            (std::set<std::string>{"exit_0", "exit", "signal", "not_started", "trouble", "ended_by_daemon"}));
  EXPECT_EQ(sum_of(families, metric::kWorkerExits), 0);
  EXPECT_EQ(values_of(families, metric::kJobsFinal, "state"),
            (std::set<std::string>{"succeeded", "dead", "discarded", "cancelled"}));
  EXPECT_EQ(sum_of(families, metric::kJobsFinal, {{"state", "dead"}}), 0);
  EXPECT_EQ(values_of(families, metric::kAttemptsFinished, "outcome").size(), 6U);
  EXPECT_EQ(values_of(families, metric::kJobsPoison, "kind").size(), 1U);
  EXPECT_TRUE(values_of(families, metric::kTenantRefusals, "error").contains("WrongTenant"));
  EXPECT_TRUE(values_of(families, metric::kStoreErrors, "class").contains("StoreBusy"));
}

TEST_F(MetricsTest, OBS_04_AgreeWithTheJournal) {
  simulate(mixed_pools());
  world().create_tenant("acme");
  const auto enqueue = [&](const std::string& queue, const std::string& kind, std::size_t count) {
    static_cast<void>(
        world().enqueue_many({.tenant = "acme", .queue = queue, .kind = kind, .attempts_max = 2}, count));
  };
  enqueue("default", "job", 40);
  enqueue("mailers", "mail.send", 60);
  enqueue("reports", "report.make", 20);
  world().fail_next_rounds(2);
  ASSERT_TRUE(sim_->drains(std::chrono::hours{10}));
  world().run_for(1s);

  const MetricFamilies families = collect();
  std::map<std::string, double> journal = ends_in_journal();
  const auto finished = [&](const char* outcome) {
    return sum_of(families, metric::kAttemptsFinished, {{"outcome", outcome}});
  };
  for (const char* const outcome : {"succeeded", "failed", "interrupted"}) {
    EXPECT_GT(journal[outcome], 0) << outcome;
    EXPECT_EQ(finished(outcome), journal[outcome]) << outcome;
  }
  EXPECT_EQ(finished("released"), journal["released"]);
  EXPECT_EQ(sum_of(families, metric::kClaimsLost), journal["lost"]);
  EXPECT_EQ(sum_of(families, metric::kClaimsReclaimed, {{"cause", "worker_gone"}}), journal["interrupted"]);
  EXPECT_EQ(sum_of(families, metric::kPerform), journal["performed"]);
  EXPECT_EQ(sum_of(families, metric::kWorkerExits), journal["exits"]);
  EXPECT_EQ(sum_of(families, metric::kStoreErrors), 2);
  // And with the world that the journal is of.
  EXPECT_EQ(sum_of(families, metric::kJobsEnqueued), 120);
  EXPECT_EQ(journal["enqueued"], 120);
  EXPECT_EQ(sum_of(families, metric::kAttemptsStarted), static_cast<double>(world().starts.size()));
  EXPECT_EQ(sum_of(families, metric::kQueueDelay), static_cast<double>(world().starts.size()));
  for (const auto state : {ShownState::succeeded, ShownState::dead})
    EXPECT_EQ(sum_of(families, metric::kJobsFinal, {{"state", std::string{name_of(state)}}}),
              static_cast<double>(world().count(state)));
  EXPECT_EQ(sum_of(families, metric::kJobsEnqueued, {{"queue", "mailers"}, {"kind", "mail.send"}}), 60);
  EXPECT_GT(sum_of(families, metric::kTenantRefusals, {{"error", "WrongTenant"}}), 0);
  EXPECT_EQ(sum_of(families, metric::kSlots, {{"state", "performing"}}), 0);
  EXPECT_EQ(sum_of(families, metric::kSlots, {{"pool", "general"}, {"state", "idle"}}), 6);
  EXPECT_EQ(sum_of(families, metric::kWorkers, {{"pool", "heavy"}, {"state", "ready"}}), 1);
}

TEST_F(MetricsTest, TicksAreCountedByWhatBecameOfThem) {
  auto options = one_pool(1, 1);
  options.perform = [](const queue::ClaimedJob&) { return Performance{.run_time = 150s}; };
  queue::DeclaredSchedule minutely;
  minutely.entry.name = "minutely";
  minutely.entry.kind = "job";
  minutely.entry.rule.every = 1min;
  queue::DeclaredSchedule gone = minutely;
  gone.entry.name = "gone";
  gone.entry.scope = queue::ScheduleScope::tenant;
  gone.entry.tenant = "dodo";
  options.settings.schedules = {minutely, gone};
  simulate(std::move(options));
  world().run_for(10min);
  const MetricFamilies families = collect();
  const auto ticks = [&](const char* schedule, const char* result) {
    return sum_of(families, metric::kScheduleTicks, {{"schedule", schedule}, {"result", result}});
  };
  EXPECT_EQ(ticks("minutely", "fired") + ticks("minutely", "overlap"), 10);
  EXPECT_GE(ticks("minutely", "fired"), 3);
  EXPECT_GE(ticks("minutely", "overlap"), 5);
  EXPECT_EQ(ticks("gone", "tenant"), 10);
  EXPECT_EQ(sum_of(families, metric::kScheduleLag), 20);
}

TEST_F(MetricsTest, SlotsPerformWhileJobsRun) {
  auto options = one_pool(2, 3);
  options.perform = [](const queue::ClaimedJob&) { return Performance{.run_time = 1h}; };
  simulate(std::move(options));
  static_cast<void>(world().enqueue_many({}, 50));
  world().run_for(1s);
  EXPECT_EQ(sum_of(collect(), metric::kSlots, {{"state", "performing"}}), 6);
  EXPECT_EQ(sum_of(collect(), metric::kAttemptsStarted), 6) << "and not what is assigned ahead";
}

TEST_F(MetricsTest, ClaimsOfADaemonThatHasDiedAreCounted) {
  auto options = one_pool(1, 2);
  options.perform = [](const queue::ClaimedJob&) { return Performance{.run_time = 1h}; };
  simulate(std::move(options));
  static_cast<void>(world().enqueue_many({}, 2));
  world().run_for(1s);
  world().reboot();
  metrics_.emplace(Metrics::Options{.pools = {"default"}}, now());
  world().start();
  world().run_for(1s);
  EXPECT_EQ(sum_of(collect(), metric::kClaimsReclaimed, {{"cause", "daemon_gone"}}), 2);
}

TEST_F(MetricsTest, ThePoolsAreThoseThatTheLockWasTakenWith) {
  Metrics metrics({.pools = {"default"}}, {});
  metrics.lock_taken({"default", "added"});
  const auto process = ProcessNumber{1};
  metrics.decided({StartProcess{.process = process, .pool = 1}}, {});
  EXPECT_EQ(sum_of(metrics.collect({}), metric::kWorkers, {{"pool", "added"}}), 1);
  metrics.happened(WorkerGone{.process = process, .cause = "exit 1"}, {});
  EXPECT_EQ(sum_of(metrics.collect({}), metric::kWorkerExits, {{"pool", "added"}}), 1);
}

TEST_F(MetricsTest, OBS_05_TheOldestIsDueAndNeitherHeldNorPausedNorBlockedNorRunning) {
  auto options = one_pool(1, 1);
  options.settings.pools = {PoolSettings{"default", 1, {"default", "idle"}}};
  options.kinds = {"job", "newer"};
  options.perform = [](const queue::ClaimedJob& job) {
    Performance performance{.run_time = 10h};
    if (job.kind == "newer")
      performance = {.result = RunResult::failed, .failure = {ErrorCode::newer_envelope, "no"}};
    return performance;
  };
  simulate(std::move(options));
  world().create_tenant("asleep", false);
  world().create_tenant("paused");
  queue::set_tenant_state_for_test(*sim_->store, TenantName{"paused"}, TenantState::paused);
  const auto oldest_of = [&](const std::string& queue) {
    see_store();
    return sum_of(collect(), metric::kQueueOldest, {{"queue", queue}});
  };
  const queue::JobId blocked = world().enqueue({.kind = "newer"});
  world().run_for(5s);
  ASSERT_EQ(world().job(blocked).state, ShownState::blocked);
  static_cast<void>(world().enqueue({}));  // runs from now on
  world().run_for(5s);
  static_cast<void>(world().enqueue({.tenant = "paused"}));
  static_cast<void>(world().enqueue({.tenant = "asleep"}));    // its tenant may not be claimed
  static_cast<void>(world().enqueue({.kind = "unheard.of"}));  // nobody performs it
  static_cast<void>(world().enqueue({.due_in = 1h}));          // is not due
  world().run_for(10s);
  EXPECT_EQ(oldest_of("default"), 0) << "none of them waits for a slot";
  static_cast<void>(world().enqueue({}));
  world().run_for(30s);
  static_cast<void>(world().enqueue({}));
  world().run_for(30s);
  EXPECT_NEAR(oldest_of("default"), 60, 0.1);
  EXPECT_EQ(sum_of(collect(), metric::kJobs, {{"queue", "default"}, {"state", "held"}}), 3)
      << "a blocked one is not";
  for (const char* const reason : {"tenant_not_ready", "tenant_paused"})
    EXPECT_EQ(sum_of(collect(), metric::kJobsHeld, {{"reason", reason}}), 1) << reason;
  EXPECT_EQ(sum_of(collect(), metric::kJobsHeld, {{"reason", "kind_unknown"}}), 1);
  world().run_for(10s);
  EXPECT_NEAR(sum_of(collect(), metric::kQueueOldest, {{"queue", "default"}}), 70, 0.1)
      << "it ages between two looks";
  EXPECT_NEAR(sum_of(collect(), metric::kSampleAge), 10, 0.1);
}

TEST_F(MetricsTest, QuietPoolsAreThoseThatOperatorsAskedFor) {
  Metrics metrics({.pools = {"default", "heavy"}}, {});
  const auto quiet = [&](const char* pool) {
    return sum_of(metrics.collect({}), metric::kPoolQuiet, {{"pool", pool}});
  };
  metrics.happened(QuietAsked{.pool = 1}, {});
  EXPECT_EQ(quiet("default"), 0);
  EXPECT_EQ(quiet("heavy"), 1);
  metrics.happened(QuietAsked{}, {});
  EXPECT_EQ(quiet("default"), 1);
  metrics.happened(ResumeAsked{}, {});
  EXPECT_EQ(quiet("default") + quiet("heavy"), 0);
}

TEST_F(MetricsTest, ALookThatIsGivenUpAsksNothingFurther) {
  simulate(one_pool(1, 1));
  for (const int asked : {0, 1, 2}) {
    int left = asked;
    EXPECT_FALSE(sample_store(*sim_->store, {}, sim_->world.wall(), [&] { return left-- == 0; })) << asked;
  }
}

TEST_F(MetricsTest, AQueueThatNoPoolListsIsSaid) {
  simulate(one_pool(1, 1));
  static_cast<void>(world().enqueue({.queue = "exports"}));
  world().run_for(5s);
  see_store();
  EXPECT_EQ(sum_of(collect(), metric::kQueueWithoutPool, {{"queue", "exports"}}), 1);
  EXPECT_EQ(sum_of(collect(), metric::kJobsHeld, {{"reason", "queue_without_pool"}}), 1);
}

TEST_F(MetricsTest, WhatASweepOfOutboxesHasSeenIsTold) {
  simulate(one_pool(1, 1));
  EXPECT_EQ(sum_of(collect(), metric::kOutboxOldest), 0);
  metrics_->swept({.marked_files = 3,
                   .files_in_trouble = 2,
                   .oldest_wait = now().wall - 90s,
                   .rows_taken_over = 17,
                   .rows_missing = 4});
  const MetricFamilies families = collect();
  EXPECT_EQ(sum_of(families, metric::kOutboxMarked), 3);
  EXPECT_EQ(sum_of(families, metric::kOutboxTrouble), 2);
  EXPECT_EQ(sum_of(families, metric::kOutboxOldest), 90);
  EXPECT_EQ(sum_of(families, metric::kOutboxRows), 17);
  EXPECT_EQ(sum_of(families, metric::kOutboxMissing), 4);
}

std::string numbered(const char* front, int number) { return front + std::to_string(number); }

TEST_F(MetricsTest, OBS_06_QueuesAndKindsBeyondTwoHundredAreOne) {
  auto options = one_pool(1, 8);
  std::vector<std::string> queues;
  options.kinds.clear();
  for (int i = 0; i < 230; ++i) {
    queues.push_back(numbered("queue-", i));
    options.kinds.push_back(numbered("kind.n", i));
  }
  options.settings.pools = {PoolSettings{"default", 1, queues}};
  std::ranges::sort(options.kinds);
  simulate(std::move(options));
  for (int i = 0; i < 230; ++i)
    static_cast<void>(
        world().enqueue({.queue = queues[static_cast<std::size_t>(i)], .kind = numbered("kind.n", i)}));
  ASSERT_TRUE(sim_->drains(60s));
  see_store();
  const MetricFamilies families = collect();
  for (const MetricInfo& info :
       {metric::kJobsEnqueued, metric::kQueueDelay, metric::kJobs, metric::kQueueOldest})
    EXPECT_EQ(values_of(families, info, "queue").size(), LabelBound::kMax + 1) << info.name;
  EXPECT_EQ(values_of(families, metric::kPerform, "kind").size(), LabelBound::kMax + 1);
  EXPECT_EQ(sum_of(families, metric::kJobsEnqueued), 230) << "none is lost";
  EXPECT_EQ(sum_of(families, metric::kJobsEnqueued, {{"queue", "_other"}, {"kind", "_other"}}), 30);
  EXPECT_GE(sum_of(families, metric::kLabelsFolded), 60);
}

TEST_F(MetricsTest, TheTopTenantsAreThoseThatUsedMostSlotTimeInTheLastMinute) {
  auto options = one_pool(1, 4);
  options.perform = [](const queue::ClaimedJob& job) {
    return Performance{.run_time = job.tenant && job.tenant->text() == "large" ? 8s : 2s};
  };
  simulate(std::move(options));
  for (const char* const name : {"large", "small", "tiny", "late", "idle"}) world().create_tenant(name);
  metrics_->ticked({}, now());
  static_cast<void>(world().enqueue_many({.tenant = "large"}, 4));
  static_cast<void>(world().enqueue_many({.tenant = "small"}, 3));
  static_cast<void>(world().enqueue_many({.tenant = "tiny"}, 2));
  static_cast<void>(world().enqueue_many({.tenant = "late"}, 1));
  world().run_for(58s);
  metrics_->ticked({}, now());
  EXPECT_EQ(metrics_->top_tenants().size(), 0U) << "the first minute is not over";
  world().run_for(1s);
  metrics_->ticked({}, now());
  const MetricFamilies families = collect();
  EXPECT_EQ(values_of(families, metric::kTopSlotRatio, "tenant"),
            (std::set<std::string>{"large", "small", "tiny"}));
  EXPECT_NEAR(sum_of(families, metric::kTopSlotRatio, {{"tenant", "large"}}), 32.0 / 44, 0.01);
  world().run_for(60s);
  metrics_->ticked({}, now());
  EXPECT_EQ(values_of(collect(), metric::kTopSlotRatio, "tenant").size(), 0U) << "chosen anew";
}

TEST_F(MetricsTest, OBS_06_AHundredThousandTenantsAreNoLabels) {
  simulate(one_pool(1, 4));
  constexpr int kTenants = 100'000;
  for (int i = 0; i < kTenants; ++i) world().create_tenant(numbered("tenant-", i));
  // All of them in one minute, as the dispatcher would tell it.
  metrics_->decided({StartProcess{ProcessNumber{99}, 0}}, now());
  metrics_->happened(
      WorkerReady{.process = ProcessNumber{99}, .slots = kTenants, .kinds = {}, .default_queues = {}}, now());
  for (int i = 0; i < kTenants; ++i) {
    queue::ClaimedJob job;
    job.seq = queue::JobSeq{1'000'000 + i};
    job.lane = {queue::QueueNumber{1}, queue::Priority{0}, TenantNumber{i + 1}, queue::KindNumber{1}};
    job.tenant = value_or_raise(TenantName::parse(numbered("tenant-", i)));
    metrics_->decided({Assign{ProcessNumber{99}, {std::move(job)}}}, now());
  }
  world().run_for(61s);
  metrics_->ticked({}, now());
  see_store();
  std::size_t points = 0;
  std::set<std::string> tenants;
  const MetricFamilies families = collect();
  for (const MetricFamily& family : families.all()) {
    points += family.points.size();
    const bool may_name_tenants = family.info.name.starts_with("tenure_top_tenant_");
    for (const MetricPoint& point : family.points)
      for (const auto& [name, value] : point.labels) {
        EXPECT_TRUE(name != "tenant" || may_name_tenants) << family.info.name;
        EXPECT_TRUE(may_name_tenants || !value.starts_with("tenant-")) << family.info.name << ' ' << value;
        if (name == "tenant") tenants.insert(value);
      }
  }
  EXPECT_EQ(tenants.size(), 3U);
  EXPECT_LT(points, 100U);
  EXPECT_EQ(sum_of(families, metric::kTenants, {{"state", "active"}}), kTenants);
}

}  // namespace
}  // namespace tenure::daemon
