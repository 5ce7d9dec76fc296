#include "simulation_worker.hpp"

#include <algorithm>
#include <utility>
#include <vector>

// The played worker processes behind both real ends of the protocol.
namespace tenure::simulation {

using daemon::RunResult;
using queue::ClaimedJob;
using queue::JobSeq;

// --- The stream to a worker process. Bytes are under way for one frame time each way, and are lost with whom they leave.

void Simulation::ask(ProcessNumber number, FunctionRef<void(daemon::DaemonEnd&)> what) {
  Worker* const asked = worker(number);
  if (asked == nullptr) return;
  what(asked->daemon_end);
  say(*asked);
}

void Simulation::say(Worker& process) {
  std::string bytes;
  if (!process.daemon_end.take_outgoing(bytes)) return;
  at_in_this_life(options_.frame_time, [this, number = process.number, bytes = std::move(bytes)] {
    Worker* const found = worker(number);
    if (found != nullptr && found->is_alive && !found->is_hung) carry_out(*found, found->end.received(bytes));
  });
}

// What the worker process has to say: its hello, and what has gathered since the first report.
void Simulation::hear(ProcessNumber number) {
  Worker* const found = worker(number);
  if (found == nullptr || !found->is_alive || found->is_hung) return;
  found->is_report_due = false;
  std::string bytes;
  if (!found->end.take_outgoing(bytes)) return;
  carry_out(*found, found->end.written());
  heard(number, bytes);
}

void Simulation::heard(ProcessNumber number, std::string_view bytes) {
  Worker* found = worker(number);
  if (found == nullptr) return;
  for (daemon::DaemonEnd::Action& action : found->daemon_end.received(bytes)) {
    if (auto* deliver = std::get_if<daemon::DaemonEnd::Deliver>(&action)) {
      if (auto* const ponged = std::get_if<daemon::Ponged>(&deliver->event)) ponged->memory = memory_;
      step(deliver->event);
    }
    found = worker(number);
    if (found != nullptr && std::holds_alternative<daemon::DaemonEnd::Broken>(action))
      gone(*found, kKilled, kReapTime);
  }
  if (found != nullptr) say(*found);
}

void Simulation::carry_out(Worker& process, daemon::WorkerEnd::Actions actions) {
  for (daemon::WorkerEnd::Action& action : actions) {
    if (!process.is_alive) return;
    if (const auto* job = std::get_if<daemon::WorkerEnd::Perform>(&action)) begin(process, *job);
    if (auto* token = std::get_if<daemon::WorkerEnd::GiveStopToken>(&action))
      token->signal.give(token->reason);
    if (const auto* cleared = std::get_if<daemon::WorkerEnd::ClearOutbox>(&action))
      outboxes.clear(cleared->owner, cleared->watermark);
    if (const auto* leave = std::get_if<daemon::WorkerEnd::Leave>(&action)) {
      TENURE_INVARIANT(leave->reason ==
                       daemon::WorkerEnd::LeaveReason::drained);  // our end says nothing wrong
      gone(process, {queue::ProcessExit::By::code, 0}, kReapTime);
    }
  }
  if (!process.is_alive) return;
  obey_stop_tokens(process);
  if (!process.end.has_outgoing() || std::exchange(process.is_report_due, true)) return;
  at_in_this_life(options_.frame_time + options_.report_time,
                  [this, number = process.number] { hear(number); });
}

void Simulation::assign(const daemon::Assign& action) {
  Worker* const process = worker(action.process);
  if (process == nullptr) return;
  for (const ClaimedJob& job : action.jobs) {
    process->assigned.insert_or_assign(job.seq, job);
    process->daemon_end.assign(ClaimedJob{job});
  }
  say(*process);
}

void Simulation::obey_stop_tokens(Worker& process) {
  std::vector<std::pair<JobSeq, queue::StopReason>> obeying;
  for (const auto& [seq, running] : process.running) {
    if (running.performance.obeys_stop_token && running.stop.reason())
      obeying.emplace_back(seq, *running.stop.reason());
  }
  for (const auto& [seq, reason] : obeying) {
    const bool is_late = reason == queue::StopReason::time_limit;
    Performance stopped;
    stopped.result = RunResult::failed;
    stopped.failure = {is_late ? ErrorCode::time_limit : ErrorCode::interrupted, "stopped"};
    job_ended(process, seq, stopped);
  }
}

std::optional<ErrorCode> Simulation::refusal_for_schema(const Worker& process, const ClaimedJob& job) {
  if (process.schema == 0 || !job.tenant || job.kind == queue::kMigrateKind) return std::nullopt;
  const std::int64_t has = schemas_[std::string(job.tenant->text())];
  if (has == process.schema) return std::nullopt;
  ++(has < process.schema ? faults.met_older_tenants : faults.met_newer_tenants);
  return has < process.schema ? ErrorCode::pending_migration : ErrorCode::tenant_unavailable;
}

void Simulation::begin(Worker& process, const daemon::WorkerEnd::Perform& work) {
  const ClaimedJob job = process.assigned.at(work.job.claim.seq);
  TENURE_INVARIANT(job.token == work.job.claim.token);
  if (work.job.start_before && wall() >= *work.job.start_before) {
    ++faults.expiries;
    process.assigned.erase(job.seq);
    process.ended.push_back({work.job.claim, RunResult::expired, microseconds{0}, {}});
    return carry_out(process, process.end.finished(
                                  {.claim = work.job.claim, .result = RunResult::expired, .failure = {}}));
  }
  if (const auto refusal = refusal_for_schema(process, job)) {
    process.assigned.erase(job.seq);
    process.ended.push_back({work.job.claim, RunResult::failed, microseconds{0}, {}});
    return carry_out(process, process.end.finished({.claim = work.job.claim,
                                                    .result = RunResult::failed,
                                                    .failure = {*refusal, "it has other migrations"}}));
  }
  started_.insert(job.id);
  if (!performing_.emplace(job.seq, job.id).second || succeeded_.contains(job.seq)) ++duplicated_;
  note_start_of_key(job.id);
  const auto cancelled = cancelled_.find(job.id);
  if (cancelled != cancelled_.end() && cancelled->second != job.token) ++started_again_;
  performing_max = std::max(performing_max, static_cast<std::int64_t>(performing_.size()));
  const Performance performance = options_.perform(job);
  const std::string tenant = job.tenant ? job.tenant->text() : "";
  starts.push_back(
      {now(), job.id, tenant, job.kind, job.lane.queue, job.lane.priority, process.number, job.token});
  process.running.emplace(job.seq, Worker::Running{job, now(), performance, work.stop});
  at_in_this_life(performance.run_time,
                  [this, number = process.number, seq = job.seq, token = job.token, performance] {
                    Worker* const performer = worker(number);
                    if (performer == nullptr || !performer->is_alive) return;
                    const auto running = performer->running.find(seq);
                    if (running == performer->running.end() || running->second.job.token != token) return;
                    enqueue_in_tenant(*performer, running->second.job, performance.enqueues);
                    if (performance.kills_dispatcher) {
                      crash_dispatcher();
                    } else if (performance.kills_process) {
                      const bool is_named = performance.is_named && options_.keeps_board;
                      kill(*performer, kSegmentationFault,
                           is_named ? std::optional{queue::ClaimRef{seq, token}} : std::nullopt);
                    } else {
                      job_ended(*performer, seq, performance);
                    }
                  });
}

// The commit is acknowledged to the handler, whatever becomes of its process.
void Simulation::enqueue_in_tenant(Worker& process, const ClaimedJob& job, int count) {
  if (count == 0 || !job.tenant || process.is_hung) return;
  std::vector<queue::NewJob> children;
  for (int child = 0; child < count; ++child)
    children.push_back({.id = JobId{ids_.next(clock_.wall())},
                        .tenant = job.tenant,
                        .generation = job.generation,
                        .queue = options_.default_queue,
                        .kind = job.kind,
                        .due = clock_.wall(),
                        .attempts_max = 10,
                        .arguments = "{}"});
  if (!outboxes.commit({*job.tenant, job.generation}, job.id, children)) return;
  process.running.at(job.seq).has_enqueued = true;
  for (const queue::NewJob& child : children) {
    attempted_.insert(child.id);
    acknowledged_.insert(child.id);
  }
}

void Simulation::sweep_outboxes() {
  outboxes.sweep(store_, clock_.wall());
  hint();
}

namespace {

// As a worker program makes it, or fails to, of a run that has ended as was wished.
std::optional<queue::TakenCapsule> capsule_of(const queue::ClaimedJob& job, const Performance& performance) {
  if (!job.capture) return std::nullopt;
  const auto unwanted =
      performance.result == RunResult::failed ? queue::CaptureOn::success : queue::CaptureOn::failure;
  if (job.capture->on == unwanted) return std::nullopt;
  queue::TakenCapsule capsule{job.capture->request, {}, performance.capsule_failure};
  if (!capsule.failure) capsule.file = job.id.text() + ".capsule";
  return capsule;
}

}  // namespace

// Its tenant is as far as the worker program is.
queue::JobResult Simulation::migrated(const Worker& process, const queue::ClaimedJob& job) {
  std::int64_t& schema = schemas_[job.tenant->text()];
  const std::int64_t before = std::exchange(schema, std::max(schema, process.schema));
  ++faults.migrations;
  return {queue::migrate_result(before, schema, {}), queue::kKeepResultMax};
}

void Simulation::job_ended(Worker& process, JobSeq seq, const Performance& performance) {
  if (process.is_hung) return;  // whatever it has done, nobody hears of it
  const Worker::Running ended = process.running.at(seq);
  process.running.erase(seq);
  process.assigned.erase(seq);
  performing_.erase(seq);
  const microseconds run_time = now() - ended.since;
  slot_time_[ended.job.tenant ? ended.job.tenant->text() : ""] += run_time;
  if (performance.failure.code == ErrorCode::newer_envelope)
    started_.erase(ended.job.id);  // nothing of it ran
  queue::AttemptEnd end{{seq, ended.job.token}, performance.result, run_time, performance.failure};
  if (performance.result == RunResult::failed) end.decision = performance.decision;
  if (performance.result == RunResult::succeeded && ended.job.kind == queue::kMigrateKind)
    end.returned = migrated(process, ended.job);
  else if (performance.result == RunResult::succeeded)
    end.returned = queue::JobResult{'"' + ended.job.id.text() + '"', queue::kKeepResultMax};
  if (ended.has_enqueued)
    end.outbox = outboxes.report({*ended.job.tenant, ended.job.generation}, ended.job.id);
  process.ended.push_back({end.claim, end.result, end.run_time, {}});
  end.capsule = capsule_of(ended.job, performance);
  carry_out(process, process.end.finished(end));
}

void Simulation::gone(Worker& process, const queue::ProcessExit& exit, microseconds in,
                      std::optional<queue::ClaimRef> crashed) {
  process.is_alive = false;
  daemon::WorkerGone gone{.process = process.number, .cause = queue::text_of(exit), .exit = exit};
  gone.may_lack_memory = lacks_memory_ && exit == kKilled;
  if (options_.keeps_board) {
    gone.slots.emplace();
    for (const auto& [seq, running] : process.running) gone.slots->begun.push_back({seq, running.job.token});
    if (crashed) gone.slots->crashed.push_back(*crashed);
    gone.slots->ended = process.ended;
  }
  for (const auto& [seq, running] : process.running) {
    performing_.erase(seq);
    slot_time_[running.job.tenant ? running.job.tenant->text() : ""] += now() - running.since;
  }
  at_in_this_life(in, [this, gone = std::move(gone)] {
    workers_.erase(gone.process);
    step(gone);
  });
}

Simulation::Worker* Simulation::worker(ProcessNumber number) const {
  const auto found = workers_.find(number);
  return found == workers_.end() ? nullptr : found->second.get();
}

std::vector<ProcessNumber> Simulation::live_workers() const {
  std::vector<ProcessNumber> numbers;
  for (const auto& [number, process] : workers_) {
    if (process->is_alive) numbers.push_back(number);
  }
  return numbers;
}

microseconds Simulation::slot_time(const std::string& tenant) const {
  const auto found = slot_time_.find(tenant);
  microseconds time = found == slot_time_.end() ? microseconds{0} : found->second;
  for (const auto& [number, process] : workers_) {
    for (const auto& [seq, running] : process->running) {
      if (process->is_alive && (running.job.tenant ? running.job.tenant->text() : "") == tenant)
        time += now() - running.since;
    }
  }
  return time;
}

}  // namespace tenure::simulation
