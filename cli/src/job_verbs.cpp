#include "batch.hpp"
#include "bulk_verb.hpp"
#include "filter_text.hpp"
#include "job_drafts.hpp"
#include "nouns.hpp"

#include <tenure/base/names.hpp>
#include <tenure/base/text.hpp>
#include <tenure/base/uuid.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

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

constexpr std::array kWaiting{ShownState::scheduled, ShownState::ready, ShownState::held,
                              ShownState::blocked};
constexpr std::array kTriedBefore{queue::JobReason::retry_wait, queue::JobReason::put_off};
constexpr std::array kChangeable{ShownState::scheduled, ShownState::ready, ShownState::held};
constexpr std::array kAll{ShownState::scheduled, ShownState::ready,     ShownState::held,
                          ShownState::blocked,   ShownState::running,   ShownState::succeeded,
                          ShownState::dead,      ShownState::discarded, ShownState::cancelled};

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
    .whom = "jobs that failed or were put off, and wait for another try",
    .states = kScheduled,
    .reasons = kTriedBefore,
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

constexpr BulkVerb kCopy{.name = "copy",
                         .to_do = "copy",
                         .done = "copied",
                         .json_key = "copied",
                         .question = "make a new job of each?",
                         .whom = "jobs",
                         .states = kAll,
                         .made_key = "copies"};

constexpr BulkVerb kChange{.name = "change",
                           .to_do = "change",
                           .done = "changed",
                           .json_key = "changed",
                           .question = "change them?",
                           .whom = "scheduled, ready and held jobs",
                           .states = kChangeable};

constexpr BulkVerb kRetryMembers = [] {
  BulkVerb verb = kRetry;
  verb.noun = "batch";
  return verb;
}();

constexpr BulkVerb kCancelMembers = [] {
  BulkVerb verb = kCancel;
  verb.noun = "batch";
  verb.question = "cancel the batch with them?";
  return verb;
}();

constexpr BulkVerb kClear = [] {
  BulkVerb verb = kCancel;
  verb.noun = "queue";
  verb.name = "clear";
  verb.states = kWaiting;
  verb.ask_running = nullptr;
  return verb;
}();

// What --queue, --priority, --run-at and --run-in say.
queue::JobChange change_of_options(const Session& session) {
  queue::JobChange change;
  if (session.has("queue")) {
    value_or_raise(check_name(NameOf::queue, session.option("queue")));
    change.queue = session.option("queue");
  }
  if (session.has("priority")) change.priority = queue::Priority{priority_option(session, 0)};
  const OptionTime time = time_option(session);
  change.due = time.run_at;
  if (session.has("run-in")) change.due = session.now() + time.run_in;
  if (!change.queue && !change.priority && !change.due)
    raise(ErrorCode::bad_options, "change what? say --queue, --priority, --run-at or --run-in");
  return change;
}

std::string text_of(const queue::JobChange& change) {
  std::vector<std::string> parts;
  if (change.queue) parts.push_back("queue " + *change.queue);
  if (change.priority) parts.push_back(fmt::format("priority {}", change.priority->value));
  if (change.due) parts.push_back("due " + to_rfc3339(*change.due));
  return fmt::format("{}", fmt::join(parts, ", "));
}

void require_queue(Session& session, const std::string& name) {
  std::vector<queue::QueueRecord> queues;
  session.readable_store().read([&](queue::JobReader& reader) { queues = reader.queues(); });
  std::vector<std::string_view> names;
  for (const queue::QueueRecord& queue : queues) names.push_back(queue.name);
  if (std::ranges::find(names, name) != names.end()) return;
  const auto near = nearest(name, names);
  raise(ErrorCode::record_not_found,
        fmt::format("there is no queue '{}'{}", escaped(name, 64),
                    near ? fmt::format("; did you mean {}?", escaped(*near)) : ""));
}

}  // namespace

ExitCode job_copy(Session& session) {
  return run_bulk_verb(session, kCopy,
                       [&](StoreWriter& writer, JobId id, WallTime now) -> Result<std::optional<JobId>> {
                         const JobId copy{uuids_of_process().next(now)};
                         if (auto made = writer.copy_by_operator(id, copy, now); !made)
                           return tl::unexpected(std::move(made.error()));
                         return copy;
                       },
                       {});
}

ExitCode job_change(Session& session) {
  const queue::JobChange change = change_of_options(session);
  return run_bulk_verb(
      session, kChange,
      [&](StoreWriter& writer, JobId id, WallTime now) -> Result<std::optional<JobId>> {
        if (auto done = writer.change_by_operator(id, change, now); !done)
          return tl::unexpected(std::move(done.error()));
        return std::nullopt;
      },
      text_of(change));
}

ExitCode queue_clear(Session& session) {
  const std::string& name = session.words().front();
  require_queue(session, name);
  return run_bulk_verb(session, kClear, exact_term("queue", name));
}

ExitCode batch_retry(Session& session) {
  const queue::BatchRecord batch = find_batch(session, batch_id(session.words().front()));
  return run_bulk_verb(session, kRetryMembers, exact_term("batch", batch.id.text()));
}

// It is closed first, so that no member comes behind those that are cancelled.
ExitCode batch_cancel(Session& session) {
  const queue::BatchRecord batch = find_batch(session, batch_id(session.words().front()));
  if (batch.completed && batch.counts.unended() == 0)
    raise(ErrorCode::state_changed, fmt::format("batch {} is complete already", batch.id.text()));
  const auto close = [&] {
    if (batch.completed) return;
    session.change([&](queue::StoreWriter& writer) {
      value_or_raise(writer.batches().cancel(batch.id, session.now()));
      return Changed{1, "batch " + batch.id.text()};
    });
    session.wake();
  };
  return run_bulk_verb(session, kCancelMembers, exact_term("batch", batch.id.text()), close);
}

ExitCode job_retry(Session& session) { return run_bulk_verb(session, kRetry); }
ExitCode job_run(Session& session) { return run_bulk_verb(session, kRun); }
ExitCode job_cancel(Session& session) { return run_bulk_verb(session, kCancel); }
ExitCode job_discard(Session& session) { return run_bulk_verb(session, kDiscard); }
ExitCode job_delete(Session& session) { return run_bulk_verb(session, kDelete); }

}  // namespace tenure::cli
