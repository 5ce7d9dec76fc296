#include "sqlite_registry.hpp"

#include "../job_rules.hpp"
#include "tenant_rows.hpp"

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

// A tenant for which jobs were accepted meanwhile stays provisioning: they wait for whoever creates it. None of them can
// have run, so the partial indexes hold them all. ?1 number. Index: primary key; job_ready and job_other, the whole of them.
constexpr Query kDeleteTenant{"delete_tenant", R"sql(
  delete from tenant where number = ?1
    and not exists (select 1 from job indexed by job_ready where state = 2 and tenant = ?1)
    and not exists (select 1 from job indexed by job_other where state <> 2 and state <> 4 and tenant = ?1))sql"};

}  // namespace

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
      result = *newest;
    } else if (newest && newest->state != TenantState::deleted) {
      result = tenant_exists(*newest);
    } else {
      const Generation generation{newest ? newest->generation.value + 1 : 1};
      connection.statement(kInsertTenant).bind(name.text(), generation.value, to_us(now)).run();
      result = TenantRecord{TenantNumber{connection.last_insert_row()}, name, generation,
                            TenantState::provisioning, now};
    }
  });
  return result;
}

Result<void> SqliteRegistry::activate(const TenantName& name, Generation generation) {
  Result<void> result;
  database_.write(Durability::durable, [&](Connection& connection) {
    const auto newest = newest_tenant(connection, name);
    result = check_activation(newest, name, generation);
    if (result) connection.statement(kActivateTenant).bind(newest->number.value).run();
  });
  return result;
}

void SqliteRegistry::abandon_create(const TenantName& name, Generation generation) {
  database_.write(Durability::durable, [&](Connection& connection) {
    const auto newest = newest_tenant(connection, name);
    if (newest && newest->generation == generation && newest->state == TenantState::provisioning)
      connection.statement(kDeleteTenant).bind(newest->number.value).run();
  });
}

std::vector<TenantRecord> SqliteRegistry::list(const std::optional<TenantName>& after, std::size_t limit) {
  std::vector<TenantRecord> tenants;
  database_.read([&](Connection& connection) { tenants = live_tenants(connection, after, limit); });
  return tenants;
}

std::vector<const Query*> registry_queries() { return {&kInsertTenant, &kActivateTenant, &kDeleteTenant}; }

}  // namespace tenure::queue
