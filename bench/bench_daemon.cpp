#include "child.hpp"
#include "measure.hpp"
#include "nothing_jobs.hpp"
#include "workload.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/random.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/client.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <stdexcept>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

// The whole path, with the real `tenured` and worker processes: figures 1 (a filled queue) and 7 (from an enqueue to the
// start of the job).
namespace {

using namespace tenure;
using namespace tenure::bench;
using std::chrono::milliseconds;

constexpr std::uint64_t kSeed = 20260302;
constexpr milliseconds kLook{20};
constexpr double kPatience = 120;  // seconds without any end of a job
constexpr int kTellMaxMs = 10'000;

constexpr sqlite::Query kAnyReady{"any_ready", "select exists (select 1 from job where state = 2)"};
// Claims are stamped when they are made and finished jobs when they end.
constexpr sqlite::Query kSpan{"span", R"sql(
  select count(*), max(finished_us) - min(started_us) from job where state = 4)sql"};

// A pipe with a name, read by us. Open for writing too, so that it never ends.
class NamedPipe {
 public:
  explicit NamedPipe(std::filesystem::path path) : path_(std::move(path)) {
    if (::mkfifo(path_.c_str(), 0600) != 0)
      throw std::runtime_error("no pipe can be made at " + path_.string());
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
  }
  ~NamedPipe() { ::close(descriptor_); }
  NamedPipe(const NamedPipe&) = delete;
  NamedPipe& operator=(const NamedPipe&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  [[nodiscard]] std::int64_t read() {
    pollfd wait{.fd = descriptor_, .events = POLLIN, .revents = 0};
    std::int64_t value = 0;
    if (::poll(&wait, 1, kTellMaxMs) != 1 || ::read(descriptor_, &value, sizeof value) != sizeof value)
      throw std::runtime_error("no word within 10 s");
    return value;
  }
  void write(std::int64_t value) {
    if (::write(descriptor_, &value, sizeof value) != sizeof value)
      throw std::runtime_error("the pipe is broken");
  }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

class Bench {
 public:
  Bench(const Options& options, ScratchFolder& folder)
      : options_(options),
        folder_(folder),
        tenants_(folder.file("tenants")),
        template_(folder.file("template.db"), tenants_),
        backlog_(options.backlog > 0 ? options.backlog
                 : options.quick     ? 5'000
                                     : 300'000),
        starts_(options.quick ? 20 : 300) {}

  void run() {
    if (options_.only.empty() || options_.only == "1" || options_.only == "19") filled_queue();
    if (options_.only.empty() || options_.only == "7") wake_to_start();
  }

 private:
  struct Daemon {
    Child process;
    std::filesystem::path config;
    std::filesystem::path control;
    void stop() {
      process.signal(SIGTERM);
      process.wait();
    }
  };

  void filled_queue();
  void wake_to_start();
  [[nodiscard]] Daemon start_daemon(const std::filesystem::path& control);
  // Jobs a second, and the processor time a job of tenured and its workers.
  [[nodiscard]] std::vector<Sample> drain_by_daemon();
  [[nodiscard]] std::vector<double> start_waits_ms();
  [[nodiscard]] std::vector<double> plain_start_waits_ms();

  const Options& options_;
  ScratchFolder& folder_;
  std::filesystem::path tenants_;
  ControlTemplate template_;
  std::size_t backlog_;
  int starts_;
};

Bench::Daemon Bench::start_daemon(const std::filesystem::path& control) {
  const auto config = folder_.file("tenure.toml");
  std::ofstream(config) << fmt::format(
      "[application]\nname = \"bench\"\n\n[store]\npath = \"{}\"\n\n[tenants]\npath = "
      "\"{}/%{{tenant}}.db\"\n\n"
      "descriptors_max = 1500\n\n[log]\nlevel = \"warning\"\n\n[[pool]]\nname = \"general\"\nprogram = "
      "\"{}\"\nprocesses = 2\nslots = "
      "4\n",
      control.string(), tenants_.string(), BENCH_WORKER);
  return {Child({BENCH_TENURED, "--config", config.string()}, folder_.file("tenured.log")), config, control};
}

// Looks at the database now and then, until no job is ready.
void wait_until_done(Child& daemon, sqlite::Connection& control) {
  const Stopwatch watch;
  while (control.statement(kAnyReady).row().integer(0) != 0) {
    if (watch.seconds() > kPatience) throw std::runtime_error("the daemon does not come to an end");
    daemon.require_running();
    std::this_thread::sleep_for(kLook);
  }
}

std::vector<Sample> Bench::drain_by_daemon() {
  const double cpu_before = cpu_seconds_of_children();
  const auto file = folder_.file("control.db");
  {
    const auto store = template_.open(file);
    JobMaker jobs(kSeed);
    fill(*store, jobs, backlog_);
  }
  Daemon daemon = start_daemon(file);
  std::int64_t done = 0;
  double seconds = 0;
  {
    sqlite::Connection control(file, {.access = sqlite::Access::read_only});
    wait_until_done(daemon.process, control);
    auto span = control.statement(kSpan);
    done = span.row().integer(0);
    seconds = static_cast<double>(span.integer(1)) / 1e6;
  }
  daemon.stop();
  if (done != static_cast<std::int64_t>(backlog_))
    throw std::runtime_error(fmt::format("{} of {} jobs succeeded", done, backlog_));
  const double cpu_us = (cpu_seconds_of_children() - cpu_before) * 1e6;
  return {{.value = static_cast<double>(done) / seconds}, {.value = cpu_us / static_cast<double>(done)}};
}

void Bench::filled_queue() {
  std::vector<Figure> figures{
      {.number = "1",
       .what = fmt::format(
           "claim, perform nothing, finish, through tenured and 2 processes of 4 slots, backlog {}",
           backlog_),
       .unit = "jobs/s",
       .goal = {.ratio_min = 0.5, .ours_min = 100'000}},
      {.number = "19",
       .what = "processor time a job of figure 1, all processes, from their start to their end",
       .unit = "us",
       .goal = {.ours_max = 16},
       .decimals = 1}};
  const auto ours = [&] { return drain_by_daemon(); };
  const auto yardstick = [&] {
    const auto open = open_yardstick(folder_.file("yardstick.db"), YARDSTICK_NORMAL);
    fill(open.get(), backlog_);
    const Stopwatch watch;
    drain(open.get());
    return std::vector{Sample{.value = watch.rate(backlog_).value}};
  };
  take_turns(options_, figures, ours, yardstick);
}

// Lets the other side fall asleep: 10 to 20 ms.
void pause(Random& random) {
  std::this_thread::sleep_for(std::chrono::microseconds{10'000 + random.below(10'000)});
}

std::vector<double> Bench::start_waits_ms() {
  const auto file = folder_.file("control.db");
  static_cast<void>(template_.open(file));
  Daemon daemon = start_daemon(file);
  NamedPipe pipe(folder_.file("starts"));
  std::vector<double> waits;
  {
    Client client = Client::open(daemon.config);
    ZipfTenants tenants(kSeed);
    Random random(kSeed);
    const TellStart job{pipe.path().string()};
    // The first ones wait for the worker processes, and are not counted.
    for (int i = -10; i < starts_; ++i) {
      pause(random);
      client.enqueue(job, {.tenant = tenant_name(tenants.next())});
      const std::int64_t acknowledged_us = steady_us();
      const auto waited = std::max<std::int64_t>(0, pipe.read() - acknowledged_us);
      if (i >= 0) waits.push_back(static_cast<double>(waited) / 1e3);
    }
  }
  daemon.stop();
  return waits;
}

// A process that sleeps on a pipe, claims one job in plain C and says when.
void plain_starter(const std::filesystem::path& database, const std::filesystem::path& wake,
                   const std::filesystem::path& starts) {
  const auto open = open_yardstick(database, YARDSTICK_NORMAL);
  const int in = ::open(wake.c_str(), O_RDWR | O_CLOEXEC);
  const int out = ::open(starts.c_str(), O_RDWR | O_CLOEXEC);
  std::int64_t word = 0;
  while (::read(in, &word, sizeof word) == sizeof word) {
    std::int64_t claimed = 0;
    if (yardstick_claim(open.get(), &claimed, 1) != 1) throw std::runtime_error("a hint without a job");
    const std::int64_t now_us = steady_us();
    if (::write(out, &now_us, sizeof now_us) != sizeof now_us) return;
    yardstick_finish(open.get(), &claimed, 1);
  }
}

std::vector<double> Bench::plain_start_waits_ms() {
  const auto file = folder_.file("yardstick.db");
  NamedPipe wake(folder_.file("wake"));
  NamedPipe starts(folder_.file("starts"));
  const auto open = open_yardstick(file, YARDSTICK_FULL);
  Child starter({own_program(), "plain-starter", file.string(), wake.path().string(), starts.path().string()},
                folder_.file("log"));
  Random random(kSeed);
  const std::int64_t tenant = 1;
  std::vector<double> waits;
  for (int i = -10; i < starts_; ++i) {
    pause(random);
    yardstick_enqueue(open.get(), &tenant, 1, payload().data(), payload().size());
    const std::int64_t acknowledged_us = steady_us();
    wake.write(1);
    const auto waited = std::max<std::int64_t>(0, starts.read() - acknowledged_us);
    if (i >= 0) waits.push_back(static_cast<double>(waited) / 1e3);
  }
  return waits;
}

void Bench::wake_to_start() {
  const std::string what =
      fmt::format("from acknowledged to started, idle daemon, of {} jobs one by one", starts_);
  std::vector<Figure> figures{
      {.number = "7", .what = "p50 " + what, .unit = "ms", .goal = {.ours_max = 0.3}, .decimals = 3},
      {.number = "7", .what = "p99 " + what, .unit = "ms", .goal = {.ours_max = 2}, .decimals = 3}};
  const auto two = [](const std::vector<double>& waits) {
    return std::vector<Sample>{{percentile(waits, 0.5)}, {percentile(waits, 0.99)}};
  };
  take_turns(
      options_, figures, [&] { return two(start_waits_ms()); }, [&] { return two(plain_start_waits_ms()); });
}

}  // namespace

int main(int argc, char** argv) {
  const Options options =
      parse_options(argc, argv, "bench_daemon: the whole path, with tenured and worker processes");
  try {
    if (options.rest.size() == 4 && options.rest[0] == "plain-starter") {
      plain_starter(options.rest[1], options.rest[2], options.rest[3]);
      return 0;
    }
    print_conditions(options, "bench_daemon");
    ScratchFolder folder(options.folder);
    Bench(options, folder).run();
    require_figures(options);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_daemon: %s\n", error.what());
    return 1;
  }
}
