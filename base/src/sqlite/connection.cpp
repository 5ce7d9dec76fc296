#include "library.hpp"
#include "log_label.hpp"
#include "look_uri.hpp"
#include "open_files.hpp"
#include "settings.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/file_kind.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/ownership.hpp>
#include <tenure/base/process_bound.hpp>
#include <tenure/base/random.hpp>
#include <tenure/base/sqlite/confinement.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/result_code.hpp>
#include <tenure/base/sqlite/wal.hpp>
#include <tenure/base/system.hpp>

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <unordered_map>
#include <utility>

namespace tenure::sqlite {
namespace {

constexpr std::size_t kStatementsMax = 256;  // cached in one connection
constexpr mode_t kDatabaseMode = 0660;       // the application's users and the daemon share a group
constexpr Query kDataVersion{"data_version", "pragma data_version"};

struct CachedStatement {
  sqlite3_stmt* statement = nullptr;
  std::uint64_t last_use = 0;
  bool in_use = false;
};

// Waits between two attempts to get SQLite's lock: evenly short, where SQLite's own handler grows to 100 ms
// and so starves whoever has waited longest.
class LockWait {
 public:
  explicit LockWait(std::chrono::milliseconds wait_max)
      : wait_max_(wait_max), random_(Random::seed_from_system()) {}

  // `attempt` counts from 0. False once the wait has been long enough.
  bool wait(int attempt) {
    constexpr std::chrono::microseconds kWaitMin{50};
    constexpr std::uint64_t kJitterUs = 151;  // 50 to 200 us
    const auto now = std::chrono::steady_clock::now();
    if (attempt == 0) until_ = now + wait_max_;
    if (now >= until_) return false;
    std::this_thread::sleep_for(kWaitMin + std::chrono::microseconds{random_.below(kJitterUs)});
    return true;
  }

 private:
  std::chrono::milliseconds wait_max_;
  std::chrono::steady_clock::time_point until_;
  Random random_;
};

int flags_of(Access access) {
  constexpr int kAlways = SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  switch (access) {
    case Access::read_only:
      return kAlways | SQLITE_OPEN_READONLY;
    case Access::read_write:
    case Access::alone:
      return kAlways | SQLITE_OPEN_READWRITE;
    case Access::create:
      return kAlways | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    case Access::look:
    case Access::look_at_file:
      return kAlways | SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
  }
  invariant_broken("unknown access", __FILE__, __LINE__);
}

// SQLite only says that there is one.
[[noreturn]] void refuse_link(const std::filesystem::path& path) {
  const auto link = first_link_in(path);
  raise(ErrorCode::access_refused,
        fmt::format(
            "{} is {}; a database is opened by its real path only and no link is followed, so name that "
            "path, or put the real file or folder there",
            link.string(), kind_of_file_at(link)),
        {}, path.string());
}

}  // namespace

struct Connection::Impl {
  // Absolute, so that no name is special to SQLite: neither ":memory:" nor "" nor "file:".
  Impl(const std::filesystem::path& file, const ConnectionOptions& connection_options)
      : path(file.empty() ? file : std::filesystem::absolute(file)),
        side_paths{path.string() + "-wal", path.string() + "-shm"},
        options(connection_options),
        lock_wait(connection_options.busy_wait_max) {
    OpenFiles::of_process().begin_connection();
  }
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void open();
  std::optional<FileIdentity> refuse_unfit_file() const;
  void open_file(bool existed);
  void refuse_lesser_access();
  SideFiles files_beside() const;
  bool in_same_place(const std::optional<FileIdentity>& existed, const SideFiles& before);
  void join();
  bool in_place() const noexcept;
  bool have_side_files() const;
  void keep_log_at_close() const;
  void leave_log() const;
  void save_removed_log() const;
  bool database_in_place() const;
  void close();
  sqlite3_stmt* prepare(const Query& query);
  void make_room();

