#include "measure.hpp"
#include "plain_writers.hpp"
#include "tenured.hpp"
#include "workload.hpp"
#include "yardstick_tenant.h"

#include <tenure/base/clock.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/system.hpp>
#include <tenure/queue/sqlite_store.hpp>
#include <tenure/tenancy/fleet_migration.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <fmt/format.h>

#include <atomic>
#include <cstdio>
#include <functional>
#include <memory>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/inotify.h>
#include <thread>
#include <vector>

// Tenants' databases: jobs that write in many of them (figure 14); made, opened for the first time, and migrated (17).
namespace {

using namespace tenure;
using namespace tenure::bench;

constexpr std::uint64_t kSeed = 20260302;
constexpr int kTables = 20;
constexpr std::chrono::milliseconds kLook{50};
const Programs kPrograms{.tenured = BENCH_TENURED, .worker = BENCH_WORKER};

std::string tables_sql() {
  std::string sql;
  for (int table = 0; table < kTables; ++table)
    sql += fmt::format(
        "create table thing_{0}(id integer primary key, name text not null, made_us integer not null);\n"
        "create index thing_{0}_name on thing_{0}(name);\n",
        table);
  return sql;
}
const sqlite::Migration kFirstStep{1, "0001_things", tables_sql()};
const sqlite::Migration kSecondStep{2, "0002_notes",
                                    "alter table thing_0 add column note text;\n"
                                    "create table note(id integer primary key, text text not null);"};

// Counts each opening of a database below a folder, by the kernel's word.
class OpenedFiles {
 public:
  explicit OpenedFiles(const std::filesystem::path& folder)
      : watch_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (watch_.number() < 0 || ::inotify_add_watch(watch_.number(), folder.c_str(), IN_OPEN) < 0)
      throw std::runtime_error("the folder of tenants cannot be watched");
    reader_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) read_some();
      read_some();
    });
  }
  [[nodiscard]] std::int64_t count() const { return count_; }
  // Throws where the kernel has left some out.
  void stop() {
    reader_.request_stop();
    reader_.join();
    if (is_overflown_) throw std::runtime_error("more databases were opened than the kernel could tell of");
  }

 private:
  void read_some() {
    pollfd ready{.fd = watch_.number(), .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, 100) <= 0) return;
    alignas(inotify_event) char events[64 << 10];
    const ssize_t bytes = ::read(watch_.number(), events, sizeof events);
    for (ssize_t at = 0; at < bytes;) {
      const auto* const event = reinterpret_cast<const inotify_event*>(events + at);
      if ((event->mask & IN_Q_OVERFLOW) != 0) is_overflown_ = true;
      if (event->len > 0 && std::string_view{event->name}.ends_with(".db")) ++count_;
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
  }
  Descriptor watch_;
  std::atomic<std::int64_t> count_{0};
  std::atomic<bool> is_overflown_{false};
  std::jthread reader_;
};

