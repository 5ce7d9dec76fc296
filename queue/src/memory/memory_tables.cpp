#include "memory_tables.hpp"

#include "../audit_chain.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace tenure::queue {

MemoryTables::MemoryTables() { tenants_[kUntenanted] = {}; }

template <class Map>
void MemoryTables::set(Map& map, const typename Map::key_type& key, typename Map::mapped_type value) {
  const auto found = map.find(key);
  if (found == map.end()) {
    map.emplace(key, std::move(value));
    undo_.emplace_back([&map, key] { map.erase(key); });
  } else {
    undo_.emplace_back(
        [&map, key, before = std::move(found->second)]() mutable { map.at(key) = std::move(before); });
    found->second = std::move(value);
  }
}

template <class Map>
void MemoryTables::erase(Map& map, const typename Map::key_type& key) {
  const auto found = map.find(key);
  if (found == map.end()) return;
  undo_.emplace_back(
      [&map, key, before = std::move(found->second)]() mutable { map.emplace(key, std::move(before)); });
  map.erase(found);
}

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

std::optional<TenantRecord> MemoryTables::newest_tenant(const TenantName& name) const {
  constexpr Generation kAfterAll{std::numeric_limits<std::int64_t>::max()};
  auto next = tenant_numbers_.upper_bound({name, kAfterAll});
  if (next == tenant_numbers_.begin() || (--next)->first.first != name) return std::nullopt;
  return tenant(next->second);
}

std::optional<TenantRecord> MemoryTables::tenant(TenantNumber number) const {
  const auto found = tenants_.find(number);
  if (found == tenants_.end() || !found->second.name) return std::nullopt;
  const MemoryTenant& row = found->second;
  return TenantRecord{number, *row.name, row.generation, row.state, row.created};
}

