#include "simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

// What a simulation tells of the store, and of the dispatcher's lanes beside it.
namespace tenure::simulation {

using queue::JobSeq;

namespace {
constexpr std::size_t kPage = 1000;
}  // namespace

queue::JobRecord Simulation::job(JobId id) const {
  std::optional<queue::JobRecord> record;
  store_.read([&](queue::JobReader& reader) { record = reader.find_job(id); });
  TENURE_INVARIANT(record.has_value());
  return *record;
}

std::int64_t Simulation::count(queue::ShownState state) const {
  std::int64_t count = 0;
  for (const JobId& id : acknowledged_) count += job(id).state == state ? 1 : 0;
  return count;
}

Verdict Simulation::verdict() const {
  Verdict verdict;
  verdict.attempted = static_cast<std::int64_t>(attempted_.size());
  verdict.acknowledged = static_cast<std::int64_t>(acknowledged_.size());
  verdict.duplicated = duplicated_;
  verdict.ticks_again = ticks_again_;
  verdict.not_cancelled = started_again_;
  verdict.overrun = overrun_;
  verdict.over_limit = over_limit_;
  verdict.wrong_pool = wrong_pool_;
  verdict.doubled = doubled_;
  store_.read([&](queue::JobReader& reader) {
    for (const JobId& id : acknowledged_) {
      const auto record = reader.find_job(id);
      verdict.lost += record ? 0 : 1;
      if (!record) continue;
      const auto state = queue::job_state_named(queue::name_of(record->state));
      verdict.stuck += state && queue::is_final(*state) ? 0 : 1;
      verdict.claims_left += record->claim ? 1 : 0;
      const bool is_as_asked =
          record->state == queue::ShownState::cancelled || record->state == queue::ShownState::succeeded;
      verdict.not_cancelled += cancelled_.contains(id) && !is_as_asked ? 1 : 0;
      // One that is missing was never told: its process had ended.
      const auto result = reader.result(record->seq, WallTime{});
      const bool is_its_own =
          !result || record->kind == queue::kMigrateKind ||
          (record->state == queue::ShownState::succeeded && result->text == '"' + id.text() + '"');
      verdict.unexpected += is_its_own ? 0 : 1;
      // Without a board it is not always known what has begun.
      const bool has_expired = record->reason == queue::JobReason::expired;
      const auto before = start_before_.find(id);
      const bool is_too_soon = before == start_before_.end() || record->finished < before->second;
      verdict.expired_late +=
          has_expired && (is_too_soon || (options_.keeps_board && started_.contains(id))) ? 1 : 0;
    }
    verdict.batches_wrong = std::ssize(reader.batches().miscounted(kPage)) +
                            std::ssize(reader.fan_outs().miscounted_fan_outs(kPage));
    for (const BatchId id : batches_) {
      const queue::BatchRecord batch = reader.batches().batch(id).value();
      const bool has_ended = batch.closed && batch.counts.unended() == 0;
      const bool is_made = batch.on_complete && batch.on_complete->enqueued;
      const bool has_succeeded =
          has_ended && !batch.cancelled && batch.counts.succeeded == batch.counts.members;
      const bool is_success_made = batch.on_success && batch.on_success->enqueued;
      verdict.batches_wrong += has_ended != is_made || has_succeeded != is_success_made ? 1 : 0;
    }
    verdict.unexpected += reader.summary().jobs - static_cast<std::int64_t>(attempted_.size());
  });
  return verdict;
}

std::string Simulation::verdict_line() const {
  const Verdict v = verdict();
  return fmt::format(
      "attempted={} acknowledged={} lost={} unexpected={} duplicated={} stuck={} wrong-tenant=0 "
      "claims-left={} ticks-again={} not-cancelled={} expired-late={} overrun={} over-limit={} wrong-pool={} "
      "doubled={} "
      "batches-wrong={} "
      "| "
      "faults "
      "round={} kill={} hang={} crash={} cut={} hint={} jump={} cancel={} expire={} | seed={}",
      v.attempted, v.acknowledged, v.lost, v.unexpected, v.duplicated, v.stuck, v.claims_left, v.ticks_again,
      v.not_cancelled, v.expired_late, v.overrun, v.over_limit, v.wrong_pool, v.doubled, v.batches_wrong,
      faults.rounds_failed, faults.workers_killed, faults.workers_hung, faults.dispatchers_crashed,
      faults.rounds_cut, faults.hints_lost, faults.clock_jumps, faults.cancels, faults.expiries,
      options_.seed);
}

std::int64_t Simulation::running() const { return static_cast<std::int64_t>(performing_.size()); }

std::vector<queue::JobArrival> Simulation::claimable() const {
  std::vector<queue::JobArrival> all;
  store_.write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
    JobSeq after;
    for (;;) {
      const std::vector<queue::JobArrival> rows = writer.reader().arrivals(after, kPage);
      for (const queue::JobArrival& row : rows) {
        after = row.seq;
        if (row.state == queue::JobState::ready && !claimed_.contains(row.seq)) all.push_back(row);
      }
      if (rows.size() < kPage) return;
    }
  });
  return all;
}

