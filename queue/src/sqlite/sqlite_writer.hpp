#pragma once

#include "../batch_verbs.hpp"
#include "../fan_out_verbs.hpp"
#include "../job_rules.hpp"
#include "../key_limits.hpp"
#include "../limit_verbs.hpp"
#include "../schedule_verbs.hpp"
#include "cancel_requests.hpp"
#include "ended_lookup.hpp"
#include "failure_counts.hpp"
#include "fresh_jobs.hpp"
#include "interned_names.hpp"
#include "job_owner.hpp"
#include "key_rows.hpp"
#include "known_owners.hpp"
#include "places.hpp"
#include "sqlite_batches.hpp"
#include "sqlite_fan_outs.hpp"
#include "sqlite_lanes.hpp"
#include "sqlite_limits.hpp"
#include "sqlite_schedules.hpp"
#include "start_times.hpp"
#include "told_by_runs.hpp"

#include <tenure/queue/store.hpp>
#include <tenure/queue/transitions.hpp>

#include <cstddef>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

// The verbs of the store as SQL on one connection inside one transaction. Internal.
//   sqlite_enqueue.cpp   a job comes in
//   sqlite_claim.cpp     a job is given to a process
//   sqlite_endings.cpp   a claim ends: finish, retry, release, block, reclaim
//   sqlite_expiry.cpp    jobs that have not started in time
//   sqlite_retention.cpp jobs that have ended long ago go
//   sqlite_results.cpp   what handlers returned
//   sqlite_suspects.cpp  the daemon has died, and its jobs start one at a time
//   sqlite_moves.cpp     jobs become ready without a claim; holders and hints
//   sqlite_operators.cpp what an operator does to one job
//   sqlite_tenant_schemas.cpp  tenants that are behind
//   sqlite_pauses.cpp    queues and kinds that are paused
//   sqlite_tenant_life.cpp tenants that are paused, read-only and deleted
//   sqlite_erasing.cpp   what is left of deleted tenants goes
//   sqlite_tenant_restore.cpp tenants that are put back from a copy, and their jobs
//   sqlite_batches.cpp   rows of batches
//   sqlite_fan_outs.cpp  rows of fan-outs
//   sqlite_captures.cpp  requests for capsules, and what became of them
//   sqlite_schedules.cpp rows of schedules
//   sqlite_keys.cpp      concurrency keys and unique keys
//   sqlite_limits.cpp    rows of limits, and of the starts that rates count
//   sqlite_outbox.cpp    jobs come out of tenants' databases
//   sqlite_restore.cpp   the database was put back from a copy
//   sqlite_inspection.cpp the record of it, and mending what is damaged
namespace tenure::queue {

struct CauselessJob;
struct CaptureRow;

class SqliteWriter final : public StoreWriter {
 public:
  // `fresh` belongs to whoever claims through this store.
  SqliteWriter(sqlite::Connection& connection, TransactionNames& names, const KnownOwners& known_owners,
               FreshJobs& fresh, std::size_t payload_max, const KeyRing& keys)
      : connection_(connection),
        names_(names),
        known_owners_(known_owners),
        fresh_(fresh),
        payload_max_(payload_max),
        keys_(keys),
        cancel_requests_(connection),
        start_times_(connection),
        failure_counts_(connection),
        told_(connection),
        schedule_rows_(connection, this),
        batch_rows_(connection, this),
        fan_out_rows_(connection, this),
        key_rows_(connection),
        limit_rows_(connection),
        reader_(connection, names, [this]() -> FreshJobs& { return this->fresh(); }) {}

