#include "sqlite_schedules.hpp"

#include "places.hpp"
#include "pools.hpp"
#include "sqlite_writer.hpp"
#include "stored_values.hpp"
#include "tenant_rows.hpp"

#include <algorithm>

namespace tenure::queue {
namespace {

using sqlite::Query;

// A scan of at most a few thousand rows.
constexpr Query kSchedules{"schedules", R"sql(
  select number, name, origin, problem, revision, kind, queue, priority, attempts_max, cron, every_us, time_zone, arguments,
         scope, tenant, spread_us, catch_up, catch_up_max, overlap, decided_us, noted_us, fan_tick_us, fan_after, missed,
         paused_us, paused_uid, paused_login, paused_reason
  from schedule order by name)sql"};
// ?1 number. Index: primary key.
constexpr Query kScheduleNumbered{"schedule_numbered", R"sql(
  select number, name, origin, problem, revision, kind, queue, priority, attempts_max, cron, every_us, time_zone, arguments,
         scope, tenant, spread_us, catch_up, catch_up_max, overlap, decided_us, noted_us, fan_tick_us, fan_after, missed,
         paused_us, paused_uid, paused_login, paused_reason
  from schedule where number = ?1)sql"};
// ?1 name. Index: unique name.
constexpr Query kNumberOfSchedule{"number_of_schedule", "select number from schedule where name = ?1"};

// Index: primary key.
constexpr Query kSchedulesMark{"schedules_mark", "select seq from mark where name = 'schedules'"};

// ?1 name  ?2 origin  ?3 problem  ?4 revision  ?5 kind  ?6 queue  ?7 priority  ?8 attempts_max  ?9 cron  ?10 every_us  ?11 time_zone
// ?12 arguments  ?13 scope  ?14 tenant  ?15 spread_us  ?16 catch_up  ?17 catch_up_max  ?18 overlap  ?19 decided_us  ?20 noted_us
constexpr Query kInsertSchedule{"insert_schedule", R"sql(
  insert into schedule(name, origin, problem, revision, kind, queue, priority, attempts_max, cron, every_us, time_zone, arguments,
                       scope, tenant, spread_us, catch_up, catch_up_max, overlap, decided_us, noted_us)
  values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20) returning number)sql"};
// The same, and ?21 number. Index: primary key.
constexpr Query kUpdateSchedule{"update_schedule", R"sql(
  update schedule set name = ?1, origin = ?2, problem = ?3, revision = ?4, kind = ?5, queue = ?6, priority = ?7, attempts_max = ?8,
    cron = ?9, every_us = ?10, time_zone = ?11, arguments = ?12, scope = ?13, tenant = ?14, spread_us = ?15, catch_up = ?16,
    catch_up_max = ?17, overlap = ?18, decided_us = ?19, noted_us = ?20 where number = ?21)sql"};
// ?1 number  ?2 since_us  ?3 uid  ?4 login  ?5 reason; nulls: it is not paused. Index: primary key.
constexpr Query kPauseSchedule{"pause_schedule", R"sql(
  update schedule set paused_us = ?2, paused_uid = ?3, paused_login = ?4, paused_reason = ?5 where number = ?1)sql"};
// ?1 number  ?2 decided_us  ?3 noted_us  ?4 fan_tick_us  ?5 fan_after  ?6 missed. Index: primary key.
constexpr Query kAdvanceSchedule{"advance_schedule", R"sql(
  update schedule set decided_us = ?2, noted_us = ?3, fan_tick_us = ?4, fan_after = ?5, missed = ?6 where number = ?1)sql"};
// ?1 number. Index: primary key; schedule_job_unended.
constexpr Query kDeleteSchedule{"delete_schedule", "delete from schedule where number = ?1"};
constexpr Query kForgetJobsOfSchedule{"forget_jobs_of_schedule",
                                      "delete from schedule_job where schedule = ?1"};

// A tick that was noted as skipped may fire later; one that has fired stays. ?1 schedule  ?2 tick_us  ?3 tenant  ?4 manual  ?5 result
// ?6 job. Index: the unique one.
constexpr Query kInsertTick{"insert_tick", R"sql(
  insert into schedule_tick(schedule, tick_us, tenant, manual, result, job) values (?1, ?2, ?3, ?4, ?5, ?6)
  on conflict (schedule, tick_us, tenant, manual) do update set result = excluded.result, job = excluded.job
  where schedule_tick.job is null)sql"};
// ?1 tick_us  ?2 limit. Index: schedule_tick_time.
constexpr Query kForgetTicks{"forget_ticks", R"sql(
  delete from schedule_tick where number in (
    select number from schedule_tick indexed by schedule_tick_time where tick_us < ?1 order by tick_us limit ?2))sql"};
// ?1 schedule  ?2 limit. Index: the unique one.
constexpr Query kTicksOfSchedule{"ticks_of_schedule", R"sql(
  select schedule_tick.schedule, tick_us, tenant.name, manual, result, job
  from schedule_tick left join tenant on tenant.number = schedule_tick.tenant
  where schedule = ?1 order by tick_us desc, schedule_tick.tenant desc, manual desc limit ?2)sql"};
// ?1 job. Index: schedule_tick_job.
constexpr Query kTickOfJob{"tick_of_job", R"sql(
  select schedule_tick.schedule, tick_us, tenant.name, manual, result, job
  from schedule_tick left join tenant on tenant.number = schedule_tick.tenant
  where job is not null and job = ?1)sql"};

// ?1 seq  ?2 schedule  ?3 tenant
constexpr Query kInsertUnended{
    "insert_unended", "insert or ignore into schedule_job(seq, schedule, tenant) values (?1, ?2, ?3)"};
// ?1 seq. Index: primary key.
constexpr Query kForgetUnended{"forget_unended", "delete from schedule_job where seq = ?1"};
// Where each stands: these jobs have a place of their own from the beginning, so that what stands nowhere and says no end has succeeded.
// ?1 schedule  ?2 tenant  ?3 limit. Index: schedule_job_unended; primary keys.
constexpr Query kUnendedJobs{"unended_jobs", R"sql(
  select schedule_job.seq, job.id, job.state,
    exists (select 1 from claim where claim.seq = job.seq),
    exists (select 1 from blocked where blocked.seq = job.seq)
      or exists (select 1 from scheduled where due_us = job.due_us and scheduled.seq = job.seq)
      or exists (select 1 from ready where ready.queue = job.queue and ready.priority = job.priority
                   and ready.tenant = job.tenant and ready.kind = job.kind and ready.due_us = job.due_us
                   and ready.seq = job.seq)
  from schedule_job indexed by schedule_job_unended left join job on job.seq = schedule_job.seq
  where schedule_job.schedule = ?1 and schedule_job.tenant = ?2 order by schedule_job.seq limit ?3)sql"};

// ?1 JobReason::schedule_overlap  ?2 the last seq of the page before  ?3 limit. Index: blocked_reason; primary key.
constexpr Query kBlockedOfSchedules{"blocked_of_schedules", R"sql(
  select blocked.seq, blocked.due_us, schedule_job.schedule, schedule_job.tenant
  from blocked indexed by blocked_reason left join schedule_job on schedule_job.seq = blocked.seq
  where blocked.reason = ?1 and blocked.seq > ?2 order by blocked.seq limit ?3)sql"};
// ?1 seq  ?2 JobReason::schedule_overlap. Index: primary key.
constexpr Query kBlockedOfSchedule{"blocked_of_schedule", R"sql(
  select seq, queue, priority, tenant, kind, due_us from blocked where seq = ?1 and reason = ?2)sql"};

// ?1 the last number  ?2 TenantState::active  ?3 the same, or TenantState::read_only  ?4 limit. Index: primary key.
constexpr Query kFiringTenants{"firing_tenants", R"sql(
  select number, name, generation, state, created_us from tenant where number > ?1 and state in (?2, ?3)
  order by number limit ?4)sql"};

template <class Value>
Value enum_in(std::int64_t value, std::int64_t most) {
  return static_cast<Value>(std::clamp<std::int64_t>(value, 1, most));
}

ScheduleRecord record_of_schedule(const sqlite::Statement& row) {
  ScheduleRecord record;
  record.number = ScheduleNumber{row.integer(0)};
  ScheduleEntry& entry = record.entry;
  entry.name = row.text(1);
  record.origin = enum_in<ScheduleOrigin>(row.integer(2), 2);
  record.problem = row.text(3);
  record.revision = row.integer(4);
  entry.kind = row.text(5);
  entry.queue = row.text(6);
  entry.priority = clamped(row.integer(7));
  entry.attempts_max = clamped(row.integer(8));
  entry.rule.cron = row.text(9);
  entry.rule.every = std::chrono::microseconds{row.integer(10)};
  entry.rule.time_zone = row.text(11);
  entry.arguments = row.text(12);
  entry.scope = enum_in<ScheduleScope>(row.integer(13), 3);
  entry.tenant = row.text(14);
  entry.spread = std::chrono::microseconds{row.integer(15)};
  entry.catch_up = enum_in<CatchUp>(row.integer(16), 3);
  entry.catch_up_max = clamped(row.integer(17));
  entry.overlap = enum_in<Overlap>(row.integer(18), 3);
  record.decided = from_us(row.integer(19));
  record.noted = from_us(row.integer(20));
  if (const auto tick = row.optional_integer(21))
    record.fan_out = FanOut{from_us(*tick), TenantNumber{row.integer(22)}};
  record.missed = row.integer(23);
  if (const auto since = row.optional_integer(24))
    record.paused =
        SchedulePause{from_us(*since), row.integer(25), std::string{row.text(26)}, std::string{row.text(27)}};
  return record;
}

// What both writing queries have in common.
template <class Statement, class... More>
void bind_schedule(Statement& statement, const ScheduleRecord& row, More... more) {
  const ScheduleEntry& entry = row.entry;
  statement.bind(std::string_view{entry.name}, static_cast<int>(row.origin), std::string_view{row.problem},
                 row.revision, std::string_view{entry.kind}, std::string_view{entry.queue}, entry.priority,
                 entry.attempts_max, std::string_view{entry.rule.cron}, entry.rule.every.count(),
                 std::string_view{entry.rule.time_zone}, std::string_view{entry.arguments},
                 static_cast<int>(entry.scope), std::string_view{entry.tenant}, entry.spread.count(),
                 static_cast<int>(entry.catch_up), entry.catch_up_max, static_cast<int>(entry.overlap),
                 to_us(row.decided), to_us(row.noted), more...);
}

TickRecord tick_in(const sqlite::Statement& row) {
  TickRecord tick;
  tick.schedule = ScheduleNumber{row.integer(0)};
  tick.tick = from_us(row.integer(1));
  if (auto tenant = TenantName::parse(row.text(2))) tick.tenant = std::move(*tenant);
  tick.is_manual = row.integer(3) != 0;
  tick.result = enum_in<TickResult>(row.integer(4), 6);
  if (!row.is_null(5))
    if (const auto id = Uuid::from_bytes(row.blob(5))) tick.job = JobId{*id};
  return tick;
}

std::span<const std::byte> bytes_of_id(const JobId& id) { return std::as_bytes(std::span{id.uuid.bytes()}); }

}  // namespace

