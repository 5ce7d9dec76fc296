#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/database.hpp>

#include <cstdint>
#include <vector>

// Overwrites what is left of deleted rows in pages that are free, and in the log. Internal.
namespace tenure::queue {

// Rows of zeros take the pages that are free, a few in each commit, and go again; then the log is moved into the database and cut off. What
// others free meanwhile is left to the next time.
// Threads: one at a time.
class FreePages {
 public:
  // True where there is more to do.
  [[nodiscard]] bool overwrite_some(sqlite::Database& database);

 private:
  enum class Step : std::uint8_t { count, fill, empty, cut_log };
  void count(sqlite::Database& database);
  void fill(sqlite::Database& database);
  void empty(sqlite::Database& database);
  // Whether it is cut off, or cannot be for long.
  [[nodiscard]] bool cut_log(sqlite::Database& database);

  Step step_ = Step::count;
  std::int64_t left_ = 0;  // pages
  int tries_ = 0;          // of cut_log
};

// Bytes of a value that takes exactly so many whole pages besides its place in a leaf.
[[nodiscard]] std::int64_t bytes_that_fill(std::int64_t pages, std::int64_t page_size);

[[nodiscard]] std::vector<const sqlite::Query*> free_page_queries();

}  // namespace tenure::queue
