#include "child.hpp"
#include "measure.hpp"
#include "named_pipe.hpp"
#include "nothing_jobs.hpp"
#include "plain_starter.hpp"
#include "tenured.hpp"
#include "workload.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/random.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/client.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

// The whole path, with the real `tenured` and worker processes: figures 1 (a filled queue), 7 (from an enqueue to the
// start of the job), 18 (jobs that write in their tenants' databases, with and without `once` and outbox), 21 (a filled queue beside
// jobs that crash) and 24 (jobs that write while capsules are asked for).
namespace {

using namespace tenure;
using namespace tenure::bench;

constexpr std::uint64_t kSeed = 20260302;
const Programs kPrograms{.tenured = BENCH_TENURED, .worker = BENCH_WORKER};

constexpr std::chrono::milliseconds kLook{20};

constexpr sqlite::Query kAnyError{"any_error", "select ifnull(max(error), 'no attempt failed') from attempt"};

constexpr sqlite::Query kForgetRows{"forget_rows", "delete from tenure_outbox"};
constexpr sqlite::Query kCapsules{"capsules", "select count(*) from capsule where file <> ''"};

class Bench {
 public:
  Bench(const Options& options, ScratchFolder& folder)
      : options_(options),
        folder_(folder),
        tenants_(folder.file("tenants")),
        template_(folder.file("template.db"), tenants_),
        backlog_(options.backlog_or(5'000, 300'000)),
        starts_(options.quick ? 20 : 300) {}

  void run() {
    if (options_.wants("1") || options_.wants("19")) filled_queue();
    if (options_.wants("7")) wake_to_start();
    if (options_.wants("18")) once_and_outbox();
    if (options_.wants("21")) beside_crashes();
    if (options_.wants("24")) captured();
  }

 private:
  void filled_queue();
  void wake_to_start();
  void once_and_outbox();
  void beside_crashes();
  void captured();
  // Jobs a second, and the processor time a job of tenured and its workers. So many jobs crash meanwhile, until they are dead.
  [[nodiscard]] std::vector<Sample> drain_by_daemon(int poison = 0);
  struct Work {
    std::vector<std::string> kinds;
    std::size_t of_each = 0;
    std::size_t performed = 0;  // that have ended well in the end
    // Capsules of the first kind: of how many runs, and of which.
    int capsules = 0;
    queue::CaptureOn on = queue::CaptureOn::failure;
  };
  // Jobs a second.
  [[nodiscard]] std::vector<Sample> drain_of(const Work& work);
  [[nodiscard]] std::vector<double> start_waits_ms();
  [[nodiscard]] std::vector<double> plain_start_waits_ms();

  const Options& options_;
  ScratchFolder& folder_;
  std::filesystem::path tenants_;
  ControlTemplate template_;
  std::size_t backlog_;
  int starts_;
};

// One of a tenant of its own every so often, as if each were met in the course of the work.
void enqueue_poison(const std::filesystem::path& config, int count) {
  constexpr std::chrono::milliseconds kApart{250};
  constexpr std::size_t kFirstTenant = 500;
  Client client = Client::open(config);
  for (int i = 0; i < count; ++i)
    client.enqueue(Poison{}, {.run_in = kApart * (i + 1),
                              .tenant = tenant_name(kFirstTenant + static_cast<std::size_t>(i))});
}

std::vector<Sample> Bench::drain_by_daemon(int poison) {
  const double cpu_before = cpu_seconds_of_children();
  const auto file = folder_.file("control.db");
  {
    const auto store = template_.open(file);
    JobMaker jobs(kSeed);
    fill(*store, jobs, backlog_);
  }
  Tenured daemon(kPrograms, folder_, file, tenants_);
  if (poison > 0) enqueue_poison(daemon.config(), poison);
  const Drained drained = drain_by(daemon, file, kAnyReady, kLook, backlog_);
  const double cpu_us = (cpu_seconds_of_children() - cpu_before) * 1e6;
  return {{.value = drained.rate()}, {.value = cpu_us / static_cast<double>(drained.succeeded)}};
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

void ask_for_capsules(queue::Store& store, const std::string& kind, int count, queue::CaptureOn on) {
  const WallTime now = RealClock{}.wall();
  store.write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    static_cast<void>(value_or_raise(writer.ask_for_capture(
        {.target = {.kind = kind}, .on = on, .count = count, .until = now + std::chrono::hours{1}}, now)));
  });
}

// Each run has a new control database, to which rows that were taken over and not deleted yet would be news.
void forget_rows(const std::filesystem::path& tenants) {
  for (std::size_t tenant = 0; tenant < kTenants; ++tenant) {
    sqlite::Connection file(tenants / (tenant_name(tenant).text() + ".db"),
                            {.access = sqlite::Access::read_write});
    file.statement(kForgetRows).run();
  }
}