std::vector<ScheduleRecord> SqliteScheduleRows::all() {
  std::vector<ScheduleRecord> rows;
  auto row = connection_.statement(kSchedules);
  while (row.step()) rows.push_back(record_of_schedule(row));
  return rows;
}

std::optional<ScheduleRecord> SqliteScheduleRows::numbered(ScheduleNumber number) {
  auto row = connection_.statement(kScheduleNumbered);
  if (!row.bind(number.value).step()) return std::nullopt;
  return record_of_schedule(row);
}

std::optional<ScheduleRecord> SqliteScheduleRows::named(std::string_view name) {
  std::optional<std::int64_t> number;
  {
    auto row = connection_.statement(kNumberOfSchedule);
    if (row.bind(name).step()) number = row.integer(0);
  }
  return number ? numbered(ScheduleNumber{*number}) : std::nullopt;
}

SchedulesMark SqliteScheduleRows::mark() {
  auto row = connection_.statement(kSchedulesMark);
  return SchedulesMark{row.step() ? row.integer(0) : 0};
}

std::vector<TickRecord> SqliteScheduleRows::ticks(ScheduleNumber schedule, std::size_t limit) {
  std::vector<TickRecord> ticks;
  auto row = connection_.statement(kTicksOfSchedule);
  row.bind(schedule.value, limit);
  while (row.step()) ticks.push_back(tick_in(row));
  return ticks;
}

