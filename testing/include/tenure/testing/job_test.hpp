#pragma once

#include <tenure/testing.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

// For GoogleTest: a fixture whose tests have a world each. Link tenure::testing_gtest.
namespace tenure::testing {

//   class Invoices : public tenure::testing::JobTest {
//    protected:
//     Invoices() : JobTest({.migrations = tenure::read_migrations("migrations")}) { add_invoice_jobs(jobs()); }
//   };
//   TEST_F(Invoices, AreSent) {
//     order_something(client());
//     EXPECT_TRUE(enqueued<SendInvoice>({.queue = "mail"}));
//     EXPECT_EQ(drain_all().failed(), 0U);
//   }
// What World says holds of each. At the test's end, when members of derived fixtures are gone, what finish() tells fails it; of a test that has
// failed, whatever for, it prints the runs that have failed.
class JobTest : public ::testing::Test {
 public:
  ~JobTest() override {
    for (const std::string& problem : world_.finish()) ADD_FAILURE() << problem;
    if (HasFailure()) print_failed_runs();
  }
  JobTest(const JobTest&) = delete;
  JobTest& operator=(const JobTest&) = delete;

 protected:
  explicit JobTest(WorldOptions options = {}) : world_(std::move(options)) {}

  [[nodiscard]] World& world() { return world_; }
  [[nodiscard]] JobRegistry& jobs() { return world_.jobs(); }
  [[nodiscard]] Client& client() { return world_.client(); }
  [[nodiscard]] Tenants& tenants() { return world_.tenants(); }
  [[nodiscard]] VirtualClock& clock() { return world_.clock(); }
  [[nodiscard]] Faults& faults() { return world_.faults(); }

  template <class... Names>
  void with_tenants(const Names&... names) {
    world_.with_tenants(names...);
  }
  Runs drain(const DrainOptions& options = {}) { return world_.drain(options); }
  Runs drain_all(const DrainOptions& options = {}) { return world_.drain_all(options); }
  Runs advance(std::chrono::microseconds time, const DrainOptions& options = {}) {
    return world_.advance(time, options);
  }
  void perform_inline(bool is_on = true) { world_.perform_inline(is_on); }
  JobRun perform_now(const Uuid& id) { return world_.perform_now(id); }

  // For EXPECT_TRUE: what crash_everywhere.hpp says.
  template <JobType Job>
  [[nodiscard]] ::testing::AssertionResult crash_everywhere(const Job& job,
                                                            const CrashOptions& options = {}) {
    const CrashReport report = testing::crash_everywhere(world_, job, options);
    return (report ? ::testing::AssertionSuccess() : ::testing::AssertionFailure()) << report.text;
  }

  // For EXPECT_TRUE and EXPECT_FALSE, which print what was found instead.
  template <JobType Job>
  [[nodiscard]] ::testing::AssertionResult enqueued(const Where<Job>& where = {}) const {
    return result_of(world_.enqueued<Job>(where));
  }
  template <JobType Job>
  [[nodiscard]] ::testing::AssertionResult performed(const Where<Job>& where = {}) const {
    return result_of(world_.performed<Job>(where));
  }

 private:
  [[nodiscard]] static ::testing::AssertionResult result_of(const Matched& matched) {
    return (matched ? ::testing::AssertionSuccess() : ::testing::AssertionFailure()) << matched.message;
  }
  void print_failed_runs() const {
    for (const JobRun& run : world_.runs())
      if (!run.has_succeeded()) std::cerr << "a run has failed: " << run.text() << '\n';
  }

  World world_;
};

}  // namespace tenure::testing
