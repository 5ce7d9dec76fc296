#include "measure.hpp"
#include "threads.hpp"
#include "workload.hpp"
#include "yardstick.h"

#include <tenure/base/clock.hpp>
#include <tenure/base/sqlite/connection.hpp>

#include <fmt/format.h>

#include <memory>
#include <stdexcept>
#include <vector>

// The store alone, in one process: figures 2 (claim and finish), 3 (enqueue one by one), 4 (from many threads), 6 (in
// bulk), 12 (bytes of the write-ahead log) and 20 (the first page of a list).
namespace {

using namespace tenure;
using namespace tenure::bench;

constexpr std::size_t kLookAtLog = 16;  // enqueues between two looks at the size of the log
constexpr std::uint64_t kSeed = 20260302;
constexpr std::size_t kLogBacklog = 60'000;
constexpr std::size_t kFew = 16;                // jobs of a commit of figures 2.2, 6.2 and 12.2
constexpr std::size_t kManyJobs = 1'500'000;    // the backlog of figures 2.3 and 6.3
constexpr std::size_t kListed = 1'000'000;      // ended jobs that are not settled, of figure 20
constexpr std::size_t kManyListed = 9'000'000;  // ended and settled jobs of figure 20.1
constexpr std::size_t kPageJobs = 100;
constexpr std::size_t kCounted = 1'000'000;  // jobs that the command counts, at most
constexpr std::size_t kLargePageJobs = 1000;
constexpr std::int64_t kLooksOfTenure = 1'000'000;  // of the command, unless --scan says otherwise
constexpr sqlite::Query kUnsettled{"unsettled",
                                   "select count(*) from ended join job using (seq) where state < 4"};
constexpr sqlite::Query kAbsorbed{"absorbed", "select count(*) from ready"};

class Bench {
 public:
  Bench(const Options& options, ScratchFolder& folder)
      : options_(options),
        folder_(folder),
        template_(folder.file("template.db")),
        seconds_(options.quick ? 0.2 : 5.0),
        backlog_(options.backlog_or(5'000, 600'000)) {}

  void run() {
    if (options_.wants("3")) enqueue_one_by_one();
    if (options_.wants("4")) enqueue_from_threads(16);
    if (options_.wants("4")) enqueue_from_threads(64);
    for (const Shape& shape : shapes())
      if (options_.wants("2" + shape.suffix) || options_.wants("6" + shape.suffix)) fill_and_drain(shape);
    if (options_.wants("12")) log_bytes("12", kBulk, 1500);
    if (options_.wants("12.2")) log_bytes("12.2", kFew, 2500);
    if (options_.wants("20"))
      first_pages({.number = "20",
                   .ended = options_.quick ? 5'000 : kListed,
                   .waiting = options_.quick ? kBulk : kListed / 10});
    // It takes minutes, so only where it is named.
    if (options_.only == "20.1" || (options_.quick && options_.only.empty()))
      first_pages({.number = "20.1",
                   .ended = options_.quick ? 5'000 : kManyListed,
                   .waiting = options_.quick ? kBulk : kManyListed / 9,
                   .is_settled = true});
    if (options_.only == "20.2" || (options_.quick && options_.only.empty()))
      first_pages({.number = "20.2",
                   .ended = options_.quick ? kBulk : kManyListed / 9,
                   .waiting = options_.quick ? 5'000 : kManyListed,
                   .is_settled = true,
                   .is_absorbed = true});
  }

 private:
  // Of figures 2 and 6.
  struct Shape {
    std::string suffix;
    std::size_t backlog;
    std::size_t tenants = kTenants;
    std::size_t together = kBulk;  // enqueued in one commit
    Goal enqueue_goal = {};
    Goal claim_goal = {};
  };
  // Of figures 20, 20.1 and 20.2.
  struct Listed {
    std::string number;
    std::size_t ended;
    std::size_t waiting;
    bool is_settled = false;
    bool is_absorbed = false;  // what waits, into its lanes
  };

  [[nodiscard]] std::vector<Shape> shapes() const;

  void enqueue_one_by_one();
  void enqueue_from_threads(std::size_t threads);
  void fill_and_drain(const Shape& shape);
  void log_bytes(std::string number, std::size_t together, double goal);
  void first_pages(const Listed& listed);
  void first_page(queue::Store& store, const Listed& listed, const std::string& filter);
  void all_pages(queue::Store& store, const Listed& listed);

  const Options& options_;
  ScratchFolder& folder_;
  ControlTemplate template_;
  double seconds_;
  std::size_t backlog_;
};

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
    return std::vector{group_yardstick(folder_.file("yardstick.db"), threads, seconds_, kSeed)};
  };
  take_turns(options_, figures, ours, yardstick);
}

void require_all(std::size_t done, std::size_t wanted, std::string_view what = "finished") {
  if (done != wanted) throw std::runtime_error(fmt::format("{} jobs of {} were {}", done, wanted, what));
}

