#pragma once

#include "../batch_rows.hpp"
#include "../fan_out_rows.hpp"
#include "../schedule_rows.hpp"

#include <tenure/queue/store.hpp>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

// The rows of the memory store, and what takes their changes back. Internal.
// Threads: one at a time; the store has the lock.
namespace tenure::queue {

struct MemoryJob {
  JobId id;
  Lane lane;
  JobState state = JobState::ready;
  JobReason reason = JobReason::none;
  WallTime due{};
  WallTime created{};
  std::optional<WallTime> started;
  std::optional<WallTime> finished;
  int attempts_max = 0;
  int failures = 0;
  int crashes = 0;
  int releases = 0;
  std::int64_t size_bytes = 0;
};

struct MemoryClaim {
  ClaimToken token;
  ProcessNumber process;
  WallTime started{};
  std::string key = {};  // of concurrency; empty: none
};

// As they are stored (job_key_rules.hpp).
struct MemoryJobKey {
  std::string key;
  int running_max = 1;
};
struct MemoryUniqueKey {
  std::string key;
  UniqueUntil until = UniqueUntil::ended;
  bool is_held = false;
};
// Where a job stands in the line of its key.
struct MemoryLinePlace {
  std::string key;
  TenantNumber tenant;
  Priority priority;
  LanePlace place;
  friend auto operator<=>(const MemoryLinePlace&, const MemoryLinePlace&) = default;
};

struct MemorySuspect {
  int deaths = 0;
  ClaimToken token;  // of its newest claim
  bool is_on_trial = false;
  bool is_alone = false;
};

struct MemoryCancelRequest {
  ClaimRef claim;
  WallTime asked{};
};

struct MemoryMigration {
  MigrationRecord record;
  std::optional<TenantState> former_state = std::nullopt;  // of a tenant that is failed for that
};

struct MemoryOutboxMark {
  TenantNumber tenant;
  std::optional<std::int64_t> epoch;
  WallTime marked{};
};

struct MemoryCapture {
  CaptureRecord record;
  std::optional<JobSeq> job;
  std::optional<TenantNumber> tenant;
};

struct MemoryCapsule {
  JobSeq seq;
  CapsuleNote note;
};

struct MemoryLost {
  std::int64_t count = 0;
  WallTime found{};
};

struct MemoryCursor {
  std::string bytes;
  WallTime saved{};
};

struct MemoryTenant {
  std::optional<TenantName> name;  // nothing: number 0
  Generation generation;
  TenantState state = TenantState::active;
  WallTime created{};
};

// Of a tenant that is paused, or was when it failed.
struct MemoryTenantPause {
  PauseRecord record;
  TenantState state = TenantState::active;  // that it is once it is resumed
};

// Of the generation that was there before.
struct MemoryTenantRestore {
  WallTime begun{};
  WallTime copied{};
  Generation copied_generation;
  bool is_put_away = false;
  std::optional<TenantNumber> next;
};

struct MemoryPool {
  Incarnation told_by;
  PoolRecord record;
};

// Numbers from 1 in the order of their first use.
struct MemoryNames {
  std::map<std::string, std::int64_t, std::less<>> numbers;
  std::vector<std::string> names;
};

class MemoryTables {
 public:
  MemoryTables();

