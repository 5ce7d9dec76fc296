#include "bookkeeping.hpp"
#include "seen_outboxes.hpp"
#include "support/shim_vfs.hpp"

#include <tenure/base/log.hpp>
#include <tenure/queue/outbox_file.hpp>
#include <tenure/tenancy/outbox.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

// What a run tells of the jobs that it has enqueued in its steps, whatever it ends with.
namespace tenure::testing {
namespace {

using ::testing::HasSubstr;

struct FollowUp {
  static constexpr std::string_view kind = "books.follow_up";
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(number));
  }
};

class OnceOutbox : public Bookkeeping {
 protected:
  OnceOutbox() {
    jobs_.add<PayInvoice>([this](const PayInvoice&, JobContext& context) { body_(context); });
    // The first run of a tenant in a process tells of more, which has tests of its own.
    static_cast<void>(run([](JobContext& context) { static_cast<void>(context.handle()); }));
  }

  // One run of a new job, or of `job`.
  queue::AttemptEnd run(std::function<void(JobContext&)> body,
                        const std::optional<queue::ClaimedJob>& job = {}) {
    body_ = std::move(body);
    if (!job) {
      with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
      claimed_ = claim();
    }
    queue::ClaimedJob again = job ? *job : *claimed_;
    again.token = {again.token.incarnation, ++counter_};
    queue::RunNotes notes{{again.seq, again.token}};
    return end_of(performer_, again, stop_, notes);
  }
  // A step that pays and enqueues.
  void pay_and_follow(JobContext& context, int number = 1) {
    context.once("pay", [&](JobTransaction& transaction) {
      transaction.execute("update invoice set paid = paid + 1 where id = 1");
      child_ = transaction.enqueue(FollowUp{number});
    });
  }
  static std::vector<queue::JobId> ids_of(const queue::OutboxRows& rows) {
    std::vector<queue::JobId> ids;
    for (const queue::OutboxRow& row : rows.rows)
      ids.push_back(value_or_raise(queue::read_outbox_row(row.text, kOwner, {})).id);
    return ids;
  }
  static void expect_tells_all(const queue::AttemptEnd& end, const std::vector<Uuid>& children) {
    ASSERT_TRUE(end.outbox);
    EXPECT_EQ(end.outbox->owner, kOwner);
    EXPECT_TRUE(end.outbox->is_all);
    std::vector<queue::JobId> ids;
    for (const Uuid& child : children) ids.push_back({child});
    EXPECT_EQ(ids_of(end.outbox->rows), ids);
  }
  // As an application does it, without a word to anybody.
  void put_row_of_another(int number) {
    with_tenant("acme", [&] {
      tenants_.open_current()->write([&](TenantTransaction& transaction) {
        const queue::NewJob job{.id = {uuids_of_process().next(clock_.wall())},
                                .tenant = kOwner.tenant,
                                .generation = kOwner.generation,
                                .queue = "default",
                                .kind = "books.follow_up",
                                .due = clock_.wall(),
                                .attempts_max = 3,
                                .arguments = R"({"number":)" + std::to_string(number) + "}"};
        static_cast<void>(add_to_outbox(transaction, job.id.uuid, queue::write_outbox_row(job, {})));
        other_ = job.id.uuid;
      });
    });
  }
  std::filesystem::path file() const { return folder_.path() / "tenants/acme.db"; }

  static inline const queue::OutboxOwner kOwner{TenantName{"acme"}, Generation{1}};
  std::function<void(JobContext&)> body_;
  std::optional<queue::ClaimedJob> claimed_;
  queue::StopSignal stop_;
  Uuid child_;
  Uuid other_;
};

TEST_F(OnceOutbox, ARunThatHasEnqueuedNothingTellsNothing) {
  const auto end = run([](JobContext& context) { context.once("pay", [](JobTransaction&) {}); });
  EXPECT_EQ(end.result, queue::RunResult::succeeded);
  EXPECT_FALSE(end.outbox);
}

