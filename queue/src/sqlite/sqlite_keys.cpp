#include "../job_key_rules.hpp"
#include "../job_rules.hpp"
#include "../reading_pools.hpp"
#include "key_rows.hpp"
#include "pause_rows.hpp"
#include "places.hpp"
#include "pools.hpp"
#include "sqlite_reader.hpp"
#include "sqlite_writer.hpp"
#include "stored_values.hpp"
#include "tenant_rows.hpp"

#include <algorithm>
#include <utility>

namespace tenure::queue {
namespace {

using sqlite::Query;

constexpr std::int64_t kLineFront = -1;  // before all tenants

// ?1 seq. Index: primary key.
constexpr Query kTenantOfJob{"tenant_of_job", "select tenant from job where seq = ?1"};

// ?1 seq. Index: primary key.
constexpr Query kKeyShown{"key_shown", "select key, running_max from job_key where seq = ?1"};
constexpr Query kUniqueShown{"unique_shown", "select key, until, is_held from unique_key where seq = ?1"};

// ?1 key. Index: claim_key.
constexpr Query kRunningShown{"running_shown",
                              "select count(*) from claim indexed by claim_key where key = ?1"};

// ?1 key  ?2 limit. Index: claim_key, primary key.
constexpr Query kHolders{"key_holders", R"sql(
  select job.id, claim.started_us
  from claim indexed by claim_key cross join job on job.seq = claim.seq
  where claim.key = ?1 order by claim.seq limit ?2)sql"};

// Before the place of a job that waits there. ?1 key  ?2 seq. Index: primary keys.
constexpr Query kAheadInLine{"ahead_in_line", R"sql(
  select count(*) from blocked cross join key_line
    on key_line.key = ?1 and key_line.tenant = blocked.tenant
    and (key_line.priority, key_line.due_us, key_line.seq) < (blocked.priority, blocked.due_us, blocked.seq)
  where blocked.seq = ?2 and blocked.reason = 11)sql"};

}  // namespace

bool SqliteWriter::is_taken(const StoredConcurrency& key, QueueNumber queue, KindNumber kind) {
  return key_rows_.is_taken({key.key, key_limits_.running_max(key.running_max, queue, kind)});
}

bool SqliteWriter::must_wait_for(const StoredConcurrency& key, QueueNumber queue, KindNumber kind) {
  return is_taken(key, queue, kind) || key_rows_.has_line(key.key);
}

bool SqliteWriter::lines_up(const Lane& lane, const LanePlace& place) {
  const auto key = key_rows_.concurrency_of(place.seq);
  if (!key || !must_wait_for(*key, lane.queue, lane.kind)) return false;
  stand_in_line(key->key, lane, place);
  return true;
}

void SqliteWriter::stand_in_line(const std::string& key, const Lane& lane, const LanePlace& place) {
  place_row(place.seq);
  insert_blocked(connection_, lane, place, JobReason::limit_key);
  key_rows_.join_line(key, lane, place);
}

void SqliteWriter::pass_on(const std::string& key, JobSeq left) {
  if (key.empty() || !key_rows_.has_line(key)) return;
  if (const auto next = next_of_line(key, turn_begins_behind(key, tenant_of_turn(key, left))))
    make_ready_of_line(key, *next);
}

// It matters for a global key.
TenantNumber SqliteWriter::tenant_of_turn(const std::string& key, JobSeq seq) {
  if (!is_global_key(key)) return TenantNumber{0};
  auto row = connection_.statement(kTenantOfJob);
  return row.bind(seq.value).step() ? TenantNumber{row.integer(0)} : TenantNumber{0};
}

std::optional<JobArrival> SqliteWriter::first_of_line(const std::string& key, std::int64_t behind_tenant) {
  auto found = key_rows_.next_in_line(key, behind_tenant);
  return found || behind_tenant == kLineFront ? found : key_rows_.next_in_line(key, kLineFront);
}

std::optional<TenantState> SqliteWriter::gate_on_line(const std::string& key, const Lane& lane) {
  if (!is_global_key(key)) return std::nullopt;
  ClaimReply reply;
  const auto tenant = tenant_to_claim(lane.tenant, reply);
  if (!tenant || reply.gate != TenantState::read_only) return reply.gate;
  if (!pools_of_lines_) pools_of_lines_ = read_pools(connection_);
  const bool reads =
      is_read_in(*pools_of_lines_, tenant->name, names_.name(NameTable::queue, lane.queue.value),
                 names_.name(NameTable::kind, lane.kind.value));
  return reads ? std::nullopt : reply.gate;
}

bool SqliteWriter::may_come_from_line(const std::string& key, const Lane& lane) {
  return !gate_on_line(key, lane) && !is_lane_paused(lane);
}

// The next one that may be claimed, of a global key of the next tenant in turn that has one; where there is none, whoever is next.
std::optional<JobArrival> SqliteWriter::next_of_line(const std::string& key, std::int64_t behind_tenant) {
  const auto first = first_of_line(key, behind_tenant);
  auto next = first;
  for (int passed = 0, of_tenant = 1; next && passed < kPassedOverMax; ++passed, ++of_tenant) {
    const auto gate = gate_on_line(key, next->lane);
    if (!gate && !is_lane_paused(next->lane)) return next;
    const TenantNumber tenant = next->lane.tenant;
    // Behind a job that writes in a read-only tenant one may stand that only reads.
    const bool is_enough = gate && (gate != TenantState::read_only || of_tenant >= kElsewhereOfTenant);
    auto behind = is_enough ? std::nullopt : key_rows_.next_behind(key, *next);
    next = behind ? std::move(behind) : first_of_line(key, is_enough ? tenant.value : kLineFront);
    if (next && next->lane.tenant != tenant) of_tenant = 0;
    if (next && next->seq == first->seq) break;
  }
  return first;
}

std::optional<JobArrival> SqliteWriter::next_elsewhere(const std::string& key, std::int64_t behind_tenant,
                                                       std::span<const Lane> gated) {
  const auto first = first_of_line(key, behind_tenant);
  auto next = first;
  for (int looked = 0, of_tenant = 1; next && looked < kElsewhereMax; ++looked, ++of_tenant) {
    if (std::ranges::find(gated, next->lane) == gated.end() && may_come_from_line(key, next->lane))
      return next;
    const TenantNumber tenant = next->lane.tenant;
    const bool is_enough = is_global_key(key) && of_tenant >= kElsewhereOfTenant;
    auto behind = is_enough ? std::nullopt : key_rows_.next_behind(key, *next);
    next = behind ? std::move(behind) : first_of_line(key, is_enough ? tenant.value : kLineFront);
    if (next && next->lane.tenant != tenant) of_tenant = 0;
    if (next && next->seq == first->seq) break;
  }
  return std::nullopt;
}

std::optional<JobArrival> SqliteWriter::pass_over(JobSeq passed, std::span<const Lane> gated) {
  const auto key = key_rows_.concurrency_of(passed);
  if (!key || !key_rows_.has_line(key->key)) return std::nullopt;
  auto next = next_elsewhere(key->key, turn_begins_behind(key->key, tenant_of_turn(key->key, passed)), gated);
  const auto wanted = next ? key_rows_.concurrency_of(next->seq) : std::nullopt;
  if (!wanted || is_taken(*wanted, next->lane.queue, next->lane.kind)) return std::nullopt;
  leave_line(key->key, *next);
  return next;
}

bool SqliteWriter::is_lane_paused(const Lane& lane) {
  if (!paused_lanes_)
    paused_lanes_.emplace(paused_numbers(connection_, PauseScope::queue),
                          paused_numbers(connection_, PauseScope::kind));
  return std::ranges::binary_search(paused_lanes_->first, lane.queue.value) ||
         std::ranges::binary_search(paused_lanes_->second, lane.kind.value);
}

void SqliteWriter::leave_line(const std::string& key, JobArrival& next) {
  delete_blocked(connection_, next.seq);
  key_rows_.leave_line(key, next.lane, {next.due, next.seq});
  end_wait(next);
}

void SqliteWriter::make_ready_of_line(const std::string& key, JobArrival next) {
  leave_line(key, next);
  hint_at(next.seq);
}

std::optional<std::string> SqliteWriter::give_free_keys(const std::string& after, std::size_t limit) {
  const auto keys = key_rows_.lines(after, limit);
  for (const std::string& key : keys) give_free_key(key);
  return keys.size() < limit ? std::nullopt : std::optional{keys.back()};
}

void SqliteWriter::give_free_key(const std::string& key) {
  TenantNumber last{kLineFront};
  for (int let_in = 0; let_in < kLetInMax; ++let_in) {
    const auto next = next_of_line(key, turn_begins_behind(key, last));
    const auto wanted = next ? key_rows_.concurrency_of(next->seq) : std::nullopt;
    if (!wanted || (let_in > 0 && !may_come_from_line(key, next->lane))) return;
    const Lane& lane = next->lane;
    const std::int64_t may_run = key_limits_.running_max(wanted->running_max, lane.queue, lane.kind);
    if (key_rows_.running(key) + let_in >= may_run) return;
    make_ready_of_line(key, *next);
    last = lane.tenant;
  }
}

std::optional<Enqueued> SqliteWriter::holder_of_unique(const NewJob& job, TenantNumber tenant) {
  if (!job.unique) return std::nullopt;
  return key_rows_.holder_of(stored_key(tenant, job.unique->key, job.unique->is_global));
}

Result<void> SqliteWriter::hold_unique_again(JobSeq seq, JobId id) {
  const auto key = key_rows_.unique_of(seq);
  if (!key || key->is_held) return {};
  if (const auto holder = key_rows_.holder_of(key->key)) return unique_key_taken(id, key->key, holder->id);
  key_rows_.hold_again(seq);
  return {};
}

JobKeys SqliteJobReader::job_keys(const JobRecord& job) {
  JobKeys keys;
  std::string stored;
  {
    auto row = connection_.statement(kKeyShown);
    if (row.bind(job.seq.value).step()) {
      stored = row.text(0);
      keys.running_max = row.integer(1);
      keys.concurrency = stated_concurrency({stored, keys.running_max});
    }
  }
  {
    auto row = connection_.statement(kUniqueShown);
    if (row.bind(job.seq.value).step()) {
      const std::string key{row.text(0)};
      keys.unique = UniqueKey{std::string{stated_key(key)}, static_cast<UniqueUntil>(clamped(row.integer(1))),
                              is_global_key(key)};
      keys.is_unique_held = row.integer(2) != 0;
    }
  }
  if (stored.empty()) return keys;
  key_limits_.tell(lane_of(job), keys);
  keys.running = connection_.statement(kRunningShown).bind(stored).row().integer(0);
  keys.ahead = connection_.statement(kAheadInLine).bind(stored, job.seq.value).row().integer(0);
  auto row = connection_.statement(kHolders);
  row.bind(stored, kKeyHoldersShown);
  while (row.step())
    if (const auto id = Uuid::from_bytes(row.blob(0)))
      keys.holders.push_back({JobId{*id}, from_us(row.integer(1))});
  return keys;
}

std::vector<const Query*> limit_queries() {
  return {&kTenantOfJob, &kKeyShown, &kUniqueShown, &kRunningShown, &kHolders, &kAheadInLine};
}

}  // namespace tenure::queue
