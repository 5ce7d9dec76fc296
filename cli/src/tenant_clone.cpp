#include "listing.hpp"
#include "nouns.hpp"
#include "restorable_copy.hpp"

#include <tenure/base/text.hpp>
#include <tenure/tenancy/tenant_copy.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <fmt/format.h>

// A new tenant with what another one's database holds.
namespace tenure::cli {
namespace {

namespace fs = std::filesystem;

// The database itself, which others may write to, or a copy of it.
fs::path source_of(Session& session, const TenantName& name) {
  const config::Settings& settings = session.settings();
  if (session.has("copy")) {
    const fs::path path = path_of_copy(session.option("copy"));
    require_restorable(session, name, path, look_at_tenant_copy(path));
    return path;
  }
  std::optional<queue::TenantSummary> summary;
  session.readable_store().read([&](queue::JobReader& reader) { summary = reader.tenant(name); });
  if (!summary)
    raise(ErrorCode::tenant_does_not_exist, "there is no tenant " + name.text() + "; see tenure tenant list",
          name.text());
  const TenantRecord& tenant = summary->tenant;
  if (tenant.state == TenantState::deleted || tenant.state == TenantState::provisioning)
    raise(tenant.state == TenantState::deleted ? ErrorCode::tenant_deleted : ErrorCode::tenant_not_ready,
          fmt::format("{} is {}, so it has no database of which a clone could be made", name.text(),
                      name_of(tenant.state)),
          name.text());
  const TenantFiles files(settings.tenants.path);
  require_database_of(
      files, {.tenant = name, .generation = tenant.generation, .application = settings.application.name});
  return files.path_for(name);
}

}  // namespace

ExitCode tenant_clone(Session& session) {
  const TenantName name = value_or_raise(TenantName::parse(session.words()[0]));
  const TenantName clone = value_or_raise(TenantName::parse(session.words()[1]));
  if (!session.has("dry-run")) session.open_for_change();
  const fs::path source = source_of(session, name);
  if (session.has("dry-run")) {
    session.note(
        fmt::format("would make {} with a copy of {}", clone.text(), escaped(source.string(), 4096)));
    return ExitCode::done;
  }
  const config::Settings& settings = session.settings();
  const TenantRecord made = make_tenant_from_copy(session.registry(), TenantFiles(settings.tenants.path),
                                                  session.environment().clock, clone,
                                                  {.copy = source,
                                                   .origin = "clone:" + name.text(),
                                                   .receipts = ReceiptsOfCopy::forget,
                                                   .application = settings.application.name});
  session.wake();
  if (!session.json()) {
    session.print(fmt::format("created {}, generation {}, {}, with a copy of {}\n", clone.text(),
                              made.generation.value, name_of(made.state), name.text()));
    return ExitCode::done;
  }
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.tenant.clone/1").key("item").begin_object();
  write_text(writer, "name", clone.text());
  writer.key("generation").integer(made.generation.value).key("state").string(name_of(made.state));
  write_text(writer, "of", name.text());
  writer.end_object().end_object();
  session.print_json(out);
  return ExitCode::done;
}

}  // namespace tenure::cli
