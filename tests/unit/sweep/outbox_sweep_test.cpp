#include "shop.hpp"
#include "support/outboxes.hpp"
#include "support/shim_vfs.hpp"

#include <tenure/base/log.hpp>
#include <tenure/queue/memory_store.hpp>
#include <tenure/tenancy/outbox.hpp>

#include <gmock/gmock.h>

#include <fstream>
#include <outbox/outbox_sweep.hpp>
#include <string>
#include <vector>

namespace tenure::testing {
namespace {

using namespace std::chrono_literals;
using namespace queue;  // NOLINT
using daemon::OutboxSweep;
using daemon::SweepPlan;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class OutboxSweepTest : public ::testing::Test {
 protected:
  OutboxSweepTest() { log::capture_for_test(&lines_); }
  ~OutboxSweepTest() override { log::capture_for_test(nullptr); }

  // As a transaction of an application leaves it that died before its relay.
  JobId leave_row(const std::string& tenant, std::int64_t generation = 1) {
    const JobId id = row(tenant, generation);
    mark(tenant);
    return id;
  }
  JobId row(const std::string& tenant, std::int64_t generation = 1) {
    const NewJob job =
        numbered_job({TenantName{tenant}, Generation{generation}}, ++last_number_, shop_.clock.wall());
    const TenantScope scope{TenantName{tenant}};
    shop_.open(tenant)->write([&](TenantTransaction& transaction) {
      ASSERT_FALSE(add_to_outbox(transaction, job.id.uuid, write_outbox_row(job, {})).text_there);
    });
    return job.id;
  }
  void mark(const std::string& tenant) {
    const TenantScope scope{TenantName{tenant}};
    const OutboxState file = shop_.open(tenant)->write(
        [](TenantTransaction& transaction) { return outbox_state_of(transaction); });
    shop_.store->write(Durability::durable, [&](StoreWriter& writer) {
      value_or_raise(writer.mark_outbox({TenantName{tenant}, Generation{1}}, file, shop_.clock.wall()));
    });
  }
  void mark_without_epoch(const std::string& tenant) {
    const auto number = shop_.registry.find(TenantName{tenant})->number;
    shop_.store->write(Durability::durable,
                       [&](StoreWriter& writer) { writer.mark_outbox_of(number, shop_.clock.wall()); });
  }
  std::vector<OutboxMark> marks() { return marks_in(*shop_.store); }
  std::vector<JobId> jobs_there() { return job_ids_in(*shop_.store); }
  std::vector<std::string> lines_with(std::string_view event) const {
    std::vector<std::string> found;
    for (const std::string& line : lines_)
      if (line.find(event) != std::string::npos) found.push_back(line);
    return found;
  }
  // With the time that its rests take.
  void sweep_for(std::chrono::microseconds time) {
    for (const Instant end = shop_.clock.steady() + time; shop_.clock.steady() < end;)
      shop_.clock.advance(std::min<std::chrono::microseconds>(
          std::max<std::chrono::microseconds>(sweep_.pass(), 1ms), end - shop_.clock.steady()));
    static_cast<void>(sweep_.pass());
  }
  // Nobody of ours has it open then.
  void damage(const std::string& tenant) {
    shop_.handles.close(TenantName{tenant});
    std::ofstream(shop_.path(tenant), std::ios::trunc) << std::string(8192, 'x');
  }

  std::vector<std::string> lines_;
  Shop shop_;
  std::uint32_t last_number_ = 0;
  int readied_ = 0;
  OutboxSweep sweep_{
      *shop_.store, shop_.clock, files_in(shop_.folder.path()), {.application = "shop"}, [this] {
        ++readied_;
      }};
};

TEST_F(OutboxSweepTest, BringsWhatWasLeftAndTellsThatItIsThere) {
  shop_.create("acme");
  const JobId first = leave_row("acme");
  const JobId second = row("acme");
  EXPECT_EQ(sweep_.pass(), OutboxSweep::kPeriod);
  EXPECT_THAT(jobs_there(), ElementsAre(first, second));
  EXPECT_EQ(readied_, 1);
  EXPECT_EQ(sweep_.figures().rows_taken_over, 2);
  EXPECT_EQ(sweep_.figures().marked_files, 1);
  EXPECT_THAT(marks(), SizeIs(1)) << "its application may still write";
}

TEST_F(OutboxSweepTest, AFileThatHasBecomeQuietIsUnmarkedAndClosed) {
  shop_.create("acme");
  leave_row("acme");
  sweep_for(SweepPlan::kQuietFor + SweepPlan::kLookEvery);
  EXPECT_THAT(marks(), IsEmpty());
  EXPECT_EQ(sweep_.figures().marked_files, 0);
  EXPECT_EQ(sweep_.opened_for_test().idle, 0);
  const JobId later = leave_row("acme");
  EXPECT_EQ(marks()[0].epoch, 2) << "the epoch went up, so the next writer has marked anew";
  sweep_for(SweepPlan::kLookEvery + OutboxSweep::kPeriod);
  EXPECT_EQ(jobs_there().back(), later);
}

TEST_F(OutboxSweepTest, WhatARunLeftThatEndedWithoutAWordComesWithTheNextPass) {
  shop_.create("acme");
  static_cast<void>(sweep_.pass());
  const JobId id = row("acme");
  mark_without_epoch("acme");
  static_cast<void>(sweep_.pass());
  EXPECT_THAT(jobs_there(), ElementsAre(id));
  EXPECT_THAT(marks(), IsEmpty());
}

TEST_F(OutboxSweepTest, OBX_05_OfAHundredThousandTenantsItOpensTheThreeWithMarks) {
  for (int each = 0; each < 99'997; ++each) {
    const TenantName name{"t" + std::to_string(each)};
    value_or_raise(shop_.registry.begin_create(name, shop_.clock.wall()));
    value_or_raise(shop_.registry.activate(name, Generation{1}));
  }
  std::vector<JobId> left;
  for (const char* name : {"acme", "globex", "initech"}) {
    shop_.create(name);
    left.push_back(leave_row(name));
  }
  sweep_for(10s);
  EXPECT_EQ(jobs_there(), left);
  EXPECT_EQ(sweep_.opened_for_test().opened, 3);
}

TEST_F(OutboxSweepTest, WithoutMarksNoFileIsOpenedAndTheStoreIsReadOnlyWhereItHasChanged) {
  shop_.create("acme");
  row("acme");  // and no mark
  sweep_for(60s);
  EXPECT_EQ(sweep_.opened_for_test().opened, 0);
  EXPECT_THAT(jobs_there(), IsEmpty());
}

TEST_F(OutboxSweepTest, OBX_07_OneThatIsUnreadableOrLockedHoldsUpNoOther) {
  for (const char* name : {"acme", "damaged", "globex"}) shop_.create(name);
  const JobId of_locked = leave_row("acme");
  leave_row("damaged");
  damage("damaged");
  const WallTime left_at = shop_.clock.wall();
  const JobId later_of_locked = row("acme");
  const JobId of_other = leave_row("globex");
  sqlite::Connection other_process{shop_.path("acme"), {}};
  other_process.execute({"lock", "begin immediate"});

  static_cast<void>(sweep_.pass());
  EXPECT_THAT(jobs_there(), ElementsAre(of_locked, later_of_locked, of_other)) << "none waits for another";
  sweep_for(60s);
  EXPECT_EQ(sweep_.figures().files_in_trouble, 2);
  EXPECT_EQ(sweep_.figures().oldest_wait, left_at);
  ASSERT_THAT(lines_with("outbox.unreachable"), SizeIs(1)) << "once for each reason";
  EXPECT_THAT(lines_with("outbox.unreachable")[0], HasSubstr("tenant=damaged"));
  ASSERT_THAT(lines_with("outbox.not_written"), SizeIs(1));
  EXPECT_THAT(lines_with("outbox.not_written")[0], HasSubstr("tenant=acme"));

  const JobId next_of_other = leave_row("globex");
  sweep_for(SweepPlan::kLookEvery);
  EXPECT_EQ(jobs_there().back(), next_of_other);
  other_process.execute({"unlock", "rollback"});
  sweep_for(SweepPlan::kBackOffMax + SweepPlan::kQuietFor * 2);
  ASSERT_THAT(marks(), SizeIs(1));
  EXPECT_EQ(marks()[0].owner.tenant, TenantName{"damaged"});
}

TEST_F(OutboxSweepTest, OBX_08_RowsOfAnOlderGenerationAreNotRelayedButReported) {
  shop_.create("acme");
  leave_row("acme");
  {
    const TenantScope scope{kAcme};
    shop_.open("acme")->write([](TenantTransaction&) {});
  }
  // In the file of a later generation.
  set_tenant_state_for_test(*shop_.store, kAcme, TenantState::deleted);
  value_or_raise(shop_.registry.begin_create(kAcme, shop_.clock.wall()));
  value_or_raise(shop_.registry.activate(kAcme, Generation{2}));
  shop_.restamp("acme", TenantState::active, 2);
  mark_without_epoch("acme");

  static_cast<void>(sweep_.pass());
  EXPECT_THAT(jobs_there(), IsEmpty());
  ASSERT_THAT(lines_with("outbox.refused"), SizeIs(1));
  EXPECT_THAT(lines_with("outbox.refused")[0], HasSubstr("StaleGeneration"));
  EXPECT_THAT(lines_with("outbox.refused")[0], HasSubstr("row 1 "));
  EXPECT_THAT(lines_with("outbox.outlived"), SizeIs(1));
  ASSERT_THAT(marks(), SizeIs(1)) << "that of the older generation is gone";
  EXPECT_EQ(marks()[0].owner.generation, Generation{2});
}

TEST_F(OutboxSweepTest, AnOlderCopyOfADatabaseFailsItsTenantAndIsReported) {
  shop_.create("acme");
  leave_row("acme");
  row("acme");
  static_cast<void>(sweep_.pass());
  ASSERT_THAT(jobs_there(), SizeIs(2));
  sqlite::Connection{shop_.path("acme"), {}}.execute(
      {"put_back", "update sqlite_sequence set seq = 1 where name = 'tenure_outbox'"});
  sweep_for(SweepPlan::kLookEvery);
  EXPECT_EQ(shop_.registry.find(kAcme)->state, TenantState::failed);
  ASSERT_THAT(lines_with("outbox.file_behind"), SizeIs(1));
  EXPECT_THAT(lines_with("outbox.file_behind")[0], HasSubstr("tenant=acme"));
  EXPECT_THAT(marks(), SizeIs(1)) << "somebody has to look";
}

TEST_F(OutboxSweepTest, ManyRowsOfOneFileDoNotHoldUpOthers) {
  shop_.create("acme");
  shop_.create("globex");
  leave_row("acme");
  for (std::size_t rows = 0; rows < OutboxSweep::kPagesPerLook * kOutboxPageRows; rows += 500) {
    const TenantScope scope{kAcme};
    shop_.open("acme")->write([&](TenantTransaction& transaction) {
      for (int each = 0; each < 500; ++each) {
        const NewJob job = numbered_job({kAcme, Generation{1}}, ++last_number_, shop_.clock.wall());
        static_cast<void>(add_to_outbox(transaction, job.id.uuid, write_outbox_row(job, {})));
      }
    });
  }
  const JobId of_other = leave_row("globex");
  static_cast<void>(sweep_.pass());
  const std::vector<JobId> all = jobs_there();
  ASSERT_EQ(all.size(), OutboxSweep::kPagesPerLook * kOutboxPageRows + 2);
  EXPECT_EQ(all[all.size() - 2], of_other) << "behind ten pages of the first one, before its eleventh";
}

// Below every connection of the test.
struct DiskOfTest {
  bool acme_fails = false;
  ShimVfs vfs{[this](const ShimVfs::Event& event) {
    constexpr int kIoErrorOfSync = 10 | (4 << 8);  // SQLITE_IOERR_FSYNC
    const bool is_it =
        event.call == ShimVfs::Call::sync && event.path.find("acme.db") != std::string_view::npos;
    return acme_fails && is_it ? kIoErrorOfSync : 0;
  }};
};

class OutboxSweepOnABadDisk : public DiskOfTest, public OutboxSweepTest {};

TEST_F(OutboxSweepOnABadDisk, AFileThatCannotBeSyncedIsLeftAloneAndOthersAreNot) {
  shop_.create("acme");
  shop_.create("globex");
  leave_row("acme");
  const JobId of_other = leave_row("globex");
  acme_fails = true;
  static_cast<void>(sweep_.pass());
  acme_fails = false;  // as the kernel says from then on
  sweep_for(SweepPlan::kBackOffMax * 2);
  EXPECT_THAT(jobs_there(), ElementsAre(of_other));
  EXPECT_THAT(lines_with("outbox.sync_failed"), SizeIs(1));
  EXPECT_EQ(sweep_.figures().files_in_trouble, 1);
}

TEST_F(OutboxSweepTest, ItGivesUpBetweenTwoFiles) {
  shop_.create("acme");
  leave_row("acme");
  sweep_.give_up();
  static_cast<void>(sweep_.pass());
  EXPECT_THAT(jobs_there(), IsEmpty());
}

}  // namespace
}  // namespace tenure::testing