TEST_F(OnceOutbox, ItsRowsAreToldWhateverTheRunEndsWith) {
  const auto succeeded = run([&](JobContext& context) { pay_and_follow(context); });
  EXPECT_EQ(succeeded.result, queue::RunResult::succeeded);
  expect_tells_all(succeeded, {child_});
  const Uuid first = child_;

  const auto failed = run([&](JobContext& context) {
    pay_and_follow(context);
    throw std::runtime_error("behind the step");
  });
  EXPECT_EQ(failed.failure.code, ErrorCode::handler_failed);
  expect_tells_all(failed, {first, child_});
  const Uuid second = child_;

  const auto cancelled = run([&](JobContext& context) {
    pay_and_follow(context);
    stop_.give(StopReason::operator_asked);
    static_cast<void>(context.stop_reason());
  });
  EXPECT_EQ(cancelled.failure.code, ErrorCode::interrupted);
  expect_tells_all(cancelled, {first, second, child_});
  EXPECT_EQ(paid("acme"), 3);
}

TEST_F(OnceOutbox, RUN_03_AnExceptionInsideLeavesNoRowAndTheNextRunWritesIt) {
  const auto failed = run([&](JobContext& context) {
    context.once("pay", [&](JobTransaction& transaction) {
      transaction.execute("update invoice set paid = paid + 1 where id = 1");
      static_cast<void>(transaction.enqueue(FollowUp{1}));
      throw std::runtime_error("no");
    });
  });
  EXPECT_EQ(failed.failure.code, ErrorCode::handler_failed);
  EXPECT_FALSE(failed.outbox);
  EXPECT_EQ(paid("acme"), 0);
  const auto succeeded = run([&](JobContext& context) { pay_and_follow(context); }, claimed_);
  expect_tells_all(succeeded, {child_});
  EXPECT_EQ(paid("acme"), 1);
}

TEST_F(OnceOutbox, ARunThatFindsTheReceiptWritesNoRowAgain) {
  const auto first = run([&](JobContext& context) { pay_and_follow(context); });
  expect_tells_all(first, {child_});
  bool was_called = false;
  const auto again = run(
      [&](JobContext& context) {
        context.once("pay", [&](JobTransaction& transaction) {
          was_called = true;
          static_cast<void>(transaction.enqueue(FollowUp{2}));
        });
      },
      claimed_);
  EXPECT_EQ(again.result, queue::RunResult::succeeded);
  EXPECT_FALSE(was_called);
  EXPECT_FALSE(again.outbox) << "its end need not wait for a sync";
  EXPECT_EQ(paid("acme"), 1);
}

// The transaction would see what it has not committed, and roll it back behind the report.
TEST_F(OnceOutbox, AHandlerThatLeavesATransactionOpenTellsOnlyWhatIsCommitted) {
  std::optional<TenantTransaction> left_open;
  const auto end = run([&](JobContext& context) {
    pay_and_follow(context);
    left_open.emplace(context.handle().begin());
    const queue::NewJob job{.id = {uuids_of_process().next(clock_.wall())}};
    static_cast<void>(add_to_outbox(*left_open, job.id.uuid, "never committed"));
  });
  EXPECT_EQ(end.result, queue::RunResult::succeeded);
  expect_tells_all(end, {child_});
}

TEST_F(OnceOutbox, AHandlerThatLeavesAnotherScopeOpenTellsItsOwnTenantsRows) {
  std::optional<TenantScope> left_open;
  const auto end = run([&](JobContext& context) {
    pay_and_follow(context);
    left_open.emplace(TenantName{"bolt"}, Generation{1}, AllowSwap{});
  });
  left_open.reset();
  expect_tells_all(end, {child_});
}

TEST_F(OnceOutbox, WhereTheFileCannotBeReadSomebodyHasToLook) {
  std::vector<std::string> lines;
  log::capture_for_test(&lines);
  std::optional<TenantSnapshot> left_open;
  const auto end = run([&](JobContext& context) {
    pay_and_follow(context);
    std::filesystem::rename(file(), folder_.path() / "tenants/away.db");
    // So that it is opened anew.
    left_open.emplace(context.handle().begin_read());
  });
  left_open.reset();
  log::capture_for_test(nullptr);
  EXPECT_EQ(end.result, queue::RunResult::succeeded);
  ASSERT_TRUE(end.outbox);
  EXPECT_FALSE(end.outbox->is_all);
  EXPECT_TRUE(end.outbox->rows.rows.empty());
  EXPECT_THAT(lines, ::testing::Contains(HasSubstr("outbox.unread")));
}

