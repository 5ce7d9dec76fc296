#include "../job_key_rules.hpp"
#include "../job_rules.hpp"
#include "../tenant_rules.hpp"
#include "memory_writer.hpp"

#include <utility>

namespace tenure::queue {
namespace {

std::optional<TenantRestore> restore_of(const MemoryTables& tables, const TenantName& name) {
  std::optional<TenantRestore> newest;
  for (const auto& [number, row] : tables.tenant_restores()) {
    const auto before = tables.tenant(number);
    if (!before || before->name != name) continue;
    if (newest && newest->before.generation > before->generation) continue;
    newest = TenantRestore{.before = *before,
                           .next = row.next ? tables.tenant(*row.next) : std::nullopt,
                           .begun = row.begun,
                           .copied = row.copied,
                           .copied_generation = row.copied_generation};
  }
  return newest;
}

}  // namespace

std::optional<TenantRestore> MemoryReader::tenant_restore(const TenantName& tenant) {
  return restore_of(tables_, tenant);
}

Result<TenantRestore> MemoryWriter::begin_restore(const NewTenantRestore& restore, WallTime now) {
  const auto newest = tables_.newest_tenant(restore.tenant);
  if (const auto begun = restore_of(tables_, restore.tenant);
      begun && newest && is_open_of(*begun, *newest)) {
    if (auto later = check_next_is_later(*begun, restore.copied_generation); !later)
      return tl::unexpected(std::move(later.error()));
    MemoryTenantRestore row = tables_.tenant_restores().at(begun->before.number);
    row.copied = restore.copied;
    row.copied_generation = restore.copied_generation;
    tables_.set_tenant_restore(begun->before.number, row);
    return restore_of(tables_, restore.tenant).value();
  }
  const bool is_being_deleted = newest && tables_.deletions().contains(newest->number);
  if (auto may = check_may_be_restored(newest, restore.tenant, is_being_deleted); !may)
    return tl::unexpected(std::move(may.error()));
  const bool is_put_away = newest->state != TenantState::deleted;
  tables_.set_tenant_restore(newest->number, {.begun = now,
                                              .copied = restore.copied,
                                              .copied_generation = restore.copied_generation,
                                              .is_put_away = is_put_away,
                                              .next = {}});
  if (is_put_away) {
    tables_.set_deletion(newest->number, {.tenant = *newest,
                                          .begun = now,
                                          .uid = restore.uid,
                                          .login = restore.login,
                                          .reason = restore.reason});
    if (tables_.tenant_pauses().contains(newest->number)) tables_.erase_tenant_pause(newest->number);
    tables_.set_tenant_state(newest->number, TenantState::draining);
  }
  return restore_of(tables_, restore.tenant).value();
}

Result<void> MemoryWriter::hold_for_restore(JobId id) {
  const auto seq = named_job_for(Transition::hold_for_restore, id, JobState::blocked);
  if (!seq) return tl::unexpected(seq.error());
  leave_place(*seq);
  acquit(*seq);
  tables_.erase_cursor(*seq);
  block(*seq, JobReason::generation);
  return {};
}

Relayed MemoryWriter::relay_for_restore(const OutboxOwner& owner, const OutboxRows& rows, WallTime now) {
  if (!rows.rows.empty()) value_or_raise(check_keys(tables_.seal_marks(), keys_));
  relays_for_restore_ = true;
  Relayed relayed = relay_outbox(owner, rows, now);
  relays_for_restore_ = false;
  return relayed;
}

Result<TenantRecord> MemoryWriter::begin_next(const TenantName& tenant, std::int64_t size_bytes,
                                              WallTime erase_at, WallTime now) {
  const auto restore = restore_of(tables_, tenant);
  const auto newest = tables_.newest_tenant(tenant);
  if (!restore || !newest) return no_restore_begun(tenant);
  if (restore->next) {
    if (restore->next->number == newest->number) return *newest;
    return no_restore_begun(tenant);
  }
  if (newest->number != restore->before.number) return no_restore_begun(tenant);
  if (newest->state == TenantState::draining)
    if (auto buried =
            bury(newest->number, {.size_bytes = size_bytes, .newest = OutboxSeq{0}, .erase_at = erase_at});
        !buried)
      return tl::unexpected(std::move(buried.error()));
  const TenantRecord next =
      tables_.insert_tenant(tenant, next_generation(newest->generation, restore->copied_generation), now);
  MemoryTenantRestore row = tables_.tenant_restores().at(newest->number);
  row.next = next.number;
  tables_.set_tenant_restore(newest->number, row);
  return next;
}

CopiedRow MemoryWriter::copied_row(JobSeq seq) const {
  const MemoryJob& row = tables_.jobs().at(seq);
  const MemoryTenant& owner = tables_.tenants().at(row.lane.tenant);
  MemoryReader reader{tables_};
  return {.tenant = owner.name,
          .generation = owner.generation,
          .queue = reader.queue_name(row.lane.queue),
          .kind = reader.kind_name(row.lane.kind),
          .priority = row.lane.priority,
          .attempts_max = row.attempts_max,
          .envelope = *tables_.envelope(seq),
          .concurrency = stated_concurrency(seq)};
}

Result<Copy> MemoryWriter::restamped(JobSeq seq, WallTime now) {
  const MemoryJob& job = tables_.jobs().at(seq);
  if (tables_.claims().contains(seq)) return running_is_not_restamped(job.id);
  const auto owner = tables_.tenant(job.lane.tenant);
  if (!owner) return no_tenant_to_restamp(job.id);
  const auto newest = tables_.newest_tenant(owner->name);
  if (auto may = check_restamp(job.id, *owner, newest); !may) return tl::unexpected(std::move(may.error()));
  auto made = copy_of(job.id, copied_row(seq), tables_.seal_marks(), keys_, job.id, now);
  if (!made) return made;
  made->job.generation = newest->generation;
  if (!is_final(job.state)) {
    made->job.due = job.due;
    if (const auto start = tables_.start_times().find(seq); start != tables_.start_times().end())
      made->job.start_before = start->second;
  }
  const auto unique = tables_.unique_key(seq);
  if (!unique) return made;
  const std::string key{stated_key(unique->key)};
  const bool is_global = is_global_key(unique->key);
  const std::string stored = stored_key(newest->number, key, is_global);
  if (const auto holder = tables_.holder_of(stored); holder && *holder != seq)
    return unique_key_taken(job.id, stored, tables_.jobs().at(*holder).id);
  made->job.unique = UniqueKey{key, unique->until, is_global};
  return made;
}

Result<void> MemoryWriter::restamp(JobId id, WallTime now) {
  const auto seq = tables_.seq_of(id);
  if (!seq) return no_such_job(id);
  auto made = restamped(*seq, now);
  if (!made) return tl::unexpected(std::move(made.error()));
  if (auto fits = check_keys(tables_.seal_marks(), keys_); !fits) return fits;
  if (MemoryJob job = tables_.jobs().at(*seq); !is_final(job.state)) {
    leave_place(*seq);
    batches_.ended(*seq, JobState::cancelled, now);
    job.state = JobState::cancelled;  // where an index has it, it is found no more
    tables_.update_job(*seq, job);
  }
  batches_.removed(*seq);
  acquit(*seq);
  std::vector<AttemptRecord> attempts;
  if (const auto rows = tables_.attempts().find(*seq); rows != tables_.attempts().end())
    attempts = rows->second;
  tables_.erase_job(*seq);
  const Enqueued enqueued =
      value_or_raise(enqueue_sealed_by(made->may_be_sealed ? keys_ : KeyRing(), made->job, now));
  TENURE_INVARIANT(!enqueued.existed);
  for (const AttemptRecord& attempt : attempts) tables_.add_attempt(enqueued.seq, attempt);
  return {};
}

}  // namespace tenure::queue