  std::vector<ExpiredJob> expire(WallTime now, std::size_t limit) override;
  std::optional<WallTime> next_expiry(WallTime now) override;
  Pruned prune(std::span<const JobSeq> jobs, const PrunePass& pass, WallTime now) override;
  std::int64_t forget_pruned(JobSeq until, std::size_t limit) override;
  std::optional<JobOwner> owner_of_job(JobId id) override { return queue::owner_of_job(connection_, id); }
  void keep_result(JobSeq seq, const JobResult& result, WallTime now) override;
  std::int64_t forget_results(WallTime now, std::size_t limit) override;
  Result<Enqueued> enqueue(const NewJob& job, WallTime now) override;
  ClaimReply claim(const ClaimRequest& request, WallTime now) override;
  Result<void> tell(const RunNews& news, WallTime now) override;
  Result<void> finish_succeeded(ClaimRef claim, WallTime now) override;
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
  std::vector<CancelRequest> cancel_requests(CancelNumber after, std::size_t limit) override {
    return cancel_requests_.behind(after, limit);
  }
  bool is_cancel_asked(ClaimRef claim) override { return cancel_requests_.has(claim); }
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
  void acquit(JobSeq seq) override;
  std::vector<JobArrival> promote(WallTime now, std::size_t limit) override;
  DrawnIn draw_in_retries(LanePlace after, std::size_t limit,
                          FunctionRef<std::chrono::microseconds(int)> wait_max, WallTime now) override;
  std::vector<JobArrival> unblock(JobReason reason, JobSeq after, std::size_t limit) override;
  std::vector<JobArrival> take_lane_hints(std::size_t limit) override;
  Incarnation open_incarnation(std::int64_t seconds_since_2020, std::string_view node, std::int64_t pid,
                               WallTime now) override;
  Incarnation newest_incarnation() override;
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
  void tell_pools(Incarnation incarnation, std::span<const PoolRecord> pools) override;
  Result<void> retry_by_operator(JobId id, WallTime now) override;
  Result<void> run_by_operator(JobId id, WallTime now) override;
  Result<void> cancel_by_operator(JobId id, WallTime now) override;
  Result<void> ask_to_cancel(JobId id, WallTime now) override;
  Result<void> discard_by_operator(JobId id, WallTime now) override;
  Result<void> change_by_operator(JobId id, const JobChange& change, WallTime now) override;
  Result<Enqueued> copy_by_operator(JobId id, JobId copy, WallTime now) override;
  Result<void> delete_by_operator(JobId id) override;
  std::int64_t mend(std::span<const DefectPlace> places) override;
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
  std::optional<RestoreRecord> accept_copy(AuditEntry entry, WallTime now) override;
  std::int64_t note_lost_rows(const OutboxOwner& owner, OutboxSeq newest, WallTime now) override;
  void visit_news(JobSeq after, FunctionRef<void(std::string_view envelope)> fn) override;
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
  ScheduleWriter& schedules() override { return schedules_; }
  BatchWriter& batches() override { return batches_; }
  FanOutWriter& fan_outs() override { return fan_outs_; }
  std::optional<std::string> give_free_keys(const std::string& after, std::size_t limit) override;
  std::optional<JobArrival> pass_over(JobSeq passed, std::span<const Lane> gated) override;
  LaneReader& reader() override { return reader_; }

  // Of the registry, as this transaction has read it, and the mark at which it did.
  [[nodiscard]] const Owners& owners() const { return owners_; }
  [[nodiscard]] std::int64_t tenants_mark() const { return tenants_mark_.value_or(0); }
  // Jobs that succeeded in this transaction.
  [[nodiscard]] std::size_t successes() const { return successes_; }
  // Of batches: whether callbacks were enqueued, and what is to be told.
  [[nodiscard]] bool has_made_jobs() const { return batches_.has_made_jobs(); }
  [[nodiscard]] std::vector<BatchNews> take_batch_news() { return batches_.take_news(); }
  // Whether it may have changed what is held of fresh jobs.
  [[nodiscard]] bool used_fresh() const { return fresh_has_begun_; }

 private:
  friend class SqliteBatchRows;
  friend class SqliteFanOutRows;
  friend class SqliteScheduleRows;
  void note_lost(const OutboxOwner& owner, TenantNumber tenant, std::int64_t count, OutboxSeq up_to,
                 WallTime now);
  // A job on its way in, with everything looked up.
  struct Incoming {
    Owner owner;
    std::string envelope;
  };
  struct Names {
    QueueNumber queue;
    KindNumber kind;
  };
  // The claim that has just been deleted.
  struct EndedClaim {
    std::int64_t started_us = 0;
    std::int64_t process = 0;
    std::string key;  // of concurrency; empty: none
  };
  struct JobOfClaim {
    Lane lane;
    LanePlace place;
    RowState state = RowState::placed;
    std::string key;  // that its claim had
  };
  // A job that may be claimed: a row of ready, or one that is held in memory.
  struct Candidate {
    Lane lane;
    LanePlace place;
    bool is_fresh = false;
  };

