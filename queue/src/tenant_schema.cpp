#include "audit_chain.hpp"
#include "derived_job_id.hpp"
#include "tenant_schema_rules.hpp"

#include <tenure/base/json.hpp>
#include <tenure/base/operator_identity.hpp>
#include <tenure/base/text.hpp>
#include <tenure/tenancy/migrations.hpp>

#include <fmt/format.h>

#include <string>
#include <utility>

namespace tenure::queue {
namespace {

constexpr json::ReadLimits kLimitsOfMigrate{.bytes_max = 1UL << 20U, .depth_max = 4};

std::int64_t number_in(const json::Document& document, std::string_view member) {
  const auto found = document.root().member(member);
  return found ? found->integer().value_or(0) : 0;
}

}  // namespace

std::string migrate_arguments(std::int64_t to) { return fmt::format(R"({{"to":{}}})", to); }

Result<std::int64_t> read_migrate_arguments(std::string_view arguments) {
  const auto document = json::Document::parse(arguments, kLimitsOfMigrate);
  if (!document) return tl::unexpected<Failure>(document.error());
  if (const std::int64_t to = number_in(*document, "to"); to >= 1) return to;
  return fail(ErrorCode::bad_payload,
              fmt::format("a job {} says how many migrations are wanted: {{\"to\":2}}", kMigrateKind));
}

std::string migrate_result(std::int64_t from, std::int64_t to, const std::vector<std::string>& steps) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("from").integer(from).key("to").integer(to).key("steps").begin_array();
  for (const std::string& step : steps) writer.string(to_utf8(step));
  writer.end_array().end_object();
  return out;
}

MigratedFromTo read_migrate_result(std::string_view result) {
  const auto document = json::Document::parse(result, kLimitsOfMigrate);
  if (!document) return {};
  const MigratedFromTo told{number_in(*document, "from"), number_in(*document, "to")};
  const bool can_be = told.from >= 0 && told.from <= told.to && std::cmp_less_equal(told.to, kMigrationsMax);
  return can_be ? told : MigratedFromTo{};
}

NewJob migration_job(const MigrationOrder& order, const TenantRecord& tenant, WallTime now) {
  const auto& [seq, token] = order.found_by;
  return {.id = derived_job_id(
              fmt::format("tenure migrate/1\n{}\n{}\n{}", seq.value, token.incarnation.value, token.counter),
              now),
          .tenant = tenant.name,
          .generation = tenant.generation,
          .queue = order.queue,
          .kind = std::string{kMigrateKind},
          .priority = order.priority,
          .due = now,
          .attempts_max = kMigrateAttempts,
          .arguments = migrate_arguments(order.to),
          .unique = UniqueKey{.key = fmt::format("{}:{}", kMigrateKind, order.to)}};
}

bool may_fail_by_migration(TenantState state) {
  return state == TenantState::active || state == TenantState::paused || state == TenantState::read_only;
}

// Without the error, which may quote a row of the tenant's: nobody erases a record.
AuditEntry audit_of_failed_migration(const TenantRecord& tenant) {
  return {.who = identify_process(),
          .verb = "tenant failed",
          .subject = audit_subject(tenant.name, tenant.generation, name_of(TenantState::failed)),
          .count = 1,
          .reason = "a migration has failed; tenure tenant show " + tenant.name.text()};
}

bool is_worth_keeping(const MigrationRecord& migration, const std::optional<MigrationRecord>& before) {
  const bool has_done_nothing = migration.error.empty() && migration.from == migration.to;
  return !has_done_nothing || (before && !before->error.empty());
}

}  // namespace tenure::queue
