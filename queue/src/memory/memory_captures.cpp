#include "../capture_rules.hpp"
#include "../job_rules.hpp"
#include "memory_writer.hpp"

#include <algorithm>

namespace tenure::queue {

Result<MemoryCapture> MemoryWriter::capture_row(const NewCapture& request, WallTime now) const {
  MemoryCapture row{.record = {.number = {},
                               .target = request.target,
                               .generation = {},
                               .on = request.on,
                               .left = request.count,
                               .asked = now,
                               .until = request.until,
                               .uid = request.uid,
                               .login = request.login,
                               .reason = request.reason},
                    .job = std::nullopt,
                    .tenant = std::nullopt};
  const CaptureTarget& target = request.target;
  if (target.job) {
    row.job = tables_.seq_of(*target.job);
    if (!row.job) return no_such_job(*target.job);
    const MemoryJob& job = tables_.jobs().at(*row.job);
    if (auto fits = check_captured_job(*target.job, job.state, job.lane.tenant); !fits)
      return tl::unexpected(std::move(fits.error()));
  }
  if (target.tenant) {
    const auto tenant = tables_.newest_tenant(*target.tenant);
    if (!tenant) return unknown_tenant(*target.tenant);
    if (tenant->state == TenantState::deleted) return deleted_tenant(tenant->name, tenant->generation);
    row.tenant = tenant->number;
    row.record.generation = tenant->generation;
  }
  const auto has_kind = [&](const auto& pool) {
    return std::ranges::count(pool.second.record.kinds, target.kind) > 0;
  };
  if (!target.kind.empty() && !tables_.kinds().numbers.contains(target.kind) &&
      std::ranges::none_of(tables_.pools(), has_kind))
    return unknown_capture_kind(target.kind);
  return row;
}

Result<CaptureNumber> MemoryWriter::ask_for_capture(const NewCapture& request, WallTime now) {
  if (auto fits = check_capture(request, now); !fits) return tl::unexpected(std::move(fits.error()));
  auto row = capture_row(request, now);
  if (!row) return tl::unexpected(std::move(row.error()));
  remove_expired_captures(now);
  if (tables_.captures().size() >= kCapturesMax) return too_many_captures();
  return tables_.insert_capture(std::move(*row));
}

bool MemoryWriter::withdraw_capture(CaptureNumber number) {
  if (!tables_.captures().contains(number)) return false;
  tables_.erase_capture(number);
  return true;
}

std::optional<OpenCaptures> MemoryWriter::open_captures(CapturesMark known) {
  if (known == tables_.captures_mark()) return std::nullopt;
  OpenCaptures open{tables_.captures_mark(), {}};
  for (const auto& [number, row] : tables_.captures())
    open.requests.push_back({.number = number,
                             .job = row.job,
                             .kind = row.record.target.kind,
                             .tenant = row.tenant,
                             .on = row.record.on,
                             .left = row.record.left,
                             .until = row.record.until});
  return open;
}

void MemoryWriter::remove_expired_captures(WallTime now) {
  std::vector<CaptureNumber> expired;
  for (const auto& [number, row] : tables_.captures())
    if (row.record.until <= now) expired.push_back(number);
  for (const CaptureNumber number : expired) tables_.erase_capture(number);
}

void MemoryWriter::note_capsule(JobSeq seq, const TakenCapsule& capsule, WallTime now) {
  CapsuleNote note{.job = {}, .request = capsule.request, .at = now, .file = capsule.file, .failure = {}};
  if (capsule.failure) note.failure = kept_failure(*capsule.failure);
  tables_.add_capsule({seq, note});
  const auto found = tables_.captures().find(capsule.request);
  if (found == tables_.captures().end()) return;
  if (found->second.record.left <= 1) return tables_.erase_capture(capsule.request);
  MemoryCapture row = found->second;
  --row.record.left;
  ++(capsule.file.empty() ? row.record.failed : row.record.taken);
  tables_.update_capture(capsule.request, row);
}

std::vector<CaptureRecord> MemoryReader::captures() {
  std::vector<CaptureRecord> records;
  for (const auto& [number, row] : tables_.captures()) records.push_back(row.record);
  return records;
}

std::vector<CapsuleNote> MemoryReader::capsules(const std::optional<JobId>& job) {
  std::vector<CapsuleNote> notes;
  for (auto row = tables_.capsules().rbegin(); row != tables_.capsules().rend(); ++row) {
    CapsuleNote note = row->second.note;
    const auto found = tables_.jobs().find(row->second.seq);
    if (found != tables_.jobs().end()) note.job = found->second.id;
    if (!job || note.job == job) notes.push_back(std::move(note));
  }
  return notes;
}

}  // namespace tenure::queue