  // A job that an operator has named, as it stands now.
  struct NamedJob {
    JobId id;
    Lane lane;
    LanePlace place;
    std::int64_t priority = 0;  // as the row has it
    bool has_lane = true;
    JobState state = JobState::ready;
    JobReason reason = JobReason::none;
    bool is_running = false;
    bool is_fresh = false;
    [[nodiscard]] OperatorSees seen() const { return {state, reason, is_running}; }
  };

  [[nodiscard]] const SealMarks& seal_marks();
  Result<void> check_own_keys();
  Result<Enqueued> enqueue_sealed_by(const KeyRing& keys, const NewJob& job, WallTime now);
  // The same with a place of its own from the beginning, so that where it stands is told by the tables alone: blocked for that reason, or
  // where it is due in `ready`.
  Result<Enqueued> enqueue_placed(const NewJob& job, JobReason blocked_for, WallTime now);
  struct EnqueueAs {
    bool is_placed = false;  // it has a place of its own
    JobReason blocked_for = JobReason::none;
    JoinBy join_by = JoinBy::enqueue;
    const std::string* envelope = nullptr;  // that is written already
    const Owner* owner = nullptr;           // that is known, whatever its state
    MadeBy made_by = MadeBy::others;
  };
  Result<Enqueued> enqueue_as(const EnqueueAs& as, const KeyRing& keys, const NewJob& job, WallTime now);
  Result<Enqueued> enqueue_of_outbox(const NewJob& job, WallTime now);
  // A job to be enqueued once more under its id, in the newest generation of its tenant.
  struct Restamped {
    NewJob job;
    bool may_be_sealed = false;
  };
  Result<Restamped> restamped(const NamedJob& job, WallTime now);
  Result<void> add_keys_of(const NamedJob& job, TenantNumber next, NewJob& restamped);
  void forget_restamped(const NamedJob& job, WallTime now);
  Result<CopiedRow> copied_row(JobId id);
  Result<Enqueued> enqueue_callback(NewJob job, const std::string& envelope, WallTime now);
  Result<Incoming> look_up(const NewJob& job, const KeyRing& keys, const Owner* known = nullptr);
  Result<Incoming> look_up_as(const EnqueueAs& as, const NewJob& job, const KeyRing& keys);
  Result<Owner> owner_of(const TenantName& name, Generation wanted);
  [[nodiscard]] std::optional<Owner> live_owner(const TenantName& name);
  Result<Names> intern(const NewJob& job);
  Result<QueueNumber> intern_queue(std::string_view name);
  // Nothing: no such id. IdConflict: it has other content.
  Result<std::optional<Enqueued>> existing(const NewJob& job);
  // Scheduled, ready, or blocked where it is due and must wait for its key.
  [[nodiscard]] JobState place_of_new(const NewJob& job, const Lane& lane, WallTime now);
  bool insert_job(const NewJob& job, const Lane& lane, std::string_view envelope, RowState state,
                  JobReason reason, WallTime now);
  // `blocked_for`: where it is blocked for another reason than its key.
  void place_new(const NewJob& job, const Lane& lane, JobSeq seq, JobState place, JobReason blocked_for);

  // Ready for this transaction. Whoever changes rows that it reads calls it before.
  FreshJobs& fresh();

  [[nodiscard]] std::vector<Candidate> front_of_lanes(const ClaimRequest& request, std::size_t count);
  void read_lane(const ClaimRequest& request, const LaneCursor& cursor, std::size_t count,
                 std::vector<Candidate>& front);
  void claim_front(const ClaimRequest& request, const std::vector<Candidate>& front, WallTime now,
                   ClaimReply& reply);
  [[nodiscard]] std::optional<ClaimedJob> read_candidate(const Candidate& candidate);
  // Its tenant's row, or untenanted; where it may not be claimed from, the gate is in the reply.
  [[nodiscard]] std::optional<TenantRecord> tenant_to_claim(TenantNumber number, ClaimReply& reply,
                                                            bool reads_only = false);
  void name_claimed(const std::optional<TenantRecord>& tenant, std::vector<ClaimedJob>& jobs);
  void leave_lanes(std::span<const Candidate> taken);
  // `key`: of concurrency; empty: none.
  [[nodiscard]] bool insert_claim(const ClaimedJob& job, const std::string& key, ProcessNumber process,
                                  WallTime now);

