#include "sqlite_limits.hpp"

#include "sqlite_reader.hpp"
#include "sqlite_writer.hpp"
#include "stored_values.hpp"

#include <optional>

namespace tenure::queue {
namespace {

using sqlite::Query;
using sqlite::Statement;

// At most kLimitsMax rows. Index: unique name.
constexpr Query kLimits{"limits", R"sql(
  select number, name, kind, queue, per, declared_running, declared_starts, declared_window_us,
    set_running, set_starts, set_window_us, set_us, uid, login, reason, per_key
  from limit_rule order by name)sql"};
// Index: limit_rule_of_keys, empty nearly always.
constexpr Query kLimitsPerKey{"limits_per_key", R"sql(
  select number, name, kind, queue, per, declared_running, declared_starts, declared_window_us,
    set_running, set_starts, set_window_us, set_us, uid, login, reason, per_key
  from limit_rule indexed by limit_rule_of_keys where per_key = 1 order by name)sql"};

// ?1 name  ?2 kind  ?3 queue  ?4 per  ?5 to ?7 declared  ?8 to ?10 set  ?11 set_us  ?12 uid  ?13 login  ?14 reason
// ?15 per_key
constexpr Query kInsertLimit{"insert_limit", R"sql(
  insert into limit_rule(name, kind, queue, per, declared_running, declared_starts, declared_window_us,
    set_running, set_starts, set_window_us, set_us, uid, login, reason, per_key)
  values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15))sql"};
// The same, ?16 number. Index: primary key.
constexpr Query kUpdateLimit{"update_limit", R"sql(
  update limit_rule set name = ?1, kind = ?2, queue = ?3, per = ?4, declared_running = ?5, declared_starts = ?6,
    declared_window_us = ?7, set_running = ?8, set_starts = ?9, set_window_us = ?10, set_us = ?11, uid = ?12,
    login = ?13, reason = ?14, per_key = ?15
  where number = ?16)sql"};
// ?1 number. Index: primary key.
constexpr Query kDeleteLimit{"delete_limit", "delete from limit_rule where number = ?1"};
// Index: primary key.
constexpr Query kLimitsMark{"limits_mark", "select seq from mark where name = 'limits'"};

// ?1 limit. Index: primary key, a prefix.
constexpr Query kBucketsOfLimit{"buckets_of_limit", R"sql(
  select limit_number, tenant, queue, kind, number, starts, is_last, last_start_us from start_bucket
  where limit_number = ?1 order by limit_number, tenant, queue, kind, number)sql"};
// Once, when a dispatcher starts. ?1 us. The whole table.
constexpr Query kAllBuckets{"all_buckets", R"sql(
  select limit_number, tenant, queue, kind, number, starts, is_last, last_start_us from start_bucket
  where last_start_us > ?1 order by limit_number, tenant, queue, kind, number)sql"};
// ?1 to ?4 the group  ?5 number  ?6 starts  ?7 is_last  ?8 last_start_us. Index: primary key.
constexpr Query kPutBucket{"put_bucket", R"sql(
  insert into start_bucket(limit_number, tenant, queue, kind, number, starts, is_last, last_start_us)
  values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
  on conflict (limit_number, tenant, queue, kind, number) do update set starts = excluded.starts,
    is_last = excluded.is_last, last_start_us = excluded.last_start_us)sql"};
// ?1 to ?4 the group  ?5 number  ?6 last_start_us. Index: primary key; no change where it is as late.
constexpr Query kLaterStart{"later_start", R"sql(
  update start_bucket set last_start_us = ?6
  where limit_number = ?1 and tenant = ?2 and queue = ?3 and kind = ?4 and number = ?5 and last_start_us < ?6)sql"};
// ?1 to ?4 the group  ?5 us. Index: primary key, a prefix of few rows.
constexpr Query kForgetOfGroup{"forget_buckets_of_group", R"sql(
  delete from start_bucket
  where limit_number = ?1 and tenant = ?2 and queue = ?3 and kind = ?4 and last_start_us <= ?5)sql"};
// ?1 to ?4 the group  ?5 number. Index: primary key.
constexpr Query kDeleteBucket{"delete_bucket", R"sql(
  delete from start_bucket
  where limit_number = ?1 and tenant = ?2 and queue = ?3 and kind = ?4 and number = ?5)sql"};
// ?1 limit. Index: primary key, a prefix.
constexpr Query kForgetOfLimit{"forget_buckets_of_limit", "delete from start_bucket where limit_number = ?1"};
// ?1 us. Index: start_bucket_time.
constexpr Query kForgetOld{"forget_old_buckets", "delete from start_bucket where last_start_us <= ?1"};

// What runs now: few. Index: primary keys.
constexpr Query kRunningClaims{"running_claims", R"sql(
  select claim.seq, job.id, job.queue, job.tenant, job.kind, claim.started_us, claim.key
  from claim cross join job on job.seq = claim.seq order by claim.seq)sql"};
// ?1 number. Index: primary key.
constexpr Query kQueueOfLimit{"queue_of_limit", "select name from queue where number = ?1"};
constexpr Query kKindOfLimit{"kind_of_limit", "select name from kind where number = ?1"};
constexpr Query kTenantOfLimit{"tenant_of_limit",
                               "select coalesce(name, 'none') from tenant where number = ?1"};

enum PerBit : std::uint8_t { kPerTenant = 1, kPerKind = 2, kPerQueue = 4 };

std::int64_t bits_of(const LimitPer& per) {
  return (per.tenant ? kPerTenant : 0) | (per.kind ? kPerKind : 0) | (per.queue ? kPerQueue : 0);
}

LimitPer per_of(std::int64_t bits, bool is_per_key) {
  return {(bits & kPerTenant) != 0, (bits & kPerKind) != 0, (bits & kPerQueue) != 0, is_per_key};
}

LimitBounds bounds_in(const Statement& row, int column) {
  LimitBounds bounds{.running = row.optional_integer(column)};
  const auto starts = row.optional_integer(column + 1);
  const auto window = row.optional_integer(column + 2);
  if (starts && window) bounds.rate = StartRate{*starts, std::chrono::microseconds{*window}};
  return bounds;
}

LimitRecord limit_in(const Statement& row) {
  LimitRecord limit{.number = LimitNumber{row.integer(0)},
                    .name = std::string{row.text(1)},
                    .target = {.kind = std::string{row.text(2)},
                               .queue = std::string{row.text(3)},
                               .per = per_of(row.integer(4), row.integer(15) != 0)}};
  const LimitBounds declared = bounds_in(row, 5);
  if (declared != LimitBounds{}) limit.declared = declared;
  if (const auto when = row.optional_integer(11))
    limit.set = SetLimit{.bounds = bounds_in(row, 8),
                         .when = from_us(*when),
                         .uid = row.integer(12),
                         .login = std::string{row.text(13)},
                         .reason = std::string{row.text(14)}};
  return limit;
}

std::optional<std::int64_t> starts_in(const LimitBounds& bounds) {
  return bounds.rate ? std::optional{bounds.rate->starts} : std::nullopt;
}
std::optional<std::int64_t> window_in(const LimitBounds& bounds) {
  return bounds.rate ? std::optional{bounds.rate->window.count()} : std::nullopt;
}

// The texts are those of `limit`, which must outlive the statement's run.
Statement& bind_limit(Statement& statement, const LimitRecord& limit) {
  static const SetLimit kNone;
  const LimitBounds declared = limit.declared.value_or(LimitBounds{});
  const SetLimit& set = limit.set ? *limit.set : kNone;
  return statement.bind(limit.name, limit.target.kind, limit.target.queue, bits_of(limit.target.per),
                        declared.running, starts_in(declared), window_in(declared), set.bounds.running,
                        starts_in(set.bounds), window_in(set.bounds),
                        limit.set ? std::optional{to_us(set.when)} : std::nullopt, set.uid, set.login,
                        set.reason, limit.target.per.key ? 1 : 0);
}

Statement& bind_group(Statement& statement, const LimitGroup& group) {
  return statement.bind(group.limit.value, group.tenant.value, group.queue.value, group.kind.value);
}

std::vector<StartBucket> buckets_in(Statement& row) {
  std::vector<StartBucket> buckets;
  while (row.step())
    buckets.push_back({.group = {LimitNumber{row.integer(0)}, TenantNumber{row.integer(1)},
                                 QueueNumber{row.integer(2)}, KindNumber{row.integer(3)}},
                       .number = row.integer(4),
                       .starts = row.integer(5),
                       .is_last = row.integer(6) != 0,
                       .last_start = from_us(row.integer(7))});
  return buckets;
}

std::string name_in(Statement&& row, std::int64_t number) {
  return row.bind(number).step() ? std::string{row.text(0)} : std::string{};
}

}  // namespace

