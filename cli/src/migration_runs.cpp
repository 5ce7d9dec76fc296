#include "migration_runs.hpp"

#include "worker_program.hpp"

#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>
#include <tenure/cli/program_run.hpp>
#include <tenure/tenancy/migrations.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace tenure::cli {
namespace {

// SQL alone, with a word to whoever has not named the program that some step wants.
class OwnRunner final : public MigrationRunner {
 public:
  explicit OwnRunner(const Clock& clock) : clock_(clock) {}

  void run(const MigrationRequest& request, FunctionRef<void(const TenantResult&)> on_result) override {
    const TenantMigrations migrations{read_migrations(request.migrations)};
    HandleCache handles(
        TenantFiles{request.tenants_path},
        {.descriptors_max = static_cast<int>(request.descriptors_max), .application = request.application});
    migrate_tenants(handles, migrations, clock_, request.tenants, request.options, [&](TenantResult result) {
      if (result.failure && result.failure->code == ErrorCode::bad_configuration)
        result.failure->message += "; name the worker program: --program FILE";
      on_result(result);
    });
    handles.close_idle();
  }

 private:
  const Clock& clock_;
};

class ProgramRunner final : public MigrationRunner {
 public:
  ProgramRunner(Session& session, std::filesystem::path scratch)
      : session_(session), program_(worker_program_of(session)), scratch_(std::move(scratch)) {
    session_.environment().hold_ends();
  }

  void run(const MigrationRequest& request, FunctionRef<void(const TenantResult&)> on_result) override {
    const std::filesystem::path request_file = scratch_ / "request.json";
    const std::filesystem::path report_file = scratch_ / "report.jsonl";
    std::filesystem::remove(report_file);
    write_scratch_file(request_file, request_text(request));
    const ProgramEnd end = session_.environment().run_program(start(request_file, report_file));
    const MigrationReport report = report_in(report_file);
    for (const TenantResult& result : report.results) on_result(result);
    refuse_early_end(end, report, request.tenants.size());
  }

 private:
  [[nodiscard]] ProgramStart start(const std::filesystem::path& request,
                                   const std::filesystem::path& report) const {
    ProgramStart start{.command = {program_.string()}, .variables = {}, .data_as_messages = true};
    for (const auto& [name, value] : session_.environment().variables)
      if (!name.starts_with("TENURE_WORKER_")) start.variables.push_back(fmt::format("{}={}", name, value));
    start.variables.emplace_back(kNoWorkerSocket);
    start.variables.push_back(fmt::format("{}={}", kMigrationRequestVariable, request.string()));
    start.variables.push_back(fmt::format("{}={}", kMigrationReportVariable, report.string()));
    start.has_said_hello = [report] { return std::filesystem::exists(report); };
    return start;
  }

  static MigrationReport report_in(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    return value_or_raise(read_migration_report(text));
  }

  // What was done stays done; the rest is for the same command again.
  void refuse_early_end(const ProgramEnd& end, const MigrationReport& report, std::size_t tenants) const {
    if (end.why == ProgramEnd::Why::cannot_start)
      refuse_worker_program(program_, "cannot be started: " + system_text(end.error));
    if (report.refusal) raise(*report.refusal);
    if (report.results.size() == tenants) return;
    if (end.why == ProgramEnd::Why::silent)
      refuse_worker_program(
          program_, fmt::format("has not come to worker_main within {} s, and was ended", kHelloMax.count()));
    if (!report.has_begun)
      refuse_worker_program(program_,
                            fmt::format("ended ({}) without a word of worker_main: it is no worker program "
                                        "of Tenure, or one of a version that knows no migrations",
                                        text_of(end.exit)));
    raise(ErrorCode::interrupted,
          fmt::format(
              "the program ended ({}) when it had told of {} of {} tenants; the same command goes on where "
              "it was",
              text_of(end.exit), report.results.size(), tenants));
  }

  Session& session_;
  const std::filesystem::path program_;
  const std::filesystem::path scratch_;
};

}  // namespace

std::filesystem::path scratch_parent(const Environment& environment) {
  const std::string_view named = variable(environment, "TMPDIR");
  return named.empty() ? "/tmp" : named;
}

std::unique_ptr<MigrationRunner> migration_runner(Session& session, const std::filesystem::path& scratch) {
  if (session.has("program")) return std::make_unique<ProgramRunner>(session, scratch);
  return std::make_unique<OwnRunner>(session.environment().clock);
}

}  // namespace tenure::cli
