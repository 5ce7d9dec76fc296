#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/line_limit.hpp>
#include <tenure/base/log.hpp>
#include <tenure/queue/run.hpp>

#include <optional>

// What a worker process writes into the log about jobs.
namespace tenure::daemon {

// For its life, the lines of this thread are of that job.
class JobLines {
 public:
  explicit JobLines(const queue::AssignedJob& job)
      : context_(job.tenant ? job.tenant->text() : "", job.generation.value, job.id.text()) {}

 private:
  log::Context context_;
};

// A line for each run that has failed. What costs no attempt comes again and again, from every job that meets it, and is told once a
// second. Where an operator has cancelled the job it is the line of that.
// Threads: any.
class FailureLines {
 public:
  explicit FailureLines(const Clock& clock) : clock_(clock) {}
  // `stop`: why the run was told to stop, if it was.
  void write(const queue::AssignedJob& job, const queue::AttemptEnd& end,
             std::optional<queue::StopReason> stop);

 private:
  const Clock& clock_;
  LineLimit released_;
};

}  // namespace tenure::daemon
