#include "steady_job.hpp"
#include "support/process.hpp"
#include "support/sanitized.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/client.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

// Whether the processes stay as large as they are, over many jobs of many tenants, more than there are descriptors for. In short by
// default; `TENURE_STEADY_JOBS=2000000 steady_test` is the long run.
namespace tenure::testing {
namespace {

using reliability::Touch;

constexpr int kTenants = 1000;
constexpr int kJobsOfATenant = 5;  // in a wave
constexpr int kWave = kTenants * kJobsOfATenant;
// Succeeded jobs are settled when there are so many, which takes memory once (ended_jobs.hpp): in the warm-up of the long run.
constexpr int kSettledAt = 1'000'000;
constexpr double kMost = 0.01;

struct Load {
  int warm_up = 0;  // waves
  int measured = 0;
  bool is_leaking = false;

  [[nodiscard]] bool is_long() const { return warm_up * kWave > kSettledAt; }
};

Load load_asked_for() {
  const char* jobs = std::getenv("TENURE_STEADY_JOBS");
  if (jobs == nullptr) return kIsSanitized ? Load{2, 2} : Load{6, 12};
  return {.warm_up = kSettledAt / kWave + 10, .measured = std::max(2, std::atoi(jobs) / kWave)};
}

double share(double before, double after) { return before == 0 ? 0 : (after - before) / before; }

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

// From the first half of the samples to the second; what is in use at the moment of one differs.
class Halves {
 public:
  void add(bool is_second, double value) { (is_second ? second_ : first_).push_back(value); }
  [[nodiscard]] bool empty() const { return first_.empty() || second_.empty(); }
  [[nodiscard]] double growth() const { return share(mean(first_), mean(second_)); }
  // Of the least samples: what is freed or closed a moment later does not count, what never is does.
  [[nodiscard]] double growth_of_least() const {
    return share(*std::ranges::min_element(first_), *std::ranges::min_element(second_));
  }
  [[nodiscard]] double first() const { return mean(first_); }
  [[nodiscard]] double second() const { return mean(second_); }

