#pragma once

#include "attempt_outcome.hpp"
#include "claim_plan.hpp"
#include "lanes.hpp"
#include "processes.hpp"
#include "stopping.hpp"
#include "usual_run_time.hpp"

#include <tenure/base/random.hpp>
#include <tenure/daemon/dispatcher.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

// The dispatcher's inside. machine.cpp holds what each event does, machine_rounds.cpp what goes into a round and what its
// answer changes.
namespace tenure::daemon {

inline constexpr std::chrono::milliseconds kRoundRetryMin{100};
inline constexpr std::chrono::milliseconds kRoundRetryMax{5000};
// Of the looks that only time asks for, one in so many does not trust the change counter: it may not count what was written
// through the dispatcher's own connection.
inline constexpr std::uint64_t kLooksPerFullLook = 10;
inline constexpr std::chrono::milliseconds kRoundNotePause{1000};  // between two notes of failed rounds

struct Dispatcher::Impl {
  explicit Impl(DispatcherSettings given);

  [[nodiscard]] Actions step(Event&& event, Now now);
  [[nodiscard]] DispatcherStatus status() const;
  [[nodiscard]] const Lanes& lanes() const { return lanes_; }

 private:
  // What a new incarnation does before it is at work, in this order.
  enum class Stage : std::uint8_t { opening, reclaiming, scanning, working };

  // machine.cpp
  void on(const Started& event);
  void on(const TimePassed& event);
  void on(const Hinted& event);
  void on(RoundDone& event);  // takes the claimed jobs out of it
  void on(const RoundFailed& event);
  void on(const WorkerReady& event);
  void on(const AttemptsEnded& event);
  void on(const WorkerGone& event);
  void on(const Ponged& event);
  void on(const StopAsked& event);
  void give_up(const Failure& failure);
  void attempt_ended(Process& process, const AttemptEnd& end);
  void job_left(const Process& process, const OutstandingJob& job,
                std::optional<std::chrono::microseconds> run_time);
  void tick();
  void leave_if_done();
  void set_wake();
  [[nodiscard]] Instant at(WallTime time) const;

  // machine_rounds.cpp
  void start_round();
  [[nodiscard]] RoundWork work_of_stage();
  void add_ends(RoundWork& work);
  void add_looks(RoundWork& work);
  void add_claims(RoundWork& work);
  void absorb(RoundReply& reply);
  void absorb_stage(const RoundReply& reply);
  void absorb_ends(const RoundReply& reply);
  void absorb_end(const PendingEnd& pending, queue::JobState state);
  void absorb_names(const RoundReply& reply);
  void absorb_arrivals(const RoundReply& reply);
  void absorb_unblocked(const std::vector<queue::JobArrival>& page);
  void absorb_row(const queue::JobArrival& row);
  void absorb_claims(RoundReply& reply);
  void absorb_claim(const PlannedClaim& claim, queue::ClaimReply& reply, std::size_t first_action);
  void count_assigned(Process& process, const std::vector<queue::ClaimedJob>& jobs);
  void assign(ProcessNumber process, std::vector<queue::ClaimedJob> jobs, std::size_t first_action);
  void undo_round();
  void recall_for_newcomers();
  void known_due(WallTime due);
  [[nodiscard]] bool is_outstanding(queue::JobSeq seq) const;

  const DispatcherSettings settings_;
  Random random_;
  Lanes lanes_;
  Processes processes_;
  std::vector<UsualRunTimes> usual_;  // for each pool
  ClaimPlan plan_;
  Stopping stopping_;
  DispatcherStatus figures_;  // those that only grow

  Now now_;  // of this step
  Actions actions_;
  std::optional<Instant> wake_;
  bool has_left_ = false;

  Stage stage_ = Stage::opening;
  queue::Incarnation incarnation_;
  std::int64_t next_counter_ = 1;
  std::optional<queue::Lane> scanned_until_;
  std::vector<TenantNumber> scanned_tenants_;  // whose states the next page asks for
  queue::JobSeq last_seq_;                     // the last whose arrival was read
  std::optional<WallTime> next_due_;
  bool look_now_ = true;
  // The look at blocked jobs that a hello asks for: how far it has come, so that rows which block again are not taken again.
  std::optional<queue::JobSeq> unblocked_until_;
  bool unblock_again_ = false;  // another hello came meanwhile: once more from the front, afterwards
  Instant next_look_;
  std::optional<std::int64_t> change_counter_;
  std::uint64_t idle_looks_ = 0;

  std::deque<PendingEnd> pending_;
  bool in_flight_ = false;
  RoundWork flight_;  // what was asked, without ends and claims
  std::vector<PendingEnd> flight_ends_;
  std::chrono::milliseconds retry_wait_{0};
  std::optional<Instant> retry_at_;
  std::optional<Instant> noted_;
};

}  // namespace tenure::daemon
