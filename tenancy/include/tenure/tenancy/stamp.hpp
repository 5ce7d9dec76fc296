#pragma once

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/tenancy/registry.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <cstdint>
#include <optional>
#include <string>

// The tables of Tenure's own in a tenant's file. Not for application code: it reads them if it likes, and the
// authorizer keeps it from writing them.
namespace tenure {

// The row in a tenant's file that says what can be. Every write transaction reads it after BEGIN IMMEDIATE,
// so from the commit that changes it on no handle of any process commits against it.
struct Stamp {
  TenantName tenant;
  Generation generation;
  std::string application;
  TenantState state = TenantState::provisioning;
  std::int64_t outbox_epoch = 0;

  friend bool operator==(const Stamp&, const Stamp&) = default;
};

// Version of the tables of our own in the file (schema/000N_tenant.sql); not the application's schema.
inline constexpr std::int64_t kTenantSchemaVersion = 1;

// Makes our tables in an empty database and writes the first stamp, in one transaction. The caller syncs.
void create_tenant_schema(sqlite::Connection& connection, const Stamp& stamp);

// Nothing where the file has no stamp: it is not a tenant's. DatabaseDamaged where the row is not one of
// ours, or our tables are not exactly as we make them (a trigger, a view, an index of others); SchemaMismatch where they are of a
// newer version.
[[nodiscard]] std::optional<Stamp> read_stamp(sqlite::Connection& connection);

// The same for a file whose stamp has been read before, in one step: what a write transaction asks.
// DatabaseDamaged where the row is gone.
[[nodiscard]] Stamp current_stamp(sqlite::Connection& connection);

// Replaces generation, state and epoch. Inside the caller's write transaction.
void write_stamp(sqlite::Connection& connection, const Stamp& stamp);

// Makes the file that tenant's whose name the stamp has, whosever it was before: of a copy of a template, which nobody has opened yet
// (tenant_template.hpp). Inside the caller's write transaction.
void give_to_tenant(sqlite::Connection& connection, const Stamp& stamp);

// Whom the stamp must name. Generation 0 and an empty application are not compared.
struct StampExpectation {
  TenantName tenant;
  Generation generation;
  std::string application;
};
// WrongTenant, StaleGeneration, TenantDeleted.
[[nodiscard]] Result<void> check_identity(const Stamp& stamp, const StampExpectation& expected);
// The same and TenantNotReady(state) unless it is active.
[[nodiscard]] Result<void> check_writable(const Stamp& stamp, const StampExpectation& expected);

}  // namespace tenure
