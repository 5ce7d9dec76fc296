#include "shop.hpp"
#include "support/outboxes.hpp"

#include <tenure/queue/outbox_file.hpp>
#include <tenure/tenancy/outbox.hpp>

#include <gmock/gmock.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

// Rows of a real file come to a store.
namespace tenure::testing {
namespace {

using namespace queue;  // NOLINT

struct Died {};

class OutboxRelay : public ::testing::Test {
 protected:
  NewJob new_job(std::size_t argument_bytes = 1) {
    return numbered_job({kAcme, Generation{1}}, ++last_number_, shop_.clock.wall(),
                        '"' + std::string(argument_bytes, 'x') + '"');
  }
  // As a transaction of an application does it, with what it has written beside.
  void commit(const std::vector<NewJob>& jobs) {
    lease_->write([&](TenantTransaction& transaction) {
      for (const NewJob& job : jobs)
        ASSERT_FALSE(add_to_outbox(transaction, job.id.uuid, write_outbox_row(job, {})).text_there);
    });
  }
  void mark() {
    const OutboxState file =
        lease_->write([](TenantTransaction& transaction) { return outbox_state_of(transaction); });
    std::optional<Result<MarkedOutbox>> marked;
    shop_.store->write(Durability::durable, [&](StoreWriter& writer) {
      marked = writer.mark_outbox({kAcme, Generation{1}}, file, shop_.clock.wall());
    });
    static_cast<void>(value_or_raise(*std::move(marked)));
  }
  void unmark(const OutboxMark& mark) {
    shop_.store->write(Durability::ordered,
                       [&](StoreWriter& writer) { writer.unmark_outbox(std::array{mark.number}); });
  }
  // As accept_copy leaves it, of a store that is no file.
  void put_restore_mark() {
    shop_.store->write(Durability::ordered, [&](StoreWriter& writer) {
      value_or_raise(
          writer.mark_outbox({kAcme, Generation{1}}, {.epoch = kEpochOfRestore}, shop_.clock.wall()));
    });
  }
  LostRows lost() {
    std::optional<LostRows> lost;
    shop_.store->read([&](JobReader& reader) { lost = reader.lost_rows(OutboxOwner{kAcme, Generation{1}}); });
    return *lost;
  }
  std::vector<OutboxMark> marks() { return marks_in(*shop_.store); }
  std::vector<JobId> jobs_there() { return job_ids_in(*shop_.store); }
  static std::vector<JobId> ids_of(const std::vector<NewJob>& jobs) {
    std::vector<JobId> ids;
    for (const NewJob& job : jobs) ids.push_back(job.id);
    return ids;
  }
  RelayedFile relay(const OnRelayStep& on_step = {}) {
    return relay_file(*shop_.store, *lease_, shop_.clock, {.on_step = on_step});
  }
  RelayedFile sweep(const OnRelayStep& on_step = {}) {
    return sweep_file(*shop_.store, *lease_, marks(), shop_.clock, {.on_step = on_step});
  }
  std::size_t rows_left() {
    return lease_->read(
        [](TenantReader& reader) { return read_outbox(reader, 100, 1'000'000).entries.size(); });
  }

  void perform_and_remove(const std::vector<JobId>& ids) {
    shop_.store->write(Durability::ordered, [&](StoreWriter& writer) {
      const Incarnation incarnation = writer.open_incarnation(1, "test", 1, shop_.clock.wall());
      const Lane lane = writer.reader().lanes(std::nullopt, 1).at(0);
      const ClaimReply claimed = writer.claim({.queue = lane.queue,
                                               .priority = lane.priority,
                                               .tenant = lane.tenant,
                                               .kinds = {{lane.kind, std::nullopt}},
                                               .count = ids.size(),
                                               .incarnation = incarnation,
                                               .first_counter = 1,
                                               .process = ProcessNumber{1}},
                                              shop_.clock.wall());
      ASSERT_EQ(claimed.jobs.size(), ids.size());
      for (const ClaimedJob& job : claimed.jobs)
        value_or_raise(writer.finish_succeeded({job.seq, job.token}, shop_.clock.wall()));
    });
    shop_.store->write(Durability::ordered, [&](StoreWriter& writer) {
      for (const JobId id : ids) value_or_raise(writer.delete_by_operator(id));
    });
  }