std::vector<Sample> Bench::drain_of(const Work& work) {
  forget_rows(tenants_);
  const auto file = folder_.file("control.db");
  {
    const auto store = template_.open(file);
    for (std::size_t kind = 0; kind < work.kinds.size(); ++kind) {
      JobMaker jobs(kSeed + kind, kTenants, work.kinds[kind]);
      fill(*store, jobs, work.of_each);
    }
    if (work.capsules > 0) ask_for_capsules(*store, work.kinds.front(), work.capsules, work.on);
  }
  Tenured daemon(kPrograms, folder_, file, tenants_);
  daemon.start();
  sqlite::Connection control(file, {.access = sqlite::Access::read_only});
  wait_until_none(daemon, control, kAnyReady, kLook);
  auto span = control.statement(kSpan);
  const std::int64_t done = span.row().integer(0);
  if (done != static_cast<std::int64_t>(work.performed))
    throw std::runtime_error(fmt::format("{} of {} jobs succeeded; {}", done, work.performed,
                                         control.statement(kAnyError).row().text(0)));
  const std::int64_t capsules = control.statement(kCapsules).row().integer(0);
  const bool has_capsules = work.capsules > 0 && work.on == queue::CaptureOn::success;
  if (capsules != (has_capsules ? work.capsules : 0))
    throw std::runtime_error(fmt::format("there are {} capsules", capsules));
  daemon.stop();
  return {{.value = static_cast<double>(done) / (static_cast<double>(span.integer(1)) / 1e6)}};
}

// The same jobs are performed on both sides: here each writer enqueues the one that does nothing, there they are in the backlog.
void Bench::once_and_outbox() {
  const std::size_t writers = options_.backlog_or(kBulk, 20 * kBulk);
  std::vector<Figure> figures{
      {.number = "18",
       .what = fmt::format(
           "{} jobs that write a row by `once` and enqueue a job beside it, and these; beside it, as many "
           "that write the row, and as many that were enqueued before",
           writers),
       .unit = "jobs/s",
       .goal = {.ratio_min = 0.75}}};
  const Work ours{.kinds = {"bench.writes_once"}, .of_each = writers, .performed = 2 * writers};
  const Work plain{.kinds = {"bench.writes", "bench.nothing"}, .of_each = writers, .performed = 2 * writers};
  take_turns(
      options_, figures, [&] { return drain_of(ours); }, [&] { return drain_of(plain); });
}

// What the jobs of others lose by it: four fifths of the rate must be left.
void Bench::beside_crashes() {
  const int poison = options_.quick ? 1 : 8;
  std::vector<Figure> figures{
      {.number = "21",
       .what =
           fmt::format("as figure 1, while {} jobs crash their processes up to three times each; beside it, "
                       "while none does; backlog {}",
                       poison, backlog_),
       .unit = "jobs/s",
       .goal = {.ratio_min = 0.8}}};
  const auto rate_alone = [&](int crashing) {
    return std::vector<Sample>{drain_by_daemon(crashing).front()};
  };
  take_turns(
      options_, figures, [&] { return rate_alone(poison); }, [&] { return rate_alone(0); });
}

// Lets the other side fall asleep: 10 to 20 ms.
void pause(Random& random) {
  std::this_thread::sleep_for(std::chrono::microseconds{10'000 + random.below(10'000)});
}

// A run that does not fail has no capsule, and was watched all the same.
void Bench::captured() {
  const std::size_t writers = options_.backlog_or(kBulk, 20 * kBulk);
  const auto compare = [&](std::string number, std::string what, const Work& ours) {
    std::vector<Figure> figures{{.number = std::move(number), .what = std::move(what), .unit = "jobs/s"}};
    Work plain = ours;
    plain.capsules = 0;
    take_turns(
        options_, figures, [&] { return drain_of(ours); }, [&] { return drain_of(plain); });
  };
  Work work{.kinds = {"bench.writes"},
            .of_each = writers,
            .performed = writers,
            .capsules = queue::kCaptureCountMax};
  compare("24",
          fmt::format("{} jobs that write a row, each watched for a failure that does not come; beside it, "
                      "as many that nobody asks for",
                      writers),
          work);
  work.of_each = work.performed = queue::kCaptureCountMax;
  work.on = queue::CaptureOn::success;
  compare("24.1",
          fmt::format("{} jobs that write a row, with a capsule of each; beside it, as many without",
                      work.of_each),
          work);
}

std::vector<double> Bench::start_waits_ms() {
  const auto file = folder_.file("control.db");
  static_cast<void>(template_.open(file));
  Tenured daemon(kPrograms, folder_, file, tenants_);
  daemon.start();
  NamedPipe pipe(folder_.file("starts"));
  std::vector<double> waits;
  {
    Client client = Client::open(daemon.config());
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

std::vector<double> Bench::plain_start_waits_ms() {
  const auto file = folder_.file("yardstick.db");
  NamedPipe wake(folder_.file("wake"));
  NamedPipe starts(folder_.file("starts"));
  const auto open = open_yardstick(file, YARDSTICK_FULL);
  const Child starter = start_plain_starter(file, wake, starts, folder_.file("log"));
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
  return bench_main(
      argc, argv,
      {.name = "bench_daemon",
       .what = "the whole path, with tenured and worker processes",
       .measure = [](const Options& options, ScratchFolder& folder) { Bench(options, folder).run(); },
       .has_played_role = was_plain_starter});
}
