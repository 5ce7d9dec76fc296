#include "memory_tables.hpp"

#include "../audit_chain.hpp"

#include <algorithm>
#include <utility>

// Jobs with what becomes of them, and the queue's own rows. Those of tenants are in memory_tenant_tables.cpp, those of what says something
// of many jobs in memory_group_tables.cpp.
namespace tenure::queue {

MemoryTables::MemoryTables() { tenants_[kUntenanted] = {}; }

void MemoryTables::undo() {
  std::for_each(undo_.rbegin(), undo_.rend(), [](auto& step) { step(); });
  undo_.clear();
}

std::optional<JobSeq> MemoryTables::seq_of(const JobId& id) const {
  const auto found = seq_of_id_.find(id.uuid);
  return found == seq_of_id_.end() ? std::nullopt : std::optional{found->second};
}

const std::string* MemoryTables::envelope(JobSeq seq) const {
  const auto found = envelopes_.find(seq);
  return found == envelopes_.end() ? nullptr : &found->second;
}

void MemoryTables::index(JobSeq seq, const MemoryJob& job) {
  if (job.state == JobState::ready) ready_.insert({job.lane, {job.due, seq}});
  if (job.state == JobState::scheduled) scheduled_.insert({job.due, seq});
  if (job.state == JobState::blocked) blocked_.insert(seq);
}

void MemoryTables::unindex(JobSeq seq, const MemoryJob& job) {
  ready_.erase({job.lane, {job.due, seq}});
  scheduled_.erase({job.due, seq});
  blocked_.erase(seq);
}

JobSeq MemoryTables::insert_job(const MemoryJob& job, std::string envelope) {
  const JobSeq seq{last_seq_.value + 1};
  undo_.emplace_back([this, before = last_seq_] { last_seq_ = before; });
  last_seq_ = seq;
  set(jobs_, seq, job);
  set(seq_of_id_, job.id.uuid, seq);
  set(envelopes_, seq, std::move(envelope));
  undo_.emplace_back([this, seq, job] { unindex(seq, job); });
  index(seq, job);
  return seq;
}

void MemoryTables::update_job(JobSeq seq, const MemoryJob& job) {
  const MemoryJob before = jobs_.at(seq);
  undo_.emplace_back([this, seq, before, job] {
    unindex(seq, job);
    index(seq, before);
  });
  unindex(seq, before);
  index(seq, job);
  set(jobs_, seq, job);
  if (job.state == JobState::succeeded) erase(cursors_, seq);
  if (!is_final(job.state)) return;
  erase(start_times_, seq);
  erase(histories_, seq);
}

void MemoryTables::erase_job(JobSeq seq) {
  erase(seq_of_id_, jobs_.at(seq).id.uuid);
  erase(envelopes_, seq);
  erase(jobs_, seq);
  erase(cursors_, seq);
  erase(results_, seq);
  erase(job_keys_, seq);
  erase_unique_key(seq);
  forget_captures(seq);
  const auto rows = attempts_.find(seq);
  if (rows == attempts_.end()) return;
  // The entry stays: what takes an attempt of the same transaction back holds on to it.
  undo_.emplace_back([&attempts = rows->second, before = std::exchange(rows->second, {})]() mutable {
    attempts = std::move(before);
  });
}

FailureHistory MemoryTables::history(JobSeq seq) const {
  const auto found = histories_.find(seq);
  return found == histories_.end() ? FailureHistory{} : found->second;
}

void MemoryTables::count_failure(JobSeq seq, const std::string& rule, WallTime now) {
  FailureHistory history = this->history(seq);
  if (!history.first) history.first = now;
  if (!rule.empty()) {
    const auto place = std::ranges::lower_bound(history.by_rule, rule, {}, &RuleCount::rule);
    if (place != history.by_rule.end() && place->rule == rule) ++place->failures;
    else history.by_rule.insert(place, {rule, 1});
  }
  set(histories_, seq, std::move(history));
}

void MemoryTables::forget_failures(JobSeq seq) { erase(histories_, seq); }

void MemoryTables::set_start_time(JobSeq seq, WallTime start_before) { set(start_times_, seq, start_before); }

void MemoryTables::set_result(JobSeq seq, const StoredResult& result) { set(results_, seq, result); }
void MemoryTables::erase_result(JobSeq seq) { erase(results_, seq); }

void MemoryTables::add_attempt(JobSeq seq, AttemptRecord attempt) {
  erase(start_times_, seq);
  auto& rows = attempts_[seq];
  if (attempt.outcome == AttemptOutcome::released && !rows.empty() &&
      rows.back().outcome == AttemptOutcome::released) {
    attempt.number = rows.back().number;
    std::swap(rows.back(), attempt);
    undo_.emplace_back([&rows, former = std::move(attempt)] { rows.back() = former; });
    return;
  }
  attempt.number = static_cast<int>(rows.size()) + 1;
  rows.push_back(std::move(attempt));
  undo_.emplace_back([&rows] { rows.pop_back(); });
}

void MemoryTables::insert_claim(JobSeq seq, const MemoryClaim& claim) {
  set(claims_, seq, claim);
  if (!claim.key.empty()) set(running_, claim.key, running(claim.key) + 1);
}

void MemoryTables::erase_claim(JobSeq seq) {
  if (const auto claim = claims_.find(seq); claim != claims_.end() && !claim->second.key.empty()) {
    const std::string key = claim->second.key;
    const std::int64_t left = running(key) - 1;
    if (left > 0) set(running_, key, left);
    else erase(running_, key);
  }
  erase(claims_, seq);
  erase(progress_, seq);
  const auto request = std::ranges::find_if(cancel_requests_,
                                            [&](const auto& entry) { return entry.second.claim.seq == seq; });
  if (request != cancel_requests_.end()) erase(cancel_requests_, CancelNumber{request->first});
}

void MemoryTables::set_progress(JobSeq seq, const ToldProgress& progress) { set(progress_, seq, progress); }
void MemoryTables::set_cursor(JobSeq seq, const MemoryCursor& cursor) { set(cursors_, seq, cursor); }

void MemoryTables::erase_cursor(JobSeq seq) { erase(cursors_, seq); }

void MemoryTables::add_cancel_request(const MemoryCancelRequest& request) {
  last_cancel_.value += 1;  // never taken back: a number is never given out twice
  set(cancel_requests_, last_cancel_, request);
}

std::optional<WallTime> MemoryTables::cancel_asked(JobSeq seq) const {
  for (const auto& [number, request] : cancel_requests_)
    if (request.claim.seq == seq) return request.asked;
  return std::nullopt;
}

void MemoryTables::set_suspect(JobSeq seq, const MemorySuspect& suspect) { set(suspects_, seq, suspect); }
void MemoryTables::erase_suspect(JobSeq seq) { erase(suspects_, seq); }

std::optional<MemoryJobKey> MemoryTables::job_key(JobSeq seq) const {
  const auto found = job_keys_.find(seq);
  return found == job_keys_.end() ? std::nullopt : std::optional{found->second};
}

std::optional<MemoryUniqueKey> MemoryTables::unique_key(JobSeq seq) const {
  const auto found = unique_keys_.find(seq);
  return found == unique_keys_.end() ? std::nullopt : std::optional{found->second};
}

std::optional<JobSeq> MemoryTables::holder_of(const std::string& unique_key) const {
  const auto found = unique_holders_.find(unique_key);
  return found == unique_holders_.end() ? std::nullopt : std::optional{found->second};
}

std::int64_t MemoryTables::running(const std::string& key) const {
  const auto found = running_.find(key);
  return found == running_.end() ? 0 : found->second;
}

void MemoryTables::set_job_key(JobSeq seq, const MemoryJobKey& key) { set(job_keys_, seq, key); }

void MemoryTables::join_line(const MemoryLinePlace& place) {
  if (lines_.insert(place).second) undo_.emplace_back([this, place] { lines_.erase(place); });
}

void MemoryTables::leave_line(const MemoryLinePlace& place) {
  if (lines_.erase(place) > 0) undo_.emplace_back([this, place] { lines_.insert(place); });
}

void MemoryTables::set_unique_key(JobSeq seq, const MemoryUniqueKey& key) {
  if (const auto before = unique_key(seq); before && before->is_held) erase(unique_holders_, before->key);
  set(unique_keys_, seq, key);
  if (key.is_held) set(unique_holders_, key.key, seq);
}

void MemoryTables::erase_unique_key(JobSeq seq) {
  if (const auto before = unique_key(seq); before && before->is_held) erase(unique_holders_, before->key);
  erase(unique_keys_, seq);
}

AuditMark MemoryTables::audit_head() const {
  return audit_.empty() ? AuditMark{} : AuditMark{audit_.back().number, audit_.back().hash};
}

void MemoryTables::append_audit(const AuditEntry& entry, WallTime now) {
  const AuditMark head = audit_head();
  audit_.push_back(next_record(head, head.number, entry, now));
  undo_.emplace_back([this] { audit_.pop_back(); });
}

void MemoryTables::add_hint(JobSeq seq) { set(hints_, ++last_hint_, seq); }

void MemoryTables::erase_hints(std::int64_t last) {
  while (!hints_.empty() && hints_.begin()->first <= last) erase(hints_, std::int64_t{hints_.begin()->first});
}

void MemoryTables::insert_holder(const HolderRecord& holder) { set(holders_, holder.incarnation, holder); }

void MemoryTables::set_pools(std::map<std::string, MemoryPool> pools) {
  undo_.emplace_back(
      [this, before = std::exchange(pools_, std::move(pools))]() mutable { pools_ = std::move(before); });
}

void MemoryTables::set_seal_marks(const SealMarks& marks) {
  undo_.emplace_back([this, before = std::exchange(seal_marks_, marks)] { seal_marks_ = before; });
}

std::int64_t MemoryTables::add_name(MemoryNames& names, std::string_view name) {
  names.names.emplace_back(name);
  undo_.emplace_back([&names] { names.names.pop_back(); });
  const auto number = static_cast<std::int64_t>(names.names.size());
  set(names.numbers, std::string{name}, number);
  return number;
}

QueueNumber MemoryTables::add_queue(std::string_view name) { return QueueNumber{add_name(queues_, name)}; }
KindNumber MemoryTables::add_kind(std::string_view name) { return KindNumber{add_name(kinds_, name)}; }

}  // namespace tenure::queue
