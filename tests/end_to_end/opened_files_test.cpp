#include "installation.hpp"

#include <tenure/base/sqlite/connection.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

// Who opens which databases, by a library that is preloaded into all processes of a run.
namespace tenure::testing {
namespace {

using queue::ShownState;
using ::testing::Contains;

class OpenedFiles : public Installation {
 protected:
  struct Opened {
    std::string program, library, path;
  };

  // What is started from now on is watched.
  std::vector<std::string> watched() const {
    return {"LD_PRELOAD=" OPEN_WATCH, "OPEN_WATCH_LOG=" + log_.string(),
            "OPEN_WATCH_HIDDEN=" + control().string(),
            std::string{"OPEN_WATCH_HIDDEN_FROM="} + (is_hidden_ ? "end_to_end_worker" : "")};
  }
  void start() {
    daemon_.emplace(std::vector<std::string>{TENURED, "--config", config_file()}, folder_ / "watched.log",
                    watched());
    ASSERT_TRUE(wait_until([&] { return daemon_->output().find("daemon.started") != std::string::npos; }))
        << daemon_->output();
  }
  void stop() {
    daemon_->signal(SIGTERM);
    EXPECT_EQ(daemon_->wait(), "exit 0") << daemon_->output();
  }
  void run_watched(std::vector<std::string> words) {
    words.insert(words.begin(), TENURE_PROGRAM);
    words.insert(words.end(), {"--config", config_file().string()});
    Process command(words, folder_ / "command.log", watched());
    EXPECT_EQ(command.wait(), "exit 0") << command.output();
  }
  std::vector<Opened> opened() const {
    std::vector<Opened> all;
    std::ifstream lines(log_);
    for (std::string line; std::getline(lines, line);) {
      Opened one;
      std::istringstream(line) >> one.program >> one.library >> one.path;
      all.push_back(one);
    }
    return all;
  }
  // A database, what SQLite has beside it, or one that is being made, wherever it lies; not the files of other uses whose names begin as
  // the control database's does (decision 51).
  [[nodiscard]] static bool is_database(const std::filesystem::path& path) {
    const std::string name = path.filename().string();
    return std::ranges::any_of(std::array{".db", ".partial", "-wal", "-shm", "-journal"},
                               [&](const char* ending) { return name.ends_with(ending); });
  }
  // Those that this library has opened.
  std::vector<Opened> opened_by_others() const {
    std::vector<Opened> others = opened();
    std::erase_if(others, [](const Opened& one) {
      return !is_database(one.path) || one.library.starts_with("libsqlite3.so");
    });
    return others;
  }
  std::set<std::string> programs() const {
    std::set<std::string> names;
    for (const Opened& one : opened()) names.insert(one.program);
    return names;
  }

  std::filesystem::path log_ = folder_ / "opened";
  bool is_hidden_ = false;
  std::optional<Process> daemon_;
};

TEST_F(OpenedFiles, HND_06_OnlySqliteOpensDatabasesInAFullRun) {
  configure();
  start();
  run_watched({"tenant", "create", "bolt"});
  expect_state(enqueue(Count{"one"}), ShownState::succeeded);
  expect_state(with_tenant("bolt", [&] { return queue::JobId{client().enqueue(Count{"two"})}; }),
               ShownState::succeeded);
  const std::string copy = (folder_ / "bolt-copy.db").string();
  std::filesystem::create_directory(folder_ / "copies");
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"job", "list"},
                                             {"tenant", "list", "written=-1h.."},
                                             {"tenant", "check"},
                                             {"tenant", "outbox", "bolt"},
                                             {"tenant", "pause", "bolt"},
                                             {"tenant", "resume", "bolt"},
                                             {"tenant", "set", "bolt", "read_only=true"},
                                             {"tenant", "set", "bolt", "read_only=false"},
                                             {"tenant", "backup", "bolt", copy},
                                             {"tenant", "backup", "--folder", (folder_ / "copies").string()},
                                             {"tenant", "clone", "bolt", "bolt2"},
                                             {"tenant", "delete", "bolt2", "--confirm", "bolt2"},
                                             {"tenant", "undelete", "bolt2"},
                                             {"tenant", "restore", "bolt", copy, "--yes"},
                                             {"tenant", "migrate", "--dry-run"},
                                             {"store", "show"},
                                             {"store", "check"},
                                             {"store", "checkpoint"},
                                             {"store", "backup", (folder_ / "copy.db").string()},
                                             {"doctor", "stamps", "tenants"}})
    run_watched(words);
  expect_state(enqueue(Count{"three"}), ShownState::succeeded);
  stop();
  run_watched({"store", "compact"});
  EXPECT_THAT(programs(), ::testing::IsSupersetOf({"tenured", "tenure", "end_to_end_worker"}));
  for (const Opened& one : opened_by_others())
    ADD_FAILURE() << one.program << " opened " << one.path << " by " << one.library;
  // The watch has seen them, and those in the making too.
  std::map<std::string, int> seen;
  for (const Opened& one : opened())
    if (is_database(one.path)) ++seen[std::filesystem::path{one.path}.filename().string()];
  for (const char* const name : {"control.db", "control.db-wal", "acme.db", "bolt.db", "bolt2.db",
                                 "bolt2.1.db", "bolt-copy.db.partial", "copy.db.partial"})
    EXPECT_GT(seen[name], 0) << name;
}

TEST_F(OpenedFiles, HND_21_NoWorkerProcessOpensTheControlDatabaseAndItsJobsEnqueueWithoutIt) {
  configure();
  is_hidden_ = true;
  start();
  const queue::JobId job = enqueue(Spawn{"child"});
  expect_state(job, ShownState::succeeded);
  EXPECT_TRUE(wait_until([&] { return runs_of("child") == 1; })) << daemon_->output();
  stop();
  int of_worker = 0;
  for (const Opened& one : opened())
    if (one.program == "end_to_end_worker") {
      ++of_worker;
      EXPECT_NE(one.path.find("/tenants/"), std::string::npos) << "it opened " << one.path;
    }
  EXPECT_GT(of_worker, 0);
}

TEST_F(OpenedFiles, AStartAmongManyTenantsOpensNoneOfTheirFiles) {
  configure();
  static_cast<void>(store());
  sqlite::Connection(control(), {.access = sqlite::Access::read_write})
      .execute({"more_tenants",
                "with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000) "
                "insert into tenant(name, generation, state, created_us) select 't' || i, 1, 2, 0 from n"});
  start();
  expect_state(queue::JobId{client().enqueue(Turn{}, {.untenanted = true})}, ShownState::succeeded);
  run_watched({"tenant", "list"});
  stop();
  EXPECT_THAT(programs(), Contains("tenured"));
  for (const Opened& one : opened())
    EXPECT_EQ(one.path.find("/tenants/"), std::string::npos) << one.program << " opened " << one.path;
}

}  // namespace
}  // namespace tenure::testing
