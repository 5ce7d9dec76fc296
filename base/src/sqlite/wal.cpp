#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/result_code.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/base/sqlite/wal.hpp>
#include <tenure/base/system.hpp>

#include <sqlite3.h>

#include <cerrno>
#include <string>
#include <sys/stat.h>

namespace tenure::sqlite {

std::int64_t wal_bytes(const std::filesystem::path& path) {
  const std::string wal = path.string() + "-wal";
  struct stat status {};
  if (::stat(wal.c_str(), &status) == 0) return status.st_size;
  if (errno == ENOENT || errno == ENOTDIR) return 0;
  raise_system(errno, "the write-ahead log cannot be looked at", wal);
}

void sync_wal(Connection& connection) {
  sqlite3_file* wal = nullptr;
  const int found = sqlite3_file_control(connection.native(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
  if (found != SQLITE_OK) raise_sqlite(connection.native(), found, connection.path().native());
  TENURE_INVARIANT(wal != nullptr && wal->pMethods != nullptr);
  const int code = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
  if (code == SQLITE_OK) return;
  raise(ErrorCode::disk_sync_failed,
        "the write-ahead log could not be synced (SQLite's code " + std::to_string(code) +
            "); what was written may not be on disk, and asking again would not tell: restart the process",
        {}, connection.path().string());
}

void end_log(const std::filesystem::path& path) noexcept {
  constexpr int kAttempts = 2;
  try {
    for (int attempt = 0; attempt < kAttempts && wal_bytes(path) > 0; ++attempt)
      Connection last{path, {.secure_delete = true, .busy_wait_max = std::chrono::milliseconds{0}}};
  } catch (const Error&) {
    return;  // the next one to open it reads the log
  }
}

CheckpointResult checkpoint_gated(Connection& gate, Connection& checkpointer) {
  WriteTransaction closed{gate};
  int frames = -1;
  int moved = -1;
  const int code =
      sqlite3_wal_checkpoint_v2(checkpointer.native(), "main", SQLITE_CHECKPOINT_PASSIVE, &frames, &moved);
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
    raise_sqlite(checkpointer.native(), code, checkpointer.path().native());
  closed.commit();
  using enum CheckpointResult::Outcome;
  if (code != SQLITE_OK) return {.outcome = partial};
  if (frames < 0) return {.outcome = nothing};
  return {.outcome = moved == frames ? complete : partial, .frames_in_wal = frames, .frames_moved = moved};
}

}  // namespace tenure::sqlite
