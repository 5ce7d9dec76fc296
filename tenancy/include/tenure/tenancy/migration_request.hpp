#pragma once

#include <tenure/base/error.hpp>
#include <tenure/tenancy/fleet_migration.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

// How `tenure tenant migrate` and the worker program that it starts for steps with code understand each other: two variables there, lines of
// JSON back, one a tenant as it ends. Both are of this machine and this moment.
namespace tenure {

// Beside these the program gets a worker's socket (TENURE_WORKER_FD) that is none, so that one of a Tenure without migrations ends at once
// and does not begin to dispatch.
inline constexpr std::string_view kMigrationRequestVariable = "TENURE_WORKER_MIGRATE_REQUEST";  // a file
inline constexpr std::string_view kMigrationReportVariable = "TENURE_WORKER_MIGRATE_REPORT";  // a file to be

struct MigrationRequest {
  std::string application;
  std::string tenants_path;          // the template of their files
  std::filesystem::path migrations;  // the folder
  std::size_t descriptors_max = 0;
  FleetOptions options = {};
  std::vector<TenantToMigrate> tenants = {};
};

[[nodiscard]] std::string request_text(const MigrationRequest& request);
// BadPayload: what is none, or one of another version.
[[nodiscard]] Result<MigrationRequest> read_migration_request(std::string_view text);

// A line, with its end.
[[nodiscard]] std::string result_line(const TenantResult& result);
// Why nothing was done.
[[nodiscard]] std::string refusal_line(const Failure& refusal);

struct MigrationReport {
  bool has_begun = false;  // the program knows migrations
  std::vector<TenantResult> results = {};
  std::optional<Failure> refusal = std::nullopt;
};
// The first line of a report, by which the program says that it knows migrations.
inline constexpr std::string_view kMigrationHello = "{\"schema\":\"tenure.migration/1\"}\n";
// A last line that is cut off, since the program ended while it wrote it, is left out. BadPayload.
[[nodiscard]] Result<MigrationReport> read_migration_report(std::string_view text);

}  // namespace tenure
