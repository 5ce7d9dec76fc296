#include "frame_fields.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/capture.hpp>
#include <tenure/queue/outbox.hpp>
#include <tenure/queue/run.hpp>

#include <string_view>
#include <utility>

// What a worker process sends.
namespace tenure::daemon {
namespace {

constexpr std::uint8_t kNothingDecided = 0;
constexpr std::int64_t kNoResult = 0;  // where a result says for how long it is kept
constexpr std::size_t kCapsuleTextMax = 1024;
constexpr std::size_t kCapsuleWhereMax = 255;

// What a `finished` says of an outbox.
enum class OutboxTold : std::uint8_t { nothing = 0, all_rows = 1, first_rows = 2 };

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

void put_result(std::string& out, const std::optional<queue::JobResult>& result) {
  put(out, static_cast<std::int64_t>(result ? result->keep_for.count() : kNoResult));
  put_text<std::uint32_t>(out, result ? std::string_view{result->text} : std::string_view{});
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

void put_decision(std::string& out, const std::optional<queue::RunDecision>& decision) {
  if (!decision) return put(out, kNothingDecided);
  put(out, decision->what);
  put(out, decision->reason);
  put(out, static_cast<std::int64_t>(decision->wait.count()));
  put_text<std::uint8_t>(out, decision->rule);
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

}  // namespace

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

FrameType put_fields(std::string&, const PongFrame&) { return FrameType::pong; }

FrameType put_fields(std::string&, const LeavingFrame&) { return FrameType::leaving; }

}  // namespace tenure::daemon
