#include "migrate_mode.hpp"

#include "../loop/signals.hpp"

#include <tenure/base/exception_text.hpp>
#include <tenure/base/exit_code.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/sqlite/open_databases.hpp>
#include <tenure/base/system.hpp>
#include <tenure/tenancy/migration_request.hpp>
#include <tenure/tenancy/migrations.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <cerrno>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace tenure::daemon {
namespace {

std::string take_migration_variable(std::string_view name) {
  const std::string variable{name};
  const char* text = std::getenv(variable.c_str());
  std::string taken = text == nullptr ? "" : text;
  ::unsetenv(variable.c_str());
  return taken;
}

// One line after the other, so that a program that is killed has told of all tenants but those it was at.
class MigrationReportFile {
 public:
  explicit MigrationReportFile(std::filesystem::path file)
      : file_(std::move(file)),
        written_(::open(file_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600)) {
    if (!written_.is_open()) raise_system(errno, "the report of migrations cannot be made", file_);
  }
  void add(std::string_view line) const {
    if (!write_all(written_.number(), line))
      raise_system(errno, "the report of migrations cannot be written", file_);
  }

 private:
  const std::filesystem::path file_;
  const Descriptor written_;
};

MigrationRequest request_in(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return value_or_raise(read_migration_request(text));
}

void migrate(const MigrateFiles& files, const JobRegistry& jobs, const MigrationReportFile& report) {
  sqlite::refuse_open_databases("worker_main");
  const MigrationRequest request = request_in(files.request);
  const TenantMigrations migrations{read_migrations(request.migrations), jobs.migration_codes()};
  HandleCache handles(
      TenantFiles{request.tenants_path},
      {.descriptors_max = static_cast<int>(request.descriptors_max), .application = request.application});
  const RealClock clock;
  migrate_tenants(handles, migrations, clock, request.tenants, request.options,
                  [&](const TenantResult& result) { report.add(result_line(result)); });
  handles.close_idle();
}

}  // namespace

std::optional<MigrateFiles> take_migration_request() {
  MigrateFiles files{.request = take_migration_variable(kMigrationRequestVariable),
                     .report = take_migration_variable(kMigrationReportVariable)};
  if (files.request.empty() || files.report.empty()) return std::nullopt;
  return files;
}

int run_migrations(const MigrateFiles& files, const JobRegistry& jobs) {
  log::configure({.level = log::Level::error, .format = log::Format::text});
  let_signals_through();
  const MigrationReportFile report(files.report);
  report.add(kMigrationHello);
  Failure refusal;
  try {
    migrate(files, jobs, report);
    return number_of(ExitCode::done);
  } catch (const Error& error) {  // a border: whoever asked is told
    refusal = error.failure();
  } catch (const std::exception& error) {
    refusal = {ErrorCode::internal, tenure::text_of(error)};
  }
  report.add(refusal_line(refusal));
  return number_of(exit_code_of(refusal.code));
}

}  // namespace tenure::daemon