  Shop shop_;
  HandleLease lease_ = shop_.create("acme");
  TenantScope scope_{kAcme};
  std::uint32_t last_number_ = 0;
};

TEST_F(OutboxRelay, BringsRowsInInTheirOrderAndRemovesThem) {
  const std::vector<NewJob> jobs{new_job(), new_job(), new_job()};
  commit({jobs[0], jobs[1]});
  commit({jobs[2]});
  const RelayedFile relayed = relay();
  EXPECT_EQ(relayed.inserted, 3);
  EXPECT_EQ(relayed.watermark, OutboxSeq{3});
  EXPECT_TRUE(relayed.is_empty);
  EXPECT_EQ(jobs_there(), ids_of(jobs));
  EXPECT_EQ(rows_left(), 0U);
  EXPECT_EQ(relay().inserted, 0);
}

TEST_F(OutboxRelay, GoesOnOverPagesUntilTheFileIsEmpty) {
  std::vector<NewJob> jobs;
  for (std::size_t each = 0; each < kOutboxPageRows + 1; ++each) jobs.push_back(new_job());
  // With what no page of rows alone would hold.
  for (int each = 0; each < 3; ++each) jobs.push_back(new_job(kOutboxPageBytes / 5));
  commit(jobs);
  int pages = 0;
  const RelayedFile relayed = relay([&](RelayStep step) { pages += step == RelayStep::take_over ? 1 : 0; });
  EXPECT_EQ(relayed.inserted, static_cast<std::int64_t>(jobs.size()));
  EXPECT_GE(pages, 2);
  EXPECT_EQ(jobs_there(), ids_of(jobs));
  EXPECT_EQ(rows_left(), 0U);
}

TEST_F(OutboxRelay, APageThatHasComeIsToldWhereALaterOneFails) {
  std::vector<NewJob> jobs;
  for (std::size_t each = 0; each < kOutboxPageRows + 1; ++each) jobs.push_back(new_job());
  commit(jobs);
  std::vector<Relayed> pages;
  int begun = 0;
  const auto die_at_second = [&](RelayStep step) {
    if (step == RelayStep::take_over && ++begun == 2) throw Died{};
  };
  EXPECT_THROW(
      static_cast<void>(relay_file(
          *shop_.store, *lease_, shop_.clock,
          {.on_taken_over = [&](const Relayed& page) { pages.push_back(page); }, .on_step = die_at_second})),
      Died);
  ASSERT_EQ(pages.size(), 1U);
  EXPECT_EQ(pages[0].inserted, static_cast<std::int64_t>(kOutboxPageRows));
  EXPECT_TRUE(pages[0].has_ready);
  EXPECT_EQ(jobs_there().size(), kOutboxPageRows);
}

TEST_F(OutboxRelay, ARowThatIsRefusedStaysWithThoseBehindIt) {
  const NewJob good = new_job();
  NewJob foreign = new_job();
  foreign.tenant = TenantName{"globex"};
  const NewJob behind = new_job();
  commit({good, foreign, behind});
  for (int twice = 0; twice < 2; ++twice) {
    const RelayedFile relayed = relay();
    ASSERT_TRUE(relayed.refused);
    EXPECT_EQ(relayed.refused->seq, OutboxSeq{2});
    EXPECT_EQ(relayed.refused->failure.code, ErrorCode::wrong_tenant);
    EXPECT_FALSE(relayed.is_empty);
    EXPECT_EQ(rows_left(), 2U);
    EXPECT_EQ(jobs_there(), ids_of({good}));
  }
}

TEST_F(OutboxRelay, ASweepEndsTheMarksOfAFileThatIsEmpty) {
  mark();
  commit({new_job()});
  const std::int64_t epoch = marks().at(0).epoch.value();
  EXPECT_EQ(sweep().inserted, 1);
  EXPECT_TRUE(marks().empty());
  mark();
  EXPECT_EQ(marks().at(0).epoch, epoch + 1) << "whoever writes next marks anew";
}

TEST_F(OutboxRelay, ASweepLeavesMarksThatWereSetMeanwhileAndThoseOfAFileWithRows) {
  mark();
  const auto read_before = marks();
  commit({new_job()});
  const auto commit_late = [&](RelayStep step) {
    if (step == RelayStep::raise_epoch) commit({new_job()});
  };
  const RelayedFile swept =
      sweep_file(*shop_.store, *lease_, read_before, shop_.clock, {.on_step = commit_late});
  EXPECT_EQ(swept.inserted, 1);
  EXPECT_EQ(marks(), read_before) << "there is a row that nobody has looked at";
  EXPECT_EQ(sweep().inserted, 1);
  EXPECT_TRUE(marks().empty());
}

TEST_F(OutboxRelay, AMarkWithoutAnEpochEndsWithoutANewOne) {
  const auto number = shop_.registry.find(kAcme)->number;
  shop_.store->write(Durability::ordered,
                     [&](StoreWriter& writer) { writer.mark_outbox_of(number, shop_.clock.wall()); });
  commit({new_job()});
  EXPECT_EQ(sweep([](RelayStep step) { EXPECT_NE(step, RelayStep::raise_epoch); }).inserted, 1);
  EXPECT_TRUE(marks().empty());
}

TEST_F(OutboxRelay, AMarkOfARestoreEndsWithANewEpochSoThatWhoRemembersHisMarksAnew) {
  mark();
  const OutboxMark remembered = marks().at(0);
  unmark(remembered);  // the copy was made before it
  put_restore_mark();
  EXPECT_EQ(sweep().inserted, 0);
  EXPECT_TRUE(marks().empty());
  mark();
  EXPECT_EQ(marks().at(0).epoch, remembered.epoch.value() + 1);
}

TEST_F(OutboxRelay, WhatHasComeIntoAControlDatabaseThatIsNoMoreIsCountedOnceAndTheNextComes) {
  commit({new_job(), new_job(), new_job()});
  lease_->write([](TenantTransaction& transaction) { clear_outbox(transaction, 3); });
  std::vector<Relayed> told;
  const auto tell = [&](const Relayed& relayed) { told.push_back(relayed); };
  const RelayedFile relayed = relay_file(*shop_.store, *lease_, shop_.clock, {.on_taken_over = tell});
  EXPECT_EQ(relayed.lost, 3);
  EXPECT_EQ(relayed.watermark, OutboxSeq{3});
  EXPECT_TRUE(relayed.is_empty);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].missing, 3);
  EXPECT_EQ(lost().count, 3);
  EXPECT_EQ(relay().lost, 0);
  const NewJob next = new_job();
  commit({next});
  const RelayedFile then = relay();
  EXPECT_EQ(then.inserted, 1);
  EXPECT_EQ(then.lost, 0);
  EXPECT_EQ(jobs_there(), ids_of({next}));
  EXPECT_EQ(lost().count, 3);
}