TEST_F(OnceOutbox, RowsOfOthersBeforeItsOwnAreToldToo) {
  put_row_of_another(7);
  const auto end = run([&](JobContext& context) { pay_and_follow(context); });
  expect_tells_all(end, {other_, child_});
}

TEST_F(OnceOutbox, RowsOfOthersBehindItsOwnAreLeftToThem) {
  const auto end = run([&](JobContext& context) {
    pay_and_follow(context);
    put_row_of_another(8);
  });
  expect_tells_all(end, {child_});
  const Uuid first = child_;
  const auto next = run([&](JobContext& context) { pay_and_follow(context); });
  expect_tells_all(next, {first, other_, child_});
}

TEST_F(OnceOutbox, AsMuchIsToldAsAFrameHolds) {
  const auto end = run([&](JobContext& context) {
    context.once("many", [&](JobTransaction& transaction) {
      for (std::size_t each = 0; each <= queue::kOutboxPageRows; ++each)
        static_cast<void>(transaction.enqueue(FollowUp{static_cast<int>(each)}));
    });
  });
  ASSERT_TRUE(end.outbox);
  EXPECT_EQ(end.outbox->rows.rows.size(), queue::kOutboxPageRows);
  EXPECT_FALSE(end.outbox->is_all);
}

// The power was cut behind the step of a run, and its claim, which nobody had synced, was undone: no mark tells of the row.
TEST_F(OnceOutbox, TheFirstRunOfATenantInAProcessTellsOfRowsThatNobodyKnows) {
  put_row_of_another(7);
  const auto returns_early = [](JobContext&) {};
  EXPECT_FALSE(run(returns_early).outbox) << "this process has looked";
  Performer of_new_process{jobs_, handles_, clock_, {.application = "books"}};
  queue::RunNotes notes{{claimed_->seq, claimed_->token}};
  expect_tells_all(end_of(of_new_process, *claimed_, stop_, notes), {other_});
  EXPECT_FALSE(end_of(of_new_process, *claimed_, stop_, notes).outbox);
}

TEST_F(OnceOutbox, AJobThatDoesNotUseItsTenantsDatabaseDoesNotOpenItAndTellsOfRowsAllTheSame) {
  const auto returns_early = [](JobContext&) {};
  static_cast<void>(run(returns_early));
  const auto first_end_in_new_process = [&](std::int64_t opened) {
    handles_.close_idle();
    HandleCache handles{handles_.files(), {.application = "books"}};
    Performer performer{jobs_, handles, clock_, {.application = "books"}};
    queue::RunNotes notes{{claimed_->seq, claimed_->token}};
    auto end = end_of(performer, *claimed_, stop_, notes);
    EXPECT_EQ(handles.counters().opened, opened);
    return end;
  };
  EXPECT_FALSE(first_end_in_new_process(0).outbox);
  put_row_of_another(7);
  expect_tells_all(first_end_in_new_process(1), {other_});
}

TEST_F(OnceOutbox, WhatIsJobsAlreadyIsClearedAndNothingElse) {
  const auto end = run([&](JobContext& context) {
    pay_and_follow(context);
    context.once("another",
                 [](JobTransaction& transaction) { static_cast<void>(transaction.enqueue(FollowUp{2})); });
  });
  ASSERT_TRUE(end.outbox);
  ASSERT_EQ(end.outbox->rows.rows.size(), 2U);
  performer_.clear_outbox(kOwner, end.outbox->rows.rows[0].seq);
  with_tenant("acme", [&] {
    const auto front =
        tenants_.open_current()->read([](TenantReader& reader) { return queue::read_outbox_front(reader); });
    EXPECT_EQ(front.rows.rows, (std::vector{end.outbox->rows.rows[1]}));
  });
  EXPECT_NO_THROW(performer_.clear_outbox({TenantName{"nobody"}, Generation{1}}, queue::OutboxSeq{9}));
}

struct SyncsOfAcme {
  std::atomic<int> syncs = 0;
  static constexpr int kDiskFull = 13;  // SQLite's number for it
  std::atomic<bool> has_full_disk = false;
  ShimVfs vfs{[this](const ShimVfs::Event& event) {
    if (!event.path.ends_with("acme.db-wal")) return 0;
    if (event.call == ShimVfs::Call::sync) ++syncs;
    return event.call == ShimVfs::Call::write && has_full_disk ? kDiskFull : 0;
  }};
};