 private:
  std::vector<double> first_, second_;
};

struct Footprint {
  Halves resident;  // anonymous memory, bytes
  Halves descriptors;
  Halves heap;  // in use, bytes; of worker processes
};

double resident_of(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssAnon:")) return std::stod(line.substr(line.find_first_of("0123456789"))) * 1024;
  return 0;
}

double descriptors_of(pid_t pid) {
  const std::filesystem::directory_iterator entries("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<double>(std::distance(begin(entries), end(entries)));
}

class Steady : public ::testing::Test {
 protected:
  void SetUp() override { make_world(); }

  void run(const Load& load) {
    start_daemon(load.is_leaking);
    const int first = next_;
    for (int wave = 0; wave < load.warm_up + load.measured && !HasFatalFailure(); ++wave) {
      perform_wave();
      if (wave >= load.warm_up) take_samples(wave >= load.warm_up + load.measured / 2);
    }
    ASSERT_EQ(worker_processes_.size(), 2U) << "a worker process was replaced";
    read_heaps(first, load);
    EXPECT_EQ(counted("state=dead,discarded,cancelled"), "0\n");
    daemon_->signal(SIGTERM);
    EXPECT_EQ(daemon_->wait(), "exit 0");
    daemon_.reset();
    tell("tenured", tenured_);
    for (const auto& [pid, process] : worker_processes_) tell("worker process", process);
  }

  [[nodiscard]] std::filesystem::path log_file() const { return folder_ / "tenured.log"; }

  Footprint tenured_;
  std::map<pid_t, Footprint> worker_processes_;
  int descriptors_max_ = 0;  // of each process, as the kernel has it; 0: what the test has

 private:
  static TenantName tenant(int number) { return TenantName{"t" + std::to_string(number)}; }
  static void tell(const char* name, const Footprint& process) {
    const auto line = [&](const char* what, const Halves& halves) {
      if (!halves.empty())
        std::printf("%s: %s %.0f, then %.0f\n", name, what, halves.first(), halves.second());
    };
    line("resident bytes", process.resident);
    line("bytes of heap in use", process.heap);
    line("descriptors", process.descriptors);
  }

  void make_world() {
    std::filesystem::create_directory(folder_ / "migrations");
    std::filesystem::create_directory(folder_ / "heap");
    std::ofstream(folder_ / "migrations/0001_touched.sql")
        << "create table touched (number integer primary key) strict;\n";
    const std::string root = folder_.path().string();
    std::ofstream(config_file()) << "[application]\nname = \"steady\"\n[store]\npath = \"" << root
                                 << "/control.db\"\n[tenants]\npath = \"" << root
                                 << "/tenants/%{bucket}/%{tenant}.db\"\nmigrations = \"" << root
                                 << "/migrations\"\n[[pool]]\nname = \"all\"\nprogram = \"" << STEADY_WORKER
                                 << "\"\nprocesses = 2\nslots = 4\nqueues = [\"default\"]\n"
                                 // Full before anything is measured.
                                 << "[daemon]\njournal_size = \"1MiB\"\n";
    client_.emplace(Client::open(config_file()));
    // Side by side, since each waits for its syncs.
    constexpr int kCreators = 16;
    std::vector<std::jthread> creators;
    for (int first = 0; first < kCreators; ++first)
      creators.emplace_back([this, first] {
        for (int each = first; each < kTenants; each += kCreators) client_->tenants().create(tenant(each));
      });
  }
  void start_daemon(bool is_leaking) {
    std::vector<std::string> command{TENURED, "--config", config_file()};
    if (descriptors_max_ > 0)
      command.insert(
          command.begin(),
          {"/bin/sh", "-c", "ulimit -n " + std::to_string(descriptors_max_) + " && exec \"$@\"", "sh"});
    daemon_.emplace(command, log_file(),
                    std::vector<std::string>{std::string{"STEADY_LEAK="} + (is_leaking ? "yes" : "no"),
                                             "STEADY_HEAP=" + (folder_ / "heap").string()});
    ASSERT_TRUE(wait_until([&] { return children_of(daemon_->pid()).size() == 2; })) << daemon_->output();
  }
  void perform_wave() {
    std::vector<Touch> jobs(kJobsOfATenant);
    for (int each = 0; each < kTenants; ++each) {
      for (Touch& job : jobs) job.number = next_++;
      static_cast<void>(client_->enqueue_all(jobs, {.tenant = tenant(each)}, BulkRule::all_or_nothing));
    }
    ASSERT_TRUE(wait_until([&] { return is_idle(); }, std::chrono::seconds{250})) << daemon_->output();
  }
  // Of the same processes after each wave.
  void take_samples(bool is_second) {
    const auto sample = [&](pid_t pid, Footprint& process) {
      process.resident.add(is_second, resident_of(pid));
      process.descriptors.add(is_second, descriptors_of(pid));
    };
    sample(daemon_->pid(), tenured_);
    for (const pid_t pid : children_of(daemon_->pid())) sample(pid, worker_processes_[pid]);
  }
  // What the jobs of the waves that are measured have written down.
  void read_heaps(int first, const Load& load) {
    for (auto& [pid, process] : worker_processes_) {
      std::ifstream lines(folder_ / "heap" / std::to_string(pid));
      for (int number = 0, bytes = 0; lines >> number >> bytes;)
        if (number >= first + load.warm_up * kWave)
          process.heap.add(number >= first + (load.warm_up + load.measured / 2) * kWave, bytes);
      EXPECT_FALSE(process.heap.empty());
    }
  }

  [[nodiscard]] std::filesystem::path config_file() const { return folder_ / "tenure.toml"; }
  [[nodiscard]] bool is_idle() { return counted("state=ready,running,held,scheduled") == "0\n"; }
  [[nodiscard]] std::string counted(const std::string& filter) {
    const auto output = folder_ / "counted";
    std::filesystem::remove(output);  // it is appended to
    Process asked({TENURE_PROGRAM, "job", "count", filter, "--config", config_file()}, output);
    return asked.wait() == "exit 0" ? asked.output() : "not counted: " + asked.output();
  }

  TemporaryFolder folder_;
  std::optional<Client> client_;
  std::optional<Process> daemon_;
  int next_ = 0;
};

TEST_F(Steady, RUN_21_OverJobsOfAThousandTenantsNoProcessGrows) {
  const Load load = load_asked_for();
  ASSERT_NO_FATAL_FAILURE(run(load));
  // A command that has just asked may be connected still.
  EXPECT_LT(tenured_.descriptors.growth_of_least(), kMost);
  // Until they are settled, it keeps a little of each job.
  const double kept = load.is_long() ? 0 : 64.0 * kWave * load.measured / 2;
  EXPECT_LT(tenured_.resident.second(), tenured_.resident.first() * (1 + kMost) + kept);
  for (const auto& [pid, process] : worker_processes_) {
    EXPECT_LT(process.descriptors.growth(), kMost);
    if (kIsSanitized) continue;  // it has a heap of its own
    EXPECT_LT(process.heap.growth(), kMost);
    // In short, it is still on its way to where it stays.
    const double grown = load.is_long() ? process.resident.growth_of_least() : 0;
    EXPECT_LT(grown, 0.05) << "what was freed lies in pieces";
  }

  // The control run: one that grows is seen.
  worker_processes_.clear();
  tenured_ = {};
  ASSERT_NO_FATAL_FAILURE(run({.warm_up = 1, .measured = 2, .is_leaking = true}));
  for (const auto& [pid, process] : worker_processes_) EXPECT_GT(process.heap.growth(), kMost);
}

// Below what the default budget of handles and a process itself would take.
TEST_F(Steady, HND_07_AThousandTenantsUnder256DescriptorsMeetNoLimitAndNothingGrows) {
  descriptors_max_ = 256;
  ASSERT_NO_FATAL_FAILURE(run(kIsSanitized ? Load{1, 2} : Load{4, 4}));
  EXPECT_LT(tenured_.descriptors.growth_of_least(), kMost);
  for (const auto& [pid, process] : worker_processes_) {
    EXPECT_LT(process.descriptors.growth(), kMost);
    EXPECT_LE(process.descriptors.second(), descriptors_max_);
    EXPECT_GT(process.descriptors.second(), descriptors_max_ / 2) << "it keeps files open";
    EXPECT_TRUE(kIsSanitized || process.heap.growth() < kMost) << process.heap.growth();
  }
  std::ifstream log(log_file());
  for (std::string line; std::getline(log, line);) {
    EXPECT_EQ(line.find("oo many open files"), std::string::npos) << line;
    EXPECT_EQ(line.find("EMFILE"), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace tenure::testing
