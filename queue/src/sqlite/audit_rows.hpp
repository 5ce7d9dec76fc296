#pragma once

#include <tenure/base/function_ref.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/audit.hpp>

#include <cstdint>
#include <optional>
#include <vector>

// The tables audit and audit_mark. Internal.
namespace tenure::queue {

// In the caller's write transaction.
void append_audit(sqlite::Connection& connection, const AuditEntry& entry, WallTime now);

// fn(record), the newest first, those with a number below `before`, until it answers false.
void for_each_audit(sqlite::Connection& connection, std::optional<std::int64_t> before,
                    FunctionRef<bool(const AuditRecord&)> fn);

[[nodiscard]] AuditVerdict check_audit(sqlite::Connection& connection, const std::optional<AuditMark>& known);

[[nodiscard]] std::vector<const sqlite::Query*> audit_queries();

}  // namespace tenure::queue
