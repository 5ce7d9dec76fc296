#include "outbox_relay.hpp"

#include "audit_chain.hpp"

#include <tenure/base/operator_identity.hpp>

#include <fmt/format.h>

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

// An older copy that goes on giving numbers reaches the watermark, and its rows would count as taken over.
Relayed take_over(OutboxSeq watermark, bool is_behind, const OutboxOwner& owner, const OutboxRows& rows,
                  const KeyRing& keys, FunctionRef<Result<Enqueued>(const NewJob&)> enqueue) {
  Relayed relayed{.watermark = watermark, .is_file_behind = is_behind || rows.newest < watermark};
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

AuditEntry audit_of_behind(const OutboxOwner& owner, OutboxSeq newest, OutboxSeq watermark) {
  return {.who = identify_process(),
          .verb = "tenant failed",
          .subject = audit_subject(owner.tenant, owner.generation, name_of(TenantState::failed)),
          .count = 1,
          .reason = fmt::format("file_behind: its outbox has given {} numbers, and {} were taken over",
                                newest.value, watermark.value)};
}

AuditEntry audit_of_lost(const OutboxOwner& owner, std::int64_t count, OutboxSeq up_to) {
  return {
      .who = identify_process(),
      .verb = "outbox lost",
      .subject = fmt::format("{}, generation {}", owner.tenant.text(), owner.generation.value),
      .count = count,
      .reason = fmt::format(
          "rows up to {} of its outbox are in neither database: one of the two was put back", up_to.value)};
}

Result<void> check_not_behind(const OutboxOwner& owner, std::optional<OutboxSeq> behind,
                              OutboxSeq watermark) {
  if (!behind) return {};
  const std::string name = owner.tenant.text();
  return fail(
      ErrorCode::tenant_not_ready,
      fmt::format(
          "the database of {0} is an older copy: its outbox had given {1} numbers, and {2} were taken "
          "over, so its next jobs would be lost; put the right file in its place, then run tenure "
          "tenant recheck {0}",
          name, behind->value, watermark.value),
      name);
}

Result<void> check_recheck(const OutboxOwner& owner, std::optional<OutboxSeq> behind, OutboxSeq newest,
                           OutboxSeq watermark) {
  const std::string name = owner.tenant.text();
  if (!behind)
    return fail(ErrorCode::state_changed,
                fmt::format("the database of {} was not found to be an older copy", name), name);
  if (newest < watermark)
    return fail(
        ErrorCode::state_changed,
        fmt::format("the database of {} is an older copy still: its outbox has given {} numbers, and {} were "
                    "taken over",
                    name, newest.value, watermark.value),
        name);
  return {};
}

}  // namespace tenure::queue
