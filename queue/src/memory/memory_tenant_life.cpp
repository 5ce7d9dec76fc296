#include "../closing_outbox.hpp"
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
  const auto restore = tables.tenant_restores().find(tenant);
  record.is_restore = restore != tables.tenant_restores().end() && restore->second.is_put_away;
  return record;
}

bool has_open_restore(MemoryTables& tables, const TenantName& tenant) {
  const auto newest = tables.newest_tenant(tenant);
  const auto begun = MemoryReader{tables}.tenant_restore(tenant);
  return newest && begun && is_open_of(*begun, *newest);
}

std::optional<TenantRecord> generation_of(const MemoryTables& tables, const TenantName& name,
                                          Generation generation) {
  for (const auto& [number, row] : tables.tenants())
    if (row.name == name && row.generation == generation) return tables.tenant(number);
  return std::nullopt;
}

bool is_open(const DeletionRecord& deletion) { return !has_ended(deletion.step); }

// With the tenant goes what was kept for it; whose own window is not over goes behind that.
void erase_put_away_before(MemoryTables& tables, const TenantRecord& erased) {
  std::vector<TenantNumber> older;
  for (const auto& [number, restore] : tables.tenant_restores()) {
    const auto tenant = tables.tenant(number);
    if (tenant && tenant->name == erased.name && tenant->generation < erased.generation &&
        restore.is_put_away)
      older.push_back(number);
  }
  for (const TenantNumber number : older) {
    MemoryTenantRestore restore = tables.tenant_restores().at(number);
    restore.is_put_away = false;
    tables.set_tenant_restore(number, restore);
    auto deletion = deletion_of(tables, number);
    if (!deletion || is_open(*deletion)) continue;
    deletion->step = DeletionStep::erasing;
    tables.set_deletion(number, *deletion);
  }
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

std::optional<DeletionRecord> MemoryReader::open_deletion(const TenantName& name,
                                                          std::optional<Generation> generation) {
  std::optional<DeletionRecord> newest;
  for (const auto& [number, deletion] : tables_.deletions()) {
    const TenantRecord& tenant = deletion.tenant;
    if (tenant.name != name || !is_open(deletion)) continue;
    if (generation ? tenant.generation == *generation
                   : !newest || newest->tenant.generation < tenant.generation)
      newest = deletion_of(tables_, number);
  }
  return newest;
}

ErasableJobs MemoryReader::erasable_jobs(JobSeq after, std::size_t looks_max) {
  ErasableJobs found{.jobs = {}, .looked_until = after};
  std::size_t looks = 0;
  for (auto job = tables_.jobs().upper_bound(after); job != tables_.jobs().end() && looks < looks_max;
       ++job, ++looks) {
    found.looked_until = job->first;
    const auto deletion = deletion_of(tables_, job->second.lane.tenant);
    if (deletion && deletion->step == DeletionStep::erasing && !deletion->is_restore)
      found.jobs.push_back(job->second.id);
  }
  found.is_end = looks < looks_max;
  return found;
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
  if (has_open_restore(tables_, deletion.tenant)) return is_being_restored(deletion.tenant);
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

Result<CancelledOutbox> MemoryWriter::cancel_outbox(const OutboxOwner& owner, const OutboxRows& rows,
                                                    WallTime now) {
  if (auto keys = check_keys(tables_.seal_marks(), keys_); !keys && !rows.rows.empty())
    return tl::unexpected(std::move(keys.error()));
  const auto number = tables_.tenant_number(owner.tenant, owner.generation);
  const auto deletion = number ? deletion_of(tables_, *number) : std::nullopt;
  if (auto step = check_step(deletion, DeletionStep::draining); !step)
    return tl::unexpected(std::move(step.error()));
  const Owner known{*number, owner.generation};
  const OutboxSeq before = tables_.outbox_seen(*number);
  auto closed = close_rows(
      before, tables_.outbox_behind(*number).has_value(), owner, rows, keys_,
      [&](const NewJob& job) {
        return enqueue_as({.join_by = JoinBy::outbox, .owner = &known}, keys_, job, now);
      },
      [&](JobId id) { return cancel_by_operator(id, now); });
  if (!closed) return tl::unexpected(std::move(closed.error()));
  if (closed->watermark > before) tables_.set_outbox_seen(*number, closed->watermark);
  if (closed->done.lost > 0) note_lost(owner, *number, closed->done.lost, closed->watermark, now);
  return std::move(closed->done);
}

Result<void> MemoryWriter::bury(TenantNumber tenant, const BuriedTenant& buried) {
  auto deletion = deletion_of(tables_, tenant);
  if (auto step = check_step(deletion, DeletionStep::draining); !step) return step;
  if (auto empty = check_outbox_ended(*deletion, buried, tables_.outbox_seen(tenant)); !empty) return empty;
  deletion->step = DeletionStep::buried;
  deletion->size_bytes = buried.size_bytes;
  deletion->erase_at = buried.erase_at;
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
  if (auto step = check_step(deletion, step_before(how)); !step) return step;
  deletion->step = how;
  tables_.set_deletion(tenant, *deletion);
  return {};
}

Result<void> MemoryWriter::begin_taking_back(TenantNumber tenant, WallTime now) {
  auto deletion = deletion_of(tables_, tenant);
  if (auto may = check_may_be_taken_back(deletion, now); !may) return may;
  if (has_open_restore(tables_, deletion->tenant.name)) return is_being_restored(deletion->tenant.name);
  deletion->step = DeletionStep::taking_back;
  tables_.set_deletion(tenant, *deletion);
  return {};
}

Result<void> MemoryWriter::give_up_taking_back(TenantNumber tenant) {
  auto deletion = deletion_of(tables_, tenant);
  if (auto step = check_step(deletion, DeletionStep::taking_back); !step) return step;
  deletion->step = DeletionStep::buried;
  tables_.set_deletion(tenant, *deletion);
  return {};
}

Result<void> MemoryWriter::begin_erasing(TenantNumber tenant, WallTime now) {
  auto deletion = deletion_of(tables_, tenant);
  if (auto may = check_may_be_erased(deletion, now); !may) return may;
  deletion->step = DeletionStep::erasing;
  tables_.set_deletion(tenant, *deletion);
  if (!deletion->is_restore) erase_put_away_before(tables_, deletion->tenant);
  return {};
}

Result<void> MemoryWriter::erase_job(JobId id, WallTime now) {
  const auto seq = tables_.seq_of(id);
  if (!seq) return no_such_job(id);
  if (*seq == tables_.last_seq()) return newest_job_stays(id);
  if (!is_final(tables_.jobs().at(*seq).state))
    if (auto ended = cancel_by_operator(id, now); !ended) return ended;
  return delete_by_operator(id);
}

std::int64_t MemoryWriter::erase_rows_of(TenantNumber tenant, std::size_t limit) {
  std::vector<OutboxMarkNumber> marks;
  for (const auto& [number, mark] : tables_.outbox_marks())
    if (mark.tenant == tenant) marks.push_back(number);
  for (const OutboxMarkNumber mark : marks) tables_.erase_outbox_mark(mark);
  std::vector<CaptureNumber> captures;
  for (const auto& [number, capture] : tables_.captures())
    if (capture.tenant == tenant) captures.push_back(number);
  for (const CaptureNumber number : captures) tables_.erase_capture(number);
  static_cast<void>(forget_behind(tenant));
  if (tables_.migrations().contains(tenant)) tables_.erase_migration(tenant);
  return batches_.erase_of(tenant, limit);
}

std::optional<TenantRecord> MemoryWriter::register_tenant(const StampedTenant& tenant, WallTime now) {
  const auto newest = tables_.newest_tenant(tenant.name);
  if (const auto known = generation_of(tables_, tenant.name, tenant.generation)) {
    if (!newest || !may_be_taken_over(tenant, *known, *newest) || deletion_of(tables_, known->number) ||
        has_open_restore(tables_, tenant.name))
      return std::nullopt;
    if (tenant.state == TenantState::draining && tables_.tenant_pauses().contains(known->number))
      tables_.erase_tenant_pause(known->number);
    tables_.set_tenant_state(known->number, tenant.state);
    return tables_.tenant(known->number);
  }
  const bool is_older = newest && newest->generation > tenant.generation;
  if (is_older && tenant.state != TenantState::deleted) return std::nullopt;
  if (newest && !is_older) tables_.set_tenant_state(newest->number, TenantState::deleted);
  TenantRecord record = tables_.insert_tenant(tenant.name, tenant.generation, now);
  tables_.set_tenant_state(record.number, tenant.state);
  record.state = tenant.state;
  return record;
}

void MemoryWriter::register_burial(TenantNumber tenant, const NewDeletion& deletion,
                                   const BuriedTenant& buried, WallTime now) {
  const auto owner = tables_.tenant(tenant);
  if (!owner || tables_.deletions().contains(tenant)) return;
  tables_.set_deletion(tenant, {.tenant = *owner,
                                .step = DeletionStep::buried,
                                .begun = now,
                                .erase_at = buried.erase_at,
                                .size_bytes = buried.size_bytes,
                                .uid = deletion.uid,
                                .login = deletion.login,
                                .reason = deletion.reason});
  const auto newest = tables_.newest_tenant(owner->name);
  if (!newest || !was_put_away(*owner, *newest) || tables_.tenant_restores().contains(tenant)) return;
  MemoryTenantRestore restore{
      .begun = now, .copied = now, .copied_generation = owner->generation, .is_put_away = true, .next = {}};
  if (newest->state != TenantState::provisioning) restore.next = newest->number;
  tables_.set_tenant_restore(tenant, restore);
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
