#include <tenure/base/exit_code.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace tenure {
namespace {

using ::testing::HasSubstr;

// Each row of the page's table by its first column.
std::map<std::string, std::string> rows_of_the_manual() {
  std::ifstream page(std::filesystem::path(TENURE_MANUAL_FOLDER) / "exit-codes.md");
  std::map<std::string, std::string> rows;
  for (std::string line; std::getline(page, line);)
    if (line.starts_with("| ")) rows.emplace(line.substr(2, line.find(" |", 2) - 2), line);
  return rows;
}

TEST(ExitCode, HasTheNumberThatSysexitsGivesIt) {
  EXPECT_EQ(number_of(ExitCode::data), 65);           // EX_DATAERR
  EXPECT_EQ(number_of(ExitCode::unavailable), 69);    // EX_UNAVAILABLE
  EXPECT_EQ(number_of(ExitCode::sync_failed), 74);    // EX_IOERR
  EXPECT_EQ(number_of(ExitCode::try_again), 75);      // EX_TEMPFAIL
  EXPECT_EQ(number_of(ExitCode::configuration), 78);  // EX_CONFIG
}

TEST(ExitCode, OfWhatEndsADaemonTellsWhatToDoAboutIt) {
  EXPECT_EQ(exit_code_of(ErrorCode::database_missing), ExitCode::unavailable);
  EXPECT_EQ(exit_code_of(ErrorCode::database_damaged), ExitCode::data);
  EXPECT_EQ(exit_code_of(ErrorCode::disk_sync_failed), ExitCode::sync_failed);
  EXPECT_EQ(exit_code_of(ErrorCode::lock_held), ExitCode::try_again);
  EXPECT_EQ(exit_code_of(ErrorCode::access_refused), ExitCode::configuration);
  EXPECT_EQ(exit_code_of(ErrorCode::bad_options), ExitCode::usage);
  EXPECT_EQ(exit_code_of(ErrorCode::job_not_found), ExitCode::refused);
  EXPECT_EQ(exit_code_of(static_cast<ErrorCode>(9999)), ExitCode::refused);
}

TEST(ExitCode, StandsInTheManualWithItsMeaningAndItsErrors) {
  auto rows = rows_of_the_manual();
  for (const ExitCode code : exit_codes())
    EXPECT_THAT(rows[std::to_string(number_of(code))],
                HasSubstr("| " + std::string(meaning_of(code)) + " |"));
  EXPECT_EQ(rows.size(), exit_codes().size() + 2);  // the head and the line below it
  for (int number = 1; number <= static_cast<int>(ErrorCode::internal); ++number) {
    const auto code = static_cast<ErrorCode>(number);
    if (name_of(code) == name_of(ErrorCode::internal) && code != ErrorCode::internal) continue;
    const std::string& row = rows[std::to_string(number_of(exit_code_of(code)))];
    EXPECT_THAT(row, HasSubstr("`" + std::string(name_of(code)) + "`"));
  }
}

}  // namespace
}  // namespace tenure
