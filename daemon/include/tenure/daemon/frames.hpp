#pragma once

#include <tenure/base/error.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/queue/outbox.hpp>
#include <tenure/queue/run.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// What `tenured` and a worker process say to each other over their socketpair (docs/formats/worker-protocol.md): length,
// type, fixed little-endian fields, then texts and the payload as raw bytes. Reading never trusts a length, a count or an
// enum; whatever does not fit ends that worker process and not the daemon.
namespace tenure::daemon {

inline constexpr std::uint16_t kProtocolVersion = 1;
// Of one frame without its length field: the largest payload, the largest cursor and room for the fields; what an outbox reports fits too,
// beside the largest result.
inline constexpr std::size_t kFrameMax = 1024UL * 1024 + queue::kCursorMax + queue::kJobResultMax + 4096;
static_assert(queue::kOutboxPageBytes + queue::kOutboxPageRows * 12 + limits::kErrorTextMax +
                  queue::kJobResultMax + 3072 <=
              kFrameMax);
static_assert(queue::kEnvelopeMax + limits::kErrorTextMax + queue::kJobResultMax + 3072 <= kFrameMax,
              "a page has one row of any size");
inline constexpr std::size_t kHelloKindsMax = limits::kProgramKindsMax;
static_assert(kHelloKindsMax * (2 + limits::kKindNameMax + limits::kQueueNameMax + 13) + 1024 <= kFrameMax,
              "the longest hello fits into a frame");

// A kind, the queue to which its jobs go by default, and how long one of them may run (0: as the pool says). How many migrations a tenant's
// database must and may have had for it: 0 to 0 where it does not matter.
struct KindOffer {
  std::string name;
  std::string queue;
  std::uint32_t schema_min = 0;
  std::uint32_t schema_max = 0;
  std::chrono::milliseconds time_limit{0};
  bool reads_only = false;  // its jobs only read their tenants' databases
  friend bool operator==(const KindOffer&, const KindOffer&) = default;
};

// --- From the worker process.

// The first frame. Versions are a range, so that old and new can meet during a rolling restart.
struct HelloFrame {
  std::uint16_t protocol_min = kProtocolVersion;
  std::uint16_t protocol_max = kProtocolVersion;
  std::string program_version;
  std::vector<KindOffer> kinds;
  friend bool operator==(const HelloFrame&, const HelloFrame&) = default;
};

struct FinishedFrame {
  queue::AttemptEnd end;
  friend bool operator==(const FinishedFrame&, const FinishedFrame&) = default;
};

// What a run tells of itself while it goes on. It comes before the `finished` of its claim.
struct ProgressFrame {
  queue::RunNews news;
  friend bool operator==(const ProgressFrame&, const ProgressFrame&) = default;
};

struct PongFrame {
  friend bool operator==(const PongFrame&, const PongFrame&) = default;
};

// It was told to end by somebody else than the daemon, and asks to be drained.
struct LeavingFrame {
  friend bool operator==(const LeavingFrame&, const LeavingFrame&) = default;
};

// --- From the daemon.

struct WelcomeFrame {
  std::uint16_t protocol = kProtocolVersion;
  std::uint16_t slots = 1;  // how many jobs may run at once: the pool says
  friend bool operator==(const WelcomeFrame&, const WelcomeFrame&) = default;
};
struct RefusedFrame {
  std::string reason;
  friend bool operator==(const RefusedFrame&, const RefusedFrame&) = default;
};

struct AssignFrame {
  queue::AssignedJob job;
  // No job of that tenant with a smaller id may still run: receipts of theirs may be forgotten. All zero: not known.
  queue::JobId receipt_horizon;
  friend bool operator==(const AssignFrame&, const AssignFrame&) = default;
};

struct RecallFrame {
  queue::ClaimRef claim;
  friend bool operator==(const RecallFrame&, const RecallFrame&) = default;
};

using queue::StopReason;
// Gives the stop token: to one job, or with seq 0 to all.
struct StopTokenFrame {
  queue::JobSeq seq;
  StopReason reason = StopReason::stop;
  friend bool operator==(const StopTokenFrame&, const StopTokenFrame&) = default;
};
struct DrainFrame {
  friend bool operator==(const DrainFrame&, const DrainFrame&) = default;
};
struct PingFrame {
  friend bool operator==(const PingFrame&, const PingFrame&) = default;
};
// Write into the log what each slot does.
struct DescribeFrame {
  friend bool operator==(const DescribeFrame&, const DescribeFrame&) = default;
};

// Rows of that file's outbox up to the watermark are jobs, on disk: they may be deleted there.
struct AcknowledgeFrame {
  queue::OutboxOwner owner;
  queue::OutboxSeq watermark;
  friend bool operator==(const AcknowledgeFrame&, const AcknowledgeFrame&) = default;
};

using Frame = std::variant<HelloFrame, FinishedFrame, ProgressFrame, PongFrame, LeavingFrame, WelcomeFrame,
                           RefusedFrame, AssignFrame, RecallFrame, StopTokenFrame, DrainFrame, PingFrame,
                           DescribeFrame, AcknowledgeFrame>;

// Appends the frame to `out`.
void write_frame(std::string& out, const Frame& frame);

// Collects received bytes and hands out whole frames.
class FrameReader {
 public:
  void feed(std::string_view bytes);
  // The next whole frame, nothing while one is incomplete, or ProtocolViolation, after which the stream is of no use.
  [[nodiscard]] Result<std::optional<Frame>> next();
  // Bytes of a frame that has not arrived whole.
  [[nodiscard]] std::size_t pending() const { return buffer_.size() - start_; }

 private:
  std::string buffer_;
  std::size_t start_ = 0;
};

}  // namespace tenure::daemon
