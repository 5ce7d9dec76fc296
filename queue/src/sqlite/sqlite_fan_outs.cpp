#include "sqlite_fan_outs.hpp"

#include "../job_key_rules.hpp"
#include "../job_rules.hpp"
#include "sqlite_writer.hpp"
#include "stored_values.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/envelope.hpp>

#include <algorithm>
#include <limits>

namespace tenure::queue {
namespace {

using sqlite::Query;

// ?1 batch. Index: primary key.
constexpr Query kFanOut{"fan_out", R"sql(
  select batch, key, queue, kind, priority, attempts_max, start_within_us, concurrency, running_max, window_us, rate_starts,
    rate_window_us, until, tenants, after, visited, made, skipped, vanished, cancelled_until, under_way, problem, envelope
  from fan_out where batch = ?1)sql"};
// ?1 batch before  ?2 limit. Index: primary key.
constexpr Query kNewestFanOuts{"newest_fan_outs",
                               "select batch from fan_out where batch < ?1 order by batch desc limit ?2"};
// Index: fan_out_under_way; few rows.
constexpr Query kFanOutsUnderWay{
    "fan_outs_under_way",
    "select batch from fan_out indexed by fan_out_under_way where under_way = 1 order by batch"};
// ?1 key. Index: fan_out_key, its end.
constexpr Query kFanOutOfKey{"fan_out_of_key", R"sql(
  select batch from fan_out indexed by fan_out_key where key <> '' and key = ?1 order by batch desc limit 1)sql"};
// Index: primary key.
constexpr Query kFanOutsMark{"fan_outs_mark", "select seq from mark where name = 'fan_outs'"};
constexpr Query kRaiseFanOutsMark{"raise_fan_outs_mark",
                                  "update mark set seq = seq + 1 where name = 'fan_outs'"};
// ?1 batch. Index: primary key; all that it has skipped.
constexpr Query kSkipCounts{"skip_counts",
                            "select reason, count(*) from fan_out_skip where batch = ?1 group by reason"};
// ?1 batch  ?2 the last tenant  ?3 limit. Index: primary keys.
constexpr Query kSkippedTenants{"skipped_tenants", R"sql(
  select fan_out_skip.tenant, tenant.name, tenant.generation, reason, skipped_us
  from fan_out_skip left join tenant on tenant.number = fan_out_skip.tenant
  where batch = ?1 and fan_out_skip.tenant > ?2 order by fan_out_skip.tenant limit ?3)sql"};
// ?1 batch  ?2 the last seq  ?3 whether those alone that have not succeeded  ?4 limit. Index: batch_job_member, primary keys.
constexpr Query kJobsOfFanOut{"jobs_of_fan_out", R"sql(
  select batch_job.seq, job.id, tenant.name, tenant.generation, batch_job.ended
  from batch_job indexed by batch_job_member cross join job on job.seq = batch_job.seq
    left join tenant on tenant.number = job.tenant
  where batch_job.batch = ?1 and batch_job.seq > ?2 and (?3 = 0 or batch_job.ended between 5 and 7)
  order by batch_job.seq limit ?4)sql"};

// ?1 batch  ?2 key  ?3 queue  ?4 kind  ?5 priority  ?6 attempts_max  ?7 start_within_us  ?8 concurrency  ?9 running_max  ?10 window_us
// ?11 rate_starts  ?12 rate_window_us  ?13 until  ?14 tenants  ?15 envelope
constexpr Query kInsertFanOut{"insert_fan_out", R"sql(
  insert into fan_out(batch, key, queue, kind, priority, attempts_max, start_within_us, concurrency, running_max, window_us,
                      rate_starts, rate_window_us, until, tenants, envelope, under_way)
  values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, 1))sql"};
// ?1 batch  ?2 after  ?3 visited  ?4 made  ?5 skipped  ?6 vanished  ?7 cancelled_until  ?8 under_way  ?9 problem. Index: primary key.
constexpr Query kAdvanceFanOut{"advance_fan_out", R"sql(
  update fan_out set after = ?2, visited = ?3, made = ?4, skipped = ?5, vanished = ?6, cancelled_until = ?7, under_way = ?8,
    problem = ?9 where batch = ?1)sql"};
// ?1 batch  ?2 tenant  ?3 reason  ?4 skipped_us. Index: primary key.
constexpr Query kInsertSkip{
    "insert_skip",
    "insert or replace into fan_out_skip(batch, tenant, reason, skipped_us) values (?1, ?2, ?3, ?4)"};
// ?1 batch. Index: primary keys.
constexpr Query kDeleteFanOut{"delete_fan_out", "delete from fan_out where batch = ?1"};
constexpr Query kDeleteSkips{"delete_skips", "delete from fan_out_skip where batch = ?1"};
// ?1 batch. Index: primary key.
constexpr Query kIsVisiting{"is_visiting", "select under_way from fan_out where batch = ?1"};

// A scan, once for each start.
constexpr Query kRegistrySize{"registry_size",
                              "select coalesce(max(number), 0), count(*) from tenant where number > 0"};
// ?1 the last number  ?2 the last of all  ?3 limit. Index: primary key.
constexpr Query kTenantsToVisit{"tenants_to_visit", R"sql(
  select number, name, generation, state, created_us from tenant where number > ?1 and number <= ?2 order by number limit ?3)sql"};
// ?1 tenant. Index: primary key.
constexpr Query kDeletionBegun{"deletion_begun", "select begun_us from tenant_deletion where tenant = ?1"};

// ?1 batch  ?2 the last seq  ?3 limit. Index: batch_job_member, primary keys.
constexpr Query kUnendedOfFanOut{"unended_of_fan_out", R"sql(
  select batch_job.seq, job.id, exists (select 1 from claim where claim.seq = batch_job.seq)
    or exists (select 1 from attempt where attempt.seq = batch_job.seq)
  from batch_job indexed by batch_job_member cross join job on job.seq = batch_job.seq
  where batch_job.batch = ?1 and batch_job.seq > ?2 and batch_job.ended = 0 order by batch_job.seq limit ?3)sql"};
// ?1 batch  ?2 limit. Index: batch_job_member, primary keys.
constexpr Query kWaitingOfFanOut{"waiting_of_fan_out", R"sql(
  select seq from batch_job indexed by batch_job_member
  where batch = ?1 and ended = 0 and not exists (select 1 from claim where claim.seq = batch_job.seq)
    and not exists (select 1 from attempt where attempt.seq = batch_job.seq)
  order by seq desc limit ?2)sql"};
// ?1 batch  ?2 seq. Index: primary keys.
constexpr Query kIsWaitingOfFanOut{"is_waiting_of_fan_out", R"sql(
  select 1 from batch_job where seq = ?2 and batch = ?1 and ended = 0
    and not exists (select 1 from claim where claim.seq = batch_job.seq)
    and not exists (select 1 from attempt where attempt.seq = batch_job.seq))sql"};

static_assert(static_cast<int>(JobState::dead) == 5 && static_cast<int>(JobState::cancelled) == 7,
              "the query says so");

FanOutRow fan_out_in(const sqlite::Statement& row) {
  FanOutRow fan_out;
  fan_out.batch = BatchNumber{row.integer(0)};
  fan_out.key = row.text(1);
  NewJob& job = fan_out.job;
  job.queue = row.text(2);
  job.kind = row.text(3);
  job.priority = Priority{clamped(row.integer(4))};
  job.attempts_max = clamped(row.integer(5));
  fan_out.start_within = std::chrono::microseconds{row.integer(6)};
  if (const std::string key{row.text(7)}; !key.empty())
    job.concurrency = stated_concurrency({key, row.integer(8)});
  fan_out.window = std::chrono::microseconds{row.integer(9)};
  if (const std::int64_t starts = row.integer(10); starts > 0)
    fan_out.rate = StartRate{starts, std::chrono::microseconds{row.integer(11)}};
  fan_out.until = TenantNumber{row.integer(12)};
  fan_out.tenants = row.integer(13);
  fan_out.after = TenantNumber{row.integer(14)};
  fan_out.visited = row.integer(15);
  fan_out.made = row.integer(16);
  fan_out.skipped = row.integer(17);
  fan_out.vanished = row.integer(18);
  fan_out.cancelled_until = JobSeq{row.integer(19)};
  fan_out.is_under_way = row.integer(20) != 0;
  fan_out.problem = row.text(21);
  fan_out.envelope = as_text(row.blob(22));
  return fan_out;
}

FanOutSkip skip_in(std::int64_t value) {
  return static_cast<FanOutSkip>(std::clamp<std::int64_t>(value, 1, 7));
}

}  // namespace

