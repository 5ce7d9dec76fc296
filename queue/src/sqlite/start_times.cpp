#include "start_times.hpp"

namespace tenure::queue {
namespace {

using sqlite::Query;

// Index: primary key, its end.
constexpr Query kAnyStartTime{"any_start_time", "select max(seq) from start_before"};

// ?1 seq  ?2 before_us. What a damaged file has left of that number gives way. Index: primary key.
constexpr Query kInsertStartTime{"insert_start_time",
                                 "insert or replace into start_before(seq, before_us) values (?1, ?2)"};

// ?1 seq. Index: primary key.
constexpr Query kStartTimeOf{"start_time_of", "select before_us from start_before where seq = ?1"};

// ?1 seq. Index: primary key.
constexpr Query kDeleteStartTime{"delete_start_time", "delete from start_before where seq = ?1"};

// Passes over those that have a claim, of which there are no more than jobs that run. ?1 now_us  ?2 limit.
// Index: start_before_time, primary keys.
constexpr Query kLateStarts{"late_starts", R"sql(
  select start_before.seq, job.id
  from start_before indexed by start_before_time left join job on job.seq = start_before.seq
  where before_us <= ?1 and not exists (select 1 from claim where claim.seq = start_before.seq)
  order by before_us, start_before.seq limit ?2)sql"};

// The same, its time. ?1 now_us. Index: start_before_time, primary key of claim.
constexpr Query kFirstLateStart{"first_late_start", R"sql(
  select before_us from start_before indexed by start_before_time
  where before_us <= ?1 and not exists (select 1 from claim where claim.seq = start_before.seq)
  order by before_us limit 1)sql"};

// ?1 now_us. Index: start_before_time.
constexpr Query kNextStartTime{"next_start_time",
                               "select min(before_us) from start_before where before_us > ?1"};

}  // namespace

bool StartTimes::may_have_any() {
  if (!may_have_any_) may_have_any_ = !connection_.statement(kAnyStartTime).row().is_null(0);
  return *may_have_any_;
}

void StartTimes::add(JobSeq seq, WallTime start_before) {
  connection_.statement(kInsertStartTime).bind(seq.value, to_us(start_before)).run();
  may_have_any_ = true;
}

std::optional<WallTime> StartTimes::of(JobSeq seq) {
  if (!may_have_any()) return std::nullopt;
  auto row = connection_.statement(kStartTimeOf);
  return row.bind(seq.value).step() ? std::optional{from_us(row.integer(0))} : std::nullopt;
}

void StartTimes::forget(JobSeq seq) {
  if (may_have_any()) connection_.statement(kDeleteStartTime).bind(seq.value).run();
}

std::vector<LateStart> StartTimes::late(WallTime now, std::size_t limit) {
  std::vector<LateStart> found;
  if (!may_have_any()) return found;
  auto row = connection_.statement(kLateStarts);
  row.bind(to_us(now), limit);
  while (row.step()) {
    const auto id = row.is_null(1) ? std::nullopt : Uuid::from_bytes(row.blob(1));
    found.push_back({JobSeq{row.integer(0)}, id ? std::optional{JobId{*id}} : std::nullopt});
  }
  return found;
}

std::optional<WallTime> StartTimes::next(WallTime now) {
  if (!may_have_any()) return std::nullopt;
  {
    auto row = connection_.statement(kFirstLateStart);
    if (row.bind(to_us(now)).step()) return from_us(row.integer(0));
  }
  auto row = connection_.statement(kNextStartTime);
  row.bind(to_us(now));
  const auto us = row.row().optional_integer(0);
  return us ? std::optional{from_us(*us)} : std::nullopt;
}

std::vector<const Query*> start_time_queries() {
  return {&kAnyStartTime, &kInsertStartTime, &kStartTimeOf,  &kDeleteStartTime,
          &kLateStarts,   &kFirstLateStart,  &kNextStartTime};
}

}  // namespace tenure::queue
