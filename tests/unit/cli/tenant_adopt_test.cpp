#include "file_program.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/tenancy/graveyard.hpp>
#include <tenure/tenancy/stamp.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>

// `tenure tenant adopt` and `tenure doctor --rebuild-registry`: tenants by what lies there.
namespace tenure::cli {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class TenantTrees : public FileProgram {
 protected:
  // What an application of its own has made, closed in peace.
  void make_database(const fs::path& file,
                     const std::string& tables = "create table invoice(id integer primary key)") {
    fs::create_directories(file.parent_path());
    sqlite::Connection connection{file, {.access = sqlite::Access::create}};
    connection.execute({"tables", tables});
    connection.execute({"rows", "create table kept(x); insert into kept values ('what was there')"});
  }
  // Each file below the root with its bytes.
  std::map<std::string, std::string> tree() {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(root_)) {
      if (!fs::is_regular_file(entry.symlink_status())) continue;
      std::ifstream in{entry.path(), std::ios::binary};
      files[entry.path().string()] = {std::istreambuf_iterator<char>(in), {}};
    }
    return files;
  }
  void lay_out(const std::string& path_template) {
    environment.variables.emplace_back("TENURE_TENANTS_PATH", (root_ / path_template).string());
  }
  TenantRecord tenant(std::string_view name) { return store->registry().find(TenantName{name}).value(); }
  bool is_known(std::string_view name) { return store->registry().find(TenantName{name}).has_value(); }
  std::int64_t registry_rows() {
    return static_cast<std::int64_t>(store->registry().list(std::nullopt, 100).size());
  }

  fs::path root_ = folder / "storage";
};

