#include "sqlite_reader.hpp"
#include "sqlite_writer.hpp"
#include "tenant_schema_rows.hpp"

#include <string>

namespace tenure::queue {
namespace {

using sqlite::Connection;
using sqlite::Query;

// Of as many rows as there are tenants whose jobs wait for a migration.
constexpr Query kTenantsBehind{"tenants_behind",
                               "select tenant, wanted, told, since_us from tenant_behind order by tenant"};
// ?1 tenant. Index: primary key, and so the next.
constexpr Query kTenantBehind{"tenant_behind",
                              "select tenant, wanted, told, since_us from tenant_behind where tenant = ?1"};
// ?1 tenant  ?2 wanted  ?3 told  ?4 since_us
constexpr Query kPutBehind{"put_behind", R"sql(
  insert into tenant_behind(tenant, wanted, told, since_us) values (?1, ?2, ?3, ?4)
  on conflict (tenant) do update set wanted = excluded.wanted, told = excluded.told, since_us = excluded.since_us
  where excluded.wanted < tenant_behind.wanted)sql"};
// ?1 tenant
constexpr Query kForgetBehind{"forget_behind", "delete from tenant_behind where tenant = ?1"};
// ?1 until_us. A scan of what is known.
constexpr Query kForgetBehindNoted{"forget_behind_noted", "delete from tenant_behind where since_us <= ?1"};
// Index: primary key.
constexpr Query kSchemasMark{"schemas_mark", "select seq from mark where name = 'schemas'"};

TenantBehind behind_in(const sqlite::Statement& row) {
  return {TenantNumber{row.integer(0)}, row.integer(1), std::string{row.text(2)}, from_us(row.integer(3))};
}

}  // namespace

std::optional<TenantBehind> behind_of(Connection& connection, TenantNumber tenant) {
  auto row = connection.statement(kTenantBehind);
  return row.bind(tenant.value).step() ? std::optional{behind_in(row)} : std::nullopt;
}

std::vector<TenantBehind> read_behind(Connection& connection) {
  std::vector<TenantBehind> all;
  auto row = connection.statement(kTenantsBehind);
  while (row.step()) all.push_back(behind_in(row));
  return all;
}

std::vector<TenantBehind> SqliteJobReader::tenants_behind() { return read_behind(connection_); }

void SqliteWriter::note_behind(const TenantBehind& behind) {
  connection_.statement(kPutBehind)
      .bind(behind.tenant.value, behind.wanted, behind.told, to_us(behind.since))
      .run();
}

bool SqliteWriter::forget_behind(TenantNumber tenant) {
  connection_.statement(kForgetBehind).bind(tenant.value).run();
  return connection_.changes() > 0;
}

void SqliteWriter::forget_behind_noted(WallTime until) {
  connection_.statement(kForgetBehindNoted).bind(to_us(until)).run();
}

std::optional<KnownSchemas> SqliteWriter::known_schemas(SchemasMark known) {
  const SchemasMark mark{connection_.statement(kSchemasMark).row().integer(0)};
  if (mark == known) return std::nullopt;
  return KnownSchemas{mark, read_behind(connection_)};
}

std::vector<const Query*> tenant_schema_queries() {
  return {&kTenantsBehind, &kTenantBehind, &kPutBehind, &kForgetBehind, &kForgetBehindNoted, &kSchemasMark};
}

}  // namespace tenure::queue
