#include "told_outboxes.hpp"

#include <algorithm>
#include <utility>

namespace tenure::daemon {
namespace {

using Told = OutboxRowsPart::Told;

std::size_t bytes_of(const queue::OutboxReport& report) {
  std::size_t bytes = sizeof(Told);
  for (const queue::OutboxRow& row : report.rows.rows) bytes += sizeof(row) + row.text.size();
  return bytes;
}

// A run leaves rows behind its own to those who have put them there, so that what a file had given says nothing of what was told.
bool tells_more(const queue::OutboxReport& report, const queue::OutboxReport& than) {
  return report.rows.rows.back().seq > than.rows.rows.back().seq;
}

}  // namespace

bool ToldOutboxes::told(ProcessNumber process, const AttemptEnd& end) {
  if (!end.outbox || end.outbox->rows.rows.empty()) return true;
  const queue::OutboxReport& report = *end.outbox;
  const auto same =
      std::ranges::find(untold_, report.owner, [](const Told& told) { return told.report.owner; });
  if (same != untold_.end() && !tells_more(report, same->report)) return true;
  const std::size_t freed = same == untold_.end() ? 0 : bytes_of(same->report);
  const std::size_t bytes = bytes_ - freed + bytes_of(report);
  if (bytes > kBytesMax) return false;
  bytes_ = bytes;
  if (same == untold_.end()) untold_.push_back({process, report});
  else *same = {process, report};
  return true;
}

OutboxRowsPart::Ask ToldOutboxes::take() {
  bytes_ = 0;
  if (!untold_.empty()) sync_at_ = next_sync_;
  return std::exchange(untold_, {});
}

void ToldOutboxes::taken_over(AcknowledgeOutbox acknowledgement) {
  const auto same = std::ranges::find_if(unsynced_, [&](const AcknowledgeOutbox& each) {
    return each.owner == acknowledgement.owner && each.process == acknowledgement.process;
  });
  if (same == unsynced_.end()) unsynced_.push_back(std::move(acknowledgement));
  else *same = std::move(acknowledgement);
}

std::vector<AcknowledgeOutbox> ToldOutboxes::synced(Instant now) {
  next_sync_ = now + kOutboxSyncPause;
  sync_at_.reset();
  return std::exchange(unsynced_, {});
}

void ToldOutboxes::not_stored(const OutboxRowsPart::Ask& ask) {
  auto later = std::exchange(untold_, ask);
  for (Told& told : later) {
    const auto same =
        std::ranges::find(untold_, told.report.owner, [](const Told& each) { return each.report.owner; });
    if (same == untold_.end()) untold_.push_back(std::move(told));
    else if (tells_more(told.report, same->report)) *same = std::move(told);
  }
  bytes_ = 0;
  for (const Told& told : untold_) bytes_ += bytes_of(told.report);
}

}  // namespace tenure::daemon