TEST_F(TenantTrees, REG_21_ATreeIsAdoptedWhereItLiesAndWhatIsBadStaysAsItIs) {
  lay_out("%{tenant}/main.sqlite3");  // as activerecord-tenanted does
  for (const char* const name : {"acme", "beta"}) make_database(root_ / name / "main.sqlite3");
  make_database(root_ / "Upper" / "main.sqlite3");
  make_database(root_ / "all" / "main.sqlite3");
  make_database(root_ / "elsewhere.sqlite3");
  fs::create_directories(root_ / "damaged");
  std::ofstream{root_ / "damaged/main.sqlite3"} << std::string(8192, 'x');
  fs::create_directories(root_ / "linked");
  fs::create_symlink(root_ / "acme/main.sqlite3", root_ / "linked/main.sqlite3");
  make_database(root_ / "trigger" / "main.sqlite3", "create table tenure_stamp(x)");
  const auto before = tree();

  EXPECT_EQ(run({"tenant", "adopt", "--dry-run"}), 1) << output.error;
  EXPECT_THAT(output.out, HasSubstr("acme     adoptable"));
  EXPECT_THAT(output.out, HasSubstr("beta     adoptable"));
  EXPECT_THAT(output.out, HasSubstr("damaged  refused"));
  EXPECT_THAT(output.out, HasSubstr("a symbolic link, which Tenure does not follow"));
  EXPECT_THAT(output.out, HasSubstr("2 can be adopted, 0 known already, 5 refused\n"));
  EXPECT_EQ(tree(), before);
  EXPECT_EQ(registry_rows(), 0);

  EXPECT_EQ(run({"tenant", "adopt", "--reason", "from Rails", "--json"}), 1) << output.error;
  EXPECT_THAT(output.out, HasSubstr(R"({"name":"acme","file":")"));
  EXPECT_THAT(output.out, HasSubstr(R"("result":"adopted","generation":1,)"));
  EXPECT_THAT(output.out, HasSubstr(R"("dry_run":false)"));
  for (const char* const name : {"acme", "beta"}) {
    EXPECT_EQ(tenant(name).state, TenantState::active);
    EXPECT_EQ(tenant(name).generation, Generation{1});
  }
  EXPECT_EQ(registry_rows(), 2);
  auto after = tree();
  for (const auto& [name, bytes] : before) {
    const bool is_good = name.find("/acme/") != std::string::npos || name.find("/beta/") != std::string::npos;
    EXPECT_TRUE(is_good || after[name] == bytes) << name;
  }
  {
    sqlite::Connection connection{root_ / "acme/main.sqlite3", {}};
    EXPECT_EQ(read_stamp(connection)->state, TenantState::active);
    EXPECT_EQ(connection.statement({"kept", "select x from kept"}).row().text(0), "what was there");
  }
  EXPECT_EQ(run({"store", "audit", "verb=tenant adopt", "--columns", "subject,reason"}), 0);
  EXPECT_THAT(output.out, HasSubstr("acme generation 1, active"));
  EXPECT_THAT(output.out, HasSubstr("from Rails"));

  const auto adopted = tree();
  EXPECT_EQ(run({"tenant", "adopt"}), 1);
  EXPECT_THAT(output.out, HasSubstr("0 adopted, 2 known already, 5 refused\n"));
  EXPECT_EQ(tree(), adopted);
  EXPECT_EQ(registry_rows(), 2);
  EXPECT_EQ(run({"tenant", "adopt", "acme"}), 0) << output.out;
  const fs::path lock = root_ / ".building/acme.lock";
  std::ofstream{lock} << "1\n";  // killed behind its last commit
  EXPECT_EQ(run({"tenant", "adopt", "acme", "--dry-run"}), 0) << output.out;
  EXPECT_TRUE(fs::exists(lock));
  EXPECT_EQ(run({"tenant", "adopt", "acme"}), 0) << output.out;
  EXPECT_FALSE(fs::exists(lock));
  EXPECT_EQ(run({"tenant", "adopt", "nobody"}), 1);
  EXPECT_THAT(output.out, HasSubstr("no file lies at the tenant's place"));

  add_job(1, "acme", "report.build");
  EXPECT_EQ(run({"tenant", "delete", "beta", "--confirm", "beta"}), 0) << output.error;
}

TEST_F(TenantTrees, WithAnotherLayoutThePlaceIsSaid) {
  lay_out("%{bucket}/%{tenant}.db");
  make_database(root_ / "zz/acme.db");
  EXPECT_EQ(run({"tenant", "adopt", "--dry-run"}), 1);
  EXPECT_THAT(output.out, HasSubstr("the place of acme is " + root_.string()));
}

// The files of a plain template have no ending, and neither is a log a tenant.
TEST_F(TenantTrees, WhatLiesBesideADatabaseIsNoTenant) {
  lay_out("%{tenant}");
  make_database(root_ / "acme");
  const sqlite::Connection open{root_ / "acme", {}};
  ASSERT_TRUE(fs::exists(root_ / "acme-wal"));
  EXPECT_EQ(run({"tenant", "adopt", "--dry-run"}), 0) << output.out;
  EXPECT_THAT(output.out, HasSubstr("1 can be adopted, 0 known already, 0 refused\n"));
}

TEST_F(TenantTrees, TablesOfAMigrationAreNotedAsItsAndOthersAreRefused) {
  lay_out("%{tenant}.db");
  const fs::path migrations = folder / "migrations";
  fs::create_directories(migrations);
  std::ofstream{migrations / "0001_invoice.sql"} << "create table invoice(id integer primary key);\n";
  std::ofstream{migrations / "0002_kept.sql"} << "create table kept(x);\n";
  std::ofstream{migrations / "0003_note.sql"} << "create table note(x);\n";
  environment.variables.emplace_back("TENURE_TENANTS_MIGRATIONS", migrations.string());
  make_database(root_ / "acme.db");
  make_database(root_ / "other.db", "create table quite_another(x)");
  EXPECT_EQ(run({"tenant", "adopt", "--json"}), 1) << output.error;
  EXPECT_THAT(output.out, HasSubstr(R"("result":"adopted","generation":1)"));
  EXPECT_THAT(output.out, HasSubstr(R"("migrations":2,"why":null)"));
  EXPECT_THAT(output.out, HasSubstr("its tables are not those of any of the 3 migrations"));
  EXPECT_FALSE(is_known("other"));
  EXPECT_EQ(run({"tenant", "check"}), 0) << output.out;
  EXPECT_THAT(output.out, HasSubstr("next is 0003_note\n"));
}

TEST_F(TenantTrees, REG_25_TheRegistryComesBackFromTheStampsAlone) {
  lay_out("%{tenant}.db");
  for (const char* const name : {"acme", "beta", "gone", "twice", "closed"})
    EXPECT_EQ(run({"tenant", "create", name}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "set", "beta", "read_only=true"}), 0) << output.error;
  for (const char* const name : {"gone", "twice"})
    EXPECT_EQ(run({"tenant", "delete", name, "--confirm", name}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "create", "twice"}), 0);
  {
    sqlite::Connection connection{root_ / "closed.db", {}};
    sqlite::WriteTransaction transaction{connection};
    Stamp stamp = *read_stamp(connection);
    stamp.state = TenantState::deleted;
    write_stamp(connection, stamp);
    transaction.commit();
  }
  make_database(root_ / "stranger.db");
  EXPECT_EQ(run({"doctor", "stamps", "--rebuild-registry"}), 1) << output.out;
  EXPECT_THAT(output.out, HasSubstr("1 generation registered, of 6 files with a stamp"));
  EXPECT_EQ(tenant("closed").state, TenantState::draining);
  EXPECT_THAT(output.out, HasSubstr("stranger.db was not registered: WrongTenant"));
  fs::remove(root_ / "stranger.db");

  store.reset();
  for (const char* const ending : {"", "-wal", "-shm"}) fs::remove(path.string() + ending);
  const auto before = tree();
  EXPECT_EQ(run({"doctor", "tenants", "--rebuild-registry", "--json"}), 0) << output.out << output.error;
  EXPECT_THAT(output.out, HasSubstr("6 generations registered, of 6 files with a stamp"));
  EXPECT_EQ(tree(), before);
  store = queue::open_sqlite_store({.path = path}, clock);
  const auto expect = [&](const char* name, std::int64_t generation, TenantState state) {
    EXPECT_EQ(tenant(name).generation, Generation{generation}) << name;
    EXPECT_EQ(tenant(name).state, state) << name;
  };
  expect("acme", 1, TenantState::active);
  expect("beta", 1, TenantState::read_only);
  expect("gone", 1, TenantState::deleted);
  expect("twice", 2, TenantState::active);
  expect("closed", 1, TenantState::draining);
  EXPECT_EQ(run({"doctor", "stamps"}), 0) << output.out;
  EXPECT_EQ(run({"tenant", "graveyard"}), 0);
  EXPECT_THAT(output.out, HasSubstr("gone "));
  EXPECT_THAT(output.out, HasSubstr("the registry was rebuilt"));
  EXPECT_EQ(run({"tenant", "undelete", "gone"}), 0) << output.error;
  expect("gone", 2, TenantState::active);
  EXPECT_EQ(run({"tenant", "delete", "closed", "--confirm", "closed"}), 0) << output.error;
  EXPECT_EQ(run({"store", "audit", "verb=store doctor", "--columns", "subject"}), 0);
  EXPECT_THAT(output.out, HasSubstr("registered: acme 1 active, beta 1 read_only"));
}

