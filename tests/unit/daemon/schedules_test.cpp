#include "simulated.hpp"

#include <tenure/queue/schedule.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

// Schedules in the whole dispatcher: that ticks fire when they are due, once, whatever happens to it.
namespace tenure::daemon {
namespace {

using queue::DeclaredSchedule;
using queue::Overlap;
using queue::ScheduleEntry;
using queue::ScheduleScope;
using queue::TickResult;
using simulation::Performance;
using std::chrono::hours;
using std::chrono::microseconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

ScheduleEntry each(microseconds interval, std::string name = "s") {
  ScheduleEntry entry;
  entry.name = std::move(name);
  entry.kind = "job";
  entry.rule.every = interval;
  entry.overlap = Overlap::allow;
  return entry;
}

simulation::Options with_schedules(const std::vector<ScheduleEntry>& entries, int slots = 4) {
  auto options = one_pool(1, slots);
  options.settings.schedules.emplace();
  for (const ScheduleEntry& entry : entries) options.settings.schedules->push_back({entry});
  return options;
}

struct Scheduling : Simulated {
  explicit Scheduling(simulation::Options options) : Simulated(std::move(options)) {}

  [[nodiscard]] std::vector<queue::JobRecord> jobs() {
    std::vector<queue::JobRecord> found;
    store->read([&](queue::JobReader& reader) {
      found = reader
                  .list_jobs(queue::Filter{},
                             {.limit = 100'000, .after = {}, .order = queue::ListOrder::oldest_first},
                             world.wall())
                  .jobs;
    });
    return found;
  }
  [[nodiscard]] std::map<WallTime, int> count_by_due() {
    std::map<WallTime, int> count;
    for (const queue::JobRecord& job : jobs()) ++count[job.due];
    return count;
  }
  [[nodiscard]] queue::ScheduleRecord schedule(std::string_view name = "s") {
    queue::ScheduleRecord found;
    store->read([&](queue::JobReader& reader) {
      for (const queue::ShownSchedule& shown : reader.schedules().schedules())
        if (shown.record.entry.name == name) found = shown.record;
    });
    return found;
  }
  [[nodiscard]] std::vector<queue::TickRecord> ticks(std::string_view name = "s") {
    const auto number = schedule(name).number;
    std::vector<queue::TickRecord> found;
    store->read([&](queue::JobReader& reader) { found = reader.schedules().ticks(number, 1000); });
    return found;
  }
  template <class Verb>
  void by_operator(Verb verb) {
    store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) { verb(writer.schedules()); });
    world.hint();
    world.run_for(5ms);
  }
  // The first multiple of the interval that is to come.
  [[nodiscard]] WallTime next_multiple(microseconds interval) {
    return WallTime{(world.wall().time_since_epoch() / interval + 1) * interval};
  }
  [[nodiscard]] std::vector<std::string> events() {
    std::vector<std::string> names;
    for (const Note& note : world.notes) names.push_back(note.event);
    return names;
  }
};

TEST(Schedules, ATickFiresAtItsTimeAndItsJobRunsAtOnce) {
  Scheduling sim(with_schedules({each(1min)}));
  sim->run_for(300ms);  // or polls would come just when ticks do
  sim->start();
  sim->run_for(5min + 30s);
  const auto made = sim.jobs();
  ASSERT_THAT(made, SizeIs(::testing::AllOf(::testing::Ge(5U), ::testing::Le(6U))));
  for (const queue::JobRecord& job : made) {
    EXPECT_LT(job.created - job.due, 1ms) << "no poll is waited for";
    EXPECT_LT(*job.started - job.due, 2ms);
    EXPECT_EQ(job.state, ShownState::succeeded);
  }
}

TEST(Schedules, SCH_02_OneTickMakesOneJobWhereverItsDispatcherIsKilledAndWhoeverStandsBy) {
  // The round that decides a tick takes 40 us: before it, in both halves of it, and behind it.
  for (int cut = -5; cut < 120; ++cut) {
    Scheduling sim(with_schedules({each(1min)}));
    sim->start();
    sim->run_for(50ms);
    const WallTime tick = sim.next_multiple(1min);
    sim->run_for(tick - sim->wall() + microseconds{cut});
    sim->crash_dispatcher();
    sim->start();  // the second one, which has stood by
    sim->run_for(microseconds{cut + 5});
    sim->crash_dispatcher();
    sim->start();  // the third
    sim->run_for(10s);
    EXPECT_EQ(sim.count_by_due(), (std::map<WallTime, int>{{tick, 1}})) << cut;
    sim->run_for(1min);
    EXPECT_EQ(sim.count_by_due(), (std::map<WallTime, int>{{tick, 1}, {tick + 1min, 1}})) << cut;
    for (const queue::JobRecord& job : sim.jobs()) EXPECT_EQ(job.state, ShownState::succeeded) << cut;
  }
}

TEST(Schedules, ARoundThatFailsOrIsDoneUnheardChangesNothing) {
  Scheduling sim(with_schedules({each(1min)}));
  sim->start();
  sim->run_for(50ms);
  const WallTime first = sim.next_multiple(1min);
  sim->run_for(first - sim->wall() - 1ms);
  sim->fail_next_rounds(3);
  sim->run_for(1min);
  sim->fail_next_rounds_after_the_commit(1);
  sim->run_for(1min);
  std::map<WallTime, int> expected;
  for (int tick = 0; tick < 2; ++tick) expected[first + tick * 1min] = 1;
  EXPECT_EQ(sim.count_by_due(), expected);
}

TEST(Schedules, SCH_12_APreviewIsWhatFires) {
  ScheduleEntry entry = each({});
  entry.rule = {.cron = "*/30 * * * *", .every = {}, .time_zone = "Europe/Berlin"};
  ScheduleEntry daily = each({}, "daily");
  daily.rule = {.cron = "30 2 * * *", .every = {}, .time_zone = "Europe/Berlin"};
  for (const auto day : {std::chrono::sys_days{std::chrono::year{2026} / 3 / 28},
                         std::chrono::sys_days{std::chrono::year{2026} / 10 / 24}}) {
    auto options = with_schedules({entry, daily});
    options.settings.poll = 1min;  // they do not wait for it
    Scheduling sim(std::move(options));
    sim->jump_wall(WallTime{day} - sim->wall() + 10min);
    std::map<WallTime, int> previewed;
    for (const ScheduleEntry& one : {entry, daily})
      for (const queue::ShownTick& tick :
           queue::preview_ticks(value_or_raise(queue::read_rule(one.rule)), sim->wall(), 200))
        if (tick.at <= sim->wall() + 48h) ++previewed[tick.at];
    sim->start();
    sim->run_for(48h + 1s);
    EXPECT_EQ(sim.count_by_due(), previewed);
    EXPECT_GT(previewed.size(), 90U);
  }
}

TEST(Schedules, WhileNoneIsDueTheyCostNoRound) {
  const auto rounds_of = [](const std::vector<ScheduleEntry>& entries) {
    Scheduling sim(with_schedules(entries));
    sim->start();
    sim->run_for(1s);
    const auto before = sim->rounds;
    sim->run_for(1min);
    return sim->rounds - before;
  };
  EXPECT_EQ(rounds_of({each(hours{24 * 300})}), rounds_of({}));
}

TEST(Schedules, ClockJumpsFireNoTickTwice) {
  ScheduleEntry entry = each(1h);
  entry.catch_up = queue::CatchUp::latest;
  Scheduling sim(with_schedules({entry}));
  sim->start();
  sim->run_for(50ms);
  const WallTime first = sim.next_multiple(1h);
  sim->run_for(first - sim->wall() + 1min);
  sim->jump_wall(-1h);
  sim->run_for(1h);
  EXPECT_EQ(sim.count_by_due(), (std::map<WallTime, int>{{first, 1}}));
  sim->jump_wall(5h);
  sim->run_for(1min);
  EXPECT_EQ(sim.count_by_due(), (std::map<WallTime, int>{{first, 1}, {first + 5h, 1}}));
  EXPECT_THAT(sim.events(), ::testing::Contains("schedule.missed"));
}

TEST(Schedules, AReloadTakesOverWhatItDeclares) {
  Scheduling sim(with_schedules({each(1min, "removed"), each(1min, "edited")}));
  sim->start();
  sim->run_for(50ms);
  const WallTime first = sim.next_multiple(1min);
  sim->run_for(first - sim->wall() + 1s);
  ASSERT_THAT(sim.jobs(), SizeIs(2));
  Reconfigured reload{.pools = {{.processes = 1}}};
  reload.schedules.emplace({DeclaredSchedule{each(20s, "edited")}, DeclaredSchedule{each(30s, "new")}});
  sim->reload(reload);
  sim->run_for(1min);
  const auto made = sim.count_by_due();
  EXPECT_EQ(made, (std::map<WallTime, int>{
                      {first, 2}, {first + 20s, 1}, {first + 30s, 1}, {first + 40s, 1}, {first + 60s, 2}}));
  // One that says nothing of schedules leaves them alone.
  sim->reload(Reconfigured{.pools = {{.processes = 1}}});
  sim->run_for(20s);
  EXPECT_THAT(sim.jobs(), SizeIs(8));
}

TEST(Schedules, WhatAnOperatorDoesIsSeenWithoutATick) {
  Scheduling sim(with_schedules({each(1min)}));
  sim->start();
  sim->run_for(50ms);
  sim.by_operator([&](queue::ScheduleWriter& schedules) {
    value_or_raise(schedules.pause("s", {.since = sim->wall(), .uid = 1, .login = "ann", .reason = ""}));
    static_cast<void>(value_or_raise(schedules.add(each(20s, "added"), sim->wall())));
  });
  const WallTime begin = sim->wall();
  sim->run_for(2min);
  for (const queue::JobRecord& job : sim.jobs()) EXPECT_EQ((job.due.time_since_epoch() % 20s).count(), 0);
  EXPECT_THAT(sim.jobs(), SizeIs(6));
  ASSERT_THAT(sim.ticks(), SizeIs(2)) << "noted as skipped";
  EXPECT_EQ(sim.ticks()[0].result, TickResult::paused);
  sim.by_operator([&](queue::ScheduleWriter& schedules) {
    value_or_raise(schedules.resume("s"));
    value_or_raise(schedules.remove("added"));
  });
  EXPECT_THAT(sim.jobs(), SizeIs(7)) << "the latest one that it has skipped";
  EXPECT_GT(sim.jobs().back().due, begin);
  sim->run_for(1min);
  EXPECT_THAT(sim.jobs(), SizeIs(8));
}

TEST(Schedules, OneThatIsQueuedStartsAsSoonAsTheOtherHasEnded) {
  ScheduleEntry entry = each(10s);
  entry.overlap = Overlap::queue_one;
  auto options = with_schedules({entry});
  options.perform = [](const auto&) { return Performance{.run_time = 25s}; };
  Scheduling sim(std::move(options));
  std::int64_t running_max = 0;
  std::size_t waiting_max = 0;
  sim->start();
  for (int second = 0; second < 300; ++second) {
    sim->run_for(1s);
    running_max = std::max(running_max, sim->running());
    const auto all = sim.jobs();
    waiting_max =
        std::max(waiting_max, static_cast<std::size_t>(std::ranges::count_if(all, [](const auto& job) {
                   return job.state == ShownState::blocked || job.state == ShownState::ready;
                 })));
  }
  EXPECT_EQ(running_max, 1);
  EXPECT_EQ(waiting_max, 1U);
  ASSERT_GE(sim->starts.size(), 10U);
  for (std::size_t start = 1; start < sim->starts.size(); ++start)
    EXPECT_LT(sim->starts[start].at - sim->starts[start - 1].at, 25s + 30ms) << "no poll is waited for";
}

// Nobody tells of that end: it is no claim's.
TEST(Schedules, OneThatIsQueuedStartsAlsoWhereAnOperatorHasEndedTheOtherOne) {
  ScheduleEntry entry = each(10s);
  entry.overlap = Overlap::queue_one;
  auto options = with_schedules({entry});
  const auto first = std::make_shared<std::optional<queue::JobSeq>>();
  options.perform = [first](const queue::ClaimedJob& job) {
    Performance performance;
    if (!*first) *first = job.seq;
    if (job.seq == *first) {
      performance.run_time = 12s;
      performance.result = RunResult::failed;
      performance.failure = {ErrorCode::handler_failed, "it failed"};
    }
    return performance;
  };
  Scheduling sim(std::move(options));
  sim->start();
  // The first one waits for its retry.
  ASSERT_TRUE(sim.world.run_until(
      [&] { return sim.jobs().size() == 2 && sim.jobs()[0].state == ShownState::scheduled; }, 1min));
  const auto jobs = sim.jobs();
  ASSERT_EQ(jobs[1].state, ShownState::blocked);
  const std::size_t started = sim->starts.size();
  sim.store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    EXPECT_TRUE(writer.cancel_by_operator(jobs[0].id, sim->wall()).has_value());
  });
  EXPECT_TRUE(sim.world.run_until([&] { return sim->starts.size() > started; }, 2s));
}

