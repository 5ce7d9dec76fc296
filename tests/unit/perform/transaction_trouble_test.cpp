#include "marked_files.hpp"
#include "transactions.hpp"

#include <tenure/base/log.hpp>
#include <tenure/tenancy/outbox.hpp>

#include <gmock/gmock.h>

#include <support/in_child.hpp>

// What becomes of a transaction with jobs where the control database is in trouble, or others have been at work.
namespace tenure::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class TransactionTrouble : public Transactions {
 protected:
  TransactionTrouble() { log::capture_for_test(&lines_); }
  ~TransactionTrouble() override { log::capture_for_test(nullptr); }

  Uuid enqueue(Client& client) {
    return client.transaction(*lease_, [](JobTransaction& transaction) {
      pay(transaction);
      return transaction.enqueue(Remind{1});
    });
  }
  // From the second write on: the first one is the mark.
  void fail_behind_the_mark(ErrorCode code) {
    asking_.before_write = [this, code] {
      if (++writes_ > 1) raise(code, "for this test");
    };
  }
  std::vector<std::string> lines_;
  int writes_ = 0;
};

TEST_F(TransactionTrouble, WhereTheControlDatabaseIsBusyBehindTheCommitItReturnsAndASweepBringsTheJob) {
  fail_behind_the_mark(ErrorCode::store_busy);
  Uuid id;
  ASSERT_NO_THROW(id = enqueue(over_asking_));
  EXPECT_THAT(lines_, Contains(::testing::AllOf(HasSubstr("outbox.left"), HasSubstr("for this test"))));
  EXPECT_TRUE(ids_there().empty());
  EXPECT_EQ(paid("acme"), 1);
  ASSERT_EQ(marks().size(), 1U) << "by which tenured finds it";
  EXPECT_EQ(sweep().inserted, 1);
  EXPECT_EQ(ids_there(), std::vector{id});
  EXPECT_TRUE(marks().empty());
}

TEST_F(TransactionTrouble, AnyOtherExceptionBehindTheCommitIsNoReasonToTakeItForUndoneEither) {
  asking_.before_write = [this] {
    if (++writes_ > 1) throw std::bad_alloc();
  };
  EXPECT_NO_THROW(enqueue(over_asking_));
  EXPECT_THAT(lines_, Contains(HasSubstr("outbox.left")));
  EXPECT_EQ(sweep().inserted, 1);
}

TEST_F(TransactionTrouble, TheNextTransactionBringsWhatWasLeft) {
  fail_behind_the_mark(ErrorCode::store_busy);
  const Uuid left = enqueue(over_asking_);
  asking_.before_write = {};
  const Uuid next = enqueue(over_asking_);
  EXPECT_EQ(ids_there(), (std::vector{left, next}));
}

TEST_F(TransactionTrouble, WhereTheMarkCannotBeSetTheEnqueueSaysSoAndTheTransactionGoesOn) {
  asking_.before_write = [] { raise(ErrorCode::store_busy, "for this test"); };
  const Uuid id = over_asking_.transaction(*lease_, [&](JobTransaction& transaction) {
    pay(transaction);
    EXPECT_EQ(code_of([&] { transaction.enqueue(Remind{1}); }), ErrorCode::store_busy);
    asking_.before_write = {};
    return transaction.enqueue(Remind{2});
  });
  EXPECT_EQ(ids_there(), std::vector{id});
  EXPECT_EQ(paid("acme"), 1);

  asking_.before_write = [] { raise(ErrorCode::store_busy, "for this test"); };
  queue::set_tenant_state_for_test(*store_, TenantName{"acme"}, TenantState::active);
  static_cast<void>(sweep());  // so that a new mark must be set
  EXPECT_THROW(enqueue(over_asking_), StoreBusy);
  EXPECT_EQ(paid("acme"), 1) << "all undone";
  EXPECT_EQ(rows_left(), 0U);
}

TEST_F(TransactionTrouble, WhatTheRegistryForbidsIsSaidAtTheFirstJob) {
  queue::set_tenant_state_for_test(*store_, TenantName{"acme"}, TenantState::draining);
  client_.transaction(*lease_, [&](JobTransaction& transaction) {
    EXPECT_EQ(code_of([&] { transaction.enqueue(Remind{1}); }), ErrorCode::tenant_not_ready);
  });
  EXPECT_TRUE(marks().empty());
}

TEST_F(TransactionTrouble, AnIdThatTheQueueHasForAnotherJobStaysWithThoseBehindIt) {
  const Uuid id = client_.enqueue(Remind{1});
  client_.transaction(*lease_, [&](JobTransaction& transaction) {
    transaction.enqueue(Remind{2}, {.id = id});
    transaction.enqueue(Remind{3});
  });
  EXPECT_THAT(lines_, Contains(HasSubstr("outbox.left")));
  EXPECT_EQ(ids_there(), std::vector{id});
  EXPECT_EQ(rows_left(), 2U);
  const auto swept = sweep();
  ASSERT_TRUE(swept.refused);
  EXPECT_EQ(swept.refused->failure.code, ErrorCode::id_conflict);
  EXPECT_EQ(marks().size(), 1U) << "somebody has to look";
}

