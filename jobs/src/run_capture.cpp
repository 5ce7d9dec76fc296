#include "run_capture.hpp"

#include "recording.hpp"
#include "run_handler.hpp"

#include <tenure/base/exception_text.hpp>
#include <tenure/base/random.hpp>
#include <tenure/replay/capsule.hpp>
#include <tenure/replay/place_of_tenant.hpp>
#include <tenure/tenancy/scope.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

namespace tenure::detail {
namespace {

// Whoever stops a worker or cancels a job has made no failure of it.
bool ends_as_wished(queue::CaptureOn on, const std::optional<queue::AttemptFailure>& failure) {
  switch (on) {
    case queue::CaptureOn::failure:
      return failure && failure->code != ErrorCode::interrupted;
    case queue::CaptureOn::success:
      return !failure;
    case queue::CaptureOn::any_end:
      return true;
  }
  return true;
}

}  // namespace

RunCapture::RunCapture(const queue::AssignedJob& job, const queue::StopSignal& stop,
                       const PerformerOptions& options, HandleCache& handles, const Clock& clock)
    : job_(job),
      stop_(stop),
      options_(options),
      handles_(handles),
      clock_(clock),
      started_(clock.wall()),
      began_(clock.steady()),
      tape_(Random::seed_from_system(), clock) {}

void RunCapture::guard(FunctionRef<void()> work) noexcept {
  if (trouble_) return;
  try {
    work();
  } catch (const Error& error) {  // the run has nothing to do with it
    trouble_ = error.failure();
  } catch (const std::exception& error) {
    trouble_ = Failure{ErrorCode::internal, text_of(error)};
  }
}

// The run's own handle first: where all connections are in use, it is the capsule that has to do without.
void RunCapture::begin(JobRun& run) noexcept {
  has_begun_ = true;
  guard([&] {
    if (!job_.tenant)
      raise(ErrorCode::no_tenant, "an untenanted job has no tenant's database, of which a capsule is a copy");
    if (options_.capture.folder.empty())
      raise(ErrorCode::bad_configuration, "this program was given no folder for capsules");
    begin_recording(run);
    lease_.emplace(value_or_raise(handles_.acquire(*job_.tenant, job_.generation)));
    before_.emplace(replay::take_snapshot(lease_->handle()));
  });
}

void RunCapture::handler_ended(JobRun& run) noexcept {
  guard([&] { end_recording(run, tape_.record()); });
  run.changes.reset();
}

std::optional<queue::TakenCapsule> RunCapture::finish(
    const std::optional<queue::AttemptFailure>& failure) noexcept {
  if (!ends_as_wished(job_.capture->on, failure)) return std::nullopt;
  queue::TakenCapsule taken{.request = job_.capture->request, .file = {}};
  guard([&] { write(failure, taken); });
  if (!trouble_) return taken;
  // It may quote what an application's codec or trigger says.
  const Failure told = *std::exchange(trouble_, std::nullopt);
  guard([&] { taken.failure = secrets_of(job_, options_.mask).hidden_in(told); });
  if (trouble_) taken.failure = Failure{told.code, "why there is none cannot be told"};
  return taken;
}

void RunCapture::require_time() {
  require_no_stop();
  constexpr int kKeptParts = 10;
  constexpr std::chrono::microseconds kKeptMax = std::chrono::seconds{5};
  if (job_.time_limit.count() == 0) return;
  const auto kept = std::min(job_.time_limit / kKeptParts, kKeptMax);
  if (clock_.steady() < began_ + (job_.time_limit - kept)) return;
  raise(ErrorCode::time_limit, "the time limit of the run leaves no time to write its capsule");
}

// Behind its stop token a process has a part of stop_deadline, and whoever is ended then has not told how its job ended.
void RunCapture::require_no_stop() {
  constexpr std::chrono::seconds kBehindToken{1};
  if (stop_.reason() != queue::StopReason::stop) return;
  const Instant now = clock_.steady();
  if (!stop_seen_) stop_seen_ = now;
  if (now < *stop_seen_ + kBehindToken) return;
  raise(ErrorCode::interrupted,
        "the worker process is about to stop, which leaves no time to write the capsule");
}

void RunCapture::write(const std::optional<queue::AttemptFailure>& failure, queue::TakenCapsule& taken) {
  if (!has_begun_)
    raise(failure ? failure->code : ErrorCode::internal,
          "the job was refused before its handler, so that there is no run to replay");
  if (tape_.trouble()) raise(*tape_.trouble());
  replay::Capsule capsule{.head = {.job = job_,
                                   .application = options_.application,
                                   .program_version = options_.capture.program_version,
                                   .started = started_,
                                   .tenure_version = {},
                                   .masked = {}},
                          .run = std::move(tape_.record())};
  capsule.run.failure = failure;
  if (failure) capsule.run.returned.reset();  // of a handler that has obeyed a cancel
  replay::forget_place(capsule.run, handles_.files().path_for(*job_.tenant));
  const TenantScope scope(*job_.tenant, job_.generation);
  taken.file = replay::write_capsule(*before_, capsule, options_.mask, options_.capture.folder,
                                     options_.capture.limits, [this] { require_time(); })
                   .filename()
                   .string();
}

}  // namespace tenure::detail