TEST(Schedules, SkipHasNeverTwoAlsoAcrossRetries) {
  ScheduleEntry entry = each(10s);
  entry.overlap = Overlap::skip;
  auto options = with_schedules({entry});
  options.perform = [](const queue::ClaimedJob& job) {
    Performance performance{.run_time = 12s};
    if (job.failures < 2) {
      performance.result = RunResult::failed;
      performance.failure = {ErrorCode::handler_failed, "it failed"};
    }
    return performance;
  };
  Scheduling sim(std::move(options));
  sim->start();
  for (int second = 0; second < 600; ++second) {
    sim->run_for(1s);
    const auto all = sim.jobs();
    ASSERT_LE(std::ranges::count_if(all, [](const auto& job) { return !job.finished; }), 1);
  }
  EXPECT_GE(sim.jobs().size(), 3U);
}

TEST(Schedules, ATickOfManyTenantsLetsOtherWorkThrough) {
  constexpr int kTenants = 3000;
  ScheduleEntry entry = each(1h);
  entry.scope = ScheduleScope::each_tenant;
  entry.spread = 50min;
  Scheduling sim(with_schedules({entry}));
  for (int tenant = 0; tenant < kTenants; ++tenant) sim->create_tenant("t" + std::to_string(tenant));
  sim->start();
  sim->run_for(50ms);
  sim->run_for(sim.next_multiple(1h) - sim->wall() + 100us);
  ASSERT_TRUE(sim.schedule().fan_out) << "it is under way";
  const auto rounds = sim->rounds;
  const auto urgent = sim->enqueue({.priority = -10});
  ASSERT_TRUE(sim->run_until([&] { return sim->job(urgent).started.has_value(); }, 1s));
  EXPECT_LE(sim->rounds - rounds, 4) << "the rounds that decide the tick carry other work";
  EXPECT_TRUE(sim.schedule().fan_out) << "which goes on";
  sim->run_for(1s);
  EXPECT_FALSE(sim.schedule().fan_out);
  EXPECT_THAT(sim.jobs(), SizeIs(kTenants + 1));
}

