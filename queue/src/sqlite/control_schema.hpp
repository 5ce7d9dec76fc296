#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/migration.hpp>
#include <tenure/queue/upgrade.hpp>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

// The steps of the control schema: which a database has, making a new one, refusing another one, bringing it on. What takes steps is
// handed those of the program; tests have longer lists. Internal.
namespace tenure::queue {

[[nodiscard]] std::vector<sqlite::Migration> control_migrations();

using SchemaSteps = std::span<const sqlite::Migration>;

// SchemaMismatch unless the database has exactly these steps; says what to do. Changes nothing.
void require_schema(sqlite::Connection& connection, SchemaSteps steps);

// The same, but an older one will do. SchemaMismatch where it is newer or no control database.
[[nodiscard]] SchemaState schema_state(sqlite::Connection& connection, SchemaSteps steps);

// All steps in one transaction where the database is new and empty, else require_schema(). For a connection that may write. Syncs.
void create_or_require_schema(sqlite::Connection& connection, SchemaSteps steps, const Clock& clock);

// Refuses to go on where the schema was brought on while the store was open. Threads: any.
class SchemaWatch {
 public:
  explicit SchemaWatch(std::vector<sqlite::Migration> steps) : steps_(std::move(steps)) {}

  // At the beginning of each transaction, of one that reads too: costs a look at the first page.
  void check(sqlite::Connection& connection);

 private:
  std::vector<sqlite::Migration> steps_;
  std::atomic<std::int64_t> seen_ = -1;  // of schema_cookie()
};

[[nodiscard]] SchemaState look_at_schema(const std::filesystem::path& path, SchemaSteps steps,
                                         PageCheck page_check);
SchemaState migrate_control_database(const std::filesystem::path& path, SchemaSteps steps,
                                     const AuditEntry& entry, const Clock& clock);

}  // namespace tenure::queue
