#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/queue/audit.hpp>
#include <tenure/queue/inspection.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

// The schema of a control database against that of this program. Nothing but `tenure store migrate` brings an older one on: see
// docs/decisions/0026.
namespace tenure::queue {

// What this program can tell of a control database whose schema is not newer than its own.
struct SchemaState {
  std::int64_t version = 0;          // the last step that it has
  std::int64_t newest = 0;           // that this program needs
  std::vector<std::string> pending;  // the steps between, by their names, in order
  std::int64_t size_bytes = 0;
  std::int64_t wal_bytes = 0;
  std::optional<std::string> page_problem;  // the first, where pages were looked at

  [[nodiscard]] bool is_older() const { return !pending.empty(); }
};

// Both change nothing on disk. DatabaseMissing; SchemaMismatch for a newer schema, for one of another text, and for what is no control
// database; else what look_at_sqlite_store and open_control_copy say. Threads: any.
[[nodiscard]] SchemaState look_at_schema(const std::filesystem::path& path, PageCheck page_check);
[[nodiscard]] SchemaState look_at_schema_of_copy(const std::filesystem::path& path, PageCheck page_check);

// Brings a control database to the schema of this program while it holds the dispatcher's lock, and answers what it was before; does
// nothing where nothing is pending. Each step is a durable commit of its own, so that whoever is killed goes on where it was; `entry`,
// with what was done as its subject, is in the last one. Clients of an older program that have it open are refused from then on.
// LockHeld while a dispatcher lives. StoreBusy where no turn to write came. Else as look_at_schema. Threads: any.
SchemaState migrate_control_database(const std::filesystem::path& path, const AuditEntry& entry,
                                     const Clock& clock);

}  // namespace tenure::queue
