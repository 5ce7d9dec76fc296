#include "run_handler.hpp"

#include "tenant_binding.hpp"

#include <tenure/base/exception_text.hpp>
#include <tenure/base/log.hpp>
#include <tenure/queue/envelope.hpp>

#include <exception>
#include <string_view>

namespace tenure::detail {
namespace {

// What it may be told of a run: whatever it quotes, no secret of the arguments.
queue::AttemptFailure told(const Error& error, const queue::Secrets& secrets) {
  const Failure failure = secrets.hidden_in(error.failure());
  const std::string where = failure.where.empty() ? "" : " (at " + failure.where + ")";
  return {failure.code, failure.message + where + secrets.hidden_in(text_of_nested(error))};
}

// Reports, by name, what a handler left behind and cleans it away, so that the next job on this thread starts with nothing.
void report_leftovers(const JobRun& run, std::size_t depth) {
  const auto tell = [&](const std::string& sentence) {
    if (run.on_left_open != nullptr && *run.on_left_open) (*run.on_left_open)(sentence);
  };
  const std::string who = "the handler of " + run.job.kind;
  if (scope_depth() > depth) {
    const std::string sentence = who + " ended inside a tenant scope";
    log::write(log::Level::warning, "job.scope_left_open", sentence);
    tell(sentence);
  }
  if (run.lease && !run.lease->open_children().none()) {
    const std::string sentence = who + " ended with a transaction, snapshot or cursor open";
    log::write(log::Level::warning, "job.transaction_left_open", sentence);
    tell(sentence);
  }
}

std::optional<queue::AttemptFailure> failure_thrown_by(const queue::AssignedJob& job, const queue::Mask& mask,
                                                       FunctionRef<void()> run) {
  try {
    run();
    return std::nullopt;
  } catch (const Error& error) {
    return told(error, secrets_of(job, mask));
  } catch (const std::exception&) {
    return queue::AttemptFailure{ErrorCode::handler_failed,
                                 secrets_of(job, mask).hidden_in(text_of_thrown())};
  } catch (...) {
    return queue::AttemptFailure{ErrorCode::handler_failed,
                                 secrets_of(job, mask).hidden_in("the handler threw " + text_of_thrown())};
  }
}

}  // namespace

queue::Secrets secrets_of(const queue::AssignedJob& job, const queue::Mask& mask) {
  const auto envelope = queue::read_envelope(job.envelope);
  return {mask, envelope ? std::string_view(envelope->arguments) : std::string_view{}};
}

JobDrafting drafting_of_run(const std::string& application, const queue::Mask& mask, const Clock& clock,
                            RunTape* tape) {
  return {application, mask, clock, tape == nullptr ? nullptr : &tape->ids()};
}

OutboxWriter::Means outbox_means_of_run(std::size_t payload_max, const KeyRing& keys, RunTape* tape) {
  OutboxWriter::Means means{.make_row = [payload_max, &keys](const queue::NewJob& child) {
    return queue::make_outbox_row(child, payload_max, keys);
  }};
  if (tape == nullptr) return means;
  means.may_keep = [tape](std::size_t bytes) { return tape->has_room_for(bytes); };
  means.on_committed = [tape](const std::vector<queue::NewJob>& jobs) { tape->enqueued(jobs); };
  return means;
}

void run_handler(const JobRegistry::Runner& runner, JobRun& run, FunctionRef<void()> ended) {
  const std::size_t depth = scope_depth();
  JobContext context{run};
  try {
    const BindingOfRun bound(run);
    runner(run.arguments, run.payload, context);
  } catch (...) {  // whatever it is goes on to failure_of()
    report_leftovers(run, depth);
    ended();
    throw;
  }
  run.has_returned = true;
  report_leftovers(run, depth);
  ended();
  if (run.may_know_of_stop && run.stop.reason() == StopReason::operator_asked)
    raise(ErrorCode::interrupted, "The job was cancelled, and its handler returned at its stop token.");
}

std::optional<queue::AttemptFailure> failure_of(const queue::AssignedJob& job, const queue::Mask& mask,
                                                const queue::StopSignal& stop, FunctionRef<void()> run) {
  std::optional<queue::AttemptFailure> failure = failure_thrown_by(job, mask, run);
  if (failure && failure->code == ErrorCode::handler_failed && stop.reason())
    failure->code = code_of_obedience(*stop.reason());
  return failure;
}

}  // namespace tenure::detail
