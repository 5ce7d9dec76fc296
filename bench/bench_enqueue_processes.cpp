#include "child.hpp"
#include "measure.hpp"
#include "workload.hpp"

#include <tenure/base/clock.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <vector>

// Figure 5: three processes enqueue at once, durably, while a fourth claims and finishes what they bring. The yardstick of
// the sum is one enqueuing process of ours alone; those of the shares and of the claims are four processes in plain C
// with synchronous=FULL, where SQLite alone decides who gets its lock.
namespace {

using namespace tenure;
using namespace tenure::bench;

constexpr int kProcesses = 3;
constexpr std::int64_t kStartDelayUs = 500'000;  // for the processes to open the database
constexpr double kSyncInterval = 0.1;

// What a child is told: ROLE DATABASE START END RESULT SEED. Times are of the steady clock, in microseconds.
struct Task {
  std::string role;
  std::filesystem::path database;
  std::int64_t start_us = 0;
  std::int64_t end_us = 0;
  std::filesystem::path result;
  std::uint64_t seed = 0;

  [[nodiscard]] std::vector<std::string> arguments() const {
    return {own_program(),          role,
            database.string(),      std::to_string(start_us),
            std::to_string(end_us), result.string(),
            std::to_string(seed)};
  }
  [[nodiscard]] static Task from(const std::vector<std::string>& words) {
    if (words.size() != 6) throw std::runtime_error("a role wants DATABASE START END RESULT SEED");
    return {words[0], words[1], std::stoll(words[2]), std::stoll(words[3]), words[4], std::stoull(words[5])};
  }
  void wait_for_start() const {
    std::this_thread::sleep_for(std::chrono::microseconds{std::max<std::int64_t>(0, start_us - steady_us())});
  }
  [[nodiscard]] bool is_over() const { return steady_us() >= end_us; }
  void report(double value) const { std::ofstream(result) << value << '\n'; }
};

void enqueue(const Task& task) {
  const RealClock clock;
  const auto store = open_control(task.database);
  JobMaker jobs(task.seed);
  task.wait_for_start();
  double done = 0;
  for (; !task.is_over(); ++done) enqueue_one(*store, jobs, clock.wall());
  task.report(done);
}

// Nobody else claims or moves the log meanwhile, as with a daemon.
void claim(const Task& task) {
  const auto store = open_control(task.database);
  Drain rounds(*store);
  task.wait_for_start();
  std::vector<double> waits_ms;
  Stopwatch since_sync;
  while (!task.is_over()) {
    rounds.look_for_arrivals();
    const Stopwatch watch;
    if (rounds.has_work()) {
      rounds.round();
      waits_ms.push_back(watch.seconds() * 1e3);
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    if (since_sync.seconds() < kSyncInterval) continue;
    store->sync();
    store->checkpoint(kWalBytesMax);
    since_sync = Stopwatch{};
  }
  task.report(percentile(waits_ms, 0.99));
}

void plain_enqueue(const Task& task) {
  const auto open = open_yardstick(task.database, YARDSTICK_FULL);
  ZipfTenants tenants(task.seed);
  task.wait_for_start();
  double done = 0;
  for (; !task.is_over(); ++done) {
    const auto tenant = static_cast<std::int64_t>(tenants.next());
    yardstick_enqueue(open.get(), &tenant, 1, payload().data(), payload().size());
  }
  task.report(done);
}

void plain_claim(const Task& task) {
  const auto open = open_yardstick(task.database, YARDSTICK_NORMAL);
  std::vector<std::int64_t> claimed(kRoundJobs);
  task.wait_for_start();
  std::vector<double> waits_ms;
  while (!task.is_over()) {
    const Stopwatch watch;
    const std::size_t found = yardstick_claim(open.get(), claimed.data(), claimed.size());
    waits_ms.push_back(watch.seconds() * 1e3);
    if (found > 0) yardstick_finish(open.get(), claimed.data(), found);
    else std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  task.report(percentile(waits_ms, 0.99));
}

void perform(const Task& task) {
  if (task.role == "enqueue") enqueue(task);
  else if (task.role == "claim") claim(task);
  else if (task.role == "plain-enqueue") plain_enqueue(task);
  else if (task.role == "plain-claim") plain_claim(task);
  else throw std::runtime_error("unknown role " + task.role);
}

class Bench {
 public:
  Bench(const Options& options, ScratchFolder& folder)
      : options_(options),
        folder_(folder),
        template_(folder.file("template.db")),
        seconds_(options.quick ? 0.3 : 5.0) {}

  void run();

 private:
  struct Outcome {
    double sum = 0;         // jobs/s
    double difference = 0;  // % that the smallest share is below the largest
    double claim_p99_ms = 0;
  };
  Outcome run_processes(const std::string& prefix, const std::filesystem::path& database, int enqueuing,
                        bool claiming);
  [[nodiscard]] std::filesystem::path fresh_control();

  const Options& options_;
  ScratchFolder& folder_;
  ControlTemplate template_;
  double seconds_;
};

double read_result(const std::filesystem::path& file) {
  double value = 0;
  std::ifstream input(file);
  if (!(input >> value)) throw std::runtime_error("a process has left no result in " + file.string());
  return value;
}

std::filesystem::path Bench::fresh_control() {
  auto file = folder_.file("control.db");
  static_cast<void>(template_.open(file));
  return file;
}

Bench::Outcome Bench::run_processes(const std::string& prefix, const std::filesystem::path& database,
                                    int enqueuing, bool claiming) {
  const std::int64_t start_us = steady_us() + kStartDelayUs;
  const auto log = folder_.file("log");
  std::vector<Child> children;
  std::vector<std::filesystem::path> results;
  const auto start = [&](const std::string& role) {
    results.push_back(folder_.file(role));
    const Task task{.role = prefix + role,
                    .database = database,
                    .start_us = start_us,
                    .end_us = start_us + static_cast<std::int64_t>(seconds_ * 1e6),
                    .result = results.back(),
                    .seed = results.size()};
    children.emplace_back(task.arguments(), log);
  };
  for (int i = 0; i < enqueuing; ++i) start("enqueue");
  if (claiming) start("claim");
  for (Child& child : children) child.wait();

  Outcome outcome;
  std::vector<double> shares;
  shares.reserve(static_cast<std::size_t>(enqueuing));
  for (int i = 0; i < enqueuing; ++i) shares.push_back(read_result(results[static_cast<std::size_t>(i)]));
  for (const double share : shares) outcome.sum += share / seconds_;
  const auto [least, most] = std::minmax_element(shares.begin(), shares.end());
  outcome.difference = *most > 0 ? (*most - *least) / *most * 100 : 100;
  if (claiming) outcome.claim_p99_ms = read_result(results.back());
  return outcome;
}

void Bench::run() {
  if (!options_.wants("5")) return;
  std::vector<Figure> figures{
      {.number = "5",
       .what = "enqueue durable, 3 processes beside a claimer, their sum (yardstick: one of ours alone)",
       .unit = "jobs/s",
       .goal = {.ratio_min = 0.8}},
      {.number = "5",
       .what = "what the smallest share lacks of the largest (yardstick: plain C with FULL)",
       .unit = "%",
       .goal = {.ours_max = 20},
       .decimals = 1},
      {.number = "5",
       .what = "claim p99 meanwhile (yardstick: plain C with FULL)",
       .unit = "ms",
       .goal = {.ours_max = 5},
       .decimals = 2},
      {.number = "5", .what = "their sum again (yardstick: plain C with FULL)", .unit = "jobs/s", .goal = {}},
  };
  const auto ours = [&] {
    const Outcome outcome = run_processes("", fresh_control(), kProcesses, true);
    return std::vector<Sample>{{outcome.sum}, {outcome.difference}, {outcome.claim_p99_ms}, {outcome.sum}};
  };
  const auto yardstick = [&] {
    const Outcome alone = run_processes("", fresh_control(), 1, false);
    const auto file = folder_.file("yardstick.db");
    static_cast<void>(open_yardstick(file, YARDSTICK_FULL));
    const Outcome plain = run_processes("plain-", file, kProcesses, true);
    return std::vector<Sample>{{alone.sum}, {plain.difference}, {plain.claim_p99_ms}, {plain.sum}};
  };
  take_turns(options_, figures, ours, yardstick);
}

}  // namespace

int main(int argc, char** argv) {
  return bench_main(
      argc, argv,
      {.name = "bench_enqueue_processes",
       .what = "processes that enqueue at the same time",
       .measure = [](const Options& options, ScratchFolder& folder) { Bench(options, folder).run(); },
       .has_played_role =
           [](const Options& options) {
             if (options.rest.empty()) return false;
             perform(Task::from(options.rest));
             return true;
           }});
}
