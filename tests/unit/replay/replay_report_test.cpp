#include <tenure/base/error_names.hpp>
#include <tenure/base/exit_code.hpp>
#include <tenure/replay/replay_report.hpp>

#include <gmock/gmock.h>

#include <string>

namespace tenure::replay {
namespace {

using ::testing::HasSubstr;

ReplayReport whole_report() {
  return {.stage = Stage::done,
          .program_version = "1.3\n\"beta\"",
          .refusal = Failure{ErrorCode::schema_mismatch, "version 2", {}, "/a/b.capsule"},
          .failure = queue::AttemptFailure{ErrorCode::tenant_busy, "no\tturn"},
          .calls = 3,
          .jobs = 2,
          .rows = 1,
          .steps = {"charge", "mark \"sent\""},
          .difference = Difference{Difference::In::rows, "row 7", "a\nb", "nothing"}};
}

TEST(ReplayReport, IsReadAsItWasWritten) {
  const std::string text = report_text(whole_report());
  const auto report = read_report(text);
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report_text(*report), text);
  EXPECT_EQ(report->stage, Stage::done);
  EXPECT_EQ(report->program_version, "1.3\n\"beta\"");
  EXPECT_EQ(report->refusal, whole_report().refusal);
  EXPECT_EQ(report->failure, whole_report().failure);
  EXPECT_EQ(report->calls, 3U);
  EXPECT_EQ(report->jobs, 2U);
  EXPECT_EQ(report->rows, 1U);
  EXPECT_EQ(report->steps, whole_report().steps);
  ASSERT_TRUE(report->difference);
  EXPECT_EQ(report->difference->in, Difference::In::rows);
  EXPECT_EQ(report->difference->at, "row 7");
  EXPECT_EQ(report->difference->recorded, "a\nb");
  EXPECT_EQ(report->difference->replayed, "nothing");
}

TEST(ReplayReport, EachStageAndEachPlaceOfADifferenceHasAWord) {
  for (const Stage stage : {Stage::hello, Stage::performing, Stage::refused, Stage::done})
    EXPECT_EQ(read_report(report_text({.stage = stage}))->stage, stage);
  for (const auto in :
       {Difference::In::calls, Difference::In::outcome, Difference::In::jobs, Difference::In::rows})
    EXPECT_EQ(read_report(report_text({.difference = Difference{in, {}, {}, {}}}))->difference->in, in);
}

TEST(ReplayReport, WithoutDifferenceAndFailureThereIsNone) {
  const auto report = read_report(report_text({}));
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->difference || report->failure || report->refusal);
  EXPECT_EQ(report->stage, Stage::hello);
}

TEST(ReplayReport, NoRefusalEndsAProgramAsADifferenceDoes) {
  for (const std::string_view name : error_names()) {
    const Failure why{error_named(name).value(), "a reason", {}, "somewhere"};
    const Failure refusal = refusal_of(why);
    if (why.code == ErrorCode::unknown_kind) continue;
    EXPECT_NE(exit_code_of(refusal.code), ExitCode::refused) << name;
    EXPECT_THAT(refusal.text(), HasSubstr(why.text()));
  }
  EXPECT_EQ(refusal_of({ErrorCode::limit_reached, "too much"}).code, ErrorCode::interrupted);
  EXPECT_EQ(refusal_of({ErrorCode::unknown_kind, "test.pay"}).code, ErrorCode::unknown_kind);
  EXPECT_EQ(refusal_of({ErrorCode::schema_mismatch, "altered"}).code, ErrorCode::schema_mismatch);
}

TEST(ReplayReport, OneOfAnotherVersionIsRefusedNamingBoth) {
  const auto report = read_report(R"({"schema":"tenure.replay.report/2","stage":"done"})");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::bad_payload);
  EXPECT_THAT(report.error().message, HasSubstr("tenure.replay.report/2"));
  EXPECT_THAT(report.error().message, HasSubstr("tenure.replay.report/1"));
}

TEST(ReplayReport, WhatIsNoneIsRefused) {
  for (const char* text : {"", "{", "[]", "{}", R"({"schema":1})"}) EXPECT_FALSE(read_report(text)) << text;
}

}  // namespace
}  // namespace tenure::replay