// With one tenant, figures 2.1 and 6.1, the jobs of a round lie side by side, as they always do for the yardstick: the
// difference is what it costs to be fair between tenants.
std::vector<Bench::Shape> Bench::shapes() const {
  return {{.suffix = "",
           .backlog = backlog_,
           .enqueue_goal = {.ratio_min = 0.6},
           .claim_goal = {.ratio_min = 0.8}},
          {.suffix = ".1", .backlog = backlog_, .tenants = 1},
          {.suffix = ".2",
           .backlog = backlog_ / 5 / kFew * kFew,
           .together = kFew,
           .enqueue_goal = {.ratio_min = 0.8},
           .claim_goal = {.ratio_min = 0.8}},
          {.suffix = ".3", .backlog = options_.quick || options_.backlog > 0 ? backlog_ : kManyJobs}};
}

void Bench::fill_and_drain(const Shape& shape) {
  const std::string conditions =
      fmt::format("backlog {}{}", shape.backlog, shape.tenants == 1 ? ", one tenant" : "");
  std::vector<Figure> figures{
      {.number = "6" + shape.suffix,
       .what = fmt::format("bulk enqueue, {} a commit, durable, {}", shape.together, conditions),
       .unit = "jobs/s",
       .goal = shape.enqueue_goal},
      {.number = "2" + shape.suffix,
       .what =
           fmt::format("claim and finish in the store alone, 100 a commit, ordered, enqueued {} a commit, {}",
                       shape.together, conditions),
       .unit = "jobs/s",
       .goal = shape.claim_goal}};
  const auto ours = [&] {
    const auto store = template_.open(folder_.file("control.db"));
    JobMaker jobs(kSeed, shape.tenants);
    const Stopwatch filling;
    fill(*store, jobs, shape.backlog, Log::checkpointed, shape.together);
    const Sample filled = filling.rate(shape.backlog);
    const Stopwatch draining;
    require_all(drain(*store), shape.backlog);
    return std::vector{filled, draining.rate(shape.backlog)};
  };
  const auto yardstick = [&] {
    const auto open = open_yardstick(folder_.file("yardstick.db"), YARDSTICK_FULL);
    const Stopwatch filling;
    fill(open.get(), shape.backlog, shape.together);
    const Sample filled = filling.rate(shape.backlog);
    yardstick_set_sync(open.get(), YARDSTICK_NORMAL);
    const Stopwatch draining;
    require_all(drain(open.get()), shape.backlog);
    return std::vector{filled, draining.rate(shape.backlog)};
  };
  take_turns(options_, figures, ours, yardstick);
}

double wal_bytes(const std::filesystem::path& file) {
  return static_cast<double>(std::filesystem::file_size(file.string() + "-wal"));
}

// From the enqueue to the settled end. A reader of the first moment keeps the log from starting over, so its size is what
// was written to it.
void Bench::log_bytes(std::string number, std::size_t together, double goal) {
  const std::size_t wanted = options_.backlog_or(5'000, kLogBacklog);
  const std::size_t backlog = wanted / together * together;
  std::vector<Figure> figures{
      {.number = std::move(number),
       .what = fmt::format("log bytes a job, enqueued {} and finished 100 a commit, settled, backlog {}",
                           together, backlog),
       .unit = "bytes",
       .goal = {.ours_max = goal}}};
  const auto ours = [&] {
    const auto file = folder_.file("control.db");
    const auto store = template_.open(file);
    JobMaker jobs(kSeed);
    double bytes = 0;
    store->read([&](queue::JobReader& reader) {
      static_cast<void>(reader.summary());
      fill(*store, jobs, backlog, Log::kept, together);
      require_all(drain(*store, Log::kept), backlog);
      tidy(*store, Log::kept);
      bytes = wal_bytes(file);
    });
    return std::vector{Sample{.value = bytes / static_cast<double>(backlog)}};
  };
  const auto yardstick = [&] {
    const auto file = folder_.file("yardstick.db");
    const auto open = open_yardstick(file, YARDSTICK_NORMAL, Log::kept);
    fill(open.get(), backlog, together);
    require_all(drain(open.get()), backlog);
    return std::vector{Sample{.value = wal_bytes(file) / static_cast<double>(backlog)}};
  };
  take_turns(options_, figures, ours, yardstick);
}

void require_unsettled(const std::filesystem::path& file, std::size_t wanted) {
  sqlite::Connection control(file, {.access = sqlite::Access::read_only});
  const std::int64_t found = control.statement(kUnsettled).row().integer(0);
  if (found != static_cast<std::int64_t>(wanted))
    throw std::runtime_error(fmt::format("{} ends of {} are not settled", found, wanted));
}

// As a dispatcher that follows what comes in has them absorbed into their lanes.
void absorb(queue::Store& store, const std::filesystem::path& file, std::size_t waiting) {
  queue::JobSeq last{0};
  for (bool has_more = true; has_more;) {
    store.write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
      queue::LaneReader& reader = writer.reader();
      if (last.value == 0) static_cast<void>(reader.lanes(std::nullopt, 1));
      const auto rows = reader.arrivals(std::max(last, reader.known_until()), kBulk);
      has_more = !rows.empty();
      if (has_more) last = rows.back().seq;
    });
    store.checkpoint(kWalBytesMax);
  }
  tidy(store);
  sqlite::Connection control(file, {.access = sqlite::Access::read_only});
  const std::int64_t found = control.statement(kAbsorbed).row().integer(0);
  if (found * 10 < static_cast<std::int64_t>(waiting) * 9)
    throw std::runtime_error(fmt::format("{} jobs of {} are in their lanes", found, waiting));
}

