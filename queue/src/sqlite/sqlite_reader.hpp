#pragma once

#include "../batch_verbs.hpp"
#include "../fan_out_verbs.hpp"
#include "../key_limits.hpp"
#include "../lane_gates.hpp"
#include "../limit_questions.hpp"
#include "../schedule_verbs.hpp"
#include "candidates.hpp"
#include "ended_lookup.hpp"
#include "job_owner.hpp"
#include "row_filter.hpp"
#include "sqlite_batches.hpp"
#include "sqlite_fan_outs.hpp"
#include "sqlite_limits.hpp"
#include "sqlite_schedules.hpp"

#include <tenure/queue/store.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

// What operators ask, as SQL on one connection inside one snapshot. Internal.
//   sqlite_reader.cpp      one job, its attempts; which jobs may still run
//   sqlite_list.cpp        lists and counts by a filter
//   candidates.cpp         where jobs of a state are found
//   row_filter.cpp         what of a filter a row's numbers decide
//   sqlite_summaries.cpp   queues, tenants, pools, the store
//   sqlite_inspection.cpp  what operators have changed, and what may be wrong
//   sqlite_why.cpp         what stands before a job that waits
//   sqlite_tenant_schemas.cpp  tenants that are behind
//   sqlite_pauses.cpp      queues and kinds that are paused
//   sqlite_tenant_life.cpp tenants that are paused or were deleted
//   sqlite_restore.cpp     whether it is a copy, and what was lost by one
//   sqlite_batches.cpp     rows of batches
//   sqlite_fan_outs.cpp    rows of fan-outs
//   sqlite_captures.cpp    requests for capsules, and what became of them
//   sqlite_schedules.cpp   rows of schedules
//   sqlite_keys.cpp        the keys of one job
//   sqlite_limits.cpp      rows of limits
//   sqlite_results.cpp     what the handler of one job returned
namespace tenure::queue {

class SqliteJobReader final : public JobReader {
 public:
  SqliteJobReader(sqlite::Connection& connection, const std::function<std::int64_t()>& wal_bytes)
      : connection_(connection),
        wal_bytes_(wal_bytes),
        ended_(connection),
        schedule_rows_(connection),
        limit_rows_(connection),
        batch_rows_(connection),
        fan_out_rows_(connection) {}

  JobPage list_jobs(const Filter& filter, const ListOptions& options, WallTime now) override;
  JobCount count_jobs(const Filter& filter, const ListOptions& options, WallTime now) override;
  bool visit_jobs(const Filter& filter, const ListOptions& options, WallTime now,
                  FunctionRef<bool(const JobRecord&)> fn) override;
  std::optional<JobRecord> find_job(JobId id) override;
  std::vector<AttemptRecord> attempts(JobSeq seq) override;
  std::optional<std::string> envelope(JobSeq seq) override;
  std::vector<QueueRecord> queues() override;
  std::vector<KindRecord> kinds() override;
  std::vector<TenantSummary> tenants(const std::optional<TenantName>& after, std::size_t limit) override;
  std::vector<TenantSummary> tenants_named(std::span<const TenantName> names) override;
  std::map<TenantState, std::int64_t> tenant_counts() override;
  std::optional<TenantSummary> tenant(const TenantName& name) override;
  StoreSummary summary() override;
  bool has_dispatcher() override;
  std::vector<PoolRecord> pools() override;
  std::vector<PoolSlots> pool_slots() override;
  void for_each_audit(std::optional<std::int64_t> before, FunctionRef<bool(const AuditRecord&)> fn) override;
  AuditVerdict check_audit(const std::optional<AuditMark>& known) override;
  PrunePass begin_pruning(const Retention& rules) override;
  PrunableJobs prunable_jobs(JobSeq after, const PrunePass& pass, WallTime now,
                             std::size_t looks_max) override;
  UnsucceededJobs unsucceeded_jobs(JobSeq after, JobSeq until, WallTime by, std::size_t looks_max) override;
  SealMarks seal_marks() override;
  std::vector<OutboxMark> outbox_marks(OutboxMarkNumber after, std::size_t limit) override;
  OutboxSeq outbox_watermark(const OutboxOwner& owner) override;
  std::optional<OutboxSeq> outbox_behind(const OutboxOwner& owner) override;
  std::vector<DefectRecord> defects(PageCheck page_check) override;
  std::vector<DefectPlace> places_to_mend(Defect defect, std::size_t limit) override;
  std::vector<DanglingWork> dangling_work() override;
  ClaimCensus claims() override;
  std::optional<HolderRecord> last_holder() override;
  LaneFacts lane_facts(const JobRecord& job) override;
  Lane lane_of(const JobRecord& job) override;
  WayAhead way_ahead(const JobRecord& job) override;
  std::vector<CaptureRecord> captures() override;
  std::vector<CapsuleNote> capsules(const std::optional<JobId>& job) override;
  std::vector<PauseRecord> pauses() override;
  std::optional<PauseRecord> tenant_pause(const TenantName& name) override;
  std::optional<DeletionRecord> deletion(TenantNumber tenant) override;
  std::optional<DeletionRecord> open_deletion(const TenantName& name,
                                              std::optional<Generation> generation) override;
  ErasableJobs erasable_jobs(JobSeq after, std::size_t looks_max) override;
  std::vector<DeletionRecord> open_deletions(TenantNumber after, std::size_t limit) override;
  std::optional<TenantRestore> tenant_restore(const TenantName& tenant) override;
  std::vector<TenantBehind> tenants_behind() override;
  std::optional<MigrationRecord> last_migration(TenantNumber tenant) override;
  std::optional<WallTime> copied() override;
  std::optional<RestoreRecord> last_restore() override;
  LostRows lost_rows(const OutboxOwner& owner) override;
  std::vector<LostRows> lost_rows(std::size_t limit) override;
  ScheduleReader& schedules() override { return schedules_; }
  BatchReader& batches() override { return batches_; }
  FanOutReader& fan_outs() override { return fan_outs_; }
  JobKeys job_keys(const JobRecord& job) override;
  std::optional<JobOwner> owner_of_job(JobId id) override { return queue::owner_of_job(connection_, id); }
  std::optional<StoredResult> result(JobSeq seq, WallTime now) override;
  void set_now(WallTime now) override { limit_questions_.set_now(now); }
  std::vector<LimitRecord> limits() override { return limit_rows_.limits(); }
  std::vector<LimitStanding> limit_standings(LimitNumber number, std::size_t limit) override {
    return limit_questions_.standings(number, limit);
  }
  std::vector<LimitStanding> limits_of(const JobRecord& job) override;

