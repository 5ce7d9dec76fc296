#include "measure.hpp"
#include "workload.hpp"
#include "yardstick.h"

#include <tenure/base/clock.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <numeric>
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
        backlog_(options.backlog > 0 ? options.backlog
                 : options.quick     ? 5'000
                                     : 600'000) {}

  void run() {
    if (wanted("3")) enqueue_one_by_one();
    if (wanted("4")) enqueue_from_threads(16);
    if (wanted("4")) enqueue_from_threads(64);
    if (wanted("2") || wanted("6")) fill_and_drain(kTenants);
    if (wanted("2.1") || wanted("6.1")) fill_and_drain(1);
    if (wanted("12")) log_bytes();
  }

 private:
  [[nodiscard]] bool wanted(std::string_view figure) const {
    return options_.only.empty() || options_.only == figure;
  }

  void enqueue_one_by_one();
  void enqueue_from_threads(std::size_t threads);
  void fill_and_drain(std::size_t tenants);
  void log_bytes();

  const Options& options_;
  ScratchFolder& folder_;
  ControlTemplate template_;
  double seconds_;
  std::size_t backlog_;
};

// Calls `once` again and again for so long; the number of calls.
template <class Once>
std::size_t repeat(double seconds, Once once) {
  const Stopwatch watch;
  std::size_t done = 0;
  for (; watch.seconds() < seconds; ++done) once(done);
  return done;
}

// The same from several threads, all of them together. `make` makes what one thread calls.
template <class Make>
Sample rate_of_threads(std::size_t threads, double seconds, Make make) {
  std::vector<std::size_t> done(threads);
  const Stopwatch watch;
  {
    std::vector<std::jthread> running;
    for (std::size_t i = 0; i < threads; ++i)
      running.emplace_back([&, i, once = make(i)]() mutable { done[i] = repeat(seconds, once); });
  }
  return watch.rate(std::accumulate(done.begin(), done.end(), std::size_t{0}));
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
    const Stopwatch watch;
    return std::vector{watch.rate(repeat(seconds_, [&](std::size_t done) {
      enqueue_one(*store, jobs, clock.wall());
      if (done % kLookAtLog == 0) store->checkpoint(kWalBytesMax);
    }))};
  };
  const auto yardstick = [&] {
    const auto open = open_yardstick(folder_.file("yardstick.db"), YARDSTICK_FULL);
    ZipfTenants tenants(kSeed);
    const Stopwatch watch;
    return std::vector{watch.rate(repeat(seconds_, [&](std::size_t) {
      const auto tenant = static_cast<std::int64_t>(tenants.next());
      yardstick_enqueue(open.get(), &tenant, 1, payload().data(), payload().size());
    }))};
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
        enqueue_one(*store, *jobs, clock.wall());
        if (thread == 0 && done % kLookAtLog == 0) store->checkpoint(kWalBytesMax);
      };
    })};
  };
  const auto yardstick = [&] {
    const auto open = open_yardstick(folder_.file("yardstick.db"), YARDSTICK_FULL);
    yardstick_group* group = yardstick_group_open(open.get());
    const Sample rate = rate_of_threads(threads, seconds_, [&](std::size_t thread) {
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

// With one tenant, figures 2.1 and 6.1, the jobs of a round lie side by side, as they always do for the yardstick: the
// difference is what it costs to be fair between tenants.
void Bench::fill_and_drain(std::size_t tenants) {
  const bool is_alone = tenants == 1;
  const std::string conditions = fmt::format("backlog {}{}", backlog_, is_alone ? ", one tenant" : "");
  std::vector<Figure> figures{
      {.number = is_alone ? "6.1" : "6",
       .what = "bulk enqueue, 1,000 a commit, durable, " + conditions,
       .unit = "jobs/s",
       .goal = is_alone ? Goal{} : Goal{.ratio_min = 0.6}},
      {.number = is_alone ? "2.1" : "2",
       .what = "claim and finish in the store alone, 100 a commit, ordered, " + conditions,
       .unit = "jobs/s",
       .goal = is_alone ? Goal{} : Goal{.ratio_min = 0.8}}};
  const auto ours = [&] {
    const auto store = template_.open(folder_.file("control.db"));
    JobMaker jobs(kSeed, tenants);
    const Stopwatch filling;
    fill(*store, jobs, backlog_);
    const Sample filled = filling.rate(backlog_);
    const Stopwatch draining;
    require_all(drain(*store), backlog_);
    return std::vector{filled, draining.rate(backlog_)};
  };
  const auto yardstick = [&] {
    const auto open = open_yardstick(folder_.file("yardstick.db"), YARDSTICK_FULL);
    const Stopwatch filling;
    fill(open.get(), backlog_);
    const Sample filled = filling.rate(backlog_);
    yardstick_set_sync(open.get(), YARDSTICK_NORMAL);
    const Stopwatch draining;
    require_all(drain(open.get()), backlog_);
    return std::vector{filled, draining.rate(backlog_)};
  };
  take_turns(options_, figures, ours, yardstick);
}

double wal_bytes(const std::filesystem::path& file) {
  return static_cast<double>(std::filesystem::file_size(file.string() + "-wal"));
}

// A reader of the first moment keeps the log from starting over, so its size is what was written to it.
void Bench::log_bytes() {
  const std::size_t backlog = options_.backlog > 0 ? options_.backlog : options_.quick ? 5'000 : kLogBacklog;
  std::vector<Figure> figures{
      {.number = "12",
       .what = fmt::format("log bytes a job, enqueued 1,000 and finished 100 a commit, backlog {}", backlog),
       .unit = "bytes",
       .goal = {.ours_max = 4096}}};
  const auto ours = [&] {
    const auto file = folder_.file("control.db");
    const auto store = template_.open(file);
    JobMaker jobs(kSeed);
    double bytes = 0;
    store->read([&](queue::JobReader& reader) {
      static_cast<void>(reader.summary());
      fill(*store, jobs, backlog, Log::kept);
      require_all(drain(*store, Log::kept), backlog);
      bytes = wal_bytes(file);
    });
    return std::vector{Sample{.value = bytes / static_cast<double>(backlog)}};
  };
  const auto yardstick = [&] {
    const auto file = folder_.file("yardstick.db");
    const auto open = open_yardstick(file, YARDSTICK_NORMAL, Log::kept);
    fill(open.get(), backlog);
    require_all(drain(open.get()), backlog);
    return std::vector{Sample{.value = wal_bytes(file) / static_cast<double>(backlog)}};
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
    require_figures(options);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_store: %s\n", error.what());
    return 1;
  }
}
