#include "installation.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/migrations.hpp>
#include <tenure/base/sqlite/statement.hpp>
#include <tenure/tenancy/stamp.hpp>

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

// What becomes of the open handles of other processes when an operator closes a tenant's database.
namespace tenure::testing {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using ::testing::Not;

class Fence : public Installation {
 protected:
  Fence() {
    configure();
    close_own();
  }
  [[nodiscard]] fs::path file(const std::string& tenant) const {
    return folder_ / "tenants" / (tenant + ".db");
  }
  [[nodiscard]] fs::path buried(const std::string& tenant) const {
    return folder_ / "tenants/.graveyard" / (tenant + ".1.db");
  }
  [[nodiscard]] std::string copy(const std::string& tenant) const {
    return (folder_ / (tenant + "-copy.db")).string();
  }

  void create(const std::string& tenant) {
    ASSERT_EQ(tenure({"tenant", "create", tenant}), "exit 0") << output_;
  }
  void back_up(const std::string& tenant) {
    fs::remove(copy(tenant));
    ASSERT_EQ(tenure({"tenant", "backup", tenant, copy(tenant)}), "exit 0") << output_;
  }

  // One process for each way, each with its handle open: stopped between two transactions, stopped inside one, and writing.
  void start_writers(const std::string& tenant) {
    writers_.clear();
    for (const std::string way : {"between", "free", "inside"}) {
      writers_[way] = std::make_unique<Process>(
          std::vector<std::string>{GHOST, config_file(), tenant, way, way}, folder_ / (tenant + "-" + way));
      const Process& writer = *writers_[way];
      ASSERT_TRUE(wait_until([&] {
        return way == "free" ? writer.output().find("ok free-5") != std::string::npos
                             : is_stopped(writer.pid());
      })) << way
          << ": " << writer.output();
    }
  }
  void go_on(const std::string& way) { writers_[way]->signal(SIGCONT); }
  // Runs the verb while the one that is inside a transaction comes to its end, and lets the third go on behind it.
  void expect_fenced_by(const std::vector<std::string>& words) {
    std::vector<std::string> command{TENURE_PROGRAM};
    command.insert(command.end(), words.begin(), words.end());
    command.insert(command.end(), {"--config", config_file().string()});
    Process verb(command, folder_ / ("verb-" + words[1] + "-" + words[2]));
    go_on("inside");
    ASSERT_EQ(verb.wait(), "exit 0") << verb.output();
    end_writers();
  }
  void end_writers() {
    go_on("between");
    for (const auto& [way, writer] : writers_) {
      ASSERT_EQ(writer->wait(), "exit 0") << way;
      EXPECT_THAT(writer->output(), HasSubstr("refused ")) << way << ", so it proves nothing";
      EXPECT_THAT(writer->output(), Not(HasSubstr("outbox: committed"))) << way;
    }
    EXPECT_THAT(writers_["between"]->output(), Not(HasSubstr("ok between-4"))) << "it came behind the stamp";
    EXPECT_THAT(writers_["inside"]->output(), HasSubstr("ok inside-4")) << "it came before the stamp";
  }
  using Rows = std::multiset<std::string>;
  struct Said {
    Rows ok;
    Rows
        unknown;  // committed before the stamp, as it may be, and refused since the file had moved when that was looked at
  };
  [[nodiscard]] Said said() const {
    Said said;
    for (const auto& [way, writer] : writers_) {
      bool is_refused = false;
      std::istringstream lines(writer->output());
      std::string word, code, row;
      for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        words >> word;
        if (word == "ok" && words >> row) said.ok.insert(row);
        if (word != "refused" || !(words >> code >> row) || code == "TenantBusy") continue;
        if (!std::exchange(is_refused, true) && code == "DatabaseMoved" && way != "between")
          said.unknown.insert(row);
      }
    }
    return said;
  }
  // Each that was told "ok" once, and nothing that came later.
  void expect_kept_in(const fs::path& path) const {
    const Said told = said();
    Rows rows = rows_in(path);
    for (const std::string& row : told.unknown)
      if (const auto found = rows.find(row); found != rows.end()) rows.erase(found);
    EXPECT_EQ(rows, told.ok) << path;
  }
  // Of a file that nobody writes.
  static Rows rows_in(const fs::path& path) {
    Rows rows;
    sqlite::Connection connection{path, {}};
    auto row = connection.statement(kNames);
    while (row.step()) rows.emplace(row.text(0));
    return rows;
  }
  static TenantState stamped_state(const fs::path& path) {
    sqlite::Connection connection{path, {}};
    return read_stamp(connection).value().state;
  }

