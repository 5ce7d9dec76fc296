#include "../outbox_relay.hpp"
#include "memory_writer.hpp"

#include <algorithm>
#include <functional>
#include <ranges>

namespace tenure::queue {

std::vector<OutboxMark> MemoryReader::outbox_marks(OutboxMarkNumber after, std::size_t limit) {
  std::vector<OutboxMark> marks;
  for (auto place = tables_.outbox_marks().upper_bound(after);
       place != tables_.outbox_marks().end() && marks.size() < limit; ++place) {
    const auto& [number, mark] = *place;
    if (const auto owner = tables_.tenant(mark.tenant))
      marks.push_back({number, {owner->name, owner->generation}, mark.epoch, mark.marked});
  }
  return marks;
}

OutboxSeq MemoryReader::outbox_watermark(const OutboxOwner& owner) {
  const auto number = tables_.tenant_number(owner.tenant, owner.generation);
  return number ? tables_.outbox_seen(*number) : OutboxSeq{0};
}

std::optional<OutboxSeq> MemoryReader::outbox_behind(const OutboxOwner& owner) {
  const auto number = tables_.tenant_number(owner.tenant, owner.generation);
  return number ? tables_.outbox_behind(*number) : std::nullopt;
}

LostRows MemoryReader::lost_rows(const OutboxOwner& owner) {
  const auto number = tables_.tenant_number(owner.tenant, owner.generation);
  const MemoryLost lost = number ? tables_.outbox_lost(*number) : MemoryLost{};
  return {owner, lost.count, lost.found};
}

std::vector<LostRows> MemoryReader::lost_rows(std::size_t limit) {
  std::vector<LostRows> all;
  for (const auto& [number, lost] : tables_.outboxes_lost())
    if (const auto owner = tables_.tenant(number))
      all.push_back({{owner->name, owner->generation}, lost.count, lost.found});
  std::ranges::stable_sort(all, std::greater{}, &LostRows::found);
  if (all.size() > limit) all.erase(all.begin() + static_cast<std::ptrdiff_t>(limit), all.end());
  return all;
}

Result<MarkedOutbox> MemoryWriter::mark_outbox(const OutboxOwner& owner, const OutboxState& file,
                                               WallTime now) {
  if (auto keys = check_keys(tables_.seal_marks(), keys_); !keys)
    return tl::unexpected(std::move(keys.error()));
  const auto live = owner_of(owner.tenant, owner.generation);
  if (!live) return tl::unexpected(live.error());
  const bool existed = !tables_.add_outbox_mark({live->number, file.epoch, now});
  const OutboxSeq watermark = tables_.outbox_seen(live->number);
  if (file.newest < watermark) note_older_copy(owner, file.newest, watermark, now);
  if (auto newer = check_not_behind(owner, tables_.outbox_behind(live->number), watermark); !newer)
    return tl::unexpected(std::move(newer.error()));
  return MarkedOutbox{existed};
}

void MemoryWriter::mark_outbox_of(TenantNumber tenant, WallTime now) {
  if (tenant == kUntenanted) return;
  MemoryOutboxMark mark{tenant, std::nullopt, now};
  // Another number: a sweep may have read the former one, and nothing else tells it that the mark stands for more by now.
  const auto former = std::ranges::find_if(tables_.outbox_marks(), [&](const auto& entry) {
    return entry.second.tenant == tenant && !entry.second.epoch;
  });
  if (former != tables_.outbox_marks().end()) {
    mark.marked = former->second.marked;
    tables_.erase_outbox_mark(former->first);
  }
  static_cast<void>(tables_.add_outbox_mark(mark));
}

void MemoryWriter::mark_outboxes_of_former_claims(Incarnation current, WallTime now) {
  for (const auto& [seq, claim] : tables_.claims())
    if (claim.token.incarnation != current) mark_outbox_of(tables_.jobs().at(seq).lane.tenant, now);
}

Relayed MemoryWriter::relay_outbox(const OutboxOwner& owner, const OutboxRows& rows, WallTime now) {
  const auto number = tables_.tenant_number(owner.tenant, owner.generation);
  const OutboxSeq before = number ? tables_.outbox_seen(*number) : OutboxSeq{0};
  const bool is_behind = number && tables_.outbox_behind(*number);
  Relayed relayed = take_over(before, is_behind, owner, rows, keys_, [&](const NewJob& job) {
    return enqueue_as({.join_by = JoinBy::outbox}, keys_, job, now);
  });
  relayed.owner = number;
  if (relayed.watermark > before) tables_.set_outbox_seen(number.value(), relayed.watermark);
  if (relayed.missing > 0) note_lost(owner, number.value(), relayed.missing, relayed.watermark, now);
  return relayed;
}

void MemoryWriter::note_lost(const OutboxOwner& owner, TenantNumber tenant, std::int64_t count,
                             OutboxSeq up_to, WallTime now) {
  tables_.set_outbox_lost(tenant, {tables_.outbox_lost(tenant).count + count, now});
  append_audit(audit_of_lost(owner, count, up_to), now);
}

std::int64_t MemoryWriter::note_lost_rows(const OutboxOwner& owner, OutboxSeq newest, WallTime now) {
  const auto number = tables_.tenant_number(owner.tenant, owner.generation);
  if (!number || tables_.outbox_behind(*number)) return 0;
  const std::int64_t lost = newest.value - tables_.outbox_seen(*number).value;
  if (lost <= 0) return 0;
  tables_.set_outbox_seen(*number, newest);
  note_lost(owner, *number, lost, newest, now);
  return lost;
}

void MemoryWriter::note_older_copy(const OutboxOwner& owner, OutboxSeq newest, OutboxSeq watermark,
                                   WallTime now) {
  const auto number = tables_.tenant_number(owner.tenant, owner.generation);
  if (!number || tables_.outbox_behind(*number) == newest) return;
  tables_.set_outbox_behind(*number, newest);
  const TenantState state = tables_.tenant(*number).value().state;
  if (state != TenantState::active && state != TenantState::paused && state != TenantState::read_only) return;
  tables_.set_former_state(*number, state);
  tables_.set_tenant_state(*number, TenantState::failed);
  append_audit(audit_of_behind(owner, newest, watermark), now);
}

Result<TenantState> MemoryWriter::recheck_outbox(const OutboxOwner& owner, OutboxSeq newest) {
  const auto number = tables_.tenant_number(owner.tenant, owner.generation);
  const auto behind = number ? tables_.outbox_behind(*number) : std::nullopt;
  const OutboxSeq watermark = number ? tables_.outbox_seen(*number) : OutboxSeq{0};
  if (auto checked = check_recheck(owner, behind, newest, watermark); !checked)
    return tl::unexpected(std::move(checked.error()));
  tables_.set_outbox_behind(*number, std::nullopt);
  const auto former = tables_.former_state(*number);
  if (former && tables_.tenant(*number).value().state == TenantState::failed)
    tables_.set_tenant_state(*number, *former);
  tables_.set_former_state(*number, std::nullopt);
  return tables_.tenant(*number).value().state;
}

Relayed MemoryWriter::pass_over_outbox(const OutboxOwner& owner, OutboxSeq newest, const OutboxRow& row,
                                       WallTime now) {
  Relayed relayed = relay_outbox(owner, {.newest = newest, .rows = {row}}, now);
  const auto number = tables_.tenant_number(owner.tenant, owner.generation);
  if (!relayed.refused || !number || relayed.refused->failure.code == ErrorCode::bad_configuration)
    return relayed;
  relayed.watermark = row.seq;
  tables_.set_outbox_seen(*number, row.seq);
  return relayed;
}

void MemoryWriter::unmark_outbox(std::span<const OutboxMarkNumber> marks) {
  for (const OutboxMarkNumber mark : marks) tables_.erase_outbox_mark(mark);
}

}  // namespace tenure::queue
