#include <tenure/base/log.hpp>
#include <tenure/queue/receipt_time.hpp>

#include <gmock/gmock.h>

#include <memory>
#include <receipts/horizons_in_force.hpp>
#include <string>
#include <vector>

namespace tenure::daemon {
namespace {

using namespace std::chrono_literals;
using queue::JobId;

JobId id_of(std::uint8_t number) {
  Uuid::Bytes bytes{};
  bytes[0] = number;
  return JobId{Uuid{bytes}};
}

class HorizonsInForceTest : public ::testing::Test {
 protected:
  HorizonsInForceTest() { log::capture_for_test(&lines_); }
  ~HorizonsInForceTest() override { log::capture_for_test(nullptr); }
  // Read now: acme's smallest is 5.
  void use() {
    in_force_.use(std::make_shared<const ReceiptHorizons>(
        ReceiptHorizons{.smallest = {{kAcme, id_of(5)}}, .read_since = clock_.steady()}));
  }
  JobId horizon(TenantNumber tenant, std::uint8_t job) {
    queue::ClaimedJob claimed{.id = id_of(job), .lane = {.tenant = tenant}};
    return in_force_.of(claimed, {clock_.wall(), clock_.steady()});
  }

  static constexpr TenantNumber kAcme{1}, kBolt{2};
  std::vector<std::string> lines_;
  VirtualClock clock_;
  HorizonsInForce in_force_;
};

TEST_F(HorizonsInForceTest, OfItsTenantAndNeverAboveTheJobItself) {
  EXPECT_EQ(horizon(kAcme, 9), JobId{}) << "before it was read";
  use();
  EXPECT_EQ(horizon(kAcme, 9), id_of(5));
  EXPECT_EQ(horizon(kAcme, 3), id_of(3)) << "it has come since, with an id of its own";
  EXPECT_EQ(horizon(kBolt, 7), id_of(7)) << "no other of its jobs may run";
  EXPECT_EQ(horizon(queue::kUntenanted, 7), JobId{});
}

// It may have become that since the horizons were read, with a copy in which jobs that wait have receipts.
TEST_F(HorizonsInForceTest, NoneOfALaterGenerationThatWasNotLookedAt) {
  use();
  queue::ClaimedJob claimed{.id = id_of(7), .lane = {.tenant = kBolt}, .generation = Generation{2}};
  EXPECT_EQ(in_force_.of(claimed, {clock_.wall(), clock_.steady()}), JobId{});
  claimed.lane.tenant = kAcme;
  EXPECT_EQ(in_force_.of(claimed, {clock_.wall(), clock_.steady()}), id_of(5)) << "one that was";
}

TEST_F(HorizonsInForceTest, NoneThatWasReadTooLongAgo) {
  use();
  clock_.advance(HorizonsInForce::kFreshFor - 1us);
  EXPECT_EQ(horizon(kAcme, 9), id_of(5));
  clock_.advance(1us);
  EXPECT_EQ(horizon(kAcme, 9), JobId{});
}

TEST_F(HorizonsInForceTest, NoneForSevenDaysWhereTheClockWasPutForward) {
  use();
  EXPECT_EQ(horizon(kAcme, 9), id_of(5));
  clock_.jump_wall(std::chrono::years{10});
  EXPECT_EQ(horizon(kAcme, 9), JobId{});
  clock_.jump_wall(-std::chrono::years{10});
  EXPECT_EQ(horizon(kAcme, 9), JobId{}) << "nor when it is put right";
  EXPECT_THAT(lines_, ::testing::ElementsAre(::testing::HasSubstr("receipts.kept")));
  clock_.advance(queue::kReceiptsKeptFor - 1us);
  use();
  EXPECT_EQ(horizon(kAcme, 9), JobId{});
  clock_.advance(1us);
  EXPECT_EQ(horizon(kAcme, 9), id_of(5));
}

}  // namespace
}  // namespace tenure::daemon