std::optional<TickRecord> SqliteScheduleRows::tick_of(JobId job) {
  auto row = connection_.statement(kTickOfJob);
  if (!row.bind(bytes_of_id(job)).step()) return std::nullopt;
  return tick_in(row);
}

std::optional<TenantRecord> SqliteScheduleRows::tenant(const TenantName& name) {
  return newest_tenant(connection_, name);
}

ScheduleNumber SqliteScheduleRows::insert(const ScheduleRecord& row) {
  auto statement = connection_.statement(kInsertSchedule);
  bind_schedule(statement, row);
  return ScheduleNumber{statement.row().integer(0)};
}

void SqliteScheduleRows::update(const ScheduleRecord& row) {
  {
    auto statement = connection_.statement(kUpdateSchedule);
    bind_schedule(statement, row, row.number.value);
    statement.run();
  }
  const auto& paused = row.paused;
  const auto since = paused ? std::optional{to_us(paused->since)} : std::nullopt;
  const auto uid = paused ? std::optional{paused->uid} : std::nullopt;
  const auto login = paused ? std::optional<std::string_view>{paused->login} : std::nullopt;
  const auto reason = paused ? std::optional<std::string_view>{paused->reason} : std::nullopt;
  connection_.statement(kPauseSchedule).bind(row.number.value, since, uid, login, reason).run();
  advance(row);
}

