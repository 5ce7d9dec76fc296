#include "transactions.hpp"

#include <tenure/base/limits.hpp>

#include <algorithm>
#include <stdexcept>

// What a transaction of a tenant's database takes and what becomes of it.
namespace tenure::testing {
namespace {

using TransactionTest = Transactions;

TEST_F(TransactionTest, OBX_01_RolledBackThereIsNoJobEverAndCommittedExactlyOneUnderItsId) {
  Uuid undone;
  EXPECT_THROW(client_.transaction(*lease_,
                                   [&](JobTransaction& transaction) {
                                     pay(transaction);
                                     undone = transaction.enqueue(Remind{1});
                                     throw std::runtime_error("no");
                                   }),
               std::runtime_error);
  EXPECT_EQ(sweep().inserted, 0);
  EXPECT_TRUE(ids_there().empty());
  EXPECT_EQ(paid("acme"), 0);

  const Uuid id = client_.transaction(*lease_, [&](JobTransaction& transaction) {
    pay(transaction);
    return transaction.enqueue(Remind{2});
  });
  EXPECT_EQ(ids_there(), std::vector{id});
  EXPECT_EQ(record(id).tenant, TenantName{"acme"});
  EXPECT_EQ(paid("acme"), 1);
  EXPECT_EQ(rows_left(), 0U);
  EXPECT_EQ(relay().inserted + sweep().inserted, 0);
  EXPECT_EQ(ids_there(), std::vector{id}) << "also after all that others do";
  EXPECT_NE(id, undone);
}

TEST_F(TransactionTest, OBX_04_WhoPollsWhileItIsOpenNeverStartsTheJob) {
  const auto poll = [&] {
    EXPECT_EQ(relay().inserted, 0);
    EXPECT_THROW(claim(), std::runtime_error) << "there is nothing";
  };
  const Uuid id = client_.transaction(*lease_, [&](JobTransaction& transaction) {
    poll();
    const Uuid enqueued = transaction.enqueue(Remind{1});
    poll();
    pay(transaction);
    poll();
    return enqueued;
  });
  EXPECT_EQ(claim().id.uuid, id);
}

TEST_F(TransactionTest, OBX_09_ABadArgumentFailsInsideAndTheCallerGoesOnOrLetsItUndoAll) {
  const PayInvoice foreign{invoice_of_bolt()};
  const Uuid good = client_.transaction(*lease_, [&](JobTransaction& transaction) {
    pay(transaction);
    const auto failure = failure_of([&] { transaction.enqueue(foreign); });
    EXPECT_EQ(failure.value().code, ErrorCode::wrong_tenant);
    EXPECT_EQ(failure.value().where, "$.invoice");
    return transaction.enqueue(Remind{1});
  });
  EXPECT_EQ(ids_there(), std::vector{good});
  EXPECT_EQ(paid("acme"), 1);

  EXPECT_THROW(client_.transaction(*lease_,
                                   [&](JobTransaction& transaction) {
                                     pay(transaction);
                                     transaction.enqueue(Remind{2});
                                     transaction.enqueue(foreign);
                                   }),
               WrongTenant);
  EXPECT_EQ(sweep().inserted, 0);
  EXPECT_EQ(ids_there(), std::vector{good});
  EXPECT_EQ(paid("acme"), 1);
}

TEST_F(TransactionTest, OBX_10_OptionsAndLimitsMeanTheSameAsADirectEnqueueAndRowsKeepTheirOrder) {
  using namespace std::chrono_literals;
  const auto unique = [&] { return uuids_of_process().next(clock_.wall()); };
  const auto compare = [&](const auto& job, const EnqueueOptions& options) {
    EnqueueOptions of_direct = options;
    if (of_direct.id) of_direct.id = unique();
    const queue::JobRecord direct = record(client_.enqueue(job, of_direct));
    const Uuid id = client_.transaction(
        *lease_, [&](JobTransaction& transaction) { return transaction.enqueue(job, options); });
    EXPECT_EQ(id, options.id.value_or(id));
    const queue::JobRecord by_row = record(id);
    EXPECT_EQ(by_row.queue, direct.queue);
    EXPECT_EQ(by_row.priority, direct.priority);
    EXPECT_EQ(by_row.due, direct.due);
    EXPECT_EQ(by_row.state, direct.state);
    EXPECT_EQ(by_row.attempts_max, direct.attempts_max);
    EXPECT_EQ(by_row.kind, direct.kind);
    EXPECT_EQ(by_row.tenant, direct.tenant);
    EXPECT_EQ(by_row.generation, direct.generation);
  };
  compare(Remind{1}, {});
  compare(PayAll{}, {});  // whose kind has options
  compare(PayAll{}, {.queue = "fast", .priority = -3, .attempts_max = 9});
  compare(Remind{2}, {.run_in = 5min});
  compare(Remind{3}, {.run_at = clock_.wall() + 1h, .tenant = "acme"});
  compare(Remind{4}, {.id = unique()});

  for (const EnqueueOptions& bad :
       {EnqueueOptions{.queue = "Not a queue"}, EnqueueOptions{.priority = 1'000'000},
        EnqueueOptions{.run_in = 1s, .run_at = clock_.wall()}, EnqueueOptions{.attempts_max = -1}}) {
    const auto direct = code_of([&] { client_.enqueue(Remind{}, bad); });
    EXPECT_NE(direct, std::nullopt);
    EXPECT_EQ(code_of([&] {
                client_.transaction(*lease_,
                                    [&](JobTransaction& transaction) { transaction.enqueue(Remind{}, bad); });
              }),
              direct);
  }
  for (const std::size_t size : {limits::kPayloadDefault - 1000, limits::kPayloadDefault}) {
    const Write job{std::string(size, 'x')};
    EXPECT_EQ(code_of([&] {
                client_.transaction(*lease_, [&](JobTransaction& transaction) { transaction.enqueue(job); });
              }),
              code_of([&] { client_.enqueue(job); }));
  }

  std::vector<Uuid> ids;
  client_.transaction(*lease_, [&](JobTransaction& transaction) {
    for (int each = 0; each < 50; ++each) ids.push_back(transaction.enqueue(Remind{each}));
  });
  const auto there = ids_there();
  EXPECT_EQ((std::vector(there.end() - 50, there.end())), ids);
}

TEST_F(TransactionTest, OBX_10_ATransactionHasALimit) {
  for (const std::size_t above : {0U, 1U}) {
    const std::size_t before = ids_there().size();
    std::vector<Uuid> ids;
    client_.transaction(*lease_, [&](JobTransaction& transaction) {
      for (std::size_t each = 0; each < limits::kBulkMax; ++each)
        ids.push_back(transaction.enqueue(Remind{}));
      for (std::size_t each = 0; each < above; ++each)
        EXPECT_EQ(code_of([&] { transaction.enqueue(Remind{}); }), ErrorCode::limit_reached);
    });
    const auto there = ids_there();
    EXPECT_EQ((std::vector(there.begin() + static_cast<std::ptrdiff_t>(before), there.end())), ids);
  }
}

TEST_F(TransactionTest, AJobOfAnotherTenantOrOfNoneIsRefused) {
  client_.transaction(*lease_, [&](JobTransaction& transaction) {
    EXPECT_EQ(code_of([&] { transaction.enqueue(Remind{}, {.tenant = "bolt"}); }),
              ErrorCode::tenant_swap_prohibited);
    EXPECT_EQ(code_of([&] { transaction.enqueue(Remind{}, {.untenanted = true}); }),
              ErrorCode::missing_tenant);
    EXPECT_EQ(code_of([&] { transaction.enqueue(Remind{}, {.tenant = "acme", .untenanted = true}); }),
              ErrorCode::bad_options);
    EXPECT_EQ(code_of([&] { transaction.enqueue(PayInvoice{}); }), ErrorCode::bad_global_id);
    const TenantScope of_bolt(TenantName{"bolt"}, {}, AllowSwap{});
    EXPECT_EQ(code_of([&] { transaction.enqueue(Remind{}); }), ErrorCode::wrong_tenant);
    without_tenant([&] { EXPECT_EQ(code_of([&] { transaction.enqueue(Remind{}); }), ErrorCode::no_tenant); });
  });
  EXPECT_TRUE(ids_there().empty());
  EXPECT_TRUE(marks().empty()) << "nothing was written";
}

TEST_F(TransactionTest, OutsideTheHandlesScopeNoneBegins) {
  const auto begin = [&] { client_.transaction(*lease_, [](JobTransaction&) { FAIL() << "called"; }); };
  without_tenant([&] { EXPECT_EQ(code_of(begin), ErrorCode::no_tenant); });
  const TenantScope of_bolt(TenantName{"bolt"}, {}, AllowSwap{});
  EXPECT_EQ(code_of(begin), ErrorCode::wrong_tenant);
}

TEST_F(TransactionTest, TheSameIdIsOneJobAndOtherContentAConflict) {
  const Uuid id = uuids_of_process().next(clock_.wall());
  client_.transaction(*lease_, [&](JobTransaction& transaction) {
    pay(transaction);
    EXPECT_EQ(transaction.enqueue(Remind{1}, {.id = id}), id);
    EXPECT_EQ(transaction.enqueue(Remind{1}, {.run_in = std::chrono::hours{1}, .id = id}), id)
        << "the time is no part of what a job is";
    EXPECT_EQ(code_of([&] { transaction.enqueue(Remind{2}, {.id = id}); }), ErrorCode::id_conflict);
    EXPECT_EQ(code_of([&] { transaction.enqueue(Remind{1}, {.queue = "other", .id = id}); }),
              ErrorCode::id_conflict);
  });
  EXPECT_EQ(ids_there(), std::vector{id});
  EXPECT_EQ(record(id).due, clock_.wall());
  // Later, when it has left this database.
  client_.transaction(*lease_,
                      [&](JobTransaction& transaction) { transaction.enqueue(Remind{1}, {.id = id}); });
  EXPECT_EQ(ids_there(), std::vector{id});
  EXPECT_EQ(rows_left(), 0U);
  EXPECT_EQ(paid("acme"), 1);
}

TEST_F(TransactionTest, TheRowThatTheCallerInsertedLastStaysTheLast) {
  client_.transaction(*lease_, [&](JobTransaction& transaction) {
    transaction.execute("insert into invoice (id, paid) values (77, 0)");
    transaction.enqueue(PayInvoice{transaction.ref<Invoice>(77)});
    EXPECT_EQ(transaction.last_insert_row(), 77);
  });
  EXPECT_EQ(ids_there().size(), 1U);
}

TEST_F(TransactionTest, ADelayIsCountedFromTheEnqueue) {
  using namespace std::chrono_literals;
  const WallTime then = clock_.wall();
  const Uuid id = client_.transaction(*lease_, [&](JobTransaction& transaction) {
    const Uuid enqueued = transaction.enqueue(Remind{}, {.run_in = 5min});
    clock_.advance(10s);
    return enqueued;
  });
  EXPECT_EQ(record(id).due, then + 5min);
}

TEST_F(TransactionTest, AnErrorQuotesNoMaskedValue) {
  Client masking{*store_, clock_, {.application = "books", .mask = {"invoice"}}};
  const PayInvoice foreign{invoice_of_bolt()};
  masking.transaction(*lease_, [&](JobTransaction& transaction) {
    EXPECT_EQ(failure_of([&] { transaction.enqueue(foreign); }).value().message,
              "what is wrong with a masked value is not told");
  });
}

TEST_F(TransactionTest, WithoutAJobItIsATransactionAndNothingElse) {
  EXPECT_EQ(client_
                .transaction(*lease_,
                             [](JobTransaction& transaction) {
                               pay(transaction);
                               return std::make_unique<int>(7);
                             })
                .
                operator*(),
            7);
  EXPECT_EQ(paid("acme"), 1);
  EXPECT_TRUE(marks().empty());
}

TEST_F(TransactionTest, ASecondOneInsideIsRefused) {
  client_.transaction(*lease_, [&](JobTransaction& outer) {
    outer.enqueue(Remind{1});
    EXPECT_EQ(code_of([&] { client_.transaction(*lease_, [](JobTransaction&) {}); }), ErrorCode::bad_options);
  });
  EXPECT_EQ(ids_there().size(), 1U);
}

}  // namespace
}  // namespace tenure::testing
