#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/pause.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

// The table pause. Internal.
namespace tenure::queue {

[[nodiscard]] bool is_paused(sqlite::Connection& connection, PauseScope scope, std::string_view name);
// Of those that have a number, sorted.
[[nodiscard]] std::vector<std::int64_t> paused_numbers(sqlite::Connection& connection, PauseScope scope);

[[nodiscard]] std::vector<const sqlite::Query*> pause_queries();

}  // namespace tenure::queue
