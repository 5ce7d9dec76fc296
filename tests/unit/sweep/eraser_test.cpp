#include "support/temporary_folder.hpp"

#include <tenure/base/uuid.hpp>
#include <tenure/queue/memory_store.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <retention/eraser.hpp>
#include <string>

// Deleted tenants are erased behind their undo windows.
namespace tenure::daemon {
namespace {

using namespace std::chrono_literals;
using queue::DeletionStep;
using queue::StoreWriter;

const TenantName kGone{"acme"};
const TenantName kOther{"beta"};

// Counts what it is asked, and fails at one write.
struct CountedStore final : queue::Store {
  explicit CountedStore(queue::Store& inner) : inner_(inner) {}
  void read(FunctionRef<void(queue::JobReader&)> work) override {
    ++reads;
    inner_.read(work);
  }
  void write(queue::Durability durability, FunctionRef<void(StoreWriter&)> work) override {
    if (++writes == fails_at) throw Error(Failure{.code = ErrorCode::disk, .message = "no space"});
    inner_.write(durability, work);
  }
  void sync() override { inner_.sync(); }
  Result<std::string> outbox_row(const queue::NewJob& job) override { return inner_.outbox_row(job); }
  std::int64_t change_counter() override { return inner_.change_counter(); }
  void checkpoint(std::int64_t bytes) override { inner_.checkpoint(bytes); }
  bool tidy() override { return inner_.tidy(); }
  TenantRegistry& registry() override { return inner_.registry(); }
  std::unique_ptr<TenantRegistry> audited_registry(queue::AuditEntry entry, const Clock& clock) override {
    return inner_.audited_registry(std::move(entry), clock);
  }
  queue::Store& inner_;
  int reads = 0;
  int writes = 0;
  int fails_at = 0;
};

class Erasing : public ::testing::Test {
 protected:
  Erasing() {
    tenants_.create(kGone);
    tenants_.create(kOther);
    enqueue(kGone, 5);
    enqueue(kOther, 3);
  }
  void enqueue(const TenantName& tenant, int jobs) {
    store_->write(queue::Durability::durable, [&](StoreWriter& writer) {
      for (int each = 0; each < jobs; ++each)
        ids_of_.push_back(value_or_raise(writer.enqueue({.id = queue::JobId{ids_.next(clock_.wall())},
                                                         .tenant = tenant,
                                                         .generation = {},
                                                         .queue = "default",
                                                         .kind = "a.b",
                                                         .priority = {},
                                                         .due = clock_.wall(),
                                                         .attempts_max = 1,
                                                         .arguments = "{}"},
                                                        clock_.wall()))
                              .id);
    });
  }
  // As the command does; the first five jobs are its.
  void remove(std::chrono::hours window) {
    const TenantNumber number = store_->registry().find(kGone)->number;
    store_->write(queue::Durability::durable, [&](StoreWriter& writer) {
      value_or_raise(writer.begin_deletion({.tenant = kGone}, clock_.wall()));
      for (int each = 0; each < 5; ++each)
        value_or_raise(writer.cancel_by_operator(ids_of_[static_cast<std::size_t>(each)], clock_.wall()));
    });
    handles_.close_idle();
    const Burial burial = graveyard_.bury(kGone, Generation{1});
    store_->write(queue::Durability::durable, [&](StoreWriter& writer) {
      value_or_raise(
          writer.bury(number, {.size_bytes = burial.size_bytes(), .erase_at = clock_.wall() + window}));
    });
  }
  std::int64_t jobs() {
    std::int64_t count = 0;
    store_->read([&](queue::JobReader& reader) { count = reader.summary().jobs; });
    return count;
  }
  DeletionStep step() {
    DeletionStep step{};
    const TenantNumber number = store_->registry().find(kGone)->number;
    store_->read([&](queue::JobReader& reader) { step = reader.deletion(number)->step; });
    return step;
  }
  [[nodiscard]] bool lies_there() const { return graveyard_.has(kGone, Generation{1}); }
  // Until it rests for long.
  void pass(Eraser& eraser) {
    for (int steps = 0; steps < 100; ++steps) {
      const auto rest = eraser.step();
      clock_.advance(rest);
      if (rest >= EraserLimits{}.between_looks) return;
    }
    FAIL() << "it never rests";
  }
  void pass_for(Eraser& eraser, std::chrono::hours time) {
    for (const Instant end = clock_.steady() + time; clock_.steady() < end;) pass(eraser);
  }

