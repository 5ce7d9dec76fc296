#include "listing.hpp"
#include "nouns.hpp"

#include <tenure/base/text.hpp>
#include <tenure/tenancy/graveyard.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <fmt/format.h>

// A tenant that was deleted comes back, as a new generation with what its file held.
namespace tenure::cli {
namespace {

using queue::DeletionRecord;
using queue::DeletionStep;

struct Buried {
  DeletionRecord deletion;
  TenantRecord newest;
};

[[noreturn]] void refuse_unburied(const TenantName& name, const std::optional<TenantRecord>& newest) {
  if (!newest)
    raise(ErrorCode::tenant_does_not_exist, "there is no tenant " + name.text() + "; see tenure tenant list",
          name.text());
  raise(ErrorCode::record_not_found,
        fmt::format("nothing of {} lies in the graveyard; it is {}", name.text(), name_of(newest->state)),
        name.text());
}

Buried find_buried(Session& session, const TenantName& name) {
  std::optional<DeletionRecord> deletion;
  std::optional<TenantRecord> newest;
  session.readable_store().read([&](queue::JobReader& reader) {
    deletion = reader.open_deletion(name);
    if (const auto summary = reader.tenant(name)) newest = summary->tenant;
  });
  if (!deletion || !newest) refuse_unburied(name, newest);
  if (deletion->step == DeletionStep::draining)
    raise(ErrorCode::state_changed,
          fmt::format("the deletion of {0} is under way; first it goes to its end: tenure tenant delete {0}",
                      name.text()),
          name.text());
  if (newest->state != TenantState::deleted && newest->state != TenantState::provisioning)
    raise(ErrorCode::tenant_exists,
          fmt::format("there is a tenant {} already; it is {}, generation {}", name.text(),
                      name_of(newest->state), newest->generation.value),
          name.text());
  if (deletion->erase_at && *deletion->erase_at <= session.now())
    raise(ErrorCode::state_changed,
          fmt::format("the time in which {} could be taken back was over at {}", name.text(),
                      to_rfc3339(*deletion->erase_at)),
          name.text());
  return {*std::move(deletion), *std::move(newest)};
}

std::string taken_back_json(const TenantRecord& tenant, const DeletionRecord& deletion) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.tenant.undelete/1").key("item").begin_object();
  write_text(writer, "name", tenant.name.text());
  writer.key("generation").integer(tenant.generation.value).key("state").string(name_of(tenant.state));
  writer.key("deleted_generation").integer(deletion.tenant.generation.value);
  writer.end_object().end_object();
  return out;
}

}  // namespace

ExitCode tenant_undelete(Session& session) {
  const TenantName name = value_or_raise(TenantName::parse(session.words().front()));
  const Buried buried = find_buried(session, name);
  const Generation generation = buried.deletion.tenant.generation;
  const config::Settings& settings = session.settings();
  const Graveyard graveyard(TenantFiles(settings.tenants.path), settings.application.name);
  if (!graveyard.has(name, generation))
    raise(ErrorCode::tenant_does_not_exist,
          fmt::format("{} does not lie in the graveyard, where the database of {} was put",
                      graveyard.path_for(name, generation).string(), name.text()),
          name.text());
  if (session.has("dry-run")) {
    session.note(fmt::format("would take back {}, generation {}, {}", name.text(), generation.value,
                             bytes_text(buried.deletion.size_bytes, session.style())));
    return ExitCode::done;
  }
  const TenantRecord tenant =
      graveyard.take_back(name, generation, session.registry(), session.environment().clock);
  // The copy is on disk, and where this is interrupted the rest of the old one goes at its time.
  static_cast<void>(graveyard.erase(name, generation));
  session.change([&](queue::StoreWriter& writer) {
    value_or_raise(writer.end_deletion(buried.deletion.tenant.number, DeletionStep::taken_back));
    return Changed{1, fmt::format("{}, generation {}, of generation {}", name.text(), tenant.generation.value,
                                  generation.value)};
  });
  session.wake();
  if (session.json()) session.print_json(taken_back_json(tenant, buried.deletion));
  else
    session.print(
        fmt::format("{} is {} again, generation {}, with the database of generation {}; the jobs that "
                    "were cancelled stay so\n",
                    name.text(), name_of(tenant.state), tenant.generation.value, generation.value));
  return ExitCode::done;
}

}  // namespace tenure::cli
