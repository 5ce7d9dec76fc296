#include "failure_policy.hpp"
#include "job_run.hpp"
#include "migrate_job.hpp"
#include "old_receipts.hpp"
#include "outbox_after.hpp"
#include "run_capture.hpp"
#include "run_handler.hpp"
#include "seen_outboxes.hpp"
#include "tenant_schemas.hpp"
#include "tenants_file.hpp"

#include <tenure/base/log.hpp>
#include <tenure/base/text.hpp>
#include <tenure/jobs/perform.hpp>
#include <tenure/jobs/reference.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/queue/mask.hpp>
#include <tenure/queue/seal.hpp>
#include <tenure/queue/tenant_schema.hpp>
#include <tenure/tenancy/scope.hpp>

#include <optional>
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

}  // namespace

Performer::Performer(const JobRegistry& jobs, HandleCache& handles, const Clock& clock,
                     PerformerOptions options)
    : jobs_(jobs),
      handles_(handles),
      clock_(clock),
      options_(std::move(options)),
      seen_outboxes_(std::make_unique<detail::SeenOutboxes>()),
      old_receipts_(std::make_unique<detail::OldReceipts>(clock)),
      schemas_(std::make_unique<detail::TenantSchemas>(options_.migrations)) {}

Performer::~Performer() = default;

void Performer::receipt_horizon_is(const queue::OutboxOwner& owner, queue::JobId horizon) {
  old_receipts_->horizon_is(owner, horizon);
}

queue::AttemptEnd Performer::perform(const queue::AssignedJob& job, const queue::StopSignal& stop,
                                     queue::RunNotes& notes) {
  if (job.start_before && clock_.wall() >= *job.start_before)
    return {.claim = job.claim, .result = queue::RunResult::expired, .failure = {}};
  const detail::EmptyThread thread;
  std::optional<detail::RunCapture> capture;
  if (job.capture && !is_migration(job)) capture.emplace(job, stop, options_, handles_, clock_);
  const Instant started = clock_.steady();
  Left left{.capture = capture ? &*capture : nullptr};
  std::optional<queue::AttemptFailure> failure =
      detail::failure_of(job, options_.mask, stop, [&] { run(job, stop, notes, left); });
  queue::AttemptEnd end{.claim = job.claim,
                        .run_time = clock_.steady() - started,
                        .failure = {},
                        .outbox = std::move(left.outbox)};
  if (capture) end.capsule = capture->finish(failure);
  if (!failure) {
    if (left.returned)
      end.returned =
          queue::JobResult{*std::move(left.returned),
                           is_migration(job) ? detail::kMigrateResultKept : jobs_.keep_result(job.kind)};
    return end;
  }
  end.result = queue::RunResult::failed;
  if (left.thrown)
    end.decision = detail::decision_on(left.thrown, *failure, jobs_.policy(job.kind), job, clock_.wall());
  end.failure = *std::move(failure);
  return end;
}

void Performer::run(const queue::AssignedJob& job, const queue::StopSignal& stop, queue::RunNotes& notes,
                    Left& left) {
  const log::Context log_context(job.tenant ? job.tenant->text() : "", job.generation.value, job.id.text());
  const queue::Envelope envelope = value_or_raise(queue::read_envelope(job.envelope));
  value_or_raise(queue::check_seal(envelope, options_.keys));
  compare(job, envelope);
  if (is_migration(job)) return migrate(job, envelope.arguments, left);
  const JobRegistry::Runner* runner = jobs_.find(job.kind);
  if (runner == nullptr)
    raise(ErrorCode::unknown_kind, "this worker program has no handler for " + escaped(job.kind));

  std::optional<TenantScope> scope;
  if (job.tenant) scope.emplace(*job.tenant, job.generation);
  detail::RunTape* const tape = left.capture == nullptr ? nullptr : &left.capture->tape();
  const Clock& clock = tape == nullptr ? clock_ : tape->clock();
  detail::JobRun run{.job = job,
                     .stop = stop,
                     .notes = notes,
                     .handles = handles_,
                     .old_receipts = *old_receipts_,
                     .clock = clock,
                     .application = options_.application,
                     .mask = options_.mask,
                     .arguments = envelope.arguments,
                     .started = clock_.steady(),
                     .outbox = {detail::drafting_of_run(options_.application, options_.mask, clock, tape),
                                detail::outbox_means_of_run(options_.payload_max, options_.keys, tape)},
                     .payload = {options_.application, job.tenant},
                     .cursor = job.cursor,
                     .schema = jobs_.schema(job.kind),
                     .reads_only = jobs_.reads_only(job.kind),
                     .schemas = schemas_.get(),
                     .tape = tape,
                     .on_left_open = &options_.on_left_open,
                     .on_begin = &options_.on_begin};
  if (job.tenant) {
    detail::with_tenants_file(handles_, *job.tenant, [&] {
      value_or_raise(handles_.verify(*job.tenant, job.generation));
      schemas_->require(handles_, *job.tenant, job.generation, run.schema);
    });
  }
  if (left.capture != nullptr) left.capture->begin(run);
  detail::run_handler(*runner, run, [&] {
    // Arguments that cannot be decoded are no error of the handler's, and no rule of its kind takes them.
    if (run.has_begun) left.thrown = std::current_exception();
    if (left.capture != nullptr) left.capture->handler_ended(run);
    left.returned = std::move(run.returned);
    left.outbox = detail::outbox_after(run, *seen_outboxes_);
  });
}

bool Performer::is_migration(const queue::AssignedJob& job) const {
  return options_.migrate_on_touch && job.kind == queue::kMigrateKind;
}

void Performer::migrate(const queue::AssignedJob& job, const std::string& arguments, Left& left) {
  if (options_.on_begin) options_.on_begin();
  left.returned = detail::perform_migration(job, arguments, handles_,
                                            {options_.migrations, jobs_.migration_codes()}, clock_);
}

std::vector<JobRegistry::Kind> offered_kinds(const JobRegistry& jobs, const PerformerOptions& options) {
  std::vector<JobRegistry::Kind> kinds = jobs.kinds();
  const bool migrates = options.migrate_on_touch && !options.migrations.empty() && !kinds.empty() &&
                        detail::has_all_codes({options.migrations, jobs.migration_codes()});
  if (!migrates) return kinds;
  // Its jobs go where those go that they are for.
  kinds.push_back({.name = std::string{queue::kMigrateKind},
                   .queue = kinds.front().queue,
                   .schema = SchemaRange{.min = 0, .max = static_cast<int>(options.migrations.size())}});
  return kinds;
}

}  // namespace tenure
