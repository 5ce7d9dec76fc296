#pragma once

#include "session.hpp"

#include <tenure/base/function_ref.hpp>
#include <tenure/tenancy/migration_request.hpp>

#include <filesystem>
#include <memory>

// Who carries out the steps of one wave: this process, or the worker program that has the code of some.
namespace tenure::cli {

class MigrationRunner {
 public:
  virtual ~MigrationRunner() = default;
  // `on_result` for each tenant. What migrate_tenants says.
  virtual void run(const MigrationRequest& request, FunctionRef<void(const TenantResult&)> on_result) = 0;
};

// With --program that program, which gets its files in `scratch`. BadOptions.
[[nodiscard]] std::unique_ptr<MigrationRunner> migration_runner(Session& session,
                                                                const std::filesystem::path& scratch);

// Below which folder scratch folders are made.
[[nodiscard]] std::filesystem::path scratch_parent(const Environment& environment);

}  // namespace tenure::cli
