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

}  // namespace

bool ToldOutboxes::told(ProcessNumber process, const AttemptEnd& end) {
  if (!end.outbox || end.outbox->rows.rows.empty()) return true;
  const queue::OutboxReport& report = *end.outbox;
  const auto same =
      std::ranges::find(untold_, report.owner, [](const Told& told) { return told.report.owner; });
  if (same != untold_.end() && same->report.rows.newest >= report.rows.newest) return true;
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
  return std::exchange(untold_, {});
}

void ToldOutboxes::not_stored(const OutboxRowsPart::Ask& ask) {
  auto later = std::exchange(untold_, ask);
  for (Told& told : later) {
    const auto same =
        std::ranges::find(untold_, told.report.owner, [](const Told& each) { return each.report.owner; });
    if (same == untold_.end()) untold_.push_back(std::move(told));
    else if (same->report.rows.newest < told.report.rows.newest) *same = std::move(told);
  }
  bytes_ = 0;
  for (const Told& told : untold_) bytes_ += bytes_of(told.report);
}

}  // namespace tenure::daemon