  // Whether as many have it as may, for a job of that queue and kind.
  [[nodiscard]] bool is_taken(const StoredConcurrency& key, QueueNumber queue, KindNumber kind);
  // Whether a job with that key must wait for it.
  [[nodiscard]] bool must_wait_for(const StoredConcurrency& key, QueueNumber queue, KindNumber kind);
  // The same of a job that is to become ready: then it stands in its key's line.
  [[nodiscard]] bool lines_up(const Lane& lane, const LanePlace& place);
  void stand_in_line(const std::string& key, const Lane& lane, const LanePlace& place);
  // One that had the key, or was ready to, has gone: the next of its line becomes ready.
  void pass_on(const std::string& key, JobSeq left);
  [[nodiscard]] TenantNumber tenant_of_turn(const std::string& key, JobSeq seq);
  // The first one behind that tenant in turn, round and round.
  [[nodiscard]] std::optional<JobArrival> first_of_line(const std::string& key, std::int64_t behind_tenant);
  // Whether the store knows of nothing that keeps it from being claimed.
  // The state of its tenant, where that lets none of the lane's jobs start: on a key that is one for all.
  [[nodiscard]] std::optional<TenantState> gate_on_line(const std::string& key, const Lane& lane);
  [[nodiscard]] bool may_come_from_line(const std::string& key, const Lane& lane);
  [[nodiscard]] std::optional<JobArrival> next_of_line(const std::string& key, std::int64_t behind_tenant);
  [[nodiscard]] std::optional<JobArrival> next_elsewhere(const std::string& key, std::int64_t behind_tenant,
                                                         std::span<const Lane> gated);
  void leave_line(const std::string& key, JobArrival& next);
  void make_ready_of_line(const std::string& key, JobArrival next);
  void give_free_key(const std::string& key);
  // Its queue or its kind; as it stood when that was first asked in this transaction.
  [[nodiscard]] bool is_lane_paused(const Lane& lane);
  [[nodiscard]] std::optional<Enqueued> holder_of_unique(const NewJob& job, TenantNumber tenant);
  Result<void> hold_unique_again(JobSeq seq, JobId id);

  [[nodiscard]] std::optional<EndedClaim> end_claim(ClaimRef claim);
  [[nodiscard]] std::vector<std::pair<ClaimRef, EndedClaim>> claims_before(Incarnation current,
                                                                           std::size_t limit);
  void delete_claim(JobSeq seq, const std::string& key);
  void forget_result(JobSeq seq);
  void add_attempt(ClaimRef claim, const EndedClaim& ended, AttemptOutcome outcome,
                   const AttemptFailure& failure, WallTime now);
  void add_release(ClaimRef claim, const EndedClaim& ended, const AttemptFailure& why, WallTime now);
  void add_lost_attempt(ClaimRef claim, const AttemptFailure& failure, WallTime now);
  // Nothing: no such row, or it has ended.
  [[nodiscard]] std::optional<JobOfClaim> job_of_claim(JobSeq seq);
  // Whether it stands in its lane again; else in its key's line, where others may come before it.
  bool return_to_lane(const JobOfClaim& job);
  // Its row says that it has a place of its own.
  void place_row(JobSeq seq);
  void place_blocked(JobSeq seq, const JobOfClaim& job, JobReason reason);
  // Of a former holder: where it stands then.
  JobState return_uncharged(JobSeq seq, const JobOfClaim& job);
  [[nodiscard]] std::optional<Candidate> blocked_suspect(JobSeq seq);
  [[nodiscard]] bool is_suspect_of_process(JobSeq seq);
  // A job whose wait is over, and which stands nowhere any more: into its lane, or it is a suspect that is claimed by itself only.
  void end_wait(JobArrival& job);
  // The same, but that it may have to wait for its key.
  void admit(JobArrival& job);
  // Nothing where the claim was lost. A `started` one is counted and leaves its row.
  [[nodiscard]] std::optional<JobOfClaim> end_by_release(ClaimRef claim, bool started,
                                                         const AttemptFailure& why, WallTime now);
  void charge_crash(ClaimRef claim, CrashCharge charge, const EndedClaim& ended, WallTime now);
  // Nothing where the claim was lost.
  [[nodiscard]] std::optional<JobOfClaim> end_by_crash(ClaimRef claim, CrashCharge charge,
                                                       const AttemptFailure& failure, WallTime now);

