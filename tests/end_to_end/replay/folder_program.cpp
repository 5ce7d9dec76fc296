#include "jobs.hpp"

#include <tenure/testing/replay.hpp>

#include <gtest/gtest.h>

#include <cstdlib>

// The tests of somebody's application: a folder of capsules.
int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  tenure::JobRegistry jobs;
  tenure::testing::add_jobs(jobs);
  tenure::testing::replay_folder(std::getenv("CAPSULES"), jobs);
  return RUN_ALL_TESTS();
}
