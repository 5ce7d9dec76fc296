#include "support/temporary_folder.hpp"

#include <tenure/base/random.hpp>
#include <tenure/base/uuid.hpp>
#include <tenure/queue/memory_store.hpp>
#include <tenure/queue/receipt_time.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <receipts/horizon_reader.hpp>
#include <receipts/horizons_in_force.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

// Jobs that run, fail, wait for operators and are retried, in any order with the pages of the scan, with ids of their own and clocks
// that leap: no run misses a receipt that an earlier one of its job has left.
namespace tenure::daemon {
namespace {

using namespace std::chrono_literals;
using queue::ClaimedJob;
using queue::JobId;
using queue::JobState;
using queue::StoreWriter;

constexpr std::array kTenants{"acme", "bolt"};

class ForgettingWorld {
 public:
  ForgettingWorld(queue::Store& store, VirtualClock& clock, std::uint64_t seed)
      : store_(store), clock_(clock), random_(seed), ids_(seed) {
    for (const char* name : kTenants) {
      value_or_raise(store.registry().begin_create(TenantName{name}, clock.wall()));
      value_or_raise(store.registry().activate(TenantName{name}, Generation{1}));
    }
    write([&](StoreWriter& writer) { life_ = writer.open_incarnation(1, "test", 1, clock_.wall()); });
  }

  void step() {
    switch (random_.below(10)) {
      case 0:
      case 1:
        return enqueue();
      case 2:
      case 3:
      case 4:
        return run_one();
      case 5:
        return static_cast<void>(reader_.pass());
      case 6:
        return retry_ended();
      case 7:
        return clock_.advance(std::chrono::seconds{random_.below(100)});
      case 8:
        if (random_.below(4) == 0) clock_.advance(std::chrono::hours{random_.below(72)});
        return;
      default:
        if (random_.below(60) == 0)
          clock_.jump_wall(std::chrono::hours{24 * 365} * (random_.below(2) == 0 ? 1 : -1));
        while (store_.tidy()) {
        }
    }
  }
  // With all that may be forgotten looked at once.
  void be_quiet() {
    clock_.advance(queue::kReceiptsKeptFor + 1us);
    while (store_.tidy()) {
    }
    for (const Instant end = clock_.steady() + HorizonScan::kEvery + 1s; clock_.steady() < end;)
      clock_.advance(std::max<std::chrono::microseconds>(reader_.pass(), 1ms));
    for (int each = 0; each < 4; ++each) enqueue();
    while (run_one_of(claim())) {
    }
  }

  std::int64_t rerun = 0;  // runs that met a receipt
  std::int64_t forgotten = 0;
  std::vector<std::string> doubled;  // steps that were done again

 private:
  struct File {
    std::map<JobId, WallTime> receipts;
    JobId horizon;
  };