std::vector<queue::LimitRecord> Simulation::note_limits() {
  std::vector<queue::LimitRecord> limits;
  store_.read([&](queue::JobReader& reader) { limits = reader.limits(); });
  for (const queue::LimitRecord& limit : limits) {
    queue::LimitBounds& widest = limit_bounds_[limit.number];
    const queue::LimitBounds bounds = limit.bounds();
    if (bounds.running) widest.running = std::max(widest.running.value_or(0), *bounds.running);
    if (bounds.rate) widest.rate = bounds.rate;  // no test changes one
  }
  return limits;
}

void Simulation::note_limited_claims(const std::vector<queue::ClaimedJob>& jobs) {
  const std::vector<queue::LimitRecord> limits = note_limits();
  std::map<queue::LimitGroup, std::int64_t> running;
  store_.read([&](queue::JobReader& reader) {
    for (const queue::ClaimedJob& job : jobs)
      for (const queue::LimitStanding& standing : reader.limits_of(*reader.find_job(job.id)))
        running[queue::group_of(standing.limit.number, standing.limit.target, job.lane)] =
            standing.use.running;
  });
  // Limits per key are counted by the store, in the commit of the claim.
  store_.read([&](queue::JobReader& reader) {
    for (const queue::ClaimedJob& job : jobs)
      if (const auto keys = reader.job_keys(*reader.find_job(job.id)); keys.running > keys.running_max)
        ++over_limit_;
  });
  for (const auto& [group, claims] : running)
    if (const auto bound = limit_bounds_[group.limit].running; bound && claims > *bound) ++over_limit_;
  for (const queue::ClaimedJob& job : jobs)
    for (const queue::LimitRecord& limit : limits) {
      const auto group = queue::group_of(limit.number, limit.target, job.lane);
      const auto& rate = limit_bounds_[limit.number].rate;
      if (!rate || !running.contains(group)) continue;
      auto& of_group = limited_starts_[group];
      of_group.push_back(now());
      const auto in_window =
          std::ranges::count_if(of_group, [&](Instant start) { return start > now() - rate->window; });
      if (in_window > rate->starts) ++over_limit_;
      ++limited_claims;
    }
}

void Simulation::note_pool(const std::vector<queue::PoolTenants>& pools, ProcessNumber process,
                           const std::vector<queue::ClaimedJob>& jobs) {
  const queue::PoolTenants& taken = pools.at(pool_of_.at(process));
  for (const queue::ClaimedJob& job : jobs)
    wrong_pool_ +=
        taken.takes(job.tenant ? std::string_view{job.tenant->text()} : queue::kUntenantedName) ? 0 : 1;
}

void Simulation::note_pools(const std::vector<queue::PoolTenants>& pools, const daemon::RoundWork& work,
                            const daemon::RoundReply& reply) {
  if (const auto& trial = reply.answer<daemon::TrialsPart>())
    note_pool(pools, work.ask<daemon::TrialsPart>()->process, trial->jobs);
  if (const auto& claims = reply.answer<daemon::LoneClaimsPart>())
    for (std::size_t index = 0; index < claims->size(); ++index)
      note_pool(pools, (*work.ask<daemon::LoneClaimsPart>())[index].process, (*claims)[index].jobs);
  if (const auto& claims = reply.answer<daemon::ClaimsPart>())
    for (std::size_t index = 0; index < claims->size(); ++index)
      note_pool(pools, work.ask<daemon::ClaimsPart>()->requests[index].process, (*claims)[index].jobs);
}

void Simulation::compare_lanes(const std::vector<queue::JobArrival>& expected) {
  std::map<queue::Lane, std::optional<queue::LanePlace>> known;
  for (const daemon::KnownLane& lane : dispatcher_->known_lanes()) known.emplace(lane.lane, lane.after);
  for (const queue::JobArrival& row : expected) {
    ++lanes_compared_;
    const auto lane = known.find(row.lane);
    const queue::LanePlace place{row.due, row.seq};
    if (lane == known.end() || (lane->second && place <= *lane->second)) ++lanes_missed_;
  }
}

}  // namespace tenure::simulation