  [[nodiscard]] const std::map<JobSeq, MemoryJob>& jobs() const { return jobs_; }
  [[nodiscard]] const std::map<JobSeq, MemoryClaim>& claims() const { return claims_; }
  [[nodiscard]] const std::map<JobSeq, MemorySuspect>& suspects() const { return suspects_; }
  // Of claims that stand.
  [[nodiscard]] const std::map<CancelNumber, MemoryCancelRequest>& cancel_requests() const {
    return cancel_requests_;
  }
  // When the cancel of the job that runs was asked for.
  [[nodiscard]] std::optional<WallTime> cancel_asked(JobSeq seq) const;
  [[nodiscard]] const std::map<TenantNumber, MemoryTenant>& tenants() const { return tenants_; }
  [[nodiscard]] const std::map<JobSeq, std::vector<AttemptRecord>>& attempts() const { return attempts_; }
  [[nodiscard]] const std::map<std::int64_t, JobSeq>& hints() const { return hints_; }
  [[nodiscard]] const std::map<Incarnation, HolderRecord>& holders() const { return holders_; }
  [[nodiscard]] const std::map<std::string, MemoryPool>& pools() const { return pools_; }
  [[nodiscard]] const std::vector<AuditRecord>& audit() const { return audit_; }
  [[nodiscard]] AuditMark audit_head() const;
  [[nodiscard]] const SealMarks& seal_marks() const { return seal_marks_; }
  [[nodiscard]] const std::map<OutboxMarkNumber, MemoryOutboxMark>& outbox_marks() const {
    return outbox_marks_;
  }
  // Of the last row that was taken over; 0: none.
  [[nodiscard]] OutboxSeq outbox_seen(TenantNumber tenant) const;
  // See JobReader::outbox_behind.
  [[nodiscard]] std::optional<OutboxSeq> outbox_behind(TenantNumber tenant) const;
  // Of those that have lost any.
  [[nodiscard]] const std::map<TenantNumber, MemoryLost>& outboxes_lost() const { return outboxes_lost_; }
  [[nodiscard]] MemoryLost outbox_lost(TenantNumber tenant) const;
  // Of a tenant that has failed for that.
  [[nodiscard]] std::optional<TenantState> former_state(TenantNumber tenant) const;
  [[nodiscard]] const MemoryNames& queues() const { return queues_; }
  [[nodiscard]] const MemoryNames& kinds() const { return kinds_; }
  // Ready jobs of each lane in their order; jobs of one state by (due, seq) and by seq.
  using ReadyKey = std::pair<Lane, LanePlace>;
  [[nodiscard]] const std::set<ReadyKey>& ready() const { return ready_; }
  [[nodiscard]] const std::set<LanePlace>& scheduled() const { return scheduled_; }
  [[nodiscard]] const std::set<JobSeq>& blocked() const { return blocked_; }

