#include "replay_verdict.hpp"

#include <gmock/gmock.h>

#include <string>
#include <support/golden.hpp>

namespace tenure::cli {
namespace {

using replay::Difference;
using replay::Expectation;
using ::testing::HasSubstr;

class ReplayVerdictTest : public ::testing::Test {
 protected:
  ReplayVerdictTest() {
    capsule_.head.job.kind = "billing.send_invoice";
    capsule_.head.program_version = "1.2";
    capsule_.run.failure = queue::AttemptFailure{ErrorCode::handler_failed, "no answer\x1b[2J from mx\xff"};
  }
  [[nodiscard]] static replay::ReplayReport report() {
    return {.stage = replay::Stage::done,
            .program_version = "1.3",
            .failure = queue::AttemptFailure{ErrorCode::handler_failed, "no answer\x1b[2J from mx\xff"},
            .calls = 3,
            .jobs = 1,
            .rows = 1204,
            .steps = {"charge", "mark \"sent\""}};
  }
  [[nodiscard]] std::string text(const replay::ReplayReport& report, const std::string& ended = "") const {
    return ReplayVerdict{capsule_, expected_, report, ended}.text({});
  }
  // What operators and scripts see of each kind of verdict.
  void golden(const std::string& file, const std::string& text) const {
    testing::expect_golden(text, std::filesystem::path(TENURE_GOLDEN_FOLDER) / file);
  }
  [[nodiscard]] std::string json(const replay::ReplayReport& report, const std::string& ended = "") const {
    return ReplayVerdict{capsule_, expected_, report, ended}.json("/a/send.capsule",
                                                                  ended.empty() ? "" : "/tmp/kept") +
           '\n';
  }

  replay::Capsule capsule_;
  Expectation expected_;
};

TEST_F(ReplayVerdictTest, IsOneLineWhereItIsAsExpectedElseTheFirstDifferenceAsRows) {
  std::string all = text(report());
  replay::ReplayReport other = report();
  other.difference = Difference{Difference::In::rows, R"(row {"id":7} of table invoice)",
                                "{\"paid\":1}\n{\"sent\":\x1b[0m2}", "nothing"};
  all += text(other);
  all += text(report(), "signal 11 (Segmentation fault)");
  other = report();
  other.failure.reset();
  expected_.outcome = Expectation::Outcome::passes;
  all += text(other);
  expected_ = {Expectation::Outcome::fails, ErrorCode::handler_failed};
  all += text(report());
  golden("replay_run.txt", all);
  EXPECT_EQ(all.find('\x1b'), std::string::npos);
}

TEST_F(ReplayVerdictTest, AsJsonItHasBothOutcomes) {
  std::string all = json(report());
  replay::ReplayReport other = report();
  other.failure.reset();
  other.difference = Difference{Difference::In::outcome, "the end", "failed", "succeeded"};
  all += json(other);
  all += json(report(), "signal 11 (Segmentation fault)");
  golden("replay_run.json", all);
}

TEST_F(ReplayVerdictTest, StepsAreNamedInQuotes) {
  EXPECT_EQ(steps_text({}), "and had none");
  EXPECT_EQ(steps_text({"a", "b\x1b"}), R"(but "a", "b\x1b")");
}

}  // namespace
}  // namespace tenure::cli
