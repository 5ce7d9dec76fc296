#include "job_run.hpp"

#include <tenure/base/log.hpp>
#include <tenure/base/text.hpp>
#include <tenure/jobs/perform.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/tenancy/scope.hpp>

#include <cstdlib>
#include <cxxabi.h>
#include <exception>
#include <memory>
#include <utility>

namespace tenure {
namespace {

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text{abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                    std::free};
  return status == 0 ? text.get() : name;
}

// In a catch block: the name of what was thrown, whatever it is.
std::string thrown_type() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  return type == nullptr ? "a foreign exception" : demangled(type->name());
}

// Column, envelope and id must tell one story; a row that was edited in the store does not.
void compare(const PerformRequest& request, const queue::Envelope& envelope) {
  const std::string tenant = request.tenant ? request.tenant->text() : "";
  if (envelope.tenant != request.tenant || envelope.generation != request.generation)
    raise(ErrorCode::wrong_tenant,
          "the envelope belongs to " + (envelope.tenant ? envelope.tenant->text() : "no tenant") +
              ", generation " + std::to_string(envelope.generation.value) + ", its row to " +
              (tenant.empty() ? "no tenant" : tenant) + ", generation " +
              std::to_string(request.generation.value),
          tenant, "envelope");
  if (envelope.id != request.id)
    raise(ErrorCode::bad_payload, "OutOfPlace: the envelope is of job " + envelope.id.text(), tenant,
          "envelope");
  if (envelope.kind != request.kind)
    raise(ErrorCode::bad_payload, "OutOfPlace: the envelope is of kind " + escaped(envelope.kind), tenant,
          "envelope");
}

// Reports, by name, what a handler left behind and cleans it away, so that the next job on this thread starts with nothing.
void report_leftovers(const detail::JobRun& run, std::size_t depth) {
  if (scope_depth() > depth)
    log::write(log::Level::warning, "job.scope_left_open",
               "the handler of " + run.kind + " ended inside a tenant scope");
  if (run.lease && !run.lease->open_children().none())
    log::write(log::Level::warning, "job.transaction_left_open",
               "the handler of " + run.kind + " ended with a transaction, snapshot or cursor open");
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
                     std::string application)
    : jobs_(jobs), handles_(handles), clock_(clock), application_(std::move(application)) {}

PerformOutcome Performer::perform(const PerformRequest& request) {
  const EmptyThread thread;
  PerformOutcome outcome = attempt(request);
  // A handler that obeys its stop token by throwing has not failed: the job runs again and it costs no attempt.
  if (outcome && outcome->code == ErrorCode::handler_failed && request.stop.stop_requested())
    outcome->code = ErrorCode::interrupted;
  return outcome;
}

PerformOutcome Performer::attempt(const PerformRequest& request) {
  try {
    run(request);
    return std::nullopt;
  } catch (const Error& error) {
    return error.failure();
  } catch (const std::exception& error) {
    return Failure{ErrorCode::handler_failed, thrown_type() + ": " + to_utf8(error.what())};
  } catch (...) {
    return Failure{ErrorCode::handler_failed, "the handler threw " + thrown_type()};
  }
}

void Performer::run(const PerformRequest& request) {
  const log::Context log_context(request.tenant ? request.tenant->text() : "", request.generation.value,
                                 request.id.text());
  const queue::Envelope envelope = value_or_raise(queue::read_envelope(request.envelope));
  compare(request, envelope);
  const JobRegistry::Runner* runner = jobs_.find(request.kind);
  if (runner == nullptr)
    raise(ErrorCode::unknown_kind, "this worker program has no handler for " + escaped(request.kind));

  std::optional<TenantScope> scope;
  if (request.tenant) scope.emplace(*request.tenant, request.generation);
  const std::size_t depth = scope_depth();
  detail::JobRun run{.request = request,
                     .handles = handles_,
                     .clock = clock_,
                     .application = application_,
                     .kind = std::string{request.kind}};
  TenantPayloadContext payload{application_, request.tenant};
  JobContext context{run};
  (*runner)(envelope.arguments, payload, context);
  report_leftovers(run, depth);
}

}  // namespace tenure
