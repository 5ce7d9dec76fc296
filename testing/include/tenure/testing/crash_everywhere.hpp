#pragma once

#include <tenure/base/function_ref.hpp>
#include <tenure/base/uuid.hpp>
#include <tenure/jobs/client.hpp>
#include <tenure/jobs/options.hpp>
#include <tenure/testing/world.hpp>

#include <chrono>
#include <iosfwd>
#include <string>
#include <vector>

// Whether a handler is safe to repeat: its process dies before and after each durable step, and it runs again.
namespace tenure::testing {

// C++ wants those that are named in the order of this struct.
struct CrashOptions {
  // Whose job it is, as EnqueueOptions say.
  TenantOfCall tenant = {};
  bool untenanted = false;
  // Columns that may differ, by table: {"invoice.sent_at"}. For what is another value in each run and may be.
  std::vector<std::string> leave_out = {};
  // More durable steps than these, at least 1, are not died at: give the job less to do.
  int steps_max = 200;
  // Of real time for each run, at least 1 s. A run that takes longer is ended, and is a difference.
  std::chrono::seconds run_max{60};
};

struct CrashReport {
  bool is_safe = false;
  // Sentences for people, what differs in lines of its own.
  std::string text;
  // Of the whole run, in their order: "the commit of once \"mark sent\"", "plain write number 1", "checkpoint 2", "the end of the run".
  std::vector<std::string> steps;
  // How often the process has died; of a job that is safe twice for each step.
  int deaths = 0;
  // Where the first run died that ended otherwise than the whole one: "after plain write number 1". Empty: none did, or it was no death.
  std::string differs_at;
  explicit operator bool() const { return is_safe; }
};
std::ostream& operator<<(std::ostream& out, const CrashReport& report);

namespace detail {
using EnqueueOne = FunctionRef<void(Client& client, const EnqueueOptions& options)>;
[[nodiscard]] CrashReport crash_everywhere(World& world, const CrashOptions& options, EnqueueOne enqueue);
}  // namespace detail

// Runs the job whole, then once for each of its durable steps with the process dying before it and once after it, and lets each of these run
// again in another process, as it does in production after a crash. Where the end differs from the whole run's, the report names the step
// and what differs. It stops at the first difference.
//   EXPECT_TRUE(crash_everywhere(SendInvoice{7}));                            in a JobTest, which prints the report
//   const auto report = tenure::testing::crash_everywhere(world, SendInvoice{7});   with any other framework
//
// Durable steps are: each commit in a tenant's database (a step of `once`, a plain write), each commit of a client to the queue, each
// checkpoint (stored at once here, so that the run may die behind it), the end of the run, which brings the jobs of its steps into the
// queue, and the clearing of its outbox.
// Compared are: the rows of all tables of the application in all tenants of the world, by primary key where there is one; receipts by the
// names of their steps; jobs by kind, tenant, arguments, queue, priority, attempts and due time, without their ids; and what became of
// the job. Not compared: virtual tables, jobs that were there before (runs begin with an empty queue), files, memory, and whatever the handler does to
// others: for that give context.idempotency_key() along.
// Each run begins with the tenants, rows and time that the world has at the call, and the same id of the job. Time stands still: context.now() is the
// same in the first run and the second. One run of its own is a second later, and must have the same names of steps: names that hold
// a time or a random number are other steps each time.
//
// Each run is a child process by fork(), with a copy of the world's folder, a queue of its own in a file, and no faults; the calling world and
// the test's memory stay as they are. world.client() and world.tenants() are usable in handlers there. What a handler prints, or
// asserts by a test framework, shows only where its process ends otherwise than planned. So at the call
//   - no database may be open in this process: handles and snapshots have ended, clients of Client::open too (BadConfiguration);
//   - no other thread of the test may be at work, which could hold a lock that the children need;
//   - the job must be one that succeeds: one that fails in its whole run is not safe, and the report has its error.
// Not inside a handler (std::logic_error). What Client::enqueue says, BadOptions, DiskError. Threads: the world's.
template <JobType Job>
[[nodiscard]] CrashReport crash_everywhere(World& world, const Job& job, const CrashOptions& options = {}) {
  return detail::crash_everywhere(
      world, options, [&](Client& client, const EnqueueOptions& of_call) { client.enqueue(job, of_call); });
}

}  // namespace tenure::testing
