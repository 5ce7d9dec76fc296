#include "foreign_file.hpp"

#include <gmock/gmock.h>

namespace tenure::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What is done to a file, and what is said of it where it is refused.
struct Change {
  std::string name;
  std::string sql;
  std::string refusal;  // empty: it is none of our business, and the job is performed
};

std::ostream& operator<<(std::ostream& out, const Change& change) { return out << change.name; }

const std::string kPoison =
    " begin update invoice set paid = 1000; update tenure_stamp set generation = 9; end";

const std::vector<Change>& changes() {
  static const std::vector<Change> changes{
      {"TriggerOnReceipts", "create trigger steal after insert on tenure_receipts" + kPoison,
       "the trigger steal on tenure_receipts"},
      {"TriggerBeforeReceipts", "create trigger STEAL before insert on TENURE_RECEIPTS" + kPoison,
       "the trigger steal on tenure_receipts"},
      {"TriggerOnStamp", "create trigger steal after update on tenure_stamp" + kPoison,
       "the trigger steal on tenure_stamp"},
      {"TriggerOnOutbox", "create trigger steal after insert on tenure_outbox" + kPoison,
       "the trigger steal on tenure_outbox"},
      {"TriggerNamedLikeOurs", "create trigger tenure_steal after update on invoice" + kPoison,
       "the trigger tenure_steal on invoice"},
      {"TriggerOfTheApplicationThatWritesOurs", "create trigger steal after update on invoice" + kPoison,
       "a change of tenure_stamp, which is Tenure's own, is not allowed here"},
      {"TriggerOfTheApplication",
       "create trigger note after update on invoice begin insert into customer(name) values('x'); end", ""},
      {"StampIsAnEndlessView",
       "create table kept as select * from tenure_stamp; drop table tenure_stamp;"
       "create view tenure_stamp as with recursive n(i) as (select 1 union all select i + 1 from n)"
       " select kept.*, i from kept, n where i < 0",
       "the view tenure_stamp"},
      {"StampIsVirtual",
       "drop table tenure_stamp; create virtual table tenure_stamp using fts5(schema, tenant)",
       "the table tenure_stamp"},
      {"ReceiptsAreAView",
       "drop table tenure_receipts; create view tenure_receipts as select zeroblob(16) as job_id, 'pay' as "
       "step,"
       " 0 as incarnation, 0 as counter, 0 as written_us, '' as result",
       "the view tenure_receipts"},
      {"ReceiptsAreGenerated",
       "drop table tenure_receipts; create table tenure_receipts(job_id blob, step text, incarnation integer,"
       " counter integer, written_us integer, result blob generated always as (job_id))",
       "the table tenure_receipts"},
      {"ReceiptsWithoutTypes",
       "drop table tenure_receipts;"
       "create table tenure_receipts(job_id, step, incarnation, counter, written_us, result)",
       "the table tenure_receipts"},
      {"ReceiptsAreMissing", "drop table tenure_receipts", "the lack of the table tenure_receipts"},
      {"ColumnAdded", "alter table tenure_receipts add column more text", "the table tenure_receipts"},
      {"ColumnMissing", "alter table tenure_stamp drop column outbox_epoch", "the table tenure_stamp"},
      {"IndexOnReceipts", "create unique index one on tenure_receipts(written_us)",
       "the index one on tenure_receipts"},
      {"TableNamedLikeOurs", "create table tenure_more(a)", "the table tenure_more"},
      {"StampIsMissing", "drop table tenure_stamp", "carries no stamp"},
      {"StampHasNoRow", "delete from tenure_stamp", "the stamp is gone"},
      {"StampIsOfATenantWithABadName", "update tenure_stamp set tenant = '../bolt'", "bad tenant name"},
      {"StampIsOfAnotherTenant", "update tenure_stamp set tenant = 'bolt'", "the stamp of bolt"},
      {"StampIsNewer", "update tenure_stamp set schema = 2", "of version 2, this program knows 1"},
      {"TablesAreNewer",
       "alter table tenure_stamp add column more text; update tenure_stamp set schema = 2;"
       "create table tenure_more(a)",
       "of version 2, this program knows 1"},
      {"OtherUserVersion", "pragma user_version = -1", ""},
      {"OtherApplicationId", "pragma application_id = -1", ""},
      {"RollbackJournal", "pragma journal_mode = delete", ""},
      {"TruncatedJournal", "pragma journal_mode = truncate", ""},
      {"AutoVacuum", "pragma journal_mode = delete; pragma auto_vacuum = 1; vacuum", ""},
      {"SmallPages", "pragma journal_mode = delete; pragma page_size = 512; vacuum", ""},
      {"LargePages", "pragma journal_mode = delete; pragma page_size = 65536; vacuum", ""},
      {"OddTypes",
       "create table odd(a PURPLE, b VARCHAR(-1), c DECIMAL(99999,2) default (1e999), d, 'e f' any)", ""},
      {"VirtualTableOfTheApplication", "create virtual table words using fts5(text)", ""},
      {"VirtualTableOfNobody",
       "pragma writable_schema = on; insert into sqlite_schema values('table', 'gone', 'gone', 0,"
       " 'create virtual table gone using nobody(a)')",
       ""},
      {"ManyTables", "", ""},
      {"UnreadableText",
       "pragma writable_schema = on; insert into sqlite_schema values('table', 'no', 'no', 3, 'create table "
       "no(')",
       "malformed database schema"},
      {"TypeIsALie",
       "pragma writable_schema = on; update sqlite_schema set sql = 'create view tenure_stamp as select 1'"
       " where name = 'tenure_stamp'",
       "malformed database schema"},
      {"CommentHidesATrap",
       "pragma writable_schema = on; update sqlite_schema set"
       " sql = replace(sql, 'check (only_one = 1)', '/* x */ check (only_one = 1)') where name = "
       "'tenure_stamp'",
       "the table tenure_stamp"},
  };
  return changes;
}