  std::filesystem::path path;
  std::array<std::string, 2> side_paths;  // the log and its index
  ConnectionOptions options;
  LockWait lock_wait;
  sqlite3* database = nullptr;
  std::unordered_map<const Query*, CachedStatement> statements;
  std::uint64_t uses = 0;
  SideFiles side_files;
  std::optional<FileIdentity> joined;  // the database, once it is known beside what it lies
  std::int64_t wal_pages = 0;
  ProcessBound process;
};

Connection::Impl::~Impl() {
  if (process.is_inherited()) return;
  for (auto& [query, cached] : statements) sqlite3_finalize(cached.statement);
  close();
  OpenFiles::of_process().end_connection();
}

// The last connection moves the log into the database and removes it by its name, which may be another log's by now.
void Connection::Impl::close() {
  if (joined && !in_place()) leave_log();
  // Before the close, after which another thread may open the database beside a new log.
  if (joined) OpenFiles::of_process().leave(*joined);
  if (sqlite3_close(database) == SQLITE_OK) return;
  // A statement that user code prepared on native() is still alive: SQLite closes the file when that goes.
  sqlite3_close_v2(database);
  log::write(log::Level::warning, "sqlite.late_close",
             "a database stays open because a foreign statement is still alive", {.error = path.native()});
}

// SQLite opens the log by its name at the first read, so that database and log may be of two files while somebody moves them.
void Connection::Impl::open() {
  Confinement::check(path);
  constexpr int kAttempts = 10;  // another process may have ended the log and begun a new one
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const SideFiles before = files_beside();
    const std::optional<FileIdentity> existed = refuse_unfit_file();
    open_file(existed.has_value());
    if (in_same_place(existed, before)) {
      join();
      apply_settings(database, options, path.native());
      sqlite3_wal_hook(
          database,
          [](void* impl, sqlite3*, const char*, int pages) {
            static_cast<Impl*>(impl)->wal_pages = pages;
            return SQLITE_OK;
          },
          this);
      if (!existed) sync_folder(path.parent_path());
      return;
    }
    sqlite3_close(std::exchange(database, nullptr));
  }
  raise(ErrorCode::database_moved, "the database or the log beside it was moved while it was opened", {},
        path.string());
}

std::optional<FileIdentity> Connection::Impl::refuse_unfit_file() const {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  if (!S_ISREG(status.st_mode))
    raise(ErrorCode::access_refused,
          fmt::format("{} lies where a database belongs; move it away, or name another path",
                      kind_of_file_at(path)),
          {}, path.string());
  refuse_second_name(status, path);
  return FileIdentity{status.st_dev, status.st_ino, status.st_nlink};
}

void Connection::Impl::open_file(bool existed) {
  const std::string name = only_looks(options.access) ? look_uri(path, options.access) : path.native();
  const int code = sqlite3_open_v2(name.c_str(), &database, flags_of(options.access), nullptr);
  if (code == SQLITE_CANTOPEN_SYMLINK) refuse_link(path);
  if (code != SQLITE_OK) raise_sqlite(database, code, path.native());
  keep_log_at_close();  // until it is known whose log it is
  refuse_lesser_access();
  // Before WAL is switched on: the -wal and -shm take the file's mode and owner. By path, because a descriptor of ours
  // may not be.
  if (!existed && ::chmod(path.c_str(), kDatabaseMode) != 0)
    raise_system(errno, "the new file's mode cannot be set", path);
  if (!existed) give_to_owner_of_folder(path);
  sqlite3_busy_handler(
      database,
      [](void* impl, int attempt) { return static_cast<Impl*>(impl)->lock_wait.wait(attempt) ? 1 : 0; },
      this);
  // The switch to WAL does not ask the busy handler each time; only creators that race for one file meet
  // this.
  for (int attempt = 0;; ++attempt) {
    const int switched = switch_journal(database, options.access);
    if (switched == SQLITE_OK) break;
    if ((switched & 0xff) != SQLITE_BUSY || !lock_wait.wait(attempt))
      raise_of_file(database, switched, path.native());
  }
  require_own_log(database, path);  // a read, which opens the log and its index; from then on they stay open
}

// Where a file may not be written, SQLite quietly opens it for reading.
void Connection::Impl::refuse_lesser_access() {
  if (only_reads(options.access) || sqlite3_db_readonly(database, "main") == 0) return;
  const int error = ::access(path.c_str(), W_OK) == 0 ? EACCES : errno;
  raise_system(error == EROFS ? ErrorCode::disk : ErrorCode::access_refused, error,
               "the database can only be opened for reading", path);
}

SideFiles Connection::Impl::files_beside() const {
  SideFiles files;
  std::ranges::transform(side_paths, files.begin(), identity_of);
  return files;
}

bool Connection::Impl::in_same_place(const std::optional<FileIdentity>& existed, const SideFiles& before) {
  side_files = files_beside();
  if (existed && identity_of(path.native()) != existed) return false;
  for (std::size_t i = 0; i < before.size(); ++i)
    if (before[i] && side_files[i] != before[i]) return false;
  return true;
}

void Connection::Impl::join() {
  const auto main = identity_of(path.native());
  if (only_looks(options.access) || options.access == Access::alone || !main) return;
  const FileIdentity file{main->device, main->number};
  OpenFiles::of_process().join(file, side_files, log_label(database, path), path);
  joined = file;
}

