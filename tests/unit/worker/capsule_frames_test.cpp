#include <tenure/base/limits.hpp>
#include <tenure/daemon/frames.hpp>
#include <tenure/queue/capture.hpp>

#include <gtest/gtest.h>

#include <string>

// What frames tell of captures; that they read back equal, and their bytes, is tested with the other frames.
namespace tenure::daemon {
namespace {

using queue::Incarnation;
using queue::JobSeq;

FinishedFrame with_capsule() {
  FinishedFrame frame{{.claim = {JobSeq{1}, {Incarnation{2}, 3}}, .failure = {}}};
  frame.end.capsule = queue::TakenCapsule{queue::CaptureNumber{6}, "a.capsule"};
  return frame;
}

FinishedFrame without_capsule() {
  FinishedFrame frame = with_capsule();
  frame.end.capsule->file.clear();
  frame.end.capsule->failure = Failure{ErrorCode::limit_reached, "too large", {}, "invoice"};
  return frame;
}

AssignFrame captured_job() {
  AssignFrame frame;
  frame.job.kind = "billing.close";
  frame.job.capture = queue::CaptureWish{queue::CaptureNumber{6}, queue::CaptureOn::success};
  return frame;
}

std::string bytes_of_frame(const Frame& frame) {
  std::string bytes;
  write_frame(bytes, frame);
  return bytes;
}

ErrorCode read_or_refusal(const std::string& bytes) {
  FrameReader reader;
  reader.feed(bytes);
  const auto frame = reader.next();
  return frame.has_value() ? ErrorCode::internal : frame.error().code;
}

TEST(CapsuleFrames, ACapsuleOutsideItsSetIsRefused) {
  const auto refused = [](auto change) {
    FinishedFrame frame = with_capsule();
    change(*frame.end.capsule);
    return read_or_refusal(bytes_of_frame(frame)) == ErrorCode::protocol_violation;
  };
  using queue::TakenCapsule;
  EXPECT_FALSE(refused([](TakenCapsule&) {}));
  EXPECT_TRUE(refused([](TakenCapsule& capsule) { capsule.request = queue::CaptureNumber{0}; }));
  for (const char* const name : {"", "a/b", "..", ".hidden", "a\x01z", "\xff"})
    EXPECT_TRUE(refused([&](TakenCapsule& capsule) { capsule.file = name; })) << name;
  EXPECT_FALSE(refused([](TakenCapsule& capsule) { capsule.file.assign(queue::kCapsuleFileMax, 'a'); }));
  std::string unknown = bytes_of_frame(FinishedFrame{});
  unknown.back() = 3;
  EXPECT_EQ(read_or_refusal(unknown), ErrorCode::protocol_violation);
  std::string captured = bytes_of_frame(captured_job());
  const std::size_t wish = 4 + 1 + 24 + 16 + 12 + 8 + 8 + 8 + 1;
  for (const char on : {'\0', '\4'}) {
    captured[wish] = on;
    EXPECT_EQ(read_or_refusal(captured), ErrorCode::protocol_violation)
        << "a request without an end, an end that is none";
  }
}

TEST(CapsuleFrames, WhyThereIsNoCapsuleIsCutBetweenCharacters) {
  FinishedFrame frame = without_capsule();
  std::string& message = frame.end.capsule->failure->message;
  message = "x";  // so that the limit is in the middle of a character
  for (std::size_t i = 0; i < limits::kErrorTextMax; ++i) message += "\xc3\xa4";
  FrameReader reader;
  reader.feed(bytes_of_frame(frame));
  const auto read = reader.next();
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(std::get<FinishedFrame>(**read).end.capsule->failure->message.size(), 1023U);
}

}  // namespace
}  // namespace tenure::daemon
