#include "shop.hpp"

#include <tenure/tenancy/own_tables.hpp>

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <stdexcept>
#include <thread>

namespace tenure {
namespace {

using testing::code_of;
using testing::failure_of;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Shop;

constexpr sqlite::Query kWriteReceipt{"write_receipt", R"sql(
  insert into main.tenure_receipts(job_id, step, incarnation, counter, written_us)
  values(zeroblob(16), ?1, 1, 1, 1))sql"};

class HandleTest : public ::testing::Test {
 protected:
  void add(std::int64_t id, std::int64_t total) {
    lease_->write([&](TenantTransaction& transaction) {
      transaction.execute("insert into invoice(id, total) values(?, ?)", id, total);
    });
  }
  std::int64_t count() {
    return lease_->read([](TenantReader& reader) {
      TenantRows rows = reader.query("select count(*) from invoice");
      EXPECT_TRUE(rows.next());
      return rows.row().integer(0);
    });
  }

  Shop shop_;
  HandleLease lease_ = shop_.create("acme");
  TenantScope scope_{TenantName{"acme"}};
};

TEST_F(HandleTest, ValuesAreBoundAndReadBack) {
  const std::vector<std::byte> bytes{std::byte{0}, std::byte{255}};
  lease_->read([&](TenantReader& reader) {
    TenantRows rows = reader.query("select ?, ?, ?, ?, ?, ?, ?, ?", -5, 1.5, std::string_view{"a\0b", 3},
                                   std::span<const std::byte>{bytes}, from_us(1'700'000'000'000'001), nullptr,
                                   std::optional<std::string>{"text"}, std::optional<int>{});
    ASSERT_TRUE(rows.next());
    const TenantRow& row = rows.row();
    EXPECT_EQ(row.columns(), 8);
    EXPECT_EQ(row.integer(0), -5);
    EXPECT_EQ(row.real(1), 1.5);
    EXPECT_EQ(row.text(2), (std::string_view{"a\0b", 3}));
    EXPECT_EQ(row.bytes(3).size(), 2U);
    EXPECT_EQ(row.time(4), from_us(1'700'000'000'000'001));
    EXPECT_TRUE(row.is_null(5));
    EXPECT_EQ(row.optional_text(6), "text");
    EXPECT_EQ(row.optional_integer(7), std::nullopt);
    EXPECT_FALSE(rows.next());
  });
  EXPECT_EQ(code_of([] { TenantValue{UINT64_MAX}; }), ErrorCode::bad_options);
}

TEST_F(HandleTest, BytesAreBoundAsSpanVectorOrThoseOfArguments) {
  const Bytes bytes{{std::byte{0}, std::byte{255}}};
  lease_->read([&](TenantReader& reader) {
    TenantRows rows = reader.query("select hex(?), hex(?), hex(?)", std::span<const std::byte>{bytes.value},
                                   bytes.value, bytes);
    ASSERT_TRUE(rows.next());
    for (int column = 0; column < 3; ++column) EXPECT_EQ(rows.row().text(column), "00FF") << column;
  });
}

TEST_F(HandleTest, TextThatGoesAwayIsCopied) {
  lease_->read([&](TenantReader& reader) {
    std::string text = "a longer text that is not stored inside the string";
    TenantRows rows = reader.query("select ?, ?", text, std::string(3, 'x'));
    text.assign(text.size(), '-');
    ASSERT_TRUE(rows.next());
    EXPECT_THAT(std::string{rows.row().text(0)}, HasSubstr("a longer text"));
    EXPECT_EQ(rows.row().text(1), "xxx");
  });
}

TEST_F(HandleTest, AWriteIsKeptAndAnExceptionUndoesIt) {
  add(1, 10);
  EXPECT_THROW(lease_->write([&](TenantTransaction& transaction) {
    EXPECT_EQ(transaction.execute("insert into invoice(id, total) values(2, 20)"), 1);
    EXPECT_EQ(transaction.last_insert_row(), 2);
    throw std::runtime_error{"no"};
  }),
               std::runtime_error);
  EXPECT_EQ(count(), 1);
  const auto id = lease_->write([](TenantTransaction& transaction) {
    TenantRows rows = transaction.query("insert into invoice(total) values(5) returning id");
    rows.next();
    return rows.row().integer(0);
  });
  EXPECT_EQ(id, 2);
  EXPECT_EQ(count(), 2);
}

TEST_F(HandleTest, ATransactionThatIsNotCommittedIsRolledBack) {
  {
    TenantTransaction transaction = lease_->begin();
    transaction.execute("insert into invoice(id, total) values(1, 1)");
  }
  EXPECT_EQ(count(), 0);
  {
    TenantTransaction transaction = lease_->begin();
    EXPECT_EQ(transaction.stamp().outbox_epoch, 1);
    transaction.execute("insert into invoice(id, total) values(1, 1)");
    transaction.commit();
    EXPECT_EQ(code_of([&] { transaction.execute("select 1"); }), ErrorCode::handle_ended);
    EXPECT_EQ(code_of([&] { transaction.commit(); }), ErrorCode::handle_ended);
  }
  EXPECT_EQ(count(), 1);
}

TEST_F(HandleTest, AReadInsideATransactionSeesItAndWritesAreNotNested) {
  lease_->write([&](TenantTransaction& transaction) {
    transaction.execute("insert into invoice(id, total) values(1, 1)");
    EXPECT_EQ(count(), 1);
    EXPECT_EQ(code_of([&] { static_cast<void>(lease_->begin()); }), ErrorCode::bad_options);
    lease_->read([](TenantReader& reader) {
      EXPECT_EQ(code_of([&] { static_cast<void>(reader.query("delete from invoice")); }),
                ErrorCode::access_refused);
    });
  });
  lease_->read([&](TenantReader&) {
    EXPECT_EQ(code_of([&] { static_cast<void>(lease_->begin()); }), ErrorCode::bad_options);
  });
  EXPECT_EQ(count(), 1);
}

TEST_F(HandleTest, CTX_01_AccessOutsideAScopeIsNoTenant) {
  without_tenant([&] {
    EXPECT_EQ(code_of([&] { count(); }), ErrorCode::no_tenant);
    EXPECT_EQ(code_of([&] { add(1, 1); }), ErrorCode::no_tenant);
  });
}

TEST_F(HandleTest, HND_01_AChildUsedInAnotherTenantsScopeIsWrongTenant) {
  lease_->write([&](TenantTransaction& transaction) {
    TenantRows rows = transaction.query("select 1 union select 2");
    ASSERT_TRUE(rows.next());
    with_tenant("globex", AllowSwap{}, [&] {
      EXPECT_EQ(code_of([&] { count(); }), ErrorCode::wrong_tenant);
      EXPECT_EQ(code_of([&] { transaction.execute("delete from invoice"); }), ErrorCode::wrong_tenant);
      EXPECT_EQ(code_of([&] { rows.next(); }), ErrorCode::wrong_tenant);
      EXPECT_EQ(code_of([&] { transaction.commit(); }), ErrorCode::wrong_tenant);
    });
    EXPECT_TRUE(rows.next());
  });
}

TEST_F(HandleTest, HND_10_ChildrenAreEndedWithTheirTransaction) {
  std::optional<TenantReader> reader;
  std::optional<TenantRows> rows;
  std::optional<TenantRow> row;
  lease_->read([&](TenantReader& inside) {
    reader.emplace(inside);
    rows.emplace(inside.query("select 'kept' union select 'more'"));
    ASSERT_TRUE(rows->next());
    row.emplace(rows->row());
  });
  EXPECT_EQ(code_of([&] { static_cast<void>(reader->query("select 1")); }), ErrorCode::handle_ended);
  EXPECT_EQ(code_of([&] { rows->next(); }), ErrorCode::handle_ended);
  EXPECT_EQ(code_of([&] { static_cast<void>(row->text(0)); }), ErrorCode::handle_ended);
}

TEST_F(HandleTest, HND_10_ChildrenAreEndedWithTheirLease) {
  TenantHandle copy = *lease_;
  std::optional<TenantTransaction> transaction{copy.begin()};
  transaction->execute("insert into invoice(id, total) values(1, 1)");
  TenantRows rows = transaction->query("select 1 union select 2");
  ASSERT_TRUE(rows.next());
  const OpenChildren open = lease_.open_children();
  EXPECT_EQ(open.transactions, 1);
  EXPECT_EQ(open.cursors, 1);
  lease_ = shop_.open("acme");
  EXPECT_EQ(code_of([&] { transaction->execute("select 1"); }), ErrorCode::handle_ended);
  EXPECT_EQ(code_of([&] { transaction->commit(); }), ErrorCode::handle_ended);
  EXPECT_EQ(code_of([&] { rows.next(); }), ErrorCode::handle_ended);
  EXPECT_EQ(code_of([&] { copy.read([](TenantReader&) {}); }), ErrorCode::handle_ended);
  EXPECT_EQ(code_of([&] { copy.write([](TenantTransaction&) {}); }), ErrorCode::handle_ended);
  EXPECT_EQ(code_of([&] { static_cast<void>(copy.native()); }), ErrorCode::handle_ended);
  transaction.reset();
  EXPECT_EQ(count(), 0) << "what was open was rolled back";
  EXPECT_TRUE(lease_.open_children().none());
}

TEST_F(HandleTest, RowsOutliveTheLeaseWithoutHarm) {
  std::optional<TenantRows> rows;
  {
    HandleLease other = shop_.open("acme");
    other->read([&](TenantReader& reader) { rows.emplace(reader.query("select 1")); });
  }
  shop_.handles.close_idle();
  rows.reset();
}

// Both are "SQL logic error" to SQLite.
TEST_F(HandleTest, AnErrorIsNotTakenForARefusalOfAnEarlierStatement) {
  lease_->read([](TenantReader& reader) {
    ASSERT_EQ(sqlite3_exec(reader.native(), "detach main", nullptr, nullptr, nullptr), SQLITE_AUTH);
    const auto failure = failure_of([&] { return reader.query("select * from nowhere").next(); });
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, ErrorCode::query_failed);
    EXPECT_THAT(failure->message, Not(HasSubstr("DETACH")));
  });
}

TEST_F(HandleTest, HND_11_EveryWriteTransactionReadsTheStamp) {
  add(1, 1);
  shop_.restamp("acme", TenantState::read_only);
  EXPECT_EQ(code_of([&] { add(2, 2); }), ErrorCode::tenant_not_ready);
  EXPECT_EQ(count(), 1) << "readers may go on";
  shop_.restamp("acme", TenantState::active, 2);
  EXPECT_EQ(code_of([&] { add(2, 2); }), ErrorCode::stale_generation);
  shop_.restamp("acme", TenantState::active, 1);
  add(2, 2);
}

TEST_F(HandleTest, AFileThatWasReplacedIsNotWritten) {
  std::filesystem::rename(shop_.path("acme"), shop_.folder / "away.db");
  EXPECT_EQ(code_of([&] { add(1, 1); }), ErrorCode::database_moved);
}

TEST_F(HandleTest, ACommitIsNotPromisedWhereASideFileWentMeanwhile) {
  EXPECT_EQ(code_of([&] {
              lease_->write([&](TenantTransaction& transaction) {
                transaction.execute("insert into invoice(id, total) values(7, 7)");
                std::filesystem::rename(shop_.path("acme").string() + "-shm", shop_.folder / "away");
              });
            }),
            ErrorCode::database_moved);
}

TEST_F(HandleTest, WhatARowDoesNotHoldIsAnErrorAndNoValue) {
  lease_->read([](TenantReader& reader) {
    TenantRows none = reader.query("select id from invoice where id = 99");
    EXPECT_EQ(code_of([&] { static_cast<void>(none.row().integer(0)); }), ErrorCode::query_failed)
        << "before next()";
    EXPECT_FALSE(none.next());
    EXPECT_EQ(code_of([&] { static_cast<void>(none.row().text(0)); }), ErrorCode::query_failed)
        << "at the end";

    TenantRows rows = reader.query("select 7 as whole, 1.5 as part, 'x' as word, null as empty");
    ASSERT_TRUE(rows.next());
    const TenantRow& row = rows.row();
    EXPECT_EQ(row.integer(row.column("whole")), 7);
    EXPECT_EQ(row.real(0), 7.0);
    EXPECT_EQ(row.real(row.column("part")), 1.5);
    EXPECT_EQ(row.text(1), "1.5");
    EXPECT_EQ(row.integer(row.column("empty")), 0);
    for (const int column : {1, 2})
      EXPECT_EQ(code_of([&] { static_cast<void>(row.integer(column)); }), ErrorCode::query_failed) << column;
    EXPECT_EQ(code_of([&] { static_cast<void>(row.real(2)); }), ErrorCode::query_failed);
    for (const int column : {-1, 4}) {
      EXPECT_EQ(code_of([&] { static_cast<void>(row.text(column)); }), ErrorCode::query_failed) << column;
      EXPECT_EQ(code_of([&] { static_cast<void>(row.is_null(column)); }), ErrorCode::query_failed) << column;
    }
    EXPECT_EQ(code_of([&] { static_cast<void>(row.column("wholly")); }), ErrorCode::query_failed);
  });
}

TEST_F(HandleTest, HND_14_ReadersRefuseEveryWrite) {
  shop_.handles.close_idle();
  const Result<HandleLease> reading = shop_.handles.acquire(TenantName{"acme"}, {}, HandleAccess::read_only);
  ASSERT_TRUE(reading);
  for (const TenantHandle& handle : {reading->handle(), lease_.handle()})
    for (const std::string_view sql :
         {"insert into invoice(total) values(1)", "update invoice set total = 0", "delete from invoice",
          "create table other(x)", "create temp table other(x)", "drop table invoice"})
      EXPECT_EQ(
          code_of([&] { handle.read([&](TenantReader& reader) { static_cast<void>(reader.query(sql)); }); }),
          ErrorCode::access_refused)
          << sql;
  EXPECT_EQ(code_of([&] { static_cast<void>(reading->handle().begin()); }), ErrorCode::access_refused);
}

TEST_F(HandleTest, HND_14_AReaderReadsWhileAWriterWrites) {
  Result<HandleLease> reading = shop_.handles.acquire(TenantName{"acme"}, {}, HandleAccess::read_only);
  TenantTransaction transaction = lease_->begin();
  transaction.execute("insert into invoice(id, total) values(1, 1)");
  (*reading)->read([](TenantReader& reader) {
    TenantRows rows = reader.query("select count(*) from invoice");
    ASSERT_TRUE(rows.next());
    EXPECT_EQ(rows.row().integer(0), 0);
  });
  transaction.commit();
}

TEST_F(HandleTest, OneStatementWithAllItsValuesIsRun) {
  lease_->write([](TenantTransaction& transaction) {
    EXPECT_EQ(code_of([&] { transaction.execute("select ?", 1, 2); }), ErrorCode::bad_options);
    EXPECT_EQ(code_of([&] { transaction.execute("select ?"); }), ErrorCode::bad_options);
    EXPECT_EQ(code_of([&] { transaction.execute("select 1; select 2"); }), ErrorCode::bad_options);
    EXPECT_EQ(code_of([&] { transaction.execute(""); }), ErrorCode::bad_options);
    EXPECT_EQ(code_of([&] { transaction.execute("select 1; -- that is all"); }), std::nullopt);
  });
}

TEST_F(HandleTest, SEC_03_JobSqlIsRefusedWithTheReasonAndTheTransactionGoesOn) {
  lease_->write([](TenantTransaction& transaction) {
    const auto refusal = failure_of([&] { return transaction.execute("attach 'x.db' as other"); });
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->code, ErrorCode::access_refused);
    EXPECT_THAT(refusal->message, HasSubstr("ATTACH"));
    EXPECT_EQ(refusal->tenant, "acme");
    for (const std::string_view sql :
         {"commit", "rollback", "begin", "update tenure_stamp set generation = 9", "drop table tenure_outbox",
          "pragma foreign_keys = off", "select load_extension('x')"})
      EXPECT_EQ(code_of([&] { transaction.execute(sql); }), ErrorCode::access_refused) << sql;
    transaction.execute("insert into invoice(id, total) values(1, 1)");
  });
  EXPECT_EQ(count(), 1);
}

TEST_F(HandleTest, OurOwnCodeWritesOurTablesAndUserSqlReadsThem) {
  lease_->write([](TenantTransaction& transaction) {
    OwnTables{transaction}.statement(kWriteReceipt).bind("first").run();
    EXPECT_EQ(code_of([&] { transaction.execute("delete from tenure_receipts"); }),
              ErrorCode::access_refused);
  });
  lease_->read([](TenantReader& reader) {
    TenantRows rows = reader.query("select step from tenure_receipts");
    ASSERT_TRUE(rows.next());
    EXPECT_EQ(rows.row().text(0), "first");
  });
}

TEST_F(HandleTest, ATemporaryTableOfTheSameNameFoolsNobody) {
  lease_->write([](TenantTransaction& transaction) {
    for (const std::string_view sql :
         {"create temp table tenure_stamp(x)", "create temp view TENURE_STAMP as select 1"})
      EXPECT_EQ(code_of([&] { transaction.execute(sql); }), ErrorCode::access_refused) << sql;
    // SQLite does not ask about the new name of a table.
    transaction.execute("create temp table harmless(only_one)");
    transaction.execute("alter table harmless rename to tenure_stamp");
  });
  add(1, 1);
}

TEST_F(HandleTest, TemporaryTablesAndTriggersDoNotReachTheNextUser) {
  lease_->write([](TenantTransaction& transaction) {
    transaction.execute("create temp trigger t after insert on invoice begin delete from tenure_stamp; end");
    EXPECT_EQ(code_of([&] { transaction.execute("insert into invoice(total) values(1)"); }),
              ErrorCode::access_refused);
  });
  lease_ = shop_.open("acme");
  EXPECT_EQ(shop_.handles.counters().idle, 0) << "the connection with the trigger was closed";
  add(1, 1);
}

TEST_F(HandleTest, ACancelledHandleStopsItsStatementAndIsNotUsedAgain) {
  std::thread canceller;
  const auto code = code_of([&] {
    lease_->read([&](TenantReader& reader) {
      TenantRows rows = reader.query(
          "with recursive n(x) as (select 1 union all select x + 1 from n) select x from n where x < 0");
      canceller = std::thread{[&] { lease_.cancel(); }};
      rows.next();
    });
  });
  canceller.join();
  EXPECT_EQ(code, ErrorCode::interrupted);
  EXPECT_EQ(code_of([&] { count(); }), ErrorCode::interrupted);
  const std::int64_t opened = shop_.handles.counters().opened;
  lease_ = shop_.open("acme");
  EXPECT_EQ(shop_.handles.counters().opened, opened + 1);
  EXPECT_EQ(count(), 0);
}

TEST_F(HandleTest, HND_19_ALongWriteAheadLogIsMovedIntoTheFile) {
  const auto wal = shop_.path("acme").string() + "-wal";
  lease_->write([](TenantTransaction& transaction) {
    transaction.execute("create table blob_store(data blob)");
    transaction.execute("insert into blob_store values(zeroblob(1100000))");
  });
  EXPECT_GT(std::filesystem::file_size(wal), 1U << 20U);
  EXPECT_GT(std::filesystem::file_size(shop_.path("acme")), 1'000'000U) << "checkpointed";
  add(1, 1);
  shop_.handles.close_idle();
  lease_.poison();
  lease_ = shop_.open("acme");
  EXPECT_EQ(count(), 1);
}

TEST_F(HandleTest, AnOrderedCommitIsVisible) {
  TenantTransaction transaction = lease_->begin();
  transaction.execute("insert into invoice(id, total) values(1, 1)");
  transaction.commit_ordered();
  EXPECT_EQ(count(), 1);
}

}  // namespace
}  // namespace tenure
