#include "program.hpp"

#include <tenure/base/sqlite/migrations.hpp>
#include <tenure/tenancy/migration_request.hpp>
#include <tenure/tenancy/migrations.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/stamp.hpp>
#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sys/stat.h>

namespace tenure::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Four tenants as the first version of an application has made them, and the files of its second.
class TenantMigrate : public Program {
 protected:
  TenantMigrate() {
    std::filesystem::create_directory(folder / "migrations");
    environment.variables.emplace_back("TENURE_TENANTS_MIGRATIONS", (folder / "migrations").string());
    environment.variables.emplace_back("TMPDIR", folder.path().string());
    step("0001_note", "create table note(text text not null) strict");
    EXPECT_EQ(run({"tenant", "create", "acme", "bolt", "corvid", "dodo"}), 0) << output.error;
    add_note("bolt", "twice");
    add_note("bolt", "twice");
    step("0002_unique", "create unique index note_text on note(text)");
  }
  void step(const std::string& name, const std::string& sql) const {
    std::ofstream(folder / "migrations" / (name + ".sql")) << sql;
  }
  [[nodiscard]] std::filesystem::path file_of(std::string_view tenant) const {
    return folder / "tenants" / (std::string(tenant) + ".db");
  }
  void add_note(std::string_view tenant, std::string_view text) const {
    sqlite::Connection connection{file_of(tenant), {}};
    const std::string sql = "insert into note values ('" + std::string(text) + "')";
    connection.execute({"note", sql});
  }
  [[nodiscard]] std::int64_t version(std::string_view tenant) const {
    sqlite::Connection connection{file_of(tenant), {}};
    return sqlite::schema_version(connection);
  }
  [[nodiscard]] std::string bytes(std::string_view tenant) const {
    std::ifstream file(file_of(tenant), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

TEST_F(TenantMigrate, MIG_01_OneTenantsFailureStopsNoOtherAndEveryResultIsListed) {
  EXPECT_EQ(run({"tenant", "migrate", "--yes", "--parallel", "3"}), 1);
  EXPECT_EQ(output.out,
            "TENANT  FROM  TO  RESULT\n"
            "bolt       1   2  failed, unchanged: 0002_unique line 1: the statement failed; SQLite: UNIQUE "
            "constraint failed: "
            "note.text (code 2067), in " +
                file_of("bolt").string() +
                "\n"
                "3 migrated, 1 failed, 0 left; again: tenure tenant migrate name=bolt --to 2\n");
  for (const char* const name : {"acme", "corvid", "dodo"}) EXPECT_EQ(version(name), 2) << name;
  EXPECT_EQ(version("bolt"), 1);
  EXPECT_EQ(run({"tenant", "migrate", "--yes", "--json"}), 1);
  EXPECT_THAT(output.out,
              HasSubstr(R"("migrated":0,"already":3,"failed":1,"left":0,"read_only":0,"waves":1)"));
  EXPECT_THAT(output.out, HasSubstr(R"({"name":"acme","from":2,"schema":2,"steps":[],"result":"already"})"));
  EXPECT_THAT(output.out, HasSubstr(R"({"name":"bolt","from":1,"schema":1,"steps":[],"result":"failed",)"
                                    R"("code":"ConstraintViolated")"));
}

TEST_F(TenantMigrate, ATenantWhoseStepHasFailedIsFailedUntilARerunHealsIt) {
  add_job(1, "bolt", "mail.send");
  const std::string id = job_id(1).text();
  EXPECT_EQ(run({"tenant", "pause", "bolt"}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "migrate", "--yes"}), 1);
  EXPECT_EQ(run({"tenant", "list", "state=failed", "--columns", "name,state,note"}), 0);
  EXPECT_THAT(output.out, HasSubstr("bolt    failed  migration: "));
  EXPECT_THAT(output.out, HasSubstr("UNIQUE constraint failed: note.text"));
  EXPECT_EQ(run({"tenant", "list", "name=acme", "--columns", "name,migrated"}), 0);
  EXPECT_THAT(output.out, HasSubstr("acme    schema 1 to 2, "));
  EXPECT_EQ(run({"tenant", "show", "bolt"}), 0);
  EXPECT_THAT(output.out,
              HasSubstr("state    failed: its jobs are held (tenant_not_ready)\nfailed   migration: "));
  EXPECT_THAT(output.out, HasSubstr("change   tenure tenant migrate name=bolt\n"));
  EXPECT_THAT(output.out, HasSubstr("migrated failed, "));
  EXPECT_EQ(run({"tenant", "show", "bolt", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("failed_reason":"migration")"));
  EXPECT_THAT(output.out, HasSubstr(R"("migration":{"result":"failed","from":1,"to":1,)"));
  EXPECT_EQ(run({"why", id}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("failed     migration: "));
  EXPECT_THAT(output.out, HasSubstr("change     tenure tenant migrate name=bolt\n"));
  EXPECT_EQ(run({"why", id, "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("tenant_failed":"migration")"));
  static_cast<void>(run({"doctor", "tenants"}));
  EXPECT_THAT(output.out, HasSubstr("bolt is failed: migration: "));

  sqlite::Connection{file_of("bolt"), {}}.execute({"heal", "delete from note where rowid > 1"});
  EXPECT_EQ(run({"tenant", "migrate", "name=bolt"}), 0) << output.error;
  EXPECT_EQ(version("bolt"), 2);
  EXPECT_EQ(run({"tenant", "show", "bolt"}), 0);
  EXPECT_THAT(output.out, HasSubstr("state    paused: ")) << "as it was before";
  EXPECT_THAT(output.out, HasSubstr("migrated schema 1 to 2, "));
}

TEST_F(TenantMigrate, MIG_09_WithMigrationOnTouchOffOpeningIsPendingMigrationAndDeletingWorks) {
  HandleCache handles{TenantFiles{(folder / "tenants/%{tenant}.db").string()}, {}};
  Tenants tenants{store->registry(),
                  handles,
                  clock,
                  {.application = "shop", .migrations = read_migrations(folder / "migrations")}};
  try {
    static_cast<void>(tenants.open(TenantName("corvid")));
    FAIL();
  } catch (const PendingMigration& error) {
    EXPECT_THAT(error.failure().message, HasSubstr("has had 1 of the 2 migrations; next is 0002_unique"));
  }
  EXPECT_EQ(version("corvid"), 1);
  EXPECT_EQ(run({"tenant", "delete", "corvid", "--confirm", "corvid"}), 0) << output.error;
  EXPECT_EQ(store->registry().find(TenantName("corvid"))->state, TenantState::deleted);
}

// Nothing is wrong with the tenant: a step lacks its code here.
TEST_F(TenantMigrate, WhatIsNotTheTenantsFaultLeavesItActive) {
  step("0003_code", "-- tenure: code\n");
  EXPECT_EQ(run({"tenant", "migrate", "name=acme"}), 1);
  EXPECT_THAT(output.out, HasSubstr("name the worker program: --program FILE"));
  EXPECT_EQ(run({"tenant", "show", "acme"}), 0);
  EXPECT_THAT(output.out, HasSubstr("state    active\n"));
}

TEST_F(TenantMigrate, MIG_07_AWaveThatExceedsTheAllowedFailuresIsTheLast) {
  add_note("acme", "twice");
  add_note("acme", "twice");
  EXPECT_EQ(run({"tenant", "migrate", "--yes", "--waves", "50%,75%,100%", "--max-failures", "1"}), 1);
  EXPECT_THAT(output.out, HasSubstr("0 migrated, 2 failed, 2 left; again: tenure tenant migrate --to 2\n"));
  EXPECT_EQ(version("corvid"), 1) << "it serves on on the old schema";
  EXPECT_EQ(run({"tenant", "migrate", "--yes", "--waves", "50%,75%,100%", "--max-failures", "2"}), 1);
  EXPECT_THAT(output.out, HasSubstr("2 migrated, 2 failed, 0 left"));
}

// It cannot be written to, so nothing of it can fail: it does not count against the rollout. Also where it is paused as well.
TEST_F(TenantMigrate, ReadOnlyTenantsAreLeftOutAndStopNoRollout) {
  EXPECT_EQ(run({"tenant", "set", "acme", "read_only=true"}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "set", "bolt", "read_only=true"}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "pause", "bolt", "dodo"}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "migrate", "--dry-run"}), 0) << output.out;
  EXPECT_THAT(output.out, HasSubstr("2 would be migrated, 0 failed, 0 left; 2 read-only, left out\n"));
  EXPECT_EQ(run({"tenant", "migrate", "--yes", "--waves", "50%,100%"}), 0) << output.out;
  EXPECT_EQ(
      output.out,
      "TENANT  FROM  TO  RESULT\n"
      "acme       1   2  left out, it is read-only: tenure tenant set acme read_only=false, migrate it, "
      "and set it again\n"
      "bolt       1   2  left out, it is read-only: tenure tenant set bolt read_only=false, migrate it, "
      "and set it again\n"
      "2 migrated, 0 failed, 0 left; 2 read-only, left out\n");
  EXPECT_EQ(version("acme"), 1);
  EXPECT_EQ(version("bolt"), 1);
  EXPECT_EQ(version("corvid"), 2);
  EXPECT_EQ(version("dodo"), 2);
  EXPECT_EQ(run({"tenant", "migrate", "name=acme", "--json"}), 0) << output.out;
  EXPECT_THAT(output.out,
              HasSubstr(R"("migrated":0,"already":0,"failed":0,"left":0,"read_only":1,"waves":0)"));
  EXPECT_THAT(output.out, HasSubstr(R"({"name":"acme","from":1,"schema":1,"steps":[],"result":"read_only",)"
                                    R"("change":"tenure tenant set acme read_only=false"})"));

  EXPECT_EQ(run({"tenant", "set", "acme", "read_only=false"}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "migrate", "name=acme"}), 0) << output.out;
  EXPECT_EQ(version("acme"), 2);
  EXPECT_EQ(run({"tenant", "set", "acme", "read_only=true"}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "migrate", "name=acme"}), 0) << output.out;
  EXPECT_EQ(output.out, "0 migrated, 0 failed, 0 left; 1 had schema 2 already\n");
}

TEST_F(TenantMigrate, ADryRunChangesNothingAndSaysWhatWouldFail) {
  const std::string before = bytes("acme");
  EXPECT_EQ(run({"tenant", "migrate", "--dry-run"}), 1);
  EXPECT_THAT(output.out, HasSubstr("bolt       1   2  failed, unchanged"));
  EXPECT_THAT(output.out, HasSubstr("3 would be migrated, 1 failed, 0 left\n"));
  EXPECT_TRUE(bytes("acme") == before);
  EXPECT_EQ(run({"store", "audit", "verb=tenant migrate", "--columns", "subject"}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("schema")));
}

TEST_F(TenantMigrate, SeveralAreAskedForAndOneIsNot) {
  EXPECT_EQ(run({"tenant", "migrate"}), 2);
  EXPECT_THAT(output.error, HasSubstr("say --yes"));
  on_terminal(120);
  answer = "n";
  EXPECT_EQ(run({"tenant", "migrate"}), 1);
  EXPECT_EQ(version("acme"), 1);
  EXPECT_EQ(run({"tenant", "migrate", "name=acme", "--reason", "ticket 4711"}), 0) << output.error;
  EXPECT_EQ(output.out, "1 migrated, 0 failed, 0 left\n");
  EXPECT_EQ(version("acme"), 2);
  EXPECT_EQ(run({"store", "audit", "verb=tenant migrate", "--columns", "count,subject,reason"}), 0);
  EXPECT_THAT(output.out, HasSubstr("name=acme to schema 2"));
  EXPECT_THAT(output.out, HasSubstr("ticket 4711"));
}

TEST_F(TenantMigrate, GoesNoFurtherThanToAndRefusesWhatIsNotThere) {
  step("0003_more", "create table more(x) strict");
  EXPECT_EQ(run({"tenant", "migrate", "name=acme", "--to", "2"}), 0) << output.error;
  EXPECT_EQ(version("acme"), 2);
  EXPECT_EQ(run({"tenant", "migrate", "name=acme", "--to", "4"}), 2);
  EXPECT_THAT(output.error, HasSubstr("--to wants a whole number from 1 to 3"));
  EXPECT_EQ(run({"tenant", "migrate", "name=acme", "--waves", "10%"}), 2);
  EXPECT_EQ(run({"tenant", "migrate", "name=acme", "--parallel", "0"}), 2);
}

TEST_F(TenantMigrate, OneThatIsNewerIsNamed) {
  EXPECT_EQ(run({"tenant", "migrate", "name=acme"}), 0) << output.error;
  std::filesystem::remove(folder / "migrations" / "0002_unique.sql");
  EXPECT_EQ(run({"tenant", "migrate", "name=acme"}), 1);
  EXPECT_THAT(output.out, HasSubstr("has step 2 (0002_unique), and it is to go to 1"));
}

TEST_F(TenantMigrate, WithoutAFolderOfMigrationsThereIsNothingToDo) {
  environment.variables.pop_back();
  environment.variables.pop_back();
  EXPECT_EQ(run({"tenant", "migrate", "name=acme"}), 2);
  EXPECT_THAT(output.error, HasSubstr("names no folder of migrations"));
}

TEST_F(TenantMigrate, MIG_12_ACheckShowsAHistogramOfVersionsAndWhoseTablesAreUnexpected) {
  EXPECT_EQ(run({"tenant", "migrate", "name=acme"}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "check", "name=acme"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("1 tenant, 0 with findings\n"));
  EXPECT_EQ(run({"tenant", "check"}), 0) << output.out << output.error;
  EXPECT_EQ(output.out,
            "SCHEMA  TENANTS  NOTE\n"
            "     1        3  next is 0002_unique\n"
            "     2        1  the newest\n"
            "4 tenants, 0 with findings\n");
  {
    sqlite::Connection connection{file_of("corvid"), {}};
    connection.execute({"aside", "create index by_hand on note(text desc)"});
  }
  std::filesystem::remove(file_of("dodo"));
  EXPECT_EQ(run({"tenant", "check"}), 1);
  EXPECT_THAT(output.out, HasSubstr("corvid       1  index by_hand is not of the migrations\n"));
  EXPECT_THAT(output.out, HasSubstr("dodo         0  TenantDoesNotExist: "));
  EXPECT_THAT(output.out, HasSubstr("4 tenants, 2 with findings\n"));
  EXPECT_EQ(run({"tenant", "check", "name=corvid", "--json"}), 1);
  EXPECT_THAT(
      output.out,
      HasSubstr(
          R"("newest":2,"tenants":1,"versions":[{"schema":1,"tenants":1}],"items":[{"name":"corvid","schema":1,)"
          R"("fingerprint":")"));
  EXPECT_THAT(output.out, HasSubstr(R"("finding":"index by_hand is not of the migrations"}]})"));

  std::filesystem::remove(folder / "migrations" / "0002_unique.sql");
  EXPECT_EQ(run({"tenant", "check", "name=acme"}), 1);
  EXPECT_THAT(output.out, HasSubstr("     2        1  newer than the folder\n"));
  EXPECT_THAT(output.out, HasSubstr("it has had 2 migrations, and the folder has 1\n"));
}

// What a worker process has found and told.
TEST_F(TenantMigrate, WhoWaitsForItIsNamedAndLetGo) {
  add_job(1, "acme", "billing.close");
  tell_pools({{.name = "general",
               .queues = {"default"},
               .workers = 1,
               .kinds = {"billing.close"},
               .default_queues = {},
               .schemas = {{"billing.close", 2}}}});
  const TenantNumber acme = store->registry().find(TenantName("acme"))->number;
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    writer.note_behind(
        {acme, 2, "the database of acme has had 1 of the 2 migrations; next is 0002_unique", clock.wall()});
  });
  EXPECT_EQ(run({"job", "list", "reason=schema_behind", "--columns", "state,tenant"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("held   acme"));
  EXPECT_EQ(run({"why", job_id(1).text()}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("waits for  a migration of its tenant's database (schema_behind)"));
  EXPECT_THAT(output.out, HasSubstr("change     tenure tenant migrate name=acme\n"));
  EXPECT_THAT(output.out, HasSubstr("has had 1 of the 2 migrations; next is 0002_unique"));
  EXPECT_EQ(run({"doctor", "tenants"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("jobs of acme wait for a migration since"));
  EXPECT_THAT(output.out, HasSubstr("-> tenure tenant migrate name=acme"));

  const int woken = wakes;
  EXPECT_EQ(run({"tenant", "migrate", "name=acme", "--dry-run"}), 0) << output.error;
  EXPECT_EQ(job(1).state, queue::ShownState::held);
  EXPECT_EQ(run({"tenant", "migrate", "name=bolt"}), 1);
  EXPECT_EQ(job(1).state, queue::ShownState::held);
  EXPECT_EQ(wakes, woken);
  EXPECT_EQ(run({"tenant", "migrate", "name=acme"}), 0) << output.error;
  EXPECT_EQ(job(1).state, queue::ShownState::ready);
  EXPECT_EQ(wakes, woken + 1);
}

// The program is played: it is given the request, and its report is read.
class MigrateByProgram : public TenantMigrate {
 protected:
  MigrateByProgram() {
    step("0003_count", "-- tenure: code\nalter table note add column length integer");
    std::ofstream(program) << "#!/bin/sh\n";
    ::chmod(program.c_str(), 0755);
    environment.hold_ends = [] {};
    environment.run_program = [this](const ProgramStart& start) {
      const auto value = [&](std::string_view name) {
        for (const std::string& each : start.variables)
          if (each.starts_with(std::string(name) + "=")) return each.substr(name.size() + 1);
        return std::string();
      };
      EXPECT_EQ(value("TENURE_WORKER_FD"), "1000000");
      std::ifstream in(value(kMigrationRequestVariable));
      const std::string text{std::istreambuf_iterator<char>(in), {}};
      const MigrationRequest request = value_or_raise(read_migration_request(text));
      std::ofstream out(value(kMigrationReportVariable));
      out << kMigrationHello;
      play(request, out);
      return end;
    };
  }
  virtual void play(const MigrationRequest& request, std::ostream& out) {
    HandleCache handles(TenantFiles{request.tenants_path}, {.application = request.application});
    const TenantMigrations migrations{read_migrations(request.migrations),
                                      {{"0003_count", [](TenantTransaction& transaction) {
                                          transaction.execute("update note set length = length(text)");
                                        }}}};
    int told = 0;
    migrate_tenants(handles, migrations, clock, request.tenants, request.options,
                    [&](const TenantResult& result) {
                      if (told++ < told_max) out << result_line(result);
                    });
  }

  std::filesystem::path program = folder / "worker";
  ProgramEnd end = {};
  int told_max = 100;
};

TEST_F(MigrateByProgram, StepsWithCodeAreTheProgramsAndRefusedWithoutIt) {
  EXPECT_EQ(run({"tenant", "migrate", "name=acme"}), 1);
  EXPECT_THAT(output.out,
              HasSubstr("0003_count has C++ code, and this program has none for it; name the worker "
                        "program: --program FILE"));
  EXPECT_EQ(version("acme"), 1);
  EXPECT_EQ(run({"tenant", "migrate", "name=acme", "--program", program.string()}), 0) << output.error;
  EXPECT_EQ(output.out, "1 migrated, 0 failed, 0 left\n");
  EXPECT_EQ(version("acme"), 3);
}

TEST_F(MigrateByProgram, ADryRunOfItWorksOnCopies) {
  EXPECT_EQ(run({"tenant", "migrate", "--dry-run", "--program", program.string()}), 1);
  EXPECT_THAT(output.out, HasSubstr("3 would be migrated, 1 failed"));
  EXPECT_EQ(version("acme"), 1);
}

TEST_F(MigrateByProgram, OneThatEndsOnTheWayIsSaidToAndTheSameCommandGoesOn) {
  told_max = 1;
  end = {.exit = {queue::ProcessExit::By::signal, 9}};
  EXPECT_NE(run({"tenant", "migrate", "--yes", "--program", program.string()}), 0);
  EXPECT_THAT(output.error, HasSubstr("ended (signal 9 (Killed)) when it had told of 1 of 4 tenants"));
  told_max = 100;
  end = {};
  EXPECT_EQ(run({"tenant", "migrate", "--yes", "--program", program.string()}), 1);
  EXPECT_THAT(output.out, HasSubstr("0 migrated, 1 failed, 0 left; 3 had schema 3 already"));
}

TEST_F(MigrateByProgram, WhatIsNoProgramIsRefused) {
  EXPECT_EQ(run({"tenant", "migrate", "name=acme", "--program", "/nowhere"}), 2);
  EXPECT_THAT(output.error, HasSubstr("--program /nowhere"));
}

}  // namespace
}  // namespace tenure::cli
