#include "../tenant_schema_rules.hpp"
#include "sqlite_reader.hpp"
#include "sqlite_writer.hpp"
#include "stored_values.hpp"
#include "tenant_rows.hpp"
#include "tenant_schema_rows.hpp"

#include <string>

namespace tenure::queue {
namespace {

using sqlite::Connection;
using sqlite::Query;

// Of as many rows as there are tenants whose jobs wait for a migration.
constexpr Query kTenantsBehind{"tenants_behind",
                               "select tenant, wanted, told, since_us from tenant_behind order by tenant"};
// ?1 tenant. Index: primary key, and so the next.
constexpr Query kTenantBehind{"tenant_behind",
                              "select tenant, wanted, told, since_us from tenant_behind where tenant = ?1"};
// ?1 tenant  ?2 wanted  ?3 told  ?4 since_us
constexpr Query kPutBehind{"put_behind", R"sql(
  insert into tenant_behind(tenant, wanted, told, since_us) values (?1, ?2, ?3, ?4)
  on conflict (tenant) do update set wanted = excluded.wanted, told = excluded.told, since_us = excluded.since_us
  where excluded.wanted < tenant_behind.wanted)sql"};
// ?1 tenant
constexpr Query kForgetBehind{"forget_behind", "delete from tenant_behind where tenant = ?1"};
// ?1 until_us. Index: tenant_behind_since.
constexpr Query kForgetBehindNoted{"forget_behind_noted", "delete from tenant_behind where since_us <= ?1"};
// Index: primary key.
constexpr Query kSchemasMark{"schemas_mark", "select seq from mark where name = 'schemas'"};
// ?1 the mark before. Index: tenant_behind_change_seq; primary key.
constexpr Query kChangedBehind{"changed_behind", R"sql(
  select tenant_behind_change.tenant, wanted, told, since_us
  from tenant_behind_change left join tenant_behind on tenant_behind.tenant = tenant_behind_change.tenant
  where tenant_behind_change.seq > ?1 order by tenant_behind_change.seq)sql"};
// ?1 a mark whose answer has been read. Index: tenant_behind_change_seq.
constexpr Query kForgetChanges{"forget_changes", "delete from tenant_behind_change where seq <= ?1"};

// ?1 tenant. Index: primary key.
constexpr Query kLastMigration{"last_migration", R"sql(
  select from_schema, to_schema, ended_us, took_us, error from tenant_migration where tenant = ?1)sql"};
// ?1 tenant  ?2 from_schema  ?3 to_schema  ?4 ended_us  ?5 took_us  ?6 error. Index: primary key.
constexpr Query kPutMigration{"put_migration", R"sql(
  insert into tenant_migration(tenant, from_schema, to_schema, ended_us, took_us, error)
  values (?1, ?2, ?3, ?4, ?5, ?6)
  on conflict (tenant) do update set from_schema = excluded.from_schema, to_schema = excluded.to_schema,
    ended_us = excluded.ended_us, took_us = excluded.took_us, error = excluded.error)sql"};
// Index: primary key, its begin.
constexpr Query kHasMigrations{"has_migrations", "select exists (select 1 from tenant_migration)"};
// ?1 tenant. Index: primary key.
constexpr Query kStateBeforeFailing{"state_before_failing",
                                    "select former_state from tenant_migration where tenant = ?1"};
// ?1 tenant  ?2 state. Index: primary key.
constexpr Query kKeepStateBeforeFailing{"keep_state_before_failing",
                                        "update tenant_migration set former_state = ?2 where tenant = ?1"};

std::optional<MigrationRecord> migration_of(Connection& connection, TenantNumber tenant) {
  auto row = connection.statement(kLastMigration);
  if (!row.bind(tenant.value).step()) return std::nullopt;
  return MigrationRecord{.tenant = tenant,
                         .from = row.integer(0),
                         .to = row.integer(1),
                         .ended = from_us(row.integer(2)),
                         .took = std::chrono::microseconds{row.integer(3)},
                         .error = std::string{row.text(4)}};
}

std::optional<TenantState> state_before_failing(Connection& connection, TenantNumber tenant) {
  auto row = connection.statement(kStateBeforeFailing);
  if (!row.bind(tenant.value).step() || row.is_null(0)) return std::nullopt;
  return tenant_state_of(row.integer(0));
}

void keep_state_before_failing(Connection& connection, TenantNumber tenant,
                               std::optional<TenantState> state) {
  connection.statement(kKeepStateBeforeFailing)
      .bind(tenant.value, state ? std::optional{static_cast<std::int64_t>(*state)} : std::nullopt)
      .run();
}

TenantBehind behind_in(const sqlite::Statement& row) {
  return {TenantNumber{row.integer(0)}, row.integer(1), std::string{row.text(2)}, from_us(row.integer(3))};
}

}  // namespace

std::optional<TenantBehind> behind_of(Connection& connection, TenantNumber tenant) {
  auto row = connection.statement(kTenantBehind);
  return row.bind(tenant.value).step() ? std::optional{behind_in(row)} : std::nullopt;
}

std::vector<TenantBehind> read_behind(Connection& connection) {
  std::vector<TenantBehind> all;
  auto row = connection.statement(kTenantsBehind);
  while (row.step()) all.push_back(behind_in(row));
  return all;
}

std::vector<TenantBehind> SqliteJobReader::tenants_behind() { return read_behind(connection_); }

std::optional<MigrationRecord> SqliteJobReader::last_migration(TenantNumber tenant) {
  return migration_of(connection_, tenant);
}

// Where none was told of, which is usual, a hundred thousand tenants cost no look each.
void SqliteJobReader::add_migrations(std::vector<TenantSummary>& summaries) {
  if (connection_.statement(kHasMigrations).row().integer(0) == 0) return;
  for (TenantSummary& summary : summaries)
    summary.migration = migration_of(connection_, summary.tenant.number);
}

void SqliteWriter::note_behind(const TenantBehind& behind) {
  connection_.statement(kPutBehind)
      .bind(behind.tenant.value, behind.wanted, behind.told, to_us(behind.since))
      .run();
}

bool SqliteWriter::forget_behind(TenantNumber tenant) {
  connection_.statement(kForgetBehind).bind(tenant.value).run();
  return connection_.changes() > 0;
}

void SqliteWriter::forget_behind_noted(WallTime until) {
  connection_.statement(kForgetBehindNoted).bind(to_us(until)).run();
}

std::optional<KnownSchemas> SqliteWriter::known_schemas(SchemasMark known) {
  const SchemasMark mark{connection_.statement(kSchemasMark).row().integer(0)};
  if (mark == known) return std::nullopt;
  KnownSchemas changed{.mark = mark, .is_all = known.value == 0, .tenants = {}, .level = {}};
  if (changed.is_all) {
    changed.tenants = read_behind(connection_);
  } else {
    auto row = connection_.statement(kChangedBehind);
    row.bind(known.value);
    while (row.step()) {
      if (row.is_null(1)) changed.level.push_back(TenantNumber{row.integer(0)});
      else changed.tenants.push_back(behind_in(row));
    }
  }
  connection_.statement(kForgetChanges).bind(known.value).run();
  return changed;
}

bool SqliteWriter::start_migration(const MigrationOrder& order, WallTime now) {
  const auto tenant = tenant_numbered(connection_, order.tenant);
  if (!tenant) return false;
  const auto enqueued =
      enqueue_as({.made_by = MadeBy::tenure}, keys_, migration_job(order, *tenant, now), now);
  return enqueued && !enqueued->existed;
}

bool SqliteWriter::note_migration(const MigrationRecord& migration) {
  const auto tenant = tenant_numbered(connection_, migration.tenant);
  if (!tenant) return false;
  if (is_worth_keeping(migration, migration_of(connection_, migration.tenant)))
    connection_.statement(kPutMigration)
        .bind(migration.tenant.value, migration.from, migration.to, to_us(migration.ended),
              migration.took.count(), migration.error)
        .run();
  if (!migration.error.empty()) {
    if (!may_fail_by_migration(tenant->state)) return false;
    keep_state_before_failing(connection_, migration.tenant, tenant->state);
    change_state(migration.tenant, TenantState::failed);
    append_audit(audit_of_failed_migration(*tenant), migration.ended);
    return false;
  }
  const bool was_behind = forget_behind(migration.tenant);
  const auto former = state_before_failing(connection_, migration.tenant);
  if (!former) return was_behind;
  keep_state_before_failing(connection_, migration.tenant, std::nullopt);
  if (tenant->state != TenantState::failed) return was_behind;
  change_state(migration.tenant, *former);
  return true;
}

bool resume_behind_failure(Connection& connection, TenantNumber tenant, TenantState state) {
  if (state_before_failing(connection, tenant) != TenantState::paused) return false;
  keep_state_before_failing(connection, tenant, state);
  return true;
}

std::vector<const Query*> tenant_schema_queries() {
  return {&kTenantsBehind,         &kTenantBehind,  &kPutBehind,     &kForgetBehind,
          &kForgetBehindNoted,     &kSchemasMark,   &kChangedBehind, &kForgetChanges,
          &kLastMigration,         &kHasMigrations, &kPutMigration,  &kStateBeforeFailing,
          &kKeepStateBeforeFailing};
}

}  // namespace tenure::queue
