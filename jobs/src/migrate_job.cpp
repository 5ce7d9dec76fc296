#include "migrate_job.hpp"

#include "tenants_file.hpp"

#include <tenure/base/exception_text.hpp>
#include <tenure/queue/tenant_schema.hpp>
#include <tenure/tenancy/fleet_migration.hpp>
#include <tenure/tenancy/migrations.hpp>
#include <tenure/tenancy/scope.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace tenure::detail {
namespace {

void require_known(const queue::AssignedJob& job, std::string_view arguments, std::size_t known) {
  const std::int64_t wanted = value_or_raise(queue::read_migrate_arguments(arguments));
  if (!job.tenant) raise(ErrorCode::no_tenant, "an untenanted job has no tenant's database");
  if (std::cmp_less_equal(wanted, known)) return;
  raise(ErrorCode::tenant_unavailable,
        fmt::format("{} migrations are wanted, and this program knows {}: a newer one performs it", wanted,
                    known),
        job.tenant->text());
}

}  // namespace

bool has_all_codes(const TenantMigrations& migrations) {
  return std::ranges::all_of(migrations.steps, [&](const sqlite::Migration& step) {
    return !has_code(step) || migrations.codes.contains(step.name);
  });
}

std::string perform_migration(const queue::AssignedJob& job, std::string_view arguments, HandleCache& handles,
                              const TenantMigrations& migrations, const Clock& clock) {
  require_known(job, arguments, migrations.steps.size());
  const TenantScope scope(*job.tenant, job.generation);
  TenantResult result{.tenant = *job.tenant, .done = {}};
  std::optional<HandleLease> lease;
  with_tenants_file(handles, *job.tenant,
                    [&] { lease.emplace(value_or_raise(handles.acquire(*job.tenant, job.generation))); });
  try {
    static_cast<void>(migrate_tenant(*lease, migrations, clock.wall(), {.told = &result.done}));
  } catch (const Error& error) {
    result.failure = error.failure();
    log_migration(result);
    throw;
  } catch (...) {
    result.failure = Failure{ErrorCode::handler_failed, text_of_thrown(), job.tenant->text()};
    log_migration(result);
    throw;
  }
  log_migration(result);
  return queue::migrate_result(result.done.from, result.done.to, result.done.steps);
}

}  // namespace tenure::detail
