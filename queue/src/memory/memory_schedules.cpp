#include "memory_schedules.hpp"

#include "memory_writer.hpp"

#include <algorithm>
#include <iterator>

namespace tenure::queue {

MemoryTables& MemoryScheduleRows::writable() const { return writer_->tables_; }

std::vector<ScheduleRecord> MemoryScheduleRows::all() {
  std::vector<ScheduleRecord> rows;
  for (const auto& [number, row] : tables_.schedules()) rows.push_back(row);
  std::ranges::sort(rows, {}, [](const ScheduleRecord& row) { return row.entry.name; });
  return rows;
}

std::optional<ScheduleRecord> MemoryScheduleRows::numbered(ScheduleNumber number) {
  const auto found = tables_.schedules().find(number);
  if (found == tables_.schedules().end()) return std::nullopt;
  return found->second;
}

std::optional<ScheduleRecord> MemoryScheduleRows::named(std::string_view name) {
  for (const auto& [number, row] : tables_.schedules())
    if (row.entry.name == name) return row;
  return std::nullopt;
}

TickRecord MemoryScheduleRows::shown(const TickRow& row) const {
  TickRecord tick{.schedule = row.schedule,
                  .tick = row.tick,
                  .tenant = {},
                  .is_manual = row.is_manual,
                  .result = row.result,
                  .job = row.job};
  if (const auto tenant = tables_.tenant(row.tenant)) tick.tenant = tenant->name;
  return tick;
}

std::vector<TickRecord> MemoryScheduleRows::ticks(ScheduleNumber schedule, std::size_t limit) {
  std::vector<TickRecord> ticks;
  const auto& rows = tables_.schedule_ticks();
  for (auto row = rows.rbegin(); row != rows.rend() && ticks.size() < limit; ++row)
    if (row->second.schedule == schedule) ticks.push_back(shown(row->second));
  return ticks;
}

std::optional<TickRecord> MemoryScheduleRows::tick_of(JobId job) {
  for (const auto& [key, row] : tables_.schedule_ticks())
    if (row.job == job) return shown(row);
  return std::nullopt;
}

ScheduleNumber MemoryScheduleRows::insert(const ScheduleRecord& row) {
  return writable().insert_schedule(row);
}

void MemoryScheduleRows::update(const ScheduleRecord& row) { writable().update_schedule(row, true); }

void MemoryScheduleRows::advance(const ScheduleRecord& row) { writable().update_schedule(row, false); }

void MemoryScheduleRows::erase(ScheduleNumber number) {
  std::vector<JobSeq> jobs;
  for (const auto& [seq, owner] : tables_.schedule_jobs())
    if (owner.first == number) jobs.push_back(seq);
  for (const JobSeq seq : jobs) writable().erase_schedule_job(seq);
  writable().erase_schedule(number);
}

bool MemoryScheduleRows::add_tick(const TickRow& row) {
  const auto found = tables_.schedule_ticks().find({row.schedule, row.tick, row.tenant, row.is_manual});
  if (found != tables_.schedule_ticks().end() && found->second.job) return false;
  writable().set_schedule_tick(row);
  return true;
}

void MemoryScheduleRows::forget_ticks(WallTime before, std::size_t limit) {
  std::vector<MemoryTables::TickKey> old;
  for (const auto& [key, row] : tables_.schedule_ticks())
    if (row.tick < before) old.push_back(key);
  std::ranges::stable_sort(old, {}, [](const MemoryTables::TickKey& key) { return std::get<1>(key); });
  for (std::size_t index = 0; index < std::min(limit, old.size()); ++index)
    writable().erase_schedule_tick(old[index]);
}

void MemoryScheduleRows::add_unended(ScheduleNumber schedule, TenantNumber tenant, JobSeq seq) {
  writable().set_schedule_job(seq, {schedule, tenant});
}

void MemoryScheduleRows::forget_unended(ScheduleNumber, TenantNumber, JobSeq seq) {
  writable().erase_schedule_job(seq);
}

std::vector<UnendedJob> MemoryScheduleRows::unended(ScheduleNumber schedule, TenantNumber tenant,
                                                    std::size_t limit) {
  std::vector<UnendedJob> jobs;
  for (const auto& [seq, owner] : tables_.schedule_jobs()) {
    if (jobs.size() == limit) break;
    if (owner != MemoryTables::ScheduleOwner{schedule, tenant}) continue;
    UnendedJob job{.seq = seq};
    const auto found = tables_.jobs().find(seq);
    if (found != tables_.jobs().end()) job.id = found->second.id;
    job.has_ended = found == tables_.jobs().end() || is_final(found->second.state);
    job.waits = !tables_.claims().contains(seq);
    jobs.push_back(job);
  }
  return jobs;
}

std::vector<WritableScheduleRows::Blocked> MemoryScheduleRows::blocked(JobSeq after, std::size_t limit) {
  std::vector<Blocked> jobs;
  const auto& all = tables_.blocked();
  for (auto next = all.upper_bound(after); next != all.end() && jobs.size() < limit; ++next) {
    const JobSeq seq = *next;
    const MemoryJob& row = tables_.jobs().at(seq);
    if (row.reason != JobReason::schedule_overlap) continue;
    Blocked job{.seq = seq, .due = row.due};
    const auto owner = tables_.schedule_jobs().find(seq);
    if (owner != tables_.schedule_jobs().end()) {
      job.schedule = owner->second.first;
      job.tenant = owner->second.second;
    }
    jobs.push_back(job);
  }
  return jobs;
}

void MemoryScheduleRows::make_ready(JobSeq seq, WallTime) {
  writer_->end_wait(seq);
  writable().add_hint(seq);
}

std::vector<PoolRecord> MemoryScheduleRows::pools() {
  std::vector<PoolRecord> pools;
  for (const auto& [name, pool] : tables_.pools()) pools.push_back(pool.record);
  return pools;
}

std::vector<TenantRecord> MemoryScheduleRows::firing_tenants(TenantNumber after, std::size_t limit,
                                                             bool with_read_only) {
  const TenantState also = with_read_only ? TenantState::read_only : TenantState::active;
  std::vector<TenantRecord> tenants;
  const auto& rows = tables_.tenants();
  for (auto row = rows.upper_bound(after); row != rows.end() && tenants.size() < limit; ++row)
    if (row->second.name && (row->second.state == TenantState::active || row->second.state == also))
      tenants.push_back(*tables_.tenant(row->first));
  return tenants;
}

Result<Enqueued> MemoryScheduleRows::enqueue(const NewJob& job, bool is_blocked, WallTime now) {
  return writer_->enqueue_as({.blocked_for = is_blocked ? JobReason::schedule_overlap : JobReason::none},
                             writer_->keys_, job, now);
}

}  // namespace tenure::queue
