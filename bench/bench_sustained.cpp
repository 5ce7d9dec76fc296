#include "child.hpp"
#include "measure.hpp"
#include "tenured.hpp"
#include "workload.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/wake_hint.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

// Figure 8: jobs come at half of the greatest rate while they are performed, and each waits from the moment when it *should* have been
// enqueued, so that a producer who is held up counts. The greatest rate is what the same producer and the same daemon reach in the
// same run when the producer never waits. The yardstick takes jobs that come as fast as ours, one process for each side.
namespace {

using namespace tenure;
using namespace tenure::bench;

constexpr std::uint64_t kSeed = 20260302;
constexpr std::int64_t kTickUs = 10'000;         // a batch of jobs comes every so often
constexpr std::chrono::milliseconds kLook{250};  // rarely: each reads all that has ended
constexpr std::size_t kWarmUp = 100;             // jobs, one each tick
constexpr const char* kTakerRole = "plain-taker";
const Programs kPrograms{.tenured = BENCH_TENURED, .worker = BENCH_WORKER};

// A job that has ended says so in its row, or in one of `ended`, where a few may stay.
constexpr sqlite::Query kAnyLeft{"any_left", R"sql(
  select exists (select 1 from job where state < 4 and seq not in (select seq from ended)))sql"};
constexpr sqlite::Query kSpan{"span", R"sql(
  select count(*), max(finished_us) - (select min(created_us) from job)
  from (select finished_us from job where state = 4
        union all select ended.finished_us from ended join job using (seq) where state < 4))sql"};
constexpr sqlite::Query kWaits{"waits", R"sql(
  select seq, started_us - due_us from job where state = 4
  union all select seq, ended.started_us - due_us from ended join job using (seq) where state < 4
  order by 1)sql"};

// Batches at their moments: `together` jobs every tick, from `start_us` on.
struct Course {
  std::int64_t start_us = 0;
  std::size_t together = 0;
  std::size_t batches = 0;

  [[nodiscard]] std::size_t jobs() const { return together * batches; }
  // When the nth job should be enqueued.
  [[nodiscard]] std::int64_t due_us(std::size_t nth) const {
    return start_us + static_cast<std::int64_t>(nth / together) * kTickUs;
  }
  void wait_for(std::size_t batch) const {
    const std::int64_t until = start_us + static_cast<std::int64_t>(batch) * kTickUs;
    std::this_thread::sleep_for(std::chrono::microseconds{std::max<std::int64_t>(0, until - steady_us())});
  }
};

class Bench {
 public:
  Bench(const Options& options, ScratchFolder& folder)
      : options_(options),
        folder_(folder),
        tenants_(folder.file("tenants")),
        template_(folder.file("template.db"), tenants_),
        filled_(options.backlog_or(5'000, 150'000)),
        seconds_(options.quick ? 1 : 6) {}

  void run();

 private:
  // Jobs a second of a producer that never waits, from the first enqueue to the last finish.
  [[nodiscard]] double greatest_rate();
  [[nodiscard]] Course course(double rate) const;
  [[nodiscard]] std::vector<Sample> sustained();
  // As many jobs as fast, of plain C.
  [[nodiscard]] std::vector<Sample> plain_sustained();

  const Options& options_;
  ScratchFolder& folder_;
  std::filesystem::path tenants_;
  ControlTemplate template_;
  std::size_t filled_;
  int seconds_;
  double rate_ = 0;  // of the last run of ours
};

double Bench::greatest_rate() {
  const auto file = folder_.file("control.db");
  const auto store = template_.open(file);
  Tenured daemon(kPrograms, folder_, file, tenants_);
  daemon.start();
  JobMaker jobs(kSeed);
  fill(*store, jobs, filled_, Log::kept);
  sqlite::Connection control(file, {.access = sqlite::Access::read_only});
  wait_until_none(daemon, control, kAnyLeft, kLook);
  auto span = control.statement(kSpan);
  const double rate = static_cast<double>(span.row().integer(0)) * 1e6 / static_cast<double>(span.integer(1));
  daemon.stop();
  return rate;
}

Course Bench::course(double rate) const {
  const double each = rate * static_cast<double>(kTickUs) / 1e6;
  return {.together = std::max<std::size_t>(1, static_cast<std::size_t>(each)),
          .batches = static_cast<std::size_t>(seconds_ * 1'000'000 / kTickUs)};
}

// A job is due when it should be enqueued, so its row tells how long it has waited.
void produce(queue::Store& store, const std::filesystem::path& file, const Course& course) {
  const RealClock clock;
  const WallTime start = clock.wall();
  JobMaker jobs(kSeed);
  for (std::size_t batch = 0; batch < course.batches; ++batch) {
    course.wait_for(batch);
    const WallTime due = start + std::chrono::microseconds{static_cast<std::int64_t>(batch) * kTickUs};
    store.write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      for (std::size_t i = 0; i < course.together; ++i)
        static_cast<void>(value_or_raise(writer.enqueue(jobs.next(due), clock.wall())));
    });
    queue::send_wake_hint(file);
  }
}