std::optional<FanOutRow> SqliteFanOutRows::of(BatchNumber batch) {
  auto row = connection_.statement(kFanOut);
  return row.bind(batch.value).step() ? std::optional{fan_out_in(row)} : std::nullopt;
}

std::vector<BatchNumber> SqliteFanOutRows::newest(const std::optional<BatchNumber>& before,
                                                  std::size_t limit) {
  std::vector<BatchNumber> numbers;
  auto row = connection_.statement(kNewestFanOuts);
  row.bind(before ? before->value : std::numeric_limits<std::int64_t>::max(), limit);
  while (row.step()) numbers.push_back(BatchNumber{row.integer(0)});
  return numbers;
}

std::vector<BatchNumber> SqliteFanOutRows::under_way() {
  std::vector<BatchNumber> numbers;
  auto row = connection_.statement(kFanOutsUnderWay);
  while (row.step()) numbers.push_back(BatchNumber{row.integer(0)});
  return numbers;
}

std::optional<BatchNumber> SqliteFanOutRows::newest_of_key(std::string_view key) {
  auto row = connection_.statement(kFanOutOfKey);
  return row.bind(key).step() ? std::optional{BatchNumber{row.integer(0)}} : std::nullopt;
}

FanOutsMark SqliteFanOutRows::mark() {
  auto row = connection_.statement(kFanOutsMark);
  return FanOutsMark{row.step() ? row.integer(0) : 0};
}

