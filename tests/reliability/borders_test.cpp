#include "border_job.hpp"
#include "support/process.hpp"
#include "support/sanitized.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/random.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/statement.hpp>
#include <tenure/client.hpp>
#include <tenure/tenancy/stamp.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <vector>

// Whether what runs for a tenant stays in its file: each row that a job has written, and each file that SQLite touches for a job, against the tenant that
// it is of. 64 tenants, whose jobs come in one shuffled stream, worker processes that are killed meanwhile. In short by default;
// `TENURE_BORDER_JOBS=100000 borders_test` is the long run.
namespace tenure::testing {
namespace {

using reliability::Stay;

constexpr int kTenants = 64;
constexpr int kAtOnce = 250;
constexpr int kKills = 3;
constexpr std::uint64_t kSeed = 1;

int jobs_asked_for() {
  const char* const jobs = std::getenv("TENURE_BORDER_JOBS");
  if (jobs == nullptr) return kIsSanitized ? 600 : 2000;
  return std::max(kTenants, std::atoi(jobs));
}

struct Found {
  std::int64_t acknowledged = 0, lost = 0, unexpected = 0, duplicated = 0, stuck = 0;
  std::int64_t foreign_rows = 0, foreign_files = 0, touched = 0, kills = 0;
};

class Borders : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* const name : {"migrations", "touched"})
      std::filesystem::create_directory(folder_ / name);
    std::ofstream(folder_ / "migrations/0001_kept.sql")
        << "create table kept (number integer not null, said text not null, found text not null) strict;\n";
    const std::string root = folder_.path().string();
    std::ofstream(config_file()) << "[application]\nname = \"border\"\n[store]\npath = \"" << root
                                 << "/control.db\"\n[tenants]\npath = \"" << root
                                 << "/tenants/%{tenant}.db\"\nmigrations = \"" << root
                                 << "/migrations\"\n"
                                 // So that none is closed to make room for another one's.
                                 << "descriptors_max = 2048\n[[pool]]\nname = \"all\"\nprogram = \""
                                 << BORDER_WORKER << "\"\nprocesses = 2\nslots = 4\nqueues = [\"default\"]\n";
    client_.emplace(Client::open(config_file()));
    for (int each = 0; each < kTenants; ++each) client_->tenants().create(tenant(each));
  }
  static TenantName tenant(int number) { return TenantName{"t" + std::to_string(number)}; }
  [[nodiscard]] std::filesystem::path config_file() const { return folder_ / "tenure.toml"; }
  [[nodiscard]] std::filesystem::path file(const TenantName& name) const {
    return folder_ / "tenants" / (name.text() + ".db");
  }
  void start_daemon() {
    daemon_.emplace(std::vector<std::string>{TENURED, "--config", config_file()}, folder_ / "tenured.log",
                    std::vector<std::string>{"BORDER_FOLDER=" + folder_.path().string()});
    ASSERT_TRUE(wait_until([&] { return children_of(daemon_->pid()).size() == 2; })) << daemon_->output();
  }
  void stop_daemon() {
    daemon_->signal(SIGTERM);
    EXPECT_EQ(daemon_->wait(), "exit 0");
    daemon_.reset();
  }
  void enqueue(const Stay& job, const TenantName& in) {
    static_cast<void>(with_tenant(in, [&] { return client_->enqueue(job); }));
    expected_.push_back(in);
    ++found_.acknowledged;
  }
  // So many jobs, each of a tenant that is drawn; now and then a worker process is killed.
  void enqueue_stream(int jobs) {
    std::vector<std::vector<Stay>> batch(kTenants);
    for (int number = 0; number < jobs; ++number) {
      const auto drawn = static_cast<std::size_t>(random_.below(kTenants));
      const TenantName name = tenant(static_cast<int>(drawn));
      batch[drawn].push_back({.number = number, .tenant = name.text(), .reads = {}});
      expected_.push_back(name);
      if ((number + 1) % kAtOnce == 0 || number + 1 == jobs) send(batch);
      if ((number + 1) % std::max(1, jobs / (kKills + 1)) == 0 && found_.kills < kKills) kill_one();
    }
  }
  void send(std::vector<std::vector<Stay>>& batch) {
    for (int each = 0; each < kTenants; ++each) {
      auto& jobs = batch[static_cast<std::size_t>(each)];
      if (jobs.empty()) continue;
      static_cast<void>(client_->enqueue_all(jobs, {.tenant = tenant(each)}, BulkRule::all_or_nothing));
      found_.acknowledged += std::ssize(jobs);
      jobs.clear();
    }
  }
  void kill_one() {
    const std::vector<pid_t> workers = children_of(daemon_->pid());
    if (workers.empty()) return;
    ::kill(workers[random_.below(workers.size())], SIGKILL);
    ++found_.kills;
  }
  void await_all() {
    std::int64_t left = -1;
    const auto is_idle = [&] { return (left = counted("state=scheduled,ready,held,running,blocked")) == 0; };
    std::int64_t before = 0;
    do before = left;
    while (!wait_until(is_idle) && left != before);  // for as long as something ends
    found_.stuck = std::max<std::int64_t>(left, 0) + counted("state=dead,discarded,cancelled");
  }
  [[nodiscard]] std::int64_t counted(const std::string& filter) {
    const auto output = folder_ / "counted";
    std::filesystem::remove(output);  // it is appended to
    Process asked({TENURE_PROGRAM, "job", "count", filter, "--config", config_file()}, output);
    return asked.wait() == "exit 0" ? std::stoll(asked.output()) : -1;
  }

  void judge() {
    std::vector<int> times(expected_.size(), 0);
    for (int each = 0; each < kTenants; ++each) judge_file(tenant(each), times);
    found_.lost = std::ranges::count(times, 0);
    found_.duplicated = std::ranges::count_if(times, [](int each) { return each > 1; });
    std::set<std::string> foreign;
    std::ifstream lines(folder_ / "foreign");
    for (std::string line; std::getline(lines, line);) foreign.insert(line);
    found_.foreign_files = std::ssize(foreign);
    for (const std::string& line : foreign) std::fprintf(stderr, "foreign: %s\n", line.c_str());
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "touched")) {
      std::int64_t touched = 0;
      std::ifstream(entry.path()) >> touched;
      found_.touched += touched;
    }
  }
  void judge_file(const TenantName& name, std::vector<int>& times) {
    sqlite::Connection connection{file(name), {}};
    const auto stamp = read_stamp(connection);
    if (!stamp || stamp->tenant != name) ++found_.foreign_rows;
    auto row = connection.statement(kRows);
    while (row.step()) {
      const auto number = static_cast<std::size_t>(row.integer(0));
      if (row.text(1) != name.text() || row.text(2) != name.text() || number >= expected_.size() ||
          expected_[number] != name)
        ++found_.foreign_rows;
      if (number < times.size()) ++times[number];
      else ++found_.unexpected;
    }
  }
  void tell() const {
    std::printf(
        "attempted=%zu acknowledged=%ld lost=%ld unexpected=%ld duplicated=%ld stuck=%ld wrong-tenant=%ld | "
        "rows-foreign=%ld files-foreign=%ld file-calls=%ld tenants=%d | faults kill=%ld seed=%lu\n",
        expected_.size(), found_.acknowledged, found_.lost, found_.unexpected, found_.duplicated,
        found_.stuck, found_.foreign_rows + found_.foreign_files, found_.foreign_rows, found_.foreign_files,
        found_.touched, kTenants, found_.kills, kSeed);
  }

  static constexpr sqlite::Query kRows{"rows", "select number, said, found from kept"};

  TemporaryFolder folder_;
  std::optional<Client> client_;
  std::optional<Process> daemon_;
  Random random_{kSeed};
  std::vector<TenantName> expected_;  // by the number of the job
  Found found_;
};

TEST_F(Borders, WhatRunsForATenantStaysInItsFile) {
  const int jobs = jobs_asked_for();
  start_daemon();
  enqueue_stream(jobs);
  await_all();
  stop_daemon();
  judge();
  tell();
  EXPECT_EQ(found_.acknowledged, jobs);
  EXPECT_EQ(found_.lost + found_.unexpected + found_.duplicated + found_.stuck, 0);
  EXPECT_EQ(found_.foreign_rows, 0);
  EXPECT_EQ(found_.foreign_files, 0);
  EXPECT_GT(found_.touched, jobs) << "the files have not been watched";
  EXPECT_EQ(found_.kills, kKills);
}

// The control run: a row and a file of another tenant's are seen.
TEST_F(Borders, WhatIsForeignIsFound) {
  start_daemon();
  enqueue({.number = 0, .tenant = "t1", .reads = {}}, tenant(0));
  enqueue({.number = 1, .tenant = "t0", .reads = file(tenant(2)).string()}, tenant(0));
  await_all();
  stop_daemon();
  judge();
  EXPECT_EQ(found_.foreign_rows, 1);
  EXPECT_EQ(found_.foreign_files, 1) << "one file, how often ever it was read";
}

}  // namespace
}  // namespace tenure::testing
