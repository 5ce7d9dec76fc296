#include <gmock/gmock.h>

#include <algorithm>
#include <receipts/horizon_scan.hpp>
#include <vector>

namespace tenure::daemon {
namespace {

using namespace std::chrono_literals;
using queue::JobId;
using queue::JobSeq;

const TenantNumber kAcme{1}, kBolt{2};

JobId id(std::uint8_t number) {
  Uuid::Bytes bytes{};
  bytes[0] = number;
  return JobId{Uuid{bytes}};
}

// A table of jobs, read by the scan.
class HorizonScanTest : public ::testing::Test {
 protected:
  struct Row {
    queue::UnsucceededJob job;
    bool has_succeeded = false;
  };
  void add(TenantNumber tenant, JobId job_id, bool has_succeeded = false) {
    rows_.push_back({{JobSeq{static_cast<std::int64_t>(rows_.size()) + 1}, tenant, job_id}, has_succeeded});
  }
  void add_succeeded(int count) {
    for (int each = 0; each < count; ++each) add(kAcme, id(0), true);
  }
  // One page, when it is due. Whether a pass is over.
  bool read_page() {
    now_ = std::max(now_, scan_.next_at());
    const auto page = scan_.next(now_);
    EXPECT_TRUE(page.has_value());
    queue::UnsucceededJobs found{.jobs = {}, .looked_until = page->until, .newest = rows_.back().job.seq};
    std::size_t looks = 0;
    for (const Row& row : rows_) {
      if (row.job.seq <= page->after || row.job.seq > page->until) continue;
      looks_.push_back(row.job.seq.value);
      if (!row.has_succeeded) found.jobs.push_back(row.job);
      if (++looks < HorizonScan::kRowsPerPage) continue;
      found.looked_until = row.job.seq;
      break;
    }
    return scan_.read(*page, found, now_);
  }
  ReceiptHorizons pass() {
    looks_.clear();
    while (!read_page()) {
    }
    return scan_.take();
  }

  HorizonScan scan_;
  std::vector<Row> rows_;
  std::vector<std::int64_t> looks_;
  Instant now_{1s};
};

TEST_F(HorizonScanTest, TheSmallestIdOfEachTenantsJobsThatMayStillRun) {
  add(kAcme, id(9));
  add(kAcme, id(3), true);
  add(kAcme, id(5));
  add(kBolt, id(1));
  add(queue::kUntenanted, id(2));
  const ReceiptHorizons found = pass();
  EXPECT_EQ(found.smallest, (std::map<TenantNumber, JobId>{{kAcme, id(5)}, {kBolt, id(1)}}));
}

TEST_F(HorizonScanTest, AStoreWithoutJobsIsReadToo) {
  EXPECT_FALSE(scan_.next(now_) == std::nullopt);
  const bool is_over = scan_.read(*scan_.next(now_), {.jobs = {}, .looked_until = {}, .newest = {}}, now_);
  EXPECT_FALSE(is_over) << "what lies before the first sequence was not looked at";
  now_ = scan_.next_at();
  EXPECT_TRUE(scan_.read(*scan_.next(now_), {.jobs = {}, .looked_until = JobSeq{0}, .newest = {}}, now_));
  EXPECT_TRUE(scan_.take().smallest.empty());
}

TEST_F(HorizonScanTest, PagesRestInBetweenAndPassesLonger) {
  add_succeeded(1500);
  EXPECT_FALSE(read_page());
  EXPECT_EQ(scan_.next(now_ + HorizonScan::kPause - 1us), std::nullopt);
  EXPECT_FALSE(read_page());
  EXPECT_EQ(looks_.size(), HorizonScan::kRowsPerPage);
  EXPECT_TRUE(read_page());
  EXPECT_EQ(scan_.take().read_since, Instant{1s}) << "when its first page was read";
  EXPECT_EQ(scan_.next_at(), now_ + HorizonScan::kEvery);
}

TEST_F(HorizonScanTest, ALaterPassLooksAtWhatWasLeftAndAtWhatHasCome) {
  add_succeeded(5000);
  add(kAcme, id(7));
  add_succeeded(5000);
  add(kBolt, id(8));
  static_cast<void>(pass());
  EXPECT_EQ(looks_.size(), 10'002U);
  add(kAcme, id(6));
  EXPECT_EQ(pass().smallest, (std::map<TenantNumber, JobId>{{kAcme, id(6)}, {kBolt, id(8)}}));
  EXPECT_EQ(looks_, (std::vector<std::int64_t>{5001, 10'002, 10'003}));
  rows_[5000].has_succeeded = true;
  static_cast<void>(pass());
  static_cast<void>(pass());
  EXPECT_EQ(looks_, (std::vector<std::int64_t>{10'002, 10'003}));
}

TEST_F(HorizonScanTest, NeighboursAreReadTogether) {
  for (int each = 0; each < 3; ++each) {
    add(kAcme, id(7));
    add_succeeded(400);
  }
  static_cast<void>(pass());
  static_cast<void>(pass());
  EXPECT_EQ(looks_.size(), 803U) << "from the first to the last of them";
}

TEST_F(HorizonScanTest, AJobThatComesBehindThePageIsOfTheNextPass) {
  add_succeeded(1500);
  static_cast<void>(read_page());
  static_cast<void>(read_page());
  add(kAcme, id(1));
  while (!read_page()) {
  }
  EXPECT_TRUE(scan_.take().smallest.empty());
  EXPECT_EQ(pass().smallest.at(kAcme), id(1));
}

}  // namespace
}  // namespace tenure::daemon
