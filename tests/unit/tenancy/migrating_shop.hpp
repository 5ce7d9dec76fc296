#pragma once

#include "shop.hpp"

#include <tenure/tenancy/own_tables.hpp>
#include <tenure/tenancy/tenant_migration.hpp>

#include <string>
#include <vector>

namespace tenure::testing {

// The shop's tenants are at schema 1; its next version has two steps more: an index, and a column that code fills.
inline std::vector<sqlite::Migration> newer_steps() {
  auto steps = shop_migrations();
  steps.push_back({2, "0002_totals", "create index invoice_total on invoice(total)"});
  steps.push_back({3, "0003_half", "-- tenure: code\nalter table invoice add column half integer"});
  return steps;
}

inline void fill_half(TenantTransaction& transaction) {
  transaction.execute("update invoice set half = total / 2");
}

inline TenantMigrations newer_migrations() {
  return {.steps = newer_steps(), .codes = {{"0003_half", fill_half}}};
}

class MigratingShop : public ::testing::Test {
 protected:
  MigratingShop() { make("acme"); }

  void make(std::string_view name) {
    auto lease = shop_.create(name);
    with_tenant(name, [&] {
      lease->write([](TenantTransaction& transaction) {
        transaction.execute("insert into invoice(id, total) values(1, 10), (2, 30)");
      });
    });
  }
  TenantMigrated migrate(const TenantMigrations& migrations, const MigrateOptions& options = {}) {
    HandleLease lease = value_or_raise(shop_.handles.acquire(kAcme, Generation{1}));
    return with_tenant(kAcme, [&] { return migrate_tenant(lease, migrations, shop_.clock.wall(), options); });
  }
  std::vector<std::string> ask(std::string_view sql, std::string_view name = "acme") {
    HandleLease lease = value_or_raise(shop_.handles.acquire(TenantName{name}, Generation{1}));
    return with_tenant(name, [&] {
      return lease->read([&](TenantReader& reader) {
        std::vector<std::string> rows;
        for (const TenantRow& row : reader.query(sql)) rows.emplace_back(row.text(0));
        return rows;
      });
    });
  }
  std::int64_t version(std::string_view name = "acme") {
    HandleLease lease = value_or_raise(shop_.handles.acquire(TenantName{name}, Generation{1}));
    return with_tenant(name, [&] { return tenant_schema_version(lease->begin_read()); });
  }
  TenantState stamped(std::string_view name = "acme") {
    sqlite::Connection connection{shop_.path(name), {}};
    return read_stamp(connection).value().state;
  }
  // What can be read of the file, as an older version of the program has left it.
  std::vector<std::string> content() {
    auto rows = ask("select coalesce(sql, name) from sqlite_schema order by name");
    for (std::string& row : ask("select id || ' ' || total from invoice order by id")) rows.push_back(row);
    for (std::string& row : ask("select name || hash from tenure_migration order by number"))
      rows.push_back(row);
    return rows;
  }

  Shop shop_;
};

}  // namespace tenure::testing
