#include <tenure/base/limits.hpp>
#include <tenure/queue/records.hpp>
#include <tenure/queue/transitions.hpp>

#include <gtest/gtest.h>

#include <cctype>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

namespace tenure::queue {
namespace {

TEST(Types, EveryStateAndReasonIsFoundByItsName) {
  for (int state = 1; state <= 7; ++state)
    EXPECT_EQ(job_state_named(name_of(static_cast<JobState>(state))), static_cast<JobState>(state));
  for (int reason = 0; reason <= 9; ++reason)
    EXPECT_EQ(job_reason_named(name_of(static_cast<JobReason>(reason))), static_cast<JobReason>(reason));
  for (const ShownState state : {ShownState::running, ShownState::held, ShownState::dead})
    EXPECT_EQ(shown_state_named(name_of(state)), state);
  EXPECT_FALSE(job_state_named("running"));
  EXPECT_FALSE(job_state_named("Ready"));
  EXPECT_FALSE(job_reason_named(""));
}

TEST(Types, FinalStatesAreThoseFromSucceededOn) {
  EXPECT_FALSE(is_final(JobState::blocked));
  EXPECT_TRUE(is_final(JobState::succeeded));
  EXPECT_TRUE(is_final(JobState::cancelled));
}

TEST(Transitions, NothingLeavesSucceeded) {
  for (const TransitionRow& row : transitions()) EXPECT_NE(row.from, JobState::succeeded);
}

TEST(Transitions, OnlyReadyJobsHaveClaims) {
  for (const TransitionRow& row : transitions())
    EXPECT_TRUE(!row.needs_claim || row.from == JobState::ready) << name_of(row.transition);
}

// The rows of one table of docs/formats/numbers.md: number and name.
std::map<std::int64_t, std::string> numbers_of_the_manual(const std::string& head) {
  std::ifstream page(std::filesystem::path(TENURE_FORMATS_FOLDER) / "numbers.md");
  std::map<std::int64_t, std::string> rows;
  bool is_inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("| " + head + " |")) is_inside = true;
    if (!line.starts_with("|")) is_inside = false;
    if (!is_inside || std::isdigit(static_cast<unsigned char>(line[2])) == 0) continue;
    const std::size_t begin = line.find('`') + 1;
    rows.emplace(std::stoll(line.substr(2)), line.substr(begin, line.find('`', begin) - begin));
  }
  return rows;
}

template <class Enum>
std::map<std::int64_t, std::string> numbers_of(int last) {
  std::map<std::int64_t, std::string> rows;
  for (int number = 0; number <= last; ++number)
    if (const std::string_view name = name_of(static_cast<Enum>(number)); name != "unknown")
      rows.emplace(number, name);
  return rows;
}

TEST(Types, NumbersStandInTheManualWithTheirNames) {
  EXPECT_EQ(numbers_of_the_manual("state"), numbers_of<JobState>(99));
  EXPECT_EQ(numbers_of_the_manual("reason"), numbers_of<JobReason>(254));
  EXPECT_EQ(numbers_of_the_manual("outcome"), numbers_of<AttemptOutcome>(99));
  std::map<std::int64_t, std::string> tenants;
  for (int number = 1; number <= 8; ++number)
    tenants.emplace(number, name_of(static_cast<TenantState>(number)));
  EXPECT_EQ(numbers_of_the_manual("tenant"), tenants);
}

}  // namespace
}  // namespace tenure::queue
