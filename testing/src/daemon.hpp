#pragma once

#include "fault_list.hpp"
#include "run_watch.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/jobs/perform.hpp>
#include <tenure/jobs/registry.hpp>
#include <tenure/queue/store.hpp>
#include <tenure/testing/runs.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

// A tenured and its worker process, in this thread and on virtual time.
namespace tenure::testing::detail {

// What it works with. All outlive it.
struct Surroundings {
  queue::Store& store;  // unwatched: what it writes itself is no news
  VirtualClock& clock;
  const JobRegistry& jobs;
  const PerformerOptions& performing;
  FaultList& faults;
  // One run, with whatever goes wrong around it.
  std::function<queue::AttemptEnd(const queue::AssignedJob&, queue::RunNotes&)> perform;
  std::function<void(const queue::OutboxOwner&, queue::OutboxSeq)> clear_outbox;
  std::function<void()> on_crash;
  std::function<void(const JobRun&)> on_run;  // that has ended
  // Null: nobody. Where there is one, what a run tells of itself is stored at once.
  RunWatch* watch = nullptr;
};

// What it is started for.
struct Work {
  // Asked of each claim, with the same answer until it was performed; what is not taken is given back when it stops.
  std::function<bool(const queue::ClaimedJob&)> takes;
  std::size_t runs_max = 0;
  int slots = 1;  // of its worker process; what it does not take keeps one until it stops
  std::optional<std::size_t> left_max = {};  // so many may do that
  std::optional<Instant> until = {};  // time moves on to it while nothing is to do; nothing: it stands still
  std::vector<std::string> queues;
  std::uint64_t seed = 1;
};

// Carries out what the real dispatcher wants: rounds at once, and jobs one after the other on one worker process.
// Each call of work() is one life of a daemon, from its start to an orderly stop.
class Daemon {
 public:
  Daemon(const Surroundings& surroundings, Work work);

  // LoopGuardReached, behind an orderly stop; what the store throws as no retry heals.
  Runs work();
  // Somebody else has written to the queue.
  void hint();

 private:
  struct AssignedTo {
    queue::ProcessNumber process;
    queue::ClaimedJob job;
    bool is_meant = false;
  };

  enum class Performed : std::uint8_t { one, none, too_many };

  // As the daemon's own start does; `former_died`: the one before has crashed.
  void start(bool former_died);
  // False where there were too many runs.
  [[nodiscard]] bool work_until_idle();
  void stop();

  // False where nothing happens at this moment any more.
  [[nodiscard]] bool run_one();
  [[nodiscard]] bool move_on();
  [[nodiscard]] Performed perform_next();

  void step(daemon::Event event);
  void on(daemon::RunRound& action);
  void on(daemon::StartProcess& action);
  void on(daemon::Assign& action);
  void on(daemon::Recall& action);
  void on(daemon::Drain& action);
  void on(daemon::EndProcess& action);
  void on(daemon::Ping& action);
  void on(daemon::AcknowledgeOutbox& action);
  void on(daemon::WakeAt& action);
  void on(daemon::Leave& action);
  // Of logs and of runs under way, of which there are none between two steps.
  void on(daemon::Note&) {}
  void on(daemon::Describe&) {}
  void on(daemon::FormerClaimsTaken&) {}
  void on(daemon::Serving&) {}
  void on(daemon::GiveStopToken&) {}

  [[nodiscard]] bool would_claim_any(const daemon::RoundWork& work);
  [[nodiscard]] bool crashes_at(CrashPoint point);
  [[nodiscard]] daemon::RoundReply carry_out(const daemon::RoundWork& work);
  [[nodiscard]] queue::AttemptEnd perform(const queue::AssignedJob& job, queue::RunNotes& notes);
  // What the run has told of itself and is not told yet.
  void tell(queue::ProcessNumber process, queue::RunNotes& notes);
  // As not started, what that process has of what is meant.
  void give_back(queue::ProcessNumber process, const std::function<bool(const queue::ClaimRef&)>& is_meant);
  void gone(queue::ProcessNumber process, const queue::ProcessExit& exit);
  [[nodiscard]] bool leaves_too_many() const;
  [[nodiscard]] std::string guard_text() const;

  const Surroundings& around_;
  const Work work_;
  std::optional<daemon::Dispatcher> dispatcher_;
  std::deque<daemon::Event> events_;
  std::deque<AssignedTo> assigned_;
  daemon::TimeLimits time_limits_;  // of kinds; there is no pool to have another
  std::optional<Instant> wake_;
  std::chrono::microseconds waited_{0};  // during a stop, which takes no time of the world's
  std::int64_t life_ = 0;                // another one behind each crash
  bool has_left_ = false;
  std::optional<Failure> lost_;  // the queue is of no use any more
  Runs runs_;
};

}  // namespace tenure::testing::detail
