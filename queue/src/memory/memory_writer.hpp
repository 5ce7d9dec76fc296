#pragma once

#include "../batch_verbs.hpp"
#include "../job_rules.hpp"
#include "../key_limits.hpp"
#include "../limit_verbs.hpp"
#include "memory_limits.hpp"
#include "memory_reader.hpp"

#include <tenure/queue/store.hpp>
#include <tenure/queue/transitions.hpp>

// The verbs of the store on rows in memory. Internal.
namespace tenure::queue {

class MemoryWriter final : public StoreWriter {
 public:
  MemoryWriter(MemoryTables& tables, std::size_t payload_max, const KeyRing& keys)
      : tables_(tables),
        payload_max_(payload_max),
        keys_(keys),
        reader_(tables),
        schedule_rows_(tables, this),
        limit_rows_(tables, &tables),
        batch_rows_(tables, this),
        fan_out_rows_(tables, this) {}

  Result<Enqueued> enqueue(const NewJob& job, WallTime now) override;
  ClaimReply claim(const ClaimRequest& request, WallTime now) override;
  Result<void> tell(const RunNews& news, WallTime now) override;
  Result<void> finish_succeeded(ClaimRef claim, WallTime now) override;
  std::vector<ExpiredJob> expire(WallTime now, std::size_t limit) override;
  std::optional<WallTime> next_expiry(WallTime now) override;
  Pruned prune(std::span<const JobSeq> jobs, const PrunePass& pass, WallTime now) override;
  std::int64_t forget_pruned(JobSeq, std::size_t) override { return 0; }
  std::optional<JobOwner> owner_of_job(JobId id) override { return reader_.owner_of_job(id); }
  void keep_result(JobSeq seq, const JobResult& result, WallTime now) override;
  std::int64_t forget_results(WallTime now, std::size_t limit) override;
  Result<void> finish(ClaimRef claim, JobState state, JobReason reason, const AttemptFailure& failure,
                      WallTime now) override;
  using RetryWriter::retry;
  Result<void> retry(ClaimRef claim, const Retry& retry, const AttemptFailure& failure,
                     WallTime now) override;
  Result<void> put_off(ClaimRef claim, WallTime due, const AttemptFailure& why, WallTime now) override;
  Result<void> release(ClaimRef claim, bool started, const AttemptFailure& why, WallTime now) override;
  Result<void> block(ClaimRef claim, JobReason reason) override;
  Result<void> reclaim(ClaimRef claim, CrashCharge charge, const AttemptFailure& failure,
                       WallTime now) override;
  Result<void> cancel(ClaimRef claim, bool started, const AttemptFailure& why, WallTime now) override;
  std::vector<CancelRequest> cancel_requests(CancelNumber after, std::size_t limit) override;
  bool is_cancel_asked(ClaimRef claim) override;
  std::vector<JobArrival> reclaim_of_former_holders(Incarnation current, std::size_t limit,
                                                    WallTime now) override;
  std::vector<FormerClaim> former_claims(Incarnation current, std::size_t limit) override;
  Result<void> suspect(ClaimRef claim, CrashCharge charge, const AttemptFailure& failure,
                       WallTime now) override;
  Result<void> suspect_of_process(ClaimRef claim, CrashCharge charge, const AttemptFailure& failure,
                                  WallTime now) override;
  Result<void> release_suspect(ClaimRef claim, bool started, const AttemptFailure& why,
                               WallTime now) override;
  ClaimReply claim_suspect(const SuspectRequest& request, WallTime now) override;
  void end_trial(JobSeq seq) override;
  void acquit(JobSeq seq) override { tables_.erase_suspect(seq); }
  std::vector<JobArrival> promote(WallTime now, std::size_t limit) override;
  DrawnIn draw_in_retries(LanePlace after, std::size_t limit,
                          FunctionRef<std::chrono::microseconds(int)> wait_max, WallTime now) override;
  std::vector<JobArrival> unblock(JobReason reason, JobSeq after, std::size_t limit) override;
  std::vector<JobArrival> take_lane_hints(std::size_t limit) override;
  Incarnation open_incarnation(std::int64_t seconds_since_2020, std::string_view node, std::int64_t pid,
                               WallTime now) override;
  Incarnation newest_incarnation() override;
  void tell_pools(Incarnation incarnation, std::span<const PoolRecord> pools) override;
  Result<void> retry_by_operator(JobId id, WallTime now) override;
  Result<void> run_by_operator(JobId id, WallTime now) override;
  Result<void> cancel_by_operator(JobId id, WallTime now) override;
  Result<void> ask_to_cancel(JobId id, WallTime now) override;
  Result<void> discard_by_operator(JobId id, WallTime now) override;
  Result<void> change_by_operator(JobId id, const JobChange& change, WallTime now) override;
  Result<Enqueued> copy_by_operator(JobId id, JobId copy, WallTime now) override;
  Result<void> delete_by_operator(JobId id) override;
  void set_seal_marks(const SealMarks& marks) override;
  Result<MarkedOutbox> mark_outbox(const OutboxOwner& owner, const OutboxState& file, WallTime now) override;
  void mark_outbox_of(TenantNumber tenant, WallTime now) override;
  void mark_outboxes_of_former_claims(Incarnation current, WallTime now) override;
  Relayed relay_outbox(const OutboxOwner& owner, const OutboxRows& rows, WallTime now) override;
  void note_older_copy(const OutboxOwner& owner, OutboxSeq newest, OutboxSeq watermark,
                       WallTime now) override;
  Result<TenantState> recheck_outbox(const OutboxOwner& owner, OutboxSeq newest) override;
  Relayed pass_over_outbox(const OutboxOwner& owner, OutboxSeq newest, const OutboxRow& row,
                           WallTime now) override;
  void unmark_outbox(std::span<const OutboxMarkNumber> marks) override;
  std::optional<RestoreRecord> accept_copy(AuditEntry, WallTime) override { return std::nullopt; }
  std::int64_t note_lost_rows(const OutboxOwner& owner, OutboxSeq newest, WallTime now) override;
  void visit_news(JobSeq after, FunctionRef<void(std::string_view envelope)> fn) override;
  std::int64_t mend(std::span<const DefectPlace> places) override;
  void append_audit(const AuditEntry& entry, WallTime now) override;
  Result<CaptureNumber> ask_for_capture(const NewCapture& request, WallTime now) override;
  bool withdraw_capture(CaptureNumber number) override;
  std::optional<OpenCaptures> open_captures(CapturesMark known) override;
  void remove_expired_captures(WallTime now) override;
  void note_capsule(JobSeq seq, const TakenCapsule& capsule, WallTime now) override;
  Result<bool> pause(const NewPause& pause, WallTime now) override;
  bool resume(PauseScope scope, std::string_view name) override;
  std::optional<OpenPauses> open_pauses(PausesMark known) override;
  void remove_expired_pauses(WallTime now) override;
  Result<TenantState> set_read_only(const TenantName& tenant, bool is_read_only) override;
  Result<DeletionRecord> begin_deletion(const NewDeletion& deletion, WallTime now) override;
  Result<CancelledOutbox> cancel_outbox(const OutboxOwner& owner, const OutboxRows& rows,
                                        WallTime now) override;
  std::int64_t end_batches_of(TenantNumber tenant, std::size_t limit, WallTime now) override {
    return batches_.end_of(tenant, limit, now);
  }
  Result<void> bury(TenantNumber tenant, const BuriedTenant& buried) override;
  Result<void> begin_taking_back(TenantNumber tenant, WallTime now) override;
  Result<void> give_up_taking_back(TenantNumber tenant) override;
  Result<void> begin_erasing(TenantNumber tenant, WallTime now) override;
  Result<void> erase_job(JobId id, WallTime now) override;
  std::int64_t erase_rows_of(TenantNumber tenant, std::size_t limit) override;
  std::optional<TenantRecord> register_tenant(const StampedTenant& tenant, WallTime now) override;
  void register_burial(TenantNumber tenant, const NewDeletion& deletion, const BuriedTenant& buried,
                       WallTime now) override;
  Result<void> end_deletion(TenantNumber tenant, DeletionStep how) override;
  std::vector<ChangedTenant> take_changed_tenants(std::size_t limit) override;
  Result<TenantRestore> begin_restore(const NewTenantRestore& restore, WallTime now) override;
  Result<void> hold_for_restore(JobId id) override;
  Relayed relay_for_restore(const OutboxOwner& owner, const OutboxRows& rows, WallTime now) override;
  Result<TenantRecord> begin_next(const TenantName& tenant, std::int64_t size_bytes, WallTime erase_at,
                                  WallTime now) override;
  Result<void> restamp(JobId id, WallTime now) override;
  void note_behind(const TenantBehind& behind) override;
  bool forget_behind(TenantNumber tenant) override;
  void forget_behind_noted(WallTime until) override;
  std::optional<KnownSchemas> known_schemas(SchemasMark known) override;
  bool start_migration(const MigrationOrder& order, WallTime now) override;
  bool note_migration(const MigrationRecord& migration) override;
  void declare_limits(std::span<const DeclaredLimit> limits) override {
    key_limits_.forget();
    limit_verbs_.declare(limits);
  }
  Result<bool> set_limit(const NewLimit& limit, WallTime now) override {
    key_limits_.forget();
    return limit_verbs_.set(limit, now);
  }
  Result<void> unset_limit(std::string_view name) override {
    key_limits_.forget();
    return limit_verbs_.unset(name);
  }
  std::optional<OpenLimits> open_limits(LimitsMark known) override { return limit_verbs_.open(known); }
  std::vector<StartBucket> start_buckets(WallTime now) override { return limit_rows_.all_buckets(now); }
  void note_buckets(std::span<const BucketNote> notes, WallTime now) override {
    limit_rows_.note(notes, now);
  }
  ScheduleWriter& schedules() override { return schedules_; }
  BatchWriter& batches() override { return batches_; }
  FanOutWriter& fan_outs() override { return fan_outs_; }
  std::optional<std::string> give_free_keys(const std::string& after, std::size_t limit) override;
  std::optional<JobArrival> pass_over(JobSeq passed, std::span<const Lane> gated) override;
  LaneReader& reader() override { return reader_; }

