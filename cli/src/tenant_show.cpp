#include "filter_text.hpp"
#include "job.hpp"
#include "nouns.hpp"
#include "pauses.hpp"
#include "tenant_migrations.hpp"
#include "tenant_outbox.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/lane_gate.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

// One tenant, from the control database alone: its file is not opened.
namespace tenure::cli {
namespace {

using queue::ShownState;
using queue::TenantSummary;

constexpr std::array kCountedStates{ShownState::scheduled, ShownState::blocked, ShownState::discarded,
                                    ShownState::cancelled};

struct StateCount {
  ShownState state = ShownState::ready;
  std::int64_t jobs = 0;
  bool capped = false;
};

struct ShownTenant {
  TenantSummary summary;
  std::vector<StateCount> counts;  // of the states that the summary has not
  std::optional<BehindFile> behind;
  std::optional<queue::DeletionRecord> deletion;
  std::optional<queue::TenantRestore> restore;
  std::vector<std::string> pools;  // that take it, as the last dispatcher has told
};

queue::Filter jobs_of(const TenantName& tenant, ShownState state) {
  using queue::FilterField;
  using queue::Glob;
  return {{{FilterField::tenant, false, {Glob{tenant.text(), true}}},
           {FilterField::state, false, {Glob{std::string(name_of(state)), true}}}}};
}

ShownTenant find_tenant(Session& session, const TenantName& name) {
  std::optional<ShownTenant> shown;
  session.readable_store().read([&](queue::JobReader& reader) {
    const auto summary = reader.tenant(name);
    if (!summary) return;
    shown = ShownTenant{.summary = *summary,
                        .counts = {},
                        .behind = behind_file(reader, name, summary->tenant.generation),
                        .deletion = reader.deletion(summary->tenant.number),
                        .restore = reader.tenant_restore(name),
                        .pools = {}};
    for (const queue::PoolRecord& pool : reader.pools())
      if (pool.tenants.takes(name.text())) shown->pools.push_back(pool.name);
    for (const ShownState state : kCountedStates) {
      const auto counted = reader.count_jobs(
          jobs_of(name, state), {.limit = static_cast<std::size_t>(kCountMax) + 1}, session.now());
      shown->counts.push_back({state, std::min(counted.count, kCountMax), counted.count > kCountMax});
    }
  });
  if (!shown)
    raise(ErrorCode::tenant_does_not_exist, "there is no tenant " + name.text() + "; see tenure tenant list");
  return std::move(*shown);
}

std::string deletion_text(const queue::DeletionRecord& deletion, const ShowStyle& style) {
  const std::string who =
      deletion.login.empty() ? fmt::format("uid {}", deletion.uid) : escaped(deletion.login);
  std::string text =
      fmt::format("{}, by {}, {}", name_of(deletion.step), who, full_time_text(deletion.begun, style));
  if (deletion.step == queue::DeletionStep::buried && deletion.erase_at)
    text += ", erased " + full_time_text(deletion.erase_at, style);
  return deletion.reason.empty() ? text : text + ": " + escaped(deletion.reason, 1024);
}

std::string restore_text(const queue::TenantRestore& restore, const ShowStyle& style) {
  return fmt::format("{} from a copy of {}, generation {}{}", full_time_text(restore.begun, style),
                     full_time_text(restore.copied, style), restore.copied_generation.value,
                     restore.is_open() ? ", under way or interrupted" : "");
}

void write_restore(json::Writer& writer, const queue::TenantRestore& restore) {
  writer.begin_object();
  write_time(writer, "begun", restore.begun);
  write_time(writer, "copied", restore.copied);
  writer.key("generation_before").integer(restore.before.generation.value);
  writer.key("copied_generation").integer(restore.copied_generation.value);
  writer.key("open").boolean(restore.is_open()).end_object();
}

void write_deletion(json::Writer& writer, const queue::DeletionRecord& deletion) {
  writer.begin_object().key("step").string(name_of(deletion.step));
  write_time(writer, "begun", deletion.begun);
  write_time(writer, "erase_at", deletion.erase_at);
  writer.key("size_bytes").integer(deletion.size_bytes).key("uid").integer(deletion.uid);
  write_text(writer, "login", deletion.login);
  write_text(writer, "reason", deletion.reason);
  writer.end_object();
}

std::string tenant_line(std::string_view name, std::string_view value) {
  return fmt::format("{:<9}{}\n", name, value);
}

// Why it is in its state, and what changes that.
std::string cause_lines(const ShownTenant& shown, const ShowStyle& style) {
  const TenantSummary& t = shown.summary;
  const std::string name = escaped(t.tenant.name.text());
  std::string out;
  if (shown.behind) {
    out += tenant_line("failed", text_of(*shown.behind));
    out += tenant_line("change", change_of_behind(t.tenant.name));
  } else if (const auto failed = failed_migration(t.tenant, t.migration)) {
    out += tenant_line("failed", text_of_failed(*failed));
    out += tenant_line("change", change_of_failed(t.tenant.name));
  }
  if (t.pause) {
    out += tenant_line("paused", pause_text(*t.pause, style));
    out += tenant_line("change", "tenure tenant resume " + name);
  }
  if (shown.restore) {
    out += tenant_line("restored", restore_text(*shown.restore, style));
    out += tenant_line("change", shown.restore->is_open() ? fmt::format("tenure tenant restore {} FILE", name)
                                                          : "tenure tenant reconcile " + name);
  }
  if (shown.deletion && !shown.deletion->is_restore) {
    out += tenant_line("deleted", deletion_text(*shown.deletion, style));
    if (shown.deletion->step == queue::DeletionStep::buried)
      out += tenant_line("undo", "tenure tenant undelete " + name);
  }
  return out;
}

std::string jobs_lines(const ShownTenant& shown, const ShowStyle& style) {
  const TenantSummary& t = shown.summary;
  std::string jobs =
      fmt::format("{} ready, {} held, {} running, {} dead", number_text(t.ready, style),
                  number_text(t.held, style), number_text(t.running, style), number_text(t.dead, style));
  for (const StateCount& each : shown.counts)
    jobs += fmt::format(", {} {}", count_text(each.jobs, each.capped, style), name_of(each.state));
  std::string out = tenant_line("jobs", jobs);
  if (t.oldest_ready) out += tenant_line("oldest", "due " + full_time_text(t.oldest_ready, style));
  if (t.held > 0)
    out +=
        tenant_line("held", fmt::format("why: tenure why {} state=held",
                                        shell_text(std::vector{exact_term("tenant", t.tenant.name.text())})));
  return out;
}

std::string shown_tenant_text(const ShownTenant& shown, const ShowStyle& style) {
  const TenantSummary& t = shown.summary;
  const queue::JobReason gate = queue::tenant_gate(t.tenant.state);
  std::string out = tenant_line(
      "tenant", fmt::format("{}, generation {}", escaped(t.tenant.name.text()), t.tenant.generation.value));
  out += tenant_line("state",
                     gate == queue::JobReason::none
                         ? std::string(name_of(t.tenant.state))
                         : fmt::format("{}: its jobs are held ({})", name_of(t.tenant.state), name_of(gate)));
  out += cause_lines(shown, style);
  out += tenant_line("created", full_time_text(t.tenant.created, style));
  if (!shown.pools.empty())
    out += tenant_line("pools", escaped(fmt::format("{}", fmt::join(shown.pools, ", "))));
  if (t.migration) out += tenant_line("migrated", migration_text(*t.migration, style));
  return out + jobs_lines(shown, style);
}

std::string shown_tenant_json(const ShownTenant& shown, WallTime now) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.tenant.show/1").key("item").begin_object();
  write_tenant_members(writer, shown.summary, now);
  for (const StateCount& each : shown.counts) writer.key(name_of(each.state)).integer(each.jobs);
  writer.key("failed_reason");
  const TenantSummary& t = shown.summary;
  if (shown.behind) writer.string(kFileBehind);
  else if (failed_migration(t.tenant, t.migration)) writer.string(kMigrationFailed);
  else writer.null();
  writer.key("deletion");
  if (shown.deletion) write_deletion(writer, *shown.deletion);
  else writer.null();
  writer.key("restore");
  if (shown.restore) write_restore(writer, *shown.restore);
  else writer.null();
  writer.key("pools").begin_array();
  for (const std::string& pool : shown.pools) writer.string(to_utf8(pool));
  writer.end_array().end_object().end_object();
  return out;
}

}  // namespace

ExitCode tenant_show(Session& session) {
  const TenantName name = value_or_raise(TenantName::parse(session.words().front()));
  const ShownTenant shown = find_tenant(session, name);
  if (session.json()) session.print_json(shown_tenant_json(shown, session.now()));
  else session.print(shown_tenant_text(shown, session.style()));
  return ExitCode::done;
}

}  // namespace tenure::cli
