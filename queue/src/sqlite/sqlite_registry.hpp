#pragma once

#include <tenure/base/sqlite/database.hpp>
#include <tenure/tenancy/registry.hpp>

#include <vector>

// The registry's table in the control database. Internal.
namespace tenure::queue {

class SqliteRegistry final : public TenantRegistry {
 public:
  explicit SqliteRegistry(sqlite::Database& database) : database_(database) {}

  std::optional<TenantRecord> find(const TenantName& name) override;
  Result<TenantRecord> begin_create(const TenantName& name, WallTime now) override;
  Result<void> activate(const TenantName& name, Generation generation) override;
  void abandon_create(const TenantName& name, Generation generation) override;
  std::vector<TenantRecord> list(const std::optional<TenantName>& after, std::size_t limit) override;
  void sync() override { database_.sync(); }

 private:
  sqlite::Database& database_;
};

[[nodiscard]] std::vector<const sqlite::Query*> registry_queries();

}  // namespace tenure::queue
