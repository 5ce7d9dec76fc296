#include "last_moment.hpp"

#include <algorithm>

namespace tenure::daemon {

// A slot whose job was reported names one that is not outstanding any more. Two that crashed are as good as none: either may have spoilt
// the memory of the other.
LastMoment::LastMoment(const Process& dead, const WorkerGone& gone) : dead_(dead), gone_(gone) {
  std::size_t crashed = 0;
  dead.jobs.for_each([&](const OutstandingJob& job, bool is_believed) {
    if (!had_begun(job, is_believed)) return;
    if (has_crashed(job)) {
      ++crashed;
      named_ = job.claim;
    } else if (untold_end(job) != nullptr) {
      return;
    }
    ++begun_;
  });
  if (crashed != 1 || dead.is_ending()) named_.reset();
}

bool LastMoment::had_begun(const OutstandingJob& job, bool is_believed) const {
  if (!gone_.slots) return is_believed;
  return std::ranges::find(gone_.slots->begun, job.claim) != gone_.slots->begun.end();
}

bool LastMoment::has_crashed(const OutstandingJob& job) const {
  return gone_.slots && std::ranges::find(gone_.slots->crashed, job.claim) != gone_.slots->crashed.end();
}

// What one that is named has spoilt showed when its run was over.
const AttemptEnd* LastMoment::untold_end(const OutstandingJob& job) const {
  // A process whose sync failed is believed nothing: the next sync of the same file says yes.
  if (!gone_.slots || job.claim == named_ || gone_.is_in_trouble) return nullptr;
  const auto end = std::ranges::find(gone_.slots->ended, job.claim, &AttemptEnd::claim);
  return end != gone_.slots->ended.end() ? &*end : nullptr;
}

std::optional<std::chrono::microseconds> LastMoment::run_time_of(const OutstandingJob& job,
                                                                 bool is_believed) const {
  const AttemptEnd* const untold = untold_end(job);
  if (untold != nullptr) return untold->run_time;
  if (is_timed_out(dead_, job)) return job.time_limit;
  if (had_begun(job, is_believed)) return std::nullopt;
  return std::chrono::microseconds{0};
}

bool is_timed_out(const Process& dead, const OutstandingJob& job) {
  return std::ranges::find(dead.timed_out, job.claim.seq) != dead.timed_out.end();
}

ProcessEnd LastMoment::end_of(const OutstandingJob& job) const {
  if (dead_.was_ended_by_stop) return ProcessEnd::by_stop;
  if (!dead_.timed_out.empty()) return ProcessEnd::by_limit;
  if (gone_.is_in_trouble) return ProcessEnd::by_trouble;
  if (named_) return job.claim == *named_ ? ProcessEnd::named : ProcessEnd::beside_named;
  // Without a board more may have begun than is known here.
  const std::size_t company = gone_.slots ? begun_ : dead_.jobs.size();
  return company == 1 ? ProcessEnd::alone : ProcessEnd::in_company;
}

}  // namespace tenure::daemon
