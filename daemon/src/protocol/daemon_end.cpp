#include "daemon_end.hpp"

#include <tenure/base/text.hpp>
#include <tenure/daemon/assigned_job.hpp>

#include <utility>

namespace tenure::daemon {

Result<WelcomeFrame> negotiate(const HelloFrame& hello, std::uint16_t slots_wanted) {
  if (hello.protocol_min > kProtocolVersion || hello.protocol_max < kProtocolVersion)
    return fail(ErrorCode::protocol_violation, "the worker program speaks protocol " +
                                                   std::to_string(hello.protocol_min) + " to " +
                                                   std::to_string(hello.protocol_max) + ", this tenured " +
                                                   std::to_string(kProtocolVersion));
  return WelcomeFrame{.protocol = kProtocolVersion, .slots = slots_wanted};
}

DaemonEnd::DaemonEnd(ProcessNumber process, std::uint16_t slots_wanted, std::chrono::microseconds time_limit)
    : process_(process),
      slots_wanted_(slots_wanted),
      time_limits_{.usual = time_limit, .of_kinds = {}},
      told_{.process = process, .news = {}},
      ended_{.process = process, .ends = {}} {}

DaemonEnd::Actions DaemonEnd::received(std::string_view bytes) {
  if (is_open()) reader_.feed(bytes);
  while (is_open()) {
    auto frame = reader_.next();
    if (!frame) {
      refuse_stream(frame.error().message);
      break;
    }
    if (!*frame) break;
    std::visit([this](auto& what) { on(std::move(what)); }, **frame);
  }
  deliver_reports();
  return take_actions();
}

DaemonEnd::Actions DaemonEnd::stream_ended(const std::string& cause) {
  // A drained process closes its socket and then its databases; it ends by itself.
  const bool is_expected = is_dead_ || (was_drained_ && reader_.pending() == 0);
  if (is_open() && !is_expected) actions_.emplace_back(Broken{cause});
  end_stream();
  return take_actions();
}

DaemonEnd::Actions DaemonEnd::process_ended() {
  is_dead_ = true;
  if (is_open()) {
    actions_.emplace_back(AwaitEnd{});
  } else {
    actions_.emplace_back(Ended{});
  }
  return take_actions();
}

DaemonEnd::Actions DaemonEnd::waited_enough() {
  end_stream();
  return take_actions();
}

void DaemonEnd::assign(queue::ClaimedJob&& job, queue::JobId receipt_horizon) {
  const std::chrono::microseconds time_limit = time_limits_.of(job.kind);
  // The job's texts move; the envelope's next copy is the one in the bytes to be written.
  write(AssignFrame{.job = assigned_job(std::move(job), time_limit), .receipt_horizon = receipt_horizon});
}
void DaemonEnd::recall(const queue::ClaimRef& claim) { write(RecallFrame{claim}); }
void DaemonEnd::give_stop_token(queue::JobSeq seq, StopReason reason) {
  write(StopTokenFrame{.seq = seq, .reason = reason});
}
void DaemonEnd::drain() {
  was_drained_ = true;
  write(DrainFrame{});
}
void DaemonEnd::ping() {
  ++pings_unanswered_;
  write(PingFrame{});
}

void DaemonEnd::describe() { write(DescribeFrame{}); }

void DaemonEnd::acknowledge(const queue::OutboxOwner& owner, queue::OutboxSeq watermark) {
  write(AcknowledgeFrame{owner, watermark});
}

bool DaemonEnd::take_outgoing(std::string& bytes) {
  bytes.clear();
  bytes.swap(outgoing_);
  return !bytes.empty();
}

void DaemonEnd::on(HelloFrame&& frame) {
  if (stage_ != Stage::awaits_hello) return refuse_stream("said hello twice");
  const auto welcome = negotiate(frame, slots_wanted_);
  if (!welcome) {
    write(RefusedFrame{welcome.error().message});
    return refuse_stream(welcome.error().message);
  }
  stage_ = Stage::open;
  write(*welcome);
  WorkerReady ready{.process = process_, .slots = slots_wanted_, .kinds = {}};
  for (KindOffer& kind : frame.kinds) {
    if (kind.time_limit.count() > 0) time_limits_.of_kinds[kind.name] = kind.time_limit;
    if (kind.schema_min > 0) ready.schemas[kind.name] = kind.schema_min;
    if (kind.schema_max > 0) ready.newest_schemas[kind.name] = kind.schema_max;
    if (kind.reads_only) ready.reads_only.push_back(kind.name);
    ready.kinds.push_back(std::move(kind.name));
    ready.default_queues.push_back(std::move(kind.queue));
  }
  sort_uniquely(ready.kinds);
  sort_uniquely(ready.default_queues);
  sort_uniquely(ready.reads_only);
  ready.time_limits = time_limits_;
  program_version_ = std::move(frame.program_version);
  actions_.emplace_back(Greeted{program_version_, ready.kinds});
  actions_.emplace_back(Deliver{std::move(ready)});
}

// Whether the claim is one that this process has is the dispatcher's to know.
void DaemonEnd::on(FinishedFrame&& frame) {
  if (stage_ != Stage::open) return refuse_stream("reported a job before its hello");
  ended_.ends.push_back(std::move(frame.end));
}

void DaemonEnd::on(ProgressFrame&& frame) {
  if (stage_ != Stage::open) return refuse_stream("told of a job before its hello");
  told_.news.push_back(std::move(frame.news));
}

void DaemonEnd::on(PongFrame&&) {
  if (pings_unanswered_ == 0) return refuse_stream("answered a ping that was not sent");
  --pings_unanswered_;
  actions_.emplace_back(Deliver{Ponged{process_}});
}

void DaemonEnd::on(LeavingFrame&&) {
  if (stage_ != Stage::open) return refuse_stream("left before its hello");
  actions_.emplace_back(Deliver{WorkerLeaving{process_}});
}

template <class DaemonsFrame>
void DaemonEnd::on(DaemonsFrame&&) {
  refuse_stream("sent a frame that is the daemon's");
}

// All ends of one read are one event, so that a busy worker costs the dispatcher one step and not hundreds. What runs have told comes
// first: of one that has ended it was told before.
void DaemonEnd::deliver_reports() {
  if (!told_.news.empty())
    actions_.emplace_back(Deliver{std::exchange(told_, RunsTold{.process = process_, .news = {}})});
  if (ended_.ends.empty()) return;
  actions_.emplace_back(Deliver{std::exchange(ended_, AttemptsEnded{.process = process_, .ends = {}})});
}

void DaemonEnd::refuse_stream(const std::string& cause) {
  if (!is_open()) return;
  deliver_reports();
  if (!is_dead_) actions_.emplace_back(Broken{cause});
  end_stream();
}

void DaemonEnd::end_stream() {
  if (std::exchange(stage_, Stage::ended) != Stage::ended && is_dead_) actions_.emplace_back(Ended{});
}

void DaemonEnd::write(const Frame& frame) {
  if (is_open()) write_frame(outgoing_, frame);
}

DaemonEnd::Actions DaemonEnd::take_actions() { return std::exchange(actions_, {}); }

}  // namespace tenure::daemon
