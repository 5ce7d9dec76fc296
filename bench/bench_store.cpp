#include "measure.hpp"
#include "workload.hpp"
#include "yardstick.h"

#include <tenure/base/clock.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

// The store alone, in one process: figures 2 (claim and finish), 3 (enqueue one by one), 4 (from many threads), 6 (in
// bulk) and 12 (bytes of the write-ahead log).
namespace {

using namespace tenure;
using namespace tenure::bench;

constexpr std::size_t kLookAtLog = 16;  // enqueues between two looks at the size of the log
constexpr std::uint64_t kSeed = 20260302;
constexpr std::size_t kLogBacklog = 60'000;

class Bench {
 public:
  Bench(const Options& options, ScratchFolder& folder)
      : options_(options),
        folder_(folder),
        template_(folder.file("template.db")),
        seconds_(options.quick ? 0.2 : 5.0),
        backlog_(options.quick ? 5'000 : 600'000) {}

  void run() {
    if (wanted("3")) enqueue_one_by_one();
    if (wanted("4")) enqueue_from_threads(16);
    if (wanted("4")) enqueue_from_threads(64);
    if (wanted("2") || wanted("6")) fill_and_drain();
    if (wanted("12")) log_bytes();
  }

 private:
  [[nodiscard]] bool wanted(std::string_view figure) const {
    return options_.only.empty() || options_.only == figure;
  }

  void enqueue_one_by_one();
  void enqueue_from_threads(std::size_t threads);
  void fill_and_drain();
  void log_bytes();

  const Options& options_;
  ScratchFolder& folder_;
  ControlTemplate template_;
  double seconds_;
  std::size_t backlog_;
};

void enqueue_one(queue::Store& store, JobMaker& jobs, const Clock& clock) {
  const WallTime now = clock.wall();
  const queue::NewJob job = jobs.next(now);
  store.write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    static_cast<void>(value_or_raise(writer.enqueue(job, now)));
  });
}

// Calls `once` again and again for so long; calls a second.
template <class Once>
double rate_of(double seconds, Once once) {
  const Stopwatch watch;
  std::size_t done = 0;
  for (; watch.seconds() < seconds; ++done) once(done);
  return static_cast<double>(done) / watch.seconds();
}

// The same from several threads: calls a second of all of them together. `make` makes what one thread calls.
template <class Make>
double rate_of_threads(std::size_t threads, double seconds, Make make) {
  std::vector<double> rates(threads);
  {
    std::vector<std::jthread> running;
    for (std::size_t i = 0; i < threads; ++i)
      running.emplace_back([&, i, once = make(i)]() mutable { rates[i] = rate_of(seconds, once); });
  }
  double sum = 0;
  for (const double rate : rates) sum += rate;
  return sum;
}

void Bench::enqueue_one_by_one() {
  std::vector<Figure> figures{{.number = "3",
                               .what = "enqueue one by one, durable, one process",
                               .unit = "jobs/s",
                               .goal = {.ratio_min = 0.9}}};
  const RealClock clock;
  const auto ours = [&] {
    const auto store = template_.open(folder_.file("control.db"));
    JobMaker jobs(kSeed);
    return std::vector{rate_of(seconds_, [&](std::size_t done) {
      enqueue_one(*store, jobs, clock);
      if (done % kLookAtLog == 0) store->checkpoint(kWalBytesMax);
    })};
  };
  const auto yardstick = [&] {
    const auto open = open_yardstick(folder_.file("yardstick.db"), YARDSTICK_FULL);
    ZipfTenants tenants(kSeed);
    return std::vector{rate_of(seconds_, [&](std::size_t) {
      const auto tenant = static_cast<std::int64_t>(tenants.next());
      yardstick_enqueue(open.get(), &tenant, 1, payload().data(), payload().size());
    })};
  };
  take_turns(options_, figures, ours, yardstick);
}