TEST_F(OutboxRelay, WhatIsLostBeforeRowsThatAreThereIsCountedWithThem) {
  const std::vector<NewJob> jobs{new_job(), new_job(), new_job()};
  commit(jobs);
  lease_->write([](TenantTransaction& transaction) { clear_outbox(transaction, 2); });
  const RelayedFile relayed = relay();
  EXPECT_EQ(relayed.lost, 2);
  EXPECT_EQ(relayed.inserted, 1);
  EXPECT_EQ(jobs_there(), ids_of({jobs[2]}));
  EXPECT_EQ(lost().count, 2);
}

// A relayer that has read an empty file, and stands still while others commit and bring: nothing of that is lost.
TEST_F(OutboxRelay, WhoStoodStillBeforeHeCountedCountsNothingThatHasCome) {
  commit({new_job()});
  lease_->write([](TenantTransaction& transaction) { clear_outbox(transaction, 1); });
  const RelayedFile late = relay([&](RelayStep step) {
    if (step != RelayStep::count_lost) return;
    EXPECT_EQ(relay().lost, 1);
    commit({new_job()});
    EXPECT_EQ(relay().inserted, 1);
  });
  EXPECT_EQ(late.lost, 0);
  EXPECT_EQ(lost().count, 1);
}

// OBX-03 within one process: whoever goes on finds each job once.
TEST_F(OutboxRelay, EndedBeforeAnyStepTheNextOneGoesOnAndNothingIsThereTwice) {
  for (const RelayStep died_before : {RelayStep::read, RelayStep::sync_file, RelayStep::take_over,
                                      RelayStep::clear, RelayStep::raise_epoch, RelayStep::unmark}) {
    SCOPED_TRACE(name_of(died_before));
    mark();
    const std::size_t before = jobs_there().size();
    commit({new_job(), new_job()});
    EXPECT_THROW(static_cast<void>(sweep([&](RelayStep step) {
                   if (step == died_before) throw Died{};
                 })),
                 Died);
    const bool was_taken_over = died_before > RelayStep::take_over;
    EXPECT_EQ(jobs_there().size(), before + (was_taken_over ? 2 : 0));
    EXPECT_FALSE(marks().empty());
    sweep();
    EXPECT_EQ(jobs_there().size(), before + 2);
    EXPECT_EQ(rows_left(), 0U);
    EXPECT_TRUE(marks().empty());
  }
}

