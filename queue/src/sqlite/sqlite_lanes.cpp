#include "sqlite_lanes.hpp"

#include "ended_lookup.hpp"
#include "places.hpp"
#include "stored_values.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>

namespace tenure::queue {
namespace {

using sqlite::Query;

// One step of the loose scan: the next lane that holds a job, whatever the lane before holds.
// ?1 queue  ?2 priority  ?3 tenant  ?4 kind of the lane before. Index: primary key.
constexpr Query kNextLane{"next_lane", R"sql(
  select queue, priority, tenant, kind from ready
  where (queue, priority, tenant, kind) > (?1, ?2, ?3, ?4)
  order by queue, priority, tenant, kind limit 1)sql"};

// ?1 seq before  ?2 the last seq  ?3 limit. Index: primary key.
constexpr Query kRowsBetween{"rows_between", R"sql(
  select seq, queue, priority, tenant, kind, due_us, state from job
  where seq > ?1 and seq <= ?2 order by seq limit ?3)sql"};

// What is in no lane is never promoted. Index: primary key, its front.
constexpr Query kNextDue{
    "next_due", "select due_us from scheduled where priority between -100 and 100 order by due_us limit 1"};

// ?1 number. Index: primary key.
constexpr Query kTenantState{"tenant_state", "select state, name from tenant where number = ?1"};

}  // namespace

std::vector<Lane> SqliteLaneReader::lanes(const std::optional<Lane>& after, std::size_t limit) {
  FreshJobs& fresh = fresh_();
  if (!after) static_cast<void>(fresh.read_on(connection_, fresh.limits().tail_rows));
  const auto of_ready = lanes_of_ready(after, limit);
  const auto of_fresh = fresh.lanes(after, limit);
  std::vector<Lane> lanes;
  std::ranges::set_union(of_ready, of_fresh, std::back_inserter(lanes));
  if (lanes.size() > limit) lanes.resize(limit);
  return lanes;
}

std::vector<Lane> SqliteLaneReader::lanes_of_ready(const std::optional<Lane>& after, std::size_t limit) {
  std::array<std::int64_t, 4> last{std::numeric_limits<std::int64_t>::min(), 0, 0, 0};
  if (after) last = {after->queue.value, after->priority.value, after->tenant.value, after->kind.value};
  std::vector<Lane> lanes;
  while (lanes.size() < limit) {
    auto row = connection_.statement(kNextLane);
    if (!row.bind(last[0], last[1], last[2], last[3]).step()) break;
    for (int column = 0; column < 4; ++column) last[static_cast<std::size_t>(column)] = row.integer(column);
    if (const auto lane = lane_in(row, 0)) lanes.push_back(*lane);
  }
  return lanes;
}

JobSeq SqliteLaneReader::known_until() { return fresh_().tailed(); }

std::vector<JobArrival> SqliteLaneReader::arrivals(JobSeq after, std::size_t limit) {
  FreshJobs& fresh = fresh_();
  while (fresh.tailed() < after && !fresh.read_on(connection_, fresh.limits().tail_rows).empty()) continue;
  auto rows = known_rows(after, fresh.tailed(), limit);
  if (rows.size() < limit) {
    auto news = fresh.read_on(connection_, limit - rows.size());
    if (rows.empty()) return news;
    rows.insert(rows.end(), std::make_move_iterator(news.begin()), std::make_move_iterator(news.end()));
  }
  return rows;
}

// Rows that the tail has passed already.
std::vector<JobArrival> SqliteLaneReader::known_rows(JobSeq after, JobSeq until, std::size_t limit) {
  std::vector<JobArrival> rows;
  if (after >= until) return rows;
  auto row = connection_.statement(kRowsBetween);
  row.bind(after.value, until.value, limit);
  while (row.step()) {
    rows.push_back(arrival_in(row));
    if (is_final_row(row.integer(6))) rows.back().state = job_state_of(row.integer(6));
  }
  tell_states(connection_, rows);
  return rows;
}

std::optional<WallTime> SqliteLaneReader::next_due() {
  auto row = connection_.statement(kNextDue);
  return row.step() ? std::optional{from_us(row.integer(0))} : std::nullopt;
}

std::optional<TenantState> SqliteLaneReader::tenant_state(TenantNumber tenant) {
  auto row = connection_.statement(kTenantState);
  if (!row.bind(tenant.value).step() || (row.is_null(1) && tenant != kUntenanted)) return std::nullopt;
  return row.is_null(1) ? tenant_state_of(row.integer(0))
                        : tenant_state_of(row.integer(0), TenantName::stored(row.text(1)));
}

std::string SqliteLaneReader::tenant_name(TenantNumber tenant) {
  auto row = connection_.statement(kTenantState);
  if (!row.bind(tenant.value).step()) return {};
  return std::string{row.is_null(1) ? kUntenantedName : row.text(1)};
}

std::string SqliteLaneReader::queue_name(QueueNumber queue) {
  return names_.name(NameTable::queue, queue.value);
}
std::string SqliteLaneReader::kind_name(KindNumber kind) { return names_.name(NameTable::kind, kind.value); }

std::optional<QueueNumber> SqliteLaneReader::queue_number(std::string_view name) {
  const auto number = names_.number(NameTable::queue, name);
  return number ? std::optional{QueueNumber{*number}} : std::nullopt;
}

std::optional<KindNumber> SqliteLaneReader::kind_number(std::string_view name) {
  const auto number = names_.number(NameTable::kind, name);
  return number ? std::optional{KindNumber{*number}} : std::nullopt;
}

std::vector<const Query*> lane_queries() { return {&kNextLane, &kRowsBetween, &kNextDue, &kTenantState}; }

}  // namespace tenure::queue
