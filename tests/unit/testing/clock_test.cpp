#include "notes.hpp"

#include <tenure/queue/schedule.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace tenure::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Tick {
  static constexpr std::string_view kind = "clock.tick";
};

struct Slow {
  static constexpr std::string_view kind = "clock.slow";
};

struct Limited {
  static constexpr std::string_view kind = "clock.limited";
  static constexpr std::array<std::string_view, 1> aliases{"clock.bounded"};
  static JobOptions options() { return {.time_limit = 10s}; }
};

class TimeOfAWorld : public Notes {
 protected:
  queue::JobRecord job(Uuid id) {
    std::optional<queue::JobRecord> record;
    world().store().read([&](queue::JobReader& reader) { record = reader.find_job({id}); });
    return record.value();
  }
  std::vector<int> attempts() {
    std::vector<int> attempts;
    for (const JobRun& run : world().runs()) attempts.push_back(run.attempt);
    return attempts;
  }
};

TEST_F(TimeOfAWorld, StandsStillUntilItIsMoved) {
  const Instant before = clock().steady();
  client().enqueue(AddNote{"now"});
  client().enqueue(AddNote{"later"}, {.run_in = 1s});
  EXPECT_EQ(drain_all().size(), 1U);
  EXPECT_EQ(drain_all().size(), 0U);
  EXPECT_EQ(clock().steady(), before);
  EXPECT_EQ(advance(999'999us).size(), 0U);
  EXPECT_EQ(advance(1us).size(), 1U);
  EXPECT_EQ(clock().steady(), before + 1s);
  EXPECT_THAT(notes(), ElementsAre("now", "later"));
}

TEST_F(TimeOfAWorld, RTY_14_AJobThatHasNotStartedInTimeIsDiscardedAndAnOlderOneIsPerformed) {
  const Uuid soon = client().enqueue(AddNote{"soon"}, {.start_within = 1min});
  const Uuid whenever = client().enqueue(AddNote{"whenever"});
  clock().advance(1min);
  EXPECT_EQ(drain_all().size(), 1U);
  EXPECT_THAT(notes(), ElementsAre("whenever"));
  EXPECT_EQ(job(soon).state, queue::ShownState::discarded);
  EXPECT_EQ(job(soon).reason, queue::JobReason::expired);
  EXPECT_EQ(job(whenever).state, queue::ShownState::succeeded);
}

TEST_F(TimeOfAWorld, DelaysFireInDueOrderWhateverTenantQueueAndPriorityTheyHave) {
  with_tenants("acme", "bolt");
  std::vector<std::string> seen;
  std::vector<WallTime> moments;
  const WallTime start = clock().wall();
  jobs().add<Tick>([&](const Tick&, JobContext& context) {
    seen.push_back(context.tenant()->text());
    moments.push_back(context.now());
  });
  client().enqueue(Tick{}, {.run_in = 3h, .priority = -100, .tenant = "acme"});
  client().enqueue(Tick{}, {.run_in = 2h, .queue = "bulk", .priority = 100, .tenant = "bolt"});
  client().enqueue(Tick{}, {.run_in = 1h, .tenant = "acme"});
  EXPECT_EQ(advance(24h * 30).succeeded(), 3U);
  EXPECT_THAT(seen, ElementsAre("acme", "bolt", "acme"));
  EXPECT_THAT(moments, ElementsAre(start + 1h, start + 2h, start + 3h));
  EXPECT_EQ(clock().wall(), start + 24h * 30);
}

TEST_F(TimeOfAWorld, RetriesFireWhenTheyAreDueByProductionsRule) {
  client().enqueue(Fail{}, {.attempts_max = 3});
  EXPECT_EQ(drain_all().failed(), 1U);
  EXPECT_EQ(advance(15s).size(), 0U);    // n^4 + 15 s is the least
  EXPECT_EQ(advance(31s).failed(), 1U);  // and 30 s of jitter
  EXPECT_TRUE(enqueued<Fail>());
  EXPECT_EQ(advance(2min).failed(), 1U);
  EXPECT_FALSE(enqueued<Fail>());
  EXPECT_EQ(advance(24h).size(), 0U);
  EXPECT_THAT(attempts(), ElementsAre(1, 2, 3));
  EXPECT_EQ(world().runs().front().text(),
            "notes.fail of test, attempt 1: HandlerFailed: std::runtime_error: no route to host");
}

struct Swept {
  static constexpr std::string_view kind = "clock.sweep";
};
struct Flaky {
  static constexpr std::string_view kind = "clock.flaky";
};

TEST_F(TimeOfAWorld, TST_02_DelaysRetriesAndSchedulesFireOnlyByAdvancingInDueOrder) {
  std::vector<std::pair<std::string, WallTime>> seen;
  jobs().add<Tick>([&](const Tick&, JobContext& context) { seen.emplace_back("delay", context.now()); });
  jobs().add<Swept>([&](const Swept&, JobContext& context) { seen.emplace_back("schedule", context.now()); });
  jobs().add<Flaky>([&](const Flaky&, JobContext& context) {
    seen.emplace_back("retry", context.now());
    if (context.attempt() == 1) throw std::runtime_error("not yet");
  });
  queue::ScheduleEntry hourly;
  hourly.name = "hourly";
  hourly.kind = std::string{Swept::kind};
  hourly.rule.cron = "@hourly";
  world().schedule(hourly);
  queue::ScheduleEntry quarterly = hourly;
  quarterly.name = "quarterly";
  quarterly.rule = {.cron = {}, .every = 15min};
  quarterly.scope = queue::ScheduleScope::tenant;
  quarterly.tenant = tenants().open_current()->tenant().text();
  world().schedule(quarterly);
  client().enqueue(Flaky{});
  client().enqueue(Tick{}, {.run_in = 20min});
  client().enqueue(Tick{}, {.run_in = 40min});

  const WallTime begin = clock().wall();  // 22:13:20
  EXPECT_EQ(drain_all().failed(), 1U) << "what is due is performed, and no time passes";
  EXPECT_EQ(drain_all().size(), 0U);
  EXPECT_THAT(seen, ElementsAre(std::pair{std::string{"retry"}, begin}));
  seen.clear();

  advance(1h);
  const WallTime quarter = WallTime{(begin.time_since_epoch() / 15min + 1) * 15min};
  const WallTime hour = WallTime{(begin.time_since_epoch() / 1h + 1) * 1h};
  ASSERT_EQ(seen.size(), 8U);
  EXPECT_EQ(seen[0].first, "retry") << "16 s and its jitter";
  seen.erase(seen.begin());
  std::vector<std::pair<std::string, WallTime>> expected{
      {"delay", begin + 20min}, {"delay", begin + 40min}, {"schedule", hour}};
  for (int tick = 0; tick < 4; ++tick) expected.emplace_back("schedule", quarter + tick * 15min);
  std::ranges::stable_sort(expected, {}, &std::pair<std::string, WallTime>::second);
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(drain_all().size(), 0U) << "time stands still again";
}

TEST_F(TimeOfAWorld, AScheduleThatIsWrongIsRefused) {
  queue::ScheduleEntry entry;
  entry.name = "wrong";
  entry.kind = "clock.tick";
  entry.rule.cron = "0 0 30 2 *";
  EXPECT_THROW(world().schedule(entry), BadOptions);
}

TEST_F(TimeOfAWorld, WhatARateKeepsIsPerformedWhenItMayStart) {
  world().limit(
      {.name = "notes", .target = queue::LimitTarget{.kind = "*"}, .bounds = {.rate = StartRate{2, 1min}}});
  for (int each = 0; each < 5; ++each) client().enqueue(AddNote{"paced"});
  EXPECT_EQ(drain_all().succeeded(), 2U);
  EXPECT_EQ(drain_all().size(), 0U);
  EXPECT_TRUE(enqueued<AddNote>({.times = 3}));
  EXPECT_EQ(advance(59s).size(), 0U);
  EXPECT_EQ(advance(2s).succeeded(), 2U);
  EXPECT_EQ(advance(1min).succeeded(), 1U);
  EXPECT_THROW(world().limit({.name = "others", .bounds = {.running = 1}}), BadOptions) << "of which jobs?";
}

TEST_F(TimeOfAWorld, MovedByHandItPerformsNothing) {
  client().enqueue(AddNote{"later"}, {.run_in = 1h});
  clock().advance(2h);
  EXPECT_THAT(notes(), IsEmpty());
  EXPECT_EQ(drain().size(), 1U);
}

TEST_F(TimeOfAWorld, GoesOnWhileAHandlerMovesIt) {
  jobs().add<Slow>([&](const Slow&, JobContext&) { clock().advance(2h); });
  client().enqueue(Slow{});
  client().enqueue(AddNote{"later"}, {.run_in = 1h});
  EXPECT_EQ(drain_all().size(), 2U);
}

TEST_F(TimeOfAWorld, ATimeLimitShowsInWhatRemainsOfARunAndEndsNobody) {
  std::vector<std::optional<std::chrono::milliseconds>> remaining;
  jobs().add<Limited>([&](const Limited&, JobContext& context) {
    for (int each = 0; each < 3; ++each) {
      remaining.push_back(context.remaining());
      clock().advance(6s);
    }
  });
  jobs().add<Slow>([&](const Slow&, JobContext& context) { remaining.push_back(context.remaining()); });
  client().enqueue(Limited{});
  EXPECT_EQ(drain().succeeded(), 1U);
  faults().older_payload("clock.bounded", "{}");
  EXPECT_EQ(drain().succeeded(), 1U);
  client().enqueue(Slow{});
  EXPECT_EQ(drain().succeeded(), 1U);
  EXPECT_THAT(remaining, ElementsAre(10s, 4s, 0s, 10s, 4s, 0s, std::nullopt));
}

TEST_F(TimeOfAWorld, NeverGoesBack) { EXPECT_THROW(advance(-1us), BadOptions); }

}  // namespace
}  // namespace tenure::testing
