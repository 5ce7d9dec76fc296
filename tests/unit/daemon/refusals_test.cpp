#include "refusals.hpp"

#include "simulated.hpp"

#include <tenure/queue/audit.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// How many rows of the audit jobs have that were refused at a tenant's border.
namespace tenure::daemon {
namespace {

using simulation::Performance;

constexpr Instant at(std::chrono::microseconds since) { return Instant{since}; }

TEST(Refusals, SoManyOfASpanHaveARowEach) {
  Refusals refusals;
  for (int row = 0; row < kRefusalRowsMax; ++row) EXPECT_TRUE(refusals.admit(at(5s)));
  EXPECT_FALSE(refusals.admit(at(5s)));
  EXPECT_FALSE(refusals.admit(at(5s + kRefusalSpan - 1us)));
  EXPECT_TRUE(refusals.admit(at(5s + kRefusalSpan)));
}

TEST(Refusals, TheOthersAreCountedInOneRowWhenASpanIsOver) {
  Refusals refusals;
  EXPECT_FALSE(refusals.due(at(5s), true));
  EXPECT_FALSE(refusals.next_at());
  for (const auto moment : {5s, 6s}) refusals.counted(at(moment));
  EXPECT_EQ(refusals.next_at(), at(5s + kRefusalSpan));
  EXPECT_FALSE(refusals.due(at(5s + kRefusalSpan - 1us), false));
  EXPECT_EQ(refusals.due(at(5s + kRefusalSpan), false), 2);
  refusals.counted(at(5s + kRefusalSpan));  // while that row is on its way
  refusals.told(2, at(66s));
  EXPECT_EQ(refusals.next_at(), at(66s + kRefusalSpan));
  EXPECT_EQ(refusals.due(at(67s), true), 1) << "at a stop";
  refusals.told(1, at(67s));
  EXPECT_FALSE(refusals.is_any_untold());
}

class RefusalRows : public ::testing::Test {
 protected:
  RefusalRows()
      : sim_([] {
          auto options = one_pool(1, 8);
          options.perform = [](const queue::ClaimedJob&) {
            return Performance{.run_time = 1ms,
                               .result = RunResult::failed,
                               .failure = {ErrorCode::envelope_mismatch, "edited"}};
          };
          return options;
        }()) {}
  std::vector<queue::AuditRecord> rows() {
    std::vector<queue::AuditRecord> rows;
    sim_.store->read([&](queue::JobReader& reader) {
      reader.for_each_audit(std::nullopt, [&](const queue::AuditRecord& record) {
        rows.push_back(record);
        return true;
      });
    });
    return rows;  // the newest first
  }
  std::int64_t counted() {
    std::int64_t sum = 0;
    for (const queue::AuditRecord& row : rows()) sum += row.entry.count;
    return sum;
  }
  void expect_others_in_one_row(std::size_t jobs) {
    ASSERT_EQ(rows().size(), kRefusalRowsMax + 1U);
    const queue::AuditEntry last = rows().front().entry;
    EXPECT_EQ(last.verb, "job refused");
    EXPECT_EQ(last.subject, "and " + std::to_string(jobs - kRefusalRowsMax) + " more");
    EXPECT_EQ(counted(), static_cast<std::int64_t>(jobs));
  }
  Simulated sim_;
};

TEST_F(RefusalRows, UpToTheirBoundEachHasOneAtOnce) {
  (void)sim_->enqueue_many({}, kRefusalRowsMax);
  sim_->start();
  ASSERT_TRUE(sim_.drains(30s));
  EXPECT_EQ(rows().size(), static_cast<std::size_t>(kRefusalRowsMax));
  EXPECT_EQ(counted(), kRefusalRowsMax);
  sim_->run_for(600s);
  EXPECT_EQ(rows().size(), static_cast<std::size_t>(kRefusalRowsMax));
}

TEST_F(RefusalRows, OfAStoreFullOfThemTheOthersAreCountedInARowAMinute) {
  constexpr std::size_t kJobs = 3000;
  (void)sim_->enqueue_many({}, kJobs);
  sim_->start();
  ASSERT_TRUE(sim_.drains(30s));
  EXPECT_EQ(rows().size(), static_cast<std::size_t>(kRefusalRowsMax));
  sim_->run_for(kRefusalSpan + 1s);
  expect_others_in_one_row(kJobs);
  (void)sim_->enqueue({});
  ASSERT_TRUE(sim_.drains(5s));
  EXPECT_EQ(rows().front().entry.subject.substr(0, 3), "id=") << "a new minute";
}

TEST_F(RefusalRows, AStopTellsThemBeforeItLeaves) {
  constexpr std::size_t kJobs = 500;
  (void)sim_->enqueue_many({}, kJobs);
  sim_->start();
  ASSERT_TRUE(sim_.drains(30s));
  sim_->fail_next_rounds(1);
  sim_->stop();
  ASSERT_TRUE(sim_->run_until([&] { return sim_->has_left(); }, 60s));
  expect_others_in_one_row(kJobs);
}

TEST_F(RefusalRows, RoundsThatFailLoseNoneAndCountNoneTwice) {
  constexpr std::size_t kJobs = 500;
  (void)sim_->enqueue_many({}, kJobs);
  sim_->start();
  for (int time = 0; time < 4; ++time) {
    sim_->run_for(time == 0 ? 8ms : 200ms);
    sim_->fail_next_rounds(1);
  }
  ASSERT_TRUE(sim_.drains(30s));
  sim_->run_for(kRefusalSpan - 1s);
  sim_->fail_next_rounds(2);
  sim_->run_for(5s);
  expect_others_in_one_row(kJobs);
}

}  // namespace
}  // namespace tenure::daemon
