#pragma once

#include "lanes.hpp"
#include "outstanding.hpp"

#include <tenure/base/random.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/daemon/round.hpp>

#include <string>

// How claims end: the rules, without any state.
namespace tenure::daemon {

// What becomes of a job whose worker has reported, and of its tenant.
struct EndOfAttempt {
  ClaimEnd end;
  TenantPause pause = TenantPause::none;
  bool says_nothing = false;  // of its tenant: it was stopped since an operator cancelled it
};
[[nodiscard]] EndOfAttempt end_of_attempt(const OutstandingJob& job, const AttemptEnd& attempt, WallTime now,
                                          Random& random);

enum class ProcessEnd : std::uint8_t {
  by_stop,     // we ended it: nobody is charged
  by_trouble,  // the world did: nobody is charged
  by_limit,    // we ended it for another job's time limit: nobody is charged
  alone,       // it held this job only: the job is charged
  in_company,  // it held others too, and nobody knows which one it was
};
// What becomes of a job that was being performed when its process ended. The crash that would make it dead is charged only to a job
// that was alone, so nobody is dead by company: what was in two crashes runs alone next (Processes), and then it is certain whose
// crash it is.
[[nodiscard]] ClaimEnd end_with_process(const OutstandingJob& job, ProcessEnd end, const std::string& cause);

// What becomes of a job that ran for longer than its time limit: a failed attempt.
[[nodiscard]] ClaimEnd end_at_time_limit(const OutstandingJob& job, WallTime now, Random& random);

// What becomes of a job whose daemon died while it was claimed. Only who performed alone is charged: whoever ends the daemon from outside,
// as often as he likes, hardly meets one and the same job alone three times.
[[nodiscard]] EndReclaim end_with_daemon(const queue::FormerClaim& claim);

// It was assigned and has not begun.
[[nodiscard]] ClaimEnd give_back_unstarted(const OutstandingJob& job);

}  // namespace tenure::daemon
