#pragma once

#include "jobs.hpp"

#include <tenure/jobs/client.hpp>
#include <tenure/queue/records.hpp>
#include <tenure/queue/store.hpp>
#include <tenure/tenancy/handle.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <support/process.hpp>
#include <support/temporary_folder.hpp>
#include <vector>

namespace tenure::testing {

// A control database, one tenant `acme` and a configuration, in a folder that goes with the test.
class Installation : public ::testing::Test {
 protected:
  struct Config {
    int processes = 1;
    int slots = 2;
    std::string stop_deadline = "25s";
    std::string when_held = "stand_by";
    std::string program = WORKER_PROGRAM;
    std::string queues = R"("default")";
    std::string time_limit = "1h";
    std::string ping_max = "30s";
    std::string more = {};  // sections behind these
  };

  void configure(const Config& config);
  void configure() { configure(Config{}); }
  // Starts tenured and waits until it dispatches (or, told not to, only that it was started).
  [[nodiscard]] std::unique_ptr<Process> start_daemon(bool wait_for_start = true);
  // Starts the worker program by hand.
  [[nodiscard]] std::unique_ptr<Process> start_alone();
  [[nodiscard]] Client& client();
  // Runs the command line: "exit 0"; what it printed is in output_.
  std::string tenure(std::vector<std::string> words);

  template <class Job>
  queue::JobId enqueue(const Job& job, const EnqueueOptions& options = {}) {
    return with_tenant("acme", [&] { return queue::JobId{client().enqueue(job, options)}; });
  }
  // Blocks until the job has written that it runs; returns the pid of its process.
  [[nodiscard]] pid_t wait_for_start_of(const std::string& name);
  void let_go(const std::string& name);
  // Waits for the state; fails the test where it does not come.
  void expect_state(queue::JobId job, queue::ShownState state);
  // Runs the command on this configuration and waits for its end: "exit 0"; what it printed is added to `output`.
  [[nodiscard]] std::string run_command(std::vector<std::string> words, std::string& output);
  [[nodiscard]] queue::JobRecord record(queue::JobId job);
  [[nodiscard]] std::vector<queue::AttemptRecord> attempts(queue::JobId job);
  // What the audit says of refusals: "SUBJECT COUNT REASON".
  [[nodiscard]] std::vector<std::string> refusals();
  // How often the named job has counted itself in acme.
  [[nodiscard]] int runs_of(const std::string& name);
  [[nodiscard]] std::filesystem::path config_file() const { return folder_ / "tenure.toml"; }
  [[nodiscard]] std::filesystem::path control() const { return folder_ / "control.db"; }
  queue::Store& store();
  // Of the databases the test has nothing open; what asks for them opens them again.
  void close_own() {
    client_.reset();
    store_.reset();
  }

  TemporaryFolder folder_;
  std::string output_;

 private:
  std::optional<Client> client_;
  std::unique_ptr<RealClock> clock_ = std::make_unique<RealClock>();
  std::unique_ptr<queue::Store> store_;
  int daemons_ = 0;
};

}  // namespace tenure::testing
