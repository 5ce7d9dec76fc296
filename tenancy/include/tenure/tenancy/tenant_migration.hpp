#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/migration.hpp>
#include <tenure/tenancy/handle.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Bringing the database of a tenant that is there to the application's newest tables.
namespace tenure {

class HandleLease;

// The C++ half of a step. It is called behind the statements of the step's file, in the same transaction, as often as that has to be tried
// again; what it throws undoes both. Other tenants, the queue and the world are out of its reach or not undone, so it changes rows and
// nothing else.
using MigrationCode = std::function<void(TenantTransaction&)>;
using MigrationCodes =
    std::map<std::string, MigrationCode, std::less<>>;  // by the step's name: "0002_initials"

// The steps of an application, and what a worker program has for those that have code.
struct TenantMigrations {
  std::vector<sqlite::Migration> steps;
  MigrationCodes codes = {};
};

// BadConfiguration: steps that are not numbered 1, 2, 3 ...; code for which no step asks. BadOptions: there is no step `to`, which 0 is for the
// newest.
void check_migrations(const TenantMigrations& migrations, std::int64_t to);

// The number of the last step that the tenant's database has had, 0 for none. In a snapshot or transaction of it.
[[nodiscard]] std::int64_t tenant_schema_version(const TenantReader& reader);

// PendingMigration(from, to) where the tenant's database is older than `steps`, SchemaMismatch where it is newer: they are of another
// version of the program. Nothing where there are no steps: whoever has none is not asked.
void require_tenant_schema(const TenantReader& reader, std::span<const sqlite::Migration> steps);
// The same of a database that has had `has`, for whoever works with so few and so many at least and at most.
void require_schema_between(const TenantName& tenant, std::int64_t has, std::int64_t min, std::int64_t max,
                            std::span<const sqlite::Migration> steps);

// What becomes of one tenant. Its database is at `to` behind it, unless there is a failure: then at the last step that was carried out
// whole, which is in `steps` as all that were.
struct TenantMigrated {
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::vector<std::string> steps = {};
  std::string failed_step = {};  // which has thrown
};

struct MigrateOptions {
  std::int64_t to = 0;             // up to that step; 0: to the newest
  TenantMigrated* told = nullptr;  // what was done so far, also where it is thrown; may be null
};

// Carries out the steps that the tenant's database lacks, each in a transaction with its row of `tenure_migration`, so that whoever is
// killed goes on where it was and no step is carried out twice, also where several do this at once. Meanwhile its stamp is `migrating`: no
// handle of any process commits. Inside the tenant's scope; each commit is on disk when it returns.
// What check_migrations says, and BadConfiguration where a step that it lacks has code which is not here; SchemaMismatch, and nothing was changed: a step that was applied has another text now (it is named), one is
// missing, or the database is newer than `to`. TenantNotReady where the stamp is neither active nor migrating. What a step throws: its
// transaction is undone, the steps before it stay, and the stamp is active again.
TenantMigrated migrate_tenant(HandleLease& lease, const TenantMigrations& migrations, WallTime now,
                              const MigrateOptions& options = {});

}  // namespace tenure
