#pragma once

#include "remembered.hpp"

#include <tenure/daemon/dispatcher.hpp>
#include <tenure/daemon/round.hpp>
#include <tenure/queue/run.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

// What worker processes have told of tenants' outboxes and is not stored yet: of each file the report that goes
// furthest, which has all that others told and was not taken over since. And what was taken over, until it is on disk.
namespace tenure::daemon {

// Between two syncs for the sake of outboxes. A worker process keeps rows meanwhile that it could delete, and sends those of a busy
// tenant again with the next run; a sync for each round was every fifth of all syncs (docs/performance.md, figure 18).
inline constexpr std::chrono::milliseconds kOutboxSyncPause{5};

class ToldOutboxes {
 public:
  // All of them together: as many as one commit may well have. Then a report is left out, and its file is marked instead.
  static constexpr std::size_t kBytesMax = 16UL << 20U;

  // Of the end of a run, whoever has its claim by now. False where it was left out.
  [[nodiscard]] bool told(ProcessNumber process, const AttemptEnd& end);
  // All of it: under way until the round is done or not_stored().
  [[nodiscard]] OutboxRowsPart::Ask take();
  void not_stored(const OutboxRowsPart::Ask& ask);
  [[nodiscard]] bool all_stored() const { return untold_.empty(); }

  // Rows are in the store, and may be deleted once it is synced.
  void taken_over(AcknowledgeOutbox acknowledgement);
  // When the store is to be synced for what was taken; nothing: there is nothing to sync.
  [[nodiscard]] std::optional<Instant> sync_at() const { return sync_at_; }
  // All that was taken over until now is on disk: what can be acknowledged.
  [[nodiscard]] std::vector<AcknowledgeOutbox> synced(Instant now);

 private:
  OutboxRowsPart::Ask untold_;
  std::size_t bytes_ = 0;
  std::vector<AcknowledgeOutbox> unsynced_;  // one for each process and file
  Instant next_sync_{};                      // not before
  std::optional<Instant> sync_at_;

  TENURE_REMEMBERS(untold, bytes, unsynced, next_sync, sync_at)
};

}  // namespace tenure::daemon
