#include "bulk_verb.hpp"
#include "nouns.hpp"

#include <array>

// What each verb that acts on jobs does, and to which.
namespace tenure::cli {
namespace {

using queue::JobId;
using queue::ShownState;
using queue::StoreWriter;

constexpr std::array kEndedBadly{ShownState::dead, ShownState::discarded, ShownState::cancelled};
constexpr std::array kScheduled{ShownState::scheduled};
constexpr std::array kNotEnded{ShownState::scheduled, ShownState::ready, ShownState::held,
                               ShownState::blocked, ShownState::running};
constexpr std::array kEnded{ShownState::succeeded, ShownState::dead, ShownState::discarded,
                            ShownState::cancelled};

constexpr BulkVerb kRetry{
    .name = "retry",
    .to_do = "retry",
    .done = "retried",
    .json_key = "retried",
    .question = "retry them?",
    .whom = "dead, discarded and cancelled jobs",
    .states = kEndedBadly,
    .act = [](StoreWriter& writer, JobId id, WallTime now) { return writer.retry_by_operator(id, now); }};

constexpr BulkVerb kRun{
    .name = "run",
    .to_do = "make due",
    .done = "made due",
    .json_key = "made_due",
    .question = "make them due now?",
    .whom = "scheduled jobs",
    .states = kScheduled,
    .act = [](StoreWriter& writer, JobId id, WallTime now) { return writer.run_by_operator(id, now); }};

constexpr BulkVerb kCancel{
    .name = "cancel",
    .to_do = "cancel",
    .done = "cancelled",
    .json_key = "cancelled",
    .question = "cancel them?",
    .whom = "jobs that wait or run",
    .states = kNotEnded,
    .act = [](StoreWriter& writer, JobId id, WallTime now) { return writer.cancel_by_operator(id, now); },
    .ask_running = [](StoreWriter& writer, JobId id, WallTime now) { return writer.ask_to_cancel(id, now); }};

constexpr BulkVerb kDiscard{
    .name = "discard",
    .to_do = "discard",
    .done = "discarded",
    .json_key = "discarded",
    .question = "discard them?",
    .whom = "jobs that failed and wait for a retry",
    .states = kScheduled,
    .reason = queue::JobReason::retry_wait,
    .act = [](StoreWriter& writer, JobId id, WallTime now) { return writer.discard_by_operator(id, now); }};

constexpr BulkVerb kDelete{
    .name = "delete",
    .to_do = "delete",
    .done = "deleted",
    .json_key = "deleted",
    .question = "delete them for good?",
    .whom = "jobs that have ended",
    .states = kEnded,
    .cannot_be_undone = true,
    .act = [](StoreWriter& writer, JobId id, WallTime) { return writer.delete_by_operator(id); }};

}  // namespace

ExitCode job_retry(Session& session) { return run_bulk_verb(session, kRetry); }
ExitCode job_run(Session& session) { return run_bulk_verb(session, kRun); }
ExitCode job_cancel(Session& session) { return run_bulk_verb(session, kCancel); }
ExitCode job_discard(Session& session) { return run_bulk_verb(session, kDiscard); }
ExitCode job_delete(Session& session) { return run_bulk_verb(session, kDelete); }

}  // namespace tenure::cli