void Bench::first_pages(const Listed& listed) {
  const auto file = folder_.file("control.db");
  const auto store = template_.open(file);
  {
    JobMaker jobs(kSeed);
    fill(*store, jobs, listed.ended);
    require_all(drain(*store), listed.ended);
    if (listed.is_settled) tidy(*store);
    fill(*store, jobs, listed.waiting);
    if (listed.is_absorbed) absorb(*store, file, listed.waiting);
  }
  if (!listed.is_settled) require_unsettled(file, listed.ended);
  const std::string quiet = tenant_name(kTenants - 1).text();
  for (const std::string& filter :
       {std::string{}, "tenant=" + quiet, std::string{"tenant=tenant-0"}, std::string{"state=ready"},
        std::string{"state=succeeded"}, std::string{"state=dead"}})
    first_page(*store, listed, filter);
  if (listed.is_settled) all_pages(*store, listed);
}

// A page is asked for anew each time, as each call of the CLI does, and then the count of what matches behind it.
void Bench::first_page(queue::Store& store, const Listed& listed, const std::string& filter) {
  const std::string over = fmt::format("jobs, newest first, {}, {} ended and {}settled, {} waiting",
                                       filter.empty() ? "all" : filter, listed.ended,
                                       listed.is_settled ? "" : "not ", listed.waiting);
  std::vector<Figure> figures{
      {.number = listed.number,
       .what = "first page of " + over,
       .unit = "ms",
       .goal = {.ours_max = 200},
       .decimals = 1},
      {.number = listed.number, .what = "count of " + over, .unit = "ms", .goal = {}, .decimals = 1}};
  const RealClock clock;
  const auto ours = [&] {
    const WallTime when = clock.wall();
    const std::vector<std::string> words(filter.empty() ? 0 : 1, filter);
    const auto parsed = value_or_raise(queue::parse_filter(words, queue::job_filter_fields(), when));
    queue::ListOptions asked{.limit = kPageJobs + 1, .looks_max = kLooksOfTenure};
    bool has_more = false;
    const Stopwatch page;
    store.read([&](queue::JobReader& reader) {
      has_more = reader.list_jobs(parsed, asked, when).jobs.size() > kPageJobs;
    });
    const double page_ms = page.seconds() * 1e3;
    asked.limit = kCounted + 1;
    const Stopwatch count;
    if (has_more)
      store.read(
          [&](queue::JobReader& reader) { static_cast<void>(reader.count_jobs(parsed, asked, when)); });
    return std::vector{Sample{.value = page_ms}, Sample{.value = count.seconds() * 1e3}};
  };
  take_turns(options_, figures, ours, [] { return std::vector<Sample>{}; });
}

// Each page in a snapshot of its own, as an operator turns them. A thousand jobs each, which were enqueued in one commit, have the
// same time. Throws where a job comes twice or not at all.
void Bench::all_pages(queue::Store& store, const Listed& listed) {
  std::vector<Figure> figures{{.number = listed.number,
                               .what = fmt::format("all {} jobs in pages of {}, equal times by thousands",
                                                   listed.ended + listed.waiting, kLargePageJobs),
                               .unit = "jobs/s",
                               .goal = {}}};
  const RealClock clock;
  const auto ours = [&] {
    const Stopwatch watch;
    std::size_t seen = 0;
    queue::ListOptions options{.limit = kLargePageJobs, .order = queue::ListOrder::newest_first};
    for (std::size_t page = kLargePageJobs; page == kLargePageJobs;) {
      store.read([&](queue::JobReader& reader) {
        const auto jobs = reader.list_jobs({}, options, clock.wall()).jobs;
        for (const queue::JobRecord& job : jobs) {
          if (options.after && job.seq >= *options.after) throw std::runtime_error("a job came twice");
          options.after = job.seq;
        }
        page = jobs.size();
      });
      seen += page;
    }
    require_all(seen, listed.ended + listed.waiting, "listed");
    return std::vector{watch.rate(seen)};
  };
  take_turns(options_, figures, ours, [] { return std::vector<Sample>{}; });
}

}  // namespace

int main(int argc, char** argv) {
  return bench_main(
      argc, argv,
      {.name = "bench_store",
       .what = "the store alone, in one process",
       .measure = [](const Options& options, ScratchFolder& folder) { Bench(options, folder).run(); }});
}