  // Of claims that stand.
  [[nodiscard]] const std::map<JobSeq, ToldProgress>& progress() const { return progress_; }
  // Of jobs that have not ended.
  [[nodiscard]] const std::map<JobSeq, MemoryCursor>& cursors() const { return cursors_; }
  // Of jobs that have succeeded.
  [[nodiscard]] const std::map<JobSeq, StoredResult>& results() const { return results_; }
  [[nodiscard]] const std::map<CaptureNumber, MemoryCapture>& captures() const { return captures_; }
  [[nodiscard]] CapturesMark captures_mark() const { return captures_mark_; }
  // Of jobs that have not started.
  [[nodiscard]] const std::map<JobSeq, WallTime>& start_times() const { return start_times_; }
  using PauseKey = std::pair<PauseScope, std::string>;
  [[nodiscard]] const std::map<PauseKey, PauseRecord>& pauses() const { return pauses_; }
  [[nodiscard]] PausesMark pauses_mark() const { return pauses_mark_; }
  [[nodiscard]] const std::map<TenantNumber, MemoryTenantPause>& tenant_pauses() const {
    return tenant_pauses_;
  }
  [[nodiscard]] const std::map<TenantNumber, DeletionRecord>& deletions() const { return deletions_; }
  [[nodiscard]] const std::map<TenantNumber, MemoryTenantRestore>& tenant_restores() const {
    return tenant_restores_;
  }
  // Whose state has changed since somebody has taken them.
  [[nodiscard]] const std::map<TenantNumber, bool>& changed_tenants() const { return changed_tenants_; }
  [[nodiscard]] const std::map<TenantNumber, TenantBehind>& behind() const { return behind_; }
  [[nodiscard]] SchemasMark schemas_mark() const { return schemas_mark_; }
  // At the last change of what is known of each tenant.
  [[nodiscard]] const std::map<TenantNumber, SchemasMark>& behind_changes() const { return behind_changes_; }
  [[nodiscard]] const std::map<TenantNumber, MemoryMigration>& migrations() const { return migrations_; }
  // Of jobs that have not ended, since they have a budget.
  [[nodiscard]] FailureHistory history(JobSeq seq) const;
  // By number.
  [[nodiscard]] const std::map<std::int64_t, MemoryCapsule>& capsules() const { return capsules_; }
  [[nodiscard]] const std::map<ScheduleNumber, ScheduleRecord>& schedules() const { return schedules_; }
  [[nodiscard]] SchedulesMark schedules_mark() const { return schedules_mark_; }
  using TickKey = std::tuple<ScheduleNumber, WallTime, TenantNumber, bool>;  // the last: manual
  [[nodiscard]] const std::map<TickKey, TickRow>& schedule_ticks() const { return schedule_ticks_; }
  using ScheduleOwner = std::pair<ScheduleNumber, TenantNumber>;
  // Jobs of schedules that are not known to have ended.
  [[nodiscard]] const std::map<JobSeq, ScheduleOwner>& schedule_jobs() const { return schedule_jobs_; }
  [[nodiscard]] const std::map<BatchNumber, BatchRow>& batches() const { return batches_; }
  using CallbackKey = std::pair<BatchNumber, BatchMoment>;
  [[nodiscard]] const std::map<CallbackKey, CallbackRow>& batch_callbacks() const { return batch_callbacks_; }
  [[nodiscard]] const std::map<LimitNumber, LimitRecord>& limits() const { return limits_; }
  [[nodiscard]] LimitsMark limits_mark() const { return limits_mark_; }
  using BucketKey = std::pair<LimitGroup, std::int64_t>;
  [[nodiscard]] const std::map<BucketKey, StartBucket>& start_buckets() const { return start_buckets_; }
  [[nodiscard]] const std::map<BatchNumber, FanOutRow>& fan_outs() const { return fan_outs_; }
  [[nodiscard]] FanOutsMark fan_outs_mark() const { return fan_outs_mark_; }
  using SkipKey = std::pair<BatchNumber, TenantNumber>;
  // Without name and generation of the tenant.
  [[nodiscard]] const std::map<SkipKey, SkippedTenant>& fan_out_skips() const { return fan_out_skips_; }
  // Of jobs that are there.
  [[nodiscard]] const std::map<JobSeq, MemberRow>& batch_jobs() const { return batch_jobs_; }
  [[nodiscard]] std::optional<MemoryJobKey> job_key(JobSeq seq) const;
  // Of those that have not succeeded.
  [[nodiscard]] std::optional<MemoryUniqueKey> unique_key(JobSeq seq) const;
  [[nodiscard]] std::optional<JobSeq> holder_of(const std::string& unique_key) const;
  [[nodiscard]] const std::set<MemoryLinePlace>& lines() const { return lines_; }
  // Claims that have the key.
  [[nodiscard]] std::int64_t running(const std::string& key) const;
  [[nodiscard]] std::optional<JobSeq> seq_of(const JobId& id) const;
  [[nodiscard]] const std::string* envelope(JobSeq seq) const;
  [[nodiscard]] JobSeq last_seq() const { return last_seq_; }
  // The newest generation; number 0 has no name and is never found.
  [[nodiscard]] std::optional<TenantRecord> newest_tenant(const TenantName& name) const;
  [[nodiscard]] std::optional<TenantRecord> tenant(TenantNumber number) const;
  [[nodiscard]] std::optional<TenantNumber> tenant_number(const TenantName& name,
                                                          Generation generation) const;
  // Final jobs too.
  [[nodiscard]] bool has_jobs(TenantNumber number) const;

  JobSeq insert_job(const MemoryJob& job, std::string envelope);
  // Keeps the sets of states right. One that ends loses its cursor and the time before which it must start.
  void update_job(JobSeq seq, const MemoryJob& job);
  // One that has ended, with its attempts and with what was asked and noted of its capture.
  void erase_job(JobSeq seq);
  void insert_claim(JobSeq seq, const MemoryClaim& claim);
  // With its progress and the request for its cancel.
  void erase_claim(JobSeq seq);
  void set_job_key(JobSeq seq, const MemoryJobKey& key);
  void join_line(const MemoryLinePlace& place);
  void leave_line(const MemoryLinePlace& place);
  // Keeps who holds it right.
  void set_unique_key(JobSeq seq, const MemoryUniqueKey& key);
  void erase_unique_key(JobSeq seq);
  void set_progress(JobSeq seq, const ToldProgress& progress);
  void set_cursor(JobSeq seq, const MemoryCursor& cursor);
  void erase_cursor(JobSeq seq);
  void set_result(JobSeq seq, const StoredResult& result);
  void erase_result(JobSeq seq);
  void count_failure(JobSeq seq, const std::string& rule, WallTime now);
  void forget_failures(JobSeq seq);
  void set_start_time(JobSeq seq, WallTime start_before);
  void add_cancel_request(const MemoryCancelRequest& request);
  void set_suspect(JobSeq seq, const MemorySuspect& suspect);
  void erase_suspect(JobSeq seq);
  // Numbers it. A release behind a release takes its place and its number. The job has started.
  void add_attempt(JobSeq seq, AttemptRecord attempt);
  void add_hint(JobSeq seq);
  void erase_hints(std::int64_t last);
  void insert_holder(const HolderRecord& holder);
  void set_pools(std::map<std::string, MemoryPool> pools);
  QueueNumber add_queue(std::string_view name);
  KindNumber add_kind(std::string_view name);
  TenantRecord insert_tenant(const TenantName& name, Generation generation, WallTime now);
  void set_tenant_state(TenantNumber number, TenantState state);
  void erase_tenant(TenantNumber number);

