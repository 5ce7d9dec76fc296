#include <tenure/base/error.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/jobs/registry.hpp>
#include <tenure/queue/tenant_schema.hpp>

namespace tenure {

void JobRegistry::add_runner(std::string_view kind, const Runner& runner, const JobOptions& options) {
  check_kind(kind);
  if (kind == queue::kMigrateKind)
    raise(ErrorCode::bad_options, "kind \"" + std::string{kind} + "\" is Tenure's own");
  if (kinds_.size() == limits::kProgramKindsMax)
    raise(ErrorCode::bad_options, "a worker program has at most " + std::to_string(limits::kProgramKindsMax) +
                                      " kinds, aliases included; \"" + std::string{kind} +
                                      "\" is one too many");
  const Entry entry{runner,
                    options.queue,
                    options.time_limit,
                    {options.errors, options.backoff, options.retry_for},
                    options.keep_result,
                    options.schema,
                    options.reads_only};
  if (!kinds_.emplace(kind, entry).second)
    raise(ErrorCode::bad_options, "kind \"" + std::string{kind} + "\" has a handler already");
}

void JobRegistry::add_migration(std::string step, MigrationCode code) {
  if (const auto [known, is_new] = codes_.try_emplace(std::move(step), std::move(code)); !is_new)
    raise(ErrorCode::bad_options, "the migration \"" + known->first + "\" has code already");
}

const JobRegistry::Runner* JobRegistry::find(std::string_view kind) const {
  const auto found = kinds_.find(kind);
  return found == kinds_.end() ? nullptr : &found->second.runner;
}

const detail::FailurePolicy& JobRegistry::policy(std::string_view kind) const {
  const auto found = kinds_.find(kind);
  TENURE_INVARIANT(found != kinds_.end());
  return found->second.policy;
}

std::chrono::milliseconds JobRegistry::keep_result(std::string_view kind) const {
  const auto found = kinds_.find(kind);
  TENURE_INVARIANT(found != kinds_.end());
  return found->second.keep_result;
}

std::optional<SchemaRange> JobRegistry::schema(std::string_view kind) const {
  const auto found = kinds_.find(kind);
  return found == kinds_.end() ? std::nullopt : found->second.schema;
}

bool JobRegistry::reads_only(std::string_view kind) const {
  const auto found = kinds_.find(kind);
  return found != kinds_.end() && found->second.reads_only;
}

std::vector<JobRegistry::Kind> JobRegistry::kinds() const {
  std::vector<Kind> kinds;
  kinds.reserve(kinds_.size());
  for (const auto& [name, entry] : kinds_)
    kinds.push_back({name, entry.queue, entry.time_limit, entry.schema, entry.reads_only});
  return kinds;
}

}  // namespace tenure
