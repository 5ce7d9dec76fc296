#include "library.hpp"
#include "look_uri.hpp"
#include "settings.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/ownership.hpp>
#include <tenure/base/process_bound.hpp>
#include <tenure/base/random.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/result_code.hpp>
#include <tenure/base/system.hpp>

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <unordered_map>

namespace tenure::sqlite {
namespace {

constexpr std::size_t kStatementsMax = 256;  // cached in one connection
constexpr mode_t kDatabaseMode = 0660;       // the application's users and the daemon share a group
constexpr Query kDataVersion{"data_version", "pragma data_version"};
constexpr Query kOpenWal{"open_wal", "select count(*) from sqlite_schema"};

struct CachedStatement {
  sqlite3_stmt* statement = nullptr;
  std::uint64_t last_use = 0;
  bool in_use = false;
};

struct FileIdentity {
  dev_t device = 0;
  ino_t number = 0;
  nlink_t names = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

// By stat() and never by open(): closing a descriptor of ours would drop the process's locks on the file.
std::optional<FileIdentity> identity_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return FileIdentity{status.st_dev, status.st_ino, status.st_nlink};
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  raise_system(errno, "the file cannot be looked at", path);
}

// Each name has a log and a lock table of its own, and what is written by one is never seen by the other.
void refuse_second_name(const struct stat& status, const std::filesystem::path& path) {
  if (status.st_nlink <= 1) return;
  raise(ErrorCode::access_refused,
        fmt::format("the file has {} names (hard links); a database is opened by one name only, so remove "
                    "the others or "
                    "make a copy of the file",
                    status.st_nlink),
        {}, path.string());
}

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

// Whether SQLite in this process holds what it inherited from the process that it was forked from. Its list of open files knows
// inodes and not processes: a child's own connection to the same file would find the parent's locks in it.
class OpenConnections {
 public:
  static OpenConnections& of_process() {
    static OpenConnections* const kept = new OpenConnections;  // connections may live until the very end
    return *kept;
  }
  void begin() {
    const std::uint64_t process = forks_of_process();
    const std::uint64_t owner = owner_;
    // Another thread of a child may have come first: then the owner was written before its connection was counted.
    if (owner != process && count_ > 0 && owner_ == owner) refuse_in_child("a database that is open");
    owner_ = process;
    ++count_;
  }
  void end() { --count_; }

 private:
  std::atomic<std::uint64_t> owner_{0};
  std::atomic<std::int64_t> count_{0};
};

int flags_of(Access access) {
  constexpr int kAlways = SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  switch (access) {
    case Access::read_only:
      return kAlways | SQLITE_OPEN_READONLY;
    case Access::read_write:
      return kAlways | SQLITE_OPEN_READWRITE;
    case Access::create:
      return kAlways | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    case Access::look:
      return kAlways | SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
  }
  invariant_broken("unknown access", __FILE__, __LINE__);
}

}  // namespace

struct Connection::Impl {
  // Absolute, so that no name is special to SQLite: neither ":memory:" nor "" nor "file:".
  Impl(const std::filesystem::path& file, const ConnectionOptions& connection_options)
      : path(file.empty() ? file : std::filesystem::absolute(file)),
        side_paths{path.string() + "-wal", path.string() + "-shm"},
        options(connection_options),
        lock_wait(connection_options.busy_wait_max) {
    OpenConnections::of_process().begin();
  }
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void open();
  void refuse_lesser_access();
  void remember_files();
  sqlite3_stmt* prepare(const Query& query);
  void make_room();

  std::filesystem::path path;
  std::array<std::string, 2> side_paths;  // the log and its index
  ConnectionOptions options;
  LockWait lock_wait;
  sqlite3* database = nullptr;
  std::unordered_map<const Query*, CachedStatement> statements;
  std::uint64_t uses = 0;
  std::array<std::optional<FileIdentity>, 2> side_files;
  std::int64_t wal_pages = 0;
  ProcessBound process;
};

Connection::Impl::~Impl() {
  if (process.is_inherited()) return;
  OpenConnections::of_process().end();
  for (auto& [query, cached] : statements) sqlite3_finalize(cached.statement);
  if (sqlite3_close(database) == SQLITE_OK) return;
  // A statement that user code prepared on native() is still alive: SQLite closes the file when that goes.
  sqlite3_close_v2(database);
  log::write(log::Level::warning, "sqlite.late_close",
             "a database stays open because a foreign statement is still alive", {.error = path.native()});
}

void Connection::Impl::open() {
  struct stat status {};
  const bool existed = ::stat(path.c_str(), &status) == 0;
  if (existed && !S_ISREG(status.st_mode))
    raise(ErrorCode::access_refused, "this is not a regular file", {}, path.string());
  if (existed) refuse_second_name(status, path);
  const std::string name = options.access == Access::look ? look_uri(path) : path.native();
  const int code = sqlite3_open_v2(name.c_str(), &database, flags_of(options.access), nullptr);
  if (code != SQLITE_OK) raise_sqlite(database, code, path.native());
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
    const int switched = switch_to_wal(database, options.access);
    if (switched == SQLITE_OK) break;
    if ((switched & 0xff) != SQLITE_BUSY || !lock_wait.wait(attempt))
      raise_sqlite(database, switched, path.native());
  }
  apply_settings(database, options, path.native());
  sqlite3_wal_hook(
      database,
      [](void* impl, sqlite3*, const char*, int pages) {
        static_cast<Impl*>(impl)->wal_pages = pages;
        return SQLITE_OK;
      },
      this);
  remember_files();
  if (!existed) sync_folder(path.parent_path());
}

// Where a file may not be written, SQLite quietly opens it for reading.
void Connection::Impl::refuse_lesser_access() {
  if (only_reads(options.access) || sqlite3_db_readonly(database, "main") == 0) return;
  const int error = ::access(path.c_str(), W_OK) == 0 ? EACCES : errno;
  raise_system(error == EROFS ? ErrorCode::disk : ErrorCode::access_refused, error,
               "the database can only be opened for reading", path);
}

void Connection::Impl::remember_files() {
  sqlite3_stmt* statement =
      prepare(kOpenWal);  // the first read opens the WAL and its index, and from then on they stay open
  Statement{database, statement, kOpenWal}.row();
  sqlite3_finalize(statement);
  std::ranges::transform(side_paths, side_files.begin(), identity_of);
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
  int moved = 0;
  const int code = sqlite3_file_control(impl_->database, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  if (code != SQLITE_OK) raise_sqlite(impl_->database, code, impl_->path.native());
  if (moved != 0) return false;
  // HAS_MOVED looks at the inode of the database file only.
  const auto main = identity_of(impl_->path.native());
  if (!main || main->names > 1) return false;
  for (std::size_t i = 0; i < impl_->side_paths.size(); ++i)
    if (!impl_->side_files[i] || identity_of(impl_->side_paths[i]) != impl_->side_files[i]) return false;
  return true;
}

std::int64_t Connection::wal_pages() const { return impl_->wal_pages; }

}  // namespace tenure::sqlite
