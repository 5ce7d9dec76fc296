#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/migration.hpp>
#include <tenure/tenancy/registry.hpp>
#include <tenure/tenancy/schema_fingerprint.hpp>
#include <tenure/tenancy/stamp.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

// A database that lies at a tenant's place already, made by somebody else, becomes the tenant's: it gets Tenure's own tables and a stamp,
// beside what is in it.
namespace tenure {

struct AdoptionOptions {
  std::string application;  // as TenantsOptions has it
  // The application's, see read_migrations; empty: its schema is its own affair. Else its tables must be those that the first so many of
  // these make, which are noted in the file as carried out.
  std::vector<sqlite::Migration> migrations = {};
  std::vector<TenantSchema> schemas = {};  // schemas_of_steps of them, where there are any
};

// What lies at a tenant's place.
struct FoundDatabase {
  std::optional<Stamp> stamp;  // nothing: it is somebody else's, and can be adopted
  std::int64_t size_bytes = 0;
  std::size_t migrations = 0;  // how many of them its tables say
};

// Looks, and changes not a byte: AccessRefused (a link, or what this user may not read), DatabaseDamaged (no database of SQLite, a page is
// wrong, or it has names of ours without a stamp), SchemaMismatch (of a newer Tenure, or its tables are those of no migration), WrongTenant
// (the stamp of another tenant or application), TenantDoesNotExist (nothing lies there), StoreBusy.
[[nodiscard]] Result<FoundDatabase> look_at_database(const TenantFiles& files, const TenantName& name,
                                                     const AdoptionOptions& options);

// The steps of an adoption in their order, for tests that stop it at each of them.
enum class AdoptStep : std::uint8_t {
  lock = 1,
  begin = 2,
  tables = 3,
  steps = 4,
  stamp = 5,
  activate = 6,
  unlock = 7
};
using OnAdoptStep = std::function<void(AdoptStep)>;

struct Adopted {
  TenantRecord tenant;
  bool existed = false;  // the registry had it
};

// Registers the tenant, in its first generation or the one behind that of a deleted tenant of its name, with the database that lies at its
// place. Until it ends nobody is served from there; interrupted, it goes on with the next call. What look_at_database says; TenantExists
// where a tenant of that name is just being made; WrongTenant where the file has a stamp by now that is not this tenant's.
[[nodiscard]] Adopted adopt_tenant(TenantRegistry& registry, const TenantFiles& files, const Clock& clock,
                                   const TenantName& name, const AdoptionOptions& options,
                                   const OnAdoptStep& on_step = nullptr);

}  // namespace tenure
