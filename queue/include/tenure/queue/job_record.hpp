#pragma once

#include <tenure/queue/batch_id.hpp>
#include <tenure/queue/run.hpp>
#include <tenure/queue/shown_state.hpp>
#include <tenure/queue/types.hpp>

#include <cstdint>
#include <optional>
#include <string>

// One job, as the store hands it out for showing, and its attempts. Nobody decides by these.
namespace tenure::queue {

struct ToldProgress {
  Progress progress;
  WallTime told{};
};

// The cursor of a job that has not ended, of whose bytes nobody but its handler knows anything.
struct SavedCursor {
  std::int64_t size_bytes = 0;
  WallTime saved{};
};

struct JobRecord {
  JobSeq seq;
  JobId id;
  std::optional<TenantName> tenant;  // nothing: untenanted
  Generation generation;
  TenantState tenant_state = TenantState::active;
  std::string queue;
  std::string kind;
  Priority priority;
  ShownState state = ShownState::ready;
  JobReason reason = JobReason::none;
  WallTime created{};
  WallTime due{};
  std::optional<WallTime> start_before;  // while it has not started: else it is discarded then
  std::optional<WallTime> started;       // of the claim, or of the run that ended it
  std::optional<WallTime> finished;
  int attempts_max = 0;
  int failures = 0;
  int crashes = 0;
  int releases = 0;
  std::int64_t size_bytes = 0;
  std::optional<ClaimToken> claim;
  std::optional<ProcessNumber> process;  // of the claim
  std::optional<WallTime> cancel_asked;  // since when it runs on though an operator has cancelled it
  std::optional<ToldProgress> progress;  // of the run under way
  std::optional<SavedCursor> cursor;     // where its next run goes on
  std::optional<BatchId> batch;          // of which it is a member
  std::string error;                     // of the last failure, "" for none
  std::string held_by;  // of one that a limit holds: which, in short, as "mail, 100/1m used up"; "" for none
  std::string refused;  // what its damaged row holds that keeps it from work, "" for nothing
};

struct AttemptRecord {
  int number =
      0;  // from 1, in order of their ends; interruptions count here too, and releases in a row as one
  AttemptOutcome outcome = AttemptOutcome::failed;
  std::optional<ErrorCode> error_code;
  std::string error;
  std::optional<WallTime> started;
  WallTime finished{};
  ClaimToken claim;
  ProcessNumber process;
  std::string node;  // of the dispatcher whose claim it was, "" where that one is not known
  RunPlace place;
};

}  // namespace tenure::queue
