#include "places.hpp"
#include "sqlite_writer.hpp"

namespace tenure::queue {
namespace {

using sqlite::Query;

// It has never started. ?1 seq  ?2 now_us. Index: primary key.
constexpr Query kExpire{"expire", R"sql(
  update job set state = 6, reason = 7, started_us = 0, finished_us = ?2 where seq = ?1 and state < 4)sql"};

static_assert(static_cast<int>(JobState::discarded) == 6 && static_cast<int>(JobReason::expired) == 7 &&
                  kNeverStarted == 0,
              "the query says so");

}  // namespace

std::vector<ExpiredJob> SqliteWriter::expire(WallTime now, std::size_t limit) {
  std::vector<ExpiredJob> expired;
  for (const LateStart& late : start_times_.late(now, limit)) {
    start_times_.forget(late.seq);
    const auto job = late.id ? named_job_in_place(*late.id) : std::nullopt;
    if (!job) continue;  // a damaged file's
    leave_place(*job);
    connection_.statement(kExpire).bind(late.seq.value, to_us(now)).run();
    key_rows_.free(late.seq);
    batches_.ended(late.seq, JobState::discarded, now);
    mark_outbox_of(job->lane.tenant, now);
    expired.push_back({late.seq, job->id, job->lane});
  }
  return expired;
}

std::optional<WallTime> SqliteWriter::next_expiry(WallTime now) { return start_times_.next(now); }

std::vector<const Query*> expiry_queries() { return {&kExpire}; }

}  // namespace tenure::queue