TEST_F(TenantTrees, AnOlderControlDatabaseLearnsOfTheGravesThatHaveComeSince) {
  lay_out("%{tenant}.db");
  for (const char* const name : {"acme", "beta"}) EXPECT_EQ(run({"tenant", "create", name}), 0);
  EXPECT_EQ(run({"store", "backup", (folder / "older.db").string()}), 0) << output.error;
  for (const char* const name : {"acme", "beta"})
    EXPECT_EQ(run({"tenant", "delete", name, "--confirm", name}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "create", "beta"}), 0);
  store.reset();
  for (const char* const ending : {"", "-wal", "-shm"}) fs::remove(path.string() + ending);
  fs::rename(folder / "older.db", path);
  EXPECT_EQ(run({"doctor", "tenants", "--rebuild-registry"}), 0) << output.out << output.error;
  EXPECT_THAT(output.out, HasSubstr("3 generations registered, of 3 files with a stamp"));
  store = queue::open_sqlite_store({.path = path}, clock);
  EXPECT_EQ(tenant("acme").state, TenantState::deleted);
  EXPECT_EQ(tenant("beta").generation, Generation{2});
  EXPECT_EQ(tenant("beta").state, TenantState::active);
  EXPECT_EQ(run({"tenant", "graveyard"}), 0);
  EXPECT_THAT(output.out, AllOf(HasSubstr("acme "), HasSubstr("beta ")));
  EXPECT_EQ(run({"doctor", "tenants", "--rebuild-registry"}), 0);
  EXPECT_THAT(output.out, HasSubstr("0 generations registered, of 3 files with a stamp"));
  EXPECT_EQ(run({"tenant", "undelete", "acme"}), 0) << output.error;
}

// A restore that has ended since the copy of the control database was made keeps its jobs, whatever becomes of the file.
TEST_F(TenantTrees, AnOlderControlDatabaseKeepsTheJobsOfAGenerationThatWasPutAwayForACopy) {
  lay_out("%{tenant}.db");
  on_pause = [] { return true; };
  EXPECT_EQ(run({"tenant", "create", "acme"}), 0);
  add_job(1, "acme", "report.build");
  EXPECT_EQ(run({"tenant", "backup", "acme", (folder / "copy.db").string()}), 0) << output.error;
  EXPECT_EQ(run({"store", "backup", (folder / "older.db").string()}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "restore", "acme", (folder / "copy.db").string(), "--yes"}), 0) << output.error;
  store.reset();
  for (const char* const ending : {"", "-wal", "-shm"}) fs::remove(path.string() + ending);
  fs::rename(folder / "older.db", path);
  EXPECT_EQ(run({"doctor", "tenants", "--rebuild-registry"}), 0) << output.out << output.error;
  EXPECT_THAT(output.out, HasSubstr("2 generations registered, of 2 files with a stamp"));
  store = queue::open_sqlite_store({.path = path}, clock);
  EXPECT_EQ(tenant("acme").generation, Generation{2});
  EXPECT_EQ(tenant("acme").state, TenantState::active);
  clock.advance(std::chrono::hours{24 * 8});
  std::optional<queue::DeletionRecord> buried;
  store->read(
      [&](queue::JobReader& reader) { buried = reader.open_deletion(TenantName{"acme"}, Generation{1}); });
  ASSERT_TRUE(buried);
  EXPECT_TRUE(buried->is_restore);
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    EXPECT_TRUE(writer.begin_erasing(buried->tenant.number, clock.wall()));
  });
  store->read([&](queue::JobReader& reader) {
    EXPECT_TRUE(reader.erasable_jobs(queue::JobSeq{0}, 100).jobs.empty());
  });
  EXPECT_EQ(run({"tenant", "reconcile", "acme", "--restamp", "--yes"}), 0) << output.error;
  EXPECT_EQ(output.out, "re-stamped 1 job\n");
  EXPECT_EQ(job(1).generation, Generation{2});
}

