#include "installation.hpp"

#include <algorithm>
#include <csignal>
#include <sstream>

namespace tenure::testing {
namespace {

using queue::ShownState;

class OutputTest : public Installation {
 protected:
  static std::vector<std::string> lines_with(const Process& daemon, const std::string& text) {
    std::istringstream output(daemon.output());
    std::vector<std::string> found;
    for (std::string line; std::getline(output, line);)
      if (line.find(text) != std::string::npos) found.push_back(line);
    return found;
  }
};

TEST_F(OutputTest, WhatJobsPrintIsALineOfTheLogWithPoolAndProcess) {
  configure();
  const auto daemon = start_daemon();
  expect_state(enqueue(Print{"hello\x1b[31m", 2}), ShownState::succeeded);
  EXPECT_TRUE(wait_until([&] { return lines_with(*daemon, "at the end").size() == 1; }));
  for (const char* const part : {"hello\\u001b[31m 1", "hello\\u001b[31m 2", "hello\\u001b[31m at the end"}) {
    const auto lines = lines_with(*daemon, part);
    ASSERT_EQ(lines.size(), 1U) << part << " in " << daemon->output();
    EXPECT_NE(lines[0].find("\"event\":\"worker.output\""), std::string::npos) << lines[0];
    EXPECT_NE(lines[0].find("\"pool\":\"general\",\"process\":1"), std::string::npos) << lines[0];
  }
}

TEST_F(OutputTest, AJobThatPrintsALotWaitsForNobodyAndTheLogStaysSmall) {
  configure();
  const auto daemon = start_daemon();
  const auto job = enqueue(Print{"again and again", 200'000});
  expect_state(job, ShownState::succeeded);
  EXPECT_TRUE(wait_until([&] { return !lines_with(*daemon, "lines were left out").empty(); }) ||
              (daemon->signal(SIGTERM), daemon->wait() == "exit 0"));
  EXPECT_LT(lines_with(*daemon, "again and again").size(), 20'000U);
}

TEST_F(OutputTest, TheLastWordsOfAProgramThatCannotStartAreInTheLog) {
  configure({.program = "/bin/ls"});
  const auto daemon = start_daemon();
  EXPECT_TRUE(wait_until([&] { return !lines_with(*daemon, "worker.output").empty(); })) << daemon->output();
}

TEST_F(OutputTest, WhatWasPrintedBeforeACrashIsThere) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  expect_state(enqueue(Print{"before", 1}), ShownState::succeeded);
  static_cast<void>(enqueue(Crash{"abort"}));
  EXPECT_TRUE(wait_until([&] { return !lines_with(*daemon, "worker.crashed").empty(); }));
  EXPECT_EQ(lines_with(*daemon, "before 1").size(), 1U);
}

}  // namespace
}  // namespace tenure::testing
