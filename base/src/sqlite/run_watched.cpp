#include <tenure/base/sqlite/run_watched.hpp>

#include <sqlite3.h>

#include <exception>

namespace tenure::sqlite {
namespace {

constexpr int kInstructionsBetweenLooks = 100'000;  // of SQLite's machine: some milliseconds

struct Watch {
  FunctionRef<void()> look;
  std::exception_ptr thrown = nullptr;
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

class Watched {
 public:
  Watched(Connection& connection, Watch& watch) : connection_(connection) {
    sqlite3_progress_handler(connection_.native(), kInstructionsBetweenLooks, look_now, &watch);
  }
  ~Watched() { sqlite3_progress_handler(connection_.native(), 0, nullptr, nullptr); }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

 private:
  Connection& connection_;
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
}

}  // namespace tenure::sqlite
