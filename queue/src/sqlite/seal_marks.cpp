#include "seal_marks.hpp"

#include <algorithm>
#include <cstdint>

namespace tenure::queue {
namespace {

using sqlite::Connection;
using sqlite::Query;

constexpr std::int64_t kCurrent = 1;
constexpr std::int64_t kPrevious = 2;

// Index: primary key.
constexpr Query kSealMarks{"seal_marks", "select place, hash from seal_mark where place in (1, 2)"};

constexpr Query kForgetSealMarks{"forget_seal_marks", "delete from seal_mark"};

// ?1 place  ?2 hash.
constexpr Query kInsertSealMark{"insert_seal_mark", "insert into seal_mark(place, hash) values (?1, ?2)"};

}  // namespace

SealMarks read_seal_marks(Connection& connection) {
  SealMarks marks;
  auto row = connection.statement(kSealMarks);
  while (row.step()) {
    KeyedHash hash{};
    const auto bytes = row.blob(1);
    std::copy_n(bytes.begin(), std::min(bytes.size(), hash.size()), hash.begin());
    (row.integer(0) == kCurrent ? marks.current : marks.previous) = hash;
  }
  return marks;
}

void write_seal_marks(Connection& connection, const SealMarks& marks) {
  connection.statement(kForgetSealMarks).run();
  if (marks.current)
    connection.statement(kInsertSealMark).bind(kCurrent, std::span<const std::byte>(*marks.current)).run();
  if (marks.previous)
    connection.statement(kInsertSealMark).bind(kPrevious, std::span<const std::byte>(*marks.previous)).run();
}

std::vector<const Query*> seal_mark_queries() { return {&kSealMarks, &kForgetSealMarks, &kInsertSealMark}; }

}  // namespace tenure::queue
