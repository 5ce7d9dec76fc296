#pragma once

#include "yardstick.h"

#include <tenure/base/random.hpp>
#include <tenure/base/uuid.hpp>
#include <tenure/queue/store.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

// What every benchmark puts into the queue, and a stand-in for the dispatcher that takes it out.
// Threads: one at a time; each thread has objects of its own.
namespace tenure::bench {

inline constexpr std::size_t kTenants = 1000;
inline constexpr std::size_t kPayloadBytes = 200;
inline constexpr std::size_t kRoundJobs = 100;  // claimed in one commit, by us and by the yardstick
inline constexpr std::int64_t kWalBytesMax =
    4LL << 20U;  // then the log is moved into the database, as SQLite itself does

// Numbers of tenants from 0; the nth comes 1/n as often as the first.
class ZipfTenants {
 public:
  explicit ZipfTenants(std::uint64_t seed, std::size_t tenants = kTenants);
  [[nodiscard]] std::size_t next();

 private:
  Random random_;
  std::vector<double> cumulative_;
};

[[nodiscard]] TenantName tenant_name(std::size_t tenant);
// JSON of kPayloadBytes.
[[nodiscard]] const std::string& payload();

// A control database with all tenants active. Later calls of one program copy the first, since 2,000 syncs take a while.
class ControlTemplate {
 public:
  explicit ControlTemplate(std::filesystem::path file);
  // With the tenants' databases, FOLDER/NAME.db of the application `bench`, for workers that look at them.
  ControlTemplate(std::filesystem::path file, const std::filesystem::path& tenants);
  // Opens a copy.
  [[nodiscard]] std::unique_ptr<queue::Store> open(const std::filesystem::path& file) const;

 private:
  std::filesystem::path file_;
};

[[nodiscard]] std::unique_ptr<queue::Store> open_control(const std::filesystem::path& file);

// Makes jobs one after the other, with new ids.
class JobMaker {
 public:
  explicit JobMaker(std::uint64_t seed, std::size_t tenants = kTenants, std::string kind = "bench.nothing");
  [[nodiscard]] queue::NewJob next(WallTime when);

 private:
  UuidGenerator ids_;
  ZipfTenants tenants_;
  std::vector<TenantName> names_;
  std::string kind_;
};

// Durably, in a commit of its own.
void enqueue_one(queue::Store& store, JobMaker& jobs, WallTime when);

// Whether the write-ahead log is moved into the database as it grows, or kept whole to see its size.
enum class Log : std::uint8_t { checkpointed, kept };

inline constexpr std::size_t kBulk = 1000;  // enqueued in one commit

// Enqueues `count` jobs, whole commits of `together`, durably.
void fill(queue::Store& store, JobMaker& jobs, std::size_t count, Log log = Log::checkpointed,
          std::size_t together = kBulk);

// What an idle daemon does until nothing is left: absorbs and settles.
void tidy(queue::Store& store, Log log = Log::checkpointed);

// Claims and finishes as the dispatcher does: the lanes in turns, at most 16 jobs of one a visit, one ordered commit a
// round, which finishes the jobs of the round before and claims the next.
class Drain {
 public:
  // Learns the lanes that are there.
  explicit Drain(queue::Store& store);
  // Returns how many jobs the round finished; 0 when everything is done.
  std::size_t round();
  // Whether a round would finish or claim anything.
  [[nodiscard]] bool has_work() const { return !ring_.empty() || !running_.empty(); }
  // Lanes of jobs that came after the last look.
  void look_for_arrivals();

 private:
  struct Place {
    queue::Lane lane;
    std::optional<queue::LanePlace> after;
  };
  void learn(const queue::Lane& lane);
  void claim_round(queue::StoreWriter& writer, WallTime when, std::vector<queue::ClaimRef>& claimed);

  queue::Store& store_;
  queue::Incarnation incarnation_;
  queue::JobSeq last_seq_;
  std::deque<Place> ring_;
  std::vector<queue::Lane> known_;  // sorted
  std::vector<queue::ClaimRef> running_;
  std::int64_t counter_ = 1;
};

// Rounds until nothing is left, with a sync of the ordered commits every 100 ms, as the daemon's store thread does it.
// Returns the number of jobs.
std::size_t drain(queue::Store& store, Log log = Log::checkpointed);

struct YardstickClose {
  void operator()(yardstick* each) const { yardstick_close(each); }
};
using Yardstick = std::unique_ptr<yardstick, YardstickClose>;

[[nodiscard]] Yardstick open_yardstick(const std::filesystem::path& file, yardstick_sync sync,
                                       Log log = Log::checkpointed);
// The same as above, in plain C: whole commits of `together` in, 100 a claim and a finish out.
void fill(yardstick* open, std::size_t count, std::size_t together = kBulk);
std::size_t drain(yardstick* open);

}  // namespace tenure::bench