void Connection::Impl::keep_log_at_close() const {
  sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

void Connection::Impl::leave_log() const {
  keep_log_at_close();
  try {
    save_removed_log();
    OpenFiles::of_process().leave_log(*joined, log_label(database, path));
  } catch (const Error& error) {
    log::write(log::Level::warning, "sqlite.log_left",
               "a database that was moved could not be read once more", {.error = error.what()});
  }
}

// A log that was deleted is still whole for whoever has it open, and with its index in place nobody can have begun another. FULL keeps
// other writers out, so it needs no gate.
void Connection::Impl::save_removed_log() const {
  if (only_reads(options.access) || !database_in_place()) return;
  if (!side_files[1] || identity_of(side_paths[1]) != side_files[1] || wal_bytes(path) != 0) return;
  int frames = 0;
  int moved = 0;
  const int code = sqlite3_wal_checkpoint_v2(database, "main", SQLITE_CHECKPOINT_FULL, &frames, &moved);
  if (code != SQLITE_OK) raise_sqlite(database, code, path.native());
  log::write(
      log::Level::warning, "sqlite.log_saved",
      fmt::format("the write-ahead log of {} was removed while it was open; {} of the {} pages in it were "
                  "moved into the database",
                  path.native(), moved, frames));
}

bool Connection::Impl::database_in_place() const {
  const auto main = identity_of(path.native());
  return main && FileIdentity{main->device, main->number} == *joined;
}

bool Connection::Impl::in_place() const noexcept {
  try {
    return database_in_place() && have_side_files();
  } catch (const std::exception&) {
    return false;
  }
}

bool Connection::Impl::have_side_files() const {
  return side_files[0] && side_files[1] && files_beside() == side_files;
}

sqlite3_stmt* Connection::Impl::prepare(const Query& query) {
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  const int code = sqlite3_prepare_v3(database, query.sql.data(), static_cast<int>(query.sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, &rest);
  if (code != SQLITE_OK) raise_sqlite(database, code, query.name);
  const std::string_view left{rest, static_cast<std::size_t>(query.sql.data() + query.sql.size() - rest)};
  if (statement != nullptr && left.find_first_not_of(" \t\r\n;") == std::string_view::npos) return statement;
  sqlite3_finalize(statement);
  raise(ErrorCode::internal, "a query must be exactly one statement", {}, std::string{query.name});
}

// Closes the statement that has not been used for longest.
void Connection::Impl::make_room() {
  if (statements.size() < kStatementsMax) return;
  auto oldest = statements.end();
  for (auto it = statements.begin(); it != statements.end(); ++it) {
    if (it->second.in_use) continue;
    if (oldest == statements.end() || it->second.last_use < oldest->second.last_use) oldest = it;
  }
  TENURE_INVARIANT(oldest != statements.end());
  sqlite3_finalize(oldest->second.statement);
  statements.erase(oldest);
}

Connection::Connection(const std::filesystem::path& path, const ConnectionOptions& options)
    : impl_(std::make_unique<Impl>(path, options)) {
  if (path.empty()) raise(ErrorCode::database_missing, "the name of the database is empty");
  start_library();
  refuse_network_file_system(impl_->path.parent_path());
  impl_->open();
}

Connection::~Connection() = default;

Statement Connection::statement(const Query& query) {
  impl_->process.check("the database");
  auto found = impl_->statements.find(&query);
  if (found == impl_->statements.end()) {
    impl_->make_room();
    sqlite3_stmt* prepared = impl_->prepare(query);
    found = impl_->statements.emplace(&query, CachedStatement{.statement = prepared}).first;
  }
  CachedStatement& cached = found->second;
  TENURE_INVARIANT(!cached.in_use);
  cached.last_use = ++impl_->uses;
  return Statement{impl_->database, cached.statement, query, &cached.in_use};
}

void Connection::execute(const Query& script) {
  impl_->process.check("the database");
  const std::string sql{script.sql};
  const int code = sqlite3_exec(impl_->database, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) raise_sqlite(impl_->database, code, script.name);
}

std::int64_t Connection::last_insert_row() const { return sqlite3_last_insert_rowid(impl_->database); }
void Connection::set_last_insert_row(std::int64_t row) {
  sqlite3_set_last_insert_rowid(impl_->database, row);
}

std::int64_t Connection::changes() const { return sqlite3_changes64(impl_->database); }

std::int64_t Connection::data_version() { return statement(kDataVersion).row().integer(0); }

bool Connection::in_transaction() const {
  return !impl_->process.is_inherited() && sqlite3_get_autocommit(impl_->database) == 0;
}

const std::filesystem::path& Connection::path() const { return impl_->path; }

sqlite3* Connection::native() const {
  impl_->process.check("the database");
  return impl_->database;
}

bool Connection::still_on_disk() {
  impl_->process.check("the database");
  const auto main = identity_of(impl_->path.native());
  if (!main || main->names > 1 || !impl_->joined) return false;
  return FileIdentity{main->device, main->number} == *impl_->joined && impl_->have_side_files();
}

std::int64_t Connection::wal_pages() const { return impl_->wal_pages; }

}  // namespace tenure::sqlite
