#include <tenure/base/limits.hpp>
#include <tenure/base/random.hpp>
#include <tenure/daemon/frames.hpp>
#include <tenure/queue/envelope.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tenure::daemon {
namespace {

using queue::Incarnation;
using queue::JobId;
using queue::JobSeq;
using queue::RunResult;

AssignFrame sample_assign() {
  return {.job = {.claim = {JobSeq{258}, {Incarnation{3}, 7}},
                  .id = JobId{*Uuid::parse("019cadff-fbe9-7e60-8d13-c2a9945b7a01")},
                  .tenant = TenantName{"acme"},
                  .generation = Generation{4},
                  .kind = "billing.send_invoice",
                  .envelope = std::string{"tenure/1\0x", 10},
                  .cursor = "c9",
                  .attempt = 2,
                  .attempts_max = 10,
                  .releases = 3,
                  .time_limit = std::chrono::microseconds{5},
                  .capture = queue::CaptureWish{queue::CaptureNumber{6}, queue::CaptureOn::success},
                  .start_before = from_us(1'700'000'000'000'001),
                  .history = {.by_rule = {{"E", 2}}, .first = from_us(5)},
                  .queue = "mailers",
                  .created = from_us(6)},
          .receipt_horizon = JobId{*Uuid::parse("019cadfe-0000-7000-8000-0000000000ff")}};
}

FinishedFrame sample_with_outbox() {
  FinishedFrame frame{
      {{JobSeq{1}, {Incarnation{2}, 3}}, RunResult::succeeded, std::chrono::microseconds{9}, {}}};
  frame.end.failure.code = ErrorCode{};
  frame.end.outbox = queue::OutboxReport{
      .owner = {TenantName{"acme"}, Generation{4}},
      .rows = {queue::OutboxSeq{9}, {{queue::OutboxSeq{7}, "on"}, {queue::OutboxSeq{9}, ""}}},
      .is_all = false};
  return frame;
}

FinishedFrame sample_with_capsule() {
  FinishedFrame frame{
      {{JobSeq{1}, {Incarnation{2}, 3}}, RunResult::succeeded, std::chrono::microseconds{9}, {}}};
  frame.end.failure.code = ErrorCode{};
  frame.end.capsule = queue::TakenCapsule{queue::CaptureNumber{6}, "a.capsule"};
  return frame;
}

FinishedFrame sample_with_result() {
  FinishedFrame frame{
      {{JobSeq{1}, {Incarnation{2}, 3}}, RunResult::succeeded, std::chrono::microseconds{9}, {}}};
  frame.end.failure.code = ErrorCode{};
  frame.end.returned = queue::JobResult{"[1]", std::chrono::minutes{1}};
  return frame;
}

FinishedFrame sample_without_capsule() {
  FinishedFrame frame = sample_with_capsule();
  frame.end.capsule->file.clear();
  frame.end.capsule->failure = Failure{ErrorCode::limit_reached, "too large", {}, "invoice"};
  return frame;
}

FinishedFrame sample_decided(const queue::RunDecision& decision) {
  FinishedFrame frame{{{JobSeq{1}, {Incarnation{2}, 3}},
                       RunResult::failed,
                       std::chrono::microseconds{9},
                       {ErrorCode::handler_failed, "no"}}};
  frame.end.decision = decision;
  return frame;
}

std::vector<Frame> samples() {
  AssignFrame untenanted = sample_assign();
  untenanted.job.capture.reset();
  untenanted.job.start_before.reset();
  untenanted.job.history = {};
  untenanted.job.tenant.reset();
  untenanted.job.generation = {};
  untenanted.receipt_horizon = {};
  untenanted.job.envelope.clear();
  untenanted.job.cursor.clear();
  FinishedFrame all_rows = sample_with_outbox();
  all_rows.end.outbox->is_all = true;
  FinishedFrame unread = sample_with_outbox();
  unread.end.outbox->rows = {};
  return {
      HelloFrame{.program_version = "billing 1.2", .kinds = {{"a.b", "default"}, {"a.c", "reports", 41, 42}}},
      FinishedFrame{
          {{JobSeq{1}, {Incarnation{2}, 3}}, RunResult::succeeded, std::chrono::microseconds{9}, {}}},
      FinishedFrame{{{JobSeq{1}, {Incarnation{2}, 3}},
                     RunResult::failed,
                     std::chrono::microseconds{0},
                     {ErrorCode::wrong_tenant, "no"}}},
      FinishedFrame{{{JobSeq{9}, {}}, RunResult::not_started, std::chrono::microseconds{0}, {}}},
      FinishedFrame{{{JobSeq{9}, {}}, RunResult::expired, std::chrono::microseconds{0}, {}}},
      ProgressFrame{{{JobSeq{1}, {Incarnation{2}, 3}}, queue::Progress{4, 5, "importing"}, "c\n7"}},
      ProgressFrame{{{JobSeq{1}, {Incarnation{2}, 3}}, std::nullopt, "c7"}},
      ProgressFrame{{{JobSeq{1}, {Incarnation{2}, 3}}, queue::Progress{4, 0, ""}, ""}},
      PongFrame{},
      LeavingFrame{},
      DescribeFrame{},
      WelcomeFrame{.protocol = 1, .slots = 3},
      RefusedFrame{"too old"},
      sample_assign(),
      untenanted,
      RecallFrame{{JobSeq{5}, {Incarnation{6}, 7}}},
      StopTokenFrame{JobSeq{8}, StopReason::time_limit},
      DrainFrame{},
      PingFrame{},
      sample_with_outbox(),
      all_rows,
      unread,
      sample_with_capsule(),
      sample_without_capsule(),
      sample_with_result(),
      sample_decided({.what = queue::Decided::retry, .wait = std::chrono::microseconds{7}, .rule = "E"}),
      sample_decided({.what = queue::Decided::discard, .rule = ""}),
      sample_decided({.what = queue::Decided::dead, .reason = queue::JobReason::time_exhausted, .rule = ""}),
      sample_decided({.what = queue::Decided::put_off, .wait = std::chrono::hours{24 * 3650}, .rule = ""}),
      AcknowledgeFrame{{TenantName{"acme"}, Generation{4}}, queue::OutboxSeq{9}},
  };
}

std::string written(const Frame& frame) {
  std::string bytes;
  write_frame(bytes, frame);
  return bytes;
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text += kDigits[static_cast<unsigned char>(byte) >> 4U];
    text += kDigits[static_cast<unsigned char>(byte) & 0xFU];
  }
  return text;
}

TEST(Frames, EachReadsBackEqual) {
  for (const Frame& frame : samples()) {
    FrameReader reader;
    reader.feed(written(frame));
    const auto read = reader.next();
    ASSERT_TRUE(read.has_value()) << read.error().text();
    ASSERT_TRUE(read->has_value());
    EXPECT_TRUE(**read == frame) << "type " << frame.index();
    EXPECT_EQ(reader.pending(), 0U);
  }
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

TEST(Frames, ArriveInAnyPieces) {
  std::string stream;
  for (const Frame& frame : samples()) write_frame(stream, frame);
  for (const std::size_t piece : {1UL, 2UL, 3UL, 7UL, 64UL, stream.size()}) {
    FrameReader reader;
    std::size_t frames = 0;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      reader.feed(std::string_view{stream}.substr(at, piece));
      while (true) {
        const auto frame = reader.next();
        ASSERT_TRUE(frame.has_value());
        if (!*frame) break;
        EXPECT_TRUE(**frame == samples()[frames]);
        ++frames;
      }
    }
    EXPECT_EQ(frames, samples().size()) << "pieces of " << piece;
  }
}

ErrorCode refusal_of(const std::string& bytes) {
  FrameReader reader;
  reader.feed(bytes);
  const auto frame = reader.next();
  return frame.has_value() ? ErrorCode::internal : frame.error().code;
}

std::string with_length(std::string_view body) {
  std::string bytes;
  for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(body.size() >> shift & 0xFFU);
  return bytes.append(body);
}

// Which the dispatcher would carry out.
TEST(Frames, LSE_15_ADecisionThatIsNoneIsRefused) {
  using queue::Decided;
  using queue::JobReason;
  using std::chrono::microseconds;
  const std::vector<queue::RunDecision> bad{
      {.what = Decided{5}, .rule = ""},
      {.what = Decided::retry, .reason = JobReason::by_rule, .rule = ""},
      {.what = Decided::retry, .wait = microseconds{-1}, .rule = ""},
      {.what = Decided::put_off, .wait = queue::kDecidedWaitMax + microseconds{1}, .rule = ""},
      {.what = Decided::retry, .rule = std::string(queue::kRuleNameMax + 1, 'r')},
      {.what = Decided::dead, .reason = JobReason::none, .rule = ""},
      {.what = Decided::dead, .reason = JobReason::poison, .rule = ""},
      {.what = Decided::dead, .reason = JobReason::by_operator, .rule = ""},
      {.what = Decided::discard, .reason = JobReason::expired, .rule = ""}};
  for (const queue::RunDecision& decision : bad)
    EXPECT_EQ(refusal_of(written(sample_decided(decision))), ErrorCode::protocol_violation);
  FinishedFrame succeeded = sample_decided({.what = Decided::discard, .rule = ""});
  succeeded.end.result = RunResult::succeeded;
  EXPECT_EQ(refusal_of(written(succeeded)), ErrorCode::protocol_violation);
}

TEST(Frames, LSE_15_GarbageIsRefused) {
  EXPECT_EQ(refusal_of(std::string(4, '\0')), ErrorCode::protocol_violation) << "no type";
  EXPECT_EQ(refusal_of("\xff\xff\xff\xff"), ErrorCode::protocol_violation)
      << "an over-long frame, before its bytes";
  EXPECT_EQ(refusal_of(with_length("\x7f")), ErrorCode::protocol_violation) << "an unknown type";
  EXPECT_EQ(refusal_of(with_length(std::string{"\x25"} + "x")), ErrorCode::protocol_violation)
      << "a byte too many";
}

TEST(Frames, LSE_15_EveryTruncatedFrameIsRefused) {
  for (const Frame& frame : samples()) {
    if (std::holds_alternative<AssignFrame>(frame)) continue;  // its payload is whatever is left
    const std::string body = written(frame).substr(4);
    for (std::size_t size = 1; size < body.size(); ++size)
      EXPECT_EQ(refusal_of(with_length(body.substr(0, size))), ErrorCode::protocol_violation)
          << "type " << frame.index() << " cut to " << size;
  }
}

TEST(Frames, LSE_15_ValuesOutsideTheirSetAreRefused) {
  std::string finished = written(FinishedFrame{});
  finished[4 + 1 + 24] = 9;  // behind type, seq and token
  EXPECT_EQ(refusal_of(finished), ErrorCode::protocol_violation);
  for (const std::size_t field : {24U, 25U + 7U, 33U + 7U}) {  // the flag; the signs of done and total
    std::string progress = written(ProgressFrame{{{}, queue::Progress{1, 2, ""}, ""}});
    progress[4 + 1 + field] = '\x80';
    EXPECT_EQ(refusal_of(progress), ErrorCode::protocol_violation) << field;
  }
  std::string stop_token = written(StopTokenFrame{});
  stop_token.back() = 0;
  EXPECT_EQ(refusal_of(stop_token), ErrorCode::protocol_violation);
  std::string assign = written(sample_assign());
  assign[assign.find("acme")] = 'A';
  EXPECT_EQ(refusal_of(assign), ErrorCode::protocol_violation) << "a tenant name that is none";
}

void fill(queue::OutboxReport& report, std::size_t rows) {
  report.rows = {queue::OutboxSeq{static_cast<std::int64_t>(rows)}, {}};
  for (std::int64_t seq = 1; seq <= report.rows.newest.value; ++seq)
    report.rows.rows.push_back({queue::OutboxSeq{seq}, ""});
}

TEST(Frames, AnOutboxOutsideItsSetIsRefused) {
  const auto refused = [](auto change) {
    FinishedFrame frame = sample_with_outbox();
    change(*frame.end.outbox);
    return refusal_of(written(frame)) == ErrorCode::protocol_violation;
  };
  using queue::OutboxReport;
  using queue::OutboxSeq;
  EXPECT_FALSE(refused([](OutboxReport&) {}));
  EXPECT_TRUE(refused([](OutboxReport& report) { report.owner.generation = Generation{0}; }));
  EXPECT_TRUE(refused([](OutboxReport& report) { report.rows.newest = OutboxSeq{-1}; }));
  EXPECT_TRUE(refused([](OutboxReport& report) { report.rows.newest = OutboxSeq{8}; })) << "below a row's";
  EXPECT_TRUE(refused([](OutboxReport& report) { report.rows.rows[1].seq = OutboxSeq{7}; })) << "twice";
  EXPECT_TRUE(refused([](OutboxReport& report) { report.rows.rows[0].seq = OutboxSeq{0}; }));
  EXPECT_FALSE(refused([](OutboxReport& report) { fill(report, queue::kOutboxPageRows); }));
  EXPECT_TRUE(refused([](OutboxReport& report) { fill(report, queue::kOutboxPageRows + 1); }));
  std::string unknown = written(FinishedFrame{});
  unknown[unknown.size() - 2] = 3;  // before that of a capsule
  EXPECT_EQ(refusal_of(unknown), ErrorCode::protocol_violation);
  EXPECT_EQ(refusal_of(written(AcknowledgeFrame{{TenantName{"acme"}, Generation{4}}, OutboxSeq{-1}})),
            ErrorCode::protocol_violation);
}

TEST(Frames, TheGreatestPageOfAnOutboxFits) {
  FinishedFrame frame = sample_with_outbox();
  frame.end.capsule = sample_without_capsule().end.capsule;
  frame.end.capsule->failure->message.assign(limits::kErrorTextMax, 'e');
  frame.end.failure = {ErrorCode::handler_failed, std::string(limits::kErrorTextMax, 'e')};
  fill(*frame.end.outbox, queue::kOutboxPageRows);
  frame.end.outbox->rows.rows[0].text.assign(queue::kOutboxPageBytes, 'x');
  EXPECT_EQ(refusal_of(written(frame)), ErrorCode::internal) << "it is read";
}

TEST(Frames, APayloadAtTheCapPasses) {
  AssignFrame frame = sample_assign();
  frame.job.envelope.assign(queue::kEnvelopeMax, 'x');
  FrameReader reader;
  reader.feed(written(frame));
  const auto read = reader.next();
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(std::get<AssignFrame>(**read).job.envelope.size(), queue::kEnvelopeMax);
}

TEST(Frames, ACursorAtItsLimitPassesBothWaysAndALongerOneDoesNot) {
  AssignFrame assign = sample_assign();
  assign.job.envelope.assign(queue::kEnvelopeMax, 'x');
  for (const std::size_t size : {queue::kCursorMax - 1, queue::kCursorMax, queue::kCursorMax + 1}) {
    assign.job.cursor.assign(size, 'c');
    const ProgressFrame progress{{{}, std::nullopt, assign.job.cursor}};
    if (size > queue::kCursorMax) assign.job.envelope.clear();
    for (const Frame& frame : {Frame{assign}, Frame{progress}}) {
      FrameReader reader;
      reader.feed(written(frame));
      const auto read = reader.next();
      EXPECT_EQ(read.has_value(), size <= queue::kCursorMax) << size;
      if (read) {
        EXPECT_TRUE(**read == frame) << size;
      }
    }
  }
}

TEST(Frames, AProgressTextIsCutBetweenCharacters) {
  ProgressFrame frame{{{}, queue::Progress{1, 2, ""}, ""}};
  for (std::size_t i = 0; i < queue::kProgressTextMax; ++i) frame.news.progress->text += "\xc3\xa4";
  FrameReader reader;
  reader.feed(written(frame));
  const auto read = reader.next();
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(std::get<ProgressFrame>(**read).news.progress->text.size(), queue::kProgressTextMax);
}

TEST(Frames, LongErrorTextIsCutBetweenCharacters) {
  FinishedFrame frame;
  for (std::size_t i = 0; i < limits::kErrorTextMax; ++i) frame.end.failure.error += "\xc3\xa4";
  FrameReader reader;
  reader.feed(written(frame));
  const auto read = reader.next();
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(std::get<FinishedFrame>(**read).end.failure.error.size(), limits::kErrorTextMax);
}

// Whatever bytes arrive, the reader answers with frames or a refusal and holds no more than it was fed.
TEST(Frames, SEC_11_RandomBytesNeverCrashTheReader) {
  std::string stream;
  for (const Frame& frame : samples()) write_frame(stream, frame);
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    Random random{seed};
    std::string mutated = stream;
    for (std::uint64_t i = 0, n = 1 + random.below(6); i < n; ++i)
      mutated[random.below(mutated.size())] = static_cast<char>(random.next());
    FrameReader reader;
    reader.feed(mutated);
    while (true) {
      const auto frame = reader.next();
      if (!frame || !*frame) break;
    }
    EXPECT_LE(reader.pending(), mutated.size());
  }
}

}  // namespace
}  // namespace tenure::daemon
