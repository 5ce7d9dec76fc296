#include "job_run.hpp"
#include "outbox_after.hpp"
#include "seen_outboxes.hpp"
#include "tenants_file.hpp"

#include <tenure/base/exception_text.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/text.hpp>
#include <tenure/jobs/perform.hpp>
#include <tenure/jobs/reference.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/queue/mask.hpp>
#include <tenure/queue/seal.hpp>
#include <tenure/tenancy/scope.hpp>

#include <exception>
#include <utility>

namespace tenure {
namespace {

// Column, envelope and id must tell one story; a row that was edited in the store does not.
void compare(const queue::AssignedJob& job, const queue::Envelope& envelope) {
  const std::string tenant = job.tenant ? job.tenant->text() : "";
  if (envelope.tenant != job.tenant || envelope.generation != job.generation)
    raise(ErrorCode::wrong_tenant,
          "the envelope belongs to " + (envelope.tenant ? envelope.tenant->text() : "no tenant") +
              ", generation " + std::to_string(envelope.generation.value) + ", its row to " +
              (tenant.empty() ? "no tenant" : tenant) + ", generation " +
              std::to_string(job.generation.value),
          tenant, "envelope");
  if (envelope.id != job.id)
    raise(ErrorCode::envelope_mismatch, "the envelope is of job " + envelope.id.text(), tenant, "envelope");
  if (envelope.kind != job.kind)
    raise(ErrorCode::envelope_mismatch, "the envelope is of kind " + escaped(envelope.kind), tenant,
          "envelope");
}

// What it may be told of a run: whatever it quotes, no secret of the arguments.
queue::AttemptFailure told(const Error& error, const queue::Secrets& secrets) {
  const Failure failure = secrets.hidden_in(error.failure());
  const std::string where = failure.where.empty() ? "" : " (at " + failure.where + ")";
  return {failure.code, failure.message + where + secrets.hidden_in(text_of_nested(error))};
}

// Of an envelope that cannot be read nothing was decoded that could be quoted.
queue::Secrets secrets_of(const queue::AssignedJob& job, const queue::Mask& mask) {
  const auto envelope = queue::read_envelope(job.envelope);
  return {mask, envelope ? std::string_view(envelope->arguments) : std::string_view{}};
}

// Reports, by name, what a handler left behind and cleans it away, so that the next job on this thread starts with nothing.
void report_leftovers(const detail::JobRun& run, std::size_t depth, const PerformerOptions& options) {
  const auto tell = [&](const std::string& sentence) {
    if (options.on_left_open) options.on_left_open(sentence);
  };
  if (scope_depth() > depth) {
    const std::string sentence = "the handler of " + run.job.kind + " ended inside a tenant scope";
    log::write(log::Level::warning, "job.scope_left_open", sentence);
    tell(sentence);
  }
  if (run.lease && !run.lease->open_children().none()) {
    const std::string sentence =
        "the handler of " + run.job.kind + " ended with a transaction, snapshot or cursor open";
    log::write(log::Level::warning, "job.transaction_left_open", sentence);
    tell(sentence);
  }
}

class EmptyThread {
 public:
  EmptyThread() { TENURE_INVARIANT(scope_depth() == 0); }
  ~EmptyThread() { leave_all_scopes(); }
  EmptyThread(const EmptyThread&) = delete;
  EmptyThread& operator=(const EmptyThread&) = delete;
};

}  // namespace

Performer::Performer(const JobRegistry& jobs, HandleCache& handles, const Clock& clock,
                     PerformerOptions options)
    : jobs_(jobs),
      handles_(handles),
      clock_(clock),
      options_(std::move(options)),
      seen_outboxes_(std::make_unique<detail::SeenOutboxes>()) {}

Performer::~Performer() = default;

queue::AttemptEnd Performer::perform(const queue::AssignedJob& job, const queue::StopSignal& stop,
                                     queue::RunNotes& notes) {
  const EmptyThread thread;
  const Instant started = clock_.steady();
  Left left;
  std::optional<queue::AttemptFailure> failure = attempt(job, stop, notes, left);
  const std::chrono::microseconds run_time = clock_.steady() - started;
  if (!failure)
    return {.claim = job.claim, .run_time = run_time, .failure = {}, .outbox = std::move(left.outbox)};
  if (failure->code == ErrorCode::handler_failed && stop.reason())
    failure->code = detail::code_of_obedience(*stop.reason());
  return {.claim = job.claim,
          .result = queue::RunResult::failed,
          .run_time = run_time,
          .failure = *std::move(failure),
          .outbox = std::move(left.outbox)};
}

std::optional<queue::AttemptFailure> Performer::attempt(const queue::AssignedJob& job,
                                                        const queue::StopSignal& stop, queue::RunNotes& notes,
                                                        Left& left) {
  try {
    run(job, stop, notes, left);
    return std::nullopt;
  } catch (const Error& error) {
    return told(error, secrets_of(job, options_.mask));
  } catch (const std::exception&) {
    return queue::AttemptFailure{ErrorCode::handler_failed,
                                 secrets_of(job, options_.mask).hidden_in(text_of_thrown())};
  } catch (...) {
    return queue::AttemptFailure{
        ErrorCode::handler_failed,
        secrets_of(job, options_.mask).hidden_in("the handler threw " + text_of_thrown())};
  }
}

void Performer::run(const queue::AssignedJob& job, const queue::StopSignal& stop, queue::RunNotes& notes,
                    Left& left) {
  const log::Context log_context(job.tenant ? job.tenant->text() : "", job.generation.value, job.id.text());
  const queue::Envelope envelope = value_or_raise(queue::read_envelope(job.envelope));
  value_or_raise(queue::check_seal(envelope, options_.keys));
  compare(job, envelope);
  const JobRegistry::Runner* runner = jobs_.find(job.kind);
  if (runner == nullptr)
    raise(ErrorCode::unknown_kind, "this worker program has no handler for " + escaped(job.kind));

  std::optional<TenantScope> scope;
  if (job.tenant) scope.emplace(*job.tenant, job.generation);
  const std::size_t depth = scope_depth();
  detail::JobRun run{.job = job,
                     .stop = stop,
                     .notes = notes,
                     .handles = handles_,
                     .clock = clock_,
                     .application = options_.application,
                     .mask = options_.mask,
                     .arguments = envelope.arguments,
                     .started = clock_.steady(),
                     .outbox = {{options_.application, options_.mask, clock_},
                                {.make_row =
                                     [this](const queue::NewJob& child) {
                                       return queue::make_outbox_row(child, options_.payload_max,
                                                                     options_.keys);
                                     }}},
                     .cursor = job.cursor};
  TenantPayloadContext payload{options_.application, job.tenant};
  JobContext context{run};
  if (job.tenant) {
    detail::with_tenants_file(handles_, *job.tenant,
                              [&] { value_or_raise(handles_.verify(*job.tenant, job.generation)); });
  }
  try {
    (*runner)(envelope.arguments, payload, context);
  } catch (...) {  // whatever it is goes on to attempt()
    report_leftovers(run, depth, options_);
    left.outbox = detail::outbox_after(run, *seen_outboxes_);
    throw;
  }
  run.has_returned = true;
  report_leftovers(run, depth, options_);
  left.outbox = detail::outbox_after(run, *seen_outboxes_);
  if (run.may_know_of_stop && stop.reason() == StopReason::operator_asked)
    raise(ErrorCode::interrupted, "The job was cancelled, and its handler returned at its stop token.");
}

}  // namespace tenure
