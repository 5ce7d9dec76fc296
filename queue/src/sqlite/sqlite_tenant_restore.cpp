#include "../job_key_rules.hpp"
#include "../job_rules.hpp"
#include "../tenant_rules.hpp"
#include "sqlite_reader.hpp"
#include "sqlite_writer.hpp"
#include "stored_values.hpp"
#include "tenant_life_rows.hpp"
#include "tenant_rows.hpp"

#include <algorithm>
#include <utility>

namespace tenure::queue {
namespace {

using sqlite::Connection;
using sqlite::Query;

// ?1 name. Index: unique (name, generation), from its end; primary key.
constexpr Query kRestoreOfName{"restore_of_name", R"sql(
  select tenant_restore.tenant, begun_us, copied_us, copied_generation, next
  from tenant cross join tenant_restore on tenant_restore.tenant = tenant.number
  where tenant.name = ?1 order by tenant.generation desc limit 1)sql"};
// ?1 tenant. Index: tenant_restore_next.
constexpr Query kIsNext{"is_next_of_restore", "select 1 from tenant_restore where next = ?1"};
// ?1 tenant  ?2 now_us  ?3 copied_us  ?4 copied_generation  ?5 is_put_away
constexpr Query kBeginRestore{"begin_restore", R"sql(
  insert into tenant_restore(tenant, begun_us, copied_us, copied_generation, is_put_away) values (?1, ?2, ?3, ?4, ?5))sql"};
// ?1 tenant  ?2 copied_us  ?3 copied_generation. Index: primary key.
constexpr Query kChangeCopy{"change_copy", R"sql(
  update tenant_restore set copied_us = ?2, copied_generation = ?3 where tenant = ?1)sql"};
// ?1 tenant  ?2 next. Index: primary key.
constexpr Query kSetNext{"set_next", "update tenant_restore set next = ?2 where tenant = ?1"};
// ?1 name  ?2 generation  ?3 created_us. State: provisioning.
constexpr Query kInsertNext{"insert_next", R"sql(
  insert into tenant(name, generation, state, created_us) values (?1, ?2, 1, ?3))sql"};
// ?1 tenant  ?2 now_us  ?3 uid  ?4 login  ?5 reason
constexpr Query kPutAway{"put_away", R"sql(
  insert into tenant_deletion(tenant, step, begun_us, uid, login, reason) values (?1, 1, ?2, ?3, ?4, ?5))sql"};
// ?1 tenant. Index: primary key.
constexpr Query kForgetPause{"forget_pause_of_restored", "delete from tenant_pause where tenant = ?1"};

// The id is free for the job that takes its place. ?1 seq. Index: primary key.
constexpr Query kGiveUpId{"give_up_id", "update job set id = randomblob(16) where seq = ?1"};
// ?1 seq  ?2 its new one. Index: primary key.
constexpr Query kMoveAttempts{"move_attempts", "update attempt set seq = ?2 where seq = ?1"};
constexpr Query kDeleteRestamped{"delete_restamped", "delete from job where seq = ?1"};

std::optional<TenantRestore> restore_of(Connection& connection, const TenantName& name) {
  auto row = connection.statement(kRestoreOfName);
  if (!row.bind(name.text()).step()) return std::nullopt;
  auto before = tenant_numbered(connection, TenantNumber{row.integer(0)});
  if (!before) return std::nullopt;
  TenantRestore restore{.before = *std::move(before),
                        .next = {},
                        .begun = from_us(row.integer(1)),
                        .copied = from_us(row.integer(2)),
                        .copied_generation = Generation{row.integer(3)}};
  if (const auto next = row.optional_integer(4))
    restore.next = tenant_numbered(connection, TenantNumber{*next});
  return restore;
}

}  // namespace

bool is_next_of_restore(Connection& connection, TenantNumber tenant) {
  return connection.statement(kIsNext).bind(tenant.value).step();
}

bool has_open_restore(Connection& connection, const TenantName& tenant) {
  const auto newest = newest_tenant(connection, tenant);
  const auto begun = restore_of(connection, tenant);
  return newest && begun && is_open_of(*begun, *newest);
}

std::optional<TenantRestore> SqliteJobReader::tenant_restore(const TenantName& tenant) {
  return restore_of(connection_, tenant);
}

Result<TenantRestore> SqliteWriter::begin_restore(const NewTenantRestore& restore, WallTime now) {
  const auto newest = newest_tenant(connection_, restore.tenant);
  if (const auto begun = restore_of(connection_, restore.tenant);
      begun && newest && is_open_of(*begun, *newest)) {
    if (auto later = check_next_is_later(*begun, restore.copied_generation); !later)
      return tl::unexpected(std::move(later.error()));
    connection_.statement(kChangeCopy)
        .bind(begun->before.number.value, to_us(restore.copied), restore.copied_generation.value)
        .run();
    return restore_of(connection_, restore.tenant).value();
  }
  const bool is_being_deleted = newest && has_deletion(connection_, newest->number);
  if (auto may = check_may_be_restored(newest, restore.tenant, is_being_deleted); !may)
    return tl::unexpected(std::move(may.error()));
  const bool is_put_away = newest->state != TenantState::deleted;
  connection_.statement(kBeginRestore)
      .bind(newest->number.value, to_us(now), to_us(restore.copied), restore.copied_generation.value,
            is_put_away ? 1 : 0)
      .run();
  if (is_put_away) {
    connection_.statement(kPutAway)
        .bind(newest->number.value, to_us(now), restore.uid, restore.login, restore.reason)
        .run();
    connection_.statement(kForgetPause).bind(newest->number.value).run();
    change_state(newest->number, TenantState::draining);
  }
  return restore_of(connection_, restore.tenant).value();
}

Result<void> SqliteWriter::hold_for_restore(JobId id) {
  const auto job = named_job_for(Transition::hold_for_restore, id, JobState::blocked);
  if (!job) return tl::unexpected(job.error());
  leave_place(*job);
  acquit(job->place.seq);
  told_.forget_cursor(job->place.seq);
  place_row(job->place.seq);
  insert_blocked(connection_, job->lane, job->place, JobReason::generation);
  return {};
}

// A wrong key is nothing of a row: who goes on behind one that is refused would never come to an end.
Relayed SqliteWriter::relay_for_restore(const OutboxOwner& owner, const OutboxRows& rows, WallTime now) {
  if (!rows.rows.empty()) value_or_raise(check_own_keys());
  relays_for_restore_ = true;
  Relayed relayed = relay_outbox(owner, rows, now);
  relays_for_restore_ = false;
  return relayed;
}

Result<TenantRecord> SqliteWriter::begin_next(const TenantName& tenant, std::int64_t size_bytes,
                                              WallTime erase_at, WallTime now) {
  const auto restore = restore_of(connection_, tenant);
  const auto newest = newest_tenant(connection_, tenant);
  if (!restore || !newest) return no_restore_begun(tenant);
  if (restore->next) {
    if (restore->next->number == newest->number) return *newest;
    return no_restore_begun(tenant);
  }
  if (newest->number != restore->before.number) return no_restore_begun(tenant);
  if (newest->state == TenantState::draining)
    if (auto buried =
            bury(newest->number, {.size_bytes = size_bytes, .newest = OutboxSeq{0}, .erase_at = erase_at});
        !buried)
      return tl::unexpected(std::move(buried.error()));
  const Generation generation = next_generation(newest->generation, restore->copied_generation);
  connection_.statement(kInsertNext).bind(tenant.text(), generation.value, to_us(now)).run();
  const TenantNumber next{connection_.last_insert_row()};
  connection_.statement(kSetNext).bind(newest->number.value, next.value).run();
  return TenantRecord{next, tenant, generation, TenantState::provisioning, now};
}

// A row of its own, since a list of one tenant passes over places that are said to hold none of its jobs.
Result<void> SqliteWriter::restamp(JobId id, WallTime now) {
  const auto job = named_job(id);
  if (!job) return tl::unexpected(job.error());
  auto made = restamped(*job, now);
  if (!made) return tl::unexpected(std::move(made.error()));
  if (auto fits = check_own_keys(); !fits) return fits;
  forget_restamped(*job, now);
  connection_.statement(kGiveUpId).bind(job->place.seq.value).run();
  const Enqueued enqueued =
      value_or_raise(enqueue_sealed_by(made->may_be_sealed ? keys_ : KeyRing(), made->job, now));
  TENURE_INVARIANT(!enqueued.existed);
  connection_.statement(kMoveAttempts).bind(job->place.seq.value, enqueued.seq.value).run();
  connection_.statement(kDeleteRestamped).bind(job->place.seq.value).run();
  return {};
}

Result<SqliteWriter::Restamped> SqliteWriter::restamped(const NamedJob& job, WallTime now) {
  if (job.is_running && !is_final(job.state)) return running_is_not_restamped(job.id);
  const auto owner = tenant_numbered(connection_, job.lane.tenant);
  if (!job.has_lane || !owner) return no_tenant_to_restamp(job.id);
  const auto newest = newest_tenant(connection_, owner->name);
  if (auto may = check_restamp(job.id, *owner, newest); !may) return tl::unexpected(std::move(may.error()));
  auto row = copied_row(job.id);
  if (!row) return tl::unexpected(std::move(row.error()));
  auto made = copy_of(job.id, *std::move(row), seal_marks(), keys_, job.id, now);
  if (!made) return tl::unexpected(std::move(made.error()));
  made->job.generation = newest->generation;
  if (!is_final(job.state)) {
    made->job.due = job.place.due;
    made->job.start_before = start_times_.of(job.place.seq);
  }
  if (auto keys = add_keys_of(job, newest->number, made->job); !keys)
    return tl::unexpected(std::move(keys.error()));
  return Restamped{std::move(made->job), made->may_be_sealed};
}

// One that is the same for all tenants may be its own.
Result<void> SqliteWriter::add_keys_of(const NamedJob& job, TenantNumber next, NewJob& restamped) {
  const auto unique = key_rows_.unique_of(job.place.seq);
  if (!unique) return {};
  const std::string key{stated_key(unique->key)};
  const bool is_global = is_global_key(unique->key);
  const std::string stored = stored_key(next, key, is_global);
  if (const auto holder = key_rows_.holder_of(stored); holder && holder->seq != job.place.seq)
    return unique_key_taken(job.id, stored, holder->id);
  restamped.unique = UniqueKey{key, unique->until, is_global};
  return {};
}

void SqliteWriter::forget_restamped(const NamedJob& job, WallTime now) {
  const JobSeq seq = job.place.seq;
  if (!is_final(job.state)) {
    leave_place(job);
    batches_.ended(seq, JobState::cancelled, now);
  }
  batches_.removed(seq);
  acquit(seq);
  told_.forget_cursor(seq);
  start_times_.forget(seq);
  failure_counts_.forget(seq);
  key_rows_.forget(seq);
  forget_result(seq);
  forget_captures_of(seq);
}

std::vector<const Query*> tenant_restore_queries() {
  return {&kRestoreOfName, &kIsNext,      &kBeginRestore, &kChangeCopy,   &kSetNext,        &kInsertNext,
          &kPutAway,       &kForgetPause, &kGiveUpId,     &kMoveAttempts, &kDeleteRestamped};
}

}  // namespace tenure::queue