  // Each verb, on a tenant of its own.
  void expect_delete_is_a_fence() {
    create("deleted");
    start_writers("deleted");
    expect_fenced_by({"tenant", "delete", "deleted", "--confirm", "deleted"});
    expect_kept_in(buried("deleted"));
    EXPECT_FALSE(fs::exists(file("deleted")));
  }
  void expect_restore_is_a_fence() {
    create("restored");
    back_up("restored");
    start_writers("restored");
    expect_fenced_by({"tenant", "restore", "restored", copy("restored"), "--yes"});
    expect_kept_in(buried("restored"));
    EXPECT_TRUE(rows_in(file("restored")).empty()) << "the copy is older than all of them";
  }
  // As the manual says: frozen by the stamp, copied, put in its place there, deleted here.
  void expect_move_is_a_fence() {
    create("moved");
    start_writers("moved");
    expect_fenced_by({"tenant", "set", "moved", "read_only=true"});
    back_up("moved");
    const fs::path other = folder_ / "other";
    fs::create_directories(other);
    std::ofstream(other / "tenure.toml")
        << "[application]\nname = \"test\"\n[store]\npath = \"" << (other / "control.db").string()
        << "\"\n[tenants]\npath = \"" << (other / "tenants").string() << "/%{tenant}.db\"\nmigrations = \""
        << (folder_ / "migrations").string() << "\"\n";
    const auto there = [&](std::vector<std::string> words) {
      words.insert(words.begin(), TENURE_PROGRAM);
      words.insert(words.end(), {"--config", (other / "tenure.toml").string()});
      Process process(words, other / ("said-" + words[2]));
      EXPECT_EQ(process.wait(), "exit 0") << process.output();
    };
    there({"tenant", "create", "moved"});
    there({"tenant", "restore", "moved", copy("moved"), "--yes"});
    expect_kept_in(other / "tenants/moved.db");
    EXPECT_EQ(stamped_state(other / "tenants/moved.db"), TenantState::active);
    ASSERT_EQ(tenure({"tenant", "delete", "moved", "--confirm", "moved"}), "exit 0") << output_;
    expect_kept_in(buried("moved"));
  }
  void expect_read_only_is_a_fence() {
    create("read");
    start_writers("read");
    expect_fenced_by({"tenant", "set", "read", "read_only=true"});
    expect_kept_in(file("read"));
    EXPECT_EQ(stamped_state(file("read")), TenantState::read_only);
  }
  // Behind its end handles may write again, so it is killed before that: from the stamp on, and until the next run has come to the end.
  void expect_migrate_is_a_fence() {
    create("migrated");
    start_writers("migrated");
    std::ofstream(folder_ / "migrations/0002_length.sql") << "alter table run add column length integer;\n";
    go_on("inside");
    int point = 0;
    do {
      ++point;
      fs::remove(folder_ / "killed");
      Process migrating({TENURE_PROGRAM, "tenant", "migrate", "name=migrated", "--config", config_file()},
                        folder_ / ("migrating-" + std::to_string(point)),
                        {"LD_PRELOAD=" KILL_POINT, "KILL_POINT_FILES=" + (folder_ / "tenants").string(),
                         "KILL_POINT_PROGRAM=tenure", "KILL_POINT_NUMBER=" + std::to_string(point),
                         "KILL_POINT_TOKEN=" + (folder_ / "killed").string()});
      ASSERT_EQ(migrating.wait(), "signal 9") << point << ": " << migrating.output();
    } while (stamped_state(file("migrated")) != TenantState::migrating);
    end_writers();
    expect_kept_in(file("migrated"));
    ASSERT_EQ(tenure({"tenant", "migrate", "name=migrated"}), "exit 0") << output_;
    expect_kept_in(file("migrated"));
    sqlite::Connection connection{file("migrated"), {}};
    EXPECT_EQ(sqlite::schema_version(connection), 2);
  }

  std::map<std::string, std::unique_ptr<Process>> writers_;

  static constexpr sqlite::Query kNames{"names", "select name from run"};
};

TEST_F(Fence, REG_12_FromTheStampOnNoOpenHandleCommitsAndEachEarlierOkIsInTheFileThatIsKept) {
  expect_delete_is_a_fence();
  expect_restore_is_a_fence();
  expect_move_is_a_fence();
  expect_read_only_is_a_fence();
  expect_migrate_is_a_fence();
}

// Nobody can read the stamp of it, but whoever has had it open has it in memory.
TEST_F(Fence, ADamagedFileIsPutAwayWhereNobodyWritesAndNobodyWritesToItBehindThat) {
  back_up("acme");
  Process inside({GHOST, config_file(), "acme", "inside", "inside"}, folder_ / "inside");
  ASSERT_TRUE(wait_until([&] { return is_stopped(inside.pid()); })) << inside.output();
  ASSERT_EQ(::truncate(file("acme").c_str(), 4096), 0);
  const auto restore = [&] { return tenure({"tenant", "restore", "acme", copy("acme"), "--yes"}); };
  EXPECT_EQ(restore(), "exit 75") << output_;
  EXPECT_THAT(output_, HasSubstr("TenantBusy"));
  EXPECT_TRUE(fs::exists(file("acme")));
  inside.signal(SIGCONT);
  ASSERT_TRUE(wait_until([&] { return inside.output().find("ok inside-4") != std::string::npos; }))
      << inside.output();
  ASSERT_EQ(restore(), "exit 0") << output_;
  EXPECT_EQ(inside.wait(), "exit 0");
  EXPECT_THAT(inside.output(), HasSubstr("refused DatabaseMoved"));
  EXPECT_THAT(inside.output(), Not(HasSubstr("outbox: committed")));
  EXPECT_TRUE(rows_in(file("acme")).empty());
  EXPECT_TRUE(fs::exists(buried("acme")));
}

}  // namespace
}  // namespace tenure::testing
