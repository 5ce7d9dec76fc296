#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/sqlite/migration.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/registry.hpp>
#include <tenure/tenancy/tenant_migration.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tenure {

// The steps of a creation in their order, for tests that stop it at each of them.
enum class CreateStep : std::uint8_t {
  lock = 1,     // .building/NAME.lock
  begin = 2,    // registry row, provisioning
  clean = 3,    // what a dead creator left in .building/
  schema = 4,   // our tables and the stamp, provisioning
  migrate = 5,  // the application's migrations
  stamp = 6,    // active
  close = 7,    // checkpoint: only the main file remains
  sync_file = 8,
  folder = 9,  // of the final path
  rename = 10,
  sync_folder = 11,
  activate = 12,  // registry row, active
  unlock = 13,
};
[[nodiscard]] std::string_view name_of(CreateStep step);

struct CreateOptions {
  // For another creator of that name, and take its tenant: for as long as that one is at work, without a bound of time.
  bool wait = false;
  std::function<void(CreateStep)> on_step =
      nullptr;  // called before each step; what it throws fails the creation there
};

struct TenantsOptions {
  std::string application;                         // of Global IDs and stamps: [a-z0-9][a-z0-9_-]{0,62}
  std::vector<sqlite::Migration> migrations = {};  // see read_migrations
  // open() brings a tenant whose database is older to the newest of these, before it gives a handle; else it is PendingMigration.
  bool migrate_on_touch = false;
  MigrationCodes codes = {};  // for that: of those of them that have code
};

// The tenants of an application: makes them and opens them.
// Threads: every method from any thread.
class Tenants {
 public:
  // All must outlive it. BadConfiguration for a bad application name.
  Tenants(TenantRegistry& registry, HandleCache& handles, const Clock& clock, TenantsOptions options);

  // Makes the tenant and returns when it is active and on disk. TenantExists: it is there, another creator is
  // at work (unless `wait`), or a file lies in its place that the registry does not know, which is left
  // alone. A failing migration (QueryFailed, SchemaMismatch), or any failure before the rename, takes everything back and is
  // thrown. A crash at any point leaves nothing that looks ready, and the next create of that name goes on from there.
  TenantRecord create(const TenantName& name, const CreateOptions& options = {});

  // Leases a handle of a tenant that the registry knows. TenantDoesNotExist, TenantDeleted, TenantNotReady
  // (provisioning, migrating, failed), and the failures of HandleCache::acquire. Where there are migrations, PendingMigration for a database
  // that has not had all of them, and SchemaMismatch for one that has had more. With migrate_on_touch the first one to open it carries out
  // what it lacks, and others wait as writers do; what migrate_tenant says.
  [[nodiscard]] HandleLease open(const TenantName& name, HandleAccess access = HandleAccess::read_write);
  // That of the current scope; NoTenant outside.
  [[nodiscard]] HandleLease open_current(HandleAccess access = HandleAccess::read_write);

  [[nodiscard]] const std::string& application() const { return options_.application; }
  // What tenants there are: registry().list(std::nullopt, 100) are the first hundred names (registry.hpp).
  [[nodiscard]] TenantRegistry& registry() { return registry_; }

 private:
  void require_schema(HandleLease& lease, HandleAccess access);

  TenantRegistry& registry_;
  HandleCache& handles_;
  const Clock& clock_;
  TenantsOptions options_;
};

}  // namespace tenure
