#include "own_schema.hpp"

#include <tenure/base/sqlite/statement.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/tenancy/stamp.hpp>

#include <fmt/format.h>

#include <tenure_tenancy_schema.hpp>

namespace tenure {
namespace {

using sqlite::Query;

constexpr Query kSchema{"tenant_schema_1", tenancy_schema::k0001_tenant_sql};

// In every query the tables are named main.*: user SQL may have made temporary ones of the same name.
// Index: primary key.
constexpr Query kReadStamp{"read_stamp", R"sql(
  select schema, tenant, generation, application, state, outbox_epoch
  from main.tenure_stamp where only_one = 1)sql"};

// ?1 schema  ?2 tenant  ?3 generation  ?4 application  ?5 state  ?6 outbox_epoch
constexpr Query kInsertStamp{"insert_stamp", R"sql(
  insert into main.tenure_stamp(only_one, schema, tenant, generation, application, state, outbox_epoch)
  values(1, ?1, ?2, ?3, ?4, ?5, ?6))sql"};

// ?1 generation  ?2 state  ?3 outbox_epoch  ?4 tenant
constexpr Query kWriteStamp{"write_stamp", R"sql(
  update main.tenure_stamp set generation = ?1, state = ?2, outbox_epoch = ?3
  where only_one = 1 and tenant = ?4)sql"};

// ?1 tenant  ?2 generation  ?3 application  ?4 state  ?5 outbox_epoch
constexpr Query kGiveToTenant{"give_to_tenant", R"sql(
  update main.tenure_stamp set tenant = ?1, generation = ?2, application = ?3, state = ?4, outbox_epoch = ?5
  where only_one = 1)sql"};

[[noreturn]] void raise_damaged(const sqlite::Connection& connection, std::string_view what) {
  raise(ErrorCode::database_damaged, fmt::format("the stamp is {}; Tenure did not do that", what), {},
        connection.path().string());
}

bool is_state(std::int64_t value) {
  return value >= static_cast<std::int64_t>(TenantState::provisioning) &&
         value <= static_cast<std::int64_t>(TenantState::deleted);
}

std::optional<Stamp> read_row(sqlite::Connection& connection) {
  sqlite::Statement row = connection.statement(kReadStamp);
  if (!row.step()) return std::nullopt;
  detail::require_known_tenant_schema(connection, row.integer(0));
  const Result<TenantName> tenant = TenantName::parse(row.text(1));
  if (!tenant) raise_damaged(connection, "with a bad tenant name");
  if (row.integer(2) < 1) raise_damaged(connection, "with a generation below 1");
  if (!is_state(row.integer(4))) raise_damaged(connection, "with an unknown state");
  return Stamp{.tenant = *tenant,
               .generation = Generation{row.integer(2)},
               .application = std::string{row.text(3)},
               .state = static_cast<TenantState>(row.integer(4)),
               .outbox_epoch = row.integer(5)};
}

}  // namespace

void detail::require_known_tenant_schema(const sqlite::Connection& connection, std::int64_t version) {
  if (version <= kTenantSchemaVersion) return;
  raise(ErrorCode::schema_mismatch,
        fmt::format("Tenure's tables in this file are of version {}, this program knows {}; use the program "
                    "that is as new as the file",
                    version, kTenantSchemaVersion),
        {}, connection.path().string());
}

void create_tenant_schema(sqlite::Connection& connection, const Stamp& stamp) {
  sqlite::WriteTransaction transaction{connection};
  connection.execute(kSchema);
  connection.statement(kInsertStamp)
      .bind(kTenantSchemaVersion, stamp.tenant.text(), stamp.generation.value, stamp.application,
            static_cast<std::int64_t>(stamp.state), stamp.outbox_epoch)
      .run();
  transaction.commit();
}

std::optional<Stamp> read_stamp(sqlite::Connection& connection) {
  if (!detail::has_own_schema(connection)) return std::nullopt;
  return read_row(connection);
}

Stamp current_stamp(sqlite::Connection& connection) {
  std::optional<Stamp> stamp = read_row(connection);
  if (!stamp) raise_damaged(connection, "gone");
  return *std::move(stamp);
}

void write_stamp(sqlite::Connection& connection, const Stamp& stamp) {
  TENURE_INVARIANT(connection.in_transaction());
  connection.statement(kWriteStamp)
      .bind(stamp.generation.value, static_cast<std::int64_t>(stamp.state), stamp.outbox_epoch,
            stamp.tenant.text())
      .run();
  TENURE_INVARIANT(connection.changes() == 1);
}

void give_to_tenant(sqlite::Connection& connection, const Stamp& stamp) {
  TENURE_INVARIANT(connection.in_transaction());
  connection.statement(kGiveToTenant)
      .bind(stamp.tenant.text(), stamp.generation.value, stamp.application,
            static_cast<std::int64_t>(stamp.state), stamp.outbox_epoch)
      .run();
  TENURE_INVARIANT(connection.changes() == 1);
}

Result<void> check_identity(const Stamp& stamp, const StampExpectation& expected) {
  const std::string& name = expected.tenant.text();
  if (stamp.tenant != expected.tenant)
    return fail(ErrorCode::wrong_tenant,
                fmt::format("the file of {} carries the stamp of {}", name, stamp.tenant.text()), name);
  if (!expected.application.empty() && stamp.application != expected.application)
    return fail(ErrorCode::wrong_tenant,
                fmt::format("the file of {} carries the stamp of the application {}, this is {}", name,
                            stamp.application, expected.application),
                name);
  if (expected.generation.value != 0 && stamp.generation != expected.generation)
    return fail(ErrorCode::stale_generation,
                fmt::format("generation {} of {} was asked for, its file is of generation {}",
                            expected.generation.value, name, stamp.generation.value),
                name);
  if (stamp.state == TenantState::deleted)
    return fail(ErrorCode::tenant_deleted,
                fmt::format("{} was deleted in generation {}", name, stamp.generation.value), name);
  return {};
}

Result<void> check_writable(const Stamp& stamp, const StampExpectation& expected) {
  if (Result<void> identity = check_identity(stamp, expected); !identity) return identity;
  if (stamp.state == TenantState::active) return {};
  return fail(ErrorCode::tenant_not_ready,
              fmt::format("the database of {} is {}, so nothing is written to it", expected.tenant.text(),
                          name_of(stamp.state)),
              expected.tenant.text());
}

}  // namespace tenure