  void set_seal_marks(const SealMarks& marks);
  // False where one of that tenant and epoch is there.
  [[nodiscard]] bool add_outbox_mark(const MemoryOutboxMark& mark);
  void erase_outbox_mark(OutboxMarkNumber number);
  void set_outbox_seen(TenantNumber tenant, OutboxSeq seq);
  void set_outbox_behind(TenantNumber tenant, std::optional<OutboxSeq> newest);
  void set_outbox_lost(TenantNumber tenant, const MemoryLost& lost);
  void set_former_state(TenantNumber tenant, std::optional<TenantState> state);
  // Numbers it.
  CaptureNumber insert_capture(MemoryCapture capture);
  void update_capture(CaptureNumber number, const MemoryCapture& capture);
  void erase_capture(CaptureNumber number);
  void set_pause(const PauseRecord& record);
  void erase_pause(const PauseKey& key);
  void set_tenant_pause(TenantNumber tenant, const MemoryTenantPause& pause);
  void erase_tenant_pause(TenantNumber tenant);
  // All but its tenant's row, which is read from where it stands.
  void set_deletion(TenantNumber tenant, const DeletionRecord& deletion);
  void set_tenant_restore(TenantNumber tenant, const MemoryTenantRestore& restore);
  void erase_changed_tenant(TenantNumber tenant);
  void set_behind(const TenantBehind& behind);
  void erase_behind(TenantNumber tenant);
  void set_migration(const MemoryMigration& migration);
  void erase_migration(TenantNumber tenant);
  // Numbers it, and forgets the oldest behind kCapsulesKept.
  void add_capsule(const MemoryCapsule& capsule);
  // Numbers it.
  ScheduleNumber insert_schedule(ScheduleRecord schedule);
  // Whether a dispatcher has to read it again.
  void update_schedule(const ScheduleRecord& schedule, bool is_change);
  void erase_schedule(ScheduleNumber number);
  void set_schedule_tick(const TickRow& row);
  void erase_schedule_tick(const TickKey& key);
  void set_schedule_job(JobSeq seq, const ScheduleOwner& owner);
  void erase_schedule_job(JobSeq seq);
  // Numbers it.
  BatchNumber insert_batch(BatchRow batch);
  void set_batch(const BatchRow& batch);
  // With its callbacks, and the fan-out that it is of.
  void erase_batch(BatchNumber number);
  void set_batch_callback(const CallbackRow& callback);
  void set_batch_job(JobSeq seq, const MemberRow& member);
  void erase_batch_job(JobSeq seq);
  void set_fan_out(const FanOutRow& fan_out);
  void set_fan_out_skip(const SkipKey& key, const SkippedTenant& tenant);
  void raise_fan_outs_mark() { fan_outs_mark_.value += 1; }
  void insert_limit(LimitRecord limit);
  // One that counts others together loses its buckets.
  void update_limit(const LimitRecord& limit);
  void erase_limit(LimitNumber number);
  void set_start_bucket(const StartBucket& bucket);
  void erase_start_bucket(const BucketKey& key);
  void erase_buckets_of(LimitNumber number);
  // Of that group, whose last start is no later.
  void forget_start_buckets(const LimitGroup& group, WallTime until);
  void append_audit(const AuditEntry& entry, WallTime now);

  // Takes back everything since the last keep().
  void undo();
  // Whether there was anything.
  bool keep() {
    const bool changed = !undo_.empty();
    undo_.clear();
    return changed;
  }

 private:
  template <class Map>
  void set(Map& map, const typename Map::key_type& key, typename Map::mapped_type value);
  template <class Map>
  void erase(Map& map, const typename Map::key_type& key);
  std::int64_t add_name(MemoryNames& names, std::string_view name);
  void forget_captures(JobSeq seq);
  void index(JobSeq seq, const MemoryJob& job);
  void unindex(JobSeq seq, const MemoryJob& job);

