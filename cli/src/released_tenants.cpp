#include "released_tenants.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/retry_rule.hpp>

#include <fmt/format.h>

#include <set>

namespace tenure::cli {
namespace {

using queue::FilterField;
using queue::JobRecord;

constexpr std::size_t kErrorShownMax = 300;  // bytes
constexpr std::size_t kJobsLooks = 1'000;    // of one tenant, the oldest: they are tried first

queue::FilterTerm term_of(FilterField field, const std::vector<std::string>& words) {
  queue::FilterTerm term{.field = field, .negated = false, .values = {}};
  for (const std::string& word : words) term.values.emplace_back(queue::Glob{word, true});
  return term;
}

queue::Filter ready_or_running() {
  queue::Filter filter;
  filter.terms.push_back(term_of(FilterField::state, {"ready", "running"}));
  return filter;
}

std::string error_of(const queue::AttemptRecord& attempt) {
  const std::string error = escaped(attempt.error, kErrorShownMax);
  return attempt.error_code ? fmt::format("{}: {}", name_of(*attempt.error_code), error) : error;
}

// Where the last that became of a job is that it was given back, for what keeps its tenant's other jobs waiting, too.
std::optional<Release> release_of(queue::JobReader& reader, const JobRecord& job, WallTime now) {
  if (job.releases == 0) return std::nullopt;
  const auto attempts = reader.attempts(job.seq);
  if (attempts.empty() || attempts.back().outcome != queue::AttemptOutcome::released ||
      !queue::pauses_tenant(attempts.back().error_code.value_or(ErrorCode::internal)) ||
      now - attempts.back().finished > kReleasedWithin)
    return std::nullopt;
  return Release{attempts.back().finished, error_of(attempts.back())};
}

}  // namespace

std::optional<Release> recent_release(queue::JobReader& reader, const TenantName& tenant, WallTime now) {
  queue::Filter filter = ready_or_running();
  filter.terms.push_back(term_of(FilterField::tenant, {std::string(tenant.text())}));
  const auto page =
      reader.list_jobs(filter, {.limit = kJobsLooks, .order = queue::ListOrder::oldest_first}, now);
  for (const JobRecord& job : page.jobs)
    if (auto release = release_of(reader, job, now)) return release;
  return std::nullopt;
}

std::vector<ReleasedTenant> released_tenants(queue::JobReader& reader, WallTime now) {
  std::set<std::string> candidates;
  static_cast<void>(reader.visit_jobs(ready_or_running(), {.limit = std::numeric_limits<std::size_t>::max()},
                                      now, [&](const JobRecord& job) {
                                        if (job.releases > 0 && job.tenant)
                                          candidates.emplace(job.tenant->text());
                                        return true;
                                      }));
  std::vector<ReleasedTenant> released;
  for (const std::string& name : candidates)
    if (auto release = recent_release(reader, TenantName(name), now))
      released.push_back({TenantName(name), std::move(*release)});
  return released;
}

}  // namespace tenure::cli
