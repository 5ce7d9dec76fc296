#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

// Compares text that others rely on with a file of the checkout. TENURE_TEST_ACCEPT=1 writes the file
// instead, and then the test still fails where there was a difference, so that nobody accepts by accident.
namespace tenure::testing {

inline void expect_golden(std::string_view actual, const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream expected;
  expected << in.rdbuf();
  if (in && expected.str() == actual) return;
  if (std::getenv("TENURE_TEST_ACCEPT") != nullptr) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << actual;
  }
  EXPECT_EQ(actual, expected.str()) << "differs from " << file << "; accept with TENURE_TEST_ACCEPT=1";
}

}  // namespace tenure::testing
