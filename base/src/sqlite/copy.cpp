#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/copy.hpp>
#include <tenure/base/sqlite/database_file.hpp>
#include <tenure/base/sqlite/result_code.hpp>
#include <tenure/base/sqlite/transaction.hpp>

#include <sqlite3.h>

#include <optional>

namespace tenure::sqlite {
namespace {

constexpr int kPagesAtOnce = 256;

// "begin deferred" takes no snapshot before the first read, and without one each step of a copy would take its own.
constexpr Query kTakeSnapshot{"take_snapshot", "select count(*) from sqlite_schema"};

// Without journal and sync: a copy that is not finished is thrown away, and one that is gets its sync at the end.
constexpr const char* kAsFastAsItGoes = "pragma journal_mode = off; pragma synchronous = off";

class Target {
 public:
  explicit Target(const std::filesystem::path& path) : path_(path) {
    const int code =
        sqlite3_open_v2(path.c_str(), &database_,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE, nullptr);
    if (code != SQLITE_OK) fail(code);
    if (const int set = sqlite3_exec(database_, kAsFastAsItGoes, nullptr, nullptr, nullptr); set != SQLITE_OK)
      fail(set);
  }
  ~Target() { sqlite3_close(database_); }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  [[nodiscard]] sqlite3* database() const { return database_; }
  [[noreturn]] void fail(int code) {
    struct Closing {
      sqlite3*& database;
      ~Closing() {
        sqlite3_close(database);
        database = nullptr;
      }
    } closing{database_};
    raise_sqlite(database_, code, path_.native());
  }

 private:
  const std::filesystem::path& path_;
  sqlite3* database_ = nullptr;
};

// One snapshot of the source, since it is in a transaction all the while: SQLite begins a copy anew where it finds that somebody has
// written.
void copy_pages(Connection& source, Target& target, FunctionRef<void(const CopyProgress&)> progress) {
  struct Backup {
    sqlite3_backup* handle;
    ~Backup() { end(); }
    int end() {
      const int code = handle == nullptr ? SQLITE_OK : sqlite3_backup_finish(handle);
      handle = nullptr;
      return code;
    }
  } backup{sqlite3_backup_init(target.database(), "main", source.native(), "main")};
  if (backup.handle == nullptr) target.fail(sqlite3_extended_errcode(target.database()));
  int code = SQLITE_OK;
  while (code == SQLITE_OK) {
    code = sqlite3_backup_step(backup.handle, kPagesAtOnce);
    const std::int64_t pages = sqlite3_backup_pagecount(backup.handle);
    progress({pages - sqlite3_backup_remaining(backup.handle), pages});
  }
  const int ended = backup.end();
  if (code != SQLITE_DONE) target.fail(code);
  if (ended != SQLITE_OK) target.fail(ended);
}

}  // namespace

void copy_database(Connection& source, const std::filesystem::path& target,
                   FunctionRef<void(const CopyProgress&)> progress) {
  {
    Target opened(target);
    TENURE_INVARIANT(sqlite3_txn_state(source.native(), "main") != SQLITE_TXN_WRITE);
    std::optional<ReadTransaction> snapshot;
    if (!source.in_transaction()) snapshot.emplace(source);
    static_cast<void>(source.statement(kTakeSnapshot).row());
    copy_pages(source, opened, progress);
  }
  sync_database_file(target);
}

}  // namespace tenure::sqlite
