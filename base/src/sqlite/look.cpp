#include "look_uri.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/look.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/base/sqlite/wal.hpp>
#include <tenure/base/system.hpp>

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <optional>
#include <sys/stat.h>
#include <thread>
#include <tuple>

namespace tenure::sqlite {
namespace {

using Contents = std::tuple<dev_t, ino_t, off_t, time_t, long>;

// Of a file, what is another once somebody has written to it.
std::optional<Contents> contents_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    raise_system(errno, "the file cannot be looked at", path);
  }
  return Contents{status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec,
                  status.st_mtim.tv_nsec};
}

std::string escaped_path(const std::string& path) {
  std::string text;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '/' || c == '.' || c == '-' || c == '_') text += c;
    else text += fmt::format("%{:02X}", byte);
  }
  return text;
}

}  // namespace

namespace {

// Whoever opens or closes the database meanwhile makes or removes log and index one after the other, and reads the one into the other.
bool may_be_of_a_moment(ErrorCode code, const std::filesystem::path& path) {
  return code == ErrorCode::access_refused || code == ErrorCode::store_busy ||
         (code == ErrorCode::database_missing && contents_of(path));
}

void open_to_look(std::optional<Connection>& connection, const std::filesystem::path& path) {
  constexpr int kTries = 20;
  constexpr std::chrono::milliseconds kMoment{5};
  for (int attempt = 1;; ++attempt) {
    try {
      connection.emplace(path, ConnectionOptions{.access = Access::look});
      return;
    } catch (const Error& error) {
      if (attempt == kTries || !may_be_of_a_moment(error.code(), path)) throw;
    }
    std::this_thread::sleep_for(kMoment);
  }
}

// Of a transaction that did not end, which whoever opens the database takes back.
bool has_journal(const std::filesystem::path& path) {
  const auto contents = contents_of(path.native() + "-journal");
  return contents && std::get<2>(*contents) > 0;
}

}  // namespace

// One with a header and no frame holds nothing: whoever began it was killed before its first commit. SQLite, which could not put the
// index right while it only reads (to 3.40.1 at least), would try that for 10 s and give up.
bool has_log(const std::filesystem::path& path) {
  constexpr std::int64_t kHeaderBytes = 32;
  return wal_bytes(path) > kHeaderBytes;
}

std::string look_uri(const std::filesystem::path& path, Access access) {
  const std::string file = "file://" + escaped_path(path.native());
  if (access == Access::look_at_file || !has_log(path)) return file + "?immutable=1";
  if (contents_of(path.native() + "-shm")) return file + "?readonly_shm=1";
  raise(
      ErrorCode::access_refused,
      "there is a log beside the database (-wal) and no index of it (-shm), and reading would have to write "
      "one. Of a copy of the control database: make it with tenure store backup FILE, which needs no log. "
      "Else "
      "start tenured, which reads the log",
      {}, path.string());
}

void look_at(const std::filesystem::path& path, FunctionRef<void(Connection&)> work) {
  const bool had_log = has_log(path);
  const auto before = contents_of(path);
  {
    std::optional<Connection> connection;
    open_to_look(connection, path);
    const ReadTransaction snapshot{*connection};
    work(*connection);
  }
  // Without a log nothing keeps a checkpoint from the pages that are read.
  if ((!had_log || !has_log(path)) && contents_of(path) != before)
    raise(ErrorCode::store_busy, "the database was written to while it was read; try again", {},
          path.string());
}

bool look_at_file(const std::filesystem::path& path, FunctionRef<void(Connection&)> work) {
  if (has_log(path) || has_journal(path)) return false;
  const auto before = contents_of(path);
  {
    Connection connection(path, {.access = Access::look_at_file});
    const ReadTransaction snapshot{connection};
    work(connection);
  }
  return !has_log(path) && !has_journal(path) && contents_of(path) == before;
}

void limit_values_by_file(Connection& connection) {
  constexpr off_t kLeast = 1 << 20;
  const auto contents = contents_of(connection.path());
  const off_t size = std::max(contents ? std::get<2>(*contents) : 0, kLeast);
  const int allowed = sqlite3_limit(connection.native(), SQLITE_LIMIT_LENGTH, -1);
  sqlite3_limit(connection.native(), SQLITE_LIMIT_LENGTH,
                static_cast<int>(std::min(size, static_cast<off_t>(allowed))));
}

}  // namespace tenure::sqlite
