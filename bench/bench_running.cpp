#include "child.hpp"
#include "measure.hpp"
#include "named_pipe.hpp"
#include "nothing_jobs.hpp"
#include "plain_starter.hpp"
#include "processes.hpp"
#include "tenured.hpp"
#include "workload.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/client.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <thread>
#include <vector>

// What an operator waits for, with the real `tenured`: from a kill -9 to the start of what ran (figure 13), what an idle daemon costs that
// knows 100,000 tenants (15), and from its start to the first job with 100,000 lanes waiting (16).
namespace {

using namespace tenure;
using namespace tenure::bench;

constexpr std::size_t kManyTenants = 100'000;
constexpr int kFirst = -100;  // the priority before all others
const Programs kPrograms{.tenured = BENCH_TENURED, .worker = BENCH_WORKER};

// ?1 the first number, ?2 how many. As what is there, without a database: nothing opens one.
constexpr sqlite::Query kMoreTenants{"more_tenants", R"sql(
  insert into tenant(name, generation, state, created_us)
  with recursive number(n) as (select ?1 union all select n + 1 from number where n + 1 < ?1 + ?2)
  select 'tenant-' || n, 1, 2, 0 from number)sql"};

enum class Killed : std::uint8_t { worker, daemon };

class Bench {
 public:
  Bench(const Options& options, ScratchFolder& folder)
      : options_(options),
        folder_(folder),
        tenants_(folder.file("tenants")),
        template_(folder.file("template.db"), tenants_),
        kills_(options.quick ? 2 : 20),
        many_(options.quick ? 2'000 : kManyTenants),
        idle_seconds_(options.quick ? 1 : 10) {}

  void run() {
    if (options_.wants("13")) kill_to_running();
    if (options_.wants("15")) idle();
    if (options_.wants("16")) start_to_first_job();
  }

 private:
  void kill_to_running();
  void idle();
  void start_to_first_job();
  // The slowest, since there are too few for a percentile.
  [[nodiscard]] double slowest_ms(Killed killed);
  [[nodiscard]] double slowest_plain_ms();
  [[nodiscard]] std::vector<Sample> idle_cost();
  [[nodiscard]] std::vector<Sample> first_job_ms();
  [[nodiscard]] std::vector<Sample> first_plain_job_ms();
  // With many tenants, and one job in each if asked.
  enum class Jobs : std::uint8_t { none, one_each };
  [[nodiscard]] std::filesystem::path control_of_many(Jobs jobs);

  const Options& options_;
  ScratchFolder& folder_;
  std::filesystem::path tenants_;
  ControlTemplate template_;
  int kills_;
  std::size_t many_;
  int idle_seconds_;
};

double Bench::slowest_ms(Killed killed) {
  const auto file = folder_.file("control.db");
  static_cast<void>(template_.open(file));
  Tenured daemon(kPrograms, folder_, file, tenants_);
  daemon.start();
  NamedPipe pipe(folder_.file("starts"));
  Client client = Client::open(daemon.config());
  double slowest = 0;
  for (int i = 0; i < kills_; ++i) {
    client.enqueue(StayOnce{pipe.path().string(), folder_.file("mark").string()},
                   {.tenant = tenant_name(static_cast<std::size_t>(i))});
    const auto worker = static_cast<pid_t>(pipe.read());
    const std::int64_t killed_us = steady_us();
    if (killed == Killed::worker) ::kill(worker, SIGKILL);
    else daemon.kill_and_start_again();
    slowest = std::max(slowest, static_cast<double>(pipe.read() - killed_us) / 1e3);
  }
  daemon.stop();
  return slowest;
}

// A process in plain C is killed as it waits, and its successor takes the job that came meanwhile.
double Bench::slowest_plain_ms() {
  const auto file = folder_.file("yardstick.db");
  NamedPipe wake(folder_.file("wake"));
  NamedPipe starts(folder_.file("starts"));
  const auto open = open_yardstick(file, YARDSTICK_FULL);
  const auto log = folder_.file("log");
  Child starter = start_plain_starter(file, wake, starts, log);
  const std::int64_t tenant = 1;
  double slowest = 0;
  for (int i = 0; i < kills_; ++i) {
    yardstick_enqueue(open.get(), &tenant, 1, payload().data(), payload().size());
    const std::int64_t killed_us = steady_us();
    starter.kill();
    starter = start_plain_starter(file, wake, starts, log);
    wake.write(1);
    slowest = std::max(slowest, static_cast<double>(starts.read() - killed_us) / 1e3);
  }
  return slowest;
}

void Bench::kill_to_running() {
  const std::string what = fmt::format("to the next start of the job that ran, the slowest of {}", kills_);
  std::vector<Figure> figures{{.number = "13",
                               .what = "from a kill -9 of a worker process " + what,
                               .unit = "ms",
                               .goal = {.ours_max = 200},
                               .decimals = 1},
                              {.number = "13",
                               .what = "from a kill -9 of tenured, started again at once, " + what,
                               .unit = "ms",
                               .goal = {.ours_max = 2000},
                               .decimals = 1}};
  take_turns(
      options_, figures,
      [&] {
        return std::vector<Sample>{{slowest_ms(Killed::worker)}, {slowest_ms(Killed::daemon)}};
      },
      [&] {
        const double plain = slowest_plain_ms();
        return std::vector<Sample>{{plain}, {plain}};
      });
}

std::filesystem::path Bench::control_of_many(Jobs jobs) {
  const auto file = folder_.file("control.db");
  const auto store = template_.open(file);
  {
    sqlite::Connection control(file, {.access = sqlite::Access::read_write});
    control.statement(kMoreTenants)
        .bind(static_cast<std::int64_t>(kTenants), static_cast<std::int64_t>(many_ - kTenants))
        .run();
  }
  if (jobs == Jobs::none) return file;
  const RealClock clock;
  JobMaker maker(1);
  for (std::size_t tenant = 0; tenant < many_;) {
    store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      for (std::size_t i = 0; i < kBulk && tenant < many_; ++i, ++tenant) {
        queue::NewJob job = maker.next(clock.wall());
        job.tenant = tenant_name(tenant);
        static_cast<void>(value_or_raise(writer.enqueue(job, clock.wall())));
      }
    });
  }
  store->checkpoint(0);
  return file;
}

