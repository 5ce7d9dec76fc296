#include <tenure/queue/draft.hpp>

namespace tenure::queue {

Result<Enqueued> enqueue(StoreWriter& writer, Draft& draft, const Clock& clock) {
  const WallTime now = clock.wall();
  draft.job.due = draft.run_at ? *draft.run_at : now + draft.run_in;
  return writer.enqueue(draft.job, now);
}

}  // namespace tenure::queue
