#include "memory_writer.hpp"

namespace tenure::queue {

std::optional<StoredResult> MemoryReader::result(JobSeq seq, WallTime now) {
  const auto found = tables_.results().find(seq);
  if (found == tables_.results().end() || found->second.keep_until <= now) return std::nullopt;
  const auto tenant = tables_.tenant(tables_.jobs().at(seq).lane.tenant);
  if (tenant && tenant->state == TenantState::deleted) return std::nullopt;
  return found->second;
}

std::optional<JobOwner> MemoryReader::owner_of_job(JobId id) {
  const auto seq = tables_.seq_of(id);
  if (!seq) return std::nullopt;
  const TenantNumber number = tables_.jobs().at(*seq).lane.tenant;
  JobOwner owner{.seq = *seq};
  if (number == kUntenanted) return owner;
  const MemoryTenant& tenant = tables_.tenants().at(number);
  owner.tenant = tenant.name;
  owner.generation = tenant.generation;
  owner.is_newest = tables_.newest_tenant(*tenant.name).value().generation == tenant.generation;
  return owner;
}

void MemoryWriter::keep_result(JobSeq seq, const JobResult& result, WallTime now) {
  if (!tables_.results().contains(seq)) tables_.set_result(seq, {result.text, now + result.keep_for});
}

std::int64_t MemoryWriter::forget_results(WallTime now, std::size_t limit) {
  std::vector<JobSeq> over;
  for (const auto& [seq, result] : tables_.results())
    if (result.keep_until <= now && over.size() < limit) over.push_back(seq);
  for (const JobSeq seq : over) tables_.erase_result(seq);
  return static_cast<std::int64_t>(over.size());
}

}  // namespace tenure::queue