std::vector<Sample> Bench::idle_cost() {
  const auto file = control_of_many(Jobs::none);
  Tenured daemon(kPrograms, folder_, file, tenants_);
  daemon.start();
  NamedPipe pipe(folder_.file("starts"));
  Client::open(daemon.config()).enqueue(TellStart{pipe.path().string()}, {.untenanted = true});
  static_cast<void>(pipe.read());
  // What an idle daemon does once after work, it has done by then.
  std::this_thread::sleep_for(std::chrono::seconds{idle_seconds_ > 1 ? 3 : 0});
  const auto processes = with_children(daemon.pid());
  const double before = cpu_seconds_of(processes);
  const Stopwatch watch;
  std::this_thread::sleep_for(std::chrono::seconds{idle_seconds_});
  const double share = (cpu_seconds_of(processes) - before) / watch.seconds();
  const double resident = resident_mib(daemon.pid());
  const auto open = static_cast<double>(open_files_below(processes, tenants_));
  daemon.stop();
  return {{share * 100}, {resident}, {open}};
}

void Bench::idle() {
  const std::string known = fmt::format("idle, {} tenants known: ", many_);
  std::vector<Figure> figures{
      {.number = "15",
       .what = known + "of one core, tenured and its workers",
       .unit = "%",
       .goal = {.ours_max = 0.3},
       .decimals = 2},
      {.number = "15",
       .what = known + "resident, tenured",
       .unit = "MiB",
       .goal = {.ours_max = 64},
       .decimals = 1},
      {.number = "15", .what = known + "tenants' files open", .unit = "files", .goal = {.ours_max = 0}}};
  take_turns(
      options_, figures, [&] { return idle_cost(); }, [] { return std::vector<Sample>{}; });
}

std::vector<Sample> Bench::first_job_ms() {
  const auto file = control_of_many(Jobs::one_each);
  NamedPipe pipe(folder_.file("starts"));
  Tenured daemon(kPrograms, folder_, file, tenants_);
  Client::open(daemon.config())
      .enqueue(TellStart{pipe.path().string()}, {.priority = kFirst, .untenanted = true});
  const std::int64_t started_us = steady_us();
  daemon.start();
  const double waited = static_cast<double>(pipe.read() - started_us) / 1e3;
  daemon.kill();  // the others' tenants have no databases
  return {{waited}};
}

std::vector<Sample> Bench::first_plain_job_ms() {
  const auto file = folder_.file("yardstick.db");
  NamedPipe wake(folder_.file("wake"));
  NamedPipe starts(folder_.file("starts"));
  {
    const auto open = open_yardstick(file, YARDSTICK_NORMAL);
    fill(open.get(), many_);
  }
  wake.write(1);
  const std::int64_t started_us = steady_us();
  const Child starter = start_plain_starter(file, wake, starts, folder_.file("log"));
  return {{static_cast<double>(starts.read() - started_us) / 1e3}};
}

void Bench::start_to_first_job() {
  std::vector<Figure> figures{
      {.number = "16",
       .what = fmt::format("from the start of tenured to the first line of a job, {} lanes waiting", many_),
       .unit = "ms",
       .goal = {.ours_max = 500},
       .decimals = 1}};
  take_turns(
      options_, figures, [&] { return first_job_ms(); }, [&] { return first_plain_job_ms(); });
}

}  // namespace

int main(int argc, char** argv) {
  return bench_main(
      argc, argv,
      {.name = "bench_running",
       .what = "kills, idleness and starts, with tenured and worker processes",
       .measure = [](const Options& options, ScratchFolder& folder) { Bench(options, folder).run(); },
       .has_played_role = was_plain_starter});
}