TEST_F(TenantTrees, AStampThatWasClosedSinceTheOlderControlDatabaseIsTakenOver) {
  lay_out("%{tenant}.db");
  for (const char* const name : {"acme", "beta"}) EXPECT_EQ(run({"tenant", "create", name}), 0);
  EXPECT_EQ(run({"tenant", "pause", "beta"}), 0) << output.error;
  for (const char* const name : {"acme", "beta"})
    Graveyard(TenantFiles((root_ / "%{tenant}.db").string()), "billing")
        .close(TenantName{name}, Generation{1});
  EXPECT_EQ(run({"doctor", "tenants", "--rebuild-registry"}), 0) << output.out << output.error;
  EXPECT_THAT(output.out, HasSubstr("2 generations registered, of 2 files with a stamp"));
  for (const char* const name : {"acme", "beta"})
    EXPECT_EQ(tenant(name).state, TenantState::draining) << name;
  EXPECT_EQ(run({"store", "audit", "verb=store doctor", "--columns", "subject"}), 0);
  EXPECT_THAT(output.out, HasSubstr("registered: acme 1 draining, beta 1 draining"));
  EXPECT_EQ(run({"doctor", "tenants", "--rebuild-registry"}), 0) << output.out << output.error;
  EXPECT_THAT(output.out, HasSubstr("0 generations registered"));
  for (const char* const name : {"acme", "beta"})
    EXPECT_EQ(run({"tenant", "delete", name, "--confirm", name}), 0) << output.error;
}

// What cannot be looked at may be the very generation of which a copy lies in the graveyard.
TEST_F(TenantTrees, BesideAFileThatCannotBeReadNothingInTheGraveyardIsABurial) {
  lay_out("%{tenant}.db");
  EXPECT_EQ(run({"tenant", "create", "acme"}), 0);
  fs::create_directories(root_ / ".graveyard");
  fs::copy_file(root_ / "acme.db", root_ / ".graveyard/acme.1.db");
  fs::resize_file(root_ / "acme.db", 0);
  std::ofstream{root_ / "acme.db"} << "no database at all";
  EXPECT_EQ(run({"doctor", "stamps", "--rebuild-registry"}), 1) << output.out;
  EXPECT_THAT(output.out, HasSubstr("acme.db was not registered"));
  EXPECT_THAT(output.out, HasSubstr("0 generations registered, of 1 file with a stamp"));
  EXPECT_EQ(tenant("acme").state, TenantState::active);
}

// The stamp is closed by whoever deletes and by whoever puts a copy in its place, and it does not say by whom.
TEST_F(TenantTrees, BehindAnInterruptedRestoreNoDeletionIsBegun) {
  lay_out("%{tenant}.db");
  on_pause = [] { return true; };
  EXPECT_EQ(run({"tenant", "create", "acme"}), 0);
  EXPECT_EQ(run({"tenant", "backup", "acme", (folder / "copy.db").string()}), 0) << output.error;
  Graveyard(TenantFiles((root_ / "%{tenant}.db").string()), "billing")
      .close(TenantName{"acme"}, Generation{1});
  store.reset();
  for (const char* const ending : {"", "-wal", "-shm"}) fs::remove(path.string() + ending);
  EXPECT_EQ(run({"doctor", "tenants", "--rebuild-registry"}), 0) << output.out << output.error;
  store = queue::open_sqlite_store({.path = path}, clock);
  EXPECT_EQ(tenant("acme").state, TenantState::draining);
  EXPECT_EQ(run({"doctor", "tenants"}), 0);
  EXPECT_THAT(output.out, HasSubstr("tenure tenant restore acme FILE, or tenure tenant delete acme"));
  EXPECT_EQ(run({"tenant", "restore", "acme", (folder / "copy.db").string(), "--yes"}), 0) << output.error;
  EXPECT_EQ(tenant("acme").generation, Generation{2});
  EXPECT_EQ(tenant("acme").state, TenantState::active);
}

}  // namespace
}  // namespace tenure::cli