  std::map<JobSeq, MemoryJob> jobs_;
  std::unordered_map<Uuid, JobSeq> seq_of_id_;
  std::map<JobSeq, std::string> envelopes_;
  std::map<JobSeq, MemoryClaim> claims_;
  std::map<JobSeq, MemoryJobKey> job_keys_;
  std::map<JobSeq, MemoryUniqueKey> unique_keys_;
  std::map<std::string, JobSeq> unique_holders_;
  std::set<MemoryLinePlace> lines_;
  std::map<std::string, std::int64_t> running_;
  std::map<JobSeq, MemorySuspect> suspects_;
  std::map<CancelNumber, MemoryCancelRequest> cancel_requests_;
  std::map<JobSeq, ToldProgress> progress_;
  std::map<JobSeq, MemoryCursor> cursors_;
  std::map<JobSeq, StoredResult> results_;
  std::map<JobSeq, WallTime> start_times_;
  std::map<JobSeq, FailureHistory> histories_;
  std::map<JobSeq, std::vector<AttemptRecord>> attempts_;
  std::map<TenantNumber, MemoryTenant> tenants_;
  std::map<std::pair<TenantName, Generation>, TenantNumber> tenant_numbers_;
  std::map<std::int64_t, JobSeq> hints_;
  std::map<Incarnation, HolderRecord> holders_;
  std::map<std::string, MemoryPool> pools_;
  std::vector<AuditRecord> audit_;
  SealMarks seal_marks_;
  std::map<OutboxMarkNumber, MemoryOutboxMark> outbox_marks_;
  std::map<TenantNumber, OutboxSeq> outbox_seen_, outbox_behind_;
  std::map<TenantNumber, MemoryLost> outboxes_lost_;
  std::map<TenantNumber, TenantState> former_states_;
  std::map<CaptureNumber, MemoryCapture> captures_;
  std::map<std::int64_t, MemoryCapsule> capsules_;
  std::map<PauseKey, PauseRecord> pauses_;
  std::map<TenantNumber, MemoryTenantPause> tenant_pauses_;
  std::map<TenantNumber, DeletionRecord> deletions_;
  std::map<TenantNumber, MemoryTenantRestore> tenant_restores_;
  std::map<TenantNumber, bool> changed_tenants_;
  std::map<TenantNumber, TenantBehind> behind_;
  std::map<TenantNumber, SchemasMark> behind_changes_;
  std::map<TenantNumber, MemoryMigration> migrations_;
  std::map<ScheduleNumber, ScheduleRecord> schedules_;
  std::map<TickKey, TickRow> schedule_ticks_;
  std::map<JobSeq, ScheduleOwner> schedule_jobs_;
  std::map<BatchNumber, BatchRow> batches_;
  std::map<CallbackKey, CallbackRow> batch_callbacks_;
  std::map<JobSeq, MemberRow> batch_jobs_;
  std::map<BatchNumber, FanOutRow> fan_outs_;
  std::map<SkipKey, SkippedTenant> fan_out_skips_;
  std::map<LimitNumber, LimitRecord> limits_;
  std::map<BucketKey, StartBucket> start_buckets_;
  MemoryNames queues_, kinds_;
  std::set<ReadyKey> ready_;
  std::set<LanePlace> scheduled_;
  std::set<JobSeq> blocked_;
  JobSeq last_seq_{0};
  std::int64_t last_hint_ = 0;
  CancelNumber last_cancel_{0};
  OutboxMarkNumber last_outbox_mark_{0};
  CaptureNumber last_capture_{0};
  CapturesMark captures_mark_{0};  // also of what was taken back since: it is then read once more
  PausesMark pauses_mark_{0};      // the same
  SchemasMark schemas_mark_{0};    // the same
  std::int64_t last_capsule_ = 0;
  ScheduleNumber last_schedule_{0};
  SchedulesMark schedules_mark_{0};  // as captures_mark_
  FanOutsMark fan_outs_mark_{0};     // as captures_mark_
  LimitNumber last_limit_{0};
  LimitsMark limits_mark_{0};  // as captures_mark_
  TenantNumber last_tenant_{0};
  BatchNumber last_batch_{0};
  std::vector<std::function<void()>> undo_;
};

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

}  // namespace tenure::queue
