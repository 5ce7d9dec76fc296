#include <tenure/daemon/assigned_job.hpp>
#include <tenure/queue/envelope.hpp>

#include <utility>

namespace tenure::daemon {

queue::AssignedJob assigned_job(queue::ClaimedJob&& job, std::chrono::microseconds time_limit) {
  // Only a row that was written past us can be longer; cut, its worker refuses it.
  if (job.envelope.size() > queue::kEnvelopeMax) job.envelope.resize(queue::kEnvelopeMax);
  if (job.cursor.size() > queue::kCursorMax) job.cursor.clear();  // no run has saved it
  return {.claim = {job.seq, job.token},
          .id = job.id,
          .tenant = std::move(job.tenant),
          .generation = job.generation,
          .kind = std::move(job.kind),
          .envelope = std::move(job.envelope),
          .cursor = std::move(job.cursor),
          .attempt = job.failures + 1,
          .attempts_max = job.attempts_max,
          .releases = job.releases,
          .time_limit = time_limit,
          .capture = job.capture,
          .start_before = job.start_before,
          .history = std::move(job.history),
          .queue = std::move(job.queue),
          .created = job.created};
}

}  // namespace tenure::daemon
