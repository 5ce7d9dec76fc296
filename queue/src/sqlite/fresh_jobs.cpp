#include "fresh_jobs.hpp"

#include "places.hpp"
#include "stored_values.hpp"

#include <algorithm>
#include <utility>

namespace tenure::queue {
namespace {

using sqlite::Query;

// Index: primary keys.
constexpr Query kMarks{"marks", R"sql(
  select (select seq from mark where name = 'absorbed'), (select coalesce(max(incarnation), 0) from holder),
    (select seq from mark where name = 'withdrawn'))sql"};

// ?1 the last seq that was read  ?2 limit. Index: primary key.
constexpr Query kTail{"tail", R"sql(
  select seq, queue, priority, tenant, kind, due_us, state from job where seq > ?1 order by seq limit ?2)sql"};

// What has ended above the mark. ?1 mark. Index: none, the whole table, at a start only.
constexpr Query kEndedAbove{"ended_above", "select seq from ended where seq > ?1"};
// ?1 mark. Index: primary key.
constexpr Query kClaimedAbove{"claimed_above", "select seq from claim where seq > ?1"};

// ?1 seq.
constexpr Query kRaiseMark{"raise_mark", "update mark set seq = ?1 where name = 'absorbed'"};

constexpr Query kRaiseWithdrawn{"raise_withdrawn", "update mark set seq = seq + 1 where name = 'withdrawn'"};

// ?1 seq. Index: primary key.
constexpr Query kIsAsEnqueued{"is_as_enqueued", "select 1 from job where seq = ?1 and state = 2"};

struct TailRow {
  JobArrival job;
  TenantNumber tenant{0};  // also of a row that is in no lane
  std::int64_t state = 0;
};

std::vector<TailRow> tail_behind(sqlite::Connection& connection, JobSeq seq, std::size_t limit) {
  std::vector<TailRow> rows;
  auto row = connection.statement(kTail);
  row.bind(seq.value, limit);
  while (row.step()) rows.push_back({arrival_in(row), TenantNumber{row.integer(3)}, row.integer(6)});
  return rows;
}

void read_into(SeqSet& set, sqlite::Statement& rows) {
  while (rows.step()) set.insert(JobSeq{rows.integer(0)});
}

bool is_as_enqueued(sqlite::Connection& connection, JobSeq seq) {
  auto row = connection.statement(kIsAsEnqueued);
  return row.bind(seq.value).step();
}

}  // namespace

void FreshJobs::begin(sqlite::Connection& connection) {
  std::int64_t mark = 0;
  std::int64_t incarnation = 0;
  std::int64_t withdrawn = 0;
  {
    auto row = connection.statement(kMarks);
    mark = row.row().integer(0);
    incarnation = row.integer(1);
    withdrawn = row.integer(2);
  }
  const bool others_withdrew = std::exchange(withdrawn_, withdrawn) != withdrawn;
  if (!is_stale_.exchange(false) && mark == absorbed_.value && incarnation == incarnation_) {
    may_hold_withdrawn_ = may_hold_withdrawn_ || others_withdrew;
    return;
  }
  may_hold_withdrawn_ = false;
  absorbed_ = JobSeq{mark};
  incarnation_ = incarnation;
  restart(connection);
}

void FreshJobs::restart(sqlite::Connection& connection) {
  lanes_.clear();
  count_ = 0;
  tailed_ = absorbed_;
  ranges_.restart(connection, tailed_);
  ended_before_.clear();
  claimed_before_.clear();
  read_into(ended_before_, connection.statement(kEndedAbove).bind(absorbed_.value));
  read_into(claimed_before_, connection.statement(kClaimedAbove).bind(absorbed_.value));
  while (tailed_ < told_until_ && !read_on(connection, limits_.tail_rows).empty()) continue;
}

std::vector<JobArrival> FreshJobs::read_on(sqlite::Connection& connection, std::size_t limit) {
  if (count_ + limit > limits_.jobs_max || tailed_.value - absorbed_.value > limits_.behind_max)
    absorb_oldest(connection);
  const auto tail = tail_behind(connection, tailed_, limit);
  std::vector<JobArrival> rows;
  rows.reserve(tail.size());
  for (const TailRow& row : tail) {
    ranges_.add(connection, row.job.seq, row.tenant);
    rows.push_back(row.job);
    rows.back().state = take_in(connection, row.job, row.state);
  }
  if (!rows.empty()) tailed_ = rows.back().seq;
  told_until_ = std::max(told_until_, tailed_);
  return rows;
}

JobState FreshJobs::take_in(sqlite::Connection& connection, const JobArrival& row, std::int64_t row_state) {
  const LanePlace place{row.due, row.seq};
  if (is_final_row(row_state)) return job_state_of(row_state);
  if (ended_before_.contains(row.seq)) return JobState::succeeded;
  if (row.state == JobState::blocked) {
    log_left_out(row.seq, "has a priority that no job has; it is in no lane");
    return row.state;
  }
  const bool had_claim = claimed_before_.contains(row.seq);
  if (had_claim && is_claimed(connection, row.seq)) return JobState::ready;
  if (is_as_enqueued(row_state)) {
    if (had_claim) return JobState::succeeded;  // given back it would have left the set
    insert(row.lane, place);
    return JobState::ready;
  }
  if (is_scheduled(connection, place)) return JobState::scheduled;
  return is_blocked(connection, row.seq) ? JobState::blocked : JobState::ready;
}

// Nearly always behind all others of its lane.
void FreshJobs::insert(const Lane& lane, const LanePlace& place) {
  Waiting& waiting = lanes_[lane];
  auto& places = waiting.places;
  if (places.empty() || places.back() < place) {
    places.push_back(place);
  } else {
    const auto from = places.begin() + static_cast<std::ptrdiff_t>(waiting.head);
    const auto at = std::lower_bound(from, places.end(), place);
    if (at != places.end() && *at == place) return;
    places.insert(at, place);
  }
  ++count_;
}

bool FreshJobs::is_held(const Lane& lane, const LanePlace& place) const {
  const auto found = lanes_.find(lane);
  if (found == lanes_.end()) return false;
  const auto& [places, head] = found->second;
  return std::binary_search(places.begin() + static_cast<std::ptrdiff_t>(head), places.end(), place);
}

std::vector<Lane> FreshJobs::lanes(const std::optional<Lane>& after, std::size_t limit) const {
  std::vector<Lane> found;
  for (auto next = after ? lanes_.upper_bound(*after) : lanes_.begin();
       next != lanes_.end() && found.size() < limit; ++next)
    found.push_back(next->first);
  return found;
}

void FreshJobs::front(const Lane& lane, const LanePlace& after, const LanePlace& end, std::size_t limit,
                      std::vector<LanePlace>& places) const {
  const auto found = lanes_.find(lane);
  if (found == lanes_.end()) return;
  const Waiting& waiting = found->second;
  auto next = waiting.places.begin() + static_cast<std::ptrdiff_t>(waiting.head);
  if (!(after < *next)) next = std::upper_bound(next, waiting.places.end(), after);
  for (; next != waiting.places.end() && *next < end && limit > 0; ++next, --limit) places.push_back(*next);
}

void FreshJobs::remove(const Lane& lane, const LanePlace& place) {
  const auto found = lanes_.find(lane);
  if (found == lanes_.end()) return;
  auto& [places, head] = found->second;
  const auto from = places.begin() + static_cast<std::ptrdiff_t>(head);
  const auto at = std::lower_bound(from, places.end(), place);
  if (at == places.end() || *at != place) return;
  --count_;
  if (at != from) {
    places.erase(at);
    return;
  }
  ++head;
  if (head == places.size()) {
    lanes_.erase(found);
  } else if (head > 64 && head * 2 > places.size()) {
    places.erase(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(head));
    head = 0;
  }
}

void FreshJobs::withdraw(sqlite::Connection& connection, const Lane& lane, const LanePlace& place) {
  connection.statement(kRaiseWithdrawn).run();
  ++withdrawn_;
  remove(lane, place);
}

bool FreshJobs::give_back(const Lane& lane, const LanePlace& place) {
  if (place.seq <= absorbed_) return false;
  if (place.seq <= tailed_) insert(lane, place);
  claimed_before_.erase(place.seq);
  return true;
}

bool FreshJobs::absorb_when_idle(sqlite::Connection& connection) {
  if (count_ == 0 && tailed_.value - absorbed_.value <= limits_.behind_idle) return false;
  absorb_oldest(connection);
  return true;
}

void FreshJobs::absorb_oldest(sqlite::Connection& connection) {
  JobSeq until = tailed_;
  const std::vector<Entry> entries = oldest(until);
  for (const Entry& entry : entries)
    if (!may_hold_withdrawn_ || is_as_enqueued(connection, entry.place.seq))
      insert_ready(connection, entry.lane, entry.place);
  for (const Entry& entry : entries) remove(entry.lane, entry.place);
  if (count_ == 0) may_hold_withdrawn_ = false;
  raise_mark(connection, until);
}

// In the order of the lanes. `until` comes down to the last sequence that is among them where others are left.
std::vector<FreshJobs::Entry> FreshJobs::oldest(JobSeq& until) const {
  std::vector<Entry> entries;
  entries.reserve(count_);
  for (const auto& [lane, waiting] : lanes_)
    for (std::size_t index = waiting.head; index < waiting.places.size(); ++index)
      entries.push_back({lane, waiting.places[index]});
  if (entries.size() <= limits_.absorb_rows) return entries;
  std::vector<JobSeq> seqs;
  seqs.reserve(entries.size());
  for (const Entry& entry : entries) seqs.push_back(entry.place.seq);
  const auto last = seqs.begin() + static_cast<std::ptrdiff_t>(limits_.absorb_rows - 1);
  std::nth_element(seqs.begin(), last, seqs.end());
  until = *last;
  std::erase_if(entries, [&](const Entry& entry) { return entry.place.seq > until; });
  return entries;
}

void FreshJobs::raise_mark(sqlite::Connection& connection, JobSeq until) {
  connection.statement(kRaiseMark).bind(until.value).run();
  if (connection.changes() != 1) raise(ErrorCode::database_damaged, "the mark of absorbed jobs is missing");
  absorbed_ = until;
}

std::vector<const Query*> fresh_queries() {
  return {&kMarks, &kTail, &kEndedAbove, &kClaimedAbove, &kRaiseMark, &kRaiseWithdrawn, &kIsAsEnqueued};
}

}  // namespace tenure::queue
