#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/outbox.hpp>
#include <tenure/queue/restore.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

// The tables outbox_mark and outbox_seen. Internal.
namespace tenure::queue {

// Nothing: the registry has no such row.
[[nodiscard]] std::optional<TenantNumber> outbox_owner_number(sqlite::Connection& connection,
                                                              const OutboxOwner& owner);
[[nodiscard]] OutboxSeq outbox_watermark(sqlite::Connection& connection, TenantNumber tenant);
// See JobReader::outbox_behind.
[[nodiscard]] std::optional<OutboxSeq> outbox_behind(sqlite::Connection& connection, TenantNumber tenant);
void set_outbox_behind(sqlite::Connection& connection, TenantNumber tenant, std::optional<OutboxSeq> newest);
// False where it was in none of the states that become `failed` by this.
bool fail_tenant(sqlite::Connection& connection, TenantNumber tenant);
// What it was before that, where it still is `failed` for it.
void revive_tenant(sqlite::Connection& connection, TenantNumber tenant);
void set_outbox_watermark(sqlite::Connection& connection, TenantNumber tenant, OutboxSeq seq);

void add_lost_rows(sqlite::Connection& connection, TenantNumber tenant, std::int64_t count, WallTime now);
// See RestoreReader.
[[nodiscard]] LostRows lost_rows_of(sqlite::Connection& connection, const OutboxOwner& owner);
[[nodiscard]] std::vector<LostRows> newest_lost_rows(sqlite::Connection& connection, std::size_t limit);

// False where it is there already.
bool insert_outbox_mark(sqlite::Connection& connection, TenantNumber tenant, std::int64_t epoch,
                        WallTime now);
// Without an epoch no raise of it tells a sweep that has read the mark that it stands for more by now; its number does.
void renew_outbox_mark(sqlite::Connection& connection, TenantNumber tenant, WallTime now);
// Of each tenant with a claim of another incarnation.
void renew_outbox_marks_of_former_claims(sqlite::Connection& connection, Incarnation current, WallTime now);
[[nodiscard]] std::vector<OutboxMark> outbox_marks_behind(sqlite::Connection& connection,
                                                          OutboxMarkNumber after, std::size_t limit);
// One of kEpochOfRestore for each tenant that lives; how many.
std::int64_t mark_outboxes_of_restore(sqlite::Connection& connection, WallTime now);
void delete_outbox_marks(sqlite::Connection& connection, std::span<const OutboxMarkNumber> marks);

[[nodiscard]] std::vector<const sqlite::Query*> outbox_queries();

}  // namespace tenure::queue
