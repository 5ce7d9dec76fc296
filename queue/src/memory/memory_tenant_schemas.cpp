#include "../tenant_schema_rules.hpp"
#include "memory_writer.hpp"

namespace tenure::queue {

std::vector<TenantBehind> MemoryReader::tenants_behind() {
  std::vector<TenantBehind> all;
  for (const auto& [tenant, behind] : tables_.behind()) all.push_back(behind);
  return all;
}

std::optional<MigrationRecord> MemoryReader::last_migration(TenantNumber tenant) {
  const auto found = tables_.migrations().find(tenant);
  return found == tables_.migrations().end() ? std::nullopt : std::optional{found->second.record};
}

void MemoryWriter::note_behind(const TenantBehind& behind) {
  const auto known = tables_.behind().find(behind.tenant);
  if (known == tables_.behind().end() || behind.wanted < known->second.wanted) tables_.set_behind(behind);
}

bool MemoryWriter::forget_behind(TenantNumber tenant) {
  if (!tables_.behind().contains(tenant)) return false;
  tables_.erase_behind(tenant);
  return true;
}

void MemoryWriter::forget_behind_noted(WallTime until) {
  std::vector<TenantNumber> old;
  for (const auto& [tenant, behind] : tables_.behind())
    if (behind.since <= until) old.push_back(tenant);
  for (const TenantNumber tenant : old) tables_.erase_behind(tenant);
}

std::optional<KnownSchemas> MemoryWriter::known_schemas(SchemasMark known) {
  if (known == tables_.schemas_mark()) return std::nullopt;
  KnownSchemas schemas{
      .mark = tables_.schemas_mark(), .is_all = known.value == 0, .tenants = {}, .level = {}};
  if (schemas.is_all) {
    for (const auto& [tenant, behind] : tables_.behind()) schemas.tenants.push_back(behind);
    return schemas;
  }
  for (const auto& [tenant, mark] : tables_.behind_changes()) {
    if (mark <= known) continue;
    const auto behind = tables_.behind().find(tenant);
    if (behind == tables_.behind().end()) schemas.level.push_back(tenant);
    else schemas.tenants.push_back(behind->second);
  }
  return schemas;
}

bool MemoryWriter::start_migration(const MigrationOrder& order, WallTime now) {
  const auto tenant = tables_.tenant(order.tenant);
  if (!tenant) return false;
  const auto enqueued =
      enqueue_as({.made_by = MadeBy::tenure}, keys_, migration_job(order, *tenant, now), now);
  return enqueued && !enqueued->existed;
}

bool MemoryWriter::note_migration(const MigrationRecord& migration) {
  const auto tenant = tables_.tenant(migration.tenant);
  if (!tenant) return false;
  const auto found = tables_.migrations().find(migration.tenant);
  const bool is_there = found != tables_.migrations().end();
  MemoryMigration row = is_there ? found->second : MemoryMigration{.record = migration};
  const auto former = row.former_state;
  if (is_worth_keeping(migration, is_there ? std::optional{row.record} : std::nullopt))
    row.record = migration;
  else if (!is_there) return forget_behind(migration.tenant);
  if (!migration.error.empty()) {
    const bool fails = may_fail_by_migration(tenant->state);
    if (fails) row.former_state = tenant->state;
    tables_.set_migration(row);
    if (!fails) return false;
    tables_.set_tenant_state(migration.tenant, TenantState::failed);
    append_audit(audit_of_failed_migration(*tenant), migration.ended);
    return false;
  }
  row.former_state.reset();
  tables_.set_migration(row);
  const bool was_behind = forget_behind(migration.tenant);
  if (!former || tenant->state != TenantState::failed) return was_behind;
  tables_.set_tenant_state(migration.tenant, *former);
  return true;
}

}  // namespace tenure::queue
