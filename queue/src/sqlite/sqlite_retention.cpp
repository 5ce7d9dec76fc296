#include "../job_rules.hpp"
#include "places.hpp"
#include "sqlite_reader.hpp"
#include "sqlite_writer.hpp"
#include "stored_values.hpp"

#include <algorithm>

namespace tenure::queue {
namespace {

using sqlite::Query;

// Of the dead jobs the last one that is not among the newest `?1`. Index: job_failed.
constexpr Query kDeadBehind{"dead_behind", R"sql(
  select seq from job indexed by job_failed where state = 5 and state > 4 order by seq desc limit 1 offset ?1)sql"};

// ?1 the last one that was looked at  ?2 limit. Index: primary key.
constexpr Query kRowsToPrune{"rows_to_prune", R"sql(
  select seq, state, created_us, finished_us from job where seq > ?1 order by seq limit ?2)sql"};

// How many successes wait to be settled at most. Index: primary key.
constexpr Query kUnsettled{"unsettled", R"sql(
  select coalesce((select max(number) from ended) - (select min(number) from ended) + 1, 0))sql"};
constexpr std::int64_t kUnsettledMax = 10'000;

// ?1 seq. Index: primary key.
constexpr Query kRowToPrune{"row_to_prune",
                            "select seq, state, created_us, finished_us from job where seq = ?1"};

// Index: primary key, its end.
constexpr Query kNewestOfJobs{"newest_of_jobs", "select coalesce(max(seq), 0) from job"};

// ?1 seq. Index: primary keys.
constexpr Query kPruneAttempts{"prune_attempts", "delete from attempt where seq = ?1"};
constexpr Query kPruneJob{"prune_job", "delete from job where seq = ?1"};

// ?1 the last sequence  ?2 limit. Index: primary keys.
constexpr Query kForgetRanges{"forget_ranges", R"sql(
  delete from job_range where first in (
    select first from job_range as each
    where last <= ?1 and not exists (select 1 from job where seq between each.first and each.last)
    order by first limit ?2))sql"};

static_assert(static_cast<int>(JobState::dead) == 5, "the query says so");

EndedJob ended_in(const sqlite::Statement& row) {
  return {JobSeq{row.integer(0)},
          is_final_row(row.integer(1)) ? job_state_of(row.integer(1)) : JobState::ready,
          from_us(row.integer(2)), from_us(row.integer(3))};
}

void add(PrunableJobs& found, const EndedJob& job) {
  found.jobs.push_back(job.seq);
  count(found.counted, job.state);
}

std::chrono::microseconds shortest(const Retention& rules) {
  return std::max<std::chrono::milliseconds>(
      std::min({rules.succeeded, rules.dead, rules.discarded, rules.cancelled}), kRetentionMin);
}

}  // namespace

PrunePass SqliteJobReader::begin_pruning(const Retention& rules) {
  PrunePass pass{.rules = rules};
  auto row = connection_.statement(kDeadBehind);
  if (row.bind(rules.dead_max).step()) pass.dead_until = JobSeq{row.integer(0)};
  return pass;
}

// What came later than the shortest time ago can not have ended before: where a whole page did nothing behind it can go, but for rows of
// a clock that was wrong.
PrunableJobs SqliteJobReader::prunable_jobs(JobSeq after, const PrunePass& pass, WallTime now,
                                            std::size_t looks_max) {
  PrunableJobs found{.jobs = {}, .counted = {}, .looked_until = after};
  const WallTime young = now - shortest(pass.rules);
  const JobSeq newest{connection_.statement(kNewestOfJobs).row().integer(0)};
  std::size_t looks = 0;
  bool is_any_old = false;
  std::vector<EndedJob> open;  // as far as their rows say
  auto row = connection_.statement(kRowsToPrune);
  row.bind(after.value, looks_max);
  for (; row.step(); ++looks) {
    const EndedJob job = ended_in(row);
    found.looked_until = job.seq;
    // A time to come tells of a clock that was wrong, and of nothing behind it.
    is_any_old = is_any_old || job.created <= young || job.created > now;
    if (job.seq >= newest) continue;
    if (!is_final(job.state) && job.created <= young) open.push_back(job);
    if (is_prunable(job, pass, now)) add(found, job);
  }
  found.is_end = looks < looks_max || !is_any_old;
  add_unsettled(found, open, pass, now);
  return found;
}

// Where many wait to be settled, they are soon, and go then.
void SqliteJobReader::add_unsettled(PrunableJobs& found, std::vector<EndedJob> open, const PrunePass& pass,
                                    WallTime now) {
  if (open.empty() || connection_.statement(kUnsettled).row().integer(0) > kUnsettledMax) return;
  std::vector<JobSeq> seqs;
  for (const EndedJob& job : open) seqs.push_back(job.seq);
  const auto ended = ended_.find(seqs);
  for (EndedJob& job : open) {
    const auto times = ended.find(job.seq);
    if (times == ended.end()) continue;
    job.state = JobState::succeeded;
    job.finished = times->second.finished;
    if (is_prunable(job, pass, now)) add(found, job);
  }
  std::ranges::sort(found.jobs);
}

Pruned SqliteWriter::prune(std::span<const JobSeq> jobs, const PrunePass& pass, WallTime now) {
  Pruned pruned;
  const JobSeq newest{connection_.statement(kNewestOfJobs).row().integer(0)};
  for (const JobSeq seq : jobs) {
    EndedJob job;
    {
      auto row = connection_.statement(kRowToPrune);
      if (!row.bind(seq.value).step()) continue;
      job = ended_in(row);
    }
    const bool has_succeeded =
        !is_final(job.state) && is_unsettled(seq);  // for ever, and was found old enough
    if (has_succeeded) job.state = JobState::succeeded;
    const bool may_go = has_succeeded || is_prunable(job, pass, now);
    if (seq >= newest || !may_go || is_claimed(connection_, seq)) continue;
    connection_.statement(kPruneAttempts).bind(seq.value).run();
    connection_.statement(kPruneJob).bind(seq.value).run();
    told_.forget_cursor(seq);
    forget_result(seq);
    key_rows_.forget(seq);
    forget_captures_of(seq);
    acquit(seq);
    batches_.removed(seq);
    count(pruned, job.state);
  }
  return pruned;
}

bool SqliteWriter::is_unsettled(JobSeq seq) {
  if (!ended_) ended_.emplace(connection_);
  return ended_->contains(seq);
}

std::int64_t SqliteWriter::forget_pruned(JobSeq until, std::size_t limit) {
  connection_.statement(kForgetRanges).bind(until.value, limit).run();
  return connection_.changes();
}

std::vector<const Query*> retention_queries() {
  return {&kDeadBehind,   &kRowsToPrune,   &kUnsettled, &kRowToPrune,
          &kNewestOfJobs, &kPruneAttempts, &kPruneJob,  &kForgetRanges};
}

}  // namespace tenure::queue
