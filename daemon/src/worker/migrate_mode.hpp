#pragma once

#include <tenure/jobs/registry.hpp>

#include <filesystem>
#include <optional>

// A worker program that `tenure tenant migrate` has started, for the steps that have C++ code: it migrates the tenants that it is told of
// and ends. It reads no configuration, takes no lock, performs no job and speaks to nobody but by its report (migration_request.hpp).
namespace tenure::daemon {

struct MigrateFiles {
  std::filesystem::path request;
  std::filesystem::path report;
};

// What the variables name, which are gone afterwards; nothing where the program was not started for migrations.
[[nodiscard]] std::optional<MigrateFiles> take_migration_request();

// Returns the exit code: 0 where each tenant has a line in the report, whatever it says, else that of what stands there as the refusal.
// Throws where not even a report can be written.
[[nodiscard]] int run_migrations(const MigrateFiles& files, const JobRegistry& jobs);

}  // namespace tenure::daemon