  [[nodiscard]] std::vector<BatchNews> take_batch_news() { return batches_.take_news(); }

 private:
  friend class MemoryBatchRows;
  friend class MemoryFanOutRows;
  friend class MemoryScheduleRows;
  void note_lost(const OutboxOwner& owner, TenantNumber tenant, std::int64_t count, OutboxSeq up_to,
                 WallTime now);
  Result<bool> pause_tenant(const NewPause& pause, WallTime now);
  bool resume_tenant(TenantNumber number);
  void resume_expired_tenants(WallTime now);
  struct Owner {
    TenantNumber number;
    Generation generation;
  };
  Result<Enqueued> enqueue_sealed_by(const KeyRing& keys, const NewJob& job, WallTime now);
  struct EnqueueAs {
    JobReason blocked_for = JobReason::none;  // unless it is none
    JoinBy join_by = JoinBy::enqueue;
    const std::string* envelope = nullptr;  // that is written already
    const Owner* owner = nullptr;           // that is known, whatever its state
    MadeBy made_by = MadeBy::others;
  };
  Result<Enqueued> enqueue_as(const EnqueueAs& as, const KeyRing& keys, const NewJob& job, WallTime now);
  Result<Enqueued> enqueue_callback(NewJob job, const std::string& envelope, WallTime now);
  [[nodiscard]] Result<std::string> envelope_for(const NewJob& job, Generation generation,
                                                 const KeyRing& keys) const;
  Result<Owner> owner_of(const NewJob& job) const;
  [[nodiscard]] Result<Owner> owner_of(const TenantName& name, Generation wanted) const;
  Result<QueueNumber> intern_queue(std::string_view name);
  Result<Lane> lane_of(const NewJob& job, TenantNumber tenant);
  Result<std::optional<Enqueued>> existing(const NewJob& job);