std::map<FanOutSkip, std::int64_t> SqliteFanOutRows::skips(BatchNumber batch) {
  std::map<FanOutSkip, std::int64_t> counts;
  auto row = connection_.statement(kSkipCounts);
  row.bind(batch.value);
  while (row.step()) counts[skip_in(row.integer(0))] += row.integer(1);
  return counts;
}

std::vector<SkippedTenant> SqliteFanOutRows::skipped(BatchNumber batch, TenantNumber after,
                                                     std::size_t limit) {
  std::vector<SkippedTenant> tenants;
  auto row = connection_.statement(kSkippedTenants);
  row.bind(batch.value, after.value, limit);
  while (row.step()) {
    SkippedTenant& one = tenants.emplace_back();
    one.number = TenantNumber{row.integer(0)};
    if (!row.is_null(1)) one.tenant = TenantName::stored(row.text(1));
    one.generation = Generation{row.integer(2)};
    one.skip = skip_in(row.integer(3));
    one.when = from_us(row.integer(4));
  }
  return tenants;
}

std::vector<FanOutJob> SqliteFanOutRows::jobs(BatchNumber batch, FanOutJobs which, JobSeq after,
                                              std::size_t limit) {
  std::vector<FanOutJob> jobs;
  auto row = connection_.statement(kJobsOfFanOut);
  row.bind(batch.value, after.value, which == FanOutJobs::failed ? 1 : 0, limit);
  while (row.step()) {
    FanOutJob& job = jobs.emplace_back();
    job.seq = JobSeq{row.integer(0)};
    if (const auto id = Uuid::from_bytes(row.blob(1))) job.id = JobId{*id};
    if (!row.is_null(2)) job.tenant = TenantName::stored(row.text(2));
    job.generation = Generation{row.integer(3)};
    if (is_final_row(row.integer(4))) job.ended = job_state_of(row.integer(4));
  }
  return jobs;
}

void SqliteFanOutRows::insert(const FanOutRow& row) {
  const NewJob& job = row.job;
  const StoredConcurrency key =
      job.concurrency
          ? StoredConcurrency{stored_key(kUntenanted, job.concurrency->key, job.concurrency->is_global),
                              job.concurrency->running_max}
          : StoredConcurrency{};
  const std::int64_t starts = row.rate ? row.rate->starts : 0;
  const std::int64_t window = row.rate ? row.rate->window.count() : 0;
  connection_.statement(kInsertFanOut)
      .bind(row.batch.value, std::string_view{row.key}, std::string_view{job.queue},
            std::string_view{job.kind}, job.priority.value, job.attempts_max, row.start_within.count(),
            std::string_view{key.key}, key.running_max, row.window.count(), starts, window, row.until.value,
            row.tenants, as_bytes(row.envelope))
      .run();
}

void SqliteFanOutRows::raise_mark() { connection_.statement(kRaiseFanOutsMark).run(); }

void SqliteFanOutRows::advance(const FanOutRow& row) {
  connection_.statement(kAdvanceFanOut)
      .bind(row.batch.value, row.after.value, row.visited, row.made, row.skipped, row.vanished,
            row.cancelled_until.value, row.is_under_way ? 1 : 0, std::string_view{row.problem})
      .run();
}

void SqliteFanOutRows::add_skip(BatchNumber batch, TenantNumber tenant, FanOutSkip skip, WallTime now) {
  connection_.statement(kInsertSkip)
      .bind(batch.value, tenant.value, static_cast<int>(skip), to_us(now))
      .run();
}

