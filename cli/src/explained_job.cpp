#include "explained_job.hpp"

#include "captures.hpp"
#include "pauses.hpp"
#include "tenant_migrations.hpp"

#include <tenure/queue/filter.hpp>
#include <tenure/queue/limit.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace tenure::cli {
namespace {

using queue::JobReason;
using queue::JobRecord;
using queue::ShownState;
using queue::WaitReason;

std::vector<queue::PauseRecord> pauses_of(queue::JobReader& reader, const JobRecord& record) {
  std::vector<queue::PauseRecord> pauses;
  if (record.finished || record.state == ShownState::running) return pauses;
  const auto all = reader.pauses();
  if (auto pause = pause_of(all, queue::PauseScope::queue, record.queue)) pauses.push_back(*std::move(pause));
  if (auto pause = pause_of(all, queue::PauseScope::kind, record.kind)) pauses.push_back(*std::move(pause));
  if (record.tenant && queue::tenant_gate(record.tenant_state) != JobReason::none)
    if (auto pause = reader.tenant_pause(*record.tenant)) pauses.push_back(*std::move(pause));
  return pauses;
}

std::vector<queue::LimitStanding> limits_in_the_way(queue::JobReader& reader, const JobRecord& record) {
  if (record.finished || record.state == ShownState::running) return {};
  auto limits = reader.limits_of(record);
  std::erase_if(limits, [](const queue::LimitStanding& each) { return each.gate() == JobReason::none; });
  return limits;
}

const queue::PauseRecord* pause_behind(const std::vector<queue::PauseRecord>& pauses, JobReason reason) {
  std::optional<queue::PauseScope> scope;
  if (reason == JobReason::tenant_paused) scope = queue::PauseScope::tenant;
  if (reason == JobReason::queue_paused) scope = queue::PauseScope::queue;
  if (reason == JobReason::kind_paused) scope = queue::PauseScope::kind;
  const auto found = std::ranges::find(pauses, scope, &queue::PauseRecord::scope);
  return found == pauses.end() ? nullptr : &*found;
}

// What other rows than the job's tell of since and until when.
void add_times(ExplainedJob& job) {
  for (WaitReason& each : job.reasons) {
    if (const queue::PauseRecord* const pause = pause_behind(job.pauses, each.reason)) {
      each.since = pause->paused;
      each.until = pause->until;
    }
    if (each.reason == JobReason::schema_behind && job.lane.behind) each.since = job.lane.behind->since;
    if (each.reason == JobReason::tenant_busy && job.released) each.since = job.released->at;
  }
}

// The newest one of its tenant that has not ended.
std::optional<JobRecord> migration_of(queue::JobReader& reader, const JobRecord& record, WallTime now) {
  using queue::FilterField;
  using queue::Glob;
  const queue::Filter filter{{{FilterField::tenant, false, {Glob{record.tenant->text(), true}}},
                              {FilterField::kind, false, {Glob{std::string{queue::kMigrateKind}, true}}}}};
  const auto page = reader.list_jobs(filter, {.limit = 1}, now);
  if (page.jobs.empty() || page.jobs.front().finished) return std::nullopt;
  return page.jobs.front();
}

void add_tenant_facts(ExplainedJob& job, queue::JobReader& reader, WallTime now) {
  const TenantName& name = *job.record.tenant;
  if (job.record.state == ShownState::ready) job.released = recent_release(reader, name, now);
  job.behind = behind_file(reader, name, job.record.generation);
  if (job.record.tenant_state == TenantState::failed && !job.behind)
    if (const auto tenant = reader.tenant(name))
      job.failed_by = failed_migration(tenant->tenant, tenant->migration);
}

// What a dispatcher that runs knows and the store does not: of a job that nothing else holds.
void ask_for_quiet(Session& session, ExplainedJob& job) {
  const auto performs = [&](const QuietPool& quiet) {
    return std::ranges::find(job.pools, quiet.name, &queue::PoolSlots::name) != job.pools.end();
  };
  if (job.pools.empty()) return;
  for (QuietPool& pool : ask_for_quiet_pools(session).quiet)
    if (performs(pool)) job.quiet.push_back(std::move(pool));
  job.is_quiet = job.quiet.size() == job.pools.size();
  if (job.is_quiet) job.reasons.clear();  // it has no turn
}

}  // namespace

ExplainedJob explained(queue::JobReader& reader, const JobRecord& record, WallTime now) {
  ExplainedJob job{.record = record,
                   .lane = reader.lane_facts(record),
                   .stands_in = reader.lane_of(record),
                   .pools = performing_pools(dispatcher_facts(reader), record),
                   .holder = reader.last_holder(),
                   .captures = captures_of(reader, record.id, now),
                   .pauses = pauses_of(reader, record),
                   .keys = reader.job_keys(record),
                   .limits = limits_in_the_way(reader, record)};
  const auto attempts = reader.attempts(record.seq);
  if (!attempts.empty()) job.attempted = attempts.back().finished;
  if (record.tenant) add_tenant_facts(job, reader, now);
  job.lane.is_tenant_busy = job.released.has_value();
  job.reasons = queue::wait_reasons(record, job.lane, job.attempted, now);
  add_times(job);
  if (std::ranges::find(job.reasons, JobReason::schema_behind, &WaitReason::reason) != job.reasons.end())
    job.migrates = migration_of(reader, record, now);
  if (record.state == ShownState::ready || record.state == ShownState::held)
    job.ahead = reader.way_ahead(record);
  return job;
}

ExplainedJob find_and_explain(Session& session, queue::JobId id) {
  std::optional<ExplainedJob> job;
  session.readable_store().read([&](queue::JobReader& reader) {
    if (const auto record = reader.find_job(id)) job = explained(reader, *record, session.now());
  });
  if (!job) raise(ErrorCode::job_not_found, fmt::format("there is no job {}", id.text()));
  const bool is_its_turn = !job->reasons.empty() && job->reasons.back().reason == JobReason::tenant_turn;
  if (is_its_turn && !session.is_offline()) {
    ask_for_quiet(session, *job);
    if (!job->is_quiet && job->ahead) job->turn = ask_for_turn(session, job->stands_in, job->ahead->jobs);
  }
  return std::move(*job);
}

}  // namespace tenure::cli
