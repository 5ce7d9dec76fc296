#include "sqlite_registry.hpp"

#include "../audit_chain.hpp"
#include "../job_rules.hpp"
#include "../tenant_rules.hpp"
#include "audit_rows.hpp"
#include "tenant_life_rows.hpp"
#include "tenant_rows.hpp"

#include <optional>

namespace tenure::queue {
namespace {

using sqlite::Connection;
using sqlite::Durability;
using sqlite::Query;

// ?1 name  ?2 generation  ?3 created_us. State: provisioning.
constexpr Query kInsertTenant{"insert_tenant", R"sql(
  insert into tenant(name, generation, state, created_us) values (?1, ?2, 1, ?3))sql"};

// ?1 number. Index: primary key.
constexpr Query kActivateTenant{"activate_tenant", "update tenant set state = 2 where number = ?1"};

// Whether the tenant has jobs. None of them can have run, so these places hold them all. No index begins with the tenant, and
// one that did would cost every enqueue, so this is asked without the writer's lock.
// ?1 number. Index: none for the tenant; ready, scheduled, job_failed, and job above the mark.
constexpr Query kHasJobs{"has_jobs", R"sql(
  select exists (select 1 from ready where tenant = ?1)
      or exists (select 1 from scheduled where tenant = ?1)
      or exists (select 1 from job indexed by job_failed where state > 4 and tenant = ?1)
      or exists (select 1 from job where seq > (select seq from mark where name = 'absorbed') and tenant = ?1))sql"};
// In the same snapshot: what may come afterwards has a greater sequence. Index: primary key, its end.
constexpr Query kLastJob{"last_job", "select coalesce(max(seq), 0) from job"};

// A tenant for which jobs were accepted meanwhile stays provisioning: they wait for whoever creates it.
// ?1 number  ?2 sequence up to which it is known that it has none. Index: primary keys, those of the jobs from ?2 on.
constexpr Query kDeleteTenant{"delete_tenant", R"sql(
  delete from tenant where number = ?1
    and not exists (select 1 from job where seq > ?2 and tenant = ?1))sql"};

}  // namespace

void SqliteRegistry::note(Connection& connection, const TenantName& name, Generation generation,
                          std::string_view state) const {
  if (!audit_) return;
  AuditEntry entry = audit_->entry;
  entry.subject = audit_subject(name, generation, state);
  entry.count = 1;
  append_audit(connection, entry, audit_->clock.wall());
}

std::optional<TenantRecord> SqliteRegistry::find(const TenantName& name) {
  std::optional<TenantRecord> found;
  database_.read([&](Connection& connection) { found = newest_tenant(connection, name); });
  return found;
}

Result<TenantRecord> SqliteRegistry::begin_create(const TenantName& name, WallTime now) {
  Result<TenantRecord> result = fail(ErrorCode::internal, "the transaction did not run");
  database_.write(Durability::durable, [&](Connection& connection) {
    const auto newest = newest_tenant(connection, name);
    if (newest && newest->state == TenantState::provisioning) {
      if (is_next_of_restore(connection, newest->number)) result = is_being_restored(name);
      else result = *newest;
    } else if (newest && newest->state != TenantState::deleted) {
      result = tenant_exists(*newest);
    } else {
      const Generation generation{newest ? newest->generation.value + 1 : 1};
      connection.statement(kInsertTenant).bind(name.text(), generation.value, to_us(now)).run();
      result = TenantRecord{TenantNumber{connection.last_insert_row()}, name, generation,
                            TenantState::provisioning, now};
      note(connection, name, generation, name_of(TenantState::provisioning));
    }
  });
  return result;
}

Result<void> SqliteRegistry::activate(const TenantName& name, Generation generation) {
  Result<void> result;
  database_.write(Durability::durable, [&](Connection& connection) {
    const auto newest = newest_tenant(connection, name);
    result = check_activation(newest, name, generation);
    if (!result) return;
    connection.statement(kActivateTenant).bind(newest->number.value).run();
    note(connection, name, generation, name_of(TenantState::active));
  });
  return result;
}

void SqliteRegistry::abandon_create(const TenantName& name, Generation generation) {
  const auto abandoned = [&](Connection& connection) {
    const auto newest = newest_tenant(connection, name);
    const bool is_it =
        newest && newest->generation == generation && newest->state == TenantState::provisioning;
    return is_it ? std::optional{newest->number} : std::nullopt;
  };
  std::optional<std::int64_t> without_jobs_up_to;
  database_.read([&](Connection& connection) {
    const auto number = abandoned(connection);
    if (!number || connection.statement(kHasJobs).bind(number->value).row().integer(0) != 0) return;
    without_jobs_up_to = connection.statement(kLastJob).row().integer(0);
  });
  if (!without_jobs_up_to) return;
  database_.write(Durability::durable, [&](Connection& connection) {
    const auto number = abandoned(connection);
    if (!number) return;
    connection.statement(kDeleteTenant).bind(number->value, *without_jobs_up_to).run();
    if (connection.changes() > 0) note(connection, name, generation, "taken back");
  });
}

std::vector<TenantRecord> SqliteRegistry::list(const std::optional<TenantName>& after, std::size_t limit) {
  std::vector<TenantRecord> tenants;
  database_.read([&](Connection& connection) { tenants = live_tenants(connection, after, limit); });
  return tenants;
}

std::vector<const Query*> registry_queries() {
  return {&kInsertTenant, &kActivateTenant, &kHasJobs, &kLastJob, &kDeleteTenant};
}

}  // namespace tenure::queue
