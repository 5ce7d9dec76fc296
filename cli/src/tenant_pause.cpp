#include "listing.hpp"
#include "nouns.hpp"
#include "pauses.hpp"
#include "tenant_bulk.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

// Tenants that operators pause, and have go on.
namespace tenure::cli {
namespace {

using queue::NewPause;
using queue::PauseScope;
using queue::TenantSummary;

constexpr TenantVerb kPauseVerb{
    .to_do = "pause", .question = "Pause them?", .is_for = [](const TenantSummary& tenant) {
      const TenantState state = tenant.tenant.state;
      return state == TenantState::active || state == TenantState::read_only || state == TenantState::paused;
    }};
constexpr TenantVerb kResumeVerb{
    .to_do = "resume", .question = "Have them go on?", .is_for = [](const TenantSummary& tenant) {
      return tenant.tenant.state == TenantState::paused || tenant.pause.has_value();
    }};

void write_rest(json::Writer& writer, const TenantsDone& result) {
  writer.end_array().key("skipped").integer(result.skipped);
  writer.key("dry_run").boolean(result.is_dry_run).end_object();
}

std::string paused_json(const TenantsDone& result, const std::optional<WallTime>& until) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.tenant.pause/1").key("items").begin_array();
  for (const TenantDone& each : result.done) {
    writer.begin_object();
    write_text(writer, "name", each.tenant.text());
    write_time(writer, "until", until);
    writer.key("was_paused").boolean(each.was_so).end_object();
  }
  write_rest(writer, result);
  return out;
}

std::string resumed_json(const TenantsDone& result) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.tenant.resume/1").key("items").begin_array();
  for (const TenantDone& each : result.done) {
    writer.begin_object();
    write_text(writer, "name", each.tenant.text());
    writer.end_object();
  }
  write_rest(writer, result);
  return out;
}

std::string skipped_text(const TenantsDone& result, const ShowStyle& style) {
  return result.skipped == 0
             ? ""
             : fmt::format("; {} skipped (state changed)", number_text(result.skipped, style));
}

void print_paused_tenants(Session& session, const TenantsDone& result, const std::optional<WallTime>& until) {
  if (session.json()) return session.print_json(paused_json(result, until));
  if (result.is_dry_run) return;
  const std::string end = until_text_of(until, session.style());
  if (result.is_filter)
    return session.print(fmt::format("paused {}, {}{}\n",
                                     counted(std::ssize(result.done), "tenant", session.style()), end,
                                     skipped_text(result, session.style())));
  for (const TenantDone& each : result.done)
    session.print(fmt::format("paused tenant {}, {}{}\n", each.tenant.text(), end,
                              each.was_so ? "; it was paused already" : ""));
}

void print_resumed_tenants(Session& session, const TenantsDone& result) {
  if (session.json()) return session.print_json(resumed_json(result));
  if (result.is_dry_run) return;
  if (result.is_filter)
    return session.print(fmt::format("resumed {}{}\n",
                                     counted(std::ssize(result.done), "tenant", session.style()),
                                     skipped_text(result, session.style())));
  for (const TenantDone& each : result.done)
    session.print(fmt::format("tenant {} goes on\n", each.tenant.text()));
}

}  // namespace

ExitCode tenant_pause(Session& session) {
  const auto until = end_of_pause(session);
  NewPause pause{.scope = PauseScope::tenant,
                 .name = {},
                 .until = until,
                 .uid = session.who().uid,
                 .login = session.who().login,
                 .reason = std::string(session.option("reason"))};
  const auto act = [&](queue::StoreWriter& writer, const TenantName& name) -> Result<bool> {
    pause.name = name.text();
    auto is_new = writer.pause(pause, session.now());
    if (!is_new) return tl::unexpected(std::move(is_new.error()));
    return !*is_new;
  };
  const TenantsDone result =
      act_on_tenants(session, kPauseVerb, act, until ? "until " + to_rfc3339(*until) : std::string{});
  if (result.is_refused) return ExitCode::refused;
  print_paused_tenants(session, result, until);
  return ExitCode::done;
}

ExitCode tenant_resume(Session& session) {
  const bool is_named = std::ranges::none_of(
      session.words(), [](const auto& word) { return word.find('=') != std::string::npos; });
  const auto act = [&](queue::StoreWriter& writer, const TenantName& name) -> Result<bool> {
    if (writer.resume(PauseScope::tenant, name.text())) return false;
    if (is_named)
      throw Refused{"NotPaused", fmt::format("the tenant {} is not paused; tenure tenant list state=paused "
                                             "shows those that are",
                                             name.text())};
    return fail(ErrorCode::state_changed, "it is not paused");
  };
  const TenantsDone result = act_on_tenants(session, kResumeVerb, act, {});
  if (result.is_refused) return ExitCode::refused;
  print_resumed_tenants(session, result);
  return ExitCode::done;
}

}  // namespace tenure::cli
