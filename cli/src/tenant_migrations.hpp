#pragma once

#include "show_text.hpp"

#include <tenure/base/json.hpp>
#include <tenure/queue/store.hpp>

#include <optional>
#include <string>
#include <string_view>

// What is said of the last migration of a tenant in more than one place.
namespace tenure::cli {

inline constexpr std::string_view kMigrationFailed = "migration";

// Of a tenant that is `failed` for its last migration.
[[nodiscard]] std::optional<queue::MigrationRecord> failed_migration(
    const TenantRecord& tenant, const std::optional<queue::MigrationRecord>& last);
// "migration: 0042_add_index line 3: ..."
[[nodiscard]] std::string text_of_failed(const queue::MigrationRecord& migration);
// What puts that right.
[[nodiscard]] std::string change_of_failed(const TenantName& tenant);

// "schema 41 to 42, 2026-11-30 ..., in 3 ms"
[[nodiscard]] std::string migration_text(const queue::MigrationRecord& migration, const ShowStyle& style);
void write_migration(json::Writer& writer, const std::optional<queue::MigrationRecord>& migration);

}  // namespace tenure::cli