// A relayer that stands still between reading and bringing, until the sweep has done everything and the jobs are gone again.
TEST_F(OutboxRelay, OBX_11_WhoStoodStillUntilTheJobsWerePerformedAndRemovedBringsNothing) {
  const std::vector<NewJob> jobs{new_job(), new_job(), new_job()};
  mark();
  commit({jobs[0], jobs[1]});
  int steps = 0;
  const RelayedFile late = relay([&](RelayStep step) {
    if (step != RelayStep::take_over || steps++ > 0) return;
    EXPECT_EQ(sweep().inserted, 2);
    EXPECT_TRUE(marks().empty());
    shop_.store->write(Durability::ordered, [&](StoreWriter& writer) {
      // So that neither of those that go is the newest job.
      value_or_raise(writer.enqueue(jobs[2], shop_.clock.wall()));
    });
    perform_and_remove({jobs[0].id, jobs[1].id});
    EXPECT_EQ(jobs_there(), ids_of({jobs[2]}));
  });
  EXPECT_GE(steps, 1);
  EXPECT_EQ(late.inserted + late.existed, 0);
  EXPECT_EQ(jobs_there(), ids_of({jobs[2]}));
  EXPECT_EQ(relay().inserted + sweep().inserted, 0);
  EXPECT_EQ(rows_left(), 0U);
}

TEST_F(OutboxRelay, WhoIsLateIsToldOfNoOlderCopyAndGoesOn) {
  const std::vector<NewJob> jobs{new_job(), new_job(), new_job()};
  commit({jobs[0]});
  int steps = 0;
  const RelayedFile late = relay([&](RelayStep step) {
    if (step != RelayStep::take_over || steps++ > 0) return;
    commit({jobs[1]});
    EXPECT_EQ(relay().inserted, 2);
    commit({jobs[2]});
  });
  EXPECT_FALSE(late.is_file_behind) << "rows were given since it has read";
  EXPECT_EQ(late.inserted, 1);
  EXPECT_TRUE(late.is_empty);
  EXPECT_EQ(jobs_there(), ids_of(jobs));
}

TEST_F(OutboxRelay, AnOlderCopyOfTheFileIsNoticedAlsoWithoutRows) {
  commit({new_job(), new_job()});
  EXPECT_EQ(relay().inserted, 2);
  lease_->write([](TenantTransaction&) {});
  { const HandleLease closed = std::move(lease_); }
  shop_.handles.close(kAcme);
  {
    sqlite::Connection put_back{shop_.path("acme"), {}};
    put_back.execute({"put_back", "update sqlite_sequence set seq = 1 where name = 'tenure_outbox'"});
  }
  lease_ = shop_.open("acme");
  EXPECT_TRUE(relay().is_file_behind);
  commit({});
  EXPECT_EQ(code_of([&] { mark(); }), ErrorCode::tenant_not_ready);
  EXPECT_TRUE(sweep().is_file_behind);
  EXPECT_FALSE(marks().empty()) << "somebody has to look";
  EXPECT_EQ(jobs_there().size(), 2U);
}

}  // namespace
}  // namespace tenure::testing
