#include "../dispatcher/state.hpp"
#include "refusal_rows.hpp"

#include <tenure/base/operator_identity.hpp>
#include <tenure/daemon/rounds/refusals.hpp>
#include <tenure/queue/audit.hpp>

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace tenure::daemon {

namespace {

constexpr std::string_view kVerbOfRefusal = "job refused";

}  // namespace

void append_refusal(queue::StoreWriter& writer, std::string subject, std::int64_t count, std::string reason,
                    WallTime now) {
  writer.append_audit({.who = identify_process(),
                       .verb = std::string{kVerbOfRefusal},
                       .subject = std::move(subject),
                       .count = count,
                       .reason = std::move(reason)},
                      now);
}

// Also while the dispatcher stops, and then at once: nobody else knows how many they were.
std::optional<RefusalsPart::Ask> RefusalsPart::ask(DispatcherState& state) {
  const bool is_last = state.stopping.is_asked() && state.endings.all_stored();
  const auto count = state.refusals.due(state.now.steady, is_last);
  if (!count) return std::nullopt;
  return Ask{*count};
}

RefusalsPart::Answer RefusalsPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now) {
  append_refusal(
      writer, fmt::format("and {} more", ask.count), ask.count,
      fmt::format(
          "{} more were refused than have a row each; see tenure job list state=dead reason=permanent_error",
          ask.count),
      now);
  return {};
}

void RefusalsPart::absorb(DispatcherState& state, const Ask& ask, Answer&) {
  state.refusals.told(ask.count, state.now.steady);
}

// They are untold still, so it is asked again.
void RefusalsPart::undo(DispatcherState&, const Ask&) {}

}  // namespace tenure::daemon
