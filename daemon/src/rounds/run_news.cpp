#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/run_news.hpp>

namespace tenure::daemon {

// Also while the dispatcher stops, as the ends.
std::optional<RunNewsPart::Ask> RunNewsPart::ask(DispatcherState& state) {
  if (state.stage == Stage::opening) return std::nullopt;
  Ask news = state.told_runs.take();
  if (news.empty()) return std::nullopt;
  return news;
}

// A claim that has moved on has nothing to tell.
RunNewsPart::Answer RunNewsPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now) {
  for (const queue::RunNews& news : ask) static_cast<void>(writer.tell(news, now));
  return {};
}

void RunNewsPart::absorb(DispatcherState&, const Ask&, Answer&) {}

void RunNewsPart::undo(DispatcherState& state, const Ask& ask) { state.told_runs.not_stored(ask); }

}  // namespace tenure::daemon
