#include "../audit_chain.hpp"
#include "memory_writer.hpp"

#include <algorithm>
#include <map>
#include <ranges>

namespace tenure::queue {

void MemoryReader::for_each_audit(std::optional<std::int64_t> before,
                                  FunctionRef<bool(const AuditRecord&)> fn) {
  for (const AuditRecord& record : tables_.audit() | std::views::reverse)
    if ((!before || record.number < *before) && !fn(record)) return;
}

AuditVerdict MemoryReader::check_audit(const std::optional<AuditMark>& known) {
  AuditCheck check({}, known);
  for (const AuditRecord& record : tables_.audit()) check.row(record);
  return check.end(tables_.audit_head());
}

SealMarks MemoryReader::seal_marks() { return tables_.seal_marks(); }

// Here a job has one state and no table beside it that could disagree.
std::vector<DefectRecord> MemoryReader::defects(PageCheck) { return {}; }

std::vector<DefectPlace> MemoryReader::places_to_mend(Defect, std::size_t) { return {}; }

std::vector<DanglingWork> MemoryReader::dangling_work() {
  std::map<TenantNumber, std::int64_t> waiting;
  for (const auto& [seq, job] : tables_.jobs())
    if (!is_final(job.state) && !tables_.claims().contains(seq)) ++waiting[job.lane.tenant];
  std::vector<DanglingWork> list;
  for (const auto& [number, jobs] : waiting) {
    const auto owner = tables_.tenant(number);
    if (!owner) continue;
    const auto newest = tables_.newest_tenant(owner->name);
    if (owner->state == TenantState::deleted || newest->generation != owner->generation)
      list.push_back({owner->name.text(), owner->generation, owner->state, jobs});
  }
  std::ranges::sort(list, {}, [](const DanglingWork& each) {
    return std::pair{each.tenant, each.generation};
  });
  return list;
}

ClaimCensus MemoryReader::claims() {
  ClaimCensus census;
  const auto& holders = tables_.holders();
  for (const auto& [seq, claim] : tables_.claims()) {
    const bool is_newest = !holders.empty() && claim.token.incarnation == holders.rbegin()->first;
    ++(is_newest ? census.of_newest_holder : census.of_others);
  }
  return census;
}

std::int64_t MemoryWriter::mend(std::span<const DefectPlace>) { return 0; }

void MemoryWriter::set_seal_marks(const SealMarks& marks) { tables_.set_seal_marks(marks); }

void MemoryWriter::visit_news(JobSeq after, FunctionRef<void(std::string_view envelope)> fn) {
  const auto tell = [&](JobSeq seq) {
    const auto job = tables_.jobs().find(seq);
    if (job != tables_.jobs().end() && !is_final(job->second.state)) fn(*tables_.envelope(seq));
  };
  for (auto job = tables_.jobs().upper_bound(after); job != tables_.jobs().end(); ++job) tell(job->first);
  for (const auto& [number, seq] : tables_.hints()) tell(seq);
}

void MemoryWriter::append_audit(const AuditEntry& entry, WallTime now) { tables_.append_audit(entry, now); }

}  // namespace tenure::queue
