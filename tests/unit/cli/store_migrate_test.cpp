#include "file_program.hpp"
#include "sqlite/sqlite_store.hpp"
#include "support/schema_steps.hpp"

#include <fstream>
#include <iterator>

// A program over a control database that an older one has made.
namespace tenure::cli {
namespace {

using ::testing::HasSubstr;

class StoreMigrate : public FileProgram {
 protected:
  StoreMigrate() {
    add_tenant("acme");
    add_job(1, "acme", "billing.close");
    environment.open_store = [this](const queue::SqliteStoreOptions& options) {
      return std::make_shared<queue::SqliteStore>(options, clock, queue::BookkeepingLimits{}, later);
    };
    environment.look_at_store = [this](const std::filesystem::path& file) {
      return std::shared_ptr(queue::look_at_sqlite_store(file, later));
    };
    environment.look_at_schema = [this](const std::filesystem::path& file, queue::PageCheck pages) {
      return queue::look_at_schema(file, later, pages);
    };
    environment.migrate_store = [this](const std::filesystem::path& file, const queue::AuditEntry& entry) {
      return queue::migrate_control_database(file, later, entry, clock);
    };
  }
  std::string bytes() {
    store.reset();  // moves the log into the file
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::vector<sqlite::Migration> later = testing::steps_of_a_later_program();
  const std::string own = testing::own_schema_text();
  const std::string newest = testing::later_schema_text();
  const std::string copy = (folder / "copy.db").string();
};

TEST_F(StoreMigrate, CFG_04_EveryOtherVerbRefusesAnOlderStoreAndNamesTheCommand) {
  const std::string before = bytes();
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"job", "list"},
                                             {"job", "enqueue", "billing.close", "--tenant", "none"},
                                             {"job", "retry", "state=dead", "--yes"},
                                             {"tenant", "create", "corvid"},
                                             {"tenant", "list"},
                                             {"store", "audit"},
                                             {"doctor"},
                                             {"doctor", "places", "--fix"}}) {
    EXPECT_EQ(run(words), 78) << words[0] << ' ' << words[1];
    EXPECT_THAT(output.error, HasSubstr("has schema " + own + " and this program needs " + newest));
    EXPECT_THAT(output.error, HasSubstr("then: tenure store migrate"));
  }
  EXPECT_EQ(bytes(), before);
}

TEST_F(StoreMigrate, ADryRunNamesTheStepsAndTakesNone) {
  const std::string before = bytes();
  EXPECT_EQ(run({"store", "migrate", "--dry-run"}), 0) << output.error;
  EXPECT_EQ(output.out,
            "schema " + own + " to " + newest + ": would apply later_note.sql, later_bytes.sql\n");
  EXPECT_EQ(run({"store", "migrate", "--dry-run", "--json"}), 0);
  EXPECT_EQ(output.out, R"({"schema":"tenure.store.migrate/1","item":{"path":")" + path.string() +
                            R"(","from":)" + own + R"(,"to":)" + newest +
                            R"(,"steps":["later_note.sql","later_bytes.sql"],"applied":false}})" + '\n');
  EXPECT_EQ(bytes(), before);
}

TEST_F(StoreMigrate, BringsTheStoreOnOnceAndRecordsIt) {
  store.reset();
  EXPECT_EQ(run({"store", "migrate", "--reason", "ticket 4711"}), 0) << output.error;
  EXPECT_EQ(output.out, "schema " + own + " to " + newest + ": applied later_note.sql, later_bytes.sql\n");
  EXPECT_EQ(run({"job", "count"}), 0) << output.error;
  EXPECT_EQ(output.out, "1\n");
  EXPECT_EQ(run({"store", "audit", "verb=store migrate", "--columns", "count,subject,reason"}), 0);
  EXPECT_THAT(output.out, HasSubstr("schema " + own + " to " + newest + "  ticket 4711"));
  EXPECT_EQ(run({"store", "migrate"}), 0);
  EXPECT_EQ(output.out, "schema " + newest + ", as this program needs it\n");
  EXPECT_EQ(run({"store", "migrate", "--json"}), 0);
  EXPECT_THAT(output.out,
              HasSubstr(R"("from":)" + newest + R"(,"to":)" + newest + R"(,"steps":[],"applied":false)"));
}

TEST_F(StoreMigrate, WithoutAStoreMakesNone) {
  EXPECT_EQ(run({"store", "migrate", "--store", (folder / "none.db").string()}), 69);
  EXPECT_FALSE(std::filesystem::exists(folder / "none.db"));
}

TEST_F(StoreMigrate, ABackupBeforeItWritesNothingIntoTheStore) {
  const std::string before = bytes();
  EXPECT_EQ(run({"store", "backup", copy}), 0) << output.error;
  EXPECT_THAT(output.error, HasSubstr("no audit record says that it is complete"));
  EXPECT_THAT(output.error, HasSubstr("has schema " + own + " and this program needs " + newest));
  EXPECT_EQ(bytes(), before);
  environment.look_at_schema_of_copy = [this](const std::filesystem::path& file, queue::PageCheck pages) {
    return queue::look_at_schema(file, later, pages);
  };
  EXPECT_EQ(run({"store", "show", "--store", copy, "--offline"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("schema   " + own + ", and this program needs " + newest +
                                    ": tenure store migrate\n"));
  EXPECT_EQ(run({"store", "check", "--store", copy, "--offline"}), 0) << output.out;
}

TEST_F(StoreMigrate, ShowAndCheckTellWhatCanBeToldOfAnOlderStore) {
  EXPECT_EQ(run({"store", "show"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("schema   " + own + ", and this program needs " + newest +
                                    ": tenure store migrate\n"));
  EXPECT_EQ(run({"store", "show", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("schema_version":)" + own + R"(,"schema_needed":)" + newest));
  EXPECT_THAT(output.out, HasSubstr(R"("jobs":null)"));
  EXPECT_EQ(run({"store", "check"}), 0) << output.out;
  EXPECT_THAT(output.out, HasSubstr("pages clean, rows and audit records not looked at"));
}

TEST_F(StoreMigrate, CheckFindsDamagedPagesOfAnOlderStore) {
  for (int seed = 2; seed < 60; ++seed)
    add_job(seed, "acme", "billing.close", '"' + std::string(900, 'x') + '"');
  store.reset();
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(path)) - 4096);
    file << std::string(4096, 'x');
  }
  EXPECT_EQ(run({"store", "check"}), 1);
  EXPECT_THAT(output.out, HasSubstr("a fault in its pages"));
}

}  // namespace
}  // namespace tenure::cli