class ForeignFiles : public ForeignFile, public ::testing::WithParamInterface<Change> {
 protected:
  static std::string many_tables() {
    std::string sql = "begin;";
    for (int i = 0; i < 3000; ++i) sql += "create table many_" + std::to_string(i) + "(a, b, c);";
    return sql + "commit";
  }
};

// A trigger of somebody else is code, and it is never ours that carries it out.
TEST_P(ForeignFiles, SEC_12_IsRefusedWhereTenuresOwnTablesAreOthersElseUsed) {
  place(good_);
  const Change& change = GetParam();
  {
    Shell shell{acme_};
    ASSERT_TRUE(shell.run(change.sql.empty() ? many_tables() : change.sql));
  }
  const std::optional<queue::AttemptFailure> failure = run();
  EXPECT_EQ(bytes_of(bolt_), bolt_bytes_);
  EXPECT_THAT(strangers(), IsEmpty());
  Shell shell{acme_};
  if (change.refusal.empty()) {
    EXPECT_EQ(failure, std::nullopt) << failure->error;
    EXPECT_EQ(shell.value("select paid from invoice where id = 1"), "1");
    EXPECT_EQ(run(), std::nullopt);
    EXPECT_EQ(paid_, 1) << "the receipt was found";
    return;
  }
  ASSERT_NE(failure, std::nullopt);
  EXPECT_THAT(failure->error, HasSubstr(change.refusal));
  EXPECT_NE(failure->code, ErrorCode::internal);
  if (!began_) {
    EXPECT_EQ(failure->code, ErrorCode::tenant_unavailable);
  }
  EXPECT_NE(shell.value("select paid from invoice where id = 1"), "1000");
}

INSTANTIATE_TEST_SUITE_P(, ForeignFiles, ::testing::ValuesIn(changes()),
                         [](const auto& tested) { return tested.param.name; });

class ForeignEncodings : public ForeignFile {
 protected:
  static std::string rows_as_sql(Shell& from, const std::string& table) {
    const std::string values =
        from.value("select group_concat('quote(' || name || ')', ' || '','' || ') from pragma_table_info('" +
                   table + "')");
    return from.value("select group_concat('insert into " + table + " values(' || " + values +
                      " || ')', ';') from " + table);
  }
};

TEST_F(ForeignEncodings, AFileInUtf16IsUsedAsItIs) {
  const std::filesystem::path copy = folder_ / "copy.db";
  place(good_);
  {
    Shell from{acme_};
    Shell into{copy};
    ASSERT_TRUE(into.run("pragma encoding = 'UTF-16be'; create table first(a)"));
    for (int at = 0; at < std::stoi(from.value("select count(*) from sqlite_schema")); ++at) {
      const std::string sql = from.value(
          "select sql from sqlite_schema where sql is not null and name <> "
          "'sqlite_sequence' order by type = 'trigger' limit 1 offset " +
          std::to_string(at));
      ASSERT_TRUE(sql.empty() || into.run(sql)) << sql;
    }
    for (const char* table : {"tenure_stamp", "tenure_migration", "invoice", "customer"})
      ASSERT_TRUE(into.run(rows_as_sql(from, table))) << table;
  }
  place(bytes_of(copy));
  const auto failure = run();
  EXPECT_EQ(failure, std::nullopt) << failure->error;
  EXPECT_EQ(paid("acme"), 1);
}

// SQLite has but a plain error for it, as for SQL that is wrong.
TEST_F(ForeignEncodings, AFileOfAFormThatSqliteDoesNotKnowBurnsNoAttempt) {
  constexpr std::size_t kSchemaFormat = 47;
  std::string bytes = good_;
  bytes[kSchemaFormat] = 5;
  place(bytes);
  const auto failure = run();
  ASSERT_NE(failure, std::nullopt);
  EXPECT_EQ(failure->code, ErrorCode::tenant_unavailable);
  EXPECT_THAT(failure->error, HasSubstr("unsupported file format"));
}

// What SQLite has read of a schema is good until somebody changes it, and then it is looked at again.
TEST_F(ForeignEncodings, ATriggerThatComesWhileTheFileIsOpenIsNotCarriedOut) {
  place(good_);
  const TenantScope scope{TenantName{"acme"}};
  const auto open = [&] { return tenants_.open(TenantName{"acme"}); };
  HandleLease lease = open();
  lease->write([](TenantTransaction& transaction) { transaction.execute("update invoice set paid = 5"); });
  {
    Shell shell{acme_};
    ASSERT_TRUE(shell.run("create trigger steal after insert on tenure_receipts" + kPoison));
  }
  EXPECT_THROW(static_cast<void>(lease->begin()), DatabaseDamaged);
  EXPECT_THROW(static_cast<void>(open()), DatabaseDamaged);
}

}  // namespace
}  // namespace tenure::testing
