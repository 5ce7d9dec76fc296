#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/limits.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace tenure::daemon {
namespace {

// No end is under way where limits are absorbed: EndsPart has been.
std::vector<queue::Lane> standing_claims(const DispatcherState& state) {
  std::vector<queue::Lane> lanes = state.endings.pending_lanes();
  for (const auto& [number, process] : state.processes.all())
    process.jobs.for_each([&](const OutstandingJob& job, bool) { lanes.push_back(job.lane); });
  return lanes;
}

std::string bounds_text(const queue::LimitBounds& bounds) {
  std::string text = bounds.running ? fmt::format("{} run", *bounds.running) : "";
  if (bounds.rate) text += (text.empty() ? "" : ", ") + text_of(*bounds.rate);
  return text;
}

// Of more than these the command tells.
void note_limits(DispatcherState& state, const std::vector<queue::OpenLimit>& limits) {
  constexpr std::size_t kNamed = 20;
  std::string text;
  for (std::size_t index = 0; index < std::min(limits.size(), kNamed); ++index)
    text += fmt::format("{}{} ({})", index == 0 ? "" : ", ", limits[index].name,
                        bounds_text(limits[index].bounds));
  if (limits.size() > kNamed) text += fmt::format(" and {} more", limits.size() - kNamed);
  state.actions.emplace_back(Note{
      Note::Level::info,
      "limit.changed",
      limits.empty() ? "No limit holds any more." : fmt::format("Limits that hold from now on: {}.", text),
      {},
      {}});
}

// The store keeps those per key by itself, but for whom it has let wait.
void set_limits(DispatcherState& state, std::vector<queue::OpenLimit> limits) {
  std::vector<queue::OpenLimit> per_key;
  std::ranges::copy_if(limits, std::back_inserter(per_key),
                       [](const queue::OpenLimit& limit) { return limit.target.per.key; });
  std::erase_if(limits, [](const queue::OpenLimit& limit) { return limit.target.per.key; });
  state.key_looks.set_limits(std::move(per_key), state.now.steady);
  state.lanes.set_limits(std::move(limits), standing_claims(state));
}

}  // namespace

// While it scans, too: nothing may be claimed before they are known.
std::optional<LimitsPart::Ask> LimitsPart::ask(DispatcherState& state) {
  if (!state.is_looking() && !state.is_in(Stage::scanning)) return std::nullopt;
  return Ask{state.limit_news.mark(), state.limit_news.to_declare(), !state.limit_news.has_buckets()};
}

LimitsPart::Answer LimitsPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now) {
  if (ask.declared) writer.declare_limits(*ask.declared);
  Answer answer{.open = writer.open_limits(ask.known), .buckets = {}};
  if (ask.wants_buckets) answer.buckets = writer.start_buckets(now);
  return answer;
}

void LimitsPart::absorb(DispatcherState& state, const Ask& ask, Answer& answer) {
  if (ask.declared) state.limit_news.declared(ask.declared);
  if (answer.open) {
    state.limit_news.read(answer.open->mark);
    state.looks.soon();
    note_limits(state, answer.open->limits);
    set_limits(state, std::move(answer.open->limits));
  }
  if (!ask.wants_buckets) return;
  state.lanes.restore_starts(answer.buckets, state.now);
  state.limit_news.read_buckets();
}

void LimitsPart::undo(DispatcherState& state, const Ask&) { state.looks.soon(); }

}  // namespace tenure::daemon
