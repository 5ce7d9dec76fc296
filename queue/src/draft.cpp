#include <tenure/queue/draft.hpp>

namespace tenure::queue {

void set_times(Draft& draft, WallTime now) {
  draft.job.due = draft.run_at ? *draft.run_at : now + draft.run_in;
  draft.job.start_before = draft.start_before;
  const bool has_end = draft.start_within.count() > 0 && draft.job.due < WallTime::max() - draft.start_within;
  if (!draft.start_before && has_end) draft.job.start_before = draft.job.due + draft.start_within;
}

Result<Enqueued> enqueue(StoreWriter& writer, Draft& draft, const Clock& clock) {
  const WallTime now = clock.wall();
  set_times(draft, now);
  return writer.enqueue(draft.job, now);
}

}  // namespace tenure::queue