void SqliteScheduleRows::erase(ScheduleNumber number) {
  connection_.statement(kDeleteSchedule).bind(number.value).run();
  connection_.statement(kForgetJobsOfSchedule).bind(number.value).run();
}

void SqliteScheduleRows::advance(const ScheduleRecord& row) {
  const auto tick = row.fan_out ? std::optional{to_us(row.fan_out->tick)} : std::nullopt;
  const auto after = row.fan_out ? std::optional{row.fan_out->after.value} : std::nullopt;
  connection_.statement(kAdvanceSchedule)
      .bind(row.number.value, to_us(row.decided), to_us(row.noted), tick, after, row.missed)
      .run();
}

bool SqliteScheduleRows::add_tick(const TickRow& row) {
  const auto job = row.job ? std::optional{bytes_of_id(*row.job)} : std::nullopt;
  connection_.statement(kInsertTick)
      .bind(row.schedule.value, to_us(row.tick), row.tenant.value, row.is_manual ? 1 : 0,
            static_cast<int>(row.result), job)
      .run();
  return connection_.changes() > 0;
}

void SqliteScheduleRows::forget_ticks(WallTime before, std::size_t limit) {
  connection_.statement(kForgetTicks).bind(to_us(before), limit).run();
}

void SqliteScheduleRows::add_unended(ScheduleNumber schedule, TenantNumber tenant, JobSeq seq) {
  connection_.statement(kInsertUnended).bind(seq.value, schedule.value, tenant.value).run();
}

void SqliteScheduleRows::forget_unended(ScheduleNumber, TenantNumber, JobSeq seq) {
  connection_.statement(kForgetUnended).bind(seq.value).run();
}

