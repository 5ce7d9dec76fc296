#include "listing.hpp"
#include "migration_runs.hpp"
#include "nouns.hpp"
#include "progress.hpp"
#include "scratch_folder.hpp"
#include "tenants.hpp"
#include "written_tenants.hpp"

#include <tenure/base/text.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/migrations.hpp>
#include <tenure/tenancy/schema_fingerprint.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/tenancy/tenant_migration.hpp>

#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

// `tenure tenant check`: how far the fleet is, and whose tables are not those of its migrations.
namespace tenure::cli {
namespace {

struct CheckedTenant {
  std::string name;
  std::int64_t schema = 0;
  std::string fingerprint = {};
  std::string finding = {};
};

struct CheckedFleet {
  std::map<std::int64_t, std::int64_t> versions;  // how many tenants have had so many migrations
  std::vector<CheckedTenant> found = {};
  std::int64_t looked_at = 0;
};

class FleetCheck {
 public:
  explicit FleetCheck(Session& session)
      : session_(session),
        steps_(steps_of(session.settings())),
        handles_(TenantFiles(session.settings().tenants.path),
                 {.descriptors_max = static_cast<int>(session.settings().tenants.descriptors_max),
                  .application = session.settings().application.name}) {
    if (session.is_offline())
      raise(ErrorCode::bad_options, "check opens the tenants' databases, which lie beside no copy");
  }

  ExitCode run() {
    const ScratchFolder scratch(scratch_parent(session_.environment()));
    expected_ = schemas_of_steps(steps_, scratch.path());
    const TenantFilter filter(session_);
    const auto tenants = tenants_where(session_, [&](queue::TenantSummary& tenant) {
      return tenant.tenant.state != TenantState::provisioning && filter.matches(tenant);
    });
    Progress progress(session_, number_text);
    for (const queue::TenantSummary& tenant : tenants) {
      look_at(tenant.tenant);
      progress.show(++fleet_.looked_at, std::ssize(tenants));
    }
    tell();
    return fleet_.found.empty() ? ExitCode::done : ExitCode::refused;
  }

 private:
  static std::vector<sqlite::Migration> steps_of(const config::Settings& settings) {
    if (settings.tenants.migrations.empty()) return {};
    return read_migrations(settings.tenants.migrations);
  }

  // An item of a batch: one that cannot be opened is a finding.
  void look_at(const TenantRecord& tenant) {
    CheckedTenant checked{.name = tenant.name.text()};
    try {
      const TenantScope scope(tenant.name, tenant.generation);
      HandleLease lease =
          value_or_raise(handles_.acquire(tenant.name, tenant.generation, HandleAccess::read_only));
      const TenantSnapshot snapshot = lease->begin_read();
      checked.schema = tenant_schema_version(snapshot);
      const TenantSchema schema = tenant_schema(snapshot);
      checked.fingerprint = schema.fingerprint();
      checked.finding = finding_of(checked.schema, schema);
      ++fleet_.versions[checked.schema];
    } catch (const Error& error) {
      checked.finding = error.what();
    }
    handles_.close(tenant.name);
    if (!checked.finding.empty()) fleet_.found.push_back(std::move(checked));
  }

  [[nodiscard]] std::string finding_of(std::int64_t version, const TenantSchema& schema) const {
    if (version >= std::ssize(expected_))
      return fmt::format("it has had {} migrations, and the folder has {}", version, steps_.size());
    return schema_difference(schema, expected_[static_cast<std::size_t>(version)]).value_or("");
  }

  void tell() {
    if (session_.json()) return session_.print_json(json());
    std::vector<std::vector<std::string>> rows;
    for (const auto& [version, tenants] : fleet_.versions)
      rows.push_back({std::to_string(version), number_text(tenants, session_.style()), note_of(version)});
    if (!rows.empty())
      session_.print(
          table_text({{"SCHEMA", true}, {"TENANTS", true}, {"NOTE"}}, rows, session_.table_style()));
    rows.clear();
    for (const CheckedTenant& tenant : fleet_.found)
      rows.push_back({escaped(tenant.name), std::to_string(tenant.schema), escaped(tenant.finding)});
    if (!rows.empty())
      session_.print(table_text({{"TENANT", false, true}, {"SCHEMA", true}, {"FINDING", false, false, true}},
                                rows, session_.table_style()));
    session_.print(fmt::format("{}, {} with findings\n",
                               counted(fleet_.looked_at, "tenant", session_.style()),
                               number_text(std::ssize(fleet_.found), session_.style())));
  }

  [[nodiscard]] std::string note_of(std::int64_t version) const {
    if (version == std::ssize(steps_)) return "the newest";
    if (version > std::ssize(steps_)) return "newer than the folder";
    return fmt::format("next is {}", escaped(steps_[static_cast<std::size_t>(version)].name));
  }

  [[nodiscard]] std::string json() const {
    std::string out;
    json::Writer writer(out);
    writer.begin_object().key("schema").string("tenure.tenant.check/1");
    writer.key("newest").integer(std::ssize(steps_)).key("tenants").integer(fleet_.looked_at);
    writer.key("versions").begin_array();
    for (const auto& [version, tenants] : fleet_.versions)
      writer.begin_object().key("schema").integer(version).key("tenants").integer(tenants).end_object();
    writer.end_array().key("items").begin_array();
    for (const CheckedTenant& tenant : fleet_.found) {
      writer.begin_object();
      write_text(writer, "name", tenant.name);
      writer.key("schema").integer(tenant.schema).key("fingerprint").string(tenant.fingerprint);
      write_text(writer, "finding", tenant.finding);
      writer.end_object();
    }
    writer.end_array().end_object();
    return out;
  }

  Session& session_;
  const std::vector<sqlite::Migration> steps_;
  HandleCache handles_;
  std::vector<TenantSchema> expected_ = {};
  CheckedFleet fleet_;
};

}  // namespace

ExitCode tenant_check(Session& session) { return FleetCheck(session).run(); }

}  // namespace tenure::cli
