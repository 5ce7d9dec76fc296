#include "old_receipts.hpp"
#include "recording.hpp"
#include "run_handler.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/text.hpp>
#include <tenure/jobs/replay.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/queue/run_notes.hpp>
#include <tenure/replay/place_of_tenant.hpp>

#include <exception>
#include <utility>

namespace tenure {

replay::RunRecord replay_run(const JobRegistry& jobs, HandleCache& handles, const replay::Capsule& capsule,
                             const ReplayOptions& options) {
  const queue::AssignedJob& job = capsule.head.job;
  const JobRegistry::Runner* runner = jobs.find(job.kind);
  if (runner == nullptr)
    raise(ErrorCode::unknown_kind, "this worker program has no handler for " + escaped(job.kind));
  const queue::Envelope envelope = value_or_raise(queue::read_envelope(job.envelope));
  const queue::Mask mask(capsule.head.masked);
  const KeyRing no_keys;
  queue::RunNotes notes(job.claim);

  const detail::EmptyThread thread;
  const log::Context log_context(job.tenant.value().text(), job.generation.value, job.id.text());
  const TenantScope scope(*job.tenant, job.generation);
  detail::RunTape tape(capsule.run, capsule.head.started);
  // Of which none is old: it asks for the time at each step, and the captured run has answered that elsewhere.
  const VirtualClock own_clock;
  detail::OldReceipts old_receipts(own_clock);
  detail::JobRun run{.job = job,
                     .stop = options.stop,
                     .notes = notes,
                     .handles = handles,
                     .old_receipts = old_receipts,
                     .clock = tape.clock(),
                     .application = capsule.head.application,
                     .mask = mask,
                     .arguments = envelope.arguments,
                     .started = tape.clock().steady(),
                     .outbox = {detail::drafting_of_run(capsule.head.application, mask, tape.clock(), &tape),
                                detail::outbox_means_of_run(limits::kPayloadMax, no_keys, &tape)},
                     .payload = {capsule.head.application, job.tenant},
                     .cursor = job.cursor,
                     .tape = &tape,
                     .on_step = &options.on_step};
  run.lease.emplace(value_or_raise(handles.acquire(*job.tenant, job.generation)));
  detail::begin_recording(run);
  std::exception_ptr not_recorded;
  auto failure = detail::failure_of(job, mask, options.stop, [&] {
    detail::run_handler(*runner, run, [&] {
      try {
        detail::end_recording(run, tape.record());
      } catch (...) {  // no outcome of the run: it goes on behind it
        not_recorded = std::current_exception();
      }
    });
  });
  if (tape.trouble() && tape.trouble()->code != ErrorCode::replay_differs) raise(*tape.trouble());
  if (not_recorded) std::rethrow_exception(not_recorded);
  replay::RunRecord record = std::move(tape.record());
  if (tape.trouble()) failure = {tape.trouble()->code, tape.trouble()->message, {}};
  record.failure = std::move(failure);
  if (record.failure) record.returned.reset();
  replay::forget_place(record, handles.files().path_for(*job.tenant));
  return replay::redacted(std::move(record), mask);
}

}  // namespace tenure
