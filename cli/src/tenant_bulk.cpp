#include "tenant_bulk.hpp"

#include "filter_text.hpp"
#include "listing.hpp"
#include "progress.hpp"
#include "tenants.hpp"
#include "written_tenants.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

namespace tenure::cli {
namespace {

using queue::TenantSummary;

constexpr std::size_t kTenantBatch = 500;
constexpr std::size_t kTenantSample = 5;

// No name has one of them in it.
bool is_filter(std::span<const std::string> words) {
  return std::ranges::any_of(words,
                             [](const std::string& word) { return word.find('=') != std::string::npos; });
}

bool is_left_out(ErrorCode code) {
  return code == ErrorCode::state_changed || code == ErrorCode::tenant_not_ready ||
         code == ErrorCode::tenant_deleted || code == ErrorCode::tenant_does_not_exist;
}

std::string subject_of(std::string_view tenants, std::string_view detail) {
  return detail.empty() ? std::string(tenants) : fmt::format("{}: {}", tenants, detail);
}

TenantsDone act_on_named(Session& session, TenantAct act, std::string_view detail) {
  std::vector<TenantName> names;
  for (const std::string& word : session.words()) names.push_back(value_or_raise(TenantName::parse(word)));
  TenantsDone result;
  session.change([&](queue::StoreWriter& writer) {
    result.done.clear();
    for (const TenantName& name : names) result.done.push_back({name, value_or_raise(act(writer, name))});
    return Changed{std::ssize(names),
                   subject_of(fmt::format("{}", fmt::join(session.words(), ", ")), detail)};
  });
  return result;
}

void act_on_batch(Session& session, TenantAct act, std::span<const TenantSummary> tenants,
                  const std::string& subject, TenantsDone& result) {
  const std::size_t done_before = result.done.size();
  const std::int64_t skipped_before = result.skipped;
  session.change([&](queue::StoreWriter& writer) {
    result.done.resize(done_before, TenantDone{tenants.front().tenant.name});
    result.skipped = skipped_before;
    for (const TenantSummary& tenant : tenants) {
      auto acted = act(writer, tenant.tenant.name);
      if (acted) result.done.push_back({tenant.tenant.name, *acted});
      else if (is_left_out(acted.error().code)) ++result.skipped;
      else raise(std::move(acted.error()));
    }
    return Changed{std::ssize(result.done) - static_cast<std::int64_t>(done_before), subject};
  });
  session.wake();
}

void show_sample_of(Session& session, const TenantVerb& verb, std::span<const TenantSummary> tenants) {
  session.note(fmt::format(
      "{} to {}, the first of them:", counted(std::ssize(tenants), "tenant", session.style()), verb.to_do));
  for (const TenantSummary& tenant : tenants.first(std::min(kTenantSample, tenants.size())))
    session.note(fmt::format("  {}  {}", escaped(tenant.tenant.name.text()), name_of(tenant.tenant.state)));
}

bool is_agreed(Session& session, const TenantVerb& verb, std::int64_t count) {
  if (session.has("yes")) return true;
  const auto answer = session.ask(verb.question);
  if (!answer)
    raise(ErrorCode::bad_options,
          fmt::format("{} match{}: say --yes to {} {}, since nobody can be asked here",
                      counted(count, "tenant", session.style()), count == 1 ? "es" : "", verb.to_do,
                      count == 1 ? "it" : "them"));
  if (!*answer) session.note("nothing was changed");
  return *answer;
}

TenantsDone act_on_found(Session& session, const TenantVerb& verb, TenantAct act, std::string_view detail) {
  const TenantFilter filter(session);
  const auto tenants = tenants_where(
      session, [&](TenantSummary& tenant) { return verb.is_for(tenant) && filter.matches(tenant); });
  TenantsDone result{.is_filter = true, .is_dry_run = session.has("dry-run")};
  if (tenants.empty()) return result;
  show_sample_of(session, verb, tenants);
  if (result.is_dry_run) return result;
  result.is_refused = !is_agreed(session, verb, std::ssize(tenants));
  if (result.is_refused) return result;
  Progress progress(session, number_text);
  const std::string subject = subject_of(shell_text(session.words()), detail);
  const std::span all{tenants};
  for (std::size_t at = 0; at < all.size(); at += kTenantBatch) {
    act_on_batch(session, act, all.subspan(at, std::min(kTenantBatch, all.size() - at)), subject, result);
    progress.show(std::ssize(result.done) + result.skipped, std::ssize(all));
  }
  return result;
}

}  // namespace

TenantsDone act_on_tenants(Session& session, const TenantVerb& verb, TenantAct act, std::string_view detail) {
  if (is_filter(session.words())) return act_on_found(session, verb, act, detail);
  if (session.has("dry-run")) {
    for (const std::string& word : session.words())
      session.note(fmt::format("would {} {}", verb.to_do, value_or_raise(TenantName::parse(word)).text()));
    return {.is_dry_run = true};
  }
  TenantsDone result = act_on_named(session, act, detail);
  session.wake();
  return result;
}

}  // namespace tenure::cli
