#include <tenure/base/sqlite/run_watched.hpp>

#include <sqlite3.h>

#include <exception>

namespace tenure::sqlite {
namespace {

constexpr int kInstructionsBetweenLooks = 100'000;  // of SQLite's machine: some milliseconds
constexpr int kReadsBetweenLooks = 1000;            // the same

struct Watch {
  FunctionRef<void()> look;
  std::exception_ptr thrown = nullptr;
  const sqlite3_io_methods* methods = nullptr;  // of the file, as they were
  int reads = 0;
};

// For SQLite, which knows no exceptions; not 0 ends the statement.
int look_now(void* context) noexcept {
  auto& watch = *static_cast<Watch*>(context);
  try {
    watch.look();
    return 0;
  } catch (...) {
    watch.thrown = std::current_exception();
    return 1;
  }
}

thread_local Watch* t_watch = nullptr;

// A check of all pages of a table is one instruction (SQLite asks within it from 3.42 on). What it cannot read it takes for damage, and
// comes to its end soon.
int read_watched(sqlite3_file* file, void* bytes, int count, sqlite3_int64 offset) noexcept {
  Watch& watch = *t_watch;
  if (!watch.thrown && ++watch.reads % kReadsBetweenLooks == 0) static_cast<void>(look_now(&watch));
  return watch.thrown ? SQLITE_IOERR_READ : watch.methods->xRead(file, bytes, count, offset);
}

class Watched {
 public:
  Watched(Connection& connection, Watch& watch) : connection_(connection) {
    sqlite3_progress_handler(connection_.native(), kInstructionsBetweenLooks, look_now, &watch);
    sqlite3_file_control(connection_.native(), "main", SQLITE_FCNTL_FILE_POINTER, &file_);
    if (file_ == nullptr || file_->pMethods == nullptr) return;
    watch.methods = file_->pMethods;
    watched_ = *watch.methods;
    watched_.xRead = read_watched;
    t_watch = &watch;
    file_->pMethods = &watched_;
  }
  ~Watched() {
    if (t_watch != nullptr) file_->pMethods = t_watch->methods;
    t_watch = nullptr;
    sqlite3_progress_handler(connection_.native(), 0, nullptr, nullptr);
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

 private:
  Connection& connection_;
  sqlite3_file* file_ = nullptr;
  sqlite3_io_methods watched_{};
};

}  // namespace

void run_watched(Connection& connection, FunctionRef<void()> look, FunctionRef<void()> work) {
  Watch watch{look};
  const Watched watched(connection, watch);
  try {
    work();
  } catch (...) {
    if (watch.thrown) std::rethrow_exception(watch.thrown);
    throw;
  }
  if (watch.thrown) std::rethrow_exception(watch.thrown);  // which SQLite has taken for an answer
}

}  // namespace tenure::sqlite
