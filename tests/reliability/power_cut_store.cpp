// The control database while the power is cut: jobs are enqueued by real commits, and a process that stands for the dispatcher claims
// and ends them, absorbs and settles all the time, with limits so small that nearly each cut falls beside one of these commits. The
// record is that of power_cut_load.cpp.
//   power_cut_store prepare DATABASE
//   power_cut_store enqueue DATABASE RECORD CUT.PROCESS durable|ordered   from four threads, for ever
//   power_cut_store claim   DATABASE RECORD                               for ever, by ordered commits
//   power_cut_store drain   DATABASE RECORD                               until nothing is left, then settles
//   power_cut_store check   DATABASE RECORD [final]                       the verdict, as power_cut_check prints it
#include "record.hpp"
#include "sqlite/sqlite_store.hpp"
#include "support/job_places.hpp"
#include "verdict.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>

#include <array>
#include <charconv>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>
#include <vector>

namespace tenure::reliability {
namespace {

using queue::Durability;
using queue::SqliteStore;
using queue::StoreWriter;
using sqlite::Connection;
using sqlite::Query;

constexpr int kThreads = 4;
constexpr std::array<const char*, 2> kTenants{"acme", "bolt"};
constexpr int kRoundsBetweenCheckpoints = 50;  // few, so that cuts also hit checkpoints
constexpr std::size_t kClaimed = 16;
// One in so many jobs states a concurrency key, of which so many run: those that wait for it must come out of its line after each cut.
constexpr int kJobsPerKeyed = 4;
constexpr int kRunningOfKey = 6;

queue::BookkeepingLimits eager_limits() {
  queue::BookkeepingLimits limits;
  limits.fresh = {.jobs_max = 48,
                  .absorb_rows = 16,
                  .tail_rows = 16,
                  .behind_max = 64,
                  .behind_idle = 8,
                  .ranges = {.length = 8}};
  limits.settle = {.rows_max = 40,
                   .rows_idle = 1,
                   .batch_rows = 16,
                   .commit_rows = 8,
                   .delete_rows = 8,
                   .rows_between_looks = 10};
  return limits;
}

const RealClock& real_clock() {
  static const RealClock clock;
  return clock;
}

WallTime now() { return real_clock().wall(); }

SqliteStore open_store(const std::string& path, bool create = false) {
  return SqliteStore{{.path = path, .create = create}, real_clock(), eager_limits()};
}

// No two of a run are the same: the cut, the process, the thread, and its how many-th.
class Ids {
 public:
  Ids(const std::string& name, int thread) {
    int cut = 0;
    const char* const end = name.data() + name.size();
    const auto [dot, error] = std::from_chars(name.data(), end, cut);
    int process = 0;
    if (error == std::errc{}) std::from_chars(dot + 1, end, process);
    prefix_ = (std::uint64_t(cut) << 16U) | (std::uint64_t(process) << 8U) | std::uint64_t(thread);
  }
  queue::JobId next() {
    Uuid::Bytes bytes{};
    ++number_;
    for (std::size_t byte = 0; byte < 8; ++byte) {
      bytes[7 - byte] = static_cast<std::uint8_t>(prefix_ >> (8 * byte));
      bytes[15 - byte] = static_cast<std::uint8_t>(number_ >> (8 * byte));
    }
    return queue::JobId{Uuid{bytes}};
  }

 private:
  std::uint64_t prefix_ = 0;
  std::uint64_t number_ = 0;
};

void enqueue(SqliteStore& store, const Record& record, Ids ids, int thread, Durability durability) {
  const std::string arguments = R"({"text":")" + std::string(280, 'x') + R"("})";
  int number = 0;
  for (;;) {
    queue::NewJob job{.id = ids.next(),
                      .tenant = TenantName{kTenants[static_cast<std::size_t>(thread % 2)]},
                      .generation = {},
                      .queue = thread % 2 == 0 ? "default" : "mail",
                      .kind = "power.cut",
                      .priority = queue::Priority{thread},
                      .due = now(),
                      .attempts_max = 3,
                      .arguments = arguments};
    if (++number % kJobsPerKeyed == 0)
      job.concurrency =
          ConcurrencyKey{.key = "limited", .running_max = kRunningOfKey, .is_global = thread > 1};
    record.tell('+', job.id.text());
    store.write(durability, [&](StoreWriter& writer) {
      static_cast<void>(value_or_raise(writer.enqueue(job, job.due)));
    });
    record.tell('=', job.id.text());
  }
}

void enqueue_from_threads(SqliteStore& store, const Record& record, const std::string& name,
                          Durability durability) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([&, thread] {
      try {
        enqueue(store, record, Ids{name, thread}, thread, durability);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "enqueue: %s\n", error.what());
        ::_exit(1);
      }
    });
  for (std::thread& thread : threads) thread.join();
}

// Ends what it claimed in the commit before, and claims from the front of each lane.
class Claimer {
 public:
  explicit Claimer(SqliteStore& store) : store_(store) {
    store_.write(Durability::durable, [&](StoreWriter& writer) {
      incarnation_ = writer.open_incarnation(0, "node", ::getpid(), now());
      while (!writer.reclaim_of_former_holders(incarnation_, 100, now()).empty()) continue;
    });
  }

