#include "link_simulation.hpp"

#include <algorithm>
#include <array>

// What goes wrong on a link, and when it can.
namespace tenure::simulation {

using queue::AttemptEnd;

namespace {

std::string bytes_of(const daemon::Frame& frame) {
  std::string bytes;
  daemon::write_frame(bytes, frame);
  return bytes;
}

std::string with_length(std::string_view body) {
  std::string bytes;
  for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(body.size() >> shift & 0xFFU);
  return bytes.append(body);
}

std::string garbage(Random& random) {
  std::string bytes(8 + random.below(64), '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.next());
  bytes[3] = '\x7f';  // no frame is so long, so that garbage is never the beginning of one
  return bytes;
}

std::string long_frame() { return "\xff\xff\xff\x7f"; }
std::string unknown_type() { return with_length("\x7e..."); }

}  // namespace

std::string_view name_of(LinkFault fault) {
  constexpr std::array<std::string_view, 20> kNames{
      "none",
      "report_twice",
      "report_of_unknown_claim",
      "garbage_to_daemon",
      "long_frame_to_daemon",
      "unknown_type_to_daemon",
      "daemons_frame_to_daemon",
      "second_hello",
      "unasked_pong",
      "report_before_hello",
      "worker_dies",
      "garbage_to_worker",
      "long_frame_to_worker",
      "unknown_type_to_worker",
      "workers_frame_to_worker",
      "second_welcome",
      "job_assigned_twice",
      "job_assigned_after_drain",
      "job_assigned_before_welcome",
      "daemon_dies",
  };
  static_assert(kNames.size() == static_cast<std::size_t>(kLastLinkFault) + 1);
  return kNames.at(static_cast<std::size_t>(fault));
}

bool LinkSimulation::is_moment_for_fault() const {
  const LinkFault fault = options_.fault;
  if (fault == LinkFault::none) return false;
  if (fault == LinkFault::report_before_hello)
    return to_daemon_.bytes.empty() && !is_ready_ && verdict_.course == 0;
  if (fault == LinkFault::job_assigned_before_welcome) return to_worker_.bytes.empty() && !is_ready_;
  if (fault == LinkFault::report_twice) return is_ready_ && heard_run() != nullptr;
  if (fault == LinkFault::job_assigned_twice)
    return is_ready_ && !running_.empty() && !daemon_.has_outgoing();
  if (fault == LinkFault::job_assigned_after_drain) return is_drained_ && !daemon_.has_outgoing();
  return is_ready_;
}

// Of a job that was performed and reported, for saying it again.
const AttemptEnd* LinkSimulation::heard_run() const {
  const auto job = std::find_if(jobs_.begin(), jobs_.end(),
                                [](const auto& one) { return one.second.is_heard && one.second.said; });
  return job == jobs_.end() ? nullptr : &*job->second.said;
}

void LinkSimulation::inject() {
  is_fault_done_ = true;
  verdict_.is_fault_done = true;
  note(name_of(options_.fault));
  if (options_.fault == LinkFault::worker_dies) return kill_worker();
  if (options_.fault == LinkFault::daemon_dies) return kill_daemon();
  if (options_.fault < LinkFault::garbage_to_worker) {
    inject_into_daemon(options_.fault);
  } else {
    inject_into_worker(options_.fault);
  }
}

void LinkSimulation::inject_into_daemon(LinkFault fault) {
  std::string& bytes = to_daemon_.bytes;
  if (fault == LinkFault::report_twice) {
    bytes += bytes_of(daemon::FinishedFrame{*heard_run()});
  } else if (fault == LinkFault::report_of_unknown_claim || fault == LinkFault::report_before_hello) {
    bytes += bytes_of(daemon::FinishedFrame{{.claim = {queue::JobSeq{-5}, {}}, .failure = {}}});
  } else if (fault == LinkFault::garbage_to_daemon) {
    bytes += garbage(random_);
  } else if (fault == LinkFault::long_frame_to_daemon) {
    bytes += long_frame();
  } else if (fault == LinkFault::unknown_type_to_daemon) {
    bytes += unknown_type();
  } else if (fault == LinkFault::daemons_frame_to_daemon) {
    bytes += bytes_of(daemon::DrainFrame{});
  } else if (fault == LinkFault::second_hello) {
    bytes += bytes_of(hello());
  } else {
    // One more than there were pings, answered or not.
    for (std::int64_t i = 0; i <= pings_; ++i) bytes += bytes_of(daemon::PongFrame{});
  }
}

void LinkSimulation::inject_into_worker(LinkFault fault) {
  std::string& bytes = to_worker_.bytes;
  if (fault == LinkFault::garbage_to_worker) {
    bytes += garbage(random_);
  } else if (fault == LinkFault::long_frame_to_worker) {
    bytes += long_frame();
  } else if (fault == LinkFault::unknown_type_to_worker) {
    bytes += unknown_type();
  } else if (fault == LinkFault::workers_frame_to_worker) {
    bytes += bytes_of(daemon::FinishedFrame{});
  } else if (fault == LinkFault::second_welcome) {
    bytes += bytes_of(daemon::WelcomeFrame{.slots = 64});
  } else if (fault == LinkFault::job_assigned_twice) {
    bytes += bytes_of(daemon::AssignFrame{.job = running_.front().job, .receipt_horizon = {}});
    deliver_to_worker(true);  // while it still runs
  } else {
    daemon::AssignFrame frame{.job = {.claim = {queue::JobSeq{-9}, {}}}, .receipt_horizon = {}};
    bytes += bytes_of(frame);
  }
}

// Of a write under way any part may have gone.
void LinkSimulation::kill_worker() {
  worker_lives_ = false;
  running_.clear();
  if (worker_is_writing_) to_daemon_.bytes.resize(random_.below(to_daemon_.bytes.size() + 1));
  to_daemon_.is_closed = true;
}

void LinkSimulation::kill_daemon() {
  daemon_lives_ = false;
  to_worker_.bytes.resize(random_.below(to_worker_.bytes.size() + 1));
  to_worker_.is_closed = true;
}

}  // namespace tenure::simulation
