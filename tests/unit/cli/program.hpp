#pragma once

#include "support/golden.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/cli/run.hpp>
#include <tenure/queue/memory_store.hpp>

#include <gmock/gmock.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tenure::cli {

class CollectedOutput final : public Output {
 public:
  bool data(std::string_view text) override {
    if (closed) return false;
    out += text;
    return true;
  }
  void message(std::string_view text) override { error += text; }

  std::string out, error;
  bool closed = false;
};

// The whole program over a memory store and a virtual clock, which begins at 2026-03-02T10:14:00Z.
class Program : public ::testing::Test {
 protected:
  static constexpr std::int64_t kStart = 1'772'446'440;  // seconds

  Program();
  // Runs the program; `out` and `error` are of this run only.
  int run(const std::vector<std::string>& arguments);
  // The same on a terminal of so many columns.
  void on_terminal(int columns);

  void add_tenant(std::string_view name);
  // Enqueued now; `seed` makes the id 019cadff-0000-7000-8000-00000000SEED.
  static queue::JobId job_id(int seed);
  void add_job(int seed, std::string_view tenant, std::string_view kind, std::string_view arguments = "{}",
               std::chrono::seconds due_in = {}, std::string_view queue = "default");
  // 019cadff-0000-7000-8000-0000000000b1, of that tenant, with a job for each of its moments.
  static BatchId batch_id();
  void open_batch(std::string_view tenant, std::string_view arguments = "{}");
  void close_batch();
  void add_member(int seed, std::string_view tenant);
  // Runs the next ready job of that queue and lets it end badly.
  void die(int seed, std::string_view error = "no answer from mx.acme.example");
  void succeed(int seed);
  void fail_once(int seed, std::string_view error);
  // Its run cost nothing, and it waits again.
  void give_back(int seed, ErrorCode why, std::string_view error);
  // It runs on.
  queue::ClaimedJob claim(int seed);
  void hold(int seed) { (void)claim(seed); }
  // The daemon died while it held the job.
  void suspect(int seed);
  queue::JobRecord job(int seed);
  // What a dispatcher that lives tells of its pools.
  void tell_pools(const std::vector<queue::PoolRecord>& pools);

  // Compares standard output with a golden file.
  void expect_golden(std::string_view file) const {
    testing::expect_golden(output.out, std::filesystem::path(TENURE_GOLDEN_FOLDER) / file);
  }

  testing::TemporaryFolder folder;
  VirtualClock clock;
  CollectedOutput output;
  std::shared_ptr<queue::Store> store;
  std::optional<queue::SqliteStoreOptions> opened;  // the last store that was asked for
  int wakes = 0;
  OperatorIdentity who{.uid = 0,
                       .login = "root",
                       .login_uid = 1000,
                       .sudo_uid = 1000,
                       .terminal = "/dev/pts/3",
                       .host = "app-1"};
  int identified = 0;                 // how often it was asked who works here
  std::function<bool()> on_pause;     // while --watch waits; false or none: enough
  std::optional<std::string> answer;  // what is typed on the terminal
  Environment environment;

 private:
  std::int64_t counter_ = 0;
  queue::Incarnation incarnation_;
};

}  // namespace tenure::cli
