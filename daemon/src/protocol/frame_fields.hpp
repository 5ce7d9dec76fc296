#pragma once

#include <tenure/base/bytes.hpp>
#include <tenure/daemon/frames.hpp>

#include <cstdint>
#include <optional>
#include <string>

// The fields of each frame behind its type: written, and read back. What workers send is in worker_frames.cpp, what the daemon sends in
// daemon_frames.cpp.
namespace tenure::daemon {

// On the wire: never renumber. Worker to daemon from 1, daemon to worker from 32. 3 is kept for enqueue.
enum class FrameType : std::uint8_t {
  hello = 1,
  finished = 2,
  progress = 4,
  pong = 5,
  leaving = 6,
  welcome = 32,
  refused = 33,
  assign = 34,
  recall = 35,
  stop_token = 36,
  drain = 37,
  acknowledge = 38,
  ping = 39,
  describe = 40,
};

// --- Writing. Each function appends the fields behind the type.

FrameType put_fields(std::string& out, const HelloFrame& frame);
FrameType put_fields(std::string& out, const FinishedFrame& frame);
FrameType put_fields(std::string& out, const ProgressFrame& frame);
FrameType put_fields(std::string& out, const PongFrame& frame);
FrameType put_fields(std::string& out, const LeavingFrame& frame);
FrameType put_fields(std::string& out, const WelcomeFrame& frame);
FrameType put_fields(std::string& out, const RefusedFrame& frame);
FrameType put_fields(std::string& out, const AssignFrame& frame);
FrameType put_fields(std::string& out, const RecallFrame& frame);
FrameType put_fields(std::string& out, const StopTokenFrame& frame);
FrameType put_fields(std::string& out, const DrainFrame& frame);
FrameType put_fields(std::string& out, const AcknowledgeFrame& frame);
FrameType put_fields(std::string& out, const PingFrame& frame);
FrameType put_fields(std::string& out, const DescribeFrame& frame);

void put_claim(std::string& out, const queue::ClaimRef& claim);
void put_owner(std::string& out, const queue::OutboxOwner& owner);

// --- Reading. A value outside its set refuses the whole frame.

[[nodiscard]] Frame take_hello(ByteReader& in);
[[nodiscard]] Frame take_finished(ByteReader& in);
[[nodiscard]] Frame take_progress(ByteReader& in);
[[nodiscard]] Frame take_welcome(ByteReader& in);
[[nodiscard]] Frame take_refused(ByteReader& in);
[[nodiscard]] Frame take_assign(ByteReader& in);
[[nodiscard]] Frame take_recall(ByteReader& in);
[[nodiscard]] Frame take_stop_token(ByteReader& in);
[[nodiscard]] std::optional<Frame> take_acknowledge(ByteReader& in);

[[nodiscard]] queue::JobSeq take_seq(ByteReader& in);
[[nodiscard]] queue::ClaimRef take_claim(ByteReader& in);
[[nodiscard]] std::optional<queue::OutboxOwner> take_owner(ByteReader& in);

}  // namespace tenure::daemon
