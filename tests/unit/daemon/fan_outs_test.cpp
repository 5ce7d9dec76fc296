#include "fan_outs.hpp"

#include "simulated.hpp"

#include <tenure/queue/fan_out.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

// Fan-outs in the whole dispatcher: that each tenant gets its job, once and at its pace, whatever happens to it.
namespace tenure::daemon {
namespace {

using simulation::Performance;
using std::chrono::microseconds;
using ::testing::Contains;
using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct FanningOut : Simulated {
  explicit FanningOut(simulation::Options options) : Simulated(std::move(options)) {
    world.on_step = [this](const Event&, const Actions& actions) {
      for (const Action& action : actions)
        if (const auto* const assign = std::get_if<Assign>(&action))
          for (const queue::ClaimedJob& job : assign->jobs) claimed_at[job.token] = world.now();
    };
  }

  void create_tenants(int count) {
    for (int tenant = 0; tenant < count; ++tenant) world.create_tenant("t" + std::to_string(tenant));
  }
  [[nodiscard]] queue::FanOutRecord fan_out(BatchId id) {
    std::optional<queue::FanOutRecord> found;
    store->read([&](queue::JobReader& reader) { found = reader.fan_outs().fan_out(id); });
    return found.value();
  }
  [[nodiscard]] bool completes(BatchId id, microseconds bound) {
    return world.run_until([&] { return fan_out(id).batch.completed.has_value(); }, bound);
  }
  // How many jobs of it each tenant has.
  [[nodiscard]] std::map<std::string, int> jobs_of(BatchId id) {
    std::map<std::string, int> count;
    store->read([&](queue::JobReader& reader) {
      for (const queue::FanOutJob& job :
           reader.fan_outs().jobs(id, queue::FanOutJobs::all, queue::JobSeq{0}, 100'000))
        ++count[job.tenant->text()];
    });
    return count;
  }
  // When its jobs were claimed, each for the run that was its first one; in order.
  [[nodiscard]] std::vector<Instant> first_starts() {
    std::vector<Instant> moments;
    std::set<queue::JobId> seen;
    for (const simulation::Start& start : world.starts)
      if (!start.tenant.empty() && seen.insert(start.id).second)
        moments.push_back(claimed_at.at(start.token));
    std::ranges::sort(moments);
    return moments;
  }
  [[nodiscard]] static std::size_t most_in(const std::vector<Instant>& moments, microseconds window) {
    std::size_t most = 0;
    std::size_t first = 0;
    for (std::size_t last = 0; last < moments.size(); ++last) {
      while (moments[first] + window <= moments[last]) ++first;
      most = std::max(most, last - first + 1);
    }
    return most;
  }
  [[nodiscard]] std::vector<std::string> events() {
    std::vector<std::string> names;
    for (const Note& note : world.notes) names.push_back(note.event);
    return names;
  }

  std::map<queue::ClaimToken, Instant> claimed_at;
};

TEST(FanOuts, EveryTenantHasItsJobAndTheEndItsCallbacks) {
  FanningOut sim(one_pool(1, 4));
  sim.create_tenants(500);
  sim->start();
  sim->run_for(50ms);
  const BatchId id = sim->start_fan_out("job");
  ASSERT_TRUE(sim.completes(id, 1min));
  EXPECT_THAT(sim.jobs_of(id), SizeIs(500));
  ASSERT_TRUE(sim.drains(1min));
  EXPECT_EQ(sim->callbacks, 2);
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
  EXPECT_THAT(sim.events(), Contains("fanout.visited"));
}

TEST(FanOuts, FAN_07_WithoutTenantsItSucceedsAndItsCallbackRunsOnceWithoutMembers) {
  FanningOut sim(one_pool(1, 4));
  sim->start();
  sim->run_for(50ms);
  const BatchId id = sim->start_fan_out("job");
  ASSERT_TRUE(sim.completes(id, 1min));
  ASSERT_TRUE(sim.drains(1min));
  sim->run_for(10s);
  const queue::FanOutRecord record = sim.fan_out(id);
  EXPECT_EQ(record.state(), queue::FanOutState::complete);
  EXPECT_TRUE(record.batch.succeeded.has_value());
  EXPECT_EQ(record.batch.counts, queue::BatchCounts{});
  EXPECT_THAT(sim->starts, SizeIs(2)) << "its jobs for complete and for success";
  for (const auto& callback : {record.batch.on_complete, record.batch.on_success})
    EXPECT_EQ(std::ranges::count(sim->starts, callback->job, &simulation::Start::id), 1);
}

TEST(FanOuts, ManyTenantsKeepNoOtherWorkBack) {
  FanningOut sim(one_pool(1, 4));
  sim.create_tenants(3000);
  sim->start();
  sim->run_for(50ms);
  const BatchId first = sim->start_fan_out("job");
  const BatchId second = sim->start_fan_out("job");
  ASSERT_TRUE(sim->run_until([&] { return sim.fan_out(first).made > 0; }, 1s));
  const auto rounds = sim->rounds;
  const auto urgent = sim->enqueue({.priority = -10});
  ASSERT_TRUE(sim->run_until([&] { return sim->job(urgent).started.has_value(); }, 1s));
  EXPECT_LE(sim->rounds - rounds, 4) << "the rounds that visit tenants carry other work";
  EXPECT_LT(sim.fan_out(first).visited, 3000);
  ASSERT_TRUE(sim->run_until([&] { return sim.fan_out(first).visited == 3000; }, 1min));
  EXPECT_GT(sim.fan_out(second).visited, 2000) << "in turns";
}

TEST(FanOuts, ADispatcherThatDiesAnywhereIsFollowedByOneThatGoesOn) {
  for (int cut = 0; cut < 1500; cut += 111) {
    FanningOut sim(one_pool(1, 4));
    sim.create_tenants(1000);
    sim->start();
    sim->run_for(50ms);
    const BatchId id = sim->start_fan_out("job");
    sim->run_for(microseconds{cut});
    sim->crash_dispatcher();
    sim->start();
    ASSERT_TRUE(sim.completes(id, 1min)) << cut;
    const auto count = sim.jobs_of(id);
    EXPECT_THAT(count, SizeIs(1000)) << cut;
    EXPECT_TRUE(std::ranges::all_of(count, [](const auto& one) { return one.second == 1; })) << cut;
    ASSERT_TRUE(sim.drains(1min));
    EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
  }
}

// Slots that are too few, so that jobs gather; worker processes and dispatchers that die; and pauses behind which they all wait.
TEST(FanOuts, FAN_04_NoSecondHasMoreStartsThanTheRateAndTheWindowIsUsedEvenly) {
  for (const int starts : {1, 7, 40}) {
    simulation::Options options = one_pool(2, 2);
    options.perform = [](const queue::ClaimedJob& job) {
      return Performance{.run_time = job.seq.value % 5 == 0 ? 300ms : 2ms};
    };
    FanningOut sim(options);
    sim.create_tenants(30 * starts);
    sim->start();
    sim->run_for(50ms);
    const BatchId id = sim->start_fan_out("job", {}, StartRate{.starts = starts});
    for (int second = 0; second < 20; ++second) {
      sim->run_for(1s);
      const auto workers = sim->live_workers();
      if (second % 5 == 1 && !workers.empty()) sim->kill_worker(workers.front());
      if (second % 7 == 3) {
        sim->crash_dispatcher();
        sim->run_for(2s);
        sim->start();
      }
      const bool is_paused = second % 6 == 4;
      if (is_paused || second % 6 == 5)
        sim.store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
          if (is_paused)
            static_cast<void>(
                writer.pause({.scope = queue::PauseScope::queue, .name = "default"}, sim->wall()));
          else static_cast<void>(writer.resume(queue::PauseScope::queue, "default"));
        });
      sim->hint();
    }
    ASSERT_TRUE(sim.completes(id, 1h)) << starts;
    const auto moments = sim.first_starts();
    EXPECT_THAT(moments, SizeIs(static_cast<std::size_t>(30 * starts)));
    EXPECT_EQ(sim.most_in(moments, 1s), static_cast<std::size_t>(starts)) << "and no less than allowed";
  }
  constexpr int kTenants = 600;
  FanningOut sim(one_pool(1, 4));
  sim.create_tenants(kTenants);
  sim->start();
  sim->run_for(50ms);
  const Instant begin = sim->now();
  const BatchId id = sim->start_fan_out("job", 10min);
  ASSERT_TRUE(sim.completes(id, 11min));
  std::map<std::int64_t, int> of_minute;
  for (const Instant moment : sim.first_starts()) ++of_minute[(moment - begin) / 1min];
  EXPECT_THAT(of_minute, SizeIs(10));
  for (const auto& [minute, count] : of_minute) EXPECT_NEAR(count, kTenants / 10, 2) << minute;
  EXPECT_EQ(sim.most_in(sim.first_starts(), 100ms), 2U) << "and not together";
}

TEST(FanOuts, ARateAndAWindowHoldTogether) {
  FanningOut sim(one_pool(1, 4));
  sim.create_tenants(100);
  sim->start();
  sim->run_for(50ms);
  const Instant begin = sim->now();
  const BatchId id = sim->start_fan_out("job", 10s, StartRate{.starts = 5});
  ASSERT_TRUE(sim.completes(id, 5min));
  EXPECT_LE(sim.most_in(sim.first_starts(), 1s), 5U);
  EXPECT_GE(sim.first_starts().back() - begin, 19s);
  EXPECT_LE(sim.first_starts().back() - begin, 25s);
}

TEST(FanOuts, JobsThatAreCancelledBeforeTheyStartLeaveRoomForOthers) {
  FanningOut sim(one_pool(1, 4));
  sim.create_tenants(10);
  sim->start();
  sim->run_for(50ms);
  sim.store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    static_cast<void>(value_or_raise(
        writer.enqueue({.id = queue::JobId{Uuid::parse("019cadff-0000-7000-8000-000000000001").value()},
                        .queue = "default",
                        .kind = "job",
                        .due = sim->wall(),
                        .attempts_max = 1,
                        .arguments = "{}"},
                       sim->wall())));
    static_cast<void>(writer.pause({.scope = queue::PauseScope::queue, .name = "default"}, sim->wall()));
  });
  sim->hint();
  const BatchId id = sim->start_fan_out("job", {}, StartRate{.starts = 2});
  sim->run_for(10s);
  EXPECT_EQ(sim.fan_out(id).made, 2) << "which wait";
  std::vector<queue::FanOutJob> waiting;
  sim.store->read([&](queue::JobReader& reader) {
    waiting = reader.fan_outs().jobs(id, queue::FanOutJobs::all, queue::JobSeq{0}, 10);
  });
  sim->cancel(waiting.front().id);
  sim->run_for(3s);
  EXPECT_EQ(sim.fan_out(id).made, 3);
}

