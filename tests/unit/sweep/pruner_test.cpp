#include "../worker/failing_store.hpp"
#include "support/sqlite_steps.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/queue/memory_store.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <retention/pruner.hpp>

// Jobs that have ended long ago go a few at a time, and a steady load does not make the file grow.
namespace tenure::daemon {
namespace {

using namespace std::chrono_literals;
using queue::JobSeq;
using queue::NewJob;
using queue::StoreWriter;
using testing::TemporaryFolder;

class Pruning : public ::testing::Test {
 protected:
  // So many jobs come in, are performed and succeed.
  void perform(int jobs, int dead_each = 0) {
    store_->write(queue::Durability::ordered, [&](StoreWriter& writer) {
      for (int each = 0; each < jobs; ++each) {
        NewJob job{.id = queue::JobId{ids_.next(clock_.wall())},
                   .tenant = {},
                   .generation = {},
                   .queue = "default",
                   .kind = "a.b",
                   .priority = {},
                   .due = clock_.wall(),
                   .attempts_max = 1,
                   .arguments = std::string(200, 'x'),
                   .batch = batch_};
        static_cast<void>(value_or_raise(writer.enqueue(job, clock_.wall())));
      }
      while (!writer.reader().arrivals(writer.reader().known_until(), 1000).empty()) continue;
      const auto lanes = writer.reader().lanes(std::nullopt, 10);
      if (lanes.empty()) return;
      const auto reply = writer.claim({.queue = lanes[0].queue,
                                       .priority = lanes[0].priority,
                                       .tenant = lanes[0].tenant,
                                       .kinds = {{lanes[0].kind, {}}},
                                       .count = static_cast<std::size_t>(jobs),
                                       .incarnation = queue::Incarnation{1},
                                       .first_counter = std::exchange(counter_, counter_ + jobs)},
                                      clock_.wall());
      for (const queue::ClaimedJob& job : reply.jobs) {
        const queue::ClaimRef claim{job.seq, job.token};
        if (dead_each > 0 && job.seq.value % dead_each == 0)
          value_or_raise(writer.finish(claim, queue::JobState::dead, queue::JobReason::permanent_error,
                                       {ErrorCode::handler_failed, "no"}, clock_.wall()));
        else value_or_raise(writer.finish_succeeded(claim, clock_.wall()));
      }
    });
    while (store_->tidy()) continue;
  }
  // Until it rests for long.
  int pass(Pruner& pruner) {
    for (int steps = 1;; ++steps) {
      const auto rest = pruner.step();
      if (rest >= PrunerLimits{}.between_passes) return steps;
      if (steps == 100'000) throw std::runtime_error("it never rests");
    }
  }
  std::int64_t jobs() {
    std::int64_t count = 0;
    store_->read([&](queue::JobReader& reader) { count = reader.summary().jobs; });
    return count;
  }

  TemporaryFolder folder_;
  VirtualClock clock_;
  std::unique_ptr<queue::Store> store_ =
      queue::open_sqlite_store({.path = folder_ / "control.db", .create = true}, clock_);
  UuidGenerator ids_{7};
  std::int64_t counter_ = 1;
  std::optional<BatchId> batch_;  // of all that comes
};

TEST_F(Pruning, ResultsGoAtTheirTimeAFewAtATimeAndTheirJobsStay) {
  Pruner pruner(*store_, clock_, {}, {}, {.at_once = 2});
  perform(5);
  store_->write(queue::Durability::ordered, [&](StoreWriter& writer) {
    for (std::int64_t seq = 1; seq <= 5; ++seq) writer.keep_result(JobSeq{seq}, {"1", 2h}, clock_.wall());
  });
  // Those that are there, whether or not they would be shown.
  const auto results = [&] {
    int count = 0;
    store_->read([&](queue::JobReader& reader) {
      for (std::int64_t seq = 1; seq <= 5; ++seq) count += reader.result(JobSeq{seq}, WallTime{}) ? 1 : 0;
    });
    return count;
  };
  clock_.advance(2h - 1s);
  pass(pruner);
  EXPECT_EQ(results(), 5);
  clock_.advance(1s);
  pass(pruner);
  EXPECT_EQ(results(), 0);
  EXPECT_EQ(jobs(), 5);
}

TEST_F(Pruning, NothingGoesForAnHourBehindAClockThatWasPutForward) {
  Pruner pruner(*store_, clock_, {}, {});
  perform(3);
  pass(pruner);
  clock_.jump_wall(std::chrono::days{365});
  pass(pruner);
  EXPECT_EQ(jobs(), 3);
  clock_.advance(59min);
  pass(pruner);
  EXPECT_EQ(jobs(), 3);
  clock_.advance(1min);
  pass(pruner);
  EXPECT_EQ(jobs(), 1) << "the newest one stays";

  perform(3);
  clock_.jump_wall(std::chrono::days{365});
  pass(pruner);
  clock_.jump_wall(-std::chrono::days{365});
  clock_.advance(2h);
  pass(pruner);
  EXPECT_EQ(jobs(), 3) << "it was put right in time; only the old one went, whose day had come";
}

TEST_F(Pruning, ASteadyLoadDoesNotGrowTheFile) {
  Pruner pruner(*store_, clock_, {}, {});
  constexpr int kAnHour = 200;
  std::vector<std::int64_t> sizes;
  for (int day = 0; day < 6; ++day) {
    for (int hour = 0; hour < 24; ++hour) {
      perform(kAnHour);
      static_cast<void>(pass(pruner));
      clock_.advance(1h);
    }
    EXPECT_LE(jobs(), 26 * kAnHour);
    store_->checkpoint(0);
    store_->read([&](queue::JobReader& reader) { sizes.push_back(reader.summary().size_bytes); });
  }
  // From the second day on what comes takes the place of what goes.
  EXPECT_LE(sizes.back(), sizes[1] + sizes[1] / 50) << sizes[0] << ' ' << sizes[1];
  EXPECT_EQ(pruner.pruned().succeeded + jobs(), 6 * 24 * kAnHour);
}

// The base that comes first is there before the store opens its connections.
class PruningCost : private testing::SqliteSteps, public Pruning {
 protected:
  // As pass(), with what the dearest step has cost.
  std::int64_t dearest_step(Pruner& pruner) {
    std::int64_t dearest = 0;
    for (std::chrono::microseconds rest{0}; rest < PrunerLimits{}.between_passes;) {
      const std::int64_t before = steps();
      const std::int64_t removed = pruner.pruned().total();
      rest = pruner.step();
      dearest = std::max(dearest, steps() - before);
      const std::int64_t gone = pruner.pruned().total() - removed;
      EXPECT_LE(gone, static_cast<std::int64_t>(PrunerLimits{}.at_once));
      EXPECT_TRUE(gone == 0 || rest >= 20ms) << "behind each commit claims have their turn";
    }
    return dearest;
  }
};

// 50 ms of steps of SQLite's machine, of 50 to 200 ns each. A claim that waits for a commit of the pruner waits for one of its steps.
constexpr std::int64_t kStepsOfPrunerMax = 250'000;

TEST_F(PruningCost, RTY_12_ByDefaultASteadyLoadDoesNotGrowTheFileAndNoClaimWaitsForLong) {
  const queue::Retention rules = retention_of(config::Settings{});
  EXPECT_EQ(rules.succeeded, std::chrono::days{1});
  EXPECT_EQ(rules.dead, std::chrono::days{30});
  EXPECT_EQ(rules.dead_max, 100'000);
  Pruner pruner(*store_, clock_, rules, {});
  constexpr int kJobs = 60;
  std::vector<std::int64_t> sizes;
  std::int64_t dearest = 0;
  for (int day = 0; day < 45; ++day) {
    for (int quarter = 0; quarter < 4; ++quarter) {
      perform(kJobs, 10);
      dearest = std::max(dearest, dearest_step(pruner));
      clock_.advance(6h);
    }
    store_->checkpoint(0);
    store_->read([&](queue::JobReader& reader) { sizes.push_back(reader.summary().size_bytes); });
  }
  // Succeeded ones of a day and dead ones of 30.
  EXPECT_LE(jobs(), 5 * kJobs + 31 * 4 * kJobs / 10);
  EXPECT_GE(jobs(), 30 * 4 * kJobs / 10);
  EXPECT_LE(sizes.back(), sizes[32] + sizes[32] / 50) << sizes[0] << ' ' << sizes[32];

  perform(3'000);  // that go at once
  clock_.advance(25h);
  const std::int64_t before = pruner.pruned().succeeded;
  dearest = std::max(dearest, dearest_step(pruner));
  EXPECT_GE(pruner.pruned().succeeded - before, 2'999);
  EXPECT_GT(dearest, 1'000);
  EXPECT_LE(dearest, kStepsOfPrunerMax);
  RecordProperty("dearest", std::to_string(dearest));
}

TEST_F(Pruning, ABatchGoesBehindTheLastOfItsMembersAndOneThatIsNotCompleteStays) {
  const auto open = [&] {
    const BatchId id{ids_.next(clock_.wall())};
    store_->write(queue::Durability::durable, [&](StoreWriter& writer) {
      static_cast<void>(value_or_raise(writer.batches().open({.id = id}, clock_.wall())));
    });
    return id;
  };
  const auto is_there = [&](BatchId id) {
    bool found = false;
    store_->read([&](queue::JobReader& reader) { found = reader.batches().batch(id).has_value(); });
    return found;
  };
  const BatchId never_closed = open();
  batch_ = open();
  perform(300);
  store_->write(queue::Durability::durable,
                [&](StoreWriter& writer) { value_or_raise(writer.batches().close(*batch_, clock_.wall())); });
  const BatchId batch = *std::exchange(batch_, std::nullopt);
  Pruner pruner(*store_, clock_, {}, {});
  clock_.advance(23h);
  perform(1);
  pass(pruner);
  EXPECT_TRUE(is_there(batch));
  clock_.advance(2h);
  pass(pruner);
  EXPECT_EQ(jobs(), 1);
  EXPECT_FALSE(is_there(batch));
  EXPECT_TRUE(is_there(never_closed));
}

TEST_F(Pruning, GoesInSmallCommitsWithARestBehindEach) {
  perform(950);
  clock_.advance(25h);
  perform(1);
  std::vector<std::int64_t> told;
  Pruner pruner(*store_, clock_, {}, [&](const queue::Pruned& jobs) { told.push_back(jobs.total()); });
  int rests = 0;
  while (true) {
    const std::int64_t before = jobs();
    const auto rest = pruner.step();
    EXPECT_LE(before - jobs(), 200) << "of one commit";
    EXPECT_TRUE(before == jobs() || rest >= 20ms);
    rests += rest >= 20ms ? 1 : 0;
    if (rest >= 1min) break;
  }
  EXPECT_EQ(jobs(), 1);
  EXPECT_EQ(told, (std::vector<std::int64_t>{200, 400, 600, 800, 950}));
  EXPECT_GE(rests, 6);
}

TEST_F(Pruning, OtherRulesHoldFromTheNextStepOnInTheMiddleOfAPassToo) {
  perform(500);
  clock_.advance(3h);
  Pruner pruner(*store_, clock_, {.succeeded = 24h}, {}, {.looks = 100, .at_once = 100});
  static_cast<void>(pass(pruner));
  EXPECT_EQ(jobs(), 500);
  pruner.use({.succeeded = 1h});
  while (jobs() == 500) static_cast<void>(pruner.step());
  EXPECT_EQ(jobs(), 400);
  pruner.use({.succeeded = 24h});
  static_cast<void>(pass(pruner));
  EXPECT_EQ(jobs(), 400) << "what was found by the former rules stays";
  pruner.use({.succeeded = 1h});
  static_cast<void>(pass(pruner));
  EXPECT_LE(jobs(), 1) << "the newest may tell how far the rows go";
}

TEST_F(Pruning, WhereTheStoreFailsItTriesAgainLater) {
  perform(10);
  clock_.advance(25h);
  perform(1);
  FailingStore failing(queue::open_sqlite_store({.path = folder_ / "control.db"}, clock_));
  Pruner pruner(failing, clock_, {}, {});
  failing.write_fails_with = ErrorCode::disk;
  EXPECT_EQ(pruner.step(), 0us) << "it has only read";
  EXPECT_EQ(pruner.step(), PrunerLimits{}.behind_trouble);
  EXPECT_EQ(jobs(), 11);
  failing.write_fails_with.reset();
  static_cast<void>(pass(pruner));
  EXPECT_EQ(jobs(), 1);
}

}  // namespace
}  // namespace tenure::daemon
