#include "log_label.hpp"

#include "settings.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/random.hpp>
#include <tenure/base/sqlite/result_code.hpp>

#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <charconv>

namespace tenure::sqlite {
namespace {

constexpr Query kLabel{"log_label", "pragma application_id"};

// As the file lies there, without its log, through SQLite's own descriptor: closing one of ours would drop the process's locks.
std::uint32_t label_in_file(sqlite3* database, std::string_view path) {
  constexpr sqlite3_int64 kOffset = 68;
  sqlite3_file* file = nullptr;
  const int found = sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (found != SQLITE_OK) raise_sqlite(database, found, path);
  TENURE_INVARIANT(file != nullptr && file->pMethods != nullptr);
  std::array<std::uint8_t, 4> bytes{};
  const int code = file->pMethods->xRead(file, bytes.data(), static_cast<int>(bytes.size()), kOffset);
  if (code == SQLITE_IOERR_SHORT_READ) return 0;
  if (code != SQLITE_OK) raise_sqlite(database, code, path);
  std::uint32_t label = 0;
  for (const std::uint8_t byte : bytes) label = label << 8U | byte;
  return label;
}

bool follows(std::uint32_t log, std::uint32_t file) {
  return file == 0 || log == file || log == next_label(file);
}

}  // namespace

// The generator of Numerical Recipes (2nd edition, "An Even Quicker Generator"): each number has one follower, and all 2^32 come by.
std::uint32_t next_label(std::uint32_t label) {
  constexpr std::uint32_t kFactor = 1664525;
  constexpr std::uint32_t kStep = 1013904223;
  if (label == 0) label = static_cast<std::uint32_t>(Random{Random::seed_from_system()}.below(UINT32_MAX));
  const std::uint32_t next = label * kFactor + kStep;
  return next == 0 ? kStep : next;
}

std::uint32_t log_label(sqlite3* database, const std::filesystem::path& path) {
  const std::string text = read_pragma(database, std::string{kLabel.sql}, path.native());
  std::int32_t label = 0;
  std::from_chars(text.data(), text.data() + text.size(), label);
  return static_cast<std::uint32_t>(label);
}

void require_own_log(sqlite3* database, const std::filesystem::path& path) {
  constexpr int kLooks = 5;  // between the two reads others may have ended a log and begun the next
  std::uint32_t file = 0;
  std::uint32_t log = 0;
  for (int look = 0; look < kLooks; ++look) {
    file = label_in_file(database, path.native());
    log = log_label(database, path);
    if (follows(log, file)) return;
  }
  raise(ErrorCode::database_moved,
        fmt::format(
            "the write-ahead log (-wal) beside the database is another's, or belongs to another state of it "
            "(labels {:08x} and {:08x}); nothing of it was used. Put the log back that belongs to the file; "
            "where the file is a complete copy, move the -wal and -shm away",
            log, file),
        {}, path.string());
}

void label_log(Connection& connection) {
  const std::uint32_t file = label_in_file(connection.native(), connection.path().native());
  const auto log = static_cast<std::uint32_t>(connection.statement(kLabel).row().integer(0));
  if (log != file) return;
  const auto next = static_cast<std::int32_t>(next_label(log));
  (void)read_pragma(connection.native(), fmt::format("pragma application_id={}", next),
                    connection.path().native());
}

}  // namespace tenure::sqlite
