#include "frame_samples.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/random.hpp>
#include <tenure/queue/envelope.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tenure::daemon {
namespace {

using queue::RunResult;

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
