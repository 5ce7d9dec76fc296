#include "sqlite/control_schema.hpp"
#include "sqlite/sqlite_store.hpp"
#include "support/schema_steps.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/sqlite/migrations.hpp>
#include <tenure/queue/copies.hpp>
#include <tenure/queue/dispatcher_lock.hpp>
#include <tenure/queue/upgrade.hpp>

#include <gmock/gmock.h>

#include <string>
#include <unistd.h>

// A control database whose schema is another one than the program's.
namespace tenure::testing {
namespace {

using namespace queue;  // NOLINT
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Upgrades : public ::testing::Test {
 protected:
  // Of this program, or of one that is two steps ahead.
  std::unique_ptr<Store> open() { return open_sqlite_store({.path = path_, .create = true}, clock_); }
  std::unique_ptr<Store> open_by_later() {
    return std::make_unique<SqliteStore>(SqliteStoreOptions{.path = path_, .create = true}, clock_,
                                         BookkeepingLimits{}, later_);
  }
  SchemaState migrate_by_later() { return migrate_control_database(path_, later_, entry_, clock_); }

  void put(Store& store, std::uint8_t number) {
    Uuid::Bytes bytes{};
    bytes[15] = number;
    NewJob job{.id = JobId{Uuid{bytes}},
               .queue = "default",
               .kind = "billing.close",
               .due = clock_.wall(),
               .attempts_max = 10,
               .arguments = "{}"};
    store.write(Durability::durable,
                [&](StoreWriter& writer) { (void)value_or_raise(writer.enqueue(job, clock_.wall())); });
  }
  static StoreSummary summary(ReadableStore& store) {
    StoreSummary found;
    store.read([&](JobReader& reader) { found = reader.summary(); });
    return found;
  }
  void execute(const std::string& sql) { sqlite::Connection(path_, {}).execute({"script", sql}); }
  template <class Work>
  static std::string refusal(const Work& work) {
    try {
      work();
    } catch (const SchemaMismatch& error) {
      return error.what();
    }
    return "no refusal";
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "control.db";
  VirtualClock clock_;
  std::vector<sqlite::Migration> later_ = steps_of_a_later_program();
  AuditEntry entry_{.who = {}, .verb = "store migrate", .subject = {}, .count = 0, .reason = "ticket 4711"};
};

}  // namespace

TEST_F(Upgrades, CFG_04_AnOlderSchemaIsRefusedNamingTheCommandAndStaysAsItIs) {
  open();
  for (const std::string& refused :
       {refusal([&] { open_by_later(); }), refusal([&] { (void)look_at_sqlite_store(path_, later_); })}) {
    EXPECT_THAT(refused, HasSubstr("has schema " + own_schema_text() + " and this program needs " +
                                   later_schema_text()));
    EXPECT_THAT(refused, HasSubstr("tenure store backup FILE), then: tenure store migrate"));
  }
  EXPECT_EQ(look_at_schema(path_, PageCheck::none).version, own_schema());
}

TEST_F(Upgrades, CFG_04_ANewerSchemaIsRefusedNamingWhatToInstall) {
  open_by_later();
  const auto copy = folder_ / "copy.db";
  const auto quietly = [](const CopyProgress&) {};
  for (const std::string& refused :
       {refusal([&] { open(); }), refusal([&] { (void)look_at_sqlite_store(path_); }),
        refusal([&] { (void)look_at_schema(path_, PageCheck::none); }),
        refusal([&] { migrate_control_database(path_, entry_, clock_); }),
        refusal([&] { copy_control_database(path_, copy, clock_, quietly); })})
    EXPECT_THAT(refused, HasSubstr("has schema step " + std::to_string(own_schema() + 1) +
                                   " (later_note.sql) and this program knows " + own_schema_text() +
                                   ": install the "
                                   "Tenure that brought it there or a newer one (apt install"));
  EXPECT_FALSE(std::filesystem::exists(copy));
}

TEST_F(Upgrades, CFG_04_AMigrationBringsItOnKeepsItsJobsAndIsRecorded) {
  put(*open(), 1);
  const SchemaState before = migrate_by_later();
  EXPECT_EQ(before.version, own_schema());
  EXPECT_EQ(before.newest, later_schema());
  EXPECT_THAT(before.pending, ElementsAre("later_note.sql", "later_bytes.sql"));
  const auto store = open_by_later();
  EXPECT_EQ(summary(*store).schema_version, later_schema());
  EXPECT_EQ(summary(*store).jobs, 1);
  put(*store, 2);
  std::vector<AuditRecord> records;
  store->read([&](JobReader& reader) {
    reader.for_each_audit(std::nullopt, [&](const AuditRecord& record) {
      records.push_back(record);
      return true;
    });
    EXPECT_FALSE(reader.check_audit(std::nullopt).fault);
  });
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].entry.subject, "schema " + own_schema_text() + " to " + later_schema_text());
  EXPECT_EQ(records[0].entry.reason, "ticket 4711");
}

TEST_F(Upgrades, WithNothingToDoChangeAndRecordNothing) {
  open();
  EXPECT_FALSE(migrate_control_database(path_, entry_, clock_).is_older());
  open()->read([](JobReader& reader) { EXPECT_EQ(reader.check_audit(std::nullopt).records, 0); });
}

