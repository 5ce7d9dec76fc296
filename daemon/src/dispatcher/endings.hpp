#pragma once

#include "arrivals.hpp"
#include "claim_ends.hpp"
#include "lanes.hpp"
#include "last_moment.hpp"
#include "lone_jobs.hpp"
#include "processes.hpp"
#include "remembered.hpp"
#include "usual_run_time.hpp"

#include <tenure/base/random.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/daemon/round.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What has ended and is not stored yet, from the report of a worker or the death of its process to the answer of the round that
// ends the claim. Accounts, usual run times and busy tenants are put right at once, the lanes when the store has answered.
//
// Invariant: what was added and has no answer is either pending or under way with one round, and in that order.
namespace tenure::daemon {

class Endings {
 public:
  // All must outlive it. `usual` has one entry for each pool; `seed` is of the jitter in retries.
  Endings(Lanes& lanes, Arrivals& arrivals, std::vector<UsualRunTimes>& usual, LoneJobs& lone_jobs,
          DispatcherStatus& figures, std::uint64_t seed);

  // A worker has reported. An attempt that is not outstanding there was reported before. `has_outbox`: what it tells of an outbox was taken.
  void attempt_ended(Process& process, const AttemptEnd& end, bool has_outbox, Now now);
  // `dead` has been taken out of the table, with all that it held. `can_be_alone`: whether a job can have a process of its own. The jobs
  // that are suspects now are returned.
  std::vector<queue::JobSeq> process_ended(const Process& dead, const WorkerGone& gone, bool can_be_alone,
                                           WallTime now);
  // Claimed for a process that cannot take it any more.
  void give_back(const queue::ClaimedJob& job, const std::optional<Alone>& alone = {});

  // The next ones, at most so many: under way until stored() or not_stored().
  [[nodiscard]] std::vector<ClaimEnd> take(std::size_t limit);
  // `states` are the answers, in order.
  void stored(const std::vector<ClaimEnd>& ends, const std::vector<Result<queue::JobState>>& states,
              Instant now);
  // All of them are pending again, before the others.
  void not_stored(const std::vector<ClaimEnd>& ends);

  // Of the claims that they end, but for those that are under way.
  [[nodiscard]] std::vector<queue::Lane> pending_lanes() const;
  [[nodiscard]] std::size_t pending() const { return pending_.size(); }
  [[nodiscard]] std::size_t under_way() const { return under_way_; }
  [[nodiscard]] std::size_t not_stored_yet() const { return unanswered_; }
  [[nodiscard]] bool all_stored() const { return pending_.empty() && under_way_ == 0; }

 private:
  void add(ClaimEnd end);
  // Of a job that `process` held.
  void add(const Process& process, ClaimEnd end);
  void stored(const ClaimEnd& end, queue::JobState state, Instant now);
  // Of a job that `dead` held.
  ClaimEnd last_end(const Process& dead, const LastMoment& moment, const OutstandingJob& job,
                    bool is_believed, const LastRun& run, WallTime now);
  // `run_time` is what the tenant really used; nothing where nobody knows, and then what was charged stays.
  void job_left(const Process& process, const OutstandingJob& job,
                std::optional<std::chrono::microseconds> run_time);
  [[nodiscard]] std::int64_t schema_wanted(const Process& process, const OutstandingJob& job,
                                           const ClaimEnd& end) const;
  void check() const;

  Lanes& lanes_;
  Arrivals& arrivals_;
  std::vector<UsualRunTimes>& usual_;
  LoneJobs& lone_jobs_;
  DispatcherStatus& figures_;
  Random random_;
  std::vector<ClaimEnd> pending_;
  std::size_t under_way_ = 0;
  std::size_t unanswered_ = 0;

  TENURE_REMEMBERS_BESIDE((lanes, arrivals, usual, lone_jobs, figures), random, pending_ends, ends_under_way,
                          unanswered)
};

}  // namespace tenure::daemon
