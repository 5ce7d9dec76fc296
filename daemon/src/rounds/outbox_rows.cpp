#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/outbox_rows.hpp>

#include <utility>

namespace tenure::daemon {
namespace {

queue::Relayed relay(queue::StoreWriter& writer, const queue::OutboxReport& report, WallTime now) {
  queue::Relayed relayed = writer.relay_outbox(report.owner, report.rows, now);
  // Then somebody has to look at the file, who tells of it.
  if ((relayed.refused || relayed.is_file_behind) && relayed.owner)
    writer.mark_outbox_of(*relayed.owner, now);
  return relayed;
}

}  // namespace

// Also while the dispatcher stops, as the ends.
std::optional<OutboxRowsPart::Ask> OutboxRowsPart::ask(DispatcherState& state) {
  if (state.stage == Stage::opening) return std::nullopt;
  Ask told = state.told_outboxes.take();
  if (told.empty()) return std::nullopt;
  return told;
}

OutboxRowsPart::Answer OutboxRowsPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now) {
  Answer answer;
  answer.reserve(ask.size());
  for (const Told& told : ask) answer.push_back(relay(writer, told.report, now));
  return answer;
}

void OutboxRowsPart::absorb(DispatcherState& state, const Ask& ask, Answer& answer) {
  for (std::size_t index = 0; index < ask.size(); ++index) {
    const auto& [process, report] = ask[index];
    const queue::Relayed& relayed = answer[index];
    if (relayed.inserted > 0) state.looks.soon();
    // Of an older copy nothing was taken over, whatever the watermark is.
    if (!relayed.is_file_behind && relayed.watermark >= report.rows.rows.front().seq)
      state.told_outboxes.taken_over({process, report.owner, relayed.watermark});
  }
}

void OutboxRowsPart::undo(DispatcherState& state, const Ask& ask) { state.told_outboxes.not_stored(ask); }

}  // namespace tenure::daemon
