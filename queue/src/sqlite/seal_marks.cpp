#include "seal_marks.hpp"

#include "ended_lookup.hpp"

#include <tenure/base/text.hpp>

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

// By their rows; a success that is not settled yet is among them. ?1 seq. Index: primary key.
constexpr Query kJobsBehind{"jobs_behind", "select seq, envelope from job where seq > ?1 and state < 4"};

// A scan of the hints, of which there are few.
constexpr Query kHintedJobs{"hinted_jobs", R"sql(
  select job.seq, job.envelope from lane_hint join job on job.seq = lane_hint.seq where job.state < 4)sql"};

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

void visit_news(Connection& connection, JobSeq after, FunctionRef<void(std::string_view envelope)> fn) {
  EndedLookup ended(connection);
  const auto tell = [&](sqlite::Statement& row) {
    while (row.step())
      if (!ended.contains(JobSeq{row.integer(0)})) fn(as_text(row.blob(1)));
  };
  auto behind = connection.statement(kJobsBehind);
  tell(behind.bind(after.value));
  auto hinted = connection.statement(kHintedJobs);
  tell(hinted);
}

std::vector<const Query*> seal_mark_queries() {
  return {&kSealMarks, &kForgetSealMarks, &kInsertSealMark, &kJobsBehind, &kHintedJobs};
}

}  // namespace tenure::queue
