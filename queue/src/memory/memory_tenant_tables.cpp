#include "memory_tables.hpp"

#include <algorithm>
#include <limits>
#include <utility>

// The rows of tenants: the registry's, and those of outboxes, pauses, migrations and copies.
namespace tenure::queue {

std::optional<TenantRecord> MemoryTables::newest_tenant(const TenantName& name) const {
  constexpr Generation kAfterAll{std::numeric_limits<std::int64_t>::max()};
  auto next = tenant_numbers_.upper_bound({name, kAfterAll});
  if (next == tenant_numbers_.begin() || (--next)->first.first != name) return std::nullopt;
  return tenant(next->second);
}

std::optional<TenantRecord> MemoryTables::tenant(TenantNumber number) const {
  const auto found = tenants_.find(number);
  if (found == tenants_.end() || !found->second.name) return std::nullopt;
  const MemoryTenant& row = found->second;
  return TenantRecord{number, *row.name, row.generation, row.state, row.created};
}

std::optional<TenantNumber> MemoryTables::tenant_number(const TenantName& name, Generation generation) const {
  const auto found = tenant_numbers_.find({name, generation});
  return found == tenant_numbers_.end() ? std::nullopt : std::optional{found->second};
}

TenantRecord MemoryTables::insert_tenant(const TenantName& name, Generation generation, WallTime now) {
  last_tenant_.value += 1;  // never taken back: a number is never given out twice
  set(tenants_, last_tenant_, MemoryTenant{name, generation, TenantState::provisioning, now});
  set(tenant_numbers_, {name, generation}, last_tenant_);
  return *tenant(last_tenant_);
}

void MemoryTables::set_tenant_state(TenantNumber number, TenantState state) {
  MemoryTenant row = tenants_.at(number);
  if (row.state != state) set(changed_tenants_, number, true);
  row.state = state;
  set(tenants_, number, std::move(row));
}

void MemoryTables::erase_tenant(TenantNumber number) {
  const MemoryTenant& row = tenants_.at(number);
  erase(tenant_numbers_, {*row.name, row.generation});
  erase(tenants_, number);
}

void MemoryTables::erase_changed_tenant(TenantNumber tenant) { erase(changed_tenants_, tenant); }

std::optional<TenantState> MemoryTables::former_state(TenantNumber tenant) const {
  const auto found = former_states_.find(tenant);
  return found == former_states_.end() ? std::nullopt : std::optional{found->second};
}

void MemoryTables::set_former_state(TenantNumber tenant, std::optional<TenantState> state) {
  if (state) set(former_states_, tenant, *state);
  else erase(former_states_, tenant);
}

bool MemoryTables::has_jobs(TenantNumber number) const {
  return std::ranges::any_of(jobs_, [&](const auto& entry) { return entry.second.lane.tenant == number; });
}

OutboxSeq MemoryTables::outbox_seen(TenantNumber tenant) const {
  const auto found = outbox_seen_.find(tenant);
  return found == outbox_seen_.end() ? OutboxSeq{0} : found->second;
}

void MemoryTables::set_outbox_seen(TenantNumber tenant, OutboxSeq seq) { set(outbox_seen_, tenant, seq); }

std::optional<OutboxSeq> MemoryTables::outbox_behind(TenantNumber tenant) const {
  const auto found = outbox_behind_.find(tenant);
  return found == outbox_behind_.end() ? std::nullopt : std::optional{found->second};
}

void MemoryTables::set_outbox_behind(TenantNumber tenant, std::optional<OutboxSeq> newest) {
  if (newest) set(outbox_behind_, tenant, *newest);
  else erase(outbox_behind_, tenant);
}

MemoryLost MemoryTables::outbox_lost(TenantNumber tenant) const {
  const auto found = outboxes_lost_.find(tenant);
  return found == outboxes_lost_.end() ? MemoryLost{} : found->second;
}

void MemoryTables::set_outbox_lost(TenantNumber tenant, const MemoryLost& lost) {
  set(outboxes_lost_, tenant, lost);
}

bool MemoryTables::add_outbox_mark(const MemoryOutboxMark& mark) {
  const bool is_there = std::ranges::any_of(outbox_marks_, [&](const auto& entry) {
    return entry.second.tenant == mark.tenant && entry.second.epoch == mark.epoch;
  });
  if (is_there) return false;
  last_outbox_mark_.value += 1;  // never taken back, as above
  set(outbox_marks_, last_outbox_mark_, mark);
  return true;
}

void MemoryTables::erase_outbox_mark(OutboxMarkNumber number) { erase(outbox_marks_, number); }

void MemoryTables::set_tenant_pause(TenantNumber tenant, const MemoryTenantPause& pause) {
  pauses_mark_.value += 1;
  set(tenant_pauses_, tenant, pause);
}

void MemoryTables::erase_tenant_pause(TenantNumber tenant) {
  pauses_mark_.value += 1;
  erase(tenant_pauses_, tenant);
}

void MemoryTables::set_deletion(TenantNumber tenant, const DeletionRecord& deletion) {
  set(deletions_, tenant, deletion);
}

void MemoryTables::set_tenant_restore(TenantNumber tenant, const MemoryTenantRestore& restore) {
  set(tenant_restores_, tenant, restore);
}

void MemoryTables::set_behind(const TenantBehind& behind) {
  schemas_mark_.value += 1;
  set(behind_changes_, behind.tenant, schemas_mark_);
  set(behind_, behind.tenant, behind);
}

void MemoryTables::erase_behind(TenantNumber tenant) {
  schemas_mark_.value += 1;
  set(behind_changes_, tenant, schemas_mark_);
  erase(behind_, tenant);
}

void MemoryTables::set_migration(const MemoryMigration& migration) {
  set(migrations_, migration.record.tenant, migration);
}

void MemoryTables::erase_migration(TenantNumber tenant) { erase(migrations_, tenant); }

}  // namespace tenure::queue
