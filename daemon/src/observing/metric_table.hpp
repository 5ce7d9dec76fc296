#pragma once

#include "metric.hpp"

// Every metric of tenured; docs/manual/metrics.md has a line for each, with its labels and what to alert on.
namespace tenure::daemon::metric {

using enum MetricType;

// --- Jobs
inline constexpr MetricInfo kJobsEnqueued{"tenure_jobs_enqueued_total", counter,
                                          "Jobs that the dispatcher has seen come in."};
inline constexpr MetricInfo kJobsFinal{"tenure_jobs_final_total", counter,
                                       "Runs that ended their job for good."};
inline constexpr MetricInfo kJobsPoison{
    "tenure_jobs_poison_total", counter,
    "Jobs that are dead since they ended their worker process too often."};
inline constexpr MetricInfo kJobs{"tenure_jobs", gauge,
                                  "Jobs in the store that have not ended, and dead ones."};
inline constexpr MetricInfo kJobsHeld{"tenure_jobs_held", gauge,
                                      "Ready jobs that nobody may start, by the reason."};

inline constexpr MetricInfo kBatches{"tenure_batches", gauge,
                                     "Batches that are not complete, by their state."};
inline constexpr MetricInfo kBatchOldestOpen{"tenure_batch_oldest_open_seconds", gauge,
                                             "How long ago the oldest batch that is not closed was opened."};

inline constexpr MetricInfo kPaused{"tenure_paused", gauge,
                                    "Queues, kinds and tenants that operators have paused."};

// --- Attempts
inline constexpr MetricInfo kAttemptsStarted{"tenure_attempts_started_total", counter,
                                             "Runs that worker processes began."};
inline constexpr MetricInfo kAttemptsFinished{"tenure_attempts_finished_total", counter,
                                              "Runs whose end is stored."};
inline constexpr MetricInfo kClaimsLost{"tenure_claims_lost_total", counter,
                                        "Ends that came after their claim had gone, and changed nothing."};
inline constexpr MetricInfo kClaimsReclaimed{"tenure_claims_reclaimed_total", counter,
                                             "Claims taken back from the dead."};

inline constexpr MetricInfo kCapsules{
    "tenure_capsules_total", counter,
    "Runs that ended as an operator had asked for their capsule, by what became of it."};

// --- Schedules
inline constexpr MetricInfo kScheduleTicks{
    "tenure_schedule_ticks_total", counter,
    "Ticks of schedules, by what became of them; of each tenant one for each job."};
inline constexpr MetricInfo kScheduleLag{"tenure_schedule_lag_seconds", histogram,
                                         "From when a tick was due to the commit that decided it."};

// --- Fan-outs
inline constexpr MetricInfo kFanOuts{"tenure_fan_outs", gauge,
                                     "Fan-outs that visit tenants, or that are being cancelled."};
inline constexpr MetricInfo kFanOutTenantsLeft{"tenure_fan_out_tenants_left", gauge,
                                               "Tenants that these are yet to visit."};
inline constexpr MetricInfo kFanOutTenants{"tenure_fan_out_tenants_total", counter,
                                           "Tenants that fan-outs have visited, by what became of it."};

// --- Waiting
inline constexpr MetricInfo kQueueDelay{"tenure_queue_delay_seconds", histogram,
                                        "From when a job was due to its start."};
inline constexpr MetricInfo kQueueOldest{
    "tenure_queue_oldest_ready_seconds", gauge,
    "Age of the oldest due job that is neither held, blocked nor running; 0 where there is none."};
inline constexpr MetricInfo kQueueWithoutPool{"tenure_queue_without_pool", gauge,
                                              "1 where jobs wait in a queue that no pool lists."};
inline constexpr MetricInfo kLanes{"tenure_lanes", gauge, "Lanes in the dispatcher's memory."};

// --- Running
inline constexpr MetricInfo kPerform{"tenure_perform_seconds", histogram,
                                     "How long runs took, as their worker processes say."};
inline constexpr MetricInfo kSlots{"tenure_slots", gauge, "Slots of the worker processes that are up."};
inline constexpr MetricInfo kSlotsReserved{"tenure_slots_reserved", gauge,
                                           "Slots that are kept for jobs of some priority or better."};
inline constexpr MetricInfo kWorkers{"tenure_worker_processes", gauge, "Worker processes."};
inline constexpr MetricInfo kPoolQuiet{"tenure_pool_quiet", gauge,
                                       "1 where operators have asked that nothing be claimed for the pool."};
inline constexpr MetricInfo kWorkerExits{"tenure_worker_exits_total", counter, "Ends of worker processes."};
inline constexpr MetricInfo kWorkerMemory{"tenure_worker_memory_bytes", gauge,
                                          "Resident memory of all worker processes, as of their last ping."};

// --- Tenants
inline constexpr MetricInfo kTenantsBehindSchema{
    "tenure_tenants_behind_schema", gauge,
    "Tenants whose jobs are held since worker programs want more migrations of their databases."};
inline constexpr MetricInfo kTenants{"tenure_tenants", gauge, "Live tenants."};
inline constexpr MetricInfo kTenantRefusals{
    "tenure_tenant_refusals_total", counter,
    "Runs that failed since their tenant, or an id of another one, was refused."};
inline constexpr MetricInfo kTopReady{"tenure_top_tenant_ready_jobs", gauge,
                                      "Ready jobs of the tenants that used most slot time."};
inline constexpr MetricInfo kTopOldest{"tenure_top_tenant_oldest_ready_seconds", gauge,
                                       "Age of their oldest ready job; 0 where there is none."};
inline constexpr MetricInfo kTopSlotRatio{
    "tenure_top_tenant_slot_ratio", gauge,
    "Their part of the slot time that was used in the last whole minute."};

// --- Outboxes
inline constexpr MetricInfo kRetentionDeleted{"tenure_retention_deleted_total", counter,
                                              "Jobs that were removed since they had ended long ago."};
inline constexpr MetricInfo kOutboxMarked{"tenure_outbox_marked_files", gauge,
                                          "Tenants' databases that may hold jobs on their way."};
inline constexpr MetricInfo kOutboxTrouble{
    "tenure_outbox_files_in_trouble", gauge,
    "Those of them whose jobs cannot come, for the reason that the log says."};
inline constexpr MetricInfo kOutboxOldest{
    "tenure_outbox_oldest_seconds", gauge,
    "Of all of them, since when jobs may have been waiting there; 0 where there is none."};
inline constexpr MetricInfo kOutboxRows{"tenure_outbox_rows_total", counter,
                                        "Jobs that the daemon has brought out of tenants' databases."};
inline constexpr MetricInfo kOutboxMissing{
    "tenure_outbox_rows_missing_total", counter,
    "Jobs whose numbers are in neither database: one of the two was put back."};

// --- Store
inline constexpr MetricInfo kStoreOperation{"tenure_store_operation_seconds", histogram,
                                            "How long the store took."};
inline constexpr MetricInfo kStoreErrors{"tenure_store_errors_total", counter,
                                         "Rounds that the store could not do."};
inline constexpr MetricInfo kStoreBusy{"tenure_store_busy_total", counter,
                                       "Those of them for which another process held the store."};
inline constexpr MetricInfo kStoreSize{"tenure_store_size_bytes", gauge, "Files of the control database."};
inline constexpr MetricInfo kSampleAge{"tenure_store_sample_age_seconds", gauge,
                                       "How old the figures are that are read from the store."};

// --- Daemon
inline constexpr MetricInfo kTickAge{
    "tenure_dispatcher_tick_age_seconds", gauge,
    "Since the dispatcher's loop has last come round; more than 10 is stuck."};
inline constexpr MetricInfo kLockHeld{"tenure_lock_held", gauge,
                                      "1 where this process dispatches, 0 where it stands by."};
inline constexpr MetricInfo kReady{"tenure_ready", gauge, "1 where /health/ready says yes."};
inline constexpr MetricInfo kLabelsFolded{
    "tenure_labels_folded_total", counter,
    "What was counted under _other, since there were too many queues or kinds."};
inline constexpr MetricInfo kBuild{"tenure_build_info", gauge, "1."};

}  // namespace tenure::daemon::metric
