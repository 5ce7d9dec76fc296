#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/far_retries.hpp>
#include <tenure/queue/retry_rule.hpp>

namespace tenure::daemon {
namespace {

// Each may be a look at another page of `job`, inside a commit for which enqueues wait.
constexpr std::size_t kPageRows = 100;

}  // namespace

// Behind all ends: a failure that was told by the wrong clock and is not stored yet would be missed.
std::optional<FarRetriesPart::Ask> FarRetriesPart::ask(DispatcherState& state) {
  if (!state.is_in(Stage::working) || !state.far_retries.is_wanted(state.now.steady) ||
      state.endings.pending() > 0)
    return std::nullopt;
  return Ask{state.far_retries.after()};
}

// What is due sooner than after the shortest wait is not too far off.
FarRetriesPart::Answer FarRetriesPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now) {
  const queue::LanePlace front{now + queue::retry_wait_max(1), queue::JobSeq{0}};
  return writer.draw_in_retries(
      ask.after.value_or(front), kPageRows, [](int failures) { return queue::retry_wait_max(failures); },
      now);
}

void FarRetriesPart::absorb(DispatcherState& state, const Ask&, Answer& drawn) {
  for (const WallTime due : drawn.due) state.arrivals.scheduled_for(due);
  state.far_retries.read(drawn, state.actions);
}

// The page that is asked next is still this one.
void FarRetriesPart::undo(DispatcherState&, const Ask&) {}

}  // namespace tenure::daemon
