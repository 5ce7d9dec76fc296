#include "free_pages.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/statement.hpp>

#include <algorithm>

namespace tenure::queue {
namespace {

using sqlite::Connection;
using sqlite::Durability;
using sqlite::Query;

constexpr std::int64_t kPagesAtOnce = 256;  // 1 MiB
constexpr int kTriesMax = 100;              // beside readers that hold the log up
constexpr std::int64_t kCutLogMax = 256L * 1024;

constexpr Query kFreePages{
    "free_pages", "select freelist_count, page_size from pragma_freelist_count(), pragma_page_size()"};
// ?1 bytes.
constexpr Query kTakePages{"take_free_pages", "insert into free_page(zeros) values (zeroblob(?1))"};
// Index: primary key, its end.
constexpr Query kGivePages{"give_free_pages",
                           "delete from free_page where number = (select max(number) from free_page)"};
// A commit that changes next to nothing.
constexpr Query kTouchLog{
    "touch_log", "insert into free_page(zeros) values (x''); delete from free_page where zeros = x''"};
constexpr Query kCutLog{"cut_log", "pragma journal_size_limit = 0"};
constexpr Query kKeepLog{"keep_log", "pragma journal_size_limit = 16777216"};

}  // namespace

// A value that does not fit into its leaf leaves the least part there, where its rest is whole pages, each with a pointer of 4 bytes
// (https://sqlite.org/fileformat2.html#b_tree_pages). The record begins with the length of its header, a byte for the key, and the type of the
// value, which grows with it.
std::int64_t bytes_that_fill(std::int64_t pages, std::int64_t page_size) {
  constexpr std::int64_t kPointer = 4;
  const std::int64_t local_min = (page_size - 12) * 32 / 255 - 23;
  const std::int64_t record = local_min + pages * (page_size - kPointer);
  const auto type_size = [](std::int64_t bytes) {
    std::int64_t size = 1;
    for (std::int64_t type = 12 + 2 * bytes; type > 127; type >>= 7) ++size;
    return size;
  };
  for (std::int64_t type = 1; type <= 9; ++type)
    if (type_size(record - 2 - type) == type) return record - 2 - type;
  return record;
}

bool FreePages::overwrite_some(sqlite::Database& database) {
  switch (step_) {
    case Step::count:
      count(database);
      return true;
    case Step::fill:
      fill(database);
      return true;
    case Step::empty:
      empty(database);
      return true;
    case Step::cut_log:
      if (!cut_log(database)) return true;
      step_ = Step::count;
      return false;
  }
  return false;
}

void FreePages::count(sqlite::Database& database) {
  database.read([&](Connection& connection) { left_ = connection.statement(kFreePages).row().integer(0); });
  tries_ = 0;
  step_ = Step::fill;
}

void FreePages::fill(sqlite::Database& database) {
  std::int64_t taken = 0;
  database.write(Durability::ordered, [&](Connection& connection) {
    std::int64_t page_size = 0;
    {
      auto row = connection.statement(kFreePages);
      TENURE_INVARIANT(row.step());
      taken = std::min({row.integer(0), left_, kPagesAtOnce});
      page_size = row.integer(1);
    }
    if (taken > 0) connection.statement(kTakePages).bind(bytes_that_fill(taken, page_size)).run();
  });
  left_ -= taken;
  if (taken == 0) step_ = Step::empty;
}

void FreePages::empty(sqlite::Database& database) {
  std::int64_t rows = 0;
  database.write(Durability::ordered, [&](Connection& connection) {
    connection.statement(kGivePages).run();
    rows = connection.changes();
  });
  if (rows == 0) step_ = Step::cut_log;
}

// A commit behind a checkpoint that was complete begins the log anew, and cuts it off behind itself.
bool FreePages::cut_log(sqlite::Database& database) {
  static_cast<void>(database.checkpoint());
  database.write(Durability::durable, [](Connection& connection) {
    connection.execute(kCutLog);
    connection.execute(kTouchLog);
  });
  database.write(Durability::ordered, [](Connection& connection) { connection.execute(kKeepLog); });
  return database.wal_bytes() <= kCutLogMax || ++tries_ == kTriesMax;
}

std::vector<const Query*> free_page_queries() { return {&kFreePages, &kTakePages, &kGivePages}; }

}  // namespace tenure::queue
