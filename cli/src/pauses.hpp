#pragma once

#include "session.hpp"
#include "show_text.hpp"

#include <tenure/base/json.hpp>
#include <tenure/queue/store.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Pauses of queues, kinds and tenants, as several verbs tell of them.
namespace tenure::cli {

// What --until says: "2h" from now, or a point of time. BadOptions.
[[nodiscard]] std::optional<WallTime> end_of_pause(const Session& session);
// "until 11:00".
[[nodiscard]] std::string until_text_of(const std::optional<WallTime>& until, const ShowStyle& style);

// Of one queue or kind; nothing where it is not paused.
[[nodiscard]] std::optional<queue::PauseRecord> pause_of(const std::vector<queue::PauseRecord>& all,
                                                         queue::PauseScope scope, std::string_view name);
// "by dana, 2 h ago, until 11:00: restore test".
[[nodiscard]] std::string pause_text(const queue::PauseRecord& pause, const ShowStyle& style);
// An object with all of it but what is paused.
void write_pause(json::Writer& writer, const queue::PauseRecord& pause);

}  // namespace tenure::cli
