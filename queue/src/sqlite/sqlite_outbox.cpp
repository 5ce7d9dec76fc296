#include "../outbox_relay.hpp"
#include "outbox_rows.hpp"
#include "sqlite_reader.hpp"
#include "sqlite_writer.hpp"

namespace tenure::queue {

std::vector<OutboxMark> SqliteJobReader::outbox_marks(OutboxMarkNumber after, std::size_t limit) {
  return outbox_marks_behind(connection_, after, limit);
}

OutboxSeq SqliteJobReader::outbox_watermark(const OutboxOwner& owner) {
  const auto number = outbox_owner_number(connection_, owner);
  return number ? queue::outbox_watermark(connection_, *number) : OutboxSeq{0};
}

Result<MarkedOutbox> SqliteWriter::mark_outbox(const OutboxOwner& owner, std::int64_t epoch, WallTime now) {
  if (auto keys = check_own_keys(); !keys) return tl::unexpected(std::move(keys.error()));
  const auto live = owner_of(owner.tenant, owner.generation);
  if (!live) return tl::unexpected(live.error());
  return MarkedOutbox{.existed = !insert_outbox_mark(connection_, live->number, epoch, now)};
}

void SqliteWriter::mark_outbox_of(TenantNumber tenant, WallTime now) {
  // Once a transaction: nobody reads it in between.
  if (tenant != kUntenanted && marked_outboxes_.insert(tenant).second)
    renew_outbox_mark(connection_, tenant, now);
}

void SqliteWriter::mark_outboxes_of_former_claims(Incarnation current, WallTime now) {
  renew_outbox_marks_of_former_claims(connection_, current, now);
}

Relayed SqliteWriter::relay_outbox(const OutboxOwner& owner, const OutboxRows& rows, WallTime now) {
  const auto number = outbox_owner_number(connection_, owner);
  const OutboxSeq before = number ? queue::outbox_watermark(connection_, *number) : OutboxSeq{0};
  Relayed relayed =
      take_over(before, owner, rows, keys_, [&](const NewJob& job) { return enqueue(job, now); });
  relayed.owner = number;
  if (relayed.watermark > before) set_outbox_watermark(connection_, number.value(), relayed.watermark);
  return relayed;
}

void SqliteWriter::unmark_outbox(std::span<const OutboxMarkNumber> marks) {
  delete_outbox_marks(connection_, marks);
}

}  // namespace tenure::queue
