#include "memory_fan_outs.hpp"

#include "../job_rules.hpp"
#include "memory_writer.hpp"

namespace tenure::queue {

MemoryTables& MemoryFanOutRows::writable() const { return writer_->tables_; }

std::optional<FanOutRow> MemoryFanOutRows::of(BatchNumber batch) {
  const auto found = tables_.fan_outs().find(batch);
  return found == tables_.fan_outs().end() ? std::nullopt : std::optional{found->second};
}

std::vector<BatchNumber> MemoryFanOutRows::newest(const std::optional<BatchNumber>& before,
                                                  std::size_t limit) {
  std::vector<BatchNumber> numbers;
  const auto& all = tables_.fan_outs();
  for (auto row = all.rbegin(); row != all.rend() && numbers.size() < limit; ++row)
    if (!before || row->first < *before) numbers.push_back(row->first);
  return numbers;
}

std::vector<BatchNumber> MemoryFanOutRows::under_way() {
  std::vector<BatchNumber> numbers;
  for (const auto& [number, row] : tables_.fan_outs())
    if (row.is_under_way) numbers.push_back(number);
  return numbers;
}

std::optional<BatchNumber> MemoryFanOutRows::newest_of_key(std::string_view key) {
  const auto& all = tables_.fan_outs();
  for (auto row = all.rbegin(); row != all.rend(); ++row)
    if (row->second.key == key) return row->first;
  return std::nullopt;
}

std::map<FanOutSkip, std::int64_t> MemoryFanOutRows::skips(BatchNumber batch) {
  std::map<FanOutSkip, std::int64_t> counts;
  for (const auto& [key, row] : tables_.fan_out_skips())
    if (key.first == batch) ++counts[row.skip];
  return counts;
}

std::vector<SkippedTenant> MemoryFanOutRows::skipped(BatchNumber batch, TenantNumber after,
                                                     std::size_t limit) {
  std::vector<SkippedTenant> tenants;
  const auto& rows = tables_.fan_out_skips();
  for (auto row = rows.upper_bound({batch, after});
       row != rows.end() && row->first.first == batch && tenants.size() < limit; ++row) {
    SkippedTenant& one = tenants.emplace_back(row->second);
    const auto tenant = tables_.tenant(one.number);
    if (!tenant) continue;
    one.tenant = tenant->name;
    one.generation = tenant->generation;
  }
  return tenants;
}

std::vector<FanOutJob> MemoryFanOutRows::jobs(BatchNumber batch, FanOutJobs which, JobSeq after,
                                              std::size_t limit) {
  std::vector<FanOutJob> jobs;
  const auto& members = tables_.batch_jobs();
  for (auto member = members.upper_bound(after); member != members.end() && jobs.size() < limit; ++member) {
    const MemberRow& row = member->second;
    const bool has_failed = row.ended && *row.ended != JobState::succeeded;
    if (row.batch != batch || (which == FanOutJobs::failed && !has_failed)) continue;
    const MemoryJob& job = tables_.jobs().at(member->first);
    FanOutJob& one = jobs.emplace_back();
    one.seq = member->first;
    one.id = job.id;
    one.ended = row.ended;
    if (const auto tenant = tables_.tenant(job.lane.tenant)) {
      one.tenant = tenant->name;
      one.generation = tenant->generation;
    }
  }
  return jobs;
}

void MemoryFanOutRows::insert(const FanOutRow& row) {
  advance(row);
  raise_mark();
}

void MemoryFanOutRows::raise_mark() { writable().raise_fan_outs_mark(); }

void MemoryFanOutRows::advance(const FanOutRow& row) { writable().set_fan_out(row); }

void MemoryFanOutRows::add_skip(BatchNumber batch, TenantNumber tenant, FanOutSkip skip, WallTime now) {
  writable().set_fan_out_skip({batch, tenant}, {.number = tenant, .skip = skip, .when = now});
}

WritableFanOutRows::Registry MemoryFanOutRows::registry() {
  Registry registry;
  for (const auto& [number, row] : tables_.tenants()) {
    if (!row.name) continue;
    registry.until = number;
    ++registry.tenants;
  }
  return registry;
}

std::vector<VisitedTenant> MemoryFanOutRows::tenants(TenantNumber after, TenantNumber until,
                                                     std::size_t limit) {
  std::vector<VisitedTenant> tenants;
  const auto& rows = tables_.tenants();
  for (auto row = rows.upper_bound(after); row != rows.end() && row->first <= until && tenants.size() < limit;
       ++row)
    if (row->second.name) tenants.push_back({row->first, tables_.tenant(row->first)});
  return tenants;
}

std::optional<WallTime> MemoryFanOutRows::deletion_begun(TenantNumber tenant) {
  const auto found = tables_.deletions().find(tenant);
  return found == tables_.deletions().end() ? std::nullopt : std::optional{found->second.begun};
}

bool MemoryFanOutRows::has_started(JobSeq seq) const {
  const auto attempts = tables_.attempts().find(seq);
  return tables_.claims().contains(seq) ||
         (attempts != tables_.attempts().end() && !attempts->second.empty());
}

std::vector<UnendedMember> MemoryFanOutRows::unended(BatchNumber batch, JobSeq after, std::size_t limit) {
  std::vector<UnendedMember> found;
  const auto& members = tables_.batch_jobs();
  for (auto member = members.upper_bound(after); member != members.end() && found.size() < limit; ++member)
    if (member->second.batch == batch && !member->second.ended)
      found.push_back({member->first, tables_.jobs().at(member->first).id, has_started(member->first)});
  return found;
}

std::vector<JobSeq> MemoryFanOutRows::waiting(BatchNumber batch, std::size_t limit) {
  std::vector<JobSeq> jobs;
  const auto& members = tables_.batch_jobs();
  for (auto member = members.rbegin(); member != members.rend() && jobs.size() < limit; ++member)
    if (member->second.batch == batch && !member->second.ended && !has_started(member->first))
      jobs.push_back(member->first);
  return jobs;
}

bool MemoryFanOutRows::is_waiting(BatchNumber batch, JobSeq seq) {
  const auto member = tables_.batch_jobs().find(seq);
  return member != tables_.batch_jobs().end() && member->second.batch == batch && !member->second.ended &&
         !has_started(seq);
}

Result<std::string> MemoryFanOutRows::envelope_of(const NewJob& job) {
  if (auto keys = check_keys(tables_.seal_marks(), writer_->keys_); !keys)
    return tl::unexpected(std::move(keys.error()));
  auto envelope = writer_->envelope_for(job, Generation{0}, writer_->keys_);
  if (!envelope) return envelope;
  // So that there is room for its names when jobs are made.
  if (const auto lane = writer_->lane_of(job, kUntenanted); !lane) return tl::unexpected(lane.error());
  return envelope;
}

Result<void> MemoryFanOutRows::check_envelope(const std::string& envelope) {
  return check_seal_of_retry(envelope, tables_.seal_marks(), writer_->keys_);
}

Result<Enqueued> MemoryFanOutRows::enqueue(const NewJob& job, WallTime now) {
  return writer_->enqueue(job, now);
}

Result<void> MemoryFanOutRows::cancel_job(JobId id, WallTime now) {
  return writer_->cancel_by_operator(id, now);
}

}  // namespace tenure::queue
