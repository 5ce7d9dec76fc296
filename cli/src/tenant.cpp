#include "listing.hpp"
#include "nouns.hpp"
#include "pauses.hpp"
#include "tenant_migrations.hpp"
#include "tenants.hpp"
#include "written_tenants.hpp"

#include <tenure/base/text.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/migrations.hpp>
#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <fmt/format.h>

#include <array>

namespace tenure::cli {
namespace {

using queue::TenantSummary;

constexpr std::size_t kPage = 1000;

template <std::int64_t TenantSummary::*kMember>
std::string number(const TenantSummary& tenant, const ShowStyle& style) {
  return number_text(tenant.*kMember, style);
}

constexpr std::array kTenantColumns{
    ListColumn<TenantSummary>{
        "name", "TENANT",
        [](const TenantSummary& t, const ShowStyle&) { return escaped(t.tenant.name.text()); }, false, true},
    ListColumn<TenantSummary>{
        "generation", "GEN",
        [](const TenantSummary& t, const ShowStyle&) { return std::to_string(t.tenant.generation.value); },
        true},
    ListColumn<TenantSummary>{
        "state", "STATE",
        [](const TenantSummary& t, const ShowStyle&) { return std::string(name_of(t.tenant.state)); }},
    ListColumn<TenantSummary>{"ready", "READY", number<&TenantSummary::ready>, true},
    ListColumn<TenantSummary>{"held", "HELD", number<&TenantSummary::held>, true},
    ListColumn<TenantSummary>{"running", "RUNNING", number<&TenantSummary::running>, true},
    ListColumn<TenantSummary>{"dead", "DEAD", number<&TenantSummary::dead>, true},
    ListColumn<TenantSummary>{
        "oldest", "OLDEST",
        [](const TenantSummary& t, const ShowStyle& s) { return age_text(t.oldest_ready, s); }, true},
    ListColumn<TenantSummary>{
        "created", "CREATED",
        [](const TenantSummary& t, const ShowStyle& s) { return time_text(t.tenant.created, s); }, false,
        false, false},
    ListColumn<TenantSummary>{
        "written", "WRITTEN",
        [](const TenantSummary& t, const ShowStyle& s) { return time_text(t.written, s); }, false, false,
        false},
    ListColumn<TenantSummary>{"migrated", "MIGRATED",
                              [](const TenantSummary& t, const ShowStyle& s) {
                                return t.migration ? migration_text(*t.migration, s) : std::string("-");
                              },
                              false, false, false},
    ListColumn<TenantSummary>{"note", "NOTE",
                              [](const TenantSummary& t, const ShowStyle& s) {
                                if (const auto failed = failed_migration(t.tenant, t.migration))
                                  return text_of_failed(*failed);
                                return t.pause ? pause_text(*t.pause, s) : std::string("-");
                              }},
};

constexpr std::string_view kWritten = "written";
constexpr std::array<std::string_view, 7> kTenantSortFields{"name", "ready",  "held",  "running",
                                                            "dead", "oldest", kWritten};

bool names_column(const Session& session, std::string_view name) {
  const auto words = split(session.option("columns"), ',');
  return std::ranges::find(words, name) != words.end();
}

void write_tenant(json::Writer& writer, const TenantSummary& tenant, WallTime now) {
  writer.begin_object();
  write_tenant_members(writer, tenant, now);
  if (tenant.written) write_time(writer, kWritten, tenant.written);
  writer.end_object();
}

std::int64_t sort_key(const TenantSummary& tenant, std::string_view field, WallTime now) {
  if (field == "ready") return tenant.ready;
  if (field == "held") return tenant.held;
  if (field == "running") return tenant.running;
  if (field == "dead") return tenant.dead;
  if (field == kWritten) return tenant.written ? to_us(*tenant.written) : -1;
  return tenant.oldest_ready ? (now - *tenant.oldest_ready).count() : -1;
}

void sort(std::vector<TenantSummary>& tenants, const SortOrder& order, WallTime now) {
  std::stable_sort(tenants.begin(), tenants.end(), [&](const TenantSummary& a, const TenantSummary& b) {
    const TenantSummary& low = order.descending ? b : a;
    const TenantSummary& high = order.descending ? a : b;
    if (order.field == "name") return low.tenant.name < high.tenant.name;
    return sort_key(low, order.field, now) < sort_key(high, order.field, now);
  });
}

// What making tenants needs, kept together for the length of one command.
struct Maker {
  HandleCache handles;
  Tenants tenants;

