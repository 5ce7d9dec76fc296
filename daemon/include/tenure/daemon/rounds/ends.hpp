#pragma once

#include <tenure/daemon/round_part.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace tenure::daemon {

// How a claim ends; the verbs are those of queue::StoreWriter.
struct EndSucceeded {
  std::optional<queue::JobResult> returned = std::nullopt;
};
struct EndRetry {
  WallTime due{};
  queue::AttemptFailure failure;
  queue::JobReason reason = queue::JobReason::retry_wait;
  std::string rule = {};  // that counts it
};
struct EndPutOff {
  WallTime due{};
  queue::AttemptFailure why;
};
struct EndFinal {
  queue::JobState state = queue::JobState::dead;
  queue::JobReason reason = queue::JobReason::none;
  queue::AttemptFailure failure;
  std::string refused =
      {};  // "id=... tenant=...": of whom the audit says that it was refused; empty: nothing
  // Whether it has a row of the audit to itself or is counted in one; decided once, when it is first asked.
  enum class AuditRow : std::uint8_t { undecided, own, counted } audit_row = AuditRow::undecided;
};
struct EndRelease {
  bool started = false;
  queue::AttemptFailure why;  // of a started one
};
struct EndBlock {
  queue::JobReason reason = queue::JobReason::envelope_newer;
};
struct EndReclaim {
  queue::CrashCharge charge = queue::CrashCharge::none;
  queue::AttemptFailure failure;
};
// A job that a worker process ended with while nobody was named is performed alone, in a process that is started for it, until it has
// succeeded.
struct Alone {
  std::size_t pool = 0;
  int vain_tries = 0;  // in a row: the process ended before the job had begun, or the job was given back
  bool one_at_a_time = false;  // of the pool: its process may have been killed for want of memory
  // By which it is found who performs it where its pool does not any more; empty: not known, and it stays.
  std::string queue = {};
  std::string kind = {};
};
// Of a run that an operator wanted captured.
struct CapturedRun {
  queue::CaptureWish wish;
  queue::JobId job;
  std::string tenant;
  // Nothing: it has not ended as was wished, and the request may have another one.
  std::optional<queue::TakenCapsule> taken = std::nullopt;
};
struct ClaimEnd {
  queue::ClaimRef claim;
  std::variant<EndSucceeded, EndRetry, EndFinal, EndRelease, EndBlock, EndReclaim, EndPutOff> how;
  // Where the job stands again if it is given back.
  queue::Lane lane;
  queue::LanePlace place;
  // Then it stands in no lane, but waits to be performed so.
  std::optional<Alone> alone = {};
  // Nobody has told, or could tell, all that the run may have written into its tenant's outbox: its file is marked.
  bool leaves_outbox = false;
  // The worker process has told of it. Of a job that ends for good without that nobody will: a power cut may have kept rows of an earlier
  // run and undone its claim.
  bool has_told_outbox = false;
  std::optional<CapturedRun> capture = {};
  // It is discarded then if it has not started.
  std::optional<WallTime> start_before = {};
  // It was given back since the tenant's database has had fewer migrations than that; 0: not for that.
  std::int64_t schema_wanted = 0;
  // Then a job that migrates the tenant is enqueued there, if there is none; empty: nobody would perform it.
  std::string migrate_in = {};
  // It was such a job, and its run has taken so long.
  std::optional<std::chrono::microseconds> migrated_for = {};
};
// Whether it takes the claim from a process that is dead.
[[nodiscard]] bool is_reclaim(const ClaimEnd& end);

// Ends of claims. They come before the claims of the same round, so that what is given back can be claimed at once.
struct EndsPart {
  using Ask = std::vector<ClaimEnd>;
  // In the order of the ask, the state that the job has now; an error is ClaimLost.
  using Answer = std::vector<Result<queue::JobState>>;

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::need;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