  [[nodiscard]] std::vector<MemoryTables::ReadyKey> front_of_lanes(const ClaimRequest& request,
                                                                   std::size_t count) const;
  // `bytes`: of all fronts of one request.
  void claim_front(const ClaimRequest& request, std::span<const MemoryTables::ReadyKey> front, WallTime now,
                   ClaimReply& reply, std::size_t& bytes);
  [[nodiscard]] ClaimedJob claimed(const MemoryTables::ReadyKey& key) const;

  // Nothing where the claim was lost.
  [[nodiscard]] std::optional<MemoryClaim> end_claim(ClaimRef claim);
  [[nodiscard]] std::optional<MemoryClaim> end_by_release(ClaimRef claim, bool started,
                                                          const AttemptFailure& why, WallTime now);
  [[nodiscard]] std::optional<MemoryClaim> end_by_crash(ClaimRef claim, CrashCharge charge,
                                                        const AttemptFailure& failure, WallTime now);
  void end_job(JobSeq seq, JobState state, JobReason reason, const MemoryClaim& claim, int failures,
               WallTime now);
  void never_started(JobSeq seq);
  [[nodiscard]] std::optional<WallTime> start_time_of(JobSeq seq) const;
  void block(JobSeq seq, JobReason reason);
  // As those of SqliteWriter.
  // Of the key that the job states.
  [[nodiscard]] std::int64_t running_max(JobSeq seq, const MemoryJobKey& key);
  [[nodiscard]] bool is_taken(JobSeq seq, const MemoryJobKey& key);
  [[nodiscard]] bool has_line(const std::string& key) const;
  [[nodiscard]] bool lines_up(JobSeq seq);
  void stand_in_line(JobSeq seq);
  void pass_on(const std::string& key, JobSeq left);
  [[nodiscard]] std::optional<MemoryLinePlace> next_of_line(const std::string& key,
                                                            std::int64_t behind_tenant) const;
  [[nodiscard]] std::optional<MemoryLinePlace> behind_in_line(const MemoryLinePlace& place) const;
  [[nodiscard]] std::optional<MemoryLinePlace> first_of_line(const std::string& key,
                                                             std::int64_t behind_tenant) const;
  [[nodiscard]] bool is_gated_on_line(const MemoryLinePlace& place) const;
  [[nodiscard]] bool may_come_from_line(const MemoryLinePlace& place) const;
  // Whether a pool that takes the lane's jobs has told that they only read.
  [[nodiscard]] bool is_read(const Lane& lane) const;
  [[nodiscard]] std::optional<MemoryLinePlace> next_elsewhere(const std::string& key,
                                                              std::int64_t behind_tenant,
                                                              std::span<const Lane> gated) const;
  void make_ready_of_line(const MemoryLinePlace& next);
  void give_free_key(const std::string& key);
  [[nodiscard]] bool is_lane_paused(const Lane& lane) const;
  // A claim has ended and its job is ready: it stands in its lane, or in its key's line.
  void ready_again(JobSeq seq, const std::string& key);
  JobArrival admit(JobSeq seq);
  void state_keys(JobSeq seq, const NewJob& job, TenantNumber tenant);
  void free_unique(JobSeq seq);
  [[nodiscard]] std::optional<ConcurrencyKey> stated_concurrency(JobSeq seq) const;
  // An operator takes it from where it waits: it leaves its key's line, or what it would have had to the next one there.
  void leave_place(JobSeq seq);
  Result<void> hold_unique_again(JobSeq seq, JobId id);
  void add_attempt(JobSeq seq, const MemoryClaim& claim, AttemptOutcome outcome,
                   const AttemptFailure& failure, WallTime now);
  void add_lost_attempt(ClaimRef claim, const AttemptFailure& failure, WallTime now);
  JobArrival move_to_ready(JobSeq seq);
  // Its wait is over: ready, or it is a suspect that is claimed by itself only.
  JobArrival end_wait(JobSeq seq);
  [[nodiscard]] bool is_suspect_of_process(JobSeq seq) const;
  void place_in_lane(JobSeq seq, MemoryJob job);
  [[nodiscard]] Result<JobSeq> named_job_for(Transition transition, JobId id, JobState to) const;
  [[nodiscard]] Result<MemoryCapture> capture_row(const NewCapture& request, WallTime now) const;
  Result<void> end_waiting(Transition transition, JobId id, JobState to, WallTime now);
  [[nodiscard]] CopiedRow copied_row(JobSeq seq) const;
  Result<Copy> restamped(JobSeq seq, WallTime now);
  [[nodiscard]] Result<void> check_tenant_of_retry(TenantNumber number) const;

  MemoryTables& tables_;
  bool relays_for_restore_ = false;
  std::size_t payload_max_;
  const KeyRing& keys_;
  MemoryReader reader_;
  MemoryScheduleRows schedule_rows_;
  ScheduleVerbs schedules_{schedule_rows_};
  MemoryLimitRows limit_rows_;
  LimitVerbs limit_verbs_{limit_rows_};
  KeyLimits key_limits_{limit_rows_};
  MemoryBatchRows batch_rows_;
  BatchVerbs batches_{batch_rows_};
  MemoryFanOutRows fan_out_rows_;
  FanOutVerbs fan_outs_{fan_out_rows_, batch_rows_, batches_};
  std::size_t lined_up_ = 0;  // by all claims of this commit
};

}  // namespace tenure::queue
