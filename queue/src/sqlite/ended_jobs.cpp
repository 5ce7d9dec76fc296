#include "ended_jobs.hpp"

#include <algorithm>

namespace tenure::queue {
namespace {

using sqlite::Query;

// No change where the claim has moved on. ?1 seq  ?2 incarnation  ?3 counter  ?4 now_us. Index: primary key of claim.
constexpr Query kAppendEnded{"append_ended", R"sql(
  insert into ended(seq, started_us, finished_us)
  select seq, started_us, ?4 from claim where seq = ?1 and incarnation = ?2 and counter = ?3)sql"};

// Index: primary key, both its ends.
constexpr Query kEndedNumbers{"ended_numbers", R"sql(
  select (select min(number) from ended), (select max(number) from ended))sql"};

// ?1 number before  ?2 limit. Index: primary key.
constexpr Query kEndedBatch{"ended_batch", R"sql(
  select number, seq, started_us, finished_us from ended where number > ?1 order by number limit ?2)sql"};

// ?1 seq  ?2 started_us  ?3 finished_us. Index: primary key.
constexpr Query kSettle{"settle", R"sql(
  update job set state = 4, reason = 0, started_us = ?2, finished_us = ?3 where seq = ?1 and state < 4)sql"};

// Lists of successes begin at the newest that was ever settled. A row of `ended` may be damaged. ?1 seq. Index: primary keys.
constexpr Query kRaiseSettled{"raise_settled", R"sql(
  update mark set seq = max(seq, min(?1, (select coalesce(max(seq), 0) from job))) where name = 'settled')sql"};

// ?1 number. Index: primary key.
constexpr Query kDeleteEnded{"delete_ended", R"sql(
  delete from ended where number <= ?1 and number < (select max(number) from ended))sql"};

}  // namespace

bool append_ended(sqlite::Connection& connection, ClaimRef claim, WallTime now) {
  connection.statement(kAppendEnded)
      .bind(claim.seq.value, claim.token.incarnation.value, claim.token.counter, to_us(now))
      .run();
  return connection.changes() > 0;
}

std::int64_t EndedJobs::waiting(sqlite::Connection& connection) const {
  auto row = connection.statement(kEndedNumbers);
  row.row();
  if (row.is_null(0)) return 0;
  return row.integer(1) - std::max(row.integer(0) - 1, settled_);
}

void EndedJobs::settle(sqlite::Connection& connection, std::size_t rows) {
  written_next_ = written_;
  deleted_next_ = deleted_;
  if (written_ < batch_.size()) {
    const std::size_t end = std::min(batch_.size(), written_ + rows);
    for (; written_next_ < end; ++written_next_) {
      const End& each = batch_[written_next_];
      connection.statement(kSettle).bind(each.seq.value, each.started_us, each.finished_us).run();
    }
    connection.statement(kRaiseSettled).bind(batch_[end - 1].seq.value).run();
    return;
  }
  deleted_next_ = std::min(last_number_, deleted_ + static_cast<std::int64_t>(limits_.delete_rows));
  connection.statement(kDeleteEnded).bind(deleted_next_).run();
}

void EndedJobs::committed() {
  written_ = written_next_;
  deleted_ = deleted_next_;
  if (batch_.empty() || written_ < batch_.size() || deleted_ < last_number_) return;
  settled_ = last_number_;
  forget();
}

void EndedJobs::forget() {
  batch_ = {};
  written_ = written_next_ = 0;
  last_number_ = deleted_ = deleted_next_ = 0;
}

void EndedJobs::load(sqlite::Connection& connection) {
  std::int64_t first = 0;
  auto row = connection.statement(kEndedBatch);
  row.bind(settled_, limits_.batch_rows);
  while (row.step()) {
    if (batch_.empty()) first = row.integer(0);
    last_number_ = row.integer(0);
    batch_.push_back({JobSeq{row.integer(1)}, row.integer(2), row.integer(3)});
  }
  std::ranges::sort(batch_, {}, &End::seq);
  written_ = written_next_ = 0;
  deleted_ = deleted_next_ = first - 1;
}

std::vector<const Query*> ended_queries() {
  return {&kAppendEnded, &kEndedNumbers, &kEndedBatch, &kSettle, &kRaiseSettled, &kDeleteEnded};
}

}  // namespace tenure::queue
