#include "tenant_rows.hpp"

#include "stored_values.hpp"

#include <utility>

namespace tenure::queue {
namespace {

using sqlite::Query;

// ?1 name. Index: unique (name, generation), from its end.
constexpr Query kNewestTenant{"newest_tenant", R"sql(
  select number, name, generation, state, created_us from tenant where name = ?1 order by generation desc limit 1)sql"};

// ?1 number. Index: primary key.
constexpr Query kTenantNumbered{"tenant_numbered", R"sql(
  select number, name, generation, state, created_us from tenant where number = ?1 and name is not null)sql"};

// ?1 the name before the page, ?2 limit. Index: tenant_live.
constexpr Query kLiveTenants{"live_tenants", R"sql(
  select number, name, generation, state, created_us from tenant indexed by tenant_live
  where state <> 8 and name > ?1 order by name limit ?2)sql"};

TenantRecord record_of(const sqlite::Statement& row) {
  auto name = TenantName::stored(row.text(1));
  const TenantState state = tenant_state_of(row.integer(3), name);
  return {TenantNumber{row.integer(0)}, std::move(name), Generation{row.integer(2)}, state,
          from_us(row.integer(4))};
}

std::optional<TenantRecord> one(sqlite::Statement& statement) {
  return statement.step() ? std::optional{record_of(statement)} : std::nullopt;
}

}  // namespace

std::optional<TenantRecord> newest_tenant(sqlite::Connection& connection, const TenantName& name) {
  auto statement = connection.statement(kNewestTenant);
  return one(statement.bind(name.text()));
}

std::optional<TenantRecord> tenant_numbered(sqlite::Connection& connection, TenantNumber number) {
  auto statement = connection.statement(kTenantNumbered);
  return one(statement.bind(number.value));
}

std::vector<TenantRecord> live_tenants(sqlite::Connection& connection, const std::optional<TenantName>& after,
                                       std::size_t limit) {
  std::vector<TenantRecord> tenants;
  auto statement = connection.statement(kLiveTenants);
  statement.bind(after ? std::string_view{after->text()} : std::string_view{}, limit);
  while (statement.step()) tenants.push_back(record_of(statement));
  return tenants;
}

std::vector<const Query*> tenant_row_queries() { return {&kNewestTenant, &kTenantNumbered, &kLiveTenants}; }

}  // namespace tenure::queue