  testing::TemporaryFolder folder_;
  VirtualClock clock_;
  std::unique_ptr<queue::Store> store_ = queue::make_memory_store();
  HandleCache handles_{TenantFiles{folder_.path().string() + "/tenants/%{tenant}.db"},
                       {.application = "shop"}};
  Tenants tenants_{store_->registry(), handles_, clock_, {.application = "shop"}};
  Graveyard graveyard_{handles_.files(), "shop"};
  UuidGenerator ids_{7};
  std::vector<queue::JobId> ids_of_;
};

TEST_F(Erasing, OfADatabaseThatWasPutAwayForACopyTheFileGoesAndTheJobsStay) {
  store_->write(queue::Durability::durable, [&](StoreWriter& writer) {
    value_or_raise(writer.begin_restore(
        {.tenant = kGone, .copied = clock_.wall(), .copied_generation = Generation{1}}, clock_.wall()));
    for (int each = 0; each < 5; ++each)
      value_or_raise(writer.hold_for_restore(ids_of_[static_cast<std::size_t>(each)]));
  });
  handles_.close_idle();
  const Burial burial = graveyard_.bury(kGone, Generation{1});
  store_->write(queue::Durability::durable, [&](StoreWriter& writer) {
    value_or_raise(writer.begin_next(kGone, burial.size_bytes(), clock_.wall() + 2h, clock_.wall()));
  });
  Eraser eraser(*store_, clock_, graveyard_, {.at_once = 2});
  pass_for(eraser, 1h);
  EXPECT_TRUE(lies_there());
  pass_for(eraser, 2h);
  EXPECT_FALSE(lies_there());
  EXPECT_EQ(jobs(), 8);
  const TenantNumber first{1};
  const TenantRecord next = *store_->registry().find(kGone);
  value_or_raise(store_->registry().activate(kGone, next.generation));
  store_->write(queue::Durability::durable, [&](StoreWriter& writer) {
    value_or_raise(writer.begin_deletion({.tenant = kGone}, clock_.wall()));
    value_or_raise(writer.bury(next.number, {.size_bytes = 1, .erase_at = clock_.wall() + 1h}));
  });
  pass_for(eraser, 3h);
  EXPECT_EQ(jobs(), 3) << "with the tenant what it had left there goes too";
  EXPECT_EQ(step(), DeletionStep::erased);
  store_->read(
      [&](queue::JobReader& reader) { EXPECT_EQ(reader.deletion(first)->step, DeletionStep::erased); });
}

// Both windows are over in one look.
TEST_F(Erasing, RowsOfWhatWasPutAwayGoWithTheTenantToo) {
  const TenantNumber first = store_->registry().find(kGone)->number;
  store_->write(queue::Durability::durable, [&](StoreWriter& writer) {
    writer.note_migration({.tenant = first, .ended = clock_.wall(), .error = "near 'x'"});
    value_or_raise(writer.begin_restore(
        {.tenant = kGone, .copied = clock_.wall(), .copied_generation = Generation{1}}, clock_.wall()));
    for (std::size_t each = 0; each < 5; ++each) value_or_raise(writer.hold_for_restore(ids_of_[each]));
    value_or_raise(writer.begin_next(kGone, 1, clock_.wall() + 1h, clock_.wall()));
  });
  const TenantRecord next = *store_->registry().find(kGone);
  value_or_raise(store_->registry().activate(kGone, next.generation));
  store_->write(queue::Durability::durable, [&](StoreWriter& writer) {
    value_or_raise(writer.begin_deletion({.tenant = kGone}, clock_.wall()));
    value_or_raise(writer.bury(next.number, {.size_bytes = 1, .erase_at = clock_.wall() + 1h}));
  });
  clock_.advance(2h);
  Eraser eraser(*store_, clock_, graveyard_);
  pass_for(eraser, 1h);
  EXPECT_EQ(jobs(), 3);
  store_->read([&](queue::JobReader& reader) {
    EXPECT_EQ(reader.deletion(first)->step, DeletionStep::erased);
    EXPECT_FALSE(reader.last_migration(first));
  });
}

TEST_F(Erasing, BehindTheWindowFileAndJobsAreGoneAndNobodyElses) {
  remove(2h);
  Eraser eraser(*store_, clock_, graveyard_, {.at_once = 2});
  pass_for(eraser, 1h);
  EXPECT_TRUE(lies_there());
  EXPECT_EQ(jobs(), 8);
  EXPECT_EQ(step(), DeletionStep::buried);
  pass_for(eraser, 2h);
  EXPECT_FALSE(lies_there());
  EXPECT_EQ(jobs(), 3);
  EXPECT_EQ(step(), DeletionStep::erased);
  EXPECT_EQ(store_->registry().find(kGone)->generation, Generation{1}) << "its tombstone stays";
  EXPECT_TRUE(std::filesystem::exists(handles_.files().path_for(kOther)));
}

TEST_F(Erasing, TheNewestJobOfAllStaysUntilAnotherOneComes) {
  enqueue(kGone, 1);
  const queue::JobId newest = ids_of_.back();
  store_->write(queue::Durability::durable, [&](StoreWriter& writer) {
    value_or_raise(writer.cancel_by_operator(newest, clock_.wall()));
  });
  remove(1h);
  Eraser eraser(*store_, clock_, graveyard_);
  pass_for(eraser, 2h);
  EXPECT_FALSE(lies_there());
  EXPECT_EQ(jobs(), 4);
  EXPECT_EQ(step(), DeletionStep::erasing);
  enqueue(kOther, 1);
  pass_for(eraser, 1h);
  EXPECT_EQ(jobs(), 4) << "without it, and with the one that came";
  EXPECT_EQ(step(), DeletionStep::erased);
}

TEST_F(Erasing, NothingGoesForAnHourBehindAClockThatWasPutForward) {
  remove(24h);
  Eraser eraser(*store_, clock_, graveyard_);
  pass(eraser);
  clock_.jump_wall(48h);
  pass(eraser);
  clock_.advance(30min);
  pass(eraser);
  EXPECT_TRUE(lies_there());
  clock_.jump_wall(-48h);
  pass_for(eraser, 2h);
  EXPECT_TRUE(lies_there());
  EXPECT_EQ(step(), DeletionStep::buried);
}

// What an operator has begun to take back, the clock does not take from him.
TEST_F(Erasing, WhatIsBeingTakenBackStays) {
  remove(1h);
  const TenantNumber number = store_->registry().find(kGone)->number;
  store_->write(queue::Durability::durable, [&](StoreWriter& writer) {
    value_or_raise(writer.begin_taking_back(number, clock_.wall()));
  });
  Eraser eraser(*store_, clock_, graveyard_);
  pass_for(eraser, 3h);
  EXPECT_TRUE(lies_there());
  EXPECT_EQ(jobs(), 8);
  EXPECT_EQ(step(), DeletionStep::taking_back);
}

// From its first commit on, so that nobody takes back what has lost its log.
TEST_F(Erasing, FromItsBeginningNobodyTakesItBack) {
  remove(1h);
  Eraser eraser(*store_, clock_, graveyard_, {.at_once = 2});
  clock_.advance(2h);
  eraser.step();
  EXPECT_EQ(step(), DeletionStep::erasing);
  const TenantNumber number = store_->registry().find(kGone)->number;
  store_->write(queue::Durability::durable, [&](StoreWriter& writer) {
    EXPECT_EQ(writer.begin_taking_back(number, clock_.wall()).error().code, ErrorCode::state_changed);
  });
  EXPECT_FALSE(lies_there());
}

// The clock was put forward, and back when it had begun.
TEST_F(Erasing, WhatHasBegunGoesOnWhateverTheClockSays) {
  remove(1h);
  clock_.advance(2h);
  {
    Eraser killed(*store_, clock_, graveyard_, {.at_once = 2});
    killed.step();
    killed.step();
  }
  EXPECT_EQ(step(), DeletionStep::erasing);
  clock_.jump_wall(-48h);
  Eraser next(*store_, clock_, graveyard_);
  pass_for(next, 1h);
  EXPECT_EQ(jobs(), 3);
  EXPECT_EQ(step(), DeletionStep::erased);
}

// A pass over the rows is one, however many jobs each commit takes.
TEST_F(Erasing, RowsAreLookedAtOnceForAllJobsOfAllTenants) {
  remove(1h);
  clock_.advance(2h);
  CountedStore counted(*store_);
  Eraser eraser(counted, clock_, graveyard_, {.at_once = 1, .looks_max = 4});
  for (int steps = 0; steps < 20 && step() != DeletionStep::erased; ++steps) {
    clock_.advance(eraser.step());
  }
  EXPECT_EQ(step(), DeletionStep::erased);
  EXPECT_EQ(counted.reads, 4) << "for what is due, and of eight rows four at a time with what is behind them";
}

TEST_F(Erasing, AnErrorBeforeItsRowsAreGoneIsDoneAgain) {
  const TenantNumber number = store_->registry().find(kGone)->number;
  store_->write(queue::Durability::durable, [&](StoreWriter& writer) {
    writer.note_migration({.tenant = number, .ended = clock_.wall(), .error = "near 'x'"});
  });
  remove(1h);
  clock_.advance(2h);
  CountedStore failing(*store_);
  failing.fails_at = 3;  // behind that it has begun, and its jobs
  Eraser eraser(failing, clock_, graveyard_, {.at_once = 10});
  for (int steps = 0; steps < 20 && step() != DeletionStep::erased; ++steps) clock_.advance(eraser.step());
  EXPECT_EQ(step(), DeletionStep::erased);
  EXPECT_GT(failing.writes, 3);
  store_->read([&](queue::JobReader& reader) { EXPECT_FALSE(reader.last_migration(number)); });
}

TEST_F(Erasing, OneThatCannotGoHoldsNobodyElseUp) {
  remove(1h);
  const std::filesystem::path grave = graveyard_.path_for(kGone, Generation{1});
  std::filesystem::remove(grave);
  std::filesystem::create_directories(grave / "no-file");
  const TenantNumber other = store_->registry().find(kOther)->number;
  store_->write(queue::Durability::durable, [&](StoreWriter& writer) {
    value_or_raise(writer.begin_deletion({.tenant = kOther}, clock_.wall()));
    for (std::size_t each = 5; each < 8; ++each)
      value_or_raise(writer.cancel_by_operator(ids_of_[each], clock_.wall()));
  });
  const Burial burial = graveyard_.bury(kOther, Generation{1});
  store_->write(queue::Durability::durable, [&](StoreWriter& writer) {
    value_or_raise(writer.bury(other, {.size_bytes = burial.size_bytes(), .erase_at = clock_.wall() + 1h}));
  });
  const TenantName gamma{"gamma"};
  tenants_.create(gamma);
  enqueue(gamma, 1);  // the newest of all
  Eraser eraser(*store_, clock_, graveyard_);
  pass_for(eraser, 2h);
  EXPECT_FALSE(graveyard_.has(kOther, Generation{1}));
  DeletionStep of_other{};
  store_->read([&](queue::JobReader& reader) { of_other = reader.deletion(other)->step; });
  EXPECT_EQ(of_other, DeletionStep::erased);
  EXPECT_EQ(step(), DeletionStep::erasing);
  std::filesystem::remove_all(grave);
  pass_for(eraser, 1h);
  EXPECT_EQ(step(), DeletionStep::erased);
}

}  // namespace
}  // namespace tenure::daemon
