#include "../closing_outbox.hpp"
#include "../job_rules.hpp"
#include "../pause_rules.hpp"
#include "../tenant_rules.hpp"
#include "outbox_rows.hpp"
#include "sqlite_reader.hpp"
#include "sqlite_writer.hpp"
#include "stored_values.hpp"
#include "tenant_life_rows.hpp"
#include "tenant_rows.hpp"
#include "tenant_schema_rows.hpp"

#include <string>
#include <utility>

namespace tenure::queue {
namespace {

using sqlite::Connection;
using sqlite::Query;

// ?1 tenant. Index: primary key.
constexpr Query kTenantPause{"tenant_pause", R"sql(
  select paused_us, until_us, uid, login, reason from tenant_pause where tenant = ?1)sql"};

// What it is behind the pause stays what it was. ?1 tenant  ?2 state  ?3 now_us  ?4 until_us  ?5 uid  ?6 login  ?7 reason
constexpr Query kPutTenantPause{"put_tenant_pause", R"sql(
  insert into tenant_pause(tenant, state, paused_us, until_us, uid, login, reason) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
  on conflict (tenant) do update set paused_us = excluded.paused_us, until_us = excluded.until_us,
    uid = excluded.uid, login = excluded.login, reason = excluded.reason)sql"};

// ?1 tenant. Index: primary key.
constexpr Query kStateBehindPause{"state_behind_pause", "select state from tenant_pause where tenant = ?1"};
constexpr Query kDeleteTenantPause{"delete_tenant_pause", "delete from tenant_pause where tenant = ?1"};
// ?1 tenant  ?2 state. Index: primary key.
constexpr Query kSetStateBehindPause{"set_state_behind_pause",
                                     "update tenant_pause set state = ?2 where tenant = ?1"};

// ?1 number  ?2 state. Index: primary key.
constexpr Query kSetTenantState{"set_tenant_state", "update tenant set state = ?2 where number = ?1"};
// Of one that has failed while it was paused. ?1 tenant  ?2 state. Index: primary key.
constexpr Query kSetFormerState{"set_former_state", R"sql(
  update outbox_seen set former_state = ?2 where tenant = ?1 and former_state = 3)sql"};

// ?1 now_us  ?2 limit. Index: tenant_pause_until.
constexpr Query kExpiredTenantPauses{"expired_tenant_pauses", R"sql(
  select tenant from tenant_pause where until_us <= ?1 order by until_us limit ?2)sql"};
constexpr Query kNextTenantResume{"next_tenant_resume", R"sql(
  select until_us from tenant_pause where until_us is not null order by until_us limit 1)sql"};

// ?1 limit. Index: primary keys.
constexpr Query kTenantHints{"tenant_hints", R"sql(
  select tenant_hint.tenant, tenant.state from tenant_hint left join tenant on tenant.number = tenant_hint.tenant
  order by tenant_hint.tenant limit ?1)sql"};
// ?1 the last of them. Index: primary key.
constexpr Query kDeleteTenantHints{"delete_tenant_hints", "delete from tenant_hint where tenant <= ?1"};

// ?1 tenant. Index: primary keys.
constexpr Query kDeletion{"deletion", R"sql(
  select tenant_deletion.tenant, tenant_deletion.step, begun_us, erase_us, size_bytes, uid, login, reason, deletion_end.step,
    exists (select 1 from tenant_restore where tenant_restore.tenant = tenant_deletion.tenant and is_put_away = 1)
  from tenant_deletion left join deletion_end on deletion_end.tenant = tenant_deletion.tenant
  where tenant_deletion.tenant = ?1)sql"};
// ?1 name  ?2 generation, or null for whichever is the newest. Index: unique (name, generation), from its end; primary key.
constexpr Query kOpenDeletionOfName{"open_deletion_of_name", R"sql(
  select tenant_deletion.tenant from tenant cross join tenant_deletion on tenant_deletion.tenant = tenant.number
  where tenant.name = ?1 and tenant_deletion.step < 3 and tenant.generation = ifnull(?2, tenant.generation)
  order by tenant.generation desc limit 1)sql"};
// ?1 the one before  ?2 limit. Index: tenant_deletion_open.
constexpr Query kOpenDeletions{"open_deletions", R"sql(
  select tenant_deletion.tenant, tenant_deletion.step, begun_us, erase_us, size_bytes, uid, login, reason, deletion_end.step,
    exists (select 1 from tenant_restore where tenant_restore.tenant = tenant_deletion.tenant and is_put_away = 1)
  from tenant_deletion indexed by tenant_deletion_open
  left join deletion_end on deletion_end.tenant = tenant_deletion.tenant
  where tenant_deletion.step < 3 and tenant_deletion.tenant > ?1 order by tenant_deletion.tenant limit ?2)sql"};

// ?1 tenant  ?2 now_us  ?3 uid  ?4 login  ?5 reason
constexpr Query kInsertDeletion{"insert_deletion", R"sql(
  insert into tenant_deletion(tenant, step, begun_us, uid, login, reason) values (?1, 1, ?2, ?3, ?4, ?5))sql"};
// ?1 tenant  ?2 size_bytes  ?3 erase_us. Index: primary key.
constexpr Query kBury{"bury", R"sql(
  update tenant_deletion set step = 2, size_bytes = ?2, erase_us = ?3 where tenant = ?1)sql"};
// ?1 tenant  ?2 step. Index: primary key.
constexpr Query kBeginDeletionEnd{"begin_deletion_end",
                                  "insert into deletion_end(tenant, step) values (?1, ?2)"};
constexpr Query kForgetDeletionEnd{"forget_deletion_end", "delete from deletion_end where tenant = ?1"};
// ?1 tenant  ?2 step. Index: primary key.
constexpr Query kSetDeletionStep{"set_deletion_step",
                                 "update tenant_deletion set step = ?2 where tenant = ?1"};
// Generations that were put away for a copy, whose jobs stay while the tenant lives. ?1 name  ?2 an erased one. Index: unique (name,
// generation); primary key.
constexpr Query kOlderPutAway{"older_put_away", R"sql(
  select tenant_restore.tenant from tenant cross join tenant_restore on tenant_restore.tenant = tenant.number
  where tenant.name = ?1 and tenant.generation < ?2 and is_put_away = 1)sql"};
// ?1 tenant. Index: primary key.
constexpr Query kNotPutAway{"not_put_away", "update tenant_restore set is_put_away = 0 where tenant = ?1"};
// ?1 tenant. Index: outbox_mark_tenant.
constexpr Query kDeleteMarksOfTenant{"delete_marks_of_tenant", "delete from outbox_mark where tenant = ?1"};

void set_state(Connection& connection, TenantNumber tenant, TenantState state) {
  connection.statement(kSetTenantState).bind(tenant.value, static_cast<std::int64_t>(state)).run();
}

std::optional<TenantState> state_behind(Connection& connection, TenantNumber tenant) {
  auto row = connection.statement(kStateBehindPause);
  if (!row.bind(tenant.value).step()) return std::nullopt;
  return tenant_state_of(row.integer(0));
}

std::optional<WallTime> optional_time(const sqlite::Statement& row, int column) {
  const auto value = row.optional_integer(column);
  return value ? std::optional{from_us(*value)} : std::nullopt;
}

// A step that is none is shown as one that has ended.
// ?1 name  ?2 generation  ?3 state  ?4 now_us
constexpr Query kRegisterTenant{"register_tenant", R"sql(
  insert into tenant(name, generation, state, created_us) values (?1, ?2, ?3, ?4))sql"};
// ?1 tenant  ?2 now_us  ?3 uid  ?4 login  ?5 reason
constexpr Query kRegisterDeletion{"register_deletion", R"sql(
  insert into tenant_deletion(tenant, step, begun_us, uid, login, reason) values (?1, 1, ?2, ?3, ?4, ?5)
  on conflict (tenant) do nothing)sql"};
// Which copy took its place is not known. ?1 tenant  ?2 now_us  ?3 generation  ?4 next, or null while that is provisioning
constexpr Query kRegisterPutAway{"register_put_away", R"sql(
  insert into tenant_restore(tenant, begun_us, copied_us, copied_generation, is_put_away, next)
  values (?1, ?2, ?2, ?3, 1, ?4) on conflict (tenant) do nothing)sql"};

DeletionStep step_of(const sqlite::Statement& row) {
  const std::int64_t step = row.is_null(8) ? row.integer(1) : row.integer(8);
  return step >= 1 && step <= 6 ? static_cast<DeletionStep>(step) : DeletionStep::erased;
}

std::optional<DeletionRecord> deletion_in(Connection& connection, const sqlite::Statement& row) {
  auto tenant = tenant_numbered(connection, TenantNumber{row.integer(0)});
  if (!tenant) return std::nullopt;
  return DeletionRecord{.tenant = *std::move(tenant),
                        .step = step_of(row),
                        .begun = from_us(row.integer(2)),
                        .erase_at = optional_time(row, 3),
                        .size_bytes = row.integer(4),
                        .uid = row.integer(5),
                        .login = std::string{row.text(6)},
                        .reason = std::string{row.text(7)},
                        .is_restore = row.integer(9) != 0};
}

std::optional<DeletionRecord> deletion_of(Connection& connection, TenantNumber tenant) {
  auto row = connection.statement(kDeletion);
  if (!row.bind(tenant.value).step()) return std::nullopt;
  return deletion_in(connection, row);
}

// With the tenant goes what was kept for it; whose own window is not over goes behind that.
void erase_put_away_before(Connection& connection, const TenantRecord& erased) {
  std::vector<TenantNumber> older;
  {
    auto row = connection.statement(kOlderPutAway);
    row.bind(erased.name.text(), erased.generation.value);
    while (row.step()) older.push_back(TenantNumber{row.integer(0)});
  }
  for (const TenantNumber number : older) {
    connection.statement(kNotPutAway).bind(number.value).run();
    const auto deletion = deletion_of(connection, number);
    if (!deletion || !has_ended(deletion->step)) continue;
    connection.statement(kSetDeletionStep)
        .bind(number.value, static_cast<std::int64_t>(DeletionStep::buried))
        .run();
    connection.statement(kBeginDeletionEnd)
        .bind(number.value, static_cast<std::int64_t>(DeletionStep::erasing))
        .run();
  }
}

}  // namespace

std::optional<PauseRecord> read_tenant_pause(Connection& connection, const TenantRecord& tenant) {
  auto row = connection.statement(kTenantPause);
  if (!row.bind(tenant.number.value).step()) return std::nullopt;
  return PauseRecord{.scope = PauseScope::tenant,
                     .name = tenant.name.text(),
                     .paused = from_us(row.integer(0)),
                     .until = optional_time(row, 1),
                     .uid = row.integer(2),
                     .login = std::string{row.text(3)},
                     .reason = std::string{row.text(4)}};
}

Result<bool> pause_tenant(Connection& connection, const NewPause& pause, WallTime now) {
  const auto name = TenantName::parse(pause.name);
  if (!name) return tl::unexpected(name.error());
  const auto tenant = newest_tenant(connection, *name);
  if (auto at_work = check_at_work(tenant, *name, "paused"); !at_work)
    return tl::unexpected(std::move(at_work.error()));
  const bool is_new = tenant->state != TenantState::paused;
  const TenantState behind = is_new ? tenant->state : TenantState::active;
  connection.statement(kPutTenantPause)
      .bind(tenant->number.value, static_cast<std::int64_t>(behind), to_us(now),
            pause.until ? std::optional{to_us(*pause.until)} : std::nullopt, pause.uid, pause.login,
            pause.reason)
      .run();
  if (is_new) set_state(connection, tenant->number, TenantState::paused);
  return is_new;
}

bool resume_tenant(Connection& connection, const TenantRecord& tenant) {
  const auto behind = state_behind(connection, tenant.number);
  if (!behind && tenant.state != TenantState::paused) return false;
  connection.statement(kDeleteTenantPause).bind(tenant.number.value).run();
  const TenantState state = behind.value_or(TenantState::active);
  if (tenant.state == TenantState::paused) set_state(connection, tenant.number, state);
  else if (!resume_behind_failure(connection, tenant.number, state))
    connection.statement(kSetFormerState).bind(tenant.number.value, static_cast<std::int64_t>(state)).run();
  return true;
}

void resume_expired_tenants(Connection& connection, WallTime now) {
  std::vector<TenantNumber> expired;
  {
    auto row = connection.statement(kExpiredTenantPauses);
    row.bind(to_us(now), kTenantPausesEnded);
    while (row.step()) expired.push_back(TenantNumber{row.integer(0)});
  }
  for (const TenantNumber number : expired) {
    const auto tenant = tenant_numbered(connection, number);
    if (tenant) static_cast<void>(resume_tenant(connection, *tenant));
    else connection.statement(kDeleteTenantPause).bind(number.value).run();
  }
}

std::optional<WallTime> tenants_paused_until(Connection& connection) {
  auto row = connection.statement(kNextTenantResume);
  return row.step() ? std::optional{from_us(row.integer(0))} : std::nullopt;
}

std::optional<PauseRecord> SqliteJobReader::tenant_pause(const TenantName& name) {
  const auto tenant = newest_tenant(connection_, name);
  return tenant ? read_tenant_pause(connection_, *tenant) : std::nullopt;
}

std::optional<DeletionRecord> SqliteJobReader::deletion(TenantNumber tenant) {
  return deletion_of(connection_, tenant);
}

std::optional<DeletionRecord> SqliteJobReader::open_deletion(const TenantName& name,
                                                             std::optional<Generation> generation) {
  auto row = connection_.statement(kOpenDeletionOfName);
  const auto wanted = generation ? std::optional{generation->value} : std::nullopt;
  if (!row.bind(name.text(), wanted).step()) return std::nullopt;
  return deletion_of(connection_, TenantNumber{row.integer(0)});
}

std::vector<DeletionRecord> SqliteJobReader::open_deletions(TenantNumber after, std::size_t limit) {
  std::vector<DeletionRecord> open;
  auto row = connection_.statement(kOpenDeletions);
  row.bind(after.value, limit);
  while (row.step())
    if (auto deletion = deletion_in(connection_, row)) open.push_back(*std::move(deletion));
  return open;
}

Result<TenantState> SqliteWriter::set_read_only(const TenantName& tenant, bool is_read_only) {
  const auto newest = newest_tenant(connection_, tenant);
  if (auto at_work = check_at_work(newest, tenant, "made read-only or writable"); !at_work)
    return tl::unexpected(std::move(at_work.error()));
  const TenantState state = is_read_only ? TenantState::read_only : TenantState::active;
  if (newest->state == TenantState::paused)
    connection_.statement(kSetStateBehindPause)
        .bind(newest->number.value, static_cast<std::int64_t>(state))
        .run();
  else if (newest->state != state) set_state(connection_, newest->number, state);
  return newest->state;
}

bool has_deletion(Connection& connection, TenantNumber tenant) {
  return deletion_of(connection, tenant).has_value();
}

Result<DeletionRecord> SqliteWriter::begin_deletion(const NewDeletion& deletion, WallTime now) {
  const auto newest = newest_tenant(connection_, deletion.tenant);
  if (auto may = check_may_be_deleted(newest, deletion.tenant); !may)
    return tl::unexpected(std::move(may.error()));
  if (has_open_restore(connection_, deletion.tenant)) return is_being_restored(deletion.tenant);
  if (auto begun = deletion_of(connection_, newest->number)) return *std::move(begun);
  connection_.statement(kInsertDeletion)
      .bind(newest->number.value, to_us(now), deletion.uid, deletion.login, deletion.reason)
      .run();
  connection_.statement(kDeleteTenantPause).bind(newest->number.value).run();
  change_state(newest->number, TenantState::draining);
  return deletion_of(connection_, newest->number).value();
}

// The registry is what enqueues of this transaction have looked their tenants up in.
void SqliteWriter::change_state(TenantNumber tenant, TenantState state) {
  set_state(connection_, tenant, state);
  tenants_mark_.reset();
  owners_.clear();
}

Result<CancelledOutbox> SqliteWriter::cancel_outbox(const OutboxOwner& owner, const OutboxRows& rows,
                                                    WallTime now) {
  if (auto keys = check_own_keys(); !keys && !rows.rows.empty())
    return tl::unexpected(std::move(keys.error()));
  const auto number = outbox_owner_number(connection_, owner);
  const auto deletion = number ? deletion_of(connection_, *number) : std::nullopt;
  if (auto step = check_step(deletion, DeletionStep::draining); !step)
    return tl::unexpected(std::move(step.error()));
  const Owner known{*number, owner.generation};
  const OutboxSeq before = queue::outbox_watermark(connection_, *number);
  auto closed = close_rows(
      before, queue::outbox_behind(connection_, *number).has_value(), owner, rows, keys_,
      [&](const NewJob& job) {
        return enqueue_as({.join_by = JoinBy::outbox, .owner = &known}, keys_, job, now);
      },
      [&](JobId id) { return cancel_by_operator(id, now); });
  if (!closed) return tl::unexpected(std::move(closed.error()));
  if (closed->watermark > before) set_outbox_watermark(connection_, *number, closed->watermark);
  if (closed->done.lost > 0) note_lost(owner, *number, closed->done.lost, closed->watermark, now);
  return std::move(closed->done);
}

Result<void> SqliteWriter::bury(TenantNumber tenant, const BuriedTenant& buried) {
  const auto deletion = deletion_of(connection_, tenant);
  if (auto step = check_step(deletion, DeletionStep::draining); !step) return step;
  if (auto empty = check_outbox_ended(*deletion, buried, queue::outbox_watermark(connection_, tenant));
      !empty)
    return empty;
  connection_.statement(kBury).bind(tenant.value, buried.size_bytes, to_us(buried.erase_at)).run();
  connection_.statement(kDeleteMarksOfTenant).bind(tenant.value).run();
  change_state(tenant, TenantState::deleted);
  return {};
}

Result<void> SqliteWriter::begin_taking_back(TenantNumber tenant, WallTime now) {
  const auto deletion = deletion_of(connection_, tenant);
  if (auto may = check_may_be_taken_back(deletion, now); !may) return may;
  if (has_open_restore(connection_, deletion->tenant.name)) return is_being_restored(deletion->tenant.name);
  if (deletion->step == DeletionStep::buried)
    connection_.statement(kBeginDeletionEnd)
        .bind(tenant.value, static_cast<std::int64_t>(DeletionStep::taking_back))
        .run();
  return {};
}

Result<void> SqliteWriter::give_up_taking_back(TenantNumber tenant) {
  if (auto step = check_step(deletion_of(connection_, tenant), DeletionStep::taking_back); !step) return step;
  connection_.statement(kForgetDeletionEnd).bind(tenant.value).run();
  return {};
}

Result<void> SqliteWriter::begin_erasing(TenantNumber tenant, WallTime now) {
  const auto deletion = deletion_of(connection_, tenant);
  if (auto may = check_may_be_erased(deletion, now); !may) return may;
  connection_.statement(kBeginDeletionEnd)
      .bind(tenant.value, static_cast<std::int64_t>(DeletionStep::erasing))
      .run();
  if (!deletion->is_restore) erase_put_away_before(connection_, deletion->tenant);
  return {};
}

Result<void> SqliteWriter::end_deletion(TenantNumber tenant, DeletionStep how) {
  if (auto step = check_step(deletion_of(connection_, tenant), step_before(how)); !step) return step;
  connection_.statement(kForgetDeletionEnd).bind(tenant.value).run();
  connection_.statement(kSetDeletionStep).bind(tenant.value, static_cast<std::int64_t>(how)).run();
  return {};
}

std::optional<TenantRecord> SqliteWriter::register_tenant(const StampedTenant& tenant, WallTime now) {
  const auto newest = newest_tenant(connection_, tenant.name);
  if (const auto known = outbox_owner_number(connection_, {tenant.name, tenant.generation})) {
    const auto record = tenant_numbered(connection_, *known);
    if (!record || !newest || !may_be_taken_over(tenant, *record, *newest) ||
        deletion_of(connection_, *known) || has_open_restore(connection_, tenant.name))
      return std::nullopt;
    if (tenant.state == TenantState::draining)
      connection_.statement(kDeleteTenantPause).bind(known->value).run();
    change_state(*known, tenant.state);
    return tenant_numbered(connection_, *known);
  }
  const bool is_older = newest && newest->generation > tenant.generation;
  if (is_older && tenant.state != TenantState::deleted) return std::nullopt;
  if (newest && !is_older) change_state(newest->number, TenantState::deleted);
  connection_.statement(kRegisterTenant)
      .bind(tenant.name.text(), tenant.generation.value, static_cast<std::int64_t>(tenant.state), to_us(now))
      .run();
  const TenantNumber number{connection_.last_insert_row()};
  change_state(number, tenant.state);
  return TenantRecord{number, tenant.name, tenant.generation, tenant.state, now};
}

void SqliteWriter::register_burial(TenantNumber tenant, const NewDeletion& deletion,
                                   const BuriedTenant& buried, WallTime now) {
  connection_.statement(kRegisterDeletion)
      .bind(tenant.value, to_us(now), deletion.uid, deletion.login, deletion.reason)
      .run();
  if (connection_.changes() == 0) return;
  connection_.statement(kBury).bind(tenant.value, buried.size_bytes, to_us(buried.erase_at)).run();
  const auto owner = tenant_numbered(connection_, tenant);
  const auto newest = owner ? newest_tenant(connection_, owner->name) : std::nullopt;
  if (!newest || !was_put_away(*owner, *newest)) return;
  const bool is_whole = newest->state != TenantState::provisioning;
  connection_.statement(kRegisterPutAway)
      .bind(tenant.value, to_us(now), owner->generation.value,
            is_whole ? std::optional{newest->number.value} : std::nullopt)
      .run();
}

std::vector<ChangedTenant> SqliteWriter::take_changed_tenants(std::size_t limit) {
  std::vector<ChangedTenant> changed;
  {
    auto row = connection_.statement(kTenantHints);
    row.bind(limit);
    while (row.step())
      changed.push_back({TenantNumber{row.integer(0)},
                         row.is_null(1) ? TenantState::deleted : tenant_state_of(row.integer(1))});
  }
  if (!changed.empty()) connection_.statement(kDeleteTenantHints).bind(changed.back().tenant.value).run();
  return changed;
}

std::vector<const Query*> tenant_life_queries() {
  return {&kTenantPause,         &kPutTenantPause,      &kStateBehindPause,  &kDeleteTenantPause,
          &kSetStateBehindPause, &kSetTenantState,      &kSetFormerState,    &kExpiredTenantPauses,
          &kNextTenantResume,    &kTenantHints,         &kDeleteTenantHints, &kDeletion,
          &kOpenDeletionOfName,  &kOpenDeletions,       &kInsertDeletion,    &kBury,
          &kSetDeletionStep,     &kDeleteMarksOfTenant, &kBeginDeletionEnd,  &kForgetDeletionEnd,
          &kRegisterTenant,      &kRegisterDeletion,    &kOlderPutAway,      &kNotPutAway};
}

}  // namespace tenure::queue