TEST(FanOuts, WhileManyJobsWaitOneWithARateAsksForAFewOfThem) {
  FanningOut sim(one_pool(1, 4));
  sim.create_tenants(900);
  sim->start();
  sim->run_for(50ms);
  std::size_t most = 0;
  std::size_t asked = 0;
  sim->on_step = [&](const Event&, const Actions& actions) {
    for (const Action& action : actions)
      if (const auto* const round = std::get_if<RunRound>(&action))
        if (const auto& visits = round->work->ask<VisitsPart>())
          for (const VisitsPart::Order& order : visits->orders) {
            most = std::max({most, order.order.look.size(), order.order.waiting_max});
            asked += order.order.look.size() + order.order.waiting_max;
          }
  };
  sim.store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    static_cast<void>(writer.pause({.scope = queue::PauseScope::kind, .name = "job"}, sim->wall()));
  });
  sim->hint();
  const BatchId id = sim->start_fan_out("job", {}, StartRate{.starts = 600});
  sim->run_for(20s);
  EXPECT_EQ(sim.fan_out(id).made, 600) << "which wait";
  EXPECT_LE(most, kWaitingLooks);
  EXPECT_LE(asked, 21 * kWaitingLooks);
  std::vector<queue::FanOutJob> jobs;
  sim.store->read([&](queue::JobReader& reader) {
    jobs = reader.fan_outs().jobs(id, queue::FanOutJobs::all, queue::JobSeq{0}, 1000);
  });
  for (std::size_t job = 0; job < 250; ++job) sim->cancel(jobs[job].id, false);
  sim->run_for(8s);
  EXPECT_EQ(sim.fan_out(id).made, 850);
  EXPECT_LE(most, kWaitingLooks);
}