TEST_F(TransactionTrouble, AProcessMarksOnceForEachEpoch) {
  asking_.before_write = [this] { ++writes_; };
  enqueue(over_asking_);
  EXPECT_EQ(writes_, 2) << "a mark, and what it relays";
  enqueue(over_asking_);
  EXPECT_EQ(writes_, 3);
  const auto first = marks();
  ASSERT_EQ(first.size(), 1U);

  EXPECT_EQ(sweep().inserted, 0);
  EXPECT_TRUE(marks().empty());
  Uuid id;
  asking_.before_write = [this] {
    if (++writes_ > 4) raise(ErrorCode::store_busy, "for this test");
  };
  id = enqueue(over_asking_);
  ASSERT_EQ(marks().size(), 1U) << "the epoch was raised, so the former mark stands for nothing";
  EXPECT_GT(marks()[0].number, first[0].number);
  EXPECT_GT(marks()[0].epoch, first[0].epoch);
  EXPECT_EQ(sweep().inserted, 1);
  EXPECT_EQ(ids_there().back(), id);
}

TEST_F(TransactionTrouble, AMarkThatWasSetByAnotherProcessIsMadeDurableAllTheSame) {
  Client other{*store_, clock_, {.application = "books"}};
  enqueue(other);
  ASSERT_EQ(marks().size(), 1U);
  std::vector<int> writes;
  asking_.before_write = [this] { ++writes_; };
  enqueue(over_asking_);
  EXPECT_EQ(writes_, 2) << "its writer may not have synced it yet";
}

TEST_F(TransactionTrouble, AChildOfAForkHasNoTransactions) {
  EXPECT_EQ(in_child([&] { return throws<ForkedProcess>([&] { enqueue(client_); }) ? 1 : 0; }), 1);
  EXPECT_NO_THROW(enqueue(client_));
  EXPECT_EQ(ids_there().size(), 1U);
}

TEST_F(TransactionTrouble, AMarkIsSetBeforeTheFirstRowAndSeenByOthersWhileTheTransactionIsOpen) {
  client_.transaction(*lease_, [&](JobTransaction& transaction) {
    EXPECT_TRUE(marks().empty());
    transaction.enqueue(Remind{1});
    EXPECT_EQ(marks().size(), 1U);
  });
}

// Whose next numbers were taken over: no matter whether this process had it marked before, or how many rows the transaction adds.
TEST_F(TransactionTrouble, OBX_16_NoJobIsPutIntoAnOlderCopyAndTheTenantIsFailed) {
  for (Client* client : {&client_, &over_asking_}) {
    enqueue(client_);
    enqueue(client_);
    const std::size_t before = ids_there().size();
    const std::int64_t paid_before = paid("acme");
    sqlite::Connection{handles_.files().path_for(TenantName{"acme"}), {}}.execute(
        {"put_back", "update sqlite_sequence set seq = seq - 2 where name = 'tenure_outbox'"});
    EXPECT_TRUE(throws<TenantNotReady>([&] {
      client->transaction(*lease_, [](JobTransaction& transaction) {
        pay(transaction);
        for (int each = 0; each < 3; ++each) transaction.enqueue(Remind{each});
      });
    }));
    EXPECT_EQ(ids_there().size(), before);
    EXPECT_EQ(store_->registry().find(TenantName{"acme"})->state, TenantState::failed);

    sqlite::Connection{handles_.files().path_for(TenantName{"acme"}), {}}.execute(
        {"right_file", "update sqlite_sequence set seq = seq + 2 where name = 'tenure_outbox'"});
    EXPECT_TRUE(throws<TenantNotReady>([&] { enqueue(over_asking_); }))
        << "nobody has said that it is the right one";
    store_->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      value_or_raise(writer.recheck_outbox({TenantName{"acme"}, Generation{1}},
                                           queue::OutboxSeq{static_cast<std::int64_t>(before)}));
    });
    EXPECT_EQ(paid("acme"), paid_before);
    EXPECT_EQ(rows_left(), 0U);
  }
  enqueue(over_asking_);
  EXPECT_EQ(ids_there().size(), 5U);
}

TEST(MarkedFiles, BeginAnewAtTheirBound) {
  detail::MarkedFiles marked;
  const TenantName acme{"acme"};
  const auto owner = [&](std::size_t generation) {
    return queue::OutboxOwner{acme, Generation{static_cast<std::int64_t>(generation)}};
  };
  for (std::size_t each = 1; each <= detail::MarkedFiles::kMax; ++each)
    marked.add(owner(each), {4, queue::OutboxSeq{7}});
  EXPECT_TRUE(marked.has(owner(1), {4, queue::OutboxSeq{7}}));
  EXPECT_FALSE(marked.has(owner(1), {4, queue::OutboxSeq{6}})) << "an older copy";
  EXPECT_FALSE(marked.has(owner(1), {5, queue::OutboxSeq{7}}));
  EXPECT_FALSE(marked.has({TenantName{"bolt"}, Generation{1}}, {4, queue::OutboxSeq{7}}));
  marked.add(owner(detail::MarkedFiles::kMax + 1), {4, {}});
  EXPECT_FALSE(marked.has(owner(1), {4, queue::OutboxSeq{7}})) << "which costs a commit";
  EXPECT_TRUE(marked.has(owner(detail::MarkedFiles::kMax + 1), {4, {}}));
}

}  // namespace
}  // namespace tenure::testing