// The base that comes first stands below all files of the other.
class OnceOutboxSyncs : private SyncsOfAcme, public OnceOutbox {
 protected:
  using SyncsOfAcme::has_full_disk;
  // How often the end of a run of `body` syncs the tenant's file.
  int syncs_behind(const std::function<void(JobContext&)>& body) {
    int before = 0;
    const auto end = run([&](JobContext& context) {
      body(context);
      before = syncs;
    });
    EXPECT_TRUE(end.outbox);
    return syncs - before;
  }
};

TEST_F(OnceOutboxSyncs, TheRunsOwnRowsAreOnDiskByItsCommit) {
  EXPECT_EQ(syncs_behind([&](JobContext& context) { pay_and_follow(context); }), 0);
}

TEST_F(OnceOutboxSyncs, RowsOfOthersBehindThemAreNotTold) {
  EXPECT_EQ(syncs_behind([&](JobContext& context) {
              pay_and_follow(context);
              put_row_of_another(8);
            }),
            0);
}

// They may be this run's own.
TEST_F(OnceOutboxSyncs, BehindACommitThatHasFailedAllIsTold) {
  const auto end = run([&](JobContext& context) {
    pay_and_follow(context);
    EXPECT_THROW(context.once("failed",
                              [&](JobTransaction& transaction) {
                                static_cast<void>(transaction.enqueue(FollowUp{2}));
                                has_full_disk = true;
                              }),
                 Error);
    has_full_disk = false;
    put_row_of_another(8);
  });
  expect_tells_all(end, {child_, other_});
}

// Its number was given to a row of another's.
TEST_F(OnceOutboxSyncs, ARowThatWasUndoneIsNoSignOfWhatIsOnDisk) {
  EXPECT_EQ(syncs_behind([&](JobContext& context) {
              EXPECT_THROW(context.once("undone",
                                        [](JobTransaction& transaction) {
                                          static_cast<void>(transaction.enqueue(FollowUp{1}));
                                          throw std::runtime_error("undo");
                                        }),
                           std::runtime_error);
              context.once("other", [](JobTransaction&) {});
              put_row_of_another(8);
            }),
            1);
}

TEST_F(OnceOutboxSyncs, NeitherIsOneThatASavepointHasUndone) {
  EXPECT_EQ(syncs_behind([&](JobContext& context) {
              context.once("half undone", [](JobTransaction& transaction) {
                transaction.execute("savepoint here");
                static_cast<void>(transaction.enqueue(FollowUp{1}));
                transaction.execute("rollback to here");
                transaction.execute("release here");
              });
              put_row_of_another(8);
            }),
            1);
}

TEST_F(OnceOutbox, RowsThatNobodyOfOursHasPutThereAreLeftToWhoLooks) {
  const auto end = run([&](JobContext& context) {
    pay_and_follow(context);
    sqlite::Connection raw{file(), {}};
    raw.execute({"odd", "update sqlite_sequence set seq = 0 where name = 'tenure_outbox'"});
  });
  EXPECT_EQ(end.result, queue::RunResult::succeeded);
  ASSERT_TRUE(end.outbox);
  EXPECT_TRUE(end.outbox->rows.rows.empty());
  EXPECT_FALSE(end.outbox->is_all);
}

TEST(SeenOutboxes, BeginAnewAtTheirBound) {
  detail::SeenOutboxes seen;
  const queue::OutboxOwner first{TenantName{"acme"}, Generation{1}};
  seen.add(first);
  for (std::size_t each = 2; each <= detail::SeenOutboxes::kMax; ++each)
    seen.add({first.tenant, Generation{static_cast<std::int64_t>(each)}});
  EXPECT_TRUE(seen.has(first));
  EXPECT_FALSE(seen.has({TenantName{"bolt"}, Generation{1}}));
  seen.add({TenantName{"bolt"}, Generation{1}});
  EXPECT_FALSE(seen.has(first)) << "which costs a look";
  EXPECT_TRUE(seen.has({TenantName{"bolt"}, Generation{1}}));
}

}  // namespace
}  // namespace tenure::testing