TEST(Schedules, ManyTicksOfManyTenantsKeepNoOtherScheduleBack) {
  std::vector<ScheduleEntry> entries;
  for (int number = 0; number < 25; ++number) {
    entries.push_back(each(1h, "each" + std::to_string(number)));
    entries.back().scope = ScheduleScope::each_tenant;
  }
  entries.push_back(each(1h, "one"));
  Scheduling sim(with_schedules(entries));
  for (int tenant = 0; tenant < 400; ++tenant) sim->create_tenant("t" + std::to_string(tenant));
  sim->start();
  ASSERT_TRUE(sim->run_until([&] { return !sim.ticks("one").empty(); }, 2h));
  const auto made = [&](std::string_view name) { return sim.ticks(name).size(); };
  EXPECT_LT(made("each0"), 40U) << "while each of these has made a few";
}

TEST(Schedules, ADispatcherThatDiesInATickOfManyTenantsIsFollowedByOneThatGoesOn) {
  constexpr int kTenants = 1000;
  for (int cut = 0; cut < 400; cut += 37) {
    ScheduleEntry entry = each(1h);
    entry.scope = ScheduleScope::each_tenant;
    entry.spread = 50min;
    Scheduling sim(with_schedules({entry}));
    for (int tenant = 0; tenant < kTenants; ++tenant) sim->create_tenant("t" + std::to_string(tenant));
    sim->start();
    sim->run_for(50ms);
    sim->run_for(sim.next_multiple(1h) - sim->wall() + microseconds{cut});
    sim->crash_dispatcher();
    sim->start();
    sim->run_for(1s);
    std::map<std::string, int> count;
    for (const queue::JobRecord& job : sim.jobs()) ++count[std::string{job.tenant->text()}];
    EXPECT_THAT(count, SizeIs(kTenants)) << cut;
    EXPECT_TRUE(std::ranges::all_of(count, [](const auto& one) { return one.second == 1; })) << cut;
  }
}