std::vector<UnendedJob> SqliteScheduleRows::unended(ScheduleNumber schedule, TenantNumber tenant,
                                                    std::size_t limit) {
  std::vector<UnendedJob> jobs;
  auto row = connection_.statement(kUnendedJobs);
  row.bind(schedule.value, tenant.value, limit);
  while (row.step()) {
    UnendedJob job{.seq = JobSeq{row.integer(0)}};
    if (!row.is_null(1))
      if (const auto id = Uuid::from_bytes(row.blob(1))) job.id = JobId{*id};
    const bool has_claim = row.integer(3) != 0;
    const bool has_place = row.integer(4) != 0;
    job.has_ended = row.is_null(1) || is_final_row(row.integer(2)) || (!has_claim && !has_place);
    job.waits = !has_claim;
    jobs.push_back(job);
  }
  return jobs;
}

std::vector<WritableScheduleRows::Blocked> SqliteScheduleRows::blocked(JobSeq after, std::size_t limit) {
  std::vector<Blocked> jobs;
  auto row = connection_.statement(kBlockedOfSchedules);
  row.bind(static_cast<int>(JobReason::schedule_overlap), after.value, limit);
  while (row.step()) {
    Blocked job{.seq = JobSeq{row.integer(0)}, .due = from_us(row.integer(1))};
    if (const auto schedule = row.optional_integer(2)) job.schedule = ScheduleNumber{*schedule};
    job.tenant = TenantNumber{row.integer(3)};
    jobs.push_back(job);
  }
  return jobs;
}

void SqliteScheduleRows::make_ready(JobSeq seq, WallTime) {
  std::optional<JobArrival> job;
  {
    auto row = connection_.statement(kBlockedOfSchedule);
    if (row.bind(seq.value, static_cast<int>(JobReason::schedule_overlap)).step()) job = arrival_in(row);
  }
  if (!job || job->state == JobState::blocked) return;  // in no lane
  delete_blocked(connection_, seq);
  writer_->end_wait(*job);
  writer_->hint_at(seq);
}

std::vector<PoolRecord> SqliteScheduleRows::pools() { return read_pools(connection_); }

std::vector<TenantRecord> SqliteScheduleRows::firing_tenants(TenantNumber after, std::size_t limit,
                                                             bool with_read_only) {
  std::vector<TenantRecord> tenants;
  const auto also = static_cast<int>(with_read_only ? TenantState::read_only : TenantState::active);
  auto row = connection_.statement(kFiringTenants);
  // Number 0 stands for all that has no tenant.
  row.bind(std::max<std::int64_t>(0, after.value), static_cast<int>(TenantState::active), also, limit);
  while (row.step()) {
    auto name = TenantName::parse(row.text(1));
    if (!name) continue;  // refused for work, as everywhere
    tenants.push_back({.number = TenantNumber{row.integer(0)},
                       .name = std::move(*name),
                       .generation = Generation{row.integer(2)},
                       .state = tenant_state_of(row.integer(3)),
                       .created = from_us(row.integer(4))});
  }
  return tenants;
}

Result<Enqueued> SqliteScheduleRows::enqueue(const NewJob& job, bool is_blocked, WallTime now) {
  return writer_->enqueue_placed(job, is_blocked ? JobReason::schedule_overlap : JobReason::none, now);
}

std::vector<const Query*> schedule_queries() {
  return {
      &kSchedules,      &kScheduleNumbered, &kNumberOfSchedule,   &kSchedulesMark,     &kInsertSchedule,
      &kUpdateSchedule, &kPauseSchedule,    &kAdvanceSchedule,    &kDeleteSchedule,    &kForgetJobsOfSchedule,
      &kInsertTick,     &kForgetTicks,      &kTicksOfSchedule,    &kTickOfJob,         &kInsertUnended,
      &kForgetUnended,  &kUnendedJobs,      &kBlockedOfSchedules, &kBlockedOfSchedule, &kFiringTenants};
}

}  // namespace tenure::queue
