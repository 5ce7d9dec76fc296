#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/free_keys.hpp>

namespace tenure::daemon {
namespace {

constexpr std::size_t kKeysLookedAt = 100;

}  // namespace

// With a look for what others have written, so that no round is made for it alone.
std::optional<FreeKeysPart::Ask> FreeKeysPart::ask(DispatcherState& state) {
  if (!state.is_looking() || !state.key_looks.are_due(state.now.steady)) return std::nullopt;
  return Ask{state.key_looks.after()};
}

// What becomes ready by it is told by lane hints, in this round or the next.
FreeKeysPart::Answer FreeKeysPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime) {
  return {writer.give_free_keys(ask.after, kKeysLookedAt)};
}

void FreeKeysPart::absorb(DispatcherState& state, const Ask& ask, Answer& answer) {
  state.key_looks.read(ask.after, answer.read_until, state.now.steady);
  if (state.key_looks.is_hurried()) state.looks.soon();
}

// The page that is asked next is still this one.
void FreeKeysPart::undo(DispatcherState&, const Ask&) {}

}  // namespace tenure::daemon