TEST(Schedules, ATenantThatIsBeingMadeIsWaitedFor) {
  ScheduleEntry entry = each(1h);
  entry.scope = ScheduleScope::tenant;
  entry.tenant = "acme";
  Scheduling sim(with_schedules({entry}));
  sim->create_tenant("acme", false);
  sim->start();
  sim->run_for(50ms);
  const WallTime tick = sim.next_multiple(1h);
  sim->run_for(tick - sim->wall() + 10s);
  EXPECT_THAT(sim.jobs(), IsEmpty());
  sim->activate_tenant("acme");
  sim->run_for(3s);
  EXPECT_EQ(sim.count_by_due(), (std::map<WallTime, int>{{tick, 1}}));
}

TEST(Schedules, AnOperatorIsToldOfTicksThatMadeNoJob) {
  ScheduleEntry gone = each(1min, "gone");
  gone.scope = ScheduleScope::tenant;
  gone.tenant = "dodo";
  Scheduling sim(with_schedules({gone}));
  sim->start();
  sim->run_for(3min);
  const auto note = std::ranges::find(sim->notes, "schedule.skipped", &Note::event);
  ASSERT_NE(note, sim->notes.end());
  EXPECT_EQ(note->level, Note::Level::warning);
  EXPECT_THAT(note->message, HasSubstr("schedule gone was skipped: there is no tenant dodo."));
  EXPECT_LE(std::ranges::count(sim->notes, "schedule.skipped", &Note::event), 3);
}

}  // namespace
}  // namespace tenure::daemon
