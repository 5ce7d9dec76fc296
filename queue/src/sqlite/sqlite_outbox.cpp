#include "../outbox_relay.hpp"
#include "outbox_rows.hpp"
#include "sqlite_reader.hpp"
#include "sqlite_writer.hpp"
#include "tenant_rows.hpp"

namespace tenure::queue {

std::vector<OutboxMark> SqliteJobReader::outbox_marks(OutboxMarkNumber after, std::size_t limit) {
  return outbox_marks_behind(connection_, after, limit);
}

OutboxSeq SqliteJobReader::outbox_watermark(const OutboxOwner& owner) {
  const auto number = outbox_owner_number(connection_, owner);
  return number ? queue::outbox_watermark(connection_, *number) : OutboxSeq{0};
}

std::optional<OutboxSeq> SqliteJobReader::outbox_behind(const OutboxOwner& owner) {
  const auto number = outbox_owner_number(connection_, owner);
  return number ? queue::outbox_behind(connection_, *number) : std::nullopt;
}

Result<MarkedOutbox> SqliteWriter::mark_outbox(const OutboxOwner& owner, const OutboxState& file,
                                               WallTime now) {
  if (auto keys = check_own_keys(); !keys) return tl::unexpected(std::move(keys.error()));
  const auto live = owner_of(owner.tenant, owner.generation);
  if (!live) return tl::unexpected(live.error());
  const bool existed = !insert_outbox_mark(connection_, live->number, file.epoch, now);
  const OutboxSeq watermark = queue::outbox_watermark(connection_, live->number);
  if (file.newest < watermark) note_older_copy(owner, file.newest, watermark, now);
  if (auto newer = check_not_behind(owner, queue::outbox_behind(connection_, live->number), watermark);
      !newer)
    return tl::unexpected(std::move(newer.error()));
  return MarkedOutbox{existed};
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
  const bool is_behind = number && queue::outbox_behind(connection_, *number);
  Relayed relayed = take_over(before, is_behind, owner, rows, keys_,
                              [&](const NewJob& job) { return enqueue_of_outbox(job, now); });
  relayed.owner = number;
  if (relayed.watermark > before) set_outbox_watermark(connection_, number.value(), relayed.watermark);
  if (relayed.missing > 0) note_lost(owner, number.value(), relayed.missing, relayed.watermark, now);
  return relayed;
}

void SqliteWriter::note_lost(const OutboxOwner& owner, TenantNumber tenant, std::int64_t count,
                             OutboxSeq up_to, WallTime now) {
  add_lost_rows(connection_, tenant, count, now);
  append_audit(audit_of_lost(owner, count, up_to), now);
}

std::int64_t SqliteWriter::note_lost_rows(const OutboxOwner& owner, OutboxSeq newest, WallTime now) {
  const auto number = outbox_owner_number(connection_, owner);
  if (!number || queue::outbox_behind(connection_, *number)) return 0;
  const std::int64_t lost = newest.value - queue::outbox_watermark(connection_, *number).value;
  if (lost <= 0) return 0;
  set_outbox_watermark(connection_, *number, newest);
  note_lost(owner, *number, lost, newest, now);
  return lost;
}

// Once for each copy: whoever looks again and again changes nothing.
void SqliteWriter::note_older_copy(const OutboxOwner& owner, OutboxSeq newest, OutboxSeq watermark,
                                   WallTime now) {
  const auto number = outbox_owner_number(connection_, owner);
  if (!number || queue::outbox_behind(connection_, *number) == newest) return;
  set_outbox_behind(connection_, *number, newest);
  if (fail_tenant(connection_, *number)) append_audit(audit_of_behind(owner, newest, watermark), now);
}

Result<TenantState> SqliteWriter::recheck_outbox(const OutboxOwner& owner, OutboxSeq newest) {
  const auto number = outbox_owner_number(connection_, owner);
  const auto behind = number ? queue::outbox_behind(connection_, *number) : std::nullopt;
  const OutboxSeq watermark = number ? queue::outbox_watermark(connection_, *number) : OutboxSeq{0};
  if (auto checked = check_recheck(owner, behind, newest, watermark); !checked)
    return tl::unexpected(std::move(checked.error()));
  set_outbox_behind(connection_, *number, std::nullopt);
  revive_tenant(connection_, *number);
  return tenant_numbered(connection_, *number).value().state;
}

Relayed SqliteWriter::pass_over_outbox(const OutboxOwner& owner, OutboxSeq newest, const OutboxRow& row,
                                       WallTime now) {
  Relayed relayed = relay_outbox(owner, {.newest = newest, .rows = {row}}, now);
  const auto number = outbox_owner_number(connection_, owner);
  if (!relayed.refused || !number || relayed.refused->failure.code == ErrorCode::bad_configuration)
    return relayed;
  relayed.watermark = row.seq;
  set_outbox_watermark(connection_, *number, row.seq);
  return relayed;
}

void SqliteWriter::unmark_outbox(std::span<const OutboxMarkNumber> marks) {
  delete_outbox_marks(connection_, marks);
}

}  // namespace tenure::queue