std::vector<LimitRecord> SqliteLimitRows::limits() {
  std::vector<LimitRecord> limits;
  auto row = connection_.statement(kLimits);
  while (row.step()) limits.push_back(limit_in(row));
  return limits;
}

std::vector<LimitRecord> SqliteLimitRows::limits_per_key() {
  std::vector<LimitRecord> limits;
  auto row = connection_.statement(kLimitsPerKey);
  while (row.step()) limits.push_back(limit_in(row));
  return limits;
}

void SqliteLimitRows::insert(const LimitRecord& limit) {
  auto statement = connection_.statement(kInsertLimit);
  bind_limit(statement, limit).run();
}

void SqliteLimitRows::update(const LimitRecord& limit) {
  auto statement = connection_.statement(kUpdateLimit);
  bind_limit(statement, limit).bind(limit.number.value).run();
}

void SqliteLimitRows::erase(LimitNumber number) {
  connection_.statement(kDeleteLimit).bind(number.value).run();
}

void SqliteLimitRows::forget_starts(LimitNumber number) {
  connection_.statement(kForgetOfLimit).bind(number.value).run();
}

LimitsMark SqliteLimitRows::mark() { return LimitsMark{connection_.statement(kLimitsMark).row().integer(0)}; }

std::vector<StartBucket> SqliteLimitRows::buckets(LimitNumber number) {
  auto row = connection_.statement(kBucketsOfLimit);
  row.bind(number.value);
  return buckets_in(row);
}