// So many tenants of an application with these steps, in a folder of their own.
class Fleet {
 public:
  Fleet(ScratchFolder& folder, std::vector<sqlite::Migration> steps)
      : root_(folder.file("tenants")),
        control_(folder.file("control.db")),
        store_(open_control(control_)),
        handles_(TenantFiles{root_.string() + "/%{tenant}.db"},
                 {.descriptors_max = 1'500, .application = "bench"}),
        tenants_(store_->registry(), handles_, clock_,
                 {.application = "bench", .migrations = std::move(steps)}) {}

  void create(std::size_t count) {
    for (std::size_t tenant = 0; tenant < count; ++tenant)
      all_.push_back({tenant_name(tenant), tenants_.create(tenant_name(tenant)).generation});
  }
  // A handle and its first row.
  void touch_all() {
    HandleCache cold(TenantFiles{root_.string() + "/%{tenant}.db"},
                     {.descriptors_max = 1'500, .application = "bench"});
    for (const TenantToMigrate& tenant : all_)
      with_tenant(tenant.name, [&] {
        value_or_raise(cold.acquire(tenant.name, tenant.generation))->read([](TenantReader& reader) {
          auto rows = reader.query("select count(*) from thing_0");
          static_cast<void>(rows.next());
        });
      });
  }
  void migrate(int threads) {
    migrate_tenants(handles_, {.steps = {kFirstStep, kSecondStep}}, clock_, all_, {.threads = threads},
                    [](const TenantResult& result) {
                      if (result.failure) throw std::runtime_error(result.failure->message);
                    });
  }
  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  [[nodiscard]] const std::filesystem::path& control() const { return control_; }
  // All that there is lies in files then, which can be copied.
  void close() {
    handles_.close_idle();
    store_->checkpoint(0);
  }

 private:
  RealClock clock_;
  std::filesystem::path root_, control_;
  std::unique_ptr<queue::Store> store_;
  HandleCache handles_;
  Tenants tenants_;
  std::vector<TenantToMigrate> all_;
};

std::filesystem::path create_plain(ScratchFolder& folder, std::size_t count) {
  auto root = folder.file("plain");
  std::filesystem::create_directory(root);
  const std::string sql = kFirstStep.sql;
  for (std::size_t tenant = 0; tenant < count; ++tenant)
    yardstick_tenant_create(plain_path(root, tenant).c_str(), sql.c_str());
  return root;
}

class Bench {
 public:
  Bench(const Options& options, ScratchFolder& folder)
      : options_(options),
        folder_(folder),
        many_(options.quick ? 100 : 10'000),
        jobs_(options.quick ? 1'000 : 40'000),
        fleet_(options.backlog_or(20, 1'000)) {}

  void run() {
    if (options_.wants("14")) many_databases();
    if (options_.wants("17")) fleet();
  }

 private:
  void many_databases();
  void fleet();
  [[nodiscard]] std::vector<Sample> write_by_daemon(const Fleet& fleet);
  [[nodiscard]] Sample rate(const Stopwatch& watch) const { return {.value = watch.rate(fleet_).value}; }

  const Options& options_;
  ScratchFolder& folder_;
  std::size_t many_, jobs_, fleet_;
};

std::vector<Sample> Bench::write_by_daemon(const Fleet& fleet) {
  const auto file = folder_.file("control.db");
  std::filesystem::copy_file(fleet.control(), file);
  {
    const auto store = open_control(file);
    JobMaker jobs(kSeed, many_, "bench.writes");
    fill(*store, jobs, jobs_);
    store->checkpoint(0);
  }
  OpenedFiles opened(fleet.root());
  Tenured daemon(kPrograms, folder_, file, fleet.root());
  const double rate = drain_by(daemon, file, kAnyReady, kLook, jobs_).rate();
  opened.stop();
  return {{.value = rate}, {.value = static_cast<double>(opened.count()) / static_cast<double>(jobs_)}};
}

void Bench::many_databases() {
  allow_descriptors_of_plain_writers(many_);
  Fleet fleet(folder_, {kFirstStep});
  fleet.create(many_);
  fleet.close();
  const auto plain = create_plain(folder_, many_);
  std::vector<Figure> figures{
      {.number = "14",
       .what = fmt::format(
           "{} jobs that write a row in their tenant's database, {} tenants, 500 handles a process", jobs_,
           many_),
       .unit = "jobs/s",
       .goal = {.ratio_min = 0.8}},
      {.number = "14",
       .what = "databases opened a job of that",
       .unit = "opens",
       .goal = {.ours_max = 0.2},
       .decimals = 3}};
  take_turns(
      options_, figures, [&] { return write_by_daemon(fleet); },
      [&] {
        return std::vector{
            write_plainly(folder_, {.root = plain, .tenants = many_, .writes = jobs_, .seed = kSeed})};
      });
}

void Bench::fleet() {
  const auto compare = [&](std::string number, std::string what, Goal goal, const Run& ours,
                           const Run& yardstick) {
    std::vector<Figure> figures{
        {.number = std::move(number), .what = std::move(what), .unit = "tenants/s", .goal = goal}};
    take_turns(options_, figures, ours, yardstick);
  };
  compare(
      "17",
      fmt::format("{} tenants of {} tables made; beside it, the same statements in plain C", fleet_, kTables),
      {.ratio_min = 1 / 1.3},
      [&] {
        Fleet fleet(folder_, {kFirstStep});
        const Stopwatch watch;
        fleet.create(fleet_);
        return std::vector{rate(watch)};
      },
      [&] {
        const Stopwatch watch;
        static_cast<void>(create_plain(folder_, fleet_));
        return std::vector{rate(watch)};
      });
  compare(
      "17.1",
      fmt::format("{} tenants touched for the first time: a handle and a row; beside it, in plain C", fleet_),
      {},
      [&] {
        Fleet fleet(folder_, {kFirstStep});
        fleet.create(fleet_);
        fleet.close();
        const Stopwatch watch;
        fleet.touch_all();
        return std::vector{rate(watch)};
      },
      [&] {
        const auto root = create_plain(folder_, fleet_);
        const Stopwatch watch;
        for (std::size_t tenant = 0; tenant < fleet_; ++tenant)
          yardstick_tenant_close(yardstick_tenant_open(plain_path(root, tenant).c_str()));
        return std::vector{rate(watch)};
      });
  const auto migrated_by = [&](int threads) {
    Fleet fleet(folder_, {kFirstStep});
    fleet.create(fleet_);
    const Stopwatch watch;
    fleet.migrate(threads);
    return std::vector{rate(watch)};
  };
  compare(
      "17.2", fmt::format("{} tenants migrated by two threads; beside it, by one", fleet_),
      {.ratio_min = 1.7}, [&] { return migrated_by(2); }, [&] { return migrated_by(1); });
}

}  // namespace

int main(int argc, char** argv) {
  return bench_main(
      argc, argv,
      {.name = "bench_tenants",
       .what = "tenants' databases, made, opened, written, migrated",
       .measure = [](const Options& options, ScratchFolder& folder) { Bench(options, folder).run(); },
       .has_played_role = was_plain_writer});
}
