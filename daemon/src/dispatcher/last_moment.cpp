#include "last_moment.hpp"

#include <algorithm>

namespace tenure::daemon {

// A slot whose job was reported names one that is not outstanding any more. Two that crashed are as good as none: either may have spoilt
// the memory of the other.
LastMoment::LastMoment(const Process& dead, const WorkerGone& gone) : dead_(dead), gone_(gone) {
  std::size_t crashed = 0;
  dead.jobs.for_each([&](const OutstandingJob& job, bool is_believed) {
    if (!had_begun(job, is_believed)) return;
    ++begun_;
    if (!gone.slots || std::ranges::find(gone.slots->crashed, job.claim) == gone.slots->crashed.end()) return;
    ++crashed;
    named_ = job.claim;
  });
  if (crashed != 1 || dead.is_ending()) named_.reset();
}

bool LastMoment::had_begun(const OutstandingJob& job, bool is_believed) const {
  if (!gone_.slots) return is_believed;
  return std::ranges::find(gone_.slots->begun, job.claim) != gone_.slots->begun.end();
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
