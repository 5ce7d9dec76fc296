#include "link_simulation.hpp"

#include <tenure/base/error.hpp>

#include <algorithm>
#include <utility>

namespace tenure::simulation {

using daemon::DaemonEnd;
using daemon::WorkerEnd;
using queue::AttemptEnd;
using queue::ClaimRef;
using queue::RunResult;

namespace {

constexpr daemon::ProcessNumber kProcess{1};
constexpr int kStepsPerJob = 40;

}  // namespace

daemon::HelloFrame LinkSimulation::hello() {
  return {.program_version = "played", .kinds = {{"job", "default"}}};
}

LinkSimulation::LinkSimulation(LinkOptions options)
    : options_(options), random_(options.seed), daemon_(kProcess, options.slots), worker_(hello()) {}

void LinkSimulation::run() {
  const std::int64_t steps = options_.jobs * kStepsPerJob;
  for (std::int64_t i = 0; i < steps; ++i) {
    if (!is_fault_done_ && is_moment_for_fault() && (!is_ready_ || random_.below(20) == 0)) inject();
    step();
  }
  drain();
  daemon_writes();
  if (!is_fault_done_ && is_moment_for_fault()) inject();
  settle();
  end_worker();
  verdict_.lost =
      std::count_if(jobs_.begin(), jobs_.end(), [](const auto& job) { return !job.second.is_heard; });
  verdict_.pongs_missing += pings_;
}

void LinkSimulation::end_worker() {
  worker_lives_ = false;
  to_daemon_.is_closed = true;
  if (!daemon_lives_) return;
  carry_out(daemon_.process_ended());
  deliver_to_daemon(true);
}

LinkVerdict LinkSimulation::verdict() const { return verdict_; }

void LinkSimulation::step() {
  switch (random_.below(12)) {
    case 0:
    case 1:
      return assign();
    case 2:
      return recall();
    case 3:
    case 4:
      return end_a_job();
    case 5:
      return worker_writes();
    case 6:
      return worker_has_written();
    case 7:
      return daemon_writes();
    case 8:
      return deliver_to_worker(random_.below(2) == 0);
    case 9:
      return deliver_to_daemon(random_.below(2) == 0);
    case 10:
      if (is_ready_ && random_.below(4) == 0) {
        daemon_.ping();
        pings_ += daemon_.is_open() ? 1 : 0;
      }
      return;
    default:
      if (is_ready_ && random_.below(8) == 0) daemon_.give_stop_token({}, daemon::StopReason::stop);
  }
}

// --- What the dispatcher wants and the jobs do.

namespace {

// Of each third job, so that no other draw changes.
std::optional<queue::CaptureWish> capture_of(queue::JobSeq seq) {
  if (seq.value % 3 != 0) return std::nullopt;
  return queue::CaptureWish{queue::CaptureNumber{seq.value}, queue::CaptureOn::any_end};
}

std::optional<queue::TakenCapsule> capsule_of(queue::JobSeq seq) {
  if (!capture_of(seq)) return std::nullopt;
  queue::TakenCapsule capsule{queue::CaptureNumber{seq.value}, {}};
  if (seq.value % 2 == 0) capsule.file = "played.capsule";
  else capsule.failure = Failure{ErrorCode::limit_reached, "played"};
  return capsule;
}

}  // namespace

queue::ClaimedJob LinkSimulation::new_job() {
  queue::ClaimedJob job;
  job.seq = queue::JobSeq{++next_seq_};
  job.token = {queue::Incarnation{7}, next_seq_};
  job.kind = "job";
  job.attempts_max = 10;
  job.capture = capture_of(job.seq);
  job.envelope.assign(random_.below(200), 'e');
  return job;
}

void LinkSimulation::assign() {
  if (!is_ready_ || is_drained_ || !daemon_.is_open() || next_seq_ >= options_.jobs) return;
  queue::ClaimedJob job = new_job();
  jobs_[{job.seq, job.token}];
  ++verdict_.assigned;
  note("assign", job.seq.value);
  daemon_.assign(std::move(job));
}

// Any job, whether it waits, runs or has ended.
void LinkSimulation::recall() {
  if (jobs_.empty()) return;
  const auto job = std::next(jobs_.begin(), static_cast<std::ptrdiff_t>(random_.below(jobs_.size())));
  daemon_.recall(job->first);
}

void LinkSimulation::end_a_job() {
  if (running_.empty() || !worker_lives_) return;
  const auto job = running_.begin() + static_cast<std::ptrdiff_t>(random_.below(running_.size()));
  AttemptEnd end{.claim = job->job.claim,
                 .run_time = std::chrono::microseconds{static_cast<std::int64_t>(random_.below(1000))},
                 .failure = {}};
  if (job->stop.reason().has_value() || random_.below(4) == 0) {
    end.result = RunResult::failed;
    end.failure = {ErrorCode::handler_failed, "played " + std::to_string(end.claim.seq.value)};
  }
  end.capsule = capsule_of(end.claim.seq);
  running_.erase(job);
  jobs_.at(end.claim).said = end;
  note("ended", end.claim.seq.value);
  carry_out(worker_.finished(std::move(end)));
}

void LinkSimulation::drain() {
  if (!is_ready_ || std::exchange(is_drained_, true)) return;
  note("drain");
  daemon_.drain();
}

// --- Bytes.

void LinkSimulation::worker_writes() {
  std::string bytes;
  if (!worker_lives_ || worker_is_writing_ || !worker_.take_outgoing(bytes)) return;
  worker_is_writing_ = true;
  to_daemon_.bytes += bytes;
}

void LinkSimulation::worker_has_written() {
  if (worker_lives_ && std::exchange(worker_is_writing_, false)) carry_out(worker_.written());
}

void LinkSimulation::daemon_writes() {
  std::string bytes;
  if (daemon_lives_ && daemon_.take_outgoing(bytes) && !to_worker_.is_closed) to_worker_.bytes += bytes;
}

void LinkSimulation::deliver_to_worker(bool all) {
  if (!worker_lives_) return;
  const std::size_t size =
      all ? to_worker_.bytes.size() : random_.below(std::min<std::size_t>(to_worker_.bytes.size(), 40) + 1);
  const std::string piece = to_worker_.bytes.substr(0, size);
  to_worker_.bytes.erase(0, size);
  if (!piece.empty()) carry_out(worker_.received(piece));
  if (to_worker_.bytes.empty() && to_worker_.is_closed && !std::exchange(to_worker_.end_told, true))
    carry_out(worker_.stream_ended("closed"));
}

void LinkSimulation::deliver_to_daemon(bool all) {
  if (!daemon_lives_) return;
  const std::size_t size =
      all ? to_daemon_.bytes.size() : random_.below(std::min<std::size_t>(to_daemon_.bytes.size(), 40) + 1);
  const std::string piece = to_daemon_.bytes.substr(0, size);
  to_daemon_.bytes.erase(0, size);
  if (!piece.empty()) carry_out(daemon_.received(piece));
  if (to_daemon_.bytes.empty() && to_daemon_.is_closed && !std::exchange(to_daemon_.end_told, true))
    carry_out(daemon_.stream_ended("closed its socket"));
}

// Everything that was begun comes to its end. A round may move bytes that nobody notes.
void LinkSimulation::settle() {
  for (int quiet = 0; quiet < 3; ++quiet) {
    const auto before = verdict_.course;
    daemon_writes();
    deliver_to_worker(true);
    end_a_job();
    worker_has_written();
    worker_writes();
    deliver_to_daemon(true);
    drain();
    if (before != verdict_.course) quiet = 0;
  }
}

// --- What the ends say, and whether it is right.

void LinkSimulation::carry_out(DaemonEnd::Actions actions) {
  for (DaemonEnd::Action& action : actions) {
    if (const auto* deliver = std::get_if<DaemonEnd::Deliver>(&action)) happened(deliver->event);
    if (auto* broken = std::get_if<DaemonEnd::Broken>(&action)) {
      note("broken");
      verdict_.after_the_end += verdict_.broken ? 1 : 0;
      verdict_.broken = std::move(broken->cause);
      kill_worker();
    }
    if (std::holds_alternative<DaemonEnd::Ended>(action)) {
      note("stream ended");
      verdict_.after_the_end += std::exchange(verdict_.is_over, true) ? 1 : 0;
    }
  }
}

void LinkSimulation::happened(const daemon::Event& event) {
  verdict_.after_the_end += verdict_.broken || verdict_.is_over ? 1 : 0;
  if (std::holds_alternative<daemon::WorkerReady>(event)) {
    note("ready");
    verdict_.after_the_end += std::exchange(is_ready_, true) ? 1 : 0;
  }
  if (std::holds_alternative<daemon::Ponged>(event)) {
    note("pong");
    --pings_;
  }
  if (const auto* ends = std::get_if<daemon::AttemptsEnded>(&event))
    for (const AttemptEnd& end : ends->ends) heard(end);
}

void LinkSimulation::heard(const AttemptEnd& end) {
  note("heard", end.claim.seq.value);
  ++verdict_.reported;
  const auto job = jobs_.find(end.claim);
  const bool is_played = is_fault_done_ && is_harmless(options_.fault);
  if (job == jobs_.end()) {
    verdict_.misreported += is_played ? 0 : 1;
    return;
  }
  if (std::exchange(job->second.is_heard, true)) verdict_.duplicated += is_played ? 0 : 1;
  const bool was_started = job->second.is_performed;
  const bool is_right = was_started ? job->second.said == end : end.result == RunResult::not_started;
  verdict_.misreported += is_right ? 0 : 1;
}

void LinkSimulation::carry_out(WorkerEnd::Actions actions) {
  for (WorkerEnd::Action& action : actions) {
    if (auto* job = std::get_if<WorkerEnd::Perform>(&action)) perform(std::move(*job));
    if (const auto* token = std::get_if<WorkerEnd::GiveStopToken>(&action)) {
      auto signal = token->signal;
      signal.give(token->reason);
    }
    if (const auto* leave = std::get_if<WorkerEnd::Leave>(&action)) left(*leave);
  }
}

void LinkSimulation::perform(WorkerEnd::Perform&& action) {
  note("perform", action.job.claim.seq.value);
  ++verdict_.performed;
  verdict_.after_the_end += verdict_.left ? 1 : 0;
  const auto job = jobs_.find(action.job.claim);
  if (job == jobs_.end()) {
    ++verdict_.misreported;
    return;
  }
  verdict_.misreported += action.job.capture == capture_of(action.job.claim.seq) ? 0 : 1;
  verdict_.duplicated += std::exchange(job->second.is_performed, true) || job->second.is_heard ? 1 : 0;
  running_.push_back(std::move(action));
  verdict_.over_slots += running_.size() > options_.slots ? 1 : 0;
}

void LinkSimulation::left(const WorkerEnd::Leave& action) {
  note("leave", static_cast<std::int64_t>(action.reason));
  verdict_.after_the_end += verdict_.left ? 1 : 0;
  verdict_.left = action;
  verdict_.without_token += std::count_if(running_.begin(), running_.end(),
                                          [](const Running& job) { return !job.stop.reason().has_value(); });
  to_daemon_.is_closed = true;
}

// FNV-1a over everything in its order.
void LinkSimulation::note(std::string_view what, std::int64_t number) {
  const auto add = [this](std::uint64_t byte) {
    verdict_.course = (verdict_.course ^ byte) * 0x100000001b3ULL;
  };
  if (verdict_.course == 0) verdict_.course = 0xcbf29ce484222325ULL;
  for (const char letter : what) add(static_cast<unsigned char>(letter));
  add(static_cast<std::uint64_t>(number));
}

}  // namespace tenure::simulation
