#include "memory_batches.hpp"

#include "../job_rules.hpp"
#include "memory_writer.hpp"

namespace tenure::queue {

MemoryTables& MemoryBatchRows::writable() const { return writer_->tables_; }

std::optional<BatchRow> MemoryBatchRows::named(BatchId id) {
  for (const auto& [number, row] : tables_.batches())
    if (row.id == id) return row;
  return std::nullopt;
}

std::optional<BatchRow> MemoryBatchRows::numbered(BatchNumber number) {
  const auto found = tables_.batches().find(number);
  return found == tables_.batches().end() ? std::nullopt : std::optional{found->second};
}

std::vector<BatchRow> MemoryBatchRows::newest(const std::optional<BatchNumber>& before, std::size_t limit) {
  std::vector<BatchRow> rows;
  const auto& all = tables_.batches();
  for (auto row = all.rbegin(); row != all.rend() && rows.size() < limit; ++row)
    if (!before || row->first < *before) rows.push_back(row->second);
  return rows;
}

std::optional<CallbackRow> MemoryBatchRows::callback(BatchNumber batch, BatchMoment moment) {
  const auto found = tables_.batch_callbacks().find({batch, moment});
  return found == tables_.batch_callbacks().end() ? std::nullopt : std::optional{found->second};
}

std::optional<CallbackRow> MemoryBatchRows::callback_named(JobId job) {
  for (const auto& [key, row] : tables_.batch_callbacks())
    if (row.job.id == job) return row;
  return std::nullopt;
}

std::vector<JobId> MemoryBatchRows::unended(BatchNumber batch, std::size_t limit) {
  std::vector<JobId> jobs;
  for (const auto& [seq, row] : tables_.batch_jobs())
    if (row.batch == batch && !row.ended && jobs.size() < limit) jobs.push_back(tables_.jobs().at(seq).id);
  return jobs;
}

BatchCensus MemoryBatchRows::census() {
  BatchCensus census;
  for (const auto& [number, row] : tables_.batches()) {
    if (row.completed) continue;
    ++(row.closed ? census.closed : census.open);
    if (row.closed || tables_.fan_outs().contains(number) || census.oldest_open) continue;
    census.oldest_open = row.created;
    census.oldest_open_id = row.id;
  }
  return census;
}

std::map<BatchNumber, BatchCounts> MemoryBatchRows::counted() {
  std::map<BatchNumber, BatchCounts> counted;
  for (const auto& [seq, row] : tables_.batch_jobs()) {
    const auto job = tables_.jobs().find(seq);
    if (job == tables_.jobs().end()) continue;
    BatchCounts& counts = counted[row.batch];
    ++counts.present;
    const JobState state = job->second.state;
    if (state == JobState::succeeded) ++counts.succeeded;
    if (state == JobState::dead) ++counts.dead;
    if (state == JobState::discarded) ++counts.discarded;
    if (state == JobState::cancelled) ++counts.cancelled;
  }
  return counted;
}

std::optional<MemberRow> MemoryBatchRows::member(JobSeq seq) {
  const auto found = tables_.batch_jobs().find(seq);
  return found == tables_.batch_jobs().end() ? std::nullopt : std::optional{found->second};
}

Result<Generation> MemoryBatchRows::live_owner(const std::optional<TenantName>& tenant, Generation wanted,
                                               TenantNumber& number) {
  number = kUntenanted;
  if (!tenant) return Generation{0};
  const auto owner = writer_->owner_of(*tenant, wanted);
  if (!owner) return tl::unexpected(owner.error());
  number = owner->number;
  return owner->generation;
}

Result<std::string> MemoryBatchRows::envelope_of_callback(const NewJob& job) {
  if (auto keys = check_keys(tables_.seal_marks(), writer_->keys_); !keys)
    return tl::unexpected(std::move(keys.error()));
  const auto owner = writer_->owner_of(job);
  if (!owner) return tl::unexpected(owner.error());
  auto envelope = writer_->envelope_for(job, owner->generation, writer_->keys_);
  // So that there is room for its names when it is enqueued.
  if (const auto lane = writer_->lane_of(job, owner->number); !lane) return tl::unexpected(lane.error());
  return envelope;
}

Result<Enqueued> MemoryBatchRows::enqueue_callback(const NewJob& job, const std::string& envelope,
                                                   WallTime now) {
  return writer_->enqueue_callback(job, envelope, now);
}

BatchNumber MemoryBatchRows::insert(const BatchRow& row) { return writable().insert_batch(row); }

void MemoryBatchRows::update(const BatchRow& row) { writable().set_batch(row); }

void MemoryBatchRows::update_callback(const CallbackRow& row) { writable().set_batch_callback(row); }

void MemoryBatchRows::add_member(JobSeq seq, BatchNumber batch) {
  writable().set_batch_job(seq, {.batch = batch, .ended = {}});
}

void MemoryBatchRows::set_ended(JobSeq seq, std::optional<JobState> ended) {
  MemberRow row = tables_.batch_jobs().at(seq);
  row.ended = ended;
  writable().set_batch_job(seq, row);
}

void MemoryBatchRows::remove_member(JobSeq seq) { writable().erase_batch_job(seq); }

std::vector<BatchNumber> MemoryBatchRows::left(WallTime completed_before, std::size_t limit) {
  std::vector<BatchNumber> numbers;
  for (const auto& [number, row] : tables_.batches())
    if (row.completed && *row.completed < completed_before && row.counts.present == 0 &&
        numbers.size() < limit)
      numbers.push_back(number);
  return numbers;
}

std::vector<BatchRow> MemoryBatchRows::incomplete_of(TenantNumber tenant, std::size_t limit) {
  std::vector<BatchRow> rows;
  for (const auto& [number, row] : tables_.batches())
    if (row.tenant == tenant && !row.completed && rows.size() < limit) rows.push_back(row);
  return rows;
}

std::vector<BatchNumber> MemoryBatchRows::all_of(TenantNumber tenant, std::size_t limit) {
  std::vector<BatchNumber> numbers;
  for (const auto& [number, row] : tables_.batches())
    if (row.tenant == tenant && numbers.size() < limit) numbers.push_back(number);
  return numbers;
}

bool MemoryBatchRows::is_visiting(BatchNumber number) {
  const auto fan_out = tables_.fan_outs().find(number);
  return fan_out != tables_.fan_outs().end() && fan_out->second.is_under_way;
}

void MemoryBatchRows::erase(BatchNumber number) { writable().erase_batch(number); }

}  // namespace tenure::queue
