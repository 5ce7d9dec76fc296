#include "measure.hpp"
#include "named_pipe.hpp"
#include "nothing_jobs.hpp"
#include "tenured.hpp"
#include "workload.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/random.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/client.hpp>
#include <tenure/queue/limit.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

// What sharing costs, with the real `tenured`: claims among many tenants that are paused (figure 9), the wait of a quiet tenant beside
// another one's backlog (10), and fairness, limits and unique keys on the filled queue of figure 1 (11).
namespace {

using namespace tenure;
using namespace tenure::bench;

constexpr std::uint64_t kSeed = 20260302;
constexpr std::int64_t kSleepUs = 1'000;  // of a job of the backlog that a quiet tenant meets
constexpr std::chrono::milliseconds kLook{200};
const Programs kPrograms{.tenured = BENCH_TENURED, .worker = BENCH_WORKER};

// Of the tenants that have databases, which are the first ones.
constexpr sqlite::Query kAnyActiveReady{
    "any_active_ready", "select exists (select 1 from job where state = 2 and tenant <= 1000)"};
static_assert(kTenants == 1'000, "the query says so");
// ?1 the first number, ?2 how many.
constexpr sqlite::Query kPausedTenants{"paused_tenants", R"sql(
  insert into tenant(name, generation, state, created_us)
  with recursive number(n) as (select ?1 union all select n + 1 from number where n + 1 < ?1 + ?2)
  select 'tenant-' || n, 1, 3, 0 from number)sql"};

// What the filled queue has.
struct Price {
  bool has_tenants = false;  // 1,000, else one
  bool has_limits = false;   // a cap for each tenant and a rate for each kind, which are never reached
  bool has_keys = false;     // a unique one for each job
};

class Bench {
 public:
  Bench(const Options& options, ScratchFolder& folder)
      : options_(options),
        folder_(folder),
        tenants_(folder.file("tenants")),
        template_(folder.file("template.db"), tenants_),
        backlog_(options.backlog_or(5'000, 300'000)),
        paused_(options.quick ? 2'000 : 99'000),
        starts_(options.quick ? 20 : 300) {}

  void run() {
    if (options_.wants("9")) beside_paused_tenants();
    if (options_.wants("10")) quiet_tenant();
    if (options_.wants("11")) price();
  }

 private:
  void beside_paused_tenants();
  void quiet_tenant();
  void price();
  // Jobs a second of those that are active.
  [[nodiscard]] std::vector<Sample> drain_beside(std::size_t paused);
  [[nodiscard]] std::vector<Sample> drain_with(const Price& price);
  [[nodiscard]] Sample drained(const std::filesystem::path& control, const sqlite::Query& any_left);
  [[nodiscard]] double wait_ms(std::size_t backlog);

  const Options& options_;
  ScratchFolder& folder_;
  std::filesystem::path tenants_;
  ControlTemplate template_;
  std::size_t backlog_;
  std::size_t paused_;
  int starts_;
};

Sample Bench::drained(const std::filesystem::path& control, const sqlite::Query& any_left) {
  Tenured daemon(kPrograms, folder_, control, tenants_);
  return {.value = drain_by(daemon, control, any_left, kLook, backlog_).rate()};
}

std::vector<Sample> Bench::drain_beside(std::size_t paused) {
  const auto file = folder_.file("control.db");
  {
    const auto store = template_.open(file);
    {
      sqlite::Connection control(file, {.access = sqlite::Access::read_write});
      control.statement(kPausedTenants)
          .bind(static_cast<std::int64_t>(kTenants), static_cast<std::int64_t>(paused))
          .run();
    }
    JobMaker of_paused(kSeed);
    for (std::size_t tenant = 0; tenant < paused;)
      store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
        for (std::size_t i = 0; i < kBulk && tenant < paused; ++i, ++tenant) {
          queue::NewJob job = of_paused.next(RealClock{}.wall());
          job.tenant = tenant_name(kTenants + tenant);
          static_cast<void>(value_or_raise(writer.enqueue(job, job.due)));
        }
      });
    JobMaker jobs(kSeed + 1);
    fill(*store, jobs, backlog_);
  }
  return {drained(file, kAnyActiveReady)};
}

void Bench::beside_paused_tenants() {
  std::vector<Figure> figures{
      {.number = "9",
       .what =
           fmt::format("as figure 1, backlog {}, beside {} tenants with a job each that are paused; beside "
                       "it, without these",
                       backlog_, paused_),
       .unit = "jobs/s",
       .goal = {.ratio_min = 1 / 1.5}}};
  take_turns(
      options_, figures, [&] { return drain_beside(paused_); }, [&] { return drain_beside(0); });
}

