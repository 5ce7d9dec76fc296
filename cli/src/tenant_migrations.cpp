#include "tenant_migrations.hpp"

#include "listing.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <chrono>

namespace tenure::cli {
namespace {

constexpr std::size_t kErrorShown = 1024;  // bytes

std::int64_t milliseconds(const queue::MigrationRecord& migration) {
  return std::chrono::floor<std::chrono::milliseconds>(migration.took).count();
}

}  // namespace

std::optional<queue::MigrationRecord> failed_migration(const TenantRecord& tenant,
                                                       const std::optional<queue::MigrationRecord>& last) {
  if (tenant.state != TenantState::failed || !last || last->error.empty()) return std::nullopt;
  return last;
}

std::string text_of_failed(const queue::MigrationRecord& migration) {
  return fmt::format("{}: {}", kMigrationFailed, escaped(migration.error, kErrorShown));
}

std::string change_of_failed(const TenantName& tenant) {
  return "tenure tenant migrate name=" + escaped(tenant.text());
}

std::string migration_text(const queue::MigrationRecord& migration, const ShowStyle& style) {
  const std::string when =
      fmt::format("{}, in {} ms", full_time_text(migration.ended, style), milliseconds(migration));
  if (!migration.error.empty())
    return fmt::format("failed, {}: {}", when, escaped(migration.error, kErrorShown));
  return fmt::format("schema {} to {}, {}", migration.from, migration.to, when);
}

void write_migration(json::Writer& writer, const std::optional<queue::MigrationRecord>& migration) {
  writer.key("migration");
  if (!migration) {
    writer.null();
    return;
  }
  writer.begin_object().key("result").string(migration->error.empty() ? "migrated" : "failed");
  writer.key("from").integer(migration->from).key("to").integer(migration->to);
  write_time(writer, "ended", migration->ended);
  writer.key("took_ms").integer(milliseconds(*migration));
  write_text(writer, "error", migration->error);
  writer.end_object();
}

}  // namespace tenure::cli
