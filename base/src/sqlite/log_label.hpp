#pragma once

#include <tenure/base/sqlite/connection.hpp>

#include <cstdint>
#include <filesystem>

// Whether the write-ahead log beside a database is the database's own. SQLite replays whatever valid log has the right name, be it
// another database's or one that a restored backup found there.
//
// The label is the field application_id of the database's header (https://sqlite.org/fileformat2.html, offset 68). The first commit of
// each log moves it to its follower, so that the file as it lies there, without its log, and the log are at the same label or one step
// apart. It begins at random: two databases, or two states of one, agree by chance once in 2^31. A file whose label is 0 has none yet.
// Internal.
namespace tenure::sqlite {

[[nodiscard]] std::uint32_t next_label(std::uint32_t label);

// As a reader sees it now: by the log where there is one.
[[nodiscard]] std::uint32_t log_label(sqlite3* database, const std::filesystem::path& path);

// DatabaseMoved where the log is another's. Before anything may move the log into the file.
void require_own_log(sqlite3* database, const std::filesystem::path& path);

// Inside a write transaction that has changed something, before its commit.
void label_log(Connection& connection);

}  // namespace tenure::sqlite