  // JobNotFound.
  Result<NamedJob> named_job(JobId id);
  // Of a job that waits, and has not succeeded, for certain. Nothing where it does not wait, or in no lane that a job can have.
  [[nodiscard]] std::optional<NamedJob> named_job_in_place(JobId id);
  // Its row, without its place.
  [[nodiscard]] std::optional<NamedJob> named_row(JobId id);
  void find_place(NamedJob& job);
  // Whether a table says where it waits.
  [[nodiscard]] bool find_placed(NamedJob& job);
  // The same, where the transition from its state is allowed to an operator: StateChanged.
  Result<NamedJob> named_job_for(Transition transition, JobId id, JobState to);
  static Result<void> check_named(Transition transition, const NamedJob& job, JobState to);
  void leave_place(const NamedJob& job);
  void place_in_lane(const NamedJob& job, WallTime due);
  // For a dispatcher that runs.
  void hint_at(JobSeq seq);
  bool mend_causeless(const DefectPlace& place);
  void block_again(const CauselessJob& found);
  void remove_job(JobSeq seq);
  Result<void> end_waiting(Transition transition, JobId id, JobState to, WallTime now);
  Result<void> check_tenant_of_retry(TenantNumber number);
  Result<void> check_seal_of_retry(JobSeq seq);
  [[nodiscard]] Result<CaptureRow> capture_row(const CaptureTarget& target);
  void forget_captures_of(JobSeq seq);
  [[nodiscard]] bool is_unsettled(JobSeq seq);
  void change_state(TenantNumber tenant, TenantState state);

  sqlite::Connection& connection_;
  TransactionNames& names_;
  const KnownOwners& known_owners_;
  FreshJobs& fresh_;
  bool fresh_has_begun_ = false;
  std::size_t payload_max_;
  const KeyRing& keys_;
  std::optional<SealMarks> seal_marks_;  // as this transaction has read them
  CancelRequests cancel_requests_;
  StartTimes start_times_;
  FailureCounts failure_counts_;
  ToldByRuns told_;
  SqliteScheduleRows schedule_rows_;
  ScheduleVerbs schedules_{schedule_rows_};
  SqliteBatchRows batch_rows_;
  BatchVerbs batches_{batch_rows_};
  SqliteFanOutRows fan_out_rows_;
  FanOutVerbs fan_outs_{fan_out_rows_, batch_rows_, batches_};
  KeyRows key_rows_;
  SqliteLimitRows limit_rows_;
  LimitVerbs limit_verbs_{limit_rows_};
  KeyLimits key_limits_{limit_rows_};
  SqliteLaneReader reader_;
  std::size_t successes_ = 0;
  std::size_t lined_up_ = 0;  // by all claims of this commit
  std::optional<std::pair<std::vector<std::int64_t>, std::vector<std::int64_t>>> paused_lanes_;
  std::optional<std::vector<PoolRecord>>
      pools_of_lines_;  // as read for read-only tenants, until others are told
  std::set<TenantNumber> marked_outboxes_;
  bool relays_for_restore_ = false;
  std::optional<EndedLookup> ended_;  // of operators' verbs, until a success makes it old
  // Nobody else writes while the transaction lasts, and whichever verb changes whether a tenant accepts jobs forgets them.
  std::optional<std::int64_t> tenants_mark_;
  Owners owners_;
};

[[nodiscard]] std::vector<const sqlite::Query*> enqueue_queries();
[[nodiscard]] std::vector<const sqlite::Query*> claim_queries();
[[nodiscard]] std::vector<const sqlite::Query*> ending_queries();
[[nodiscard]] std::vector<const sqlite::Query*> expiry_queries();
[[nodiscard]] std::vector<const sqlite::Query*> retention_queries();
[[nodiscard]] std::vector<const sqlite::Query*> move_queries();
[[nodiscard]] std::vector<const sqlite::Query*> suspect_queries();
[[nodiscard]] std::vector<const sqlite::Query*> operator_queries();
[[nodiscard]] std::vector<const sqlite::Query*> capture_queries();
[[nodiscard]] std::vector<const sqlite::Query*> limit_queries();

}  // namespace tenure::queue
