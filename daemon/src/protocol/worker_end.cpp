#include "worker_end.hpp"

#include <tenure/base/error.hpp>

#include <algorithm>
#include <utility>

namespace tenure::daemon {

WorkerEnd::WorkerEnd(const HelloFrame& hello)
    : protocol_min_(hello.protocol_min), protocol_max_(hello.protocol_max) {
  write_frame(outgoing_, hello);
}

WorkerEnd::Actions WorkerEnd::received(std::string_view bytes) {
  if (!has_left()) reader_.feed(bytes);
  while (!has_left()) {
    auto frame = reader_.next();
    if (!frame) {
      refuse_stream(frame.error().message);
      break;
    }
    if (!*frame) break;
    std::visit([this](auto& what) { on(std::move(what)); }, **frame);
  }
  return take_actions();
}

WorkerEnd::Actions WorkerEnd::stream_ended(const std::string& cause) {
  leave(LeaveReason::stream_ended, cause);
  return take_actions();
}

WorkerEnd::Actions WorkerEnd::finished(AttemptEnd end) {
  const auto running = running_.find(end.claim.seq);
  TENURE_INVARIANT(running != running_.end() && running->second.token == end.claim.token);
  running_.erase(running);
  if (has_left()) return {};
  write_frame(outgoing_, FinishedFrame{std::move(end)});
  fill_slots();
  return take_actions();
}

void WorkerEnd::tell(queue::RunNews news) {
  const auto running = running_.find(news.claim.seq);
  if (has_left() || running == running_.end() || running->second.token != news.claim.token) return;
  write_frame(outgoing_, ProgressFrame{std::move(news)});
}

WorkerEnd::Actions WorkerEnd::told_to_end() {
  is_told_to_end_ = true;
  ask_to_leave();
  return take_actions();
}

// Before the welcome the daemon may already have claimed jobs for it, and would charge them with its end.
void WorkerEnd::ask_to_leave() {
  if (!is_told_to_end_ || has_asked_to_leave_ || stage_ != Stage::open) return;
  has_asked_to_leave_ = true;
  write_frame(outgoing_, LeavingFrame{});
}

bool WorkerEnd::take_outgoing(std::string& bytes) {
  bytes.clear();
  // The last write may have failed, and what it was of stays unwritten.
  if (has_left()) return false;
  TENURE_INVARIANT(!is_being_written_);
  if (outgoing_.empty()) return false;
  bytes.swap(outgoing_);
  is_being_written_ = true;
  return true;
}

WorkerEnd::Actions WorkerEnd::written() {
  TENURE_INVARIANT(is_being_written_);
  is_being_written_ = false;
  leave_if_drained();
  return take_actions();
}

void WorkerEnd::on(WelcomeFrame&& frame) {
  if (is_welcomed()) return refuse_stream("the daemon said welcome twice");
  if (frame.protocol < protocol_min_ || frame.protocol > protocol_max_)
    return refuse_stream("the daemon chose protocol " + std::to_string(frame.protocol) +
                         ", which was not offered");
  stage_ = Stage::open;
  slots_ = frame.slots;
  actions_.emplace_back(OpenSlots{slots_});
  ask_to_leave();
}

void WorkerEnd::on(RefusedFrame&& frame) { leave(LeaveReason::refused, frame.reason); }

void WorkerEnd::on(AssignFrame&& frame) {
  if (stage_ != Stage::open || has(frame.job.claim.seq))
    return refuse_stream("the daemon assigned a job out of turn");
  if (frame.receipt_horizon != queue::JobId{} && frame.job.tenant)
    actions_.emplace_back(
        UseReceiptHorizon{{*frame.job.tenant, frame.job.generation}, frame.receipt_horizon});
  waiting_.push_back(std::move(frame.job));
  fill_slots();
}

void WorkerEnd::on(RecallFrame&& frame) {
  if (!is_welcomed()) return refuse_stream("the daemon recalled a job before its welcome");
  const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const AssignedJob& job) { return job.claim == frame.claim; });
  if (found == waiting_.end()) return;
  waiting_.erase(found);
  report_not_started(frame.claim);
}

