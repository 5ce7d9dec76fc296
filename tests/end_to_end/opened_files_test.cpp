#include "installation.hpp"

#include <tenure/base/sqlite/connection.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

// Who opens which databases, by a library that is preloaded into all processes of a run.
namespace tenure::testing {
namespace {

using queue::ShownState;
using ::testing::Contains;
using ::testing::StartsWith;

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
  // A database or what SQLite has beside it: not one that is being made, which nobody else knows, and not the files of other uses whose
  // names begin as the control database's does.
  [[nodiscard]] bool is_database_in_its_place(const std::filesystem::path& path) const {
    const auto is_of = [&](const std::string& stem) {
      const std::string name = path.filename().string();
      return std::ranges::any_of(std::array{"", "-wal", "-shm", "-journal"},
                                 [&](const char* suffix) { return name == stem + suffix; });
    };
    if (path.parent_path() == folder_.path()) return is_of("control.db");
    return path.parent_path() == folder_ / "tenants" && (is_of("acme.db") || is_of("bolt.db"));
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

TEST_F(OpenedFiles, OnlySqliteOpensDatabasesThatAreInTheirPlacesInAFullRun) {
  configure();
  start();
  run_watched({"tenant", "create", "bolt"});
  expect_state(enqueue(Count{"one"}), ShownState::succeeded);
  expect_state(with_tenant("bolt", [&] { return queue::JobId{client().enqueue(Count{"two"})}; }),
               ShownState::succeeded);
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"job", "list"},
                                             {"tenant", "list"},
                                             {"tenant", "check"},
                                             {"tenant", "pause", "bolt"},
                                             {"tenant", "resume", "bolt"},
                                             {"store", "show"},
                                             {"store", "check"},
                                             {"store", "backup", (folder_ / "copy.db").string()}})
    run_watched(words);
  stop();
  EXPECT_THAT(programs(), ::testing::IsSupersetOf({"tenured", "tenure", "end_to_end_worker"}));
  int in_place = 0;
  for (const Opened& one : opened()) {
    if (!is_database_in_its_place(one.path)) continue;
    ++in_place;
    EXPECT_THAT(one.library, StartsWith("libsqlite3.so")) << one.program << " opened " << one.path;
  }
  EXPECT_GT(in_place, 20);
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
