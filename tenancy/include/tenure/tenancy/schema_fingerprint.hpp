#pragma once

#include <tenure/base/sqlite/migration.hpp>
#include <tenure/tenancy/handle.hpp>

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

// What tables, indexes, views and triggers of the application a tenant's database has, to find one that somebody has changed by hand.
namespace tenure {

struct SchemaObject {
  std::string type;  // "table", "index", "view", "trigger"
  std::string name;
  std::string sql;  // as it was made or last altered
  friend bool operator==(const SchemaObject&, const SchemaObject&) = default;
};

struct TenantSchema {
  std::vector<SchemaObject> objects = {};  // by type and name; without Tenure's own and SQLite's
  friend bool operator==(const TenantSchema&, const TenantSchema&) = default;

  // 16 hexadecimal digits of all of it, equal where it is. It withstands nobody who wants to deceive.
  [[nodiscard]] std::string fingerprint() const;
};

// In a snapshot or transaction of the tenant.
[[nodiscard]] TenantSchema tenant_schema(const TenantReader& reader);

// What a tenant has that has had these steps and nothing else, by number of steps: that of 0 is the first. They are carried out in a database
// below `folder`, which is removed. What a step says.
[[nodiscard]] std::vector<TenantSchema> schemas_of_steps(std::span<const sqlite::Migration> steps,
                                                         const std::filesystem::path& folder);

// In words, the first object that is another one, missing or too many; nothing where they are equal.
[[nodiscard]] std::optional<std::string> schema_difference(const TenantSchema& has,
                                                           const TenantSchema& expected);

}  // namespace tenure
