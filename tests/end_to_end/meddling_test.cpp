#include "installation.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

namespace tenure::testing {
namespace {

using queue::ShownState;

// Jobs that change or take away what belongs to their process.
class MeddlingTest : public Installation {
 protected:
  std::string text_of(const std::string& name) {
    std::ifstream file(folder_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string look_around() {
    expect_state(enqueue(LookAround{}), ShownState::succeeded);
    return text_of("surroundings");
  }
};

TEST_F(MeddlingTest, TheNextJobHasTheUmaskAndTheWorkingFolderOfTheStart) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  const std::string before = look_around();
  for (const char* with : {"umask", "working_folder"}) {
    expect_state(enqueue(Meddle{with}), ShownState::succeeded);
    EXPECT_EQ(look_around(), before) << with;
    const std::string line = "job." + std::string(with) + "_changed";
    EXPECT_TRUE(wait_until([&] { return daemon->output().find(line) != std::string::npos; })) << line;
  }
  EXPECT_NE(daemon->output().find("\"kind\":\"test.meddle\""), std::string::npos);
}

TEST_F(MeddlingTest, WhatAJobStartsInheritsNoVariableOfTheWorkers) {
  configure();
  const auto daemon = start_daemon();
  expect_state(enqueue(Meddle{"children_environment"}), ShownState::succeeded);
  const std::string environment = text_of("environment");
  EXPECT_NE(environment.find("TENURE_CONFIG="), std::string::npos) << environment;
  EXPECT_EQ(environment.find("TENURE_WORKER_"), std::string::npos) << environment;
}

TEST_F(MeddlingTest, AJobThatClosesADescriptorOfTheWorkersIsACrashAndTheWorkerIsReplaced) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  for (const char* with : {"eventfd", "eventpoll", "timerfd", "socket"}) {
    const auto job = enqueue(Meddle{with});
    expect_state(job, ShownState::dead);
    EXPECT_EQ(record(job).reason, queue::JobReason::poison) << with;
    EXPECT_EQ(record(job).crashes, 3) << with;
    expect_state(enqueue(Count{with}), ShownState::succeeded);
  }
  const std::string output = daemon->output();
  const std::size_t line = output.find("worker.descriptor_closed");
  ASSERT_NE(line, std::string::npos) << output;
  EXPECT_NE(output.find("\"kind\":\"test.meddle\"", line), std::string::npos);
}

}  // namespace
}  // namespace tenure::testing
