#include "frame_fields.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/capture.hpp>
#include <tenure/queue/run.hpp>

#include <limits>
#include <string_view>
#include <utility>

// What the daemon sends.
namespace tenure::daemon {
namespace {

constexpr std::size_t kReasonMax = 1024;
constexpr std::uint8_t kNoCapture = 0;
constexpr std::int64_t kNoTime = std::numeric_limits<std::int64_t>::max();

void put_id(std::string& out, const queue::JobId& id) {
  const auto& bytes = id.uuid.bytes();
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// All zero where the frame ends before it, which refuses the frame.
queue::JobId take_id(ByteReader& in) {
  return queue::JobId{Uuid::from_bytes(as_bytes(in.take_bytes(Uuid::kSize))).value_or(Uuid{})};
}

int take_count(ByteReader& in) {
  const auto count = in.take<std::uint32_t>();
  if (!std::in_range<int>(count)) in.refuse();
  return static_cast<int>(count);
}

void put_history(std::string& out, const queue::FailureHistory& history) {
  put(out, history.first ? to_us(*history.first) : kNoTime);
  put(out, static_cast<std::uint8_t>(history.by_rule.size()));
  for (const queue::RuleCount& count : history.by_rule) {
    put_text<std::uint8_t>(out, count.rule);
    put(out, static_cast<std::uint32_t>(count.failures));
  }
}

queue::FailureHistory take_history(ByteReader& in) {
  queue::FailureHistory history;
  const auto first = in.take<std::int64_t>();
  if (first != kNoTime) history.first = from_us(first);
  const std::size_t count = in.take<std::uint8_t>();
  if (count > queue::kRulesMax) in.refuse();
  for (std::size_t each = 0; each < count && in.ok(); ++each) {
    queue::RuleCount rule{std::string{in.take_text<std::uint8_t>()}, take_count(in)};
    if (rule.rule.empty() || rule.rule.size() > queue::kRuleNameMax) in.refuse();
    history.by_rule.push_back(std::move(rule));
  }
  return history;
}

std::optional<queue::CaptureWish> take_capture(ByteReader& in) {
  const auto on = in.take<std::uint8_t>();
  const queue::CaptureNumber request{in.take<std::int64_t>()};
  if (on > static_cast<std::uint8_t>(queue::CaptureOn::any_end) ||
      (on == kNoCapture) != (request.value == 0) || request.value < 0)
    in.refuse();
  if (on == kNoCapture) return std::nullopt;
  return queue::CaptureWish{request, static_cast<queue::CaptureOn>(on)};
}

}  // namespace

FrameType put_fields(std::string& out, const WelcomeFrame& frame) {
  put(out, frame.protocol);
  put(out, frame.slots);
  return FrameType::welcome;
}

Frame take_welcome(ByteReader& in) {
  WelcomeFrame frame;
  frame.protocol = in.take<std::uint16_t>();
  frame.slots = in.take<std::uint16_t>();
  if (frame.slots == 0) in.refuse();
  return frame;
}

FrameType put_fields(std::string& out, const RefusedFrame& frame) {
  put_text<std::uint16_t>(out, cut_utf8(frame.reason, kReasonMax));
  return FrameType::refused;
}

Frame take_refused(ByteReader& in) {
  const auto reason = in.take_text<std::uint16_t>();
  if (reason.size() > kReasonMax) in.refuse();
  return RefusedFrame{std::string{reason}};
}

FrameType put_fields(std::string& out, const AssignFrame& frame) {
  const queue::AssignedJob& job = frame.job;
  put_claim(out, job.claim);
  put_id(out, job.id);
  put(out, static_cast<std::uint32_t>(job.attempt));
  put(out, static_cast<std::uint32_t>(job.attempts_max));
  put(out, static_cast<std::uint32_t>(job.releases));
  put(out, static_cast<std::int64_t>(job.time_limit.count()));
  put(out, job.start_before ? to_us(*job.start_before) : kNoTime);
  put_history(out, job.history);
  put(out, job.capture ? static_cast<std::uint8_t>(job.capture->on) : kNoCapture);
  put(out, job.capture ? job.capture->request.value : 0);
  put_id(out, frame.receipt_horizon);
  put_text<std::uint8_t>(out, job.tenant ? job.tenant->text() : std::string_view{});
  put(out, job.generation.value);
  put_text<std::uint8_t>(out, job.kind);
  put_text<std::uint8_t>(out, job.queue);
  put(out, to_us(job.created));
  put_text<std::uint32_t>(out, job.cursor);
  out += job.envelope;
  return FrameType::assign;
}

Frame take_assign(ByteReader& in) {
  AssignFrame frame;
  queue::AssignedJob& job = frame.job;
  job.claim = take_claim(in);
  job.id = take_id(in);
  job.attempt = take_count(in);
  job.attempts_max = take_count(in);
  job.releases = take_count(in);
  job.time_limit = std::chrono::microseconds{in.take<std::int64_t>()};
  if (job.time_limit.count() < 0) in.refuse();
  const auto start_before = in.take<std::int64_t>();
  if (start_before != kNoTime) job.start_before = from_us(start_before);
  job.history = take_history(in);
  job.capture = take_capture(in);
  frame.receipt_horizon = take_id(in);
  const auto tenant = in.take_text<std::uint8_t>();
  job.generation = Generation{in.take<std::int64_t>()};
  job.kind = in.take_text<std::uint8_t>();
  job.queue = in.take_text<std::uint8_t>();
  job.created = from_us(in.take<std::int64_t>());
  job.cursor = in.take_text<std::uint32_t>();
  if (job.cursor.size() > queue::kCursorMax) in.refuse();
  job.envelope = in.take_rest();
  if (!tenant.empty()) {
    if (auto name = TenantName::parse(tenant)) job.tenant = std::move(*name);
    else in.refuse();
  }
  return frame;
}

FrameType put_fields(std::string& out, const RecallFrame& frame) {
  put_claim(out, frame.claim);
  return FrameType::recall;
}

Frame take_recall(ByteReader& in) { return RecallFrame{take_claim(in)}; }

FrameType put_fields(std::string& out, const StopTokenFrame& frame) {
  put(out, frame.seq.value);
  put(out, frame.reason);
  return FrameType::stop_token;
}

Frame take_stop_token(ByteReader& in) {
  StopTokenFrame frame;
  frame.seq = take_seq(in);
  const auto reason = in.take<std::uint8_t>();
  if (reason < 1 || reason > 3) in.refuse();
  frame.reason = static_cast<StopReason>(reason);
  return frame;
}

FrameType put_fields(std::string& out, const AcknowledgeFrame& frame) {
  put_owner(out, frame.owner);
  put(out, frame.watermark.value);
  return FrameType::acknowledge;
}

std::optional<Frame> take_acknowledge(ByteReader& in) {
  auto owner = take_owner(in);
  const queue::OutboxSeq watermark{in.take<std::int64_t>()};
  if (watermark.value < 0) in.refuse();
  if (!owner) return std::nullopt;
  return AcknowledgeFrame{std::move(*owner), watermark};
}

FrameType put_fields(std::string&, const DrainFrame&) { return FrameType::drain; }

FrameType put_fields(std::string&, const PingFrame&) { return FrameType::ping; }

FrameType put_fields(std::string&, const DescribeFrame&) { return FrameType::describe; }

}  // namespace tenure::daemon