  Maker(const config::Settings& settings, TenantRegistry& registry, const Clock& clock)
      : handles(TenantFiles(settings.tenants.path),
                {.descriptors_max = static_cast<int>(settings.tenants.descriptors_max),
                 .wait_max = settings.tenants.handle_wait,
                 .application = settings.application.name}),
        tenants(registry, handles, clock,
                {.application = settings.application.name, .migrations = migrations(settings)}) {}

  static std::vector<sqlite::Migration> migrations(const config::Settings& settings) {
    if (settings.tenants.migrations.empty()) return {};
    return read_migrations(settings.tenants.migrations);
  }
};

std::string created_json(const std::vector<TenantRecord>& made) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.tenant.create/1").key("items").begin_array();
  for (const TenantRecord& tenant : made) {
    writer.begin_object()
        .key("name")
        .string(tenant.name.text())
        .key("generation")
        .integer(tenant.generation.value);
    writer.key("state").string(name_of(tenant.state)).end_object();
  }
  writer.end_array().end_object();
  return out;
}

}  // namespace

std::vector<TenantSummary> tenants_where(Session& session, FunctionRef<bool(TenantSummary&)> is_wanted) {
  std::vector<TenantSummary> wanted;
  std::optional<TenantName> after;
  while (true) {
    std::vector<TenantSummary> page;
    session.readable_store().read([&](queue::JobReader& reader) { page = reader.tenants(after, kPage); });
    if (!page.empty()) after = page.back().tenant.name;
    const bool last = page.size() < kPage;
    for (TenantSummary& tenant : page)
      if (is_wanted(tenant)) wanted.push_back(std::move(tenant));
    if (last) return wanted;
  }
}

void write_tenant_members(json::Writer& writer, const TenantSummary& tenant, WallTime now) {
  write_text(writer, "name", tenant.tenant.name.text());
  writer.key("generation")
      .integer(tenant.tenant.generation.value)
      .key("state")
      .string(name_of(tenant.tenant.state));
  write_time(writer, "created", tenant.tenant.created);
  writer.key("ready")
      .integer(tenant.ready)
      .key("held")
      .integer(tenant.held)
      .key("running")
      .integer(tenant.running);
  writer.key("dead").integer(tenant.dead);
  write_time(writer, "oldest_ready", tenant.oldest_ready);
  writer.key("oldest_ms");
  if (tenant.oldest_ready)
    writer.integer(std::chrono::floor<std::chrono::milliseconds>(now - *tenant.oldest_ready).count());
  else writer.null();
  writer.key("pause");
  if (tenant.pause) write_pause(writer, *tenant.pause);
  else writer.null();
  write_migration(writer, tenant.migration);
}

ListWords tenant_words() {
  return {queue::tenant_filter_fields(), kTenantSortFields, column_names<TenantSummary>(kTenantColumns)};
}

ExitCode tenant_list(Session& session) {
  TenantFilter filter(session);
  const auto order = sort_order(session, kTenantSortFields);
  const std::size_t limit = session.limit();
  if ((order && order->field == kWritten) || names_column(session, kWritten)) filter.look_at_files();
  std::vector<TenantSummary> tenants =
      tenants_where(session, [&](TenantSummary& tenant) { return filter.matches(tenant); });
  sort(tenants, order.value_or(SortOrder{"name"}), session.now());
  const ListTotal total = take_page(session, limit, "tenant", tenants, [](const TenantSummary& tenant) {
    return std::string(tenant.tenant.name.text());
  });
  return print_list<TenantSummary>(session, "tenure.tenant.list/1", {"tenant", "tenants"}, kTenantColumns,
                                   tenants, total, write_tenant);
}

ExitCode tenant_create(Session& session) {
  std::vector<TenantName> names;  // all are checked before the first is made
  for (const std::string& word : session.words()) names.push_back(value_or_raise(TenantName::parse(word)));
  const config::Settings& settings = session.settings();
  Maker maker(settings, session.registry(), session.environment().clock);
  std::vector<TenantRecord> made;
  const auto report = [&] {
    if (session.json()) return session.print_json(created_json(made));
    for (const TenantRecord& tenant : made)
      session.print(fmt::format("created {}, generation {}, {}\n", tenant.name.text(),
                                tenant.generation.value, name_of(tenant.state)));
  };
  for (const TenantName& name : names) {
    try {
      made.push_back(maker.tenants.create(name));
    } catch (const Error&) {
      if (!made.empty()) report();  // those before it are there
      throw;
    }
  }
  report();
  return ExitCode::done;
}

}  // namespace tenure::cli
