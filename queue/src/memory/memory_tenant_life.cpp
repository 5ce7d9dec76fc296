#include "../job_rules.hpp"
#include "../tenant_rules.hpp"
#include "memory_writer.hpp"

#include <algorithm>
#include <utility>

namespace tenure::queue {
namespace {

std::optional<DeletionRecord> deletion_of(const MemoryTables& tables, TenantNumber tenant) {
  const auto found = tables.deletions().find(tenant);
  const auto owner = tables.tenant(tenant);
  if (found == tables.deletions().end() || !owner) return std::nullopt;
  DeletionRecord record = found->second;
  record.tenant = *owner;
  return record;
}

bool is_open(const DeletionRecord& deletion) {
  return deletion.step == DeletionStep::draining || deletion.step == DeletionStep::buried;
}

}  // namespace

std::optional<PauseRecord> MemoryReader::tenant_pause(const TenantName& name) {
  const auto tenant = tables_.newest_tenant(name);
  if (!tenant) return std::nullopt;
  const auto found = tables_.tenant_pauses().find(tenant->number);
  return found == tables_.tenant_pauses().end() ? std::nullopt : std::optional{found->second.record};
}

std::optional<DeletionRecord> MemoryReader::deletion(TenantNumber tenant) {
  return deletion_of(tables_, tenant);
}

std::optional<DeletionRecord> MemoryReader::open_deletion(const TenantName& name) {
  std::optional<DeletionRecord> newest;
  for (const auto& [number, deletion] : tables_.deletions())
    if (deletion.tenant.name == name && is_open(deletion)) newest = deletion_of(tables_, number);
  return newest;
}

std::vector<DeletionRecord> MemoryReader::open_deletions(TenantNumber after, std::size_t limit) {
  std::vector<DeletionRecord> open;
  for (auto place = tables_.deletions().upper_bound(after);
       place != tables_.deletions().end() && open.size() < limit; ++place) {
    auto deletion = deletion_of(tables_, place->first);
    if (deletion && is_open(*deletion)) open.push_back(*std::move(deletion));
  }
  return open;
}

Result<bool> MemoryWriter::pause_tenant(const NewPause& pause, WallTime now) {
  const auto name = TenantName::parse(pause.name);
  if (!name) return tl::unexpected(name.error());
  const auto tenant = tables_.newest_tenant(*name);
  if (auto at_work = check_at_work(tenant, *name, "paused"); !at_work)
    return tl::unexpected(std::move(at_work.error()));
  const bool is_new = tenant->state != TenantState::paused;
  MemoryTenantPause row{.record = pause_record(pause, now),
                        .state = is_new ? tenant->state : TenantState::active};
  if (const auto before = tables_.tenant_pauses().find(tenant->number);
      before != tables_.tenant_pauses().end())
    row.state = before->second.state;
  tables_.set_tenant_pause(tenant->number, row);
  if (is_new) tables_.set_tenant_state(tenant->number, TenantState::paused);
  return is_new;
}

bool MemoryWriter::resume_tenant(TenantNumber number) {
  const TenantState state = tables_.tenants().at(number).state;
  const auto found = tables_.tenant_pauses().find(number);
  const bool has_row = found != tables_.tenant_pauses().end();
  if (!has_row && state != TenantState::paused) return false;
  const TenantState behind = has_row ? found->second.state : TenantState::active;
  if (has_row) tables_.erase_tenant_pause(number);
  if (state == TenantState::paused) tables_.set_tenant_state(number, behind);
  else if (tables_.former_state(number) == TenantState::paused) tables_.set_former_state(number, behind);
  if (const auto failed = tables_.migrations().find(number);
      state != TenantState::paused && failed != tables_.migrations().end() &&
      failed->second.former_state == TenantState::paused)
    tables_.set_migration({failed->second.record, behind});
  return true;
}

void MemoryWriter::resume_expired_tenants(WallTime now) {
  std::vector<std::pair<WallTime, TenantNumber>> expired;
  for (const auto& [number, pause] : tables_.tenant_pauses())
    if (pause.record.until && *pause.record.until <= now) expired.emplace_back(*pause.record.until, number);
  std::ranges::sort(expired);
  if (expired.size() > kTenantPausesEnded) expired.resize(kTenantPausesEnded);
  for (const auto& [until, number] : expired) static_cast<void>(resume_tenant(number));
}

Result<TenantState> MemoryWriter::set_read_only(const TenantName& tenant, bool is_read_only) {
  const auto newest = tables_.newest_tenant(tenant);
  if (auto at_work = check_at_work(newest, tenant, "made read-only or writable"); !at_work)
    return tl::unexpected(std::move(at_work.error()));
  const TenantState state = is_read_only ? TenantState::read_only : TenantState::active;
  if (newest->state != TenantState::paused) {
    if (newest->state != state) tables_.set_tenant_state(newest->number, state);
  } else if (const auto pause = tables_.tenant_pauses().find(newest->number);
             pause != tables_.tenant_pauses().end()) {
    tables_.set_tenant_pause(newest->number, {pause->second.record, state});
  }
  return newest->state;
}

Result<DeletionRecord> MemoryWriter::begin_deletion(const NewDeletion& deletion, WallTime now) {
  const auto newest = tables_.newest_tenant(deletion.tenant);
  if (auto may = check_may_be_deleted(newest, deletion.tenant); !may)
    return tl::unexpected(std::move(may.error()));
  if (auto begun = deletion_of(tables_, newest->number)) return *std::move(begun);
  tables_.set_deletion(newest->number, {.tenant = *newest,
                                        .begun = now,
                                        .uid = deletion.uid,
                                        .login = deletion.login,
                                        .reason = deletion.reason});
  if (tables_.tenant_pauses().contains(newest->number)) tables_.erase_tenant_pause(newest->number);
  tables_.set_tenant_state(newest->number, TenantState::draining);
  return deletion_of(tables_, newest->number).value();
}

Result<void> MemoryWriter::bury(TenantNumber tenant, std::int64_t size_bytes, WallTime erase_at) {
  auto deletion = deletion_of(tables_, tenant);
  if (auto step = check_step(deletion, DeletionStep::draining); !step) return step;
  deletion->step = DeletionStep::buried;
  deletion->size_bytes = size_bytes;
  deletion->erase_at = erase_at;
  tables_.set_deletion(tenant, *deletion);
  std::vector<OutboxMarkNumber> marks;
  for (const auto& [number, mark] : tables_.outbox_marks())
    if (mark.tenant == tenant) marks.push_back(number);
  for (const OutboxMarkNumber mark : marks) tables_.erase_outbox_mark(mark);
  tables_.set_tenant_state(tenant, TenantState::deleted);
  return {};
}

Result<void> MemoryWriter::end_deletion(TenantNumber tenant, DeletionStep how) {
  auto deletion = deletion_of(tables_, tenant);
  if (auto step = check_step(deletion, DeletionStep::buried); !step) return step;
  deletion->step = how;
  tables_.set_deletion(tenant, *deletion);
  return {};
}

std::vector<ChangedTenant> MemoryWriter::take_changed_tenants(std::size_t limit) {
  std::vector<ChangedTenant> changed;
  for (const auto& [number, is_changed] : tables_.changed_tenants()) {
    if (changed.size() == limit) break;
    const auto tenant = tables_.tenant(number);
    changed.push_back({number, tenant ? tenant->state : TenantState::deleted});
  }
  for (const ChangedTenant& each : changed) tables_.erase_changed_tenant(each.tenant);
  return changed;
}

}  // namespace tenure::queue
