#pragma once

#include <tenure/base/error.hpp>
#include <tenure/queue/job_result.hpp>
#include <tenure/queue/outbox.hpp>
#include <tenure/queue/run_decision.hpp>
#include <tenure/queue/stop_reason.hpp>
#include <tenure/queue/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

// One run of a job: what a worker process is given for it, and how it ended. The same two values go all the way: through the
// frames of the worker protocol, into a handler's context and out of it, and into the dispatcher.
namespace tenure::queue {

// Names the claim that a write is conditional on.
struct ClaimRef {
  JobSeq seq;
  ClaimToken token;
  friend auto operator<=>(const ClaimRef&, const ClaimRef&) = default;
};

inline constexpr std::size_t kProgressTextMax = 200;    // bytes
inline constexpr std::size_t kCursorMax = 64UL * 1024;  // bytes

// How far a run has come, in units of its own.
struct Progress {
  std::int64_t done = 0;
  std::int64_t total = 0;  // 0: not known
  std::string text;        // UTF-8, at most kProgressTextMax bytes
  friend bool operator==(const Progress&, const Progress&) = default;
};

// What a run tells of itself while it goes on: its progress, where it goes on when it runs again, or both.
struct RunNews {
  ClaimRef claim;
  std::optional<Progress> progress;
  std::string cursor;  // at most kCursorMax bytes; empty: nothing new
  friend bool operator==(const RunNews&, const RunNews&) = default;
};

// An operator's wish for capsules (replay/capsule.hpp): its row in the control database.
using CaptureNumber = Strong<struct CaptureNumberTag, std::int64_t>;
// At which end of a run its capsule is kept. On the wire and in the store: never renumber.
enum class CaptureOn : std::uint8_t { failure = 1, success = 2, any_end = 3 };
struct CaptureWish {
  CaptureNumber request;
  CaptureOn on = CaptureOn::failure;
  friend bool operator==(const CaptureWish&, const CaptureWish&) = default;
};
// What became of it, of a run that has ended as was wished.
struct TakenCapsule {
  CaptureNumber request;
  std::string file;  // its name in the folder of capsules; empty where there is none
  std::optional<Failure> failure = std::nullopt;  // why there is none
  friend bool operator==(const TakenCapsule&, const TakenCapsule&) = default;
};

// All that a run needs to know of its job. The tenant stands here and in the envelope, and both must agree.
struct AssignedJob {
  ClaimRef claim;
  JobId id;
  std::optional<TenantName> tenant;  // nothing: untenanted
  Generation generation;
  std::string kind;
  std::string envelope;
  std::string cursor = {};  // of its last checkpoint, in whatever run; empty: none
  int attempt = 1;          // from 1; releases and crashes are not counted
  int attempts_max = 1;
  int releases = 0;                         // runs that were given back and cost nothing
  std::chrono::microseconds time_limit{0};  // of this run; 0: none
  std::optional<CaptureWish> capture = std::nullopt;
  std::optional<WallTime> start_before = std::nullopt;  // else its handler is not entered
  FailureHistory history = {};
  std::string queue = {};
  WallTime created{};  // when it was enqueued
  friend bool operator==(const AssignedJob&, const AssignedJob&) = default;
};

// On the wire: never renumber; a new one takes the next number.
// `expired`: its start_before had come, and its handler was not entered.
enum class RunResult : std::uint8_t { succeeded = 1, failed = 2, not_started = 3, expired = 4 };
[[nodiscard]] constexpr bool has_run(RunResult result) {
  return result == RunResult::succeeded || result == RunResult::failed;
}

// How a process ended.
struct ProcessExit {
  enum class By : std::uint8_t { code, signal };
  By by = By::code;
  int number = 0;
  friend bool operator==(const ProcessExit&, const ProcessExit&) = default;
};
// "exit 0", "signal 9 (Killed)"
[[nodiscard]] std::string text_of(const ProcessExit& exit);

// Where a run was performed. Known to the dispatcher; a worker process says nothing of it.
struct RunPlace {
  std::string process;              // within its node, by pool and place: "general.0"; "" where nobody knows
  std::int64_t pid = 0;             // 0 where nobody knows
  std::optional<ProcessExit> exit;  // where the run ended with its process
  friend bool operator==(const RunPlace&, const RunPlace&) = default;
};

// Why a run failed and where, as its attempt's row tells it.
struct AttemptFailure {
  ErrorCode code = ErrorCode::handler_failed;
  std::string error;  // without the code's name; cut at kErrorTextMax by frames and stores
  RunPlace place = {};
  friend bool operator==(const AttemptFailure&, const AttemptFailure&) = default;
};

// What the worker process says of a run.
struct AttemptEnd {
  ClaimRef claim;
  RunResult result = RunResult::succeeded;
  std::chrono::microseconds run_time{0};
  AttemptFailure failure;                              // of `failed`
  std::optional<RunDecision> decision = std::nullopt;  // of `failed`; nothing: as after_failure says
  // Of its tenant's outbox, where the run, or one of its job before it, may have written rows. They are jobs whatever the run has ended
  // with and whoever has the claim by now.
  std::optional<OutboxReport> outbox = std::nullopt;
  std::optional<TakenCapsule> capsule = std::nullopt;
  std::optional<JobResult> returned = std::nullopt;  // of `succeeded`, by the handler of a kind that keeps it
  friend bool operator==(const AttemptEnd&, const AttemptEnd&) = default;
};

}  // namespace tenure::queue