void WorkerEnd::on(StopTokenFrame&& frame) {
  if (!is_welcomed()) return refuse_stream("the daemon gave a stop token before its welcome");
  for (const auto& [seq, running] : running_)
    if (frame.seq.value == 0 || frame.seq == seq)
      actions_.emplace_back(GiveStopToken{running.stop, frame.reason});
}

void WorkerEnd::on(DrainFrame&&) {
  if (!is_welcomed()) return refuse_stream("the daemon drained before its welcome");
  stage_ = Stage::ending;
  for (const AssignedJob& job : std::exchange(waiting_, {})) report_not_started(job.claim);
  leave_if_drained();
}

void WorkerEnd::on(PingFrame&&) {
  if (!is_welcomed()) return refuse_stream("the daemon pinged before its welcome");
  write_frame(outgoing_, PongFrame{});
}

void WorkerEnd::on(HelloFrame&&) { refuse_stream("the daemon said hello"); }
void WorkerEnd::on(FinishedFrame&&) { refuse_stream("the daemon sent a worker's frame"); }
void WorkerEnd::on(ProgressFrame&&) { refuse_stream("the daemon sent a worker's frame"); }
void WorkerEnd::on(DescribeFrame&&) {
  if (!is_welcomed()) return refuse_stream("the daemon asked before its welcome");
  actions_.emplace_back(Describe{});
}

void WorkerEnd::on(AcknowledgeFrame&& frame) {
  if (!is_welcomed()) return refuse_stream("the daemon acknowledged before its welcome");
  actions_.emplace_back(ClearOutbox{std::move(frame.owner), frame.watermark});
}

void WorkerEnd::on(LeavingFrame&&) { refuse_stream("the daemon sent a worker's frame"); }
void WorkerEnd::on(PongFrame&&) { refuse_stream("the daemon sent a worker's frame"); }

bool WorkerEnd::has(queue::JobSeq seq) const {
  return running_.contains(seq) || std::any_of(waiting_.begin(), waiting_.end(),
                                               [&](const AssignedJob& job) { return job.claim.seq == seq; });
}

void WorkerEnd::fill_slots() {
  while (!waiting_.empty() && running_.size() < slots_) {
    AssignedJob job = std::move(waiting_.front());
    waiting_.pop_front();
    const auto [running, is_new] = running_.try_emplace(job.claim.seq, Running{job.claim.token, {}});
    TENURE_INVARIANT(is_new);
    actions_.emplace_back(Perform{std::move(job), running->second.stop});
  }
}

void WorkerEnd::report_not_started(const queue::ClaimRef& claim) {
  write_frame(outgoing_,
              FinishedFrame{{.claim = claim, .result = queue::RunResult::not_started, .failure = {}}});
}

// Every report must have left before we do; the daemon takes what it has not heard of as a crash.
void WorkerEnd::leave_if_drained() {
  if (stage_ == Stage::ending && running_.empty() && outgoing_.empty() && !is_being_written_)
    leave(LeaveReason::drained, {});
}

void WorkerEnd::refuse_stream(const std::string& cause) { leave(LeaveReason::protocol_violation, cause); }

// What runs may end, and nothing is waited for but that.
void WorkerEnd::leave(LeaveReason reason, const std::string& cause) {
  if (has_left()) return;
  stage_ = Stage::left;
  waiting_.clear();
  for (const auto& [seq, running] : running_) actions_.emplace_back(GiveStopToken{running.stop});
  actions_.emplace_back(Leave{reason, cause});
}

WorkerEnd::Actions WorkerEnd::take_actions() { return std::exchange(actions_, {}); }

}  // namespace tenure::daemon