 private:
  void add_unsettled(PrunableJobs& found, std::vector<EndedJob> open, const PrunePass& pass, WallTime now);
  // Those that are there, in the order of `seqs`.
  [[nodiscard]] std::vector<JobRecord> records(std::span<const JobSeq> seqs);
  [[nodiscard]] std::optional<JobSeq> seq_of(JobId id);
  // Those that are there and on the page.
  [[nodiscard]] std::vector<JobSeq> seqs_of(std::span<const JobId> ids, const ListOptions& options);

  // The floor under which succeeded jobs are not looked at; nothing: all are.
  [[nodiscard]] std::optional<JobSeq> floor_of(const Filter& filter, std::int64_t looks_max);
  // fn(record) for what matches, in order, source by source, at most options.limit of each source, until it returns false.
  void for_each_match(const Filter& filter, const RowFilter& narrowed, const ListOptions& options,
                      std::optional<JobSeq> floor, WallTime now, FunctionRef<bool(JobRecord&&)> fn);

  // The same of the members of one batch.
  [[nodiscard]] bool for_each_match_of(BatchId batch, const RowFilter& narrowed, const ListOptions& options,
                                       FunctionRef<bool(std::span<const JobSeq>, std::size_t&)> take);

  [[nodiscard]] std::int64_t count_judged(const Filter& filter, CandidateSource& source, std::int64_t limit,
                                          WallTime now);

  struct FreshRow {
    JobSeq seq;
    QueueNumber queue;
    KindNumber kind;
    std::int64_t priority = 0;  // one that is none has no lane
    TenantNumber tenant;
    WallTime due{};
  };
  static constexpr std::int64_t kAllRows = -1;
  // `rows_max`: of the oldest rows above the mark that are looked at.
  void for_each_fresh(FunctionRef<void(const FreshRow&)> fn, std::int64_t rows_max = kAllRows);
  struct Grouping;  // by queues or by kinds
  [[nodiscard]] std::vector<QueueRecord> counted_by(const Grouping& grouping);
  [[nodiscard]] std::vector<TenantSummary> summaries_of(std::vector<TenantRecord> tenants);
  void add_ready_counts(std::vector<TenantSummary>& summaries);
  void add_migrations(std::vector<TenantSummary>& summaries);
  // One without a row counts as deleted.
  [[nodiscard]] TenantState state_of(TenantNumber tenant);
  // Why its jobs are shown as held. JobReason::none: they are shown as ready.
  [[nodiscard]] JobReason gate_of(TenantNumber tenant, QueueNumber queue, KindNumber kind);
  // Without a look at the tenant's state.
  [[nodiscard]] JobReason lane_gate_of(TenantNumber tenant, QueueNumber queue, KindNumber kind);
  [[nodiscard]] const LaneGates& gates();

  sqlite::Connection& connection_;
  const std::function<std::int64_t()>& wal_bytes_;
  EndedLookup ended_;
  SqliteScheduleRows schedule_rows_;
  ScheduleQuestions schedules_{schedule_rows_};
  SqliteLimitRows limit_rows_;
  LimitQuestions limit_questions_{limit_rows_};
  KeyLimits key_limits_{limit_rows_};
  SqliteBatchRows batch_rows_;
  BatchQuestions batches_{batch_rows_};
  SqliteFanOutRows fan_out_rows_;
  FanOutQuestions fan_outs_{fan_out_rows_, batch_rows_, batches_};
  std::unordered_map<TenantNumber, TenantState> tenant_states_;
  std::optional<LaneGates> gates_;  // once they were asked for
};

[[nodiscard]] std::vector<const sqlite::Query*> reader_queries();
[[nodiscard]] std::vector<const sqlite::Query*> list_queries();
[[nodiscard]] std::vector<const sqlite::Query*> candidate_queries();
[[nodiscard]] std::vector<const sqlite::Query*> filter_queries();
[[nodiscard]] std::vector<const sqlite::Query*> summary_queries();
[[nodiscard]] std::vector<const sqlite::Query*> inspection_queries();
[[nodiscard]] std::vector<const sqlite::Query*> why_queries();

}  // namespace tenure::queue
