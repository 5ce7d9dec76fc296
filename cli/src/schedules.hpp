#pragma once

#include "session.hpp"
#include "show_text.hpp"

#include <tenure/queue/schedule.hpp>
#include <tenure/queue/store.hpp>

#include <optional>
#include <string>
#include <string_view>

// Schedules, as several verbs tell of them.
namespace tenure::cli {

// What is wrong with one, "" for nothing.
[[nodiscard]] std::string problem_of(const queue::DeclaredSchedule& declared);
// "0 3 1 * * in Europe/Berlin", "every 15m".
[[nodiscard]] std::string rule_text(const queue::WrittenRule& rule);
// Nothing: it is paused or disabled, or none comes.
[[nodiscard]] std::optional<WallTime> next_of(const queue::ShownSchedule& schedule, WallTime now);
// RecordNotFound, with the nearest name.
[[nodiscard]] queue::ShownSchedule find_schedule(Session& session, std::string_view name);

}  // namespace tenure::cli
