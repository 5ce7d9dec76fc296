#include "listing.hpp"
#include "nouns.hpp"

#include <tenure/base/text.hpp>
#include <tenure/tenancy/stamp_change.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <fmt/format.h>

#include <string_view>

// What an operator sets of a tenant: whether it may be written.
namespace tenure::cli {
namespace {

constexpr std::string_view kReadOnly = "read_only";

// "read_only=true".
bool wanted_read_only(std::string_view word) {
  const auto equals = word.find('=');
  const std::string_view value = equals == std::string_view::npos ? "" : word.substr(equals + 1);
  if (word.substr(0, equals) == kReadOnly && (value == "true" || value == "false")) return value == "true";
  raise(ErrorCode::bad_options,
        fmt::format("'{}' is nothing that can be set; read_only=true and read_only=false are",
                    escaped(word, 64)));
}

TenantRecord known_tenant(Session& session, const TenantName& name) {
  std::optional<queue::TenantSummary> summary;
  session.readable_store().read([&](queue::JobReader& reader) { summary = reader.tenant(name); });
  if (!summary)
    raise(ErrorCode::tenant_does_not_exist, "there is no tenant " + name.text() + "; see tenure tenant list");
  return summary->tenant;
}

bool is_at_work(TenantState state) {
  return state == TenantState::active || state == TenantState::read_only || state == TenantState::paused;
}

// The stamp is what writers ask: closed first and opened last, so that an interruption lets nobody write. One that is not at work is the
// registry's to refuse, before its file is touched.
void set_read_only(Session& session, const TenantRecord& tenant, bool is_read_only, TenantState& before) {
  const config::Settings& settings = session.settings();
  const TenantFiles files(settings.tenants.path);
  const StampExpectation expected{
      .tenant = tenant.name, .generation = tenant.generation, .application = settings.application.name};
  const bool is_stamp_first = is_read_only && is_at_work(tenant.state);
  if (is_stamp_first) set_stamp_read_only(files, expected, true);
  else if (is_at_work(tenant.state)) require_stamp_settable(files, expected);
  session.change([&](queue::StoreWriter& writer) {
    before = value_or_raise(writer.set_read_only(tenant.name, is_read_only));
    return Changed{1, fmt::format("{}, generation {}, {}={}", tenant.name.text(), tenant.generation.value,
                                  kReadOnly, is_read_only)};
  });
  if (!is_stamp_first) set_stamp_read_only(files, expected, is_read_only);
  session.wake();  // what starts may write by now
}

void print_set(Session& session, const TenantRecord& tenant, bool is_read_only, TenantState before) {
  const bool is_paused = before == TenantState::paused;
  if (!session.json()) {
    session.print(fmt::format("{} {}{}\n", tenant.name.text(),
                              is_read_only
                                  ? "is read-only: its jobs are held, and nobody writes to its database"
                                  : "may be written again",
                              is_paused ? "; it is paused, and its jobs wait until it is resumed" : ""));
    return;
  }
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.tenant.set/1");
  write_text(writer, "name", tenant.name.text());
  writer.key(kReadOnly).boolean(is_read_only).key("was").string(name_of(before)).end_object();
  session.print_json(out);
}

}  // namespace

ExitCode tenant_set(Session& session) {
  const TenantName name = value_or_raise(TenantName::parse(session.words()[0]));
  const bool is_read_only = wanted_read_only(session.words()[1]);
  const TenantRecord tenant = known_tenant(session, name);
  if (session.has("dry-run")) {
    session.note(fmt::format("would set {}={} of {}, which is {}", kReadOnly, is_read_only, name.text(),
                             name_of(tenant.state)));
    return ExitCode::done;
  }
  TenantState before = tenant.state;
  set_read_only(session, tenant, is_read_only, before);
  print_set(session, tenant, is_read_only, before);
  return ExitCode::done;
}

}  // namespace tenure::cli
