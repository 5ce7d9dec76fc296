#pragma once

#include "lanes.hpp"
#include "outstanding.hpp"

#include <tenure/base/random.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/daemon/round.hpp>

#include <optional>
#include <string>

// How claims end: the rules, without any state.
namespace tenure::daemon {

// What becomes of a job whose worker has reported, and of its tenant.
struct EndOfAttempt {
  ClaimEnd end;
  TenantPause pause = TenantPause::none;
  bool says_nothing = false;  // of its tenant: it was stopped since an operator cancelled it
};
[[nodiscard]] EndOfAttempt end_of_attempt(const OutstandingJob& job, const AttemptEnd& attempt,
                                          const queue::RunPlace& place, WallTime now, Random& random);

// What the worker process says of the capsule of its run.
void note_capsule(ClaimEnd& end, const std::optional<queue::TakenCapsule>& capsule);
// The run ended with its process. Where it is charged with that, it counts as a try, whichever end was wished: jobs that end their
// processes, perhaps as they are captured, would be captured in vain until they are dead.
void note_capsule_lost(ClaimEnd& end);

enum class ProcessEnd : std::uint8_t {
  by_stop,       // we ended it: nobody is charged
  by_trouble,    // the world did: nobody is charged
  by_limit,      // we ended it for another job's time limit: nobody is charged
  named,         // it is this job's crash: charged
  beside_named,  // it is another job's crash: not charged
  alone,         // nobody is named, and no other job had begun: charged
  in_company,    // nobody is named, and others had begun too: charged, each of them
};
// Where a run was performed that its process ended with, and how a job that is not named is performed from then on; nothing where it
// cannot be given a process of its own.
struct LastRun {
  queue::RunPlace place;
  std::string cause;  // of the end
  std::optional<Alone> alone;
};
// What becomes of a job that was being performed when its process ended. The crash that would make it dead is charged only to a job
// that was named or alone, so nobody is dead by company: where nobody is named, each job is performed alone from then on (LoneJobs),
// and the next crash says whose it was.
[[nodiscard]] ClaimEnd end_with_process(const OutstandingJob& job, ProcessEnd end, const LastRun& run);

// What becomes of a job whose run had ended when its process did, before it was told.
[[nodiscard]] ClaimEnd end_untold(const OutstandingJob& job, const AttemptEnd& untold, const LastRun& run);

// How a job is performed the next time that was performed so, and is given back or has ended with its process.
[[nodiscard]] Alone alone_again(const Alone& before, const ClaimEnd& end);

// What becomes of a job that ran for longer than its time limit: a failed attempt.
[[nodiscard]] ClaimEnd end_at_time_limit(const OutstandingJob& job, const queue::RunPlace& place,
                                         WallTime now, Random& random);

// What becomes of a job whose daemon died while it was claimed. Only who performed alone is charged: whoever ends the daemon from outside,
// as often as he likes, hardly meets one and the same job alone three times.
[[nodiscard]] EndReclaim end_with_daemon(const queue::FormerClaim& claim);

// Its start-before time had come, and it has not begun.
[[nodiscard]] bool has_expired(const ClaimEnd& end);

// It was assigned and has not begun.
[[nodiscard]] ClaimEnd give_back_unstarted(const OutstandingJob& job);

}  // namespace tenure::daemon
