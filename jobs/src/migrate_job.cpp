#include "migrate_job.hpp"

#include "tenants_file.hpp"

#include <tenure/base/exception_text.hpp>
#include <tenure/queue/tenant_schema.hpp>
#include <tenure/tenancy/fleet_migration.hpp>
#include <tenure/tenancy/migrations.hpp>
#include <tenure/tenancy/own_tables.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/stamp.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace tenure::detail {
namespace {

void require_known(const queue::AssignedJob& job, std::int64_t wanted, std::size_t known) {
  if (std::cmp_less_equal(wanted, known)) return;
  raise(ErrorCode::tenant_unavailable,
        fmt::format("{} migrations are wanted, and this program knows {}: a newer one performs it", wanted,
                    known),
        job.tenant->text());
}

// How many migrations it has had, where that is as many as are wanted: somebody has carried them out meanwhile. Of a database that is left
// `migrating` the next one has to end that.
std::optional<std::int64_t> done_already(HandleLease& lease, std::int64_t wanted) {
  const TenantSnapshot before = lease->begin_read();
  const std::int64_t has = tenant_schema_version(before);
  if (has < wanted) return std::nullopt;
  const OwnTables tables(before);
  const auto stamp = read_stamp(tables.connection());
  return stamp && stamp->state == TenantState::migrating ? std::nullopt : std::optional{has};
}

// What the dispatcher takes for a word about the job, its program or the registry. Thrown by a step, whose code may call anything, it says
// nothing of these, and the step has failed all the same.
bool is_of_job(ErrorCode code) {
  constexpr std::array kOfJob{
      ErrorCode::no_tenant,         ErrorCode::tenant_does_not_exist, ErrorCode::tenant_not_ready,
      ErrorCode::tenant_deleted,    ErrorCode::stale_generation,      ErrorCode::pending_migration,
      ErrorCode::bad_payload,       ErrorCode::newer_envelope,        ErrorCode::envelope_mismatch,
      ErrorCode::bad_seal,          ErrorCode::unknown_kind,          ErrorCode::schema_mismatch,
      ErrorCode::protocol_violation};
  return std::ranges::find(kOfJob, code) != kOfJob.end();
}

}  // namespace

bool has_all_codes(const TenantMigrations& migrations) {
  return std::ranges::all_of(migrations.steps, [&](const sqlite::Migration& step) {
    return !has_code(step) || migrations.codes.contains(step.name);
  });
}

std::string perform_migration(const queue::AssignedJob& job, std::string_view arguments, HandleCache& handles,
                              const TenantMigrations& migrations, const Clock& clock) {
  const std::int64_t wanted = value_or_raise(queue::read_migrate_arguments(arguments));
  if (!job.tenant) raise(ErrorCode::no_tenant, "an untenanted job has no tenant's database");
  const TenantScope scope(*job.tenant, job.generation);
  TenantResult result{.tenant = *job.tenant, .done = {}};
  std::optional<HandleLease> lease;
  with_tenants_file(handles, *job.tenant,
                    [&] { lease.emplace(value_or_raise(handles.acquire(*job.tenant, job.generation))); });
  if (const auto has = done_already(*lease, wanted)) return queue::migrate_result(*has, *has, {});
  require_known(job, wanted, migrations.steps.size());
  try {
    static_cast<void>(migrate_tenant(*lease, migrations, clock.wall(), {.told = &result.done}));
  } catch (const Error& error) {
    result.failure = error.failure();
    log_migration(result);
    if (is_of_job(error.code()) && !result.done.failed_step.empty())
      raise(ErrorCode::handler_failed,
            fmt::format("{}: {}: {}", result.done.failed_step, name_of(error.code()), error.failure().text()),
            job.tenant->text());
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
