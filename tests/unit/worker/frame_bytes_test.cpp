#include "frame_samples.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace tenure::daemon {
namespace {

using queue::Incarnation;
using queue::JobSeq;
using queue::RunResult;

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text += kDigits[static_cast<unsigned char>(byte) >> 4U];
    text += kDigits[static_cast<unsigned char>(byte) & 0xFU];
  }
  return text;
}

// The bytes are a contract between versions that run side by side.
TEST(Frames, BytesOnTheWireAreFixed) {
  EXPECT_EQ(hex(written(PingFrame{})),
            "01000000"
            "27");
  EXPECT_EQ(hex(written(PongFrame{})),
            "01000000"
            "05");
  EXPECT_EQ(hex(written(LeavingFrame{})),
            "01000000"
            "06");
  EXPECT_EQ(hex(written(DescribeFrame{})),
            "01000000"
            "28");
  EXPECT_EQ(hex(written(HelloFrame{.program_version = "v2",
                                   .kinds = {{"a.b", "q", 1, 2, std::chrono::milliseconds{3}, true}}})),
            "1d000000"
            "01"
            "0100"
            "0100"
            "02"
            "7632"
            "0100"
            "03"
            "612e62"
            "0171"
            "01000000"
            "02000000"
            "03000000"
            "01");
  EXPECT_EQ(hex(written(WelcomeFrame{.protocol = 1, .slots = 3})),
            "05000000"
            "20"
            "0100"
            "0300");
  EXPECT_EQ(hex(written(FinishedFrame{{{JobSeq{258}, {Incarnation{3}, 7}},
                                       RunResult::failed,
                                       std::chrono::microseconds{9},
                                       {ErrorCode::interrupted, "no"}}})),
            "39000000"
            "02"
            "0201000000000000"
            "0300000000000000"
            "0700000000000000"
            "02"
            "0900000000000000"
            "5a00"
            "02000000"
            "6e6f"
            "00"
            "00"
            "00"
            "0000000000000000"
            "00000000");
  EXPECT_EQ(hex(written(sample_with_outbox())),
            "6a000000"
            "02"
            "0100000000000000"
            "0200000000000000"
            "0300000000000000"
            "01"
            "0900000000000000"
            "0000"
            "00000000"
            "00"
            "02"
            "04"
            "61636d65"
            "0400000000000000"
            "0900000000000000"
            "02000000"
            "0700000000000000"
            "02000000"
            "6f6e"
            "0900000000000000"
            "00000000"
            "00"
            "0000000000000000"
            "00000000");
  EXPECT_EQ(hex(written(sample_with_capsule())),
            "49000000"
            "02"
            "0100000000000000"
            "0200000000000000"
            "0300000000000000"
            "01"
            "0900000000000000"
            "0000"
            "00000000"
            "00"
            "00"
            "01"
            "0600000000000000"
            "09"
            "612e63617073756c65"
            "0000000000000000"
            "00000000");
  EXPECT_EQ(hex(written(sample_with_result())),
            "3a000000"
            "02"
            "0100000000000000"
            "0200000000000000"
            "0300000000000000"
            "01"
            "0900000000000000"
            "0000"
            "00000000"
            "00"
            "00"
            "00"
            "60ea000000000000"
            "03000000"
            "5b315d");
  EXPECT_EQ(hex(written(sample_without_capsule())),
            "54000000"
            "02"
            "0100000000000000"
            "0200000000000000"
            "0300000000000000"
            "01"
            "0900000000000000"
            "0000"
            "00000000"
            "00"
            "00"
            "02"
            "0600000000000000"
            "2300"
            "0900"
            "746f6f206c61726765"
            "07"
            "696e766f696365"
            "0000000000000000"
            "00000000");
  EXPECT_EQ(hex(written(AcknowledgeFrame{{TenantName{"acme"}, Generation{4}}, queue::OutboxSeq{9}})),
            "16000000"
            "26"
            "04"
            "61636d65"
            "0400000000000000"
            "0900000000000000");
  EXPECT_EQ(hex(written(StopTokenFrame{.seq = JobSeq{258}, .reason = StopReason::operator_asked})),
            "0a000000"
            "24"
            "0201000000000000"
            "02");
  EXPECT_EQ(hex(written(DrainFrame{})),
            "01000000"
            "25");
  EXPECT_EQ(hex(written(RecallFrame{{JobSeq{258}, {Incarnation{3}, 7}}})),
            "19000000"
            "23"
            "0201000000000000"
            "0300000000000000"
            "0700000000000000");
  EXPECT_EQ(
      hex(written(ProgressFrame{{{JobSeq{258}, {Incarnation{3}, 7}}, queue::Progress{4, 5, "no"}, "c9"}})),
      "34000000"
      "04"
      "0201000000000000"
      "0300000000000000"
      "0700000000000000"
      "01"
      "0400000000000000"
      "0500000000000000"
      "0200"
      "6e6f"
      "02000000"
      "6339");
  EXPECT_EQ(hex(written(sample_assign())),
            "af000000"
            "22"
            "0201000000000000"
            "0300000000000000"
            "0700000000000000"
            "019cadfffbe97e608d13c2a9945b7a01"
            "02000000"
            "0a000000"
            "03000000"
            "0500000000000000"
            "01401e18240a0600"
            "0500000000000000"
            "01"
            "01"
            "45"
            "02000000"
            "02"
            "0600000000000000"
            "019cadfe0000700080000000000000ff"
            "04"
            "61636d65"
            "0400000000000000"
            "14"
            "62696c6c696e672e73656e645f696e766f696365"
            "07"
            "6d61696c657273"
            "0600000000000000"
            "02000000"
            "6339"
            "74656e7572652f310078");
}

}  // namespace
}  // namespace tenure::daemon
