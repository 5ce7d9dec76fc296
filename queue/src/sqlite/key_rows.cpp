#include "key_rows.hpp"

#include "../job_key_rules.hpp"
#include "stored_values.hpp"

namespace tenure::queue {
namespace {

using sqlite::Query;

// Index: primary keys.
constexpr Query kHasKeys{"has_keys", R"sql(
  select exists (select 1 from job_key), exists (select 1 from unique_key))sql"};

// ?1 seq  ?2 key  ?3 running_max.
constexpr Query kInsertJobKey{"insert_job_key",
                              "insert into job_key(seq, key, running_max) values (?1, ?2, ?3)"};
// ?1 seq. Index: primary key.
constexpr Query kJobKey{"job_key", "select key, running_max from job_key where seq = ?1"};
constexpr Query kDeleteJobKey{"delete_job_key", "delete from job_key where seq = ?1"};

// ?1 seq. Index: primary key.
constexpr Query kKeyOfClaim{"key_of_claim", "select key from claim where seq = ?1"};
// ?1 key. Index: claim_key.
constexpr Query kRunningOfKey{"running_of_key",
                              "select count(*) from claim indexed by claim_key where key = ?1"};

// ?1 key. Index: primary key.
constexpr Query kHasLine{"has_line", "select 1 from key_line where key = ?1 limit 1"};
// In place of what a damaged file has left of the same job. ?1 key  ?2 tenant  ?3 priority  ?4 due_us  ?5 seq. Index: primary key.
constexpr Query kJoinLine{"join_line", R"sql(
  insert or replace into key_line(key, tenant, priority, due_us, seq) values (?1, ?2, ?3, ?4, ?5))sql"};
constexpr Query kLeaveLine{"leave_line", R"sql(
  delete from key_line where key = ?1 and tenant = ?2 and priority = ?3 and due_us = ?4 and seq = ?5)sql"};

// ?1 key  ?2 tenant. Index: primary keys.
constexpr Query kNextInLine{"next_in_line", R"sql(
  select blocked.seq, blocked.queue, blocked.priority, blocked.tenant, blocked.kind, blocked.due_us
  from key_line cross join blocked on blocked.seq = key_line.seq and blocked.reason = 11
  where key_line.key = ?1 and key_line.tenant > ?2 and blocked.priority between -100 and 100
  order by key_line.tenant, key_line.priority, key_line.due_us, key_line.seq limit 1)sql"};

// ?1 key  ?2 tenant  ?3 priority  ?4 due_us  ?5 seq. Index: primary keys.
constexpr Query kNextBehind{"next_behind_in_line", R"sql(
  select blocked.seq, blocked.queue, blocked.priority, blocked.tenant, blocked.kind, blocked.due_us
  from key_line cross join blocked on blocked.seq = key_line.seq and blocked.reason = 11
  where key_line.key = ?1 and (key_line.tenant, key_line.priority, key_line.due_us, key_line.seq) > (?2, ?3, ?4, ?5)
    and blocked.priority between -100 and 100
  order by key_line.tenant, key_line.priority, key_line.due_us, key_line.seq limit 1)sql"};

// One step of a loose scan. ?1 the key before. Index: primary key.
constexpr Query kNextLine{"next_line", "select key from key_line where key > ?1 order by key limit 1"};

// In place of what a damaged file has left of a job that is gone. ?1 seq  ?2 key  ?3 until.
constexpr Query kInsertUnique{
    "insert_unique_key",
    "insert or replace into unique_key(seq, key, until, is_held) values (?1, ?2, ?3, 1)"};
// ?1 seq. Index: primary key.
constexpr Query kUniqueKey{"unique_key", "select key, until, is_held from unique_key where seq = ?1"};
constexpr Query kHoldAgain{"hold_unique_key_again",
                           "update or replace unique_key set is_held = 1 where seq = ?1"};
constexpr Query kFreeUnique{"free_unique_key",
                            "update unique_key set is_held = 0 where seq = ?1 and is_held = 1"};
constexpr Query kFreeAtStart{"free_unique_key_at_start", R"sql(
  update unique_key set is_held = 0 where seq = ?1 and is_held = 1 and until = 2)sql"};
constexpr Query kDeleteUnique{"delete_unique_key", "delete from unique_key where seq = ?1"};

// ?1 key. Index: unique_key_held, primary keys.
constexpr Query kHolderOfKey{"holder_of_key", R"sql(
  select job.seq, job.id, tenant.generation
  from unique_key cross join job on job.seq = unique_key.seq left join tenant on tenant.number = job.tenant
  where unique_key.key = ?1 and unique_key.is_held = 1)sql"};

}  // namespace

StoredConcurrency stored_concurrency(const ConcurrencyKey& key, TenantNumber tenant) {
  return {stored_key(tenant, key.key, key.is_global), key.running_max};
}

ConcurrencyKey stated_concurrency(const StoredConcurrency& key) {
  return {std::string{stated_key(key.key)}, clamped(key.running_max), is_global_key(key.key)};
}

KeyRows::HasAny& KeyRows::has_any() {
  if (!has_any_) {
    auto row = connection_.statement(kHasKeys);
    row.row();
    has_any_ = HasAny{row.integer(0) != 0, row.integer(1) != 0};
  }
  return *has_any_;
}

void KeyRows::state(JobSeq seq, const StoredConcurrency& key) {
  connection_.statement(kInsertJobKey).bind(seq.value, key.key, key.running_max).run();
  has_any().concurrency = true;
}

std::optional<StoredConcurrency> KeyRows::concurrency_of(JobSeq seq) {
  if (!has_any().concurrency) return std::nullopt;
  auto row = connection_.statement(kJobKey);
  if (!row.bind(seq.value).step()) return std::nullopt;
  return StoredConcurrency{std::string{row.text(0)}, row.integer(1)};
}

std::string KeyRows::key_of_claim(JobSeq seq) {
  if (!has_any().concurrency) return {};
  auto row = connection_.statement(kKeyOfClaim);
  return row.bind(seq.value).step() ? std::string{row.text(0)} : std::string{};
}

std::int64_t KeyRows::running(const std::string& key) {
  const auto [entry, is_new] = running_.try_emplace(key, 0);
  if (is_new) entry->second = connection_.statement(kRunningOfKey).bind(key).row().integer(0);
  return entry->second;
}

void KeyRows::claimed(const std::string& key) {
  if (const auto counted = running_.find(key); counted != running_.end()) ++counted->second;
}

void KeyRows::given_back(const std::string& key) {
  if (const auto counted = running_.find(key); counted != running_.end()) --counted->second;
}

bool KeyRows::has_line(const std::string& key) {
  auto row = connection_.statement(kHasLine);
  return row.bind(key).step();
}

void KeyRows::join_line(const std::string& key, const Lane& lane, const LanePlace& place) {
  connection_.statement(kJoinLine)
      .bind(key, lane.tenant.value, lane.priority.value, to_us(place.due), place.seq.value)
      .run();
}

void KeyRows::leave_line(const std::string& key, const Lane& lane, const LanePlace& place) {
  connection_.statement(kLeaveLine)
      .bind(key, lane.tenant.value, lane.priority.value, to_us(place.due), place.seq.value)
      .run();
}

std::optional<JobArrival> KeyRows::next_in_line(const std::string& key, std::int64_t behind_tenant) {
  auto row = connection_.statement(kNextInLine);
  if (!row.bind(key, behind_tenant).step()) return std::nullopt;
  return arrival_in(row);
}

std::optional<JobArrival> KeyRows::next_behind(const std::string& key, const JobArrival& job) {
  auto row = connection_.statement(kNextBehind);
  if (!row.bind(key, job.lane.tenant.value, job.lane.priority.value, to_us(job.due), job.seq.value).step())
    return std::nullopt;
  return arrival_in(row);
}

std::vector<std::string> KeyRows::lines(const std::string& after, std::size_t limit) {
  std::vector<std::string> keys;
  if (!has_any().concurrency) return keys;
  for (std::string at = after; keys.size() < limit; at = keys.back()) {
    auto row = connection_.statement(kNextLine);
    if (!row.bind(at).step()) break;
    keys.emplace_back(row.text(0));
  }
  return keys;
}

void KeyRows::hold(JobSeq seq, const StoredUnique& key) {
  connection_.statement(kInsertUnique).bind(seq.value, key.key, static_cast<int>(key.until)).run();
  has_any().unique = true;
}

std::optional<StoredUnique> KeyRows::unique_of(JobSeq seq) {
  if (!has_any().unique) return std::nullopt;
  auto row = connection_.statement(kUniqueKey);
  if (!row.bind(seq.value).step()) return std::nullopt;
  return StoredUnique{std::string{row.text(0)}, static_cast<UniqueUntil>(clamped(row.integer(1))),
                      row.integer(2) != 0};
}

std::optional<Enqueued> KeyRows::holder_of(const std::string& key) {
  if (!has_any().unique) return std::nullopt;
  auto row = connection_.statement(kHolderOfKey);
  if (!row.bind(key).step()) return std::nullopt;
  const auto id = Uuid::from_bytes(row.blob(1));
  if (!id) return std::nullopt;
  return Enqueued{JobId{*id}, JobSeq{row.integer(0)}, Generation{row.integer(2)}, true, {}};
}

void KeyRows::hold_again(JobSeq seq) { connection_.statement(kHoldAgain).bind(seq.value).run(); }

void KeyRows::free(JobSeq seq) {
  if (has_any().unique) connection_.statement(kFreeUnique).bind(seq.value).run();
}

void KeyRows::free_at_start(JobSeq seq) {
  if (has_any().unique) connection_.statement(kFreeAtStart).bind(seq.value).run();
}

void KeyRows::forget_unique(JobSeq seq) {
  if (has_any().unique) connection_.statement(kDeleteUnique).bind(seq.value).run();
}

void KeyRows::forget(JobSeq seq) {
  forget_unique(seq);
  if (has_any().concurrency) connection_.statement(kDeleteJobKey).bind(seq.value).run();
}

std::vector<const Query*> key_queries() {
  return {&kHasKeys,      &kInsertJobKey, &kJobKey,       &kDeleteJobKey, &kKeyOfClaim,
          &kRunningOfKey, &kHasLine,      &kJoinLine,     &kLeaveLine,    &kNextInLine,
          &kNextBehind,   &kNextLine,     &kInsertUnique, &kUniqueKey,    &kHoldAgain,
          &kFreeUnique,   &kFreeAtStart,  &kDeleteUnique, &kHolderOfKey};
}

}  // namespace tenure::queue
