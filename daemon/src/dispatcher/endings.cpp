#include "endings.hpp"

#include "claim_ends.hpp"
#include "last_moment.hpp"

#include <tenure/base/error.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>
#include <variant>

namespace tenure::daemon {

using std::chrono::microseconds;

namespace {
// The tenant's database, to this program.
bool is_unusable(const ClaimEnd& end) {
  const auto* const release = std::get_if<EndRelease>(&end.how);
  return release != nullptr && release->why.code == ErrorCode::tenant_unavailable;
}
}  // namespace

Endings::Endings(Lanes& lanes, Arrivals& arrivals, std::vector<UsualRunTimes>& usual, LoneJobs& lone_jobs,
                 DispatcherStatus& figures, std::uint64_t seed)
    : lanes_(lanes),
      arrivals_(arrivals),
      usual_(usual),
      lone_jobs_(lone_jobs),
      figures_(figures),
      random_(seed) {}

void Endings::attempt_ended(Process& process, const AttemptEnd& end, bool has_outbox, Now now) {
  const auto job = process.jobs.take(end.claim, now.steady);
  if (!job) return;
  queue::RunPlace place;
  if (end.result == RunResult::failed) place = {process.name, process.pid, {}};
  EndOfAttempt decided = end_of_attempt(*job, end, place, now.wall, random_);
  note_capsule(decided.end, end.capsule);
  decided.end.has_told_outbox = end.outbox.has_value();
  decided.end.schema_wanted = schema_wanted(process, *job, decided.end);
  if (decided.end.schema_wanted > 0 && lanes_.migrates(process.pool, process.offer)) {
    decided.end.migrate_in = lanes_.queue_name(job->lane.queue);
    decided.pause = TenantPause::none;  // the job waits for that one, and its tenant does not
    decided.says_nothing = true;
  }
  if (is_unusable(decided.end) && !process.alone) lanes_.was_refused(process.pool, process.offer, job->lane);
  if (lanes_.is_migration(job->lane.kind)) decided.end.migrated_for = end.run_time;
  decided.end.leaves_outbox = !has_outbox || (end.outbox && !end.outbox->is_all);
  add(process, std::move(decided.end));
  const bool has_run = queue::has_run(end.result);
  job_left(process, *job, has_run ? end.run_time : microseconds{0});
  if (has_run) {
    ++process.performed;
    usual_[process.pool].learn(job->lane.kind, end.run_time);
  }
  if (decided.pause != TenantPause::none) {
    lanes_.park_busy(job->lane.tenant, now.steady, decided.pause);
  } else if (has_run && !decided.says_nothing) {
    lanes_.not_busy(job->lane.tenant, now.steady);
  } else {
    lanes_.tried_in_vain(job->lane.tenant);
  }
  // It gives back what nobody recalled: it is ending by itself, and would give back the next ones too.
  if (end.result == RunResult::not_started && !job->recalled) process.phase = Phase::leaving;
}

// What its hello has said of the kind, where the run has met an older database.
std::int64_t Endings::schema_wanted(const Process& process, const OutstandingJob& job,
                                    const ClaimEnd& end) const {
  const auto* const release = std::get_if<EndRelease>(&end.how);
  if (release == nullptr || release->why.code != ErrorCode::pending_migration || process.alone) return 0;
  return lanes_.schema_of(process.pool, process.offer, job.lane.kind);
}

std::vector<queue::JobSeq> Endings::process_ended(const Process& dead, const WorkerGone& gone,
                                                  bool can_be_alone, WallTime now) {
  const LastMoment moment(dead, gone);
  LastRun run{{dead.name, dead.pid, gone.exit}, gone.cause, std::nullopt};
  if (can_be_alone) run.alone = Alone{.pool = dead.pool, .one_at_a_time = gone.may_lack_memory};
  std::vector<queue::JobSeq> suspects;
  dead.jobs.for_each([&](const OutstandingJob& job, bool is_believed) {
    ClaimEnd last = last_end(dead, moment, job, is_believed, run, now);
    note_capsule_lost(last);
    add(dead, std::move(last));
    if (pending_.back().alone) suspects.push_back(job.claim.seq);
    const auto run_time = moment.run_time_of(job, is_believed);
    if (run_time && run_time->count() > 0) usual_[dead.pool].learn(job.lane.kind, *run_time);
    job_left(dead, job, run_time);
    lanes_.tried_in_vain(job.lane.tenant);
  });
  return suspects;
}

ClaimEnd Endings::last_end(const Process& dead, const LastMoment& moment, const OutstandingJob& job,
                           bool is_believed, const LastRun& run, WallTime now) {
  const AttemptEnd* const untold = moment.untold_end(job);
  const auto of_run = [](ClaimEnd end) {
    end.leaves_outbox = true;
    return end;
  };
  if (untold != nullptr && untold->result == RunResult::succeeded)
    return of_run(end_untold(job, *untold, run));
  if (is_timed_out(dead, job)) return of_run(end_at_time_limit(job, run.place, now, random_));
  if (untold != nullptr) return of_run(end_untold(job, *untold, run));
  if (moment.had_begun(job, is_believed)) return of_run(end_with_process(job, moment.end_of(job), run));
  return give_back_unstarted(job);
}

void Endings::give_back(const queue::ClaimedJob& job, const std::optional<Alone>& alone) {
  ClaimEnd end{{job.seq, job.token}, EndRelease{}, job.lane, job.place, alone};
  end.start_before = job.start_before;
  add(std::move(end));
  lanes_.tried_in_vain(job.lane.tenant);
}

void Endings::job_left(const Process& process, const OutstandingJob& job,
                       std::optional<microseconds> run_time) {
  Ring& ring = lanes_.ring(process.pool);
  if (run_time) ring.correct(job.lane.tenant, run_time->count() - job.assumed_us);
  ring.ended(job.lane.tenant, process.number);
}

void Endings::add(const Process& process, ClaimEnd end) {
  if (process.alone) {
    end.alone = alone_again(*process.alone, end);
  } else if (end.alone) {
    end.alone->queue = lanes_.queue_name(end.lane.queue);
    end.alone->kind = lanes_.kind_name(end.lane.kind);
  }
  add(std::move(end));
}

void Endings::add(ClaimEnd end) {
  if (!end.migrated_for && lanes_.is_migration(end.lane.kind)) end.migrated_for = microseconds{0};
  pending_.push_back(std::move(end));
  ++unanswered_;
  check();
}

std::vector<ClaimEnd> Endings::take(std::size_t limit) {
  TENURE_INVARIANT(under_way_ == 0);
  std::vector<ClaimEnd> taken;
  if (pending_.size() <= limit) {
    taken = std::exchange(pending_, {});
  } else {
    const auto end = pending_.begin() + static_cast<std::ptrdiff_t>(limit);
    taken.assign(std::make_move_iterator(pending_.begin()), std::make_move_iterator(end));
    pending_.erase(pending_.begin(), end);
  }
  under_way_ = taken.size();
  check();
  return taken;
}

void Endings::not_stored(const std::vector<ClaimEnd>& ends) {
  TENURE_INVARIANT(ends.size() == under_way_);
  pending_.insert(pending_.begin(), ends.begin(), ends.end());
  under_way_ = 0;
  check();
}

void Endings::stored(const std::vector<ClaimEnd>& ends, const std::vector<Result<queue::JobState>>& states,
                     Instant now) {
  TENURE_INVARIANT(ends.size() == under_way_ && states.size() == under_way_);
  for (std::size_t index = 0; index < ends.size(); ++index) {
    lanes_.claim_ended(ends[index].lane);
    if (states[index]) {
      stored(ends[index], *states[index], now);
    } else {
      ++figures_.claims_lost;
    }
  }
  unanswered_ -= std::exchange(under_way_, 0);
  check();
}

void Endings::stored(const ClaimEnd& end, queue::JobState state, Instant now) {
  if (queue::is_final(state)) lone_jobs_.ended(end.claim.seq);
  else if (end.start_before) arrivals_.expires_at(*end.start_before);  // in vain where it has started
  if (state == queue::JobState::cancelled) {
    ++figures_.cancelled;
  } else if (std::holds_alternative<EndSucceeded>(end.how)) {
    ++figures_.succeeded;
  } else if (const auto* const retry = std::get_if<EndRetry>(&end.how)) {
    ++figures_.failed;
    arrivals_.scheduled_for(retry->due);
  } else if (const auto* const put_off = std::get_if<EndPutOff>(&end.how)) {
    arrivals_.scheduled_for(put_off->due);
  } else if (has_expired(end)) {
    ++figures_.expired;
  } else if (std::holds_alternative<EndFinal>(end.how) || std::holds_alternative<EndBlock>(end.how)) {
    ++figures_.failed;
  } else {
    if (is_reclaim(end)) ++figures_.reclaimed;
    if (state == queue::JobState::ready) lanes_.arrived(end.lane, end.place);
    if (state == queue::JobState::blocked)
      lone_jobs_.suspected(end.claim.seq, end.lane, end.alone.value(), now);
  }
}

std::vector<queue::Lane> Endings::pending_lanes() const {
  std::vector<queue::Lane> lanes;
  lanes.reserve(pending_.size());
  for (const ClaimEnd& end : pending_) lanes.push_back(end.lane);
  return lanes;
}

void Endings::check() const { TENURE_INVARIANT(pending_.size() + under_way_ == unanswered_); }

}  // namespace tenure::daemon