// p95 from acknowledged to started, less the job that keeps each slot.
double Bench::wait_ms(std::size_t backlog) {
  const auto file = folder_.file("control.db");
  {
    const auto store = template_.open(file);
    JobMaker jobs(kSeed, 1, std::string{Sleeps::kind});
    for (std::size_t done = 0; done < backlog;)
      store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
        for (std::size_t i = 0; i < kBulk && done < backlog; ++i, ++done) {
          queue::NewJob job = jobs.next(RealClock{}.wall());
          job.arguments = fmt::format(R"({{"us":{}}})", kSleepUs);
          static_cast<void>(value_or_raise(writer.enqueue(job, job.due)));
        }
      });
  }
  Tenured daemon(kPrograms, folder_, file, tenants_);
  daemon.start();
  NamedPipe pipe(folder_.file("starts"));
  std::vector<double> waits;
  {
    Client client = Client::open(daemon.config());
    Random random(kSeed);
    const TellStart job{pipe.path().string()};
    // The first ones wait for the worker processes, and are not counted.
    for (int i = -10; i < starts_; ++i) {
      std::this_thread::sleep_for(std::chrono::microseconds{10'000 + random.below(10'000)});
      client.enqueue(job, {.tenant = tenant_name(7)});
      const std::int64_t acknowledged_us = steady_us();
      const auto waited = std::max<std::int64_t>(0, pipe.read() - acknowledged_us);
      if (i >= 0) waits.push_back(static_cast<double>(waited) / 1e3);
    }
    sqlite::Connection control(file, {.access = sqlite::Access::read_only});
    if (backlog > 0 && control.statement(kAnyReady).row().integer(0) == 0)
      throw std::runtime_error("the other tenant's backlog came to its end");
  }
  daemon.kill();
  return std::max(0.0, percentile(waits, 0.95) - (backlog > 0 ? static_cast<double>(kSleepUs) / 1e3 : 0));
}

void Bench::quiet_tenant() {
  const std::size_t backlog = options_.quick ? 5'000 : 100'000;
  std::vector<Figure> figures{
      {.number = "10",
       .what = fmt::format(
           "p95 wait of {} jobs of a quiet tenant, one by one, less a job of {} us, while another one "
           "holds a backlog of {}; beside it, without that",
           starts_, kSleepUs, backlog),
       .unit = "ms",
       .goal = {.ratio_max = 2},
       .decimals = 3}};
  take_turns(
      options_, figures, [&] { return std::vector<Sample>{{wait_ms(backlog)}}; },
      [&] { return std::vector<Sample>{{wait_ms(0)}}; });
}

void set_limits(queue::Store& store) {
  store.write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    const WallTime now = RealClock{}.wall();
    value_or_raise(writer.set_limit({.name = "of-tenants",
                                     .target = queue::LimitTarget{.kind = "bench.*", .per = {.tenant = true}},
                                     .bounds = {.running = 1'000}},
                                    now));
    value_or_raise(writer.set_limit({.name = "of-kinds",
                                     .target = queue::LimitTarget{.kind = "bench.*", .per = {.kind = true}},
                                     .bounds = {.rate = StartRate{1'000'000, std::chrono::minutes{1}}}},
                                    now));
  });
}

std::vector<Sample> Bench::drain_with(const Price& price) {
  const auto file = folder_.file("control.db");
  {
    const auto store = template_.open(file);
    if (price.has_limits) set_limits(*store);
    JobMaker jobs(kSeed, price.has_tenants ? kTenants : 1);
    for (std::size_t done = 0; done < backlog_;)
      store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
        for (std::size_t i = 0; i < kBulk && done < backlog_; ++i, ++done) {
          queue::NewJob job = jobs.next(RealClock{}.wall());
          if (price.has_keys) job.unique = UniqueKey{.key = fmt::format("job-{}", done)};
          static_cast<void>(value_or_raise(writer.enqueue(job, job.due)));
        }
      });
    store->checkpoint(0);
  }
  return {drained(file, kAnyReady)};
}

void Bench::price() {
  const auto compare = [&](std::string number, const std::string& what, const Price& ours, Goal goal = {}) {
    std::vector<Figure> figures{
        {.number = std::move(number),
         .what = fmt::format("as figure 1, backlog {}, with {}; beside it, one tenant and none of these",
                             backlog_, what),
         .unit = "jobs/s",
         .goal = goal}};
    take_turns(
        options_, figures, [&] { return drain_with(ours); }, [&] { return drain_with({}); });
  };
  compare("11", "1,000 tenants, a cap of each, a rate of the kind and a unique key of each job",
          {.has_tenants = true, .has_limits = true, .has_keys = true}, {.ratio_min = 0.85});
  compare("11.1", "1,000 tenants", {.has_tenants = true});
  compare("11.2", "a cap of its tenant and a rate of its kind", {.has_limits = true});
  compare("11.3", "a unique key of each job", {.has_keys = true});
}

}  // namespace

int main(int argc, char** argv) {
  return bench_main(
      argc, argv,
      {.name = "bench_fairness",
       .what = "what sharing costs, with tenured and worker processes",
       .measure = [](const Options& options, ScratchFolder& folder) { Bench(options, folder).run(); }});
}