TEST_F(Upgrades, AreRefusedWhileADispatcherLives) {
  open();
  {
    const auto lock = try_lock_dispatcher_file(path_);
    ASSERT_TRUE(lock);
    try {
      migrate_by_later();
      FAIL() << "it was brought on under a dispatcher";
    } catch (const LockHeld& error) {
      EXPECT_THAT(error.what(), HasSubstr("process " + std::to_string(::getpid())));
      EXPECT_THAT(error.what(), HasSubstr("systemctl stop tenured"));
    }
    EXPECT_EQ(look_at_schema(path_, PageCheck::none).version, own_schema());
  }
  EXPECT_TRUE(migrate_by_later().is_older());
}

// Its statements would be carried out on tables that mean something else now.
TEST_F(Upgrades, CFG_04_AStoreThatWasOpenMeanwhileWritesNothingMore) {
  const auto open_since_before = open();
  put(*open_since_before, 1);
  migrate_by_later();
  EXPECT_THAT(refusal([&] { put(*open_since_before, 2); }), HasSubstr("install the Tenure"));
  EXPECT_THAT(
      refusal([&] { (void)open_since_before->registry().begin_create(TenantName{"acme"}, clock_.wall()); }),
      HasSubstr("install the Tenure"));
  EXPECT_EQ(summary(*open_by_later()).jobs, 1);
}

// What it reads may mean something else too.
TEST_F(Upgrades, CFG_04_AStoreThatWasOpenMeanwhileReadsNothingMore) {
  const auto open_since_before = open();
  put(*open_since_before, 1);
  EXPECT_EQ(summary(*open_since_before).jobs, 1);
  migrate_by_later();
  EXPECT_THAT(refusal([&] { (void)summary(*open_since_before); }), HasSubstr("install the Tenure"));
}

TEST_F(Upgrades, CFG_04_AStepThatChangesNoTableIsNoticedByAStoreThatWasOpenToo) {
  later_ = control_migrations();
  const auto last = static_cast<std::int64_t>(later_.size());
  later_.push_back({last + 1, "later_rows.sql", "update mark set seq = seq"});
  const auto open_since_before = open();
  put(*open_since_before, 1);
  migrate_by_later();
  EXPECT_THAT(refusal([&] { put(*open_since_before, 2); }), HasSubstr("install the Tenure"));
  EXPECT_THAT(refusal([&] { (void)summary(*open_since_before); }), HasSubstr("install the Tenure"));
}

TEST_F(Upgrades, ATenantsDatabaseIsCalledNoControlDatabaseAndNotAnEditedOne) {
  {
    sqlite::Connection connection(path_, {.access = sqlite::Access::create});
    const std::vector<sqlite::Migration> steps{{1, "0001_invoices.sql", "create table invoice(id)"}};
    sqlite::migrate(connection, steps, 0);
  }
  for (const std::string& refused :
       {refusal([&] { open(); }), refusal([&] { (void)look_at_schema(path_, PageCheck::none); }),
        refusal([&] { migrate_control_database(path_, entry_, clock_); })}) {
    EXPECT_THAT(refused, HasSubstr("is no control database: its first schema step is 0001_invoices.sql"));
    EXPECT_THAT(refused, Not(HasSubstr("edited")));
  }
}

TEST_F(Upgrades, AnIndexOfSomebodyElseIsNoOtherSchema) {
  const auto store = open();
  put(*store, 1);
  execute("create index of_operator on job(due_us)");
  put(*store, 2);
  EXPECT_EQ(summary(*store).jobs, 2);
}

TEST_F(Upgrades, ANewDatabaseHasAllStepsAtOnce) {
  EXPECT_EQ(summary(*open_by_later()).schema_version, later_schema());
  EXPECT_FALSE(look_at_schema(path_, later_, PageCheck::none).is_older());
}

TEST_F(Upgrades, WhatIsNoControlDatabaseGetsNoTables) {
  {
    sqlite::Connection(path_, {.access = sqlite::Access::create})
        .execute({"script", "create table item(id)"});
  }
  for (const std::string& refused :
       {refusal([&] { open(); }), refusal([&] { migrate_control_database(path_, entry_, clock_); })})
    EXPECT_THAT(refused, HasSubstr("is no control database"));
}

TEST_F(Upgrades, AnOlderDatabaseCanBeCopiedAndTheCopyToldApart) {
  put(*open(), 1);
  execute("delete from tenure_migration");
  const auto copy = folder_ / "copy.db";
  copy_control_database(path_, copy, clock_, [](const CopyProgress&) {});
  const SchemaState state = look_at_schema_of_copy(copy, PageCheck::full);
  EXPECT_EQ(state.version, 0);
  EXPECT_TRUE(state.is_older());
  EXPECT_FALSE(state.page_problem);
  const ControlCopy opened = open_control_copy(copy);
  EXPECT_EQ(opened.as_of, clock_.wall());
  EXPECT_THAT(refusal([&] { summary(*opened.store); }), HasSubstr("tenure store migrate"));
}

}  // namespace tenure::testing
