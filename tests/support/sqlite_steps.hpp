#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>

namespace tenure::testing {

// Counts the steps of SQLite's machine on every connection that is opened while it lives: what a statement costs, the same on every
// computer. As a base it stands before the one that opens the connections. One at a time.
class SqliteSteps {
 public:
  SqliteSteps() { sqlite3_auto_extension(entry()); }
  ~SqliteSteps() { sqlite3_cancel_auto_extension(entry()); }
  SqliteSteps(const SqliteSteps&) = delete;
  SqliteSteps& operator=(const SqliteSteps&) = delete;

  [[nodiscard]] static std::int64_t steps() { return count(); }

 private:
  static std::atomic<std::int64_t>& count() {
    static std::atomic<std::int64_t> steps = 0;
    return steps;
  }
  static int add_one(void*) {
    ++count();
    return 0;
  }
  static int opened(sqlite3* connection, const char**, const sqlite3_api_routines*) {
    sqlite3_progress_handler(connection, 1, add_one, nullptr);
    return SQLITE_OK;
  }
  static void (*entry())() { return reinterpret_cast<void (*)()>(opened); }
};

}  // namespace tenure::testing
