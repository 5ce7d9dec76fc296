#include "cancelled_runs.hpp"

#include <fmt/format.h>

#include <utility>

namespace tenure::daemon {

void CancelledRuns::read(const std::vector<queue::CancelRequest>& requests, Actions& actions) {
  for (const queue::CancelRequest& request : requests) {
    read_until_ = request.number;
    for (auto& [number, process] : processes_.all())
      if (process.jobs.note_cancelled(request.claim)) stop(process, request, actions);
  }
}

// The token goes behind the recall, which finds nothing where the job has begun meanwhile.
void CancelledRuns::stop(Process& process, const queue::CancelRequest& request, Actions& actions) const {
  std::vector<queue::ClaimRef> ahead =
      process.jobs.recall([&](const OutstandingJob& job) { return job.claim == request.claim; });
  if (!ahead.empty()) actions.emplace_back(Recall{process.number, std::move(ahead)});
  actions.emplace_back(GiveStopToken{process.number, request.claim.seq, queue::StopReason::operator_asked});
  actions.emplace_back(Note{Note::Level::info, "job.cancel_requested",
                            fmt::format("An operator has cancelled job {}, which a worker process has: it is "
                                        "called back, or told to stop.",
                                        request.id.text()),
                            settings_.pools[process.pool].name, process.number});
}

}  // namespace tenure::daemon
