#include "frame_fields.hpp"

#include <tenure/daemon/frames.hpp>

#include <utility>

namespace tenure::daemon {
namespace {

constexpr std::size_t kLengthBytes = 4;

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

void put_claim(std::string& out, const queue::ClaimRef& claim) {
  put(out, claim.seq.value);
  put(out, claim.token.incarnation.value);
  put(out, claim.token.counter);
}

queue::JobSeq take_seq(ByteReader& in) { return queue::JobSeq{in.take<std::int64_t>()}; }

queue::ClaimRef take_claim(ByteReader& in) {
  const queue::JobSeq seq = take_seq(in);
  const queue::Incarnation incarnation{in.take<std::int64_t>()};
  return {seq, {incarnation, in.take<std::int64_t>()}};
}

void put_owner(std::string& out, const queue::OutboxOwner& owner) {
  put_text<std::uint8_t>(out, owner.tenant.text());
  put(out, owner.generation.value);
}

std::optional<queue::OutboxOwner> take_owner(ByteReader& in) {
  auto tenant = TenantName::parse(in.take_text<std::uint8_t>());
  const Generation generation{in.take<std::int64_t>()};
  if (tenant && generation.value > 0) return queue::OutboxOwner{std::move(*tenant), generation};
  in.refuse();
  return std::nullopt;
}

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
