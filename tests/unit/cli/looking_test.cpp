#include "program.hpp"
#include "support/schema_steps.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/sqlite_store.hpp>

// Commands that only read, on a control database in a file.
namespace tenure::cli {
namespace {

using ::testing::HasSubstr;

const std::vector<std::vector<std::string>>& reading_commands() {
  static const std::vector<std::vector<std::string>> commands{
      {"job", "list"},
      {"job", "count"},
      {"job", "show", "019cadff-0000-7000-8000-000000000001"},
      {"queue", "list"},
      {"tenant", "list"},
      {"store", "show"},
      {"job", "retry", "state=dead", "--dry-run"}};
  return commands;
}

class Looking : public Program {
 protected:
  Looking() {
    store = queue::open_sqlite_store({.path = path_, .create = true}, clock);
    add_tenant("acme");
    add_job(1, "acme", "billing.close");
    environment.look_at_store = [](const std::filesystem::path& path) {
      return queue::look_at_sqlite_store(path);
    };
    environment.open_store = [this](const queue::SqliteStoreOptions& options) {
      ++opened_for_writing_;
      return std::shared_ptr(queue::open_sqlite_store(options, clock));
    };
    environment.variables.emplace_back("TENURE_STORE_PATH", path_.string());
  }
  void run_all() {
    for (const auto& command : reading_commands()) EXPECT_EQ(run(command), 0) << command[1] << output.error;
  }
  void execute(std::string_view sql) { sqlite::Connection(path_, {}).execute({"script", sql}); }

  std::filesystem::path path_ = folder / "control.db";
  int opened_for_writing_ = 0;
};

TEST_F(Looking, NeedsNeitherTheWritersLockNorAnOpeningForWriting) {
  sqlite::Connection writer(path_, {});
  writer.execute({"begin", "begin immediate"});
  run_all();
  EXPECT_EQ(opened_for_writing_, 0);
}

TEST_F(Looking, LeavesNoFileBesideAStoreThatNobodyHasOpen) {
  store.reset();
  ASSERT_FALSE(std::filesystem::exists(path_.string() + "-wal"));
  const auto time = std::filesystem::last_write_time(path_);
  run_all();
  for (const char* ending : {"-wal", "-shm"})
    EXPECT_FALSE(std::filesystem::exists(path_.string() + ending)) << ending;
  EXPECT_EQ(std::filesystem::last_write_time(path_), time);
}

TEST_F(Looking, SaysWhatToDoWithACopyThatHasALogAndNoIndex) {
  const auto copy = folder / "copy.db";
  for (const char* ending : {"", "-wal"})
    std::filesystem::copy_file(path_.string() + ending, copy.string() + ending);
  EXPECT_EQ(run({"job", "list", "--store", copy.string()}), 78);
  EXPECT_THAT(output.error, HasSubstr("tenure store backup FILE"));
  EXPECT_FALSE(std::filesystem::exists(copy.string() + "-shm"));
}

TEST_F(Looking, ASchemaOfAnotherVersionIsRefused) {
  const std::string next = std::to_string(testing::own_schema() + 1);
  execute("insert into tenure_migration(number, name, hash, applied_us) values (" + next +
          ", 'later.sql', 'x', 0)");
  EXPECT_EQ(run({"job", "list"}), 78);
  EXPECT_THAT(output.error, HasSubstr("schema step " + next + " (later.sql)"));
  execute("delete from tenure_migration");
  EXPECT_EQ(run({"job", "list"}), 78);
  EXPECT_THAT(output.error, HasSubstr("then: tenure store migrate"));
}

TEST_F(Looking, AStoreThatIsMissingIsNotMade) {
  EXPECT_EQ(run({"job", "list", "--store", (folder / "none.db").string()}), 69);
  EXPECT_FALSE(std::filesystem::exists(folder / "none.db"));
}

TEST_F(Looking, ARetryIsWrittenByAStoreThatIsOpenedForIt) {
  execute("update job set state = 5");
  EXPECT_EQ(run({"job", "retry", "state=dead", "--yes"}), 0) << output.error;
  EXPECT_EQ(opened_for_writing_, 1);
  EXPECT_EQ(run({"job", "count", "state=ready"}), 0);
  EXPECT_EQ(output.out, "1\n");
}

}  // namespace
}  // namespace tenure::cli