std::vector<Sample> Bench::sustained() {
  rate_ = greatest_rate() / 2;
  const auto file = folder_.file("control.db");
  const auto store = template_.open(file);
  Tenured daemon(kPrograms, folder_, file, tenants_);
  daemon.start();
  sqlite::Connection control(file, {.access = sqlite::Access::read_only});
  // The first ones wait for the worker processes, and are not counted.
  produce(*store, file, {.start_us = steady_us(), .together = 1, .batches = kWarmUp});
  Course measured = course(rate_);
  measured.start_us = steady_us();
  produce(*store, file, measured);
  wait_until_none(daemon, control, kAnyLeft, kLook);
  daemon.stop();
  std::vector<double> waits_ms;
  {
    auto waits = control.statement(kWaits);
    for (std::size_t nth = 0; waits.step(); ++nth)
      if (nth >= kWarmUp) waits_ms.push_back(static_cast<double>(waits.integer(1)) / 1e3);
  }
  if (waits_ms.size() != measured.jobs()) throw std::runtime_error("not all jobs have succeeded");
  return {{percentile(waits_ms, 0.99)}, {percentile(waits_ms, 0.5)}, {rate_}};
}

// DATABASE ANSWER START_US TOGETHER BATCHES: takes jobs until the whole course is taken, and says the 99th percentile and the median of
// their waits in microseconds. Jobs are taken in the order in which they came.
void take(const std::vector<std::string>& words) {
  const Course course{.start_us = std::stoll(words.at(3)),
                      .together = std::stoul(words.at(4)),
                      .batches = std::stoul(words.at(5))};
  const auto open = open_yardstick(words.at(1), YARDSTICK_NORMAL);
  std::vector<std::int64_t> claimed(kRoundJobs);
  std::vector<double> waits_us;
  while (waits_us.size() < course.jobs()) {
    const std::size_t found = yardstick_claim(open.get(), claimed.data(), claimed.size());
    const std::int64_t now_us = steady_us();
    for (std::size_t i = 0; i < found; ++i)
      waits_us.push_back(static_cast<double>(now_us - course.due_us(waits_us.size())));
    if (found > 0) yardstick_finish(open.get(), claimed.data(), found);
    else std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  std::ofstream(words.at(2)) << percentile(waits_us, 0.99) << ' ' << percentile(waits_us, 0.5) << '\n';
}

std::vector<Sample> Bench::plain_sustained() {
  const auto file = folder_.file("yardstick.db");
  const auto open = open_yardstick(file, YARDSTICK_FULL);
  const auto answer = folder_.file("answer");
  Course measured = course(rate_);
  measured.start_us = steady_us() + kTickUs;
  Child taker({own_program(), kTakerRole, file.string(), answer.string(), std::to_string(measured.start_us),
               std::to_string(measured.together), std::to_string(measured.batches)},
              folder_.file("log"));
  const std::vector<std::int64_t> tenants(measured.together, 1);
  for (std::size_t batch = 0; batch < measured.batches; ++batch) {
    measured.wait_for(batch);
    yardstick_enqueue(open.get(), tenants.data(), tenants.size(), payload().data(), payload().size());
  }
  taker.wait();
  double p99_us = 0;
  double p50_us = 0;
  std::ifstream(answer) >> p99_us >> p50_us;
  return {{p99_us / 1e3}, {p50_us / 1e3}, {rate_}};
}

void Bench::run() {
  std::vector<Figure> figures{
      {.number = "8",
       .what = fmt::format(
           "p99 wait, jobs at half of the greatest rate for {} s, one durable commit each 10 ms", seconds_),
       .unit = "ms",
       .goal = {.ours_max = 20},
       .decimals = 2},
      {.number = "8", .what = "p50 wait of the same", .unit = "ms", .goal = {}, .decimals = 2},
      {.number = "8", .what = "the rate of it", .unit = "jobs/s", .goal = {}}};
  take_turns(
      options_, figures, [&] { return sustained(); }, [&] { return plain_sustained(); });
}

}  // namespace

int main(int argc, char** argv) {
  return bench_main(argc, argv,
                    {.name = "bench_sustained",
                     .what = "jobs come and are performed at the same time",
                     .measure =
                         [](const Options& options, ScratchFolder& folder) {
                           if (options.wants("8")) Bench(options, folder).run();
                         },
                     .has_played_role =
                         [](const Options& options) {
                           if (options.rest.size() != 6 || options.rest[0] != kTakerRole) return false;
                           take(options.rest);
                           return true;
                         }});
}
