#include "../dispatcher/claim_ends.hpp"
#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/former_claims.hpp>

#include <utility>

namespace tenure::daemon {

namespace {

// All of them at once: what is taken back behind them may start again. Whether one had begun is not known.
std::size_t cancel_all(queue::StoreWriter& writer, queue::Incarnation current, WallTime now) {
  std::size_t cancelled = 0;
  queue::CancelNumber after;
  for (std::size_t read = kRoundRowsMax; read == kRoundRowsMax;) {
    const auto requests = writer.cancel_requests(after, kRoundRowsMax);
    read = requests.size();
    for (const auto& [number, claim, id] : requests) {
      after = number;
      if (claim.token.incarnation == current) continue;
      if (writer.cancel(claim, true, end_with_daemon({.claim = claim}).failure, now)) ++cancelled;
    }
  }
  return cancelled;
}

// A damaged file's claim on what has ended only goes.
FormerClaimsPart::Answer suspect_all(queue::StoreWriter& writer, queue::Incarnation current, WallTime now) {
  FormerClaimsPart::Answer answer;
  for (const queue::FormerClaim& claim : writer.former_claims(current, kRoundRowsMax)) {
    ++answer.claims;
    EndReclaim end = end_with_daemon(claim);
    const auto suspected = writer.suspect(claim.claim, end.charge, end.failure, now);
    if (suspected && end.charge == queue::CrashCharge::poison) answer.dead.push_back(std::move(end.failure));
  }
  return answer;
}

}  // namespace

std::optional<FormerClaimsPart::Ask> FormerClaimsPart::ask(DispatcherState& state) {
  if (!state.is_in(Stage::reclaiming)) return std::nullopt;
  return Ask{state.incarnation, state.settings.former_died};
}

FormerClaimsPart::Answer FormerClaimsPart::carry_out(queue::StoreWriter& writer, const Ask& ask,
                                                     WallTime now) {
  writer.mark_outboxes_of_former_claims(ask.current, now);
  const std::size_t cancelled = cancel_all(writer, ask.current, now);
  Answer answer;
  if (ask.former_died) {
    answer = suspect_all(writer, ask.current, now);
  } else {
    answer.ready = writer.reclaim_of_former_holders(ask.current, kRoundRowsMax, now);
    answer.claims = answer.ready.size();
  }
  answer.cancelled = cancelled;
  return answer;
}

void FormerClaimsPart::absorb(DispatcherState& state, const Ask&, Answer& answer) {
  state.figures.reclaimed += static_cast<std::int64_t>(answer.claims + answer.cancelled);
  state.figures.cancelled += static_cast<std::int64_t>(answer.cancelled);
  state.arrivals.came(answer.ready);
  for (const queue::AttemptFailure& failure : answer.dead) state.dead_jobs.died(failure);
  if (answer.claims == kRoundRowsMax) return;
  state.stage = Stage::scanning;
  state.actions.emplace_back(FormerClaimsTaken{});
}

// The stage is what it was, so it is asked again.
void FormerClaimsPart::undo(DispatcherState&, const Ask&) {}

}  // namespace tenure::daemon