  // False where there was nothing to do.
  bool round() {
    const std::size_t ended = running_.size();
    std::vector<queue::ClaimRef> claimed;
    store_.write(Durability::ordered, [&](StoreWriter& writer) {
      claimed.clear();
      for (const queue::ClaimRef& claim : running_) value_or_raise(writer.finish_succeeded(claim, now()));
      for (auto page = writer.reader().arrivals(known_until_, 16); !page.empty();
           page = writer.reader().arrivals(known_until_, 16))
        known_until_ = page.back().seq;
      static_cast<void>(writer.take_lane_hints(100));  // lanes are read anew each time
      for (const queue::Lane& lane : writer.reader().lanes(std::nullopt, 100)) claim(writer, lane, claimed);
    });
    running_ = std::move(claimed);
    return ended + running_.size() > 0;
  }

 private:
  void claim(StoreWriter& writer, const queue::Lane& lane, std::vector<queue::ClaimRef>& claimed) {
    const auto reply = writer.claim({.queue = lane.queue,
                                     .priority = lane.priority,
                                     .tenant = lane.tenant,
                                     .kinds = {{lane.kind, std::nullopt}},
                                     .count = kClaimed,
                                     .incarnation = incarnation_,
                                     .first_counter = counter_,
                                     .process = queue::ProcessNumber{1}},
                                    now());
    counter_ += static_cast<std::int64_t>(reply.jobs.size());
    for (const queue::ClaimedJob& job : reply.jobs) claimed.push_back({job.seq, job.token});
  }

  SqliteStore& store_;
  queue::Incarnation incarnation_;
  queue::JobSeq known_until_{0};
  std::int64_t counter_ = 1;
  std::vector<queue::ClaimRef> running_;
};

void claim(SqliteStore& store, const Record& record, bool until_empty) {
  Claimer claimer(store);
  for (int rounds = 1;; ++rounds) {
    const bool was_busy = claimer.round();
    const bool has_kept_books = store.tidy();
    if (has_kept_books) record.tell('b', "");
    if (until_empty && !was_busy && !has_kept_books) return;
    if (rounds % kRoundsBetweenCheckpoints != 0) continue;
    store.checkpoint(0);
    record.tell('c', "");
  }
}

constexpr Query kIntegrity{"integrity_check", "pragma integrity_check"};
constexpr Query kIds{"ids", "select id from job"};
constexpr Query kOverrun{"overrun", R"sql(
  select claim.key, count(*) from claim join job_key on job_key.seq = claim.seq
  group by claim.key having count(*) > min(job_key.running_max))sql"};
constexpr Query kNotEnded{"not_ended", R"sql(
  select count(*) from job where state <> 4 and not exists (select 1 from ended where ended.seq = job.seq))sql"};

int check(const std::string& path, const char* record_file, bool is_final) {
  Connection connection{path, {}};
  const std::string integrity{connection.statement(kIntegrity).row().text(0)};
  if (integrity != "ok") {
    std::fprintf(stderr, "power_cut_store: %s\n", integrity.c_str());
    return 3;
  }
  std::unordered_map<std::string, std::int64_t> stored;
  {
    auto row = connection.statement(kIds);
    while (row.step()) ++stored[Uuid::from_bytes(row.blob(0)).value().text()];
  }
  const Recorded record{record_file};
  Verdict verdict = judge(stored, record);
  for (const std::string& line : testing::misplaced_jobs(connection))
    verdict.count(verdict.unexpected, "unexpected", line);
  {
    auto row = connection.statement(kOverrun);
    while (row.step()) verdict.count(verdict.unexpected, "overrun", std::string{row.text(0)});
  }
  if (is_final) verdict.stuck = connection.statement(kNotEnded).row().integer(0);
  verdict.print(record);
  return verdict.is_good() ? 0 : 1;
}

int run(std::string_view role, const std::vector<std::string>& arguments) {
  const std::string& path = arguments.at(0);
  if (role == "check")
    return check(path, arguments.at(1).c_str(), arguments.size() > 2 && arguments[2] == "final");
  SqliteStore store = open_store(path, role == "prepare");
  if (role == "prepare") {
    for (const char* const name : kTenants) {
      const auto record = value_or_raise(store.registry().begin_create(TenantName{name}, now()));
      value_or_raise(store.registry().activate(record.name, record.generation));
    }
    return 0;
  }
  const Record record{arguments.at(1).c_str()};
  if (role == "enqueue")
    enqueue_from_threads(store, record, arguments.at(2),
                         arguments.at(3) == "durable" ? Durability::durable : Durability::ordered);
  else if (role == "claim" || role == "drain") claim(store, record, role == "drain");
  else return 2;
  return 0;
}

}  // namespace
}  // namespace tenure::reliability

int main(int argc, char** argv) {
  try {
    return argc < 3 ? 2 : tenure::reliability::run(argv[1], {argv + 2, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "power_cut_store %s: %s\n", argv[1], error.what());
    return argc > 1 && std::string_view{argv[1]} == "check" ? 3 : 1;
  }
}
