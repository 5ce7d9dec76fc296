#pragma once

#include "../batch_verbs.hpp"
#include "../fan_out_verbs.hpp"
#include "../key_limits.hpp"
#include "../lane_gates.hpp"
#include "../limit_questions.hpp"
#include "../schedule_verbs.hpp"
#include "memory_batches.hpp"
#include "memory_fan_outs.hpp"
#include "memory_limits.hpp"
#include "memory_schedules.hpp"
#include "memory_tables.hpp"

#include <tenure/queue/store.hpp>

// The questions to the store on rows in memory; lists look at every job. Internal.
namespace tenure::queue {

[[nodiscard]] JobArrival arrival_of(JobSeq seq, const MemoryJob& job);

class MemoryReader final : public LaneReader, public JobReader {
 public:
  explicit MemoryReader(const MemoryTables& tables)
      : tables_(tables),
        schedule_rows_(tables),
        limit_rows_(tables),
        batch_rows_(tables),
        fan_out_rows_(tables) {}

  std::vector<Lane> lanes(const std::optional<Lane>& after, std::size_t limit) override;
  std::vector<JobArrival> arrivals(JobSeq after, std::size_t limit) override;
  JobSeq known_until() override { return tables_.last_seq(); }
  std::optional<WallTime> next_due() override;
  std::optional<TenantState> tenant_state(TenantNumber tenant) override;
  std::string tenant_name(TenantNumber tenant) override;
  std::string queue_name(QueueNumber queue) override;
  std::string kind_name(KindNumber kind) override;
  std::optional<QueueNumber> queue_number(std::string_view name) override;
  std::optional<KindNumber> kind_number(std::string_view name) override;
  std::vector<Suspect> suspects(JobSeq after, std::size_t limit) override;
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
  bool has_dispatcher() override { return !tables_.holders().empty(); }
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
  std::optional<WallTime> copied() override { return std::nullopt; }
  std::optional<RestoreRecord> last_restore() override { return std::nullopt; }
  LostRows lost_rows(const OutboxOwner& owner) override;
  std::vector<LostRows> lost_rows(std::size_t limit) override;
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
  std::optional<JobOwner> owner_of_job(JobId id) override;
  std::optional<StoredResult> result(JobSeq seq, WallTime now) override;
  JobKeys job_keys(const JobRecord& job) override;
  void set_now(WallTime now) override { limit_questions_.set_now(now); }
  std::vector<LimitRecord> limits() override { return limit_rows_.limits(); }
  std::vector<LimitStanding> limit_standings(LimitNumber number, std::size_t limit) override {
    return limit_questions_.standings(number, limit);
  }
  std::vector<LimitStanding> limits_of(const JobRecord& job) override;
  ScheduleReader& schedules() override { return schedules_; }
  BatchReader& batches() override { return batches_; }
  FanOutReader& fan_outs() override { return fan_outs_; }

 private:
  [[nodiscard]] TenantNumber newest_generation_of(TenantNumber tenant) const;
  [[nodiscard]] JobRecord record_of(JobSeq seq, const MemoryJob& job);
  [[nodiscard]] std::string last_error(JobSeq seq) const;
  [[nodiscard]] const LaneGates& gates();
  [[nodiscard]] std::optional<TenantBehind> behind_of(TenantNumber tenant) const;
  // Of its pools, pauses and limits.
  [[nodiscard]] JobReason gate_of(const Lane& lane);
  void add_counts(TenantSummary& summary);
  [[nodiscard]] std::vector<QueueRecord> counted_by(const MemoryNames& names, std::string JobRecord::*name);

  const MemoryTables& tables_;
  MemoryScheduleRows schedule_rows_;
  ScheduleQuestions schedules_{schedule_rows_};
  MemoryLimitRows limit_rows_;
  LimitQuestions limit_questions_{limit_rows_};
  KeyLimits key_limits_{limit_rows_};
  MemoryBatchRows batch_rows_;
  BatchQuestions batches_{batch_rows_};
  MemoryFanOutRows fan_out_rows_;
  FanOutQuestions fan_outs_{fan_out_rows_, batch_rows_, batches_};
  std::optional<LaneGates> gates_;
};

}  // namespace tenure::queue
