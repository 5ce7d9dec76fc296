#pragma once

#include <tenure/base/random.hpp>
#include <tenure/daemon/frames.hpp>
#include <tenure/queue/run.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <protocol/daemon_end.hpp>
#include <protocol/worker_end.hpp>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

// Both ends of the worker protocol over a pipe in memory: the dispatcher's wishes and the jobs' runs are played, bytes arrive in
// pieces of any size, and one thing goes wrong. One seed, one course of events. It judges throughout; verdict() is for the end.
// Threads: one.
namespace tenure::simulation {

// What goes wrong, once, at a moment that the seed chooses.
enum class LinkFault : std::uint8_t {
  none,
  // Said to the daemon. Harmless, so that both go on:
  report_twice,
  report_of_unknown_claim,
  // Refused:
  garbage_to_daemon,
  long_frame_to_daemon,
  unknown_type_to_daemon,
  daemons_frame_to_daemon,
  second_hello,
  unasked_pong,
  report_before_hello,
  worker_dies,  // behind whatever part of a frame it had written
  // Said to the worker, and refused:
  garbage_to_worker,
  long_frame_to_worker,
  unknown_type_to_worker,
  workers_frame_to_worker,
  second_welcome,
  job_assigned_twice,
  job_assigned_after_drain,
  job_assigned_before_welcome,
  daemon_dies,
};
inline constexpr LinkFault kLastLinkFault = LinkFault::daemon_dies;
[[nodiscard]] constexpr bool is_harmless(LinkFault fault) {
  return fault <= LinkFault::report_of_unknown_claim;
}
// The daemon is the one that must notice.
[[nodiscard]] constexpr bool is_of_worker(LinkFault fault) {
  return fault > LinkFault::report_of_unknown_claim && fault <= LinkFault::worker_dies;
}

struct LinkOptions {
  std::uint64_t seed = 1;
  std::uint16_t slots = 2;
  std::int64_t jobs = 30;
  LinkFault fault = LinkFault::none;
};

struct LinkVerdict {
  std::int64_t assigned = 0;
  std::int64_t performed = 0;
  std::int64_t reported = 0;       // ends that the daemon heard of
  std::int64_t lost = 0;           // of jobs whose end it never heard
  std::int64_t duplicated = 0;     // performed twice, or heard of twice
  std::int64_t misreported = 0;    // heard of otherwise than it was
  std::int64_t over_slots = 0;     // moments with more jobs running than slots
  std::int64_t after_the_end = 0;  // events or jobs from a stream that was given up
  std::int64_t without_token = 0;  // jobs that ran on without their stop token when the worker left
  std::int64_t pongs_missing = 0;
  std::optional<std::string> broken;  // what the daemon found wrong
  std::optional<daemon::WorkerEnd::Leave> left;
  bool is_fault_done = false;
  bool is_over = false;      // the daemon knows that nothing more comes from the dead process
  std::uint64_t course = 0;  // a hash of all that happened
  [[nodiscard]] bool is_safe() const {
    return duplicated + misreported + over_slots + after_the_end + without_token == 0;
  }
};

class LinkSimulation {
 public:
  explicit LinkSimulation(LinkOptions options);
  // The whole course: work, a drain, the process's end.
  void run();
  [[nodiscard]] LinkVerdict verdict() const;

 private:
  struct Pipe {
    std::string bytes;
    bool is_closed = false;
    bool end_told = false;
  };
  struct Job {
    bool is_performed = false;
    std::optional<queue::AttemptEnd> said;
    bool is_heard = false;
  };
  using Running = daemon::WorkerEnd::Perform;

  [[nodiscard]] static daemon::HelloFrame hello();

  // link_simulation.cpp
  void step();
  void assign();
  void recall();
  void end_a_job();
  void drain();
  void worker_writes();
  void worker_has_written();
  void daemon_writes();
  void deliver_to_worker(bool all);
  void deliver_to_daemon(bool all);
  void settle();
  void end_worker();

  // link_faults.cpp
  void inject();
  void inject_into_daemon(LinkFault fault);
  void inject_into_worker(LinkFault fault);
  [[nodiscard]] bool is_moment_for_fault() const;
  [[nodiscard]] const queue::AttemptEnd* heard_run() const;
  void kill_worker();
  void kill_daemon();

  // link_simulation.cpp
  void carry_out(daemon::DaemonEnd::Actions actions);
  void carry_out(daemon::WorkerEnd::Actions actions);
  void happened(const daemon::Event& event);
  void heard(const queue::AttemptEnd& end);
  void perform(daemon::WorkerEnd::Perform&& action);
  void left(const daemon::WorkerEnd::Leave& action);
  void note(std::string_view what, std::int64_t number = 0);
  [[nodiscard]] queue::ClaimedJob new_job();

  const LinkOptions options_;
  Random random_;
  daemon::DaemonEnd daemon_;
  daemon::WorkerEnd worker_;
  bool daemon_lives_ = true;
  bool worker_lives_ = true;
  bool worker_is_writing_ = false;
  bool is_ready_ = false;  // the dispatcher has heard so
  bool is_drained_ = false;
  bool is_fault_done_ = false;
  Pipe to_worker_, to_daemon_;
  std::map<queue::ClaimRef, Job> jobs_;
  std::vector<Running> running_;
  std::int64_t next_seq_ = 0;
  std::int64_t pings_ = 0;
  LinkVerdict verdict_;
};

[[nodiscard]] std::string_view name_of(LinkFault fault);

}  // namespace tenure::simulation