  void write(FunctionRef<void(StoreWriter&)> work) { store_.write(queue::Durability::ordered, work); }
  // Half of them in the order of time, the others anywhere before or behind them.
  JobId new_id() {
    if (random_.below(2) == 0) return JobId{ids_.next(clock_.wall())};
    Uuid::Bytes bytes{};
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random_.below(256));
    return JobId{Uuid{bytes}};
  }
  void enqueue() {
    const WallTime now = clock_.wall();
    write([&](StoreWriter& writer) {
      value_or_raise(writer.enqueue({.id = new_id(),
                                     .tenant = TenantName{kTenants.at(random_.below(kTenants.size()))},
                                     .generation = Generation{1},
                                     .queue = "default",
                                     .kind = "books.pay",
                                     .priority = {},
                                     .due = now + (random_.below(4) == 0 ? 200h : 0h),
                                     .attempts_max = 5,
                                     .arguments = "{}"},
                                    now));
    });
  }
  std::optional<ClaimedJob> claim() {
    std::optional<ClaimedJob> claimed;
    write([&](StoreWriter& writer) {
      static_cast<void>(writer.promote(clock_.wall(), 100));
      const auto lanes = writer.reader().lanes(std::nullopt, 10);
      if (lanes.empty()) return;
      const queue::Lane& lane = lanes.at(random_.below(lanes.size()));
      auto reply = writer.claim({.queue = lane.queue,
                                 .priority = lane.priority,
                                 .tenant = lane.tenant,
                                 .kinds = {{lane.kind, std::nullopt}},
                                 .incarnation = life_,
                                 .first_counter = ++counter_,
                                 .process = queue::ProcessNumber{1}},
                                clock_.wall());
      if (!reply.jobs.empty()) claimed = std::move(reply.jobs.front());
    });
    return claimed;
  }
  void run_one() { static_cast<void>(run_one_of(claim())); }
  bool run_one_of(std::optional<ClaimedJob> job) {
    if (!job) return false;
    File& file = files_[job->lane.tenant];
    file.horizon = in_force_.of(*job, {clock_.wall(), clock_.steady()});
    once(file, job->id);
    end(*job);
    return true;
  }
  void once(File& file, JobId job) {
    if (file.receipts.contains(job)) {
      ++rerun;
      return;
    }
    if (!done_.insert(job).second) doubled.push_back(job.text());
    const WallTime now = clock_.wall();
    file.receipts.emplace(job, now);
    forgotten += static_cast<std::int64_t>(std::erase_if(file.receipts, [&](const auto& receipt) {
      return receipt.first < file.horizon && receipt.second < now - queue::kReceiptsKeptFor;
    }));
  }
  void end(const ClaimedJob& job) {
    const queue::ClaimRef claim{job.seq, job.token};
    const WallTime now = clock_.wall();
    write([&](StoreWriter& writer) {
      switch (random_.below(6)) {
        case 0:
          return value_or_raise(writer.release(claim, true, {}, now));
        case 1:
          if (job.failures + 1 < job.attempts_max)
            return value_or_raise(writer.retry(claim, now + 1h, {}, now));
          [[fallthrough]];
        case 2: {
          const auto state =
              std::array{JobState::dead, JobState::discarded, JobState::cancelled}.at(random_.below(3));
          ended_.push_back(job.id);
          return value_or_raise(writer.finish(claim, state, queue::JobReason::by_rule, {}, now));
        }
        default:
          return value_or_raise(writer.finish_succeeded(claim, now));
      }
    });
  }
  void retry_ended() {
    if (ended_.empty() || random_.below(8) != 0) return;
    const std::size_t place = random_.below(ended_.size());
    write(
        [&](StoreWriter& writer) { value_or_raise(writer.retry_by_operator(ended_[place], clock_.wall())); });
    ended_.erase(ended_.begin() + static_cast<std::ptrdiff_t>(place));
  }

  queue::Store& store_;
  VirtualClock& clock_;
  Random random_;
  UuidGenerator ids_;
  queue::Incarnation life_;
  std::int64_t counter_ = 0;
  std::map<TenantNumber, File> files_;
  std::set<JobId> done_;
  std::vector<JobId> ended_;
  HorizonsInForce in_force_;
  HorizonReader reader_{store_, clock_, [this](auto horizons) { in_force_.use(std::move(horizons)); }};
};

struct Seen {
  std::int64_t reruns = 0;
  std::int64_t forgotten = 0;
};

void look_at(queue::Store& store, VirtualClock& clock, std::uint64_t seed, int steps, Seen& seen) {
  ForgettingWorld world(store, clock, seed);
  for (int step = 0; step < steps; ++step) world.step();
  world.be_quiet();
  EXPECT_TRUE(world.doubled.empty()) << "seed " << seed << ": " << world.doubled.front();
  seen.reruns += world.rerun;
  seen.forgotten += world.forgotten;
}

TEST(Forgetting, RUN_12_NoRunMissesAReceiptOfItsJobInMemory) {
  Seen seen;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    VirtualClock clock;
    const auto store = queue::make_memory_store();
    look_at(*store, clock, seed, 600, seen);
  }
  EXPECT_GT(seen.reruns, 1000);
  EXPECT_GT(seen.forgotten, 1000);
}

TEST(Forgetting, RUN_12_NoRunMissesAReceiptOfItsJobOnDisk) {
  Seen seen;
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    const testing::TemporaryFolder folder;
    VirtualClock clock;
    const auto store = queue::open_sqlite_store({.path = folder / "control.db", .create = true}, clock);
    look_at(*store, clock, seed, 600, seen);
  }
  EXPECT_GT(seen.reruns, 100);
  EXPECT_GT(seen.forgotten, 15);
}

}  // namespace
}  // namespace tenure::daemon