bool MemoryTables::has_jobs(TenantNumber number) const {
  return std::ranges::any_of(jobs_, [&](const auto& entry) { return entry.second.lane.tenant == number; });
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

AuditMark MemoryTables::audit_head() const {
  return audit_.empty() ? AuditMark{} : AuditMark{audit_.back().number, audit_.back().hash};
}

void MemoryTables::append_audit(const AuditEntry& entry, WallTime now) {
  const AuditMark head = audit_head();
  audit_.push_back(next_record(head, head.number, entry, now));
  undo_.emplace_back([this] { audit_.pop_back(); });
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

void MemoryTables::add_cancel_request(const MemoryCancelRequest& request) {
  last_cancel_.value += 1;  // never taken back: a number is never given out twice
  set(cancel_requests_, last_cancel_, request);
}

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

void MemoryTables::erase_cursor(JobSeq seq) { erase(cursors_, seq); }

std::optional<WallTime> MemoryTables::cancel_asked(JobSeq seq) const {
  for (const auto& [number, request] : cancel_requests_)
    if (request.claim.seq == seq) return request.asked;
  return std::nullopt;
}

std::optional<TenantNumber> MemoryTables::tenant_number(const TenantName& name, Generation generation) const {
  const auto found = tenant_numbers_.find({name, generation});
  return found == tenant_numbers_.end() ? std::nullopt : std::optional{found->second};
}

OutboxSeq MemoryTables::outbox_seen(TenantNumber tenant) const {
  const auto found = outbox_seen_.find(tenant);
  return found == outbox_seen_.end() ? OutboxSeq{0} : found->second;
}

void MemoryTables::set_outbox_seen(TenantNumber tenant, OutboxSeq seq) { set(outbox_seen_, tenant, seq); }

std::optional<OutboxSeq> MemoryTables::outbox_behind(TenantNumber tenant) const {
  const auto found = outbox_behind_.find(tenant);
  return found == outbox_behind_.end() ? std::nullopt : std::optional{found->second};
}

MemoryLost MemoryTables::outbox_lost(TenantNumber tenant) const {
  const auto found = outboxes_lost_.find(tenant);
  return found == outboxes_lost_.end() ? MemoryLost{} : found->second;
}

void MemoryTables::set_outbox_lost(TenantNumber tenant, const MemoryLost& lost) {
  set(outboxes_lost_, tenant, lost);
}

std::optional<TenantState> MemoryTables::former_state(TenantNumber tenant) const {
  const auto found = former_states_.find(tenant);
  return found == former_states_.end() ? std::nullopt : std::optional{found->second};
}

void MemoryTables::set_former_state(TenantNumber tenant, std::optional<TenantState> state) {
  if (state) set(former_states_, tenant, *state);
  else erase(former_states_, tenant);
}

void MemoryTables::set_outbox_behind(TenantNumber tenant, std::optional<OutboxSeq> newest) {
  if (newest) set(outbox_behind_, tenant, *newest);
  else erase(outbox_behind_, tenant);
}

bool MemoryTables::add_outbox_mark(const MemoryOutboxMark& mark) {
  const bool is_there = std::ranges::any_of(outbox_marks_, [&](const auto& entry) {
    return entry.second.tenant == mark.tenant && entry.second.epoch == mark.epoch;
  });
  if (is_there) return false;
  last_outbox_mark_.value += 1;  // never taken back, as above
  set(outbox_marks_, last_outbox_mark_, mark);
  return true;
}

void MemoryTables::erase_outbox_mark(OutboxMarkNumber number) { erase(outbox_marks_, number); }

void MemoryTables::set_suspect(JobSeq seq, const MemorySuspect& suspect) { set(suspects_, seq, suspect); }
void MemoryTables::erase_suspect(JobSeq seq) { erase(suspects_, seq); }

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

CaptureNumber MemoryTables::insert_capture(MemoryCapture capture) {
  last_capture_.value += 1;  // never taken back: a number is never given out twice
  captures_mark_.value += 1;
  capture.record.number = last_capture_;
  set(captures_, last_capture_, std::move(capture));
  return last_capture_;
}

void MemoryTables::update_capture(CaptureNumber number, const MemoryCapture& capture) {
  captures_mark_.value += 1;
  set(captures_, number, capture);
}

void MemoryTables::erase_capture(CaptureNumber number) {
  captures_mark_.value += 1;
  erase(captures_, number);
}

void MemoryTables::add_capsule(const MemoryCapsule& capsule) {
  set(capsules_, ++last_capsule_, capsule);
  while (!capsules_.empty() && capsules_.begin()->first <= last_capsule_ - kCapsulesKept)
    erase(capsules_, std::int64_t{capsules_.begin()->first});
}

void MemoryTables::set_pause(const PauseRecord& record) {
  pauses_mark_.value += 1;
  set(pauses_, {record.scope, record.name}, record);
}

void MemoryTables::erase_pause(const PauseKey& key) {
  pauses_mark_.value += 1;
  erase(pauses_, key);
}

void MemoryTables::set_tenant_pause(TenantNumber tenant, const MemoryTenantPause& pause) {
  pauses_mark_.value += 1;
  set(tenant_pauses_, tenant, pause);
}

void MemoryTables::erase_tenant_pause(TenantNumber tenant) {
  pauses_mark_.value += 1;
  erase(tenant_pauses_, tenant);
}

void MemoryTables::set_deletion(TenantNumber tenant, const DeletionRecord& deletion) {
  set(deletions_, tenant, deletion);
}

void MemoryTables::set_tenant_restore(TenantNumber tenant, const MemoryTenantRestore& restore) {
  set(tenant_restores_, tenant, restore);
}

void MemoryTables::erase_changed_tenant(TenantNumber tenant) { erase(changed_tenants_, tenant); }

void MemoryTables::set_behind(const TenantBehind& behind) {
  schemas_mark_.value += 1;
  set(behind_changes_, behind.tenant, schemas_mark_);
  set(behind_, behind.tenant, behind);
}

void MemoryTables::erase_behind(TenantNumber tenant) {
  schemas_mark_.value += 1;
  set(behind_changes_, tenant, schemas_mark_);
  erase(behind_, tenant);
}

void MemoryTables::set_migration(const MemoryMigration& migration) {
  set(migrations_, migration.record.tenant, migration);
}

void MemoryTables::erase_migration(TenantNumber tenant) { erase(migrations_, tenant); }

void MemoryTables::forget_captures(JobSeq seq) {
  std::vector<CaptureNumber> requests;
  for (const auto& [number, capture] : captures_)
    if (capture.job == seq) requests.push_back(number);
  for (const CaptureNumber number : requests) erase_capture(number);
  std::vector<std::int64_t> notes;
  for (const auto& [number, capsule] : capsules_)
    if (capsule.seq == seq) notes.push_back(number);
  for (const std::int64_t number : notes) erase(capsules_, number);
}

ScheduleNumber MemoryTables::insert_schedule(ScheduleRecord schedule) {
  last_schedule_.value += 1;  // never taken back: a number is never given out twice
  schedules_mark_.value += 1;
  schedule.number = last_schedule_;
  set(schedules_, last_schedule_, std::move(schedule));
  return last_schedule_;
}

void MemoryTables::update_schedule(const ScheduleRecord& schedule, bool is_change) {
  if (is_change) schedules_mark_.value += 1;
  set(schedules_, schedule.number, schedule);
}

void MemoryTables::erase_schedule(ScheduleNumber number) {
  schedules_mark_.value += 1;
  erase(schedules_, number);
}

void MemoryTables::set_schedule_tick(const TickRow& row) {
  set(schedule_ticks_, {row.schedule, row.tick, row.tenant, row.is_manual}, row);
}

void MemoryTables::erase_schedule_tick(const TickKey& key) { erase(schedule_ticks_, TickKey{key}); }

void MemoryTables::set_schedule_job(JobSeq seq, const ScheduleOwner& owner) {
  set(schedule_jobs_, seq, owner);
}

void MemoryTables::insert_limit(LimitRecord limit) {
  last_limit_.value += 1;  // never taken back
  limits_mark_.value += 1;
  limit.number = last_limit_;
  set(limits_, last_limit_, std::move(limit));
}

void MemoryTables::update_limit(const LimitRecord& limit) {
  limits_mark_.value += 1;
  if (limits_.at(limit.number).target != limit.target) erase_buckets_of(limit.number);
  set(limits_, limit.number, limit);
}

void MemoryTables::erase_limit(LimitNumber number) {
  limits_mark_.value += 1;
  erase_buckets_of(number);
  erase(limits_, number);
}

void MemoryTables::erase_buckets_of(LimitNumber number) {
  std::vector<BucketKey> gone;
  for (const auto& [key, bucket] : start_buckets_)
    if (key.first.limit == number) gone.push_back(key);
  for (const BucketKey& key : gone) erase(start_buckets_, key);
}

void MemoryTables::set_start_bucket(const StartBucket& bucket) {
  set(start_buckets_, {bucket.group, bucket.number}, bucket);
}

void MemoryTables::erase_start_bucket(const BucketKey& key) { erase(start_buckets_, key); }

void MemoryTables::forget_start_buckets(const LimitGroup& group, WallTime until) {
  std::vector<BucketKey> gone;
  for (auto at = start_buckets_.lower_bound({group, std::numeric_limits<std::int64_t>::min()});
       at != start_buckets_.end() && at->first.first == group; ++at)
    if (at->second.last_start <= until) gone.push_back(at->first);
  for (const BucketKey& key : gone) erase(start_buckets_, key);
}

void MemoryTables::erase_schedule_job(JobSeq seq) { erase(schedule_jobs_, JobSeq{seq}); }

BatchNumber MemoryTables::insert_batch(BatchRow batch) {
  last_batch_.value += 1;  // never taken back: a number is never given out twice
  batch.number = last_batch_;
  set(batches_, last_batch_, std::move(batch));
  return last_batch_;
}

void MemoryTables::set_batch(const BatchRow& batch) { set(batches_, batch.number, batch); }

void MemoryTables::erase_batch(BatchNumber number) {
  for (const BatchMoment moment : {BatchMoment::complete, BatchMoment::success})
    erase(batch_callbacks_, {number, moment});
  erase(batches_, BatchNumber{number});
  if (!fan_outs_.contains(number)) return;
  std::vector<SkipKey> skips;
  for (const auto& [key, row] : fan_out_skips_)
    if (key.first == number) skips.push_back(key);
  for (const SkipKey& key : skips) erase(fan_out_skips_, key);
  erase(fan_outs_, BatchNumber{number});
}

void MemoryTables::set_fan_out(const FanOutRow& fan_out) { set(fan_outs_, fan_out.batch, fan_out); }
void MemoryTables::set_fan_out_skip(const SkipKey& key, const SkippedTenant& tenant) {
  set(fan_out_skips_, key, tenant);
}

void MemoryTables::set_batch_callback(const CallbackRow& callback) {
  set(batch_callbacks_, {callback.batch, callback.moment}, callback);
}

void MemoryTables::set_batch_job(JobSeq seq, const MemberRow& member) { set(batch_jobs_, seq, member); }
void MemoryTables::erase_batch_job(JobSeq seq) { erase(batch_jobs_, JobSeq{seq}); }

TenantRecord MemoryTables::insert_tenant(const TenantName& name, Generation generation, WallTime now) {
  last_tenant_.value += 1;  // never taken back: a number is never given out twice
  set(tenants_, last_tenant_, MemoryTenant{name, generation, TenantState::provisioning, now});
  set(tenant_numbers_, {name, generation}, last_tenant_);
  return *tenant(last_tenant_);
}

void MemoryTables::set_tenant_state(TenantNumber number, TenantState state) {
  MemoryTenant row = tenants_.at(number);
  if (row.state != state) set(changed_tenants_, number, true);
  row.state = state;
  set(tenants_, number, std::move(row));
}

void MemoryTables::erase_tenant(TenantNumber number) {
  const MemoryTenant& row = tenants_.at(number);
  erase(tenant_numbers_, {*row.name, row.generation});
  erase(tenants_, number);
}

}  // namespace tenure::queue
