#include <tenure/base/bytes.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/base/text.hpp>
#include <tenure/daemon/frames.hpp>
#include <tenure/queue/capture.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace tenure::daemon {
namespace {

using queue::ClaimRef;
using queue::Incarnation;
using queue::JobId;
using queue::JobSeq;

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

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kReasonMax = 1024;
constexpr std::uint8_t kNoCapture = 0;
constexpr std::uint8_t kNothingDecided = 0;
constexpr std::int64_t kNoResult = 0;  // where a result says for how long it is kept
constexpr std::int64_t kNoTime = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kCapsuleTextMax = 1024;
constexpr std::size_t kCapsuleWhereMax = 255;

// --- Writing. Each function appends the fields behind the type.

void put_claim(std::string& out, const ClaimRef& claim) {
  put(out, claim.seq.value);
  put(out, claim.token.incarnation.value);
  put(out, claim.token.counter);
}

void put_id(std::string& out, const JobId& id) {
  const auto& bytes = id.uuid.bytes();
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

FrameType put_fields(std::string& out, const HelloFrame& frame) {
  put(out, frame.protocol_min);
  put(out, frame.protocol_max);
  put_text<std::uint8_t>(out, cut_utf8(frame.program_version, 255));
  put(out, static_cast<std::uint16_t>(frame.kinds.size()));
  for (const KindOffer& kind : frame.kinds) {
    put_text<std::uint8_t>(out, kind.name);
    put_text<std::uint8_t>(out, kind.queue);
    put(out, kind.schema_min);
    put(out, kind.schema_max);
    put(out, static_cast<std::uint32_t>(kind.time_limit.count()));
    put(out, static_cast<std::uint8_t>(kind.reads_only));
  }
  return FrameType::hello;
}

// What a `finished` says of an outbox.
enum class OutboxTold : std::uint8_t { nothing = 0, all_rows = 1, first_rows = 2 };

void put_owner(std::string& out, const queue::OutboxOwner& owner) {
  put_text<std::uint8_t>(out, owner.tenant.text());
  put(out, owner.generation.value);
}

void put_outbox(std::string& out, const std::optional<queue::OutboxReport>& outbox) {
  if (!outbox) return put(out, OutboxTold::nothing);
  put(out, outbox->is_all ? OutboxTold::all_rows : OutboxTold::first_rows);
  put_owner(out, outbox->owner);
  put(out, outbox->rows.newest.value);
  put(out, static_cast<std::uint32_t>(outbox->rows.rows.size()));
  for (const queue::OutboxRow& row : outbox->rows.rows) {
    put(out, row.seq.value);
    put_text<std::uint32_t>(out, row.text);
  }
}

// What a `finished` says of a capsule.
enum class CapsuleTold : std::uint8_t { nothing = 0, taken = 1, failed = 2 };

void put_capsule(std::string& out, const std::optional<queue::TakenCapsule>& capsule) {
  if (!capsule) return put(out, CapsuleTold::nothing);
  put(out, capsule->failure ? CapsuleTold::failed : CapsuleTold::taken);
  put(out, capsule->request.value);
  if (!capsule->failure) return put_text<std::uint8_t>(out, capsule->file);
  put(out, capsule->failure->code);
  put_text<std::uint16_t>(out, cut_utf8(capsule->failure->message, kCapsuleTextMax));
  put_text<std::uint8_t>(out, cut_utf8(capsule->failure->where, kCapsuleWhereMax));
}

void put_result(std::string& out, const std::optional<queue::JobResult>& result) {
  put(out, static_cast<std::int64_t>(result ? result->keep_for.count() : kNoResult));
  put_text<std::uint32_t>(out, result ? std::string_view{result->text} : std::string_view{});
}

void put_decision(std::string& out, const std::optional<queue::RunDecision>& decision) {
  if (!decision) return put(out, kNothingDecided);
  put(out, decision->what);
  put(out, decision->reason);
  put(out, static_cast<std::int64_t>(decision->wait.count()));
  put_text<std::uint8_t>(out, decision->rule);
}

FrameType put_fields(std::string& out, const FinishedFrame& frame) {
  put_claim(out, frame.end.claim);
  put(out, frame.end.result);
  put(out, static_cast<std::int64_t>(frame.end.run_time.count()));
  put(out, frame.end.failure.code);
  put_text<std::uint32_t>(out, cut_utf8(frame.end.failure.error, limits::kErrorTextMax));
  put_decision(out, frame.end.decision);
  put_outbox(out, frame.end.outbox);
  put_capsule(out, frame.end.capsule);
  put_result(out, frame.end.returned);
  return FrameType::finished;
}

FrameType put_fields(std::string& out, const ProgressFrame& frame) {
  put_claim(out, frame.news.claim);
  put(out, static_cast<std::uint8_t>(frame.news.progress ? 1 : 0));
  const queue::Progress progress = frame.news.progress.value_or(queue::Progress{});
  put(out, progress.done);
  put(out, progress.total);
  put_text<std::uint16_t>(out, cut_utf8(progress.text, queue::kProgressTextMax));
  put_text<std::uint32_t>(out, frame.news.cursor);
  return FrameType::progress;
}

FrameType put_fields(std::string&, const PongFrame&) { return FrameType::pong; }

FrameType put_fields(std::string&, const LeavingFrame&) { return FrameType::leaving; }

FrameType put_fields(std::string& out, const AcknowledgeFrame& frame) {
  put_owner(out, frame.owner);
  put(out, frame.watermark.value);
  return FrameType::acknowledge;
}

FrameType put_fields(std::string& out, const WelcomeFrame& frame) {
  put(out, frame.protocol);
  put(out, frame.slots);
  return FrameType::welcome;
}

FrameType put_fields(std::string& out, const RefusedFrame& frame) {
  put_text<std::uint16_t>(out, cut_utf8(frame.reason, kReasonMax));
  return FrameType::refused;
}

void put_history(std::string& out, const queue::FailureHistory& history) {
  put(out, history.first ? to_us(*history.first) : kNoTime);
  put(out, static_cast<std::uint8_t>(history.by_rule.size()));
  for (const queue::RuleCount& count : history.by_rule) {
    put_text<std::uint8_t>(out, count.rule);
    put(out, static_cast<std::uint32_t>(count.failures));
  }
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

FrameType put_fields(std::string& out, const RecallFrame& frame) {
  put_claim(out, frame.claim);
  return FrameType::recall;
}

FrameType put_fields(std::string& out, const StopTokenFrame& frame) {
  put(out, frame.seq.value);
  put(out, frame.reason);
  return FrameType::stop_token;
}

FrameType put_fields(std::string&, const DrainFrame&) { return FrameType::drain; }

FrameType put_fields(std::string&, const PingFrame&) { return FrameType::ping; }

FrameType put_fields(std::string&, const DescribeFrame&) { return FrameType::describe; }

// --- Reading. A value outside its set refuses the whole frame.

JobSeq take_seq(ByteReader& in) { return JobSeq{in.take<std::int64_t>()}; }

ClaimRef take_claim(ByteReader& in) {
  const JobSeq seq = take_seq(in);
  const Incarnation incarnation{in.take<std::int64_t>()};
  return {seq, {incarnation, in.take<std::int64_t>()}};
}

int take_count(ByteReader& in) {
  const auto count = in.take<std::uint32_t>();
  if (!std::in_range<int>(count)) in.refuse();
  return static_cast<int>(count);
}

// All zero where the frame ends before it, which refuses the frame.
JobId take_id(ByteReader& in) {
  return JobId{Uuid::from_bytes(as_bytes(in.take_bytes(Uuid::kSize))).value_or(Uuid{})};
}

Frame take_hello(ByteReader& in) {
  HelloFrame frame;
  frame.protocol_min = in.take<std::uint16_t>();
  frame.protocol_max = in.take<std::uint16_t>();
  frame.program_version = in.take_text<std::uint8_t>();
  const std::size_t count = in.take<std::uint16_t>();
  if (count > kHelloKindsMax || frame.protocol_min > frame.protocol_max) in.refuse();
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    KindOffer kind;
    kind.name = in.take_text<std::uint8_t>();
    kind.queue = in.take_text<std::uint8_t>();
    kind.schema_min = in.take<std::uint32_t>();
    kind.schema_max = in.take<std::uint32_t>();
    kind.time_limit = std::chrono::milliseconds{in.take<std::uint32_t>()};
    const auto reads_only = in.take<std::uint8_t>();
    kind.reads_only = reads_only == 1;
    if (kind.time_limit > limits::kTimeLimitMax || reads_only > 1) in.refuse();
    if (kind.name.empty() || kind.name.size() > limits::kKindNameMax) in.refuse();
    if (kind.queue.empty() || kind.queue.size() > limits::kQueueNameMax) in.refuse();
    frame.kinds.push_back(std::move(kind));
  }
  return frame;
}

std::optional<queue::OutboxOwner> take_owner(ByteReader& in) {
  auto tenant = TenantName::parse(in.take_text<std::uint8_t>());
  const Generation generation{in.take<std::int64_t>()};
  if (tenant && generation.value > 0) return queue::OutboxOwner{std::move(*tenant), generation};
  in.refuse();
  return std::nullopt;
}

// Numbers grow, and the file has given each of them.
void take_outbox_rows(ByteReader& in, queue::OutboxRows& rows) {
  rows.newest = queue::OutboxSeq{in.take<std::int64_t>()};
  const std::size_t count = in.take<std::uint32_t>();
  if (count > queue::kOutboxPageRows || rows.newest.value < 0) in.refuse();
  queue::OutboxSeq last{0};
  for (std::size_t each = 0; each < count && in.ok(); ++each) {
    const queue::OutboxSeq seq{in.take<std::int64_t>()};
    rows.rows.push_back({seq, std::string{in.take_text<std::uint32_t>()}});
    if (seq <= last || seq > rows.newest) in.refuse();
    last = seq;
  }
}

std::optional<queue::OutboxReport> take_outbox(ByteReader& in) {
  const auto told = in.take<std::uint8_t>();
  if (told == static_cast<std::uint8_t>(OutboxTold::nothing)) return std::nullopt;
  if (told > static_cast<std::uint8_t>(OutboxTold::first_rows)) in.refuse();
  auto owner = take_owner(in);
  if (!owner) return std::nullopt;
  queue::OutboxReport report{.owner = std::move(*owner),
                             .is_all = told == static_cast<std::uint8_t>(OutboxTold::all_rows)};
  take_outbox_rows(in, report.rows);
  return report;
}

std::optional<queue::TakenCapsule> take_capsule(ByteReader& in) {
  const auto told = in.take<std::uint8_t>();
  if (told == static_cast<std::uint8_t>(CapsuleTold::nothing)) return std::nullopt;
  queue::TakenCapsule capsule{.request = queue::CaptureNumber{in.take<std::int64_t>()}, .file = {}};
  if (capsule.request.value <= 0) in.refuse();
  if (told == static_cast<std::uint8_t>(CapsuleTold::taken)) {
    capsule.file = in.take_text<std::uint8_t>();
    if (!queue::is_capsule_file_name(capsule.file)) in.refuse();
    return capsule;
  }
  if (told != static_cast<std::uint8_t>(CapsuleTold::failed)) in.refuse();
  Failure failure{.code = static_cast<ErrorCode>(in.take<std::uint16_t>()), .message = {}};
  failure.message = in.take_text<std::uint16_t>();
  failure.where = in.take_text<std::uint8_t>();
  if (failure.message.size() > kCapsuleTextMax) in.refuse();
  capsule.failure = std::move(failure);
  return capsule;
}

std::optional<queue::JobResult> take_result(ByteReader& in) {
  const auto keep_for = in.take<std::int64_t>();
  queue::JobResult result{std::string{in.take_text<std::uint32_t>()}, std::chrono::milliseconds{keep_for}};
  if (keep_for == kNoResult) {
    if (!result.text.empty()) in.refuse();
    return std::nullopt;
  }
  if (!queue::is_valid(result) || !is_utf8(result.text)) in.refuse();
  return result;
}

std::optional<queue::RunDecision> take_decision(ByteReader& in) {
  const auto what = in.take<std::uint8_t>();
  if (what == kNothingDecided) return std::nullopt;
  queue::RunDecision decision{.what = static_cast<queue::Decided>(what), .rule = {}};
  decision.reason = static_cast<queue::JobReason>(in.take<std::uint8_t>());
  decision.wait = std::chrono::microseconds{in.take<std::int64_t>()};
  decision.rule = in.take_text<std::uint8_t>();
  if (!queue::is_valid(decision)) in.refuse();
  return decision;
}

Frame take_finished(ByteReader& in) {
  queue::AttemptEnd end;
  end.claim = take_claim(in);
  const auto result = in.take<std::uint8_t>();
  if (result < 1 || result > 4) in.refuse();
  end.result = static_cast<queue::RunResult>(result);
  end.run_time = std::chrono::microseconds{in.take<std::int64_t>()};
  end.failure.code = static_cast<ErrorCode>(in.take<std::uint16_t>());
  end.failure.error = in.take_text<std::uint32_t>();
  if (end.run_time.count() < 0 || end.failure.error.size() > limits::kErrorTextMax) in.refuse();
  end.decision = take_decision(in);
  if (end.decision && end.result != queue::RunResult::failed) in.refuse();
  end.outbox = take_outbox(in);
  end.capsule = take_capsule(in);
  end.returned = take_result(in);
  if (end.returned && end.result != queue::RunResult::succeeded) in.refuse();
  return FinishedFrame{std::move(end)};
}

Frame take_progress(ByteReader& in) {
  queue::RunNews news;
  news.claim = take_claim(in);
  const auto has_progress = in.take<std::uint8_t>();
  queue::Progress progress;
  progress.done = in.take<std::int64_t>();
  progress.total = in.take<std::int64_t>();
  progress.text = in.take_text<std::uint16_t>();
  news.cursor = in.take_text<std::uint32_t>();
  if (has_progress > 1 || progress.done < 0 || progress.total < 0 ||
      progress.text.size() > queue::kProgressTextMax || !is_utf8(progress.text) ||
      news.cursor.size() > queue::kCursorMax)
    in.refuse();
  if (has_progress == 1) news.progress = std::move(progress);
  return ProgressFrame{std::move(news)};
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

Frame take_recall(ByteReader& in) { return RecallFrame{take_claim(in)}; }

Frame take_stop_token(ByteReader& in) {
  StopTokenFrame frame;
  frame.seq = take_seq(in);
  const auto reason = in.take<std::uint8_t>();
  if (reason < 1 || reason > 3) in.refuse();
  frame.reason = static_cast<StopReason>(reason);
  return frame;
}

Frame take_welcome(ByteReader& in) {
  WelcomeFrame frame;
  frame.protocol = in.take<std::uint16_t>();
  frame.slots = in.take<std::uint16_t>();
  if (frame.slots == 0) in.refuse();
  return frame;
}

std::optional<Frame> take_acknowledge(ByteReader& in) {
  auto owner = take_owner(in);
  const queue::OutboxSeq watermark{in.take<std::int64_t>()};
  if (watermark.value < 0) in.refuse();
  if (!owner) return std::nullopt;
  return AcknowledgeFrame{std::move(*owner), watermark};
}

Frame take_refused(ByteReader& in) {
  const auto reason = in.take_text<std::uint16_t>();
  if (reason.size() > kReasonMax) in.refuse();
  return RefusedFrame{std::string{reason}};
}

std::optional<Frame> take_frame(FrameType type, ByteReader& in) {
  switch (type) {
    case FrameType::hello:
      return take_hello(in);
    case FrameType::finished:
      return take_finished(in);
    case FrameType::progress:
      return take_progress(in);
    case FrameType::pong:
      return PongFrame{};
    case FrameType::leaving:
      return LeavingFrame{};
    case FrameType::welcome:
      return take_welcome(in);
    case FrameType::refused:
      return take_refused(in);
    case FrameType::assign:
      return take_assign(in);
    case FrameType::recall:
      return take_recall(in);
    case FrameType::stop_token:
      return take_stop_token(in);
    case FrameType::drain:
      return DrainFrame{};
    case FrameType::ping:
      return PingFrame{};
    case FrameType::describe:
      return DescribeFrame{};
    case FrameType::acknowledge:
      return take_acknowledge(in);
  }
  return std::nullopt;
}

}  // namespace

void write_frame(std::string& out, const Frame& frame) {
  const std::size_t start = out.size();
  out.append(kLengthBytes + 1, '\0');
  const FrameType type = std::visit([&](const auto& fields) { return put_fields(out, fields); }, frame);
  const std::size_t length = out.size() - start - kLengthBytes;
  TENURE_INVARIANT(length <= kFrameMax);
  std::string head;
  put(head, static_cast<std::uint32_t>(length));
  put(head, type);
  out.replace(start, head.size(), head);
}

void FrameReader::feed(std::string_view bytes) {
  if (start_ == buffer_.size()) {
    buffer_.clear();
    start_ = 0;
  } else if (start_ > kFrameMax) {
    buffer_.erase(0, start_);
    start_ = 0;
  }
  buffer_ += bytes;
}

Result<std::optional<Frame>> FrameReader::next() {
  const std::string_view unread = std::string_view{buffer_}.substr(start_);
  if (unread.size() < kLengthBytes) return std::nullopt;
  const std::size_t length = ByteReader{unread}.take<std::uint32_t>();
  if (length == 0 || length > kFrameMax)
    return fail(ErrorCode::protocol_violation, "a frame of " + std::to_string(length) + " bytes; 1 to " +
                                                   std::to_string(kFrameMax) + " are allowed");
  if (unread.size() < kLengthBytes + length) return std::nullopt;

  ByteReader in{unread.substr(kLengthBytes, length)};
  const auto type = in.take<std::uint8_t>();
  std::optional<Frame> frame = take_frame(static_cast<FrameType>(type), in);
  start_ += kLengthBytes + length;
  if (!frame) return fail(ErrorCode::protocol_violation, "a frame of unknown type " + std::to_string(type));
  if (!in.ok_and_empty())
    return fail(ErrorCode::protocol_violation, "a damaged frame of type " + std::to_string(type));
  return frame;
}

}  // namespace tenure::daemon
