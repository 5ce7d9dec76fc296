#pragma once

#include <tenure/base/sqlite/database.hpp>
#include <tenure/queue/audit.hpp>
#include <tenure/tenancy/registry.hpp>

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

// The registry's table in the control database. Internal.
namespace tenure::queue {

class SqliteRegistry final : public TenantRegistry {
 public:
  // Of an operator, whose changes are recorded.
  struct Audit {
    AuditEntry entry;
    const Clock& clock;
  };

  explicit SqliteRegistry(sqlite::Database& database, std::optional<Audit> audit = std::nullopt)
      : database_(database), audit_(std::move(audit)) {}

  std::optional<TenantRecord> find(const TenantName& name) override;
  Result<TenantRecord> begin_create(const TenantName& name, WallTime now) override;
  Result<void> activate(const TenantName& name, Generation generation) override;
  void abandon_create(const TenantName& name, Generation generation) override;
  std::vector<TenantRecord> list(const std::optional<TenantName>& after, std::size_t limit) override;
  void sync() override { database_.sync(); }

 private:
  // In the transaction that makes the tenant what `state` says.
  void note(sqlite::Connection& connection, const TenantName& name, Generation generation,
            std::string_view state) const;

  sqlite::Database& database_;
  const std::optional<Audit> audit_;
};

[[nodiscard]] std::vector<const sqlite::Query*> registry_queries();

}  // namespace tenure::queue
