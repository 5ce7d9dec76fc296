#include "restorable_copy.hpp"

#include <tenure/base/text.hpp>
#include <tenure/tenancy/migrations.hpp>
#include <tenure/tenancy/stamp_change.hpp>

#include <fmt/format.h>

#include <system_error>

namespace tenure::cli {

std::filesystem::path path_of_copy(std::string_view word) {
  std::error_code error;
  std::filesystem::path path = std::filesystem::absolute(word, error);
  if (error)
    raise(ErrorCode::disk,
          "the copy is named from the working folder on, which cannot be told: " + error.message());
  return path;
}

void require_restorable(Session& session, const TenantName& name, const std::filesystem::path& path,
                        const TenantCopy& copy) {
  const config::Settings& settings = session.settings();
  if (copy.application != settings.application.name)
    raise(ErrorCode::wrong_tenant,
          fmt::format("the copy is of the application {}, and this one is {}", escaped(copy.application, 256),
                      escaped(settings.application.name, 256)),
          name.text(), path.string());
  if (copy.tenant != name)
    raise(ErrorCode::wrong_tenant,
          fmt::format(
              "the copy is of the tenant {0}, and not of {1}; a new tenant is made of it by tenure tenant "
              "clone {0} NEW --copy FILE",
              copy.tenant.text(), name.text()),
          name.text(), path.string());
  if (settings.tenants.migrations.empty()) return;
  const auto known = std::ssize(read_migrations(settings.tenants.migrations));
  if (copy.migrations > known)
    raise(ErrorCode::schema_mismatch,
          fmt::format(
              "the copy has had {} migrations, and tenants.migrations has {}: put the newer program and "
              "its migrations in place first",
              copy.migrations, known),
          name.text(), path.string());
}

void require_database_of(const TenantFiles& files, const StampExpectation& expected) {
  require_stamp_settable(files, expected);
}

bool is_restore_of(const queue::TenantRestore& restore, const TenantRecord& newest) {
  return newest.number == (restore.next ? *restore.next : restore.before).number;
}

}  // namespace tenure::cli