std::vector<StartBucket> SqliteLimitRows::all_buckets(WallTime now) {
  auto row = connection_.statement(kAllBuckets);
  row.bind(to_us(now - kRateWindowMax));
  return buckets_in(row);
}

void SqliteLimitRows::note(std::span<const BucketNote> notes, WallTime now) {
  bool is_any_news = false;
  for (const BucketNote& note : notes) {
    const StartBucket& bucket = note.bucket;
    if (!note.is_news) {
      auto later = connection_.statement(kLaterStart);
      bind_group(later, bucket.group).bind(bucket.number, to_us(now)).run();
      continue;
    }
    is_any_news = true;
    auto forget = connection_.statement(kForgetOfGroup);
    bind_group(forget, bucket.group).bind(to_us(now - note.window)).run();
    if (bucket.starts == 0) {
      auto erase = connection_.statement(kDeleteBucket);
      bind_group(erase, bucket.group).bind(bucket.number).run();
      continue;
    }
    auto put = connection_.statement(kPutBucket);
    bind_group(put, bucket.group)
        .bind(bucket.number, bucket.starts, bucket.is_last ? 1 : 0, to_us(now + note.open_for))
        .run();
  }
  if (is_any_news) connection_.statement(kForgetOld).bind(to_us(now - kRateWindowMax)).run();
}

std::vector<RunningClaim> SqliteLimitRows::claims() {
  std::vector<RunningClaim> claims;
  auto row = connection_.statement(kRunningClaims);
  while (row.step()) {
    const auto id = Uuid::from_bytes(row.blob(1));
    claims.push_back({JobSeq{row.integer(0)}, id ? JobId{*id} : JobId{},
                      Lane{QueueNumber{row.integer(2)}, Priority{}, TenantNumber{row.integer(3)},
                           KindNumber{row.integer(4)}},
                      from_us(row.integer(5)), std::string{row.text(6)}});
  }
  return claims;
}

std::string SqliteLimitRows::name_of(QueueNumber queue) {
  return name_in(connection_.statement(kQueueOfLimit), queue.value);
}
std::string SqliteLimitRows::name_of(KindNumber kind) {
  return name_in(connection_.statement(kKindOfLimit), kind.value);
}
std::string SqliteLimitRows::name_of(TenantNumber tenant) {
  return name_in(connection_.statement(kTenantOfLimit), tenant.value);
}

std::vector<LimitStanding> SqliteJobReader::limits_of(const JobRecord& job) {
  return limit_questions_.standings_of(lane_of(job));
}

std::vector<const Query*> limit_rule_queries() {
  return {&kLimits,        &kLimitsPerKey,   &kInsertLimit,   &kUpdateLimit, &kDeleteLimit,
          &kLimitsMark,    &kBucketsOfLimit, &kAllBuckets,    &kPutBucket,   &kLaterStart,
          &kForgetOfGroup, &kDeleteBucket,   &kForgetOfLimit, &kForgetOld,   &kRunningClaims,
          &kQueueOfLimit,  &kKindOfLimit,    &kTenantOfLimit};
}

}  // namespace tenure::queue
