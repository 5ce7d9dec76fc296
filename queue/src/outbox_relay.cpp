#include "outbox_relay.hpp"

#include <utility>

namespace tenure::queue {
namespace {

Result<Enqueued> take_row(const OutboxRow& row, const OutboxOwner& owner, const KeyRing& keys,
                          FunctionRef<Result<Enqueued>(const NewJob&)> enqueue) {
  const auto job = read_outbox_row(row.text, owner, keys);
  if (!job) return tl::unexpected(job.error());
  return enqueue(*job);
}

void count(Relayed& relayed, const Enqueued& job) {
  ++(job.existed ? relayed.existed : relayed.inserted);
  relayed.has_ready |= job.arrival && job.arrival->state == JobState::ready;
}

}  // namespace

Relayed take_over(OutboxSeq watermark, const OutboxOwner& owner, const OutboxRows& rows, const KeyRing& keys,
                  FunctionRef<Result<Enqueued>(const NewJob&)> enqueue) {
  Relayed relayed{.watermark = watermark, .is_file_behind = rows.newest < watermark};
  if (relayed.is_file_behind) return relayed;
  for (const OutboxRow& row : rows.rows) {
    if (row.seq <= relayed.watermark) continue;
    auto job = take_row(row, owner, keys, enqueue);
    if (!job) {
      relayed.refused = RefusedOutboxRow{row.seq, std::move(job.error())};
      return relayed;
    }
    count(relayed, *job);
    relayed.missing += row.seq.value - relayed.watermark.value - 1;
    relayed.watermark = row.seq;
  }
  return relayed;
}

}  // namespace tenure::queue
