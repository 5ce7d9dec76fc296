#include "support/outboxes.hpp"
#include "unit/worker/failing_store.hpp"

#include <tenure/base/log.hpp>
#include <tenure/queue/memory_store.hpp>

#include <gmock/gmock.h>

#include <memory>
#include <receipts/horizon_reader.hpp>
#include <string>
#include <vector>

namespace tenure::daemon {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class HorizonReaderTest : public ::testing::Test {
 protected:
  HorizonReaderTest() { log::capture_for_test(&lines_); }
  ~HorizonReaderTest() override { log::capture_for_test(nullptr); }
  void read_for(std::chrono::microseconds time) {
    for (const Instant end = clock_.steady() + time; clock_.steady() < end;)
      clock_.advance(std::max<std::chrono::microseconds>(reader_.pass(), 1ms));
  }

  std::vector<std::string> lines_;
  VirtualClock clock_;
  FailingStore store_{queue::make_memory_store()};
  std::vector<std::shared_ptr<const ReceiptHorizons>> told_;
  HorizonReader reader_{store_, clock_, [this](auto horizons) { told_.push_back(std::move(horizons)); }};
};

TEST_F(HorizonReaderTest, TellsWhatAWholePassHasFound) {
  const TenantName acme{"acme"};
  value_or_raise(store_.registry().begin_create(acme, clock_.wall()));
  value_or_raise(store_.registry().activate(acme, Generation{1}));
  store_.write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    for (std::uint32_t number = 3; number < 1503; ++number)
      value_or_raise(
          writer.enqueue(testing::numbered_job({acme, Generation{1}}, number, clock_.wall()), clock_.wall()));
  });
  const Instant before = clock_.steady();
  EXPECT_EQ(reader_.pass(), HorizonScan::kPause);
  EXPECT_THAT(told_, IsEmpty());
  read_for(1s);
  ASSERT_THAT(told_, SizeIs(1));
  const queue::JobId first = testing::numbered_job({acme, Generation{1}}, 3, {}).id;
  EXPECT_EQ(told_[0]->smallest.at(store_.registry().find(acme)->number), first);
  EXPECT_EQ(told_[0]->read_since, before);
  read_for(HorizonScan::kEvery);
  EXPECT_THAT(told_, SizeIs(2));
}

TEST_F(HorizonReaderTest, WhatCouldNotBeSyncedIsTakenForNothing) {
  store_.sync_fails_with = ErrorCode::disk_sync_failed;
  read_for(10s);
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_THAT(lines_, ::testing::ElementsAre(::testing::HasSubstr("receipts.unread")));
}

}  // namespace
}  // namespace tenure::daemon
