#pragma once

#include <tenure/testing/replay_cases.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>

// Capsules as tests of GoogleTest. Link tenure::testing_gtest.
namespace tenure::testing {

namespace detail {

class ReplayTest : public ::testing::Test {
 public:
  ReplayTest(const JobRegistry& jobs, ReplayCase which) : jobs_(jobs), which_(std::move(which)) {}
  void TestBody() override {
    const std::string problem = replay_problem(jobs_, which_);
    if (!problem.empty()) ADD_FAILURE() << problem;
  }

 private:
  const JobRegistry& jobs_;
  ReplayCase which_;
};

}  // namespace detail

//   int main(int argc, char** argv) {
//     ::testing::InitGoogleTest(&argc, argv);
//     tenure::JobRegistry jobs;
//     add_invoice_jobs(jobs);
//     tenure::testing::replay_folder("capsules", jobs);
//     return RUN_ALL_TESTS();
//   }
// Registers a test for each capsule of the folder, `capsules.send_invoice.fails`: the suite is called as the folder, the test as the file. The
// name says what the replay must show: NAME.capsule the same run, NAME.passes.capsule a success, NAME.fails.capsule a failure,
// NAME.fails.TenantBusy.capsule that failure. A folder that is missing or empty, and a file with another name, is a test that fails.
// Before RUN_ALL_TESTS(); `jobs` must outlive that.
inline void replay_folder(const std::filesystem::path& folder, const JobRegistry& jobs) {
  for (const ReplayCase& each : replay_cases(folder))
    ::testing::RegisterTest(
        each.suite.c_str(), each.name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
        [&jobs, each]() -> detail::ReplayTest* { return new detail::ReplayTest(jobs, each); });
}

}  // namespace tenure::testing
