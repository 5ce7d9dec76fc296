#pragma once

#include <tenure/queue/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

// How long jobs that have ended are kept. A job that goes takes all with it that is its own: attempts, cursor, requests for its capture,
// notes of its capsules. Until then an enqueue of its id is that job (`existed`).
// Decision 38 says why: a job that needed long from its enqueue to its end may have left receipts long before that, which a control
// database from a backup would look for; so it stays at least as long as these do, however it has ended.
namespace tenure::queue {

struct Retention {
  // From the end of the job on; at least kRetentionMin each.
  std::chrono::milliseconds succeeded{std::chrono::hours{24}};
  std::chrono::milliseconds dead{std::chrono::hours{24 * 30}};
  std::chrono::milliseconds discarded{std::chrono::hours{24 * 7}};
  std::chrono::milliseconds cancelled{std::chrono::hours{24 * 7}};
  std::int64_t dead_max = 100'000;  // dead jobs; with more the oldest go first
  friend bool operator==(const Retention&, const Retention&) = default;
};
inline constexpr std::chrono::hours kRetentionMin{1};
inline constexpr std::chrono::hours kNeededLong{1};

// One look at all jobs: the rules, and the last job that is dead and goes since there are too many.
struct PrunePass {
  Retention rules;
  JobSeq dead_until{0};
};

// Of a job's row.
struct EndedJob {
  JobSeq seq;
  JobState state = JobState::succeeded;
  WallTime created{};
  WallTime finished{};
};
[[nodiscard]] bool is_prunable(const EndedJob& job, const PrunePass& pass, WallTime now);

struct Pruned {
  std::int64_t succeeded = 0;
  std::int64_t dead = 0;
  std::int64_t discarded = 0;
  std::int64_t cancelled = 0;
  [[nodiscard]] std::int64_t total() const { return succeeded + dead + discarded + cancelled; }
  Pruned& operator+=(const Pruned& other);
  friend bool operator==(const Pruned&, const Pruned&) = default;
};
void count(Pruned& pruned, JobState state);

struct PrunableJobs {
  std::vector<JobSeq> jobs;  // in their order
  Pruned counted;            // the same by their states
  JobSeq looked_until{0};    // the last row that was looked at
  bool is_end = false;       // nothing behind it can go yet
};

// A part of JobReader.
class RetentionReader {
 public:
  virtual ~RetentionReader() = default;
  [[nodiscard]] virtual PrunePass begin_pruning(const Retention& rules) = 0;
  // Looks at so many rows behind `after` at most.
  [[nodiscard]] virtual PrunableJobs prunable_jobs(JobSeq after, const PrunePass& pass, WallTime now,
                                                   std::size_t looks_max) = 0;
};

// A part of StoreWriter.
class RetentionWriter {
 public:
  virtual ~RetentionWriter() = default;
  // Removes those of them that may still go. The newest job of all stays, since the number of the next one is made from it.
  [[nodiscard]] virtual Pruned prune(std::span<const JobSeq> jobs, const PrunePass& pass, WallTime now) = 0;
  // Forgets at most `limit` of what is only kept to find jobs, up to that one, that are not there any more; how many.
  virtual std::int64_t forget_pruned(JobSeq until, std::size_t limit) = 0;
};

}  // namespace tenure::queue
