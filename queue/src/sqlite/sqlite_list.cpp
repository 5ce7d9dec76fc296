#include "sqlite_filter.hpp"
#include "sqlite_reader.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

namespace tenure::queue {

// One way to the rows that a filter may match, in both orders, and to their number.
struct JobSource {
  const sqlite::Query& newest_first;
  const sqlite::Query& oldest_first;
  const sqlite::Query& count;
  std::int64_t
      place;  // ?14: the state in job_other, or the sequence above which succeeded jobs are looked for
};

namespace {

using sqlite::Query;

// All sources: ?1 to ?13 the filter  ?14 see JobSource::place  ?15 seq of the page before  ?16 limit.
#define TENURE_NEWEST \
  " and ?14 = ?14 and job.seq < ?15 and " TENURE_FILTER_WHERE " order by job.seq desc limit ?16"
#define TENURE_OLDEST \
  " and ?14 = ?14 and job.seq > ?15 and " TENURE_FILTER_WHERE " order by job.seq limit ?16"
#define TENURE_COUNT " and ?14 = ?14 and job.seq > ?15 and " TENURE_FILTER_WHERE " limit ?16)"

// Every row. Index: primary key.
#define TENURE_ALL "select job.seq from job where true"
constexpr Query kAllNewest{"all_newest", TENURE_ALL TENURE_NEWEST};
constexpr Query kAllOldest{"all_oldest", TENURE_ALL TENURE_OLDEST};
constexpr Query kAllCount{"all_count", "select count(*) from (" TENURE_ALL TENURE_COUNT};

// The rows of one state that is neither ready nor succeeded. Index: job_other.
#define TENURE_OTHER \
  "select job.seq from job indexed by job_other where job.state = ?14 and job.state <> 2 and job.state <> 4"
constexpr Query kOtherNewest{"other_newest", TENURE_OTHER TENURE_NEWEST};
constexpr Query kOtherOldest{"other_oldest", TENURE_OTHER TENURE_OLDEST};
constexpr Query kOtherCount{"other_count", "select count(*) from (" TENURE_OTHER TENURE_COUNT};

// The newest succeeded rows, which no index holds. Index: primary key, from ?14 on.
#define TENURE_SUCCEEDED "select job.seq from job where job.state = 4 and job.seq > ?14"
constexpr Query kSucceededNewest{"succeeded_newest", TENURE_SUCCEEDED TENURE_NEWEST};
constexpr Query kSucceededOldest{"succeeded_oldest", TENURE_SUCCEEDED TENURE_OLDEST};
constexpr Query kSucceededCount{"succeeded_count", "select count(*) from (" TENURE_SUCCEEDED TENURE_COUNT};

// Ready rows, sorted: the index knows lanes. Index: job_ready.
#define TENURE_READY "select job.seq from job indexed by job_ready where job.state = 2"
constexpr Query kReadyNewest{"ready_newest", TENURE_READY TENURE_NEWEST};
constexpr Query kReadyOldest{"ready_oldest", TENURE_READY TENURE_OLDEST};
constexpr Query kReadyCount{"ready_count", "select count(*) from (" TENURE_READY TENURE_COUNT};

// Ready rows of the tenants in ?3, by one seek for each of them in each priority of each queue, of which there are few.
// Index: job_ready.
#define TENURE_NEXT_LANE(column)                   \
  "(select " column                                \
  " from job indexed by job_ready where state = 2" \
  " and (queue, priority) > (lane.queue, lane.priority) order by queue, priority limit 1)"
#define TENURE_LANES                                                 \
  "with recursive lane(queue, priority) as (values(-1, 0) union all" \
  " select " TENURE_NEXT_LANE("queue") ", " TENURE_NEXT_LANE(        \
      "priority") " from lane where lane.queue is not null) "
#define TENURE_LANED                                             \
  "select job.seq from lane cross join job indexed by job_ready" \
  " on job.queue = lane.queue and job.priority = lane.priority"  \
  " and job.tenant in (select value from json_each(?3)) where job.state = 2"
constexpr Query kLanedNewest{"laned_newest", TENURE_LANES TENURE_LANED TENURE_NEWEST};
constexpr Query kLanedOldest{"laned_oldest", TENURE_LANES TENURE_LANED TENURE_OLDEST};
constexpr Query kLanedCount{"laned_count", TENURE_LANES "select count(*) from (" TENURE_LANED TENURE_COUNT};

// What runs. Index: primary key of claim.
#define TENURE_CLAIMED \
  "select job.seq from claim as running cross join job on job.seq = running.seq where true"
constexpr Query kClaimedNewest{"claimed_newest", TENURE_CLAIMED TENURE_NEWEST};
constexpr Query kClaimedOldest{"claimed_oldest", TENURE_CLAIMED TENURE_OLDEST};
constexpr Query kClaimedCount{"claimed_count", "select count(*) from (" TENURE_CLAIMED TENURE_COUNT};

bool has_bit(std::int64_t bits, JobState state) { return ((bits >> static_cast<int>(state)) & 1) != 0; }

// Succeeded rows are in no index. Whoever wants all of them reads the table; whoever has bounded that with a floor gets
// the others from their indexes and reads the table from there on.
std::vector<JobSource> sources_of(const SqliteFilter& narrowed, JobSeq succeeded_above) {
  const bool succeeded = has_bit(narrowed.states, JobState::succeeded);
  if (succeeded && succeeded_above.value == 0) return {{kAllNewest, kAllOldest, kAllCount, 0}};
  std::vector<JobSource> sources;
  if (succeeded)
    sources.push_back({kSucceededNewest, kSucceededOldest, kSucceededCount, succeeded_above.value});
  for (const JobState state :
       {JobState::scheduled, JobState::blocked, JobState::dead, JobState::discarded, JobState::cancelled})
    if (has_bit(narrowed.states, state))
      sources.push_back({kOtherNewest, kOtherOldest, kOtherCount, static_cast<std::int64_t>(state)});
  const bool ready_or_held =
      has_bit(narrowed.states, JobState::ready) || ((narrowed.states >> kHeldBit) & 1) != 0;
  if (ready_or_held && narrowed.tenants) sources.push_back({kLanedNewest, kLanedOldest, kLanedCount, 0});
  else if (ready_or_held) sources.push_back({kReadyNewest, kReadyOldest, kReadyCount, 0});
  else if (((narrowed.states >> kRunningBit) & 1) != 0)
    sources.push_back({kClaimedNewest, kClaimedOldest, kClaimedCount, 0});
  return sources;
}

// ?1 rows. Where rows have been deleted in between it leaves fewer. Index: primary key, its end.
constexpr Query kScanFloor{"scan_floor", "select max(coalesce(max(seq), 0) - ?1, 0) from job"};

constexpr JobSeq kBeforeAll{0};
constexpr JobSeq kAfterAll{std::numeric_limits<std::int64_t>::max()};

void sort_and_cut(std::vector<JobRecord>& jobs, const StoreReader::ListOptions& options) {
  std::ranges::sort(jobs, [&](const JobRecord& a, const JobRecord& b) {
    return options.oldest_first ? a.seq < b.seq : a.seq > b.seq;
  });
  if (jobs.size() > options.limit) jobs.resize(options.limit);
}

bool is_left_out(const JobRecord& job, JobSeq succeeded_above) {
  return job.state == ShownState::succeeded && job.seq <= succeeded_above;
}

bool is_on_page(const JobRecord& job, const StoreReader::ListOptions& options) {
  if (!options.after) return true;
  return options.oldest_first ? job.seq > *options.after : job.seq < *options.after;
}

}  // namespace

std::vector<JobRecord> SqliteReader::list_jobs(const Filter& filter, const ListOptions& options,
                                               WallTime now) {
  const SqliteFilter narrowed = translate(filter, now);
  if (narrowed.ids) return list_by_ids(narrowed, filter, options, now);
  std::vector<JobRecord> jobs;
  for (const JobSource& source : sources_of(narrowed, options.succeeded_above))
    list_source(source, narrowed, filter, options, now, jobs);
  sort_and_cut(jobs, options);
  return jobs;
}

std::vector<JobRecord> SqliteReader::list_by_ids(const SqliteFilter& narrowed, const Filter& filter,
                                                 const ListOptions& options, WallTime now) {
  std::vector<JobRecord> jobs;
  for (const JobId& id : *narrowed.ids) {
    auto job = find_job(id);
    if (!job || !is_on_page(*job, options) || is_left_out(*job, options.succeeded_above)) continue;
    if (matches(filter, *job, now)) jobs.push_back(std::move(*job));
  }
  sort_and_cut(jobs, options);
  return jobs;
}

void SqliteReader::list_source(const JobSource& source, const SqliteFilter& narrowed, const Filter& filter,
                               const ListOptions& options, WallTime now, std::vector<JobRecord>& jobs) {
  auto row = connection_.statement(options.oldest_first ? source.oldest_first : source.newest_first);
  narrowed.bind(row);
  const JobSeq after = options.after.value_or(options.oldest_first ? kBeforeAll : kAfterAll);
  // With a limit SQLite sorts no more rows than it returns; that needs a filter of which nothing is left to judge.
  row.bind(source.place, after.value, narrowed.exact ? static_cast<std::int64_t>(options.limit) : -1);
  for (std::size_t found = 0; found < options.limit && row.step();) {
    auto job = record(JobSeq{row.integer(0)});
    if (!job || !(narrowed.exact || matches(filter, *job, now))) continue;
    jobs.push_back(std::move(*job));
    ++found;
  }
}

std::int64_t SqliteReader::count_jobs(const Filter& filter, std::int64_t limit, WallTime now,
                                      JobSeq succeeded_above) {
  const SqliteFilter narrowed = translate(filter, now);
  if (narrowed.ids) {
    ListOptions whole;
    whole.limit = narrowed.ids->size();
    whole.succeeded_above = succeeded_above;
    return std::min(limit, static_cast<std::int64_t>(list_by_ids(narrowed, filter, whole, now).size()));
  }
  std::int64_t count = 0;
  for (const JobSource& source : sources_of(narrowed, succeeded_above))
    if (count < limit) count += count_source(source, narrowed, filter, limit - count, now);
  return count;
}

JobSeq SqliteReader::scan_floor(std::int64_t rows) {
  auto row = connection_.statement(kScanFloor);
  return JobSeq{row.bind(rows).step() ? row.integer(0) : 0};
}

std::int64_t SqliteReader::count_source(const JobSource& source, const SqliteFilter& narrowed,
                                        const Filter& filter, std::int64_t limit, WallTime now) {
  auto row = connection_.statement(narrowed.exact ? source.count : source.oldest_first);
  narrowed.bind(row);
  row.bind(source.place, kBeforeAll.value, narrowed.exact ? limit : -1);
  if (narrowed.exact) return row.row().integer(0);
  std::int64_t count = 0;
  while (count < limit && row.step()) {
    const auto job = record(JobSeq{row.integer(0)});
    if (job && matches(filter, *job, now)) ++count;
  }
  return count;
}

std::vector<const Query*> list_queries() {
  return {&kAllNewest,     &kAllOldest,       &kAllCount,        &kOtherNewest,    &kOtherOldest,
          &kOtherCount,    &kSucceededNewest, &kSucceededOldest, &kSucceededCount, &kReadyNewest,
          &kReadyOldest,   &kReadyCount,      &kLanedNewest,     &kLanedOldest,    &kLanedCount,
          &kClaimedNewest, &kClaimedOldest,   &kClaimedCount,    &kScanFloor};
}

}  // namespace tenure::queue
