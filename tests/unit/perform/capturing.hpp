#pragma once

#include "bookkeeping.hpp"

#include <tenure/jobs/replay.hpp>
#include <tenure/replay/capsule.hpp>
#include <tenure/replay/compare.hpp>

#include <filesystem>
#include <functional>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace tenure::testing {

// Captures runs of one job of acme, and replays them with the same handler or another one.
class Capturing : public Bookkeeping {
 protected:
  using Body = std::function<void(JobContext&)>;

  Capturing() {
    jobs_.add<PayInvoice>([this](const PayInvoice&, JobContext& context) { body_(context); });
  }

  // One attempt; each call is a later claim of the same job.
  queue::AttemptEnd capture(Body body, queue::CaptureOn on = queue::CaptureOn::any_end,
                            const queue::StopSignal& stop = {}) {
    body_ = std::move(body);
    if (!job_) {
      with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
      job_ = claim();
    }
    return perform_assigned(assigned(*job_, on), stop);
  }
  queue::AssignedJob assigned(const queue::ClaimedJob& job, queue::CaptureOn on) {
    return {.claim = {job.seq, {job.token.incarnation, ++counter_}},
            .id = job.id,
            .tenant = job.tenant,
            .generation = job.generation,
            .kind = job.kind,
            .envelope = job.envelope,
            .cursor = job.cursor,
            .attempt = job.failures + 1,
            .attempts_max = job.attempts_max,
            .capture = queue::CaptureWish{queue::CaptureNumber{3}, on},
            .queue = job.queue,
            .created = job.created};
  }
  queue::AttemptEnd perform_assigned(const queue::AssignedJob& job, const queue::StopSignal& stop = {}) {
    Performer performer{jobs_,
                        handles_,
                        clock_,
                        {.application = "books",
                         .mask = queue::Mask{masked_},
                         .capture = {.folder = place_, .limits = limits_, .program_version = "7"}}};
    queue::RunNotes notes{job.claim};
    return performer.perform(job, stop, notes);
  }

  [[nodiscard]] std::filesystem::path file_of(const queue::AttemptEnd& end) const {
    if (!end.capsule) throw std::runtime_error("no capsule");
    if (end.capsule->failure) throw std::runtime_error(end.capsule->failure->text());
    return place_ / end.capsule->file;
  }
  [[nodiscard]] replay::Capsule capsule_of(const queue::AttemptEnd& end) const {
    return replay::read_capsule(file_of(end));
  }

  // In a scratch root of its own.
  replay::RunRecord replay(const std::filesystem::path& file, Body body, const ReplayOptions& options = {}) {
    const TemporaryFolder scratch;
    const TenantFiles files{(scratch / "%{tenant}.db").string()};
    replay::restore_tenant(file, files);
    HandleCache handles{files, {}};
    JobRegistry jobs;
    jobs.add<PayInvoice>([&](const PayInvoice&, JobContext& context) { body(context); });
    return replay_run(jobs, handles, replay::read_capsule(file), options);
  }
  // Nothing: the replay of that body is the captured run.
  std::string difference(const queue::AttemptEnd& end, Body body) {
    const auto found = replay::compare(capsule_of(end).run, replay(file_of(end), std::move(body)));
    return found ? found->text() : "";
  }

  [[nodiscard]] std::size_t files_in_place() const {
    if (!std::filesystem::exists(place_)) return 0;
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{place_}, {}));
  }

  std::filesystem::path place_ = folder_.path() / "capsules";
  replay::CapsuleLimits limits_;
  std::vector<std::string> masked_;
  Body body_;
  std::optional<queue::ClaimedJob> job_;
};

}  // namespace tenure::testing
