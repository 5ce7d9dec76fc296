#include "listing.hpp"
#include "nouns.hpp"

#include <tenure/base/text.hpp>
#include <tenure/tenancy/graveyard.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <fmt/format.h>

#include <charconv>

// A tenant that was deleted comes back, as a new generation with what its file held.
namespace tenure::cli {
namespace {

using queue::DeletionRecord;
using queue::DeletionStep;

struct Buried {
  DeletionRecord deletion;
  TenantRecord newest;
};

std::optional<Generation> wanted_generation(const Session& session) {
  if (!session.has("generation")) return std::nullopt;
  const std::string_view text = session.option("generation");
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 1)
    raise(ErrorCode::bad_options, fmt::format("--generation '{}' is no generation", escaped(text, 64)));
  return Generation{number};
}

[[noreturn]] void refuse_unburied(const TenantName& name, const std::optional<Generation>& wanted,
                                  const std::optional<TenantRecord>& newest) {
  if (newest && wanted)
    raise(ErrorCode::record_not_found,
          fmt::format("generation {} of {} does not lie in the graveyard; see tenure tenant graveyard {}",
                      wanted->value, name.text(), name.text()),
          name.text());
  if (!newest)
    raise(ErrorCode::tenant_does_not_exist, "there is no tenant " + name.text() + "; see tenure tenant list",
          name.text());
  raise(ErrorCode::record_not_found,
        fmt::format("nothing of {} lies in the graveyard; it is {}", name.text(), name_of(newest->state)),
        name.text());
}

bool is_live(const TenantRecord& tenant) {
  return tenant.state != TenantState::deleted && tenant.state != TenantState::provisioning;
}

// One that was interrupted behind its end, or whose name somebody else has taken since: what lies in the graveyard goes in its time.
void give_up(Session& session, const DeletionRecord& deletion) {
  session.change([&](queue::StoreWriter& writer) {
    const bool was_open = writer.give_up_taking_back(deletion.tenant.number).has_value();
    return Changed{was_open ? 1 : 0, fmt::format("{}, generation {}, given up", deletion.tenant.name.text(),
                                                 deletion.tenant.generation.value)};
  });
  const config::Settings& settings = session.settings();
  Graveyard(TenantFiles(settings.tenants.path), settings.application.name)
      .remove_lock_of_interrupted(deletion.tenant.name);
}

Buried find_buried(Session& session, const TenantName& name) {
  const std::optional<Generation> wanted = wanted_generation(session);
  std::optional<DeletionRecord> deletion;
  std::optional<TenantRecord> newest;
  session.readable_store().read([&](queue::JobReader& reader) {
    deletion = reader.open_deletion(name, wanted);
    if (const auto summary = reader.tenant(name)) newest = summary->tenant;
  });
  if (!deletion || !newest) refuse_unburied(name, wanted, newest);
  if (deletion->step == DeletionStep::draining)
    raise(ErrorCode::state_changed,
          fmt::format("the deletion of {0} is under way; first it goes to its end: tenure tenant delete {0}",
                      name.text()),
          name.text());
  if (deletion->step == DeletionStep::erasing)
    raise(
        ErrorCode::state_changed,
        fmt::format("the time in which {} could be taken back is over, and it is being erased", name.text()),
        name.text());
  if (is_live(*newest)) {
    if (deletion->step == DeletionStep::taking_back && !session.has("dry-run")) give_up(session, *deletion);
    raise(ErrorCode::tenant_exists,
          fmt::format("there is a tenant {} already; it is {}, generation {}", name.text(),
                      name_of(newest->state), newest->generation.value),
          name.text());
  }
  if (deletion->step == DeletionStep::buried && deletion->erase_at && *deletion->erase_at <= session.now())
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
  // Opens the control database for writing: an interrupted run may have left a log that nobody who only looks can read.
  if (!session.has("dry-run")) session.change([](queue::StoreWriter&) { return Changed{}; });
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
  // From here on nobody erases it.
  session.change([&](queue::StoreWriter& writer) {
    value_or_raise(
        writer.begin_taking_back(buried.deletion.tenant.number, session.environment().clock.wall()));
    return Changed{1, fmt::format("{}, generation {}, {}", name.text(), generation.value,
                                  name_of(DeletionStep::taking_back))};
  });
  const TenantRecord tenant =
      graveyard.take_back(name, generation, session.registry(), session.environment().clock);
  // The copy is on disk.
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
