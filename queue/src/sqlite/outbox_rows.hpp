#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/outbox.hpp>

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
// False where it was in none of the states that become `failed`, or `active`, by this.
bool fail_tenant(sqlite::Connection& connection, TenantNumber tenant);
bool revive_tenant(sqlite::Connection& connection, TenantNumber tenant);
void set_outbox_watermark(sqlite::Connection& connection, TenantNumber tenant, OutboxSeq seq);

// False where it is there already.
bool insert_outbox_mark(sqlite::Connection& connection, TenantNumber tenant,
                        std::optional<std::int64_t> epoch, WallTime now);
[[nodiscard]] std::vector<OutboxMark> outbox_marks_behind(sqlite::Connection& connection,
                                                          OutboxMarkNumber after, std::size_t limit);
void delete_outbox_marks(sqlite::Connection& connection, std::span<const OutboxMarkNumber> marks);

[[nodiscard]] std::vector<const sqlite::Query*> outbox_queries();

}  // namespace tenure::queue