TEST(FanOuts, OneWhoseJobsHaveAllStartedAsksForNothingUntilItsWindowEnds) {
  FanningOut sim(one_pool(1, 4));
  sim.create_tenants(20);
  sim->start();
  sim->run_for(50ms);
  const BatchId id = sim->start_fan_out("job", {}, StartRate{.starts = 5, .window = 10s});
  sim->run_for(3s);
  ASSERT_EQ(sim.fan_out(id).made, 5);
  ASSERT_EQ(sim.first_starts().size(), 5U);
  const auto rounds = sim->rounds;
  sim->run_for(5s);
  EXPECT_LE(sim->rounds - rounds, 10) << "but looks for what others have written";
  EXPECT_EQ(sim.fan_out(id).made, 5);
  sim->run_for(3s);
  EXPECT_EQ(sim.fan_out(id).made, 10) << "as soon as the window lets them";
}

TEST(FanOuts, OneOfWhichNothingMoreCanBeMadeIsToldAtOnceAndLeftAlone) {
  FanOuts fan_outs;
  const BatchId id{Uuid::parse("019cadff-0000-7000-8000-000000000007").value()};
  const auto known = [&](queue::BatchNumber number) {
    return queue::OpenFanOut{.number = number, .id = id, .name = "rebuild", .tenants = 3};
  };
  fan_outs.read({queue::FanOutsMark{1}, {known(queue::BatchNumber{7})}}, Instant{});
  const Now now{from_us(1'700'000'000'000'000), Instant{} + 1s};
  const auto ask = fan_outs.ask(now);
  ASSERT_TRUE(ask);
  Actions actions;
  fan_outs.answered(*ask, {queue::VisitReply{.is_done = true, .why = "BadSeal: by another key"}}, now,
                    actions);
  ASSERT_THAT(actions, SizeIs(1));
  const Note& note = std::get<Note>(actions.front());
  EXPECT_EQ(note.level, Note::Level::warning);
  EXPECT_EQ(note.event, "fanout.refused");
  EXPECT_EQ(note.message,
            "Fan-out " + id.text() +
                ", rebuild is ended, since nothing more of it can be made: BadSeal: by another key");
  EXPECT_FALSE(fan_outs.ask(now));
  // Also where a refusal of another one was told a moment ago.
  fan_outs.read({queue::FanOutsMark{2}, {known(queue::BatchNumber{8})}}, now.steady);
  const auto refused = fan_outs.ask(now);
  ASSERT_TRUE(refused);
  actions.clear();
  fan_outs.answered(*refused, {queue::VisitReply{.visited = 1, .refused = 1, .why = "TenantNotReady: no"}},
                    now, actions);
  const auto stopped = fan_outs.ask(now);
  ASSERT_TRUE(stopped);
  fan_outs.answered(*stopped, {queue::VisitReply{.visited = 1, .is_done = true, .why = "BadSeal: no"}}, now,
                    actions);
  EXPECT_THAT(actions, SizeIs(2));
}

TEST(FanOuts, OneThatIsCancelledStartsNothingMoreAndWhatRunsGoesOn) {
  simulation::Options options = one_pool(1, 2);
  options.perform = [](const queue::ClaimedJob&) { return Performance{.run_time = 500ms}; };
  FanningOut sim(options);
  sim.create_tenants(300);
  sim->start();
  sim->run_for(50ms);
  const BatchId id = sim->start_fan_out("job");
  ASSERT_TRUE(sim->run_until([&] { return sim.first_starts().size() == 4; }, 10s));
  sim->cancel_fan_out(id);
  const auto running = sim->running();
  sim->run_for(10s);
  EXPECT_THAT(sim.first_starts(), SizeIs(4));
  const queue::FanOutRecord record = sim.fan_out(id);
  EXPECT_EQ(record.state(), queue::FanOutState::complete);
  EXPECT_EQ(record.batch.counts.succeeded, 4);
  EXPECT_GT(running, 0);
  EXPECT_EQ(record.batch.counts.cancelled, record.made - 4);
}

TEST(FanOuts, WithADispatcherThatDiesWhileItCancelsTheNextOneGoesOn) {
  for (int cut = 0; cut < 600; cut += 97) {
    simulation::Options options = one_pool(1, 1);
    options.perform = [](const queue::ClaimedJob&) { return Performance{.run_time = 10s}; };
    FanningOut sim(options);
    sim.create_tenants(700);
    sim->start();
    sim->run_for(50ms);
    const BatchId id = sim->start_fan_out("job");
    ASSERT_TRUE(sim->run_until([&] { return sim.fan_out(id).made > 500; }, 10s));
    sim->cancel_fan_out(id);
    sim->run_for(microseconds{cut});
    sim->crash_dispatcher();
    sim->start();
    ASSERT_TRUE(sim.completes(id, 10min)) << cut;
    EXPECT_LT(sim.first_starts().size(), 6U) << cut;
  }
}

}  // namespace
}  // namespace tenure::daemon
