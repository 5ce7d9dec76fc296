#include "candidates.hpp"

#include "places.hpp"
#include "sqlite_reader.hpp"
#include "stored_values.hpp"
#include "tenant_ranges.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>

namespace tenure::queue {
namespace {

using sqlite::Query;

// All lists of candidates: seq, then the lane in four columns.

// Every row. ?1 seq before  ?2 end, both excluded. Index: primary key.
constexpr Query kWalkOldest{"walk_oldest", R"sql(
  select seq, queue, priority, tenant, kind, failures, crashes, created_us, state, due_us from job
  where seq > ?1 and seq < ?2 order by seq)sql"};
constexpr Query kWalkNewest{"walk_newest", R"sql(
  select seq, queue, priority, tenant, kind, failures, crashes, created_us, state, due_us from job
  where seq > ?1 and seq < ?2 order by seq desc)sql"};

// The same of one tenant: rows of others do not leave SQLite. ?3 tenant.
constexpr Query kWalkOldestOfTenant{"walk_oldest_of_tenant", R"sql(
  select seq, queue, priority, tenant, kind, failures, crashes, created_us, state, due_us from job
  where seq > ?1 and seq < ?2 and tenant = ?3 order by seq)sql"};
constexpr Query kWalkNewestOfTenant{"walk_newest_of_tenant", R"sql(
  select seq, queue, priority, tenant, kind, failures, crashes, created_us, state, due_us from job
  where seq > ?1 and seq < ?2 and tenant = ?3 order by seq desc)sql"};

constexpr Query kMark{"mark_of_list", "select seq from mark where name = 'absorbed'"};
constexpr Query kSettledMark{"settled_mark_of_list", "select seq from mark where name = 'settled'"};
constexpr Query kNewest{"newest_of_list", "select coalesce(max(seq), 0) from job"};

// Fresh jobs, and those that have ended since they were. ?1 limit, -1: all. Index: primary key, above the mark.
constexpr Query kFreshRows{"fresh_rows", R"sql(
  select seq, queue, priority, tenant, kind, due_us from job
  where seq > (select seq from mark where name = 'absorbed') and state = 2
    and not exists (select 1 from claim where claim.seq = job.seq)
  order by seq limit ?1)sql"};

// Ready jobs. Index: primary key, the whole of it.
constexpr Query kReadyRows{"ready_rows", "select seq, queue, priority, tenant, kind from ready"};
// ?1 queue  ?2 priority  ?3 tenant. Index: primary key.
constexpr Query kReadyRowsOfTenant{"ready_rows_of_tenant", R"sql(
  select seq, queue, priority, tenant, kind from ready where queue = ?1 and priority = ?2 and tenant = ?3)sql"};

// The lane behind another one. ?1 queue  ?2 priority  ?3 tenant  ?4 kind. Index: primary key, one seek.
constexpr Query kNextLaneOfReady{"next_lane_of_ready", R"sql(
  select 0, queue, priority, tenant, kind from ready where (queue, priority, tenant, kind) > (?1, ?2, ?3, ?4)
  order by queue, priority, tenant, kind limit 1)sql"};
// ?1 to ?4 the lane  ?5 limit. Index: primary key, prefix.
constexpr Query kCountOfLane{"count_of_lane", R"sql(
  select count(*) from (
    select 1 from ready where queue = ?1 and priority = ?2 and tenant = ?3 and kind = ?4 limit ?5))sql"};

// Rows that are on no page do not leave SQLite. ?1 seq before  ?2 end, both excluded. Index: none of scheduled, primary key of blocked.
constexpr Query kScheduledRows{"scheduled_rows", R"sql(
  select seq, queue, priority, tenant, kind from scheduled where seq > ?1 and seq < ?2)sql"};
constexpr Query kBlockedRows{"blocked_rows", R"sql(
  select seq, queue, priority, tenant, kind from blocked where seq > ?1 and seq < ?2)sql"};
// Few: what runs now.
constexpr Query kClaimedRows{"claimed_rows", R"sql(
  select job.seq, job.queue, job.priority, job.tenant, job.kind
  from claim cross join job on job.seq = claim.seq)sql"};
// ?1 state. Index: job_failed.
constexpr Query kFailedRows{"failed_rows", R"sql(
  select seq, queue, priority, tenant, kind from job indexed by job_failed where state = ?1 and state > 4)sql"};

// Bounds the seeks of one list; for more tenants all ready rows are read.
constexpr std::size_t kTenantsSought = 1'000;
constexpr int kLaneColumn = 1;
constexpr int kRowColumn = 5;
constexpr int kStateColumn = 8;
constexpr int kDueColumn = 9;
constexpr JobSeq kBeforeAll{0};
constexpr JobSeq kAfterAll{std::numeric_limits<std::int64_t>::max()};

JobSeq behind(JobSeq seq) { return seq < kAfterAll ? JobSeq{seq.value + 1} : kAfterAll; }

ShownState shown_final(JobState state) {
  if (state == JobState::succeeded) return ShownState::succeeded;
  if (state == JobState::discarded) return ShownState::discarded;
  return state == JobState::cancelled ? ShownState::cancelled : ShownState::dead;
}

// Of one tenant, or of all.
Walk::Part rows_between(sqlite::Connection& connection, SeqRange range, ListOrder order,
                        std::optional<std::int64_t> tenant) {
  const bool oldest_first = order == ListOrder::oldest_first;
  const Query& all = oldest_first ? kWalkOldest : kWalkNewest;
  const Query& of_one = oldest_first ? kWalkOldestOfTenant : kWalkNewestOfTenant;
  auto rows = connection.statement(tenant ? of_one : all);
  rows.bind(range.above.value, range.below.value);
  if (tenant) rows.bind(*tenant);
  return rows;
}

}  // namespace

void Candidates::for_each_source(std::optional<JobSeq> floor, FunctionRef<bool(CandidateSource)> fn) {
  const auto passing = [this](const sqlite::Statement& row) { return passes(row); };
  if (filter_.any_state && !floor) return static_cast<void>(fn(walk(kBeforeAll, passing)));
  const auto wants = [&](ShownState state) { return filter_.wants(state); };
  if (purpose_ == Purpose::list && wants_unended() && !for_first_rows(floor, fn)) return;
  if ((wants(ShownState::ready) || wants(ShownState::held)) && !for_each_waiting(fn)) return;
  if (wants(ShownState::running) && !fn(collected(rows_of(connection_.statement(kClaimedRows))))) return;
  if (wants(ShownState::scheduled) && !fn(collected(rows_on_page(kScheduledRows)))) return;
  if (wants(ShownState::blocked) && !fn(collected(rows_on_page(kBlockedRows)))) return;
  for (const ShownState state : {ShownState::dead, ShownState::discarded, ShownState::cancelled}) {
    if (!wants(state)) continue;
    auto rows = connection_.statement(kFailedRows);
    rows.bind(static_cast<int>(state));
    if (!fn(collected(rows_of(std::move(rows))))) return;
  }
  // Last, because no index tells of them: the page may be full before any is looked for.
  if (wants(ShownState::succeeded)) fn(succeeded_above(floor.value_or(kBeforeAll)));
}

// Behind all of them wait jobs that came later, which nobody needs to walk.
CandidateSource Candidates::succeeded_above(JobSeq least) {
  auto takes = [this](const sqlite::Statement& row) { return passes(row) && has_succeeded(row); };
  SeqRange range = page_from(least);
  auto mark = connection_.statement(kSettledMark);
  if (mark.step()) {
    const JobSeq newest = std::max(JobSeq{mark.integer(0)}, ended_.newest());
    range.below = std::min(range.below, behind(newest));
  }
  return {std::make_unique<Walk>(parts_of(range), std::move(takes)), filter_.exact};
}

bool Candidates::wants_unended() const {
  constexpr std::array kUnended{ShownState::ready, ShownState::held, ShownState::scheduled,
                                ShownState::blocked};
  return std::ranges::any_of(kUnended, [this](ShownState state) { return filter_.wants(state); });
}

// Where the list begins most jobs may be such as it shows, so that is looked at row by row; tables that may hold millions are read only
// for what lies behind. False: nothing else is wanted.
bool Candidates::for_first_rows(std::optional<JobSeq> floor, FunctionRef<bool(CandidateSource)> fn) {
  const JobSeq mark{connection_.statement(kMark).row().integer(0)};
  FirstRows::Looked looked;
  const auto takes = [&](const sqlite::Statement& row) {
    const bool is_left_out = floor && JobSeq{row.integer(0)} <= *floor && has_succeeded(row);
    return passes(row) && !is_left_out && stands_as_wanted(row, mark);
  };
  SeqRange range;
  std::tie(range, looked.edge) = first_range();
  auto rows = rows_between(connection_, range, options_.order, only_tenant());
  if (!fn({std::make_unique<FirstRows>(std::move(rows.value()), takes, looked), filter_.exact})) return false;
  after_ = looked.last;
  return !looked.has_more && !looked.has_seen_all;
}

bool Candidates::stands_as_wanted(const sqlite::Statement& row, JobSeq mark) {
  if (filter_.any_state) return true;
  const JobSeq seq{row.integer(0)};
  const std::int64_t state = row.integer(kStateColumn);
  if (is_final_row(state)) return filter_.wants(shown_final(job_state_of(state)));
  if (filter_.wants(ShownState::running) && is_claimed(connection_, seq)) return true;
  if (filter_.wants(ShownState::blocked) && is_blocked(connection_, seq)) return true;
  if (filter_.wants(ShownState::scheduled) &&
      is_scheduled(connection_, {from_us(row.integer(kDueColumn)), seq}))
    return true;
  return (filter_.wants(ShownState::succeeded) && has_succeeded(row)) || waits(row, mark);
}

// They stand in `ready` by lane, or nowhere but in their own rows.
bool Candidates::for_each_waiting(FunctionRef<bool(CandidateSource)> fn) {
  const JobSeq mark{connection_.statement(kMark).row().integer(0)};
  const bool is_counted = purpose_ == Purpose::count && filter_.only_tenants() == nullptr;
  const auto fresh = [this](const sqlite::Statement& row) { return passes(row) && is_fresh(row); };
  return fn(is_counted ? in_lanes_unsorted() : collected(in_lanes())) && fn(walk(mark, fresh));
}

std::optional<std::int64_t> Candidates::only_tenant() const {
  const auto* const tenants = filter_.only_tenants();
  return tenants != nullptr && tenants->size() == 1 ? std::optional{tenants->front()} : std::nullopt;
}

// SQLite passes over rows of other tenants without telling, so that what one of them has is looked for in a part of the table.
std::pair<SeqRange, std::optional<JobSeq>> Candidates::first_range() {
  SeqRange range = page_from(kBeforeAll);
  if (!only_tenant()) return {range, std::nullopt};
  if (options_.order == ListOrder::oldest_first) {
    if (range.below.value - kFirstLooks <= range.above.value) return {range, std::nullopt};
    range.below = JobSeq{range.above.value + kFirstLooks};
    return {range, JobSeq{range.below.value - 1}};
  }
  range.below = std::min(range.below, behind(JobSeq{connection_.statement(kNewest).row().integer(0)}));
  if (range.below.value - kFirstLooks <= range.above.value) return {range, std::nullopt};
  range.above = JobSeq{range.below.value - kFirstLooks};
  return {range, JobSeq{range.above.value + 1}};
}

// Lane by lane, where the lane is all that decides: a row costs a tenth of what it costs to hand it out.
CandidateSource Candidates::counted_in_lanes() {
  const auto limit = static_cast<std::int64_t>(options_.limit);
  CandidateSource source{std::make_unique<SortedSeqs>(std::vector<JobSeq>{}, options_.order), true};
  std::array<std::int64_t, 4> lane{std::numeric_limits<std::int64_t>::min(), 0, 0, 0};
  while (source.besides < limit) {
    auto next = connection_.statement(kNextLaneOfReady);
    if (!next.bind(lane[0], lane[1], lane[2], lane[3]).step()) break;
    for (std::size_t at = 0; at < lane.size(); ++at)
      lane[at] = next.integer(kLaneColumn + static_cast<int>(at));
    if (!filter_.passes_lane(next, kLaneColumn) || !wants_lane_of(next)) continue;
    source.besides += connection_.statement(kCountOfLane)
                          .bind(lane[0], lane[1], lane[2], lane[3], limit - source.besides)
                          .row()
                          .integer(0);
  }
  return source;
}

// As they stand there.
CandidateSource Candidates::in_lanes_unsorted() {
  if (filter_.exact && filter_.is_open_beyond_lane()) return counted_in_lanes();
  const auto all = [this, is_done = false]() mutable -> Walk::Part {
    if (std::exchange(is_done, true)) return std::nullopt;
    return connection_.statement(kReadyRows);
  };
  const auto takes = [this](const sqlite::Statement& row) {
    return is_on_page(JobSeq{row.integer(0)}) && filter_.passes_lane(row, kLaneColumn) && wants_lane_of(row);
  };
  return {std::make_unique<Walk>(all, takes), filter_.exact && filter_.is_open_beyond_lane()};
}

bool Candidates::passes(const sqlite::Statement& row) const {
  return filter_.passes_lane(row, kLaneColumn) && filter_.passes_row(row, kRowColumn);
}

bool Candidates::waits(const sqlite::Statement& row, JobSeq mark) {
  if (is_final_row(row.integer(kStateColumn))) return false;
  const JobSeq seq{row.integer(0)};
  if (seq > mark && is_fresh(row)) return true;
  const auto lane = lane_in(row, kLaneColumn);
  return lane && is_in_ready(connection_, *lane, {from_us(row.integer(kDueColumn)), seq}) &&
         wants_lane_of(row);
}

SeqRange Candidates::page_from(JobSeq least) const {
  if (options_.order == ListOrder::oldest_first)
    return {std::max(after_.value_or(kBeforeAll), least), page_end_.value_or(kAfterAll)};
  return {std::max(page_end_.value_or(kBeforeAll), least), after_.value_or(kAfterAll)};
}

CandidateSource Candidates::walk(JobSeq least, std::function<bool(const sqlite::Statement&)> takes) {
  return {std::make_unique<Walk>(parts_of(page_from(least)), std::move(takes)), filter_.exact};
}

std::function<std::optional<sqlite::Statement>()> Candidates::parts_of(SeqRange whole) {
  const auto* const tenants = filter_.only_tenants();
  if (tenants == nullptr)
    return [this, whole, is_done = false]() mutable -> Walk::Part {
      if (std::exchange(is_done, true)) return std::nullopt;
      return rows_between(connection_, whole, options_.order, std::nullopt);
    };
  auto ranges = std::make_shared<RangesOfTenants>(connection_, whole, options_.order, *tenants);
  const auto only = only_tenant();
  return [this, ranges, only]() -> Walk::Part {
    const auto range = ranges->next();
    if (!range) return std::nullopt;
    return rows_between(connection_, *range, options_.order, only);
  };
}

bool Candidates::has_succeeded(const sqlite::Statement& row) {
  const std::int64_t state = row.integer(kStateColumn);
  if (is_final_row(state)) return job_state_of(state) == JobState::succeeded;
  return ended_.contains(JobSeq{row.integer(0)});
}

bool Candidates::is_fresh(const sqlite::Statement& row) {
  const JobSeq seq{row.integer(0)};
  return is_as_enqueued(row.integer(kStateColumn)) && wants_lane_of(row) && !is_claimed(connection_, seq) &&
         !ended_.contains(seq);
}

CandidateSource Candidates::collected(std::vector<JobSeq> seqs) const {
  return {std::make_unique<SortedSeqs>(std::move(seqs), options_.order),
          filter_.exact && filter_.is_open_beyond_lane()};
}

bool Candidates::is_on_page(JobSeq seq) const {
  if (!after_) return true;
  return options_.order == ListOrder::oldest_first ? seq > *after_ : seq < *after_;
}

std::vector<JobSeq> Candidates::rows_of(sqlite::Statement&& rows) const {
  std::vector<JobSeq> seqs;
  while (rows.step()) {
    const JobSeq seq{rows.integer(0)};
    if (is_on_page(seq) && filter_.passes_lane(rows, kLaneColumn)) seqs.push_back(seq);
  }
  return seqs;
}

std::vector<JobSeq> Candidates::rows_on_page(const Query& table) const {
  const SeqRange range = page_from(kBeforeAll);
  auto rows = connection_.statement(table);
  rows.bind(range.above.value, range.below.value);
  return rows_of(std::move(rows));
}

std::vector<JobSeq> Candidates::in_lanes() {
  std::vector<JobSeq> seqs;
  const auto* const tenants = filter_.only_tenants();
  if (tenants != nullptr && tenants->size() <= kTenantsSought) add_lanes_of_tenants(*tenants, seqs);
  else add_in_lanes(connection_.statement(kReadyRows), seqs);
  return seqs;
}

// One seek for each tenant in each priority of each queue, of which there are few.
void Candidates::add_lanes_of_tenants(std::span<const std::int64_t> tenants, std::vector<JobSeq>& seqs) {
  for (ReadyPriority at; go_to_next(connection_, at);) {
    for (const std::int64_t tenant : tenants) {
      auto rows = connection_.statement(kReadyRowsOfTenant);
      rows.bind(at.queue, at.priority, tenant);
      add_in_lanes(std::move(rows), seqs);
    }
  }
}

void Candidates::add_in_lanes(sqlite::Statement&& rows, std::vector<JobSeq>& seqs) {
  const bool wants_both = filter_.wants(ShownState::ready) && filter_.wants(ShownState::held);
  while (rows.step()) {
    const JobSeq seq{rows.integer(0)};
    if (!is_on_page(seq) || !filter_.passes_lane(rows, kLaneColumn)) continue;
    if (wants_both || wants_lane_of(rows)) seqs.push_back(seq);
  }
}

// Rows of one lane lie side by side where there are many.
bool Candidates::wants_lane_of(const sqlite::Statement& row) {
  const auto lane = lane_in(row, kLaneColumn);
  if (!lane) return filter_.wants(ShownState::held);
  if (lane != last_lane_) {
    last_lane_ = lane;
    wants_last_lane_ = filter_.wants(is_open_(*lane) ? ShownState::ready : ShownState::held);
  }
  return wants_last_lane_;
}

void SqliteJobReader::for_each_fresh(FunctionRef<void(const FreshRow&)> fn, std::int64_t rows_max) {
  auto rows = connection_.statement(kFreshRows);
  rows.bind(rows_max);
  while (rows.step())
    if (!ended_.contains(JobSeq{rows.integer(0)}))
      fn({JobSeq{rows.integer(0)}, QueueNumber{rows.integer(kLaneColumn)},
          KindNumber{rows.integer(kLaneColumn + 3)}, rows.integer(kLaneColumn + 1),
          TenantNumber{rows.integer(kLaneColumn + 2)}, from_us(rows.integer(5))});
}

std::vector<const Query*> candidate_queries() {
  return {&kWalkOldest,      &kWalkNewest,  &kWalkOldestOfTenant, &kWalkNewestOfTenant, &kMark,
          &kSettledMark,     &kNewest,      &kFreshRows,          &kReadyRows,          &kReadyRowsOfTenant,
          &kNextLaneOfReady, &kCountOfLane, &kScheduledRows,      &kBlockedRows,        &kClaimedRows,
          &kFailedRows};
}

}  // namespace tenure::queue