void Bench::enqueue_from_threads(std::size_t threads) {
  std::vector<Figure> figures{{.number = "4",
                               .what = fmt::format("enqueue durable, {} threads of one process", threads),
                               .unit = "jobs/s",
                               .goal = {.ratio_min = 0.8}}};
  const RealClock clock;
  const auto ours = [&] {
    const auto store = template_.open(folder_.file("control.db"));
    return std::vector{rate_of_threads(threads, seconds_, [&](std::size_t thread) {
      return [&, thread, jobs = std::make_shared<JobMaker>(kSeed + thread)](std::size_t done) {
        enqueue_one(*store, *jobs, clock);
        if (thread == 0 && done % kLookAtLog == 0) store->checkpoint(kWalBytesMax);
      };
    })};
  };
  const auto yardstick = [&] {
    const auto open = open_yardstick(folder_.file("yardstick.db"), YARDSTICK_FULL);
    yardstick_group* group = yardstick_group_open(open.get());
    const double rate = rate_of_threads(threads, seconds_, [&](std::size_t thread) {
      return [&, tenants = std::make_shared<ZipfTenants>(kSeed + thread)](std::size_t) {
        const auto tenant = static_cast<std::int64_t>(tenants->next());
        yardstick_group_enqueue(group, tenant, payload().data(), payload().size());
      };
    });
    yardstick_group_close(group);
    return std::vector{rate};
  };
  take_turns(options_, figures, ours, yardstick);
}

void require_all(std::size_t done, std::size_t wanted) {
  if (done != wanted) throw std::runtime_error(fmt::format("{} jobs of {} were finished", done, wanted));
}

void Bench::fill_and_drain() {
  const std::string backlog = fmt::format("backlog {}", backlog_);
  std::vector<Figure> figures{
      {.number = "6",
       .what = "bulk enqueue, 1,000 a commit, durable, 0 to " + backlog,
       .unit = "jobs/s",
       .goal = {.ratio_min = 0.6}},
      {.number = "2",
       .what = "claim and finish in the store alone, 100 a commit, ordered, " + backlog,
       .unit = "jobs/s",
       .goal = {.ratio_min = 0.8}}};
  const auto jobs_count = static_cast<double>(backlog_);
  const auto ours = [&] {
    const auto store = template_.open(folder_.file("control.db"));
    JobMaker jobs(kSeed);
    const Stopwatch filling;
    fill(*store, jobs, backlog_);
    const double filled = filling.seconds();
    const Stopwatch draining;
    require_all(drain(*store), backlog_);
    return std::vector{jobs_count / filled, jobs_count / draining.seconds()};
  };
  const auto yardstick = [&] {
    const auto open = open_yardstick(folder_.file("yardstick.db"), YARDSTICK_FULL);
    const Stopwatch filling;
    fill(open.get(), backlog_);
    const double filled = filling.seconds();
    yardstick_set_sync(open.get(), YARDSTICK_NORMAL);
    const Stopwatch draining;
    require_all(drain(open.get()), backlog_);
    return std::vector{jobs_count / filled, jobs_count / draining.seconds()};
  };
  take_turns(options_, figures, ours, yardstick);
}

double wal_bytes(const std::filesystem::path& file) {
  return static_cast<double>(std::filesystem::file_size(file.string() + "-wal"));
}

// Nobody checkpoints meanwhile, so the log's size is what was written to it.
void Bench::log_bytes() {
  const std::size_t backlog = options_.quick ? 5'000 : kLogBacklog;
  std::vector<Figure> figures{
      {.number = "12",
       .what = fmt::format("log bytes a job, enqueued 1,000 and finished 100 a commit, backlog {}", backlog),
       .unit = "bytes",
       .goal = {.ours_max = 4096}}};
  const auto ours = [&] {
    const auto file = folder_.file("control.db");
    const auto store = template_.open(file);
    JobMaker jobs(kSeed);
    fill(*store, jobs, backlog, Log::kept);
    require_all(drain(*store, Log::kept), backlog);
    return std::vector{wal_bytes(file) / static_cast<double>(backlog)};
  };
  const auto yardstick = [&] {
    const auto file = folder_.file("yardstick.db");
    const auto open = open_yardstick(file, YARDSTICK_NORMAL, Log::kept);
    fill(open.get(), backlog);
    require_all(drain(open.get()), backlog);
    return std::vector{wal_bytes(file) / static_cast<double>(backlog)};
  };
  take_turns(options_, figures, ours, yardstick);
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse_options(argc, argv, "bench_store: the store alone, in one process");
  try {
    print_conditions(options, "bench_store");
    ScratchFolder folder(options.folder);
    Bench(options, folder).run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_store: %s\n", error.what());
    return 1;
  }
}
