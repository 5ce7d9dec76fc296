#include "outbox_model.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace tenure::testing {
namespace {

struct NamedScope {
  const char* name;
  OutboxScope scope;
};

constexpr NamedScope kApplications{"Applications", {.jobs_go = true}};
constexpr NamedScope kTwoCrashes{"ApplicationsTwoCrashes", {.crashes = 2}};
constexpr NamedScope kRuns{"Runs",
                           {.enqueuers = 0, .runs_max = 3, .crashes = 1, .runs_killed = 1, .jobs_go = true}};
constexpr NamedScope kRunsAndApplication{"RunsAndApplication",
                                         {.enqueuers = 1, .runs_max = 2, .crashes = 1, .runs_killed = 1}};

std::string text_of(const ExploredOutbox& explored) {
  std::string text = std::to_string(explored.states) + " states";
  if (explored.breach) text += ", " + std::string{name_of(*explored.breach)};
  for (const std::string& step : explored.steps) text += "\n  " + step;
  return text;
}

class OutboxModel : public ::testing::TestWithParam<NamedScope> {};

TEST_P(OutboxModel, OBX_17_NoOrderOfStepsLosesOrDoublesAnything) {
  const ExploredOutbox explored = explore_outbox(GetParam().scope, {});
  std::printf("%s: %zu states\n", GetParam().name, explored.states);
  RecordProperty("states", static_cast<int>(explored.states));
  EXPECT_EQ(explored.breach, std::nullopt) << text_of(explored);
  EXPECT_GT(explored.states, 100'000U) << "less than there is";
}

INSTANTIATE_TEST_SUITE_P(Scope, OutboxModel,
                         ::testing::Values(kApplications, kTwoCrashes, kRuns, kRunsAndApplication),
                         [](const auto& each) { return std::string{each.param.name}; });

struct WithoutRule {
  const char* name;
  bool OutboxRules::*rule;
  NamedScope scope;
  OutboxBreach breach;
};

class OutboxModelWithout : public ::testing::TestWithParam<WithoutRule> {};

TEST_P(OutboxModelWithout, OBX_17_TheModelFails) {
  const WithoutRule& without = GetParam();
  OutboxRules rules;
  rules.*without.rule = false;
  const ExploredOutbox explored = explore_outbox(without.scope.scope, rules);
  std::printf("without %s: %s\n", without.name, text_of(explored).c_str());
  EXPECT_EQ(explored.breach, without.breach);
}

INSTANTIATE_TEST_SUITE_P(
    Rule, OutboxModelWithout,
    ::testing::Values(
        WithoutRule{"SyncOfTheMark", &OutboxRules::mark_is_synced, kTwoCrashes, OutboxBreach::lost},
        WithoutRule{"SyncOfTheFile", &OutboxRules::file_is_synced, kApplications,
                    OutboxBreach::without_transaction},
        WithoutRule{"SyncOfTheFileByRuns", &OutboxRules::file_is_synced, kRuns,
                    OutboxBreach::without_transaction},
        WithoutRule{"SyncOfTheWatermark", &OutboxRules::watermark_is_synced, kApplications,
                    OutboxBreach::lost},
        WithoutRule{"Watermark", &OutboxRules::has_watermark, kApplications, OutboxBreach::twice},
        WithoutRule{"Epoch", &OutboxRules::raises_epoch, kApplications, OutboxBreach::lost},
        WithoutRule{"Receipts", &OutboxRules::has_receipts, kRuns, OutboxBreach::effect_twice},
        WithoutRule{"SyncOfTheStep", &OutboxRules::step_is_synced, kRuns, OutboxBreach::without_transaction},
        WithoutRule{"SyncBeforeTheAcknowledge", &OutboxRules::acknowledges_when_synced, kRuns,
                    OutboxBreach::lost},
        WithoutRule{"MarksOfLostRuns", &OutboxRules::marks_lost_runs, kRuns, OutboxBreach::lost},
        WithoutRule{"MarksOfLeavingJobs", &OutboxRules::marks_leaving_jobs, kRuns, OutboxBreach::lost},
        WithoutRule{"NewNumbersOfMarks", &OutboxRules::marks_anew, kRuns, OutboxBreach::lost},
        WithoutRule{"FirstLook", &OutboxRules::looks_at_first, kRuns, OutboxBreach::lost}),
    [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
