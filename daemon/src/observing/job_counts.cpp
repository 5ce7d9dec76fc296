#include "job_counts.hpp"

#include "metric_table.hpp"
#include "outcomes.hpp"

#include <tenure/queue/retry_rule.hpp>

#include <array>
#include <set>
#include <utility>

namespace tenure::daemon {
namespace {

using queue::JobState;

// A counter is there before it is counted for the first time, or whoever looks at its increase misses that.
constexpr std::array<std::string_view, 6> kOutcomes{"succeeded",   "failed",    "released",
                                                    "interrupted", "cancelled", "lost"};
constexpr std::array kFinalStates{JobState::succeeded, JobState::dead, JobState::discarded,
                                  JobState::cancelled};

template <class Counts, class Key>
double count_of(const Counts& counts, const Key& key) {
  const auto found = counts.find(key);
  return found == counts.end() ? 0 : static_cast<double>(found->second);
}

// Errors of tenancy, and what was refused at a tenant's border besides.
bool is_refusal(ErrorCode code) { return code < ErrorCode::claim_lost || queue::is_border_refusal(code); }

}  // namespace

void JobCounts::began(const Run& run, Now now) {
  const Key key = key_of(run.lane);
  ++counts_[key].started;
  delays_[key.first].add(now.wall - run.due);
}

void JobCounts::ended(const Run& run, const AttemptEnd& end) {
  if (!queue::has_run(end.result)) return;
  run_times_[kinds_.place_of(run.lane.kind.value)].add(end.run_time);
  if (end.result == RunResult::failed && is_refusal(end.failure.code)) ++refusals_[name_of(end.failure.code)];
}

void JobCounts::stored(const RoundWork& work, const RoundReply& reply) {
  learn_names(work, reply);
  if (const auto& arrivals = reply.answer<NewJobsPart>())
    for (const queue::JobArrival& job : *arrivals) ++counts_[key_of(job.lane)].enqueued;
  if (const auto& former = reply.answer<FormerClaimsPart>()) {
    reclaimed_from_daemons_ += static_cast<std::int64_t>(former->claims);
    // Nobody says of which kinds they are.
    for (std::size_t job = 0; job < former->dead.size(); ++job)
      count_final({LabelBound::kOther, LabelBound::kOther}, JobState::dead, true);
    for (std::size_t job = 0; job < former->cancelled; ++job)
      count_final({LabelBound::kOther, LabelBound::kOther}, JobState::cancelled, false);
  }
  if (const auto& expired = reply.answer<ExpiredJobsPart>())
    for (const queue::ExpiredJob& job : *expired) count_final(key_of(job.lane), JobState::discarded, false);
  const auto& ends = work.ask<EndsPart>();
  const auto& states = reply.answer<EndsPart>();
  if (!ends || !states) return;
  for (std::size_t index = 0; index < ends->size(); ++index) stored_end((*ends)[index], (*states)[index]);
}

void JobCounts::stored_end(const ClaimEnd& end, const Result<JobState>& state) {
  const Key key = key_of(end.lane);
  if (end.capture && end.capture->taken)
    ++(end.capture->taken->file.empty() ? capsules_failed_ : capsules_taken_);
  if (!state) {
    ++claims_lost_;
    ++counts_[key].finished["lost"];
    return;
  }
  if (const std::string_view outcome = outcome_of(end, *state); !outcome.empty())
    ++counts_[key].finished[outcome];
  reclaimed_from_workers_ += is_reclaim(end) ? 1 : 0;
  if (is_final(*state)) count_final(key, *state, is_reclaim(end) && *state == JobState::dead);
}

void JobCounts::count_final(Key key, JobState state, bool is_poison) {
  ++counts_[key].final[name_of(state)];
  if (is_poison) ++poison_[key.second];
}

void JobCounts::learn_names(const RoundWork& work, const RoundReply& reply) {
  const auto& ask = work.ask<NamesPart>();
  const auto& names = reply.answer<NamesPart>();
  if (!ask || !names) return;
  queues_.name_all(ask->queues, names->queues);
  kinds_.name_all(ask->kinds, names->kinds);
}

std::optional<Labels> JobCounts::labels_of(Key key) const {
  auto queue = queues_.label(key.first);
  auto kind = kinds_.label(key.second);
  if (!queue || !kind) return std::nullopt;
  return Labels{{"queue", std::move(*queue)}, {"kind", std::move(*kind)}};
}

void JobCounts::add_to(MetricFamilies& families) const {
  const auto with = [](Labels labels, std::string_view name, std::string_view value) {
    labels.emplace_back(name, value);
    return labels;
  };
  std::set<std::size_t> kinds;
  for (const auto& [key, counts] : counts_) {
    const auto labels = labels_of(key);
    if (!labels) continue;
    families.add(metric::kJobsEnqueued, *labels, static_cast<double>(counts.enqueued));
    families.add(metric::kAttemptsStarted, *labels, static_cast<double>(counts.started));
    for (const std::string_view outcome : kOutcomes)
      families.add(metric::kAttemptsFinished, with(*labels, "outcome", outcome),
                   count_of(counts.finished, outcome));
    for (const JobState state : kFinalStates)
      families.add(metric::kJobsFinal, with(*labels, "state", name_of(state)),
                   count_of(counts.final, name_of(state)));
    kinds.insert(key.second);
  }
  for (const std::size_t kind : kinds)
    families.add(metric::kJobsPoison, {{"kind", *kinds_.label(kind)}}, count_of(poison_, kind));
  for (const auto& [queue, delays] : delays_)
    if (auto label = queues_.label(queue))
      families.add(metric::kQueueDelay, {{"queue", std::move(*label)}}, delays.value());
  for (const auto& [kind, times] : run_times_)
    if (auto label = kinds_.label(kind))
      families.add(metric::kPerform, {{"kind", std::move(*label)}}, times.value());
  for (const auto& [error, count] : refusals_)
    families.add(metric::kTenantRefusals, {{"error", std::string{error}}}, static_cast<double>(count));
  families.add(metric::kCapsules, {{"result", "taken"}}, static_cast<double>(capsules_taken_));
  families.add(metric::kCapsules, {{"result", "failed"}}, static_cast<double>(capsules_failed_));
  families.add(metric::kClaimsLost, {}, static_cast<double>(claims_lost_));
  families.add(metric::kClaimsReclaimed, {{"cause", "worker_gone"}},
               static_cast<double>(reclaimed_from_workers_));
  families.add(metric::kClaimsReclaimed, {{"cause", "daemon_gone"}},
               static_cast<double>(reclaimed_from_daemons_));
  families.add(metric::kLabelsFolded, {}, static_cast<double>(queues_.folded() + kinds_.folded()));
}

}  // namespace tenure::daemon
