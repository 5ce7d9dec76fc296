#pragma once

#include "child.hpp"
#include "measure.hpp"

#include <tenure/base/sqlite/connection.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <sys/types.h>

// `tenured` as it is measured: the benchmarks' worker program, and a configuration beside the control database.
namespace tenure::bench {

// Where the programs are, told to the benchmarks that start them.
struct Programs {
  std::filesystem::path tenured;
  std::filesystem::path worker;
};

// How many processes and slots the one pool has.
struct PoolSize {
  int processes = 2;
  int slots = 4;
};

class Tenured {
 public:
  // Not started yet. `tenants` is the folder of the tenants' databases.
  Tenured(const Programs& programs, ScratchFolder& folder, const std::filesystem::path& control,
          const std::filesystem::path& tenants, PoolSize pool = {});

  [[nodiscard]] const std::filesystem::path& config() const { return config_; }
  void start();
  // Of one that was started: all below, too.
  [[nodiscard]] pid_t pid() const { return process_->pid(); }
  // Throws, with the end of its log, if it has ended.
  void require_running() { process_->require_running(); }
  // SIGTERM, and waits until it has ended well.
  void stop();
  void kill() { process_->kill(); }
  // kill -9; and what systemd does next, without its wait.
  void kill_and_start_again();

 private:
  Programs programs_;
  std::filesystem::path config_;
  std::filesystem::path log_;
  std::optional<Child> process_;
};

// Looks at the database every so often until `any_left` says 0. Throws after 120 s.
void wait_until_none(Tenured& daemon, sqlite::Connection& control, const sqlite::Query& any_left,
                     std::chrono::milliseconds every);

// No job of anybody is ready. Rows of the table of jobs: what runs is ready there, too.
inline constexpr sqlite::Query kAnyReady{"any_ready", "select exists (select 1 from job where state = 2)"};

// How many jobs have succeeded, and in how many microseconds: claims are stamped when they are made and finished jobs when they end.
inline constexpr sqlite::Query kSpan{"span", R"sql(
  select count(*), max(finished_us) - min(started_us) from job where state = 4)sql"};

// Starts it, waits until `any_left` says 0, and stops it.
struct Drained {
  std::int64_t succeeded = 0;
  double seconds = 0;  // from the first claim to the last end, by the jobs' rows
  [[nodiscard]] double rate() const { return static_cast<double>(succeeded) / seconds; }
};
// Throws where another number of jobs has succeeded than `expected`.
[[nodiscard]] Drained drain_by(Tenured& daemon, const std::filesystem::path& control,
                               const sqlite::Query& any_left, std::chrono::milliseconds every,
                               std::size_t expected);

}  // namespace tenure::bench
