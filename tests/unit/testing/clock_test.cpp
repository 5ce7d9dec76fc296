#include "notes.hpp"

#include <gmock/gmock.h>

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
