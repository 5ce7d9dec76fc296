#include "cancel_requests.hpp"

namespace tenure::queue {
namespace {

using sqlite::Query;

// Index: primary key, its end.
constexpr Query kNewestRequest{"newest_cancel_request", "select max(number) from cancel_request"};

// What a damaged file has left of an older claim would keep its number, which the dispatcher has passed. ?1 seq. Index: unique seq.
constexpr Query kDeleteStray{"delete_stray_cancel_request", R"sql(
  delete from cancel_request where seq = ?1 and not exists (
    select 1 from claim where claim.seq = ?1 and claim.incarnation = cancel_request.incarnation
      and claim.counter = cancel_request.counter))sql"};

// ?1 seq  ?2 now_us. Index: primary key of claim.
constexpr Query kInsertRequest{"insert_cancel_request", R"sql(
  insert into cancel_request(seq, incarnation, counter, asked_us)
  select seq, incarnation, counter, ?2 from claim where seq = ?1
  on conflict (seq) do nothing)sql"};

// ?1 seq. Index: unique seq.
constexpr Query kDeleteRequest{"delete_cancel_request", "delete from cancel_request where seq = ?1"};

// ?1 seq  ?2 incarnation  ?3 counter. Index: unique seq.
constexpr Query kHasRequest{"has_cancel_request", R"sql(
  select 1 from cancel_request where seq = ?1 and incarnation = ?2 and counter = ?3)sql"};

// ?1 number  ?2 limit. Index: primary keys.
constexpr Query kRequestsBehind{"cancel_requests_behind", R"sql(
  select cancel_request.number, claim.seq, claim.incarnation, claim.counter, job.id
  from cancel_request
  join claim on claim.seq = cancel_request.seq and claim.incarnation = cancel_request.incarnation
    and claim.counter = cancel_request.counter
  join job on job.seq = claim.seq
  where cancel_request.number > ?1 order by cancel_request.number limit ?2)sql"};

}  // namespace

bool CancelRequests::may_have_any() {
  if (!may_have_any_) may_have_any_ = !connection_.statement(kNewestRequest).row().is_null(0);
  return *may_have_any_;
}

void CancelRequests::add(JobSeq seq, WallTime now) {
  connection_.statement(kDeleteStray).bind(seq.value).run();
  connection_.statement(kInsertRequest).bind(seq.value, to_us(now)).run();
  may_have_any_ = true;
}

void CancelRequests::forget(JobSeq seq) {
  if (may_have_any()) connection_.statement(kDeleteRequest).bind(seq.value).run();
}

bool CancelRequests::has(ClaimRef claim) {
  return may_have_any() && connection_.statement(kHasRequest)
                               .bind(claim.seq.value, claim.token.incarnation.value, claim.token.counter)
                               .step();
}

std::vector<CancelRequest> CancelRequests::behind(CancelNumber after, std::size_t limit) {
  std::vector<CancelRequest> requests;
  if (!may_have_any()) return requests;
  auto row = connection_.statement(kRequestsBehind);
  row.bind(after.value, limit);
  while (row.step()) {
    const auto id = Uuid::from_bytes(row.blob(4));
    requests.push_back({CancelNumber{row.integer(0)},
                        {JobSeq{row.integer(1)}, {Incarnation{row.integer(2)}, row.integer(3)}},
                        id ? JobId{*id} : JobId{}});
  }
  return requests;
}

std::vector<const Query*> cancel_request_queries() {
  return {&kNewestRequest, &kDeleteStray, &kInsertRequest, &kDeleteRequest, &kHasRequest, &kRequestsBehind};
}

}  // namespace tenure::queue
