#pragma once

#include "crash_records.hpp"
#include "crash_state.hpp"
#include "crash_steps.hpp"
#include "root.hpp"

#include <tenure/queue/run.hpp>
#include <tenure/testing/crash_everywhere.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

// Runs of one job in processes of their own, each over a copy of one state of tenants and queue.
namespace tenure::testing::detail {

struct StepDone {
  int number = 1;  // of those that were begun, of which some may have failed
  StepKind kind = StepKind::write;
  std::string name;
};

// How a process has ended, and what it has told.
struct ProcessEnd {
  enum class How : std::uint8_t {
    ended,      // in order, whatever has become of the job
    died,       // at the place that was asked for
    otherwise,  // than planned: `why` says how
  };
  How how = How::otherwise;
  std::string why;
  std::string died_at;  // "after plain write number 1"
  std::vector<StepDone> steps;
  std::size_t runs = 0;                // of the job: none where it had ended already, or nobody takes it
  std::optional<std::string> failure;  // of that run; nothing: it has succeeded
  State state;                         // behind a run that was not to die
};

class CrashRuns {
 public:
  // Makes the state that each run begins with: the world's tenants, and the job alone in its queue.
  CrashRuns(World& world, const CrashOptions& options, EnqueueOne enqueue);

  // One run of the job over a fresh copy of that state; `later`: than the world's clock says.
  ProcessEnd run(std::chrono::microseconds later = {});
  // The same, to its death.
  ProcessEnd run_to(const Steps::Plan::Death& death);
  // Another run over what the run before has left behind, behind the daemon's death.
  ProcessEnd run_again();

  // "billing.send_invoice of acme"
  [[nodiscard]] const std::string& job_text() const { return job_text_; }

 private:
  void require_closed();
  void make_queue(EnqueueOne enqueue);
  void begin_anew() const;
  ProcessEnd in_child(const Steps::Plan& plan, std::chrono::microseconds later);
  [[noreturn]] void child(const Steps::Plan& plan, std::chrono::microseconds later) noexcept;
  void perform(const Steps::Plan& plan, std::chrono::microseconds later, RecordWriter& notes);
  void tell_end(RecordWriter& notes, const Runs& runs);
  [[nodiscard]] std::filesystem::path notes_path() const { return folder_.path() / "notes"; }
  [[nodiscard]] std::filesystem::path output_path() const { return folder_.path() / "output"; }

  World::Impl& impl_;
  const CrashOptions& options_;
  const WallTime begun_;
  const queue::JobId job_;
  Root folder_;
  std::string job_text_;
};

}  // namespace tenure::testing::detail
