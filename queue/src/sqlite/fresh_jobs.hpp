#pragma once

#include "seq_set.hpp"
#include "tenant_ranges.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/store.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

// Jobs that were enqueued when due and have no row but their own. They are known by reading the tail of `job`, kept in memory by
// lane, and *absorbed*: what still waits gets rows of `ready`, in sorted batches, and the mark `absorbed` is raised over it in the
// same commit. A job that is claimed before that never enters `ready`. Internal; what it holds is bookkeeping of the process that
// claims, safe to lose and to make again.
//
// Invariants, inside a write transaction and after begin():
//   1 A job whose row says as_enqueued, that has no claim and has not ended, waits in `ready` if its sequence is at most absorbed(),
//     else it is fresh and has no row of `ready`.
//   2 Every fresh job up to tailed() is held here, in the order of its lane, and nothing else that could be claimed.
//   3 absorbed() <= tailed(), and where begin() reads anew it reads on at once to where tailed() ever was: whoever was told of a
//     job finds it.
// An operator in another process may end a fresh job that is held here: its commit raises the mark `withdrawn`, and from then on rows
// are looked at before they are absorbed, until memory holds none of that time.
// Memory follows the transaction at once. Where that is undone, forget() makes the next begin() read all anew. That a row is still
// the one it was held for is compared by whoever claims it; that another dispatcher has not claimed and ended it meanwhile is the
// promise of the dispatcher's lock.
// Threads: one at a time, in the write transaction; forget() from any.
namespace tenure::queue {

struct FreshLimits {
  std::size_t jobs_max = 65'536;      // in memory, 16 bytes each and their lanes
  std::size_t absorb_rows = 16'384;   // of `ready`, in one commit
  std::size_t tail_rows = 4'096;      // read on for a scan of lanes
  std::int64_t behind_max = 1 << 17;  // how far the mark may lie behind the tail while there is work
  std::int64_t behind_idle = 4'096;   // and while there is none
  TenantRangeLimits ranges;
};

class FreshJobs {
 public:
  explicit FreshJobs(const FreshLimits& limits) : limits_(limits), ranges_(limits.ranges) {}

  void forget() noexcept { is_stale_ = true; }

  // Once in each transaction before anything else: reads all anew where another process has taken over, or forget() was called.
  void begin(sqlite::Connection& connection);

  [[nodiscard]] JobSeq tailed() const { return tailed_; }
  [[nodiscard]] JobSeq absorbed() const { return absorbed_; }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] const FreshLimits& limits() const { return limits_; }

  // Reads the next rows, at most `limit`, and absorbs where memory is full. Their states as they stand now.
  std::vector<JobArrival> read_on(sqlite::Connection& connection, std::size_t limit);
  [[nodiscard]] bool is_held(const Lane& lane, const LanePlace& place) const;

  // Lanes behind `after` that hold a fresh job, in order.
  [[nodiscard]] std::vector<Lane> lanes(const std::optional<Lane>& after, std::size_t limit) const;
  // The first places of a lane behind `after`, at most `limit`, before `end`.
  void front(const Lane& lane, const LanePlace& after, const LanePlace& end, std::size_t limit,
             std::vector<LanePlace>& places) const;
  // It was claimed, or is not what it was held for.
  void remove(const Lane& lane, const LanePlace& place);
  // An operator ends a fresh job, in whatever process. Where is_in_use(), begin() comes before.
  void withdraw(sqlite::Connection& connection, const Lane& lane, const LanePlace& place);
  // Whether this process has ever asked what is fresh.
  [[nodiscard]] bool is_in_use() const { return incarnation_ >= 0; }
  // The claim of a job whose row says as_enqueued has ended and it waits again. False: it is not fresh any more and needs a row
  // of `ready`.
  [[nodiscard]] bool give_back(const Lane& lane, const LanePlace& place);

  // Makes `ready` rows of the oldest, at most absorb_rows, and raises the mark over them. False: nothing was worth a commit.
  bool absorb_when_idle(sqlite::Connection& connection);

 private:
  // Sorted by place from `head` on; what lies before it was taken from the front.
  struct Waiting {
    std::vector<LanePlace> places;
    std::size_t head = 0;
  };
  struct Entry {
    Lane lane;
    LanePlace place;
  };

  void restart(sqlite::Connection& connection);
  void insert(const Lane& lane, const LanePlace& place);
  [[nodiscard]] JobState take_in(sqlite::Connection& connection, const JobArrival& row,
                                 std::int64_t row_state);
  void absorb_oldest(sqlite::Connection& connection);
  [[nodiscard]] std::vector<Entry> oldest(JobSeq& until) const;
  void raise_mark(sqlite::Connection& connection, JobSeq until);

  const FreshLimits limits_;
  TenantRanges ranges_;  // what read_on() passes is told it
  std::map<Lane, Waiting> lanes_;
  std::size_t count_ = 0;
  JobSeq tailed_{0};
  JobSeq told_until_{0};  // the farthest that tailed_ ever was
  JobSeq absorbed_{-1};   // below every mark: the first begin() starts
  std::int64_t incarnation_ = -1;
  std::int64_t withdrawn_ = 0;  // the mark
  bool may_hold_withdrawn_ = false;
  // Of the time when it was read anew, above the mark: what the tail must not take for fresh.
  SeqSet ended_before_;
  SeqSet claimed_before_;
  std::atomic<bool> is_stale_{false};
};

[[nodiscard]] std::vector<const sqlite::Query*> fresh_queries();

}  // namespace tenure::queue
