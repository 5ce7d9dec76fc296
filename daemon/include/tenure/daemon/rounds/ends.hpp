#pragma once

#include <tenure/daemon/round_part.hpp>

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

namespace tenure::daemon {

// How a claim ends; the verbs are those of queue::StoreWriter.
struct EndSucceeded {};
struct EndRetry {
  WallTime due{};
  queue::AttemptFailure failure;
};
struct EndFinal {
  queue::JobState state = queue::JobState::dead;
  queue::JobReason reason = queue::JobReason::none;
  queue::AttemptFailure failure;
  std::string refused = {};  // "id=... tenant=...": of whom the audit says that it was refused; empty: nothing
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
// As EndReclaim; and what is not dead by that waits to be performed in a process of its own.
struct EndSuspect {
  queue::CrashCharge charge = queue::CrashCharge::none;
  queue::AttemptFailure failure;
  std::size_t pool = 0;
};
struct ClaimEnd {
  queue::ClaimRef claim;
  std::variant<EndSucceeded, EndRetry, EndFinal, EndRelease, EndBlock, EndReclaim, EndSuspect> how;
  // Where the job stands again if it is given back.
  queue::Lane lane;
  queue::LanePlace place;
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
