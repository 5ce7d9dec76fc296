#pragma once

#include <tenure/base/sqlite/connection.hpp>

#include <cstdint>
#include <optional>
#include <string>

// Tenure's own tables as a file has them that somebody else may have made or altered. A trigger on one of them is code, a view in its
// place an answer that somebody computes, an index a condition: a file with any of that is refused before a statement touches them.
namespace tenure::detail {

// False where the file has no stamp: it is not a tenant's. DatabaseDamaged where what is named tenure_..., or lies on what is, is not
// exactly what Tenure makes; SchemaMismatch where it is that of a newer version.
[[nodiscard]] bool has_own_schema(sqlite::Connection& connection);

// In words, the first thing that is not as Tenure makes it, of a file that has a stamp.
[[nodiscard]] std::optional<std::string> difference_in_own_schema(sqlite::Connection& connection);

// SchemaMismatch where a stamp's `version` is above kTenantSchemaVersion.
void require_known_tenant_schema(const sqlite::Connection& connection, std::int64_t version);

}  // namespace tenure::detail
