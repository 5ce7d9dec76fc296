#include "told_by_runs.hpp"

#include <tenure/base/text.hpp>

namespace tenure::queue {
namespace {

using sqlite::Query;

// Index: primary keys, their ends.
constexpr Query kHasAny{"has_told_by_runs",
                        "select (select max(seq) from progress), (select max(seq) from job_cursor)"};

// No change where the claim is another. ?1 seq  ?2 incarnation  ?3 counter  ?4 done  ?5 total  ?6 text  ?7 now_us. Index: primary keys.
constexpr Query kTellProgress{"tell_progress", R"sql(
  insert into progress(seq, incarnation, counter, done, total, text, told_us)
  select seq, incarnation, counter, ?4, ?5, ?6, ?7 from claim where seq = ?1 and incarnation = ?2 and counter = ?3
  on conflict (seq) do update set incarnation = excluded.incarnation, counter = excluded.counter, done = excluded.done,
    total = excluded.total, text = excluded.text, told_us = excluded.told_us)sql"};

// No change where the claim is another. ?1 seq  ?2 incarnation  ?3 counter  ?4 cursor  ?5 now_us. Index: primary keys.
constexpr Query kSaveCursor{"save_cursor", R"sql(
  insert into job_cursor(seq, cursor, saved_us)
  select seq, ?4, ?5 from claim where seq = ?1 and incarnation = ?2 and counter = ?3
  on conflict (seq) do update set cursor = excluded.cursor, saved_us = excluded.saved_us)sql"};

// ?1 seq. Index: primary keys.
constexpr Query kDeleteProgress{"delete_progress", "delete from progress where seq = ?1"};
constexpr Query kDeleteCursor{"delete_cursor", "delete from job_cursor where seq = ?1"};
constexpr Query kCursor{"cursor", "select cursor from job_cursor where seq = ?1"};

}  // namespace

ToldByRuns::HasAny& ToldByRuns::has_any() {
  if (!has_any_) {
    auto query = connection_.statement(kHasAny);
    const auto& row = query.row();
    has_any_ = HasAny{!row.is_null(0), !row.is_null(1)};
  }
  return *has_any_;
}

bool ToldByRuns::tell(const RunNews& news, WallTime now) {
  const auto& [seq, token] = news.claim;
  if (news.progress) {
    const auto& [done, total, text] = *news.progress;
    connection_.statement(kTellProgress)
        .bind(seq.value, token.incarnation.value, token.counter, done, total, text, to_us(now))
        .run();
    if (connection_.changes() == 0) return false;
    has_any().progress = true;
  }
  if (news.cursor.empty()) return true;
  connection_.statement(kSaveCursor)
      .bind(seq.value, token.incarnation.value, token.counter, as_bytes(news.cursor), to_us(now))
      .run();
  if (connection_.changes() == 0) return false;
  has_any().cursor = true;
  return true;
}

void ToldByRuns::forget_progress(JobSeq seq) {
  if (has_any().progress) connection_.statement(kDeleteProgress).bind(seq.value).run();
}

void ToldByRuns::forget_cursor(JobSeq seq) {
  if (has_any().cursor) connection_.statement(kDeleteCursor).bind(seq.value).run();
}

std::string ToldByRuns::cursor(JobSeq seq) {
  if (!has_any().cursor) return {};
  auto row = connection_.statement(kCursor);
  return row.bind(seq.value).step() ? std::string{as_text(row.blob(0))} : std::string{};
}

std::vector<const Query*> told_by_runs_queries() {
  return {&kHasAny, &kTellProgress, &kSaveCursor, &kDeleteProgress, &kDeleteCursor, &kCursor};
}

}  // namespace tenure::queue
