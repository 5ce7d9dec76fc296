#include "control_schema.hpp"

#include "audit_rows.hpp"
#include "defects.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/database.hpp>
#include <tenure/base/sqlite/look.hpp>
#include <tenure/base/sqlite/migrations.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/base/sqlite/wal.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/dispatcher_lock.hpp>

#include <fmt/format.h>

#include <control_schema_text.hpp>
#include <string>
#include <utility>

namespace tenure::queue {
namespace {

using sqlite::AppliedSteps;
using sqlite::Connection;
using sqlite::Query;

constexpr Query kHasAnything{"has_anything", "select 1 from sqlite_schema limit 1"};
constexpr Query kFileBytes{"file_bytes",
                           "select page_count * page_size from pragma_page_count(), pragma_page_size()"};

constexpr Query kHasSteps{"has_steps",
                          "select 1 from sqlite_schema where type = 'table' and name = 'tenure_migration'"};
// Index: primary key.
constexpr Query kFirstStep{"first_step", "select name from tenure_migration where number = 1"};

[[noreturn]] void refuse(const Connection& connection, std::string why) {
  raise(ErrorCode::schema_mismatch, std::move(why), {}, connection.path().string());
}

bool is_empty(Connection& connection) { return !connection.statement(kHasAnything).step(); }

// A tenant's database has steps too, and those are no edited ones of ours.
void refuse_other_database(Connection& connection, SchemaSteps steps) {
  if (!connection.statement(kHasSteps).step()) return;
  std::string first;
  {
    auto row = connection.statement(kFirstStep);
    if (!row.step()) return;
    first = row.text(0);
  }
  if (steps.empty() || first == steps.front().name) return;
  refuse(connection,
         fmt::format("it is no control database: its first schema step is {}, and a control database has {}. "
                     "Perhaps it is a tenant's (store.path names the control database)",
                     escaped(first), steps.front().name));
}

// Not newer, and of a control database.
AppliedSteps known_steps(Connection& connection, SchemaSteps steps) {
  refuse_other_database(connection, steps);
  AppliedSteps applied = sqlite::applied_steps(connection, steps);
  if (applied.newer)
    refuse(
        connection,
        fmt::format("the control database has schema step {} ({}) and this program knows {}: install the "
                    "Tenure that brought it there or a newer one (apt install ./tenure_VERSION.deb; tenure "
                    "--version says which this is), or put a copy from before in its place",
                    applied.newer->number, applied.newer->name, steps.size()));
  if (applied.has_table) return applied;
  refuse(connection,
         is_empty(connection)
             ? "the file is empty: there is a control database in it once tenured, or a command that "
               "writes, has opened it"
             : "it has tables of somebody else's and is no control database");
}

// One turn of the writers' line for each, so that applications which enqueue meanwhile wait for one step at most.
bool migrate_once(sqlite::Database& database, SchemaSteps steps, const SchemaState& before,
                  const AuditEntry& entry, WallTime now) {
  bool is_last = false;
  database.write(sqlite::Durability::durable, [&](Connection& connection) {
    const std::size_t applied = known_steps(connection, steps).count;
    is_last = applied + 1 >= steps.size();
    if (applied == steps.size()) return;
    sqlite::apply_step(connection, steps[applied], to_us(now));
    if (!is_last) return;
    AuditEntry recorded = entry;
    recorded.count = 1;
    recorded.subject = fmt::format("schema {} to {}", before.version, before.newest);
    append_audit(connection, recorded, now);
  });
  return !is_last;
}

Descriptor lock_for_upgrade(const std::filesystem::path& path) {
  auto lock = try_lock_dispatcher_file(path);
  if (lock) return std::move(*lock);
  raise(lock.error().code,
        lock.error().message + "; it must end before the schema changes under it: systemctl stop tenured", {},
        lock.error().where);
}

}  // namespace

std::vector<sqlite::Migration> control_migrations() {
  return {{1, "0001_control.sql", std::string{schema::k0001_control_sql}},
          {2, "0002_outbox.sql", std::string{schema::k0002_outbox_sql}},
          {3, "0003_capture.sql", std::string{schema::k0003_capture_sql}},
          {4, "0004_restore.sql", std::string{schema::k0004_restore_sql}},
          {5, "0005_start_before.sql", std::string{schema::k0005_start_before_sql}},
          {6, "0006_pause.sql", std::string{schema::k0006_pause_sql}},
          {7, "0007_schedule.sql", std::string{schema::k0007_schedule_sql}},
          {8, "0008_limits.sql", std::string{schema::k0008_limits_sql}},
          {9, "0009_failure_count.sql", std::string{schema::k0009_failure_count_sql}},
          {10, "0010_job_result.sql", std::string{schema::k0010_job_result_sql}},
          {11, "0011_tenant_life.sql", std::string{schema::k0011_tenant_life_sql}},
          {12, "0012_batch.sql", std::string{schema::k0012_batch_sql}},
          {13, "0013_tenant_schema.sql", std::string{schema::k0013_tenant_schema_sql}},
          {14, "0014_limit_rule.sql", std::string{schema::k0014_limit_rule_sql}},
          {15, "0015_settled.sql", std::string{schema::k0015_settled_sql}},
          {16, "0016_fan_out.sql", std::string{schema::k0016_fan_out_sql}},
          {17, "0017_tenant_restore.sql", std::string{schema::k0017_tenant_restore_sql}},
          {18, "0018_tenant_migration.sql", std::string{schema::k0018_tenant_migration_sql}},
          {19, "0019_pool_rules.sql", std::string{schema::k0019_pool_rules_sql}},
          {20, "0020_deletion_end.sql", std::string{schema::k0020_deletion_end_sql}},
          {21, "0021_limit_per_key.sql", std::string{schema::k0021_limit_per_key_sql}}};
}

void require_schema(Connection& connection, SchemaSteps steps) {
  const SchemaState state = schema_state(connection, steps);
  if (state.is_older())
    refuse(connection,
           fmt::format("the control database has schema {} and this program needs {}: stop tenured, "
                       "copy it (tenure store backup FILE), then: tenure store migrate",
                       state.version, state.newest));
}

SchemaState schema_state(Connection& connection, SchemaSteps steps) {
  const std::size_t applied = known_steps(connection, steps).count;
  SchemaState state{.version = static_cast<std::int64_t>(applied),
                    .newest = static_cast<std::int64_t>(steps.size()),
                    .pending = {},
                    .size_bytes = connection.statement(kFileBytes).row().integer(0),
                    .wal_bytes = sqlite::wal_bytes(connection.path()),
                    .page_problem = std::nullopt};
  for (const sqlite::Migration& step : steps.subspan(applied)) state.pending.push_back(step.name);
  return state;
}

// In one transaction, since a new database that a kill has left with some of the steps would be an older one.
void create_or_require_schema(Connection& connection, SchemaSteps steps, const Clock& clock) {
  if (!is_empty(connection)) return require_schema(connection, steps);
  {
    sqlite::WriteTransaction transaction{connection};
    if (is_empty(connection))  // nobody has been quicker
      for (const sqlite::Migration& step : steps) sqlite::apply_step(connection, step, to_us(clock.wall()));
    transaction.commit();
  }
  sqlite::sync_wal(connection);
  require_schema(connection, steps);
}

// By the number that SQLite itself keeps there, since reading the table of steps in each commit would cost more.
void SchemaWatch::check(Connection& connection) {
  const std::int64_t now = sqlite::schema_cookie(connection);
  if (now == seen_) return;
  require_schema(connection, steps_);
  seen_ = now;
}

SchemaState look_at_schema(const std::filesystem::path& path, SchemaSteps steps, PageCheck page_check) {
  SchemaState state;
  sqlite::look_at(path, [&](Connection& connection) {
    state = schema_state(connection, steps);
    state.page_problem = first_page_problem(connection, page_check);
  });
  return state;
}

SchemaState look_at_schema(const std::filesystem::path& path, PageCheck page_check) {
  return look_at_schema(path, control_migrations(), page_check);
}

SchemaState migrate_control_database(const std::filesystem::path& path, SchemaSteps steps,
                                     const AuditEntry& entry, const Clock& clock) {
  sqlite::Database database(path, {.writer_queue = true});
  SchemaState before;
  database.read([&](Connection& connection) { before = schema_state(connection, steps); });
  if (!before.is_older()) return before;
  const Descriptor lock = lock_for_upgrade(path);
  // Another one may have brought it on meanwhile, and then it was not this call.
  database.read([&](Connection& connection) { before = schema_state(connection, steps); });
  if (!before.is_older()) return before;
  while (migrate_once(database, steps, before, entry, clock.wall())) continue;
  return before;
}

SchemaState migrate_control_database(const std::filesystem::path& path, const AuditEntry& entry,
                                     const Clock& clock) {
  return migrate_control_database(path, control_migrations(), entry, clock);
}

}  // namespace tenure::queue