WritableFanOutRows::Registry SqliteFanOutRows::registry() {
  auto row = connection_.statement(kRegistrySize);
  if (!row.step()) return {};
  return {TenantNumber{row.integer(0)}, row.integer(1)};
}

std::vector<VisitedTenant> SqliteFanOutRows::tenants(TenantNumber after, TenantNumber until,
                                                     std::size_t limit) {
  std::vector<VisitedTenant> tenants;
  auto row = connection_.statement(kTenantsToVisit);
  // Number 0 stands for all that has no tenant.
  row.bind(std::max<std::int64_t>(0, after.value), until.value, limit);
  while (row.step()) {
    VisitedTenant& one = tenants.emplace_back();
    one.number = TenantNumber{row.integer(0)};
    auto name = TenantName::parse(row.text(1));
    if (!name) continue;  // refused for work, as everywhere
    one.record = TenantRecord{.number = one.number,
                              .name = std::move(*name),
                              .generation = Generation{row.integer(2)},
                              .state = tenant_state_of(row.integer(3)),
                              .created = from_us(row.integer(4))};
  }
  return tenants;
}

std::optional<WallTime> SqliteFanOutRows::deletion_begun(TenantNumber tenant) {
  auto row = connection_.statement(kDeletionBegun);
  return row.bind(tenant.value).step() ? std::optional{from_us(row.integer(0))} : std::nullopt;
}

std::vector<UnendedMember> SqliteFanOutRows::unended(BatchNumber batch, JobSeq after, std::size_t limit) {
  std::vector<UnendedMember> members;
  auto row = connection_.statement(kUnendedOfFanOut);
  row.bind(batch.value, after.value, limit);
  while (row.step()) {
    UnendedMember& member = members.emplace_back();
    member.seq = JobSeq{row.integer(0)};
    if (const auto id = Uuid::from_bytes(row.blob(1))) member.id = JobId{*id};
    member.has_started = row.integer(2) != 0;
  }
  return members;
}

std::vector<JobSeq> SqliteFanOutRows::waiting(BatchNumber batch, std::size_t limit) {
  std::vector<JobSeq> jobs;
  auto row = connection_.statement(kWaitingOfFanOut);
  row.bind(batch.value, limit);
  while (row.step()) jobs.push_back(JobSeq{row.integer(0)});
  return jobs;
}

bool SqliteFanOutRows::is_waiting(BatchNumber batch, JobSeq seq) {
  auto row = connection_.statement(kIsWaitingOfFanOut);
  return row.bind(batch.value, seq.value).step();
}

Result<std::string> SqliteFanOutRows::envelope_of(const NewJob& job) {
  if (auto keys = writer_->check_own_keys(); !keys) return tl::unexpected(std::move(keys.error()));
  auto incoming = writer_->look_up(job, writer_->keys_);
  if (!incoming) return tl::unexpected(std::move(incoming.error()));
  if (const auto names = writer_->intern(job); !names) return tl::unexpected(names.error());
  return std::move(incoming->envelope);
}

Result<void> SqliteFanOutRows::check_envelope(const std::string& envelope) {
  return check_seal_of_retry(envelope, writer_->seal_marks(), writer_->keys_);
}

Result<Enqueued> SqliteFanOutRows::enqueue(const NewJob& job, WallTime now) {
  return writer_->enqueue_placed(job, JobReason::none, now);
}

Result<void> SqliteFanOutRows::cancel_job(JobId id, WallTime now) {
  return writer_->cancel_by_operator(id, now);
}

void forget_fan_out(sqlite::Connection& connection, BatchNumber number) {
  connection.statement(kDeleteSkips).bind(number.value).run();
  connection.statement(kDeleteFanOut).bind(number.value).run();
}

bool is_visiting(sqlite::Connection& connection, BatchNumber number) {
  auto row = connection.statement(kIsVisiting);
  return row.bind(number.value).step() && row.integer(0) != 0;
}

std::vector<const Query*> fan_out_queries() {
  return {&kFanOut,           &kNewestFanOuts,  &kFanOutsUnderWay, &kFanOutOfKey,     &kFanOutsMark,
          &kRaiseFanOutsMark, &kSkipCounts,     &kSkippedTenants,  &kJobsOfFanOut,    &kInsertFanOut,
          &kAdvanceFanOut,    &kInsertSkip,     &kDeleteFanOut,    &kDeleteSkips,     &kIsVisiting,
          &kRegistrySize,     &kTenantsToVisit, &kDeletionBegun,   &kUnendedOfFanOut, &kWaitingOfFanOut,
          &kIsWaitingOfFanOut};
}

}  // namespace tenure::queue
