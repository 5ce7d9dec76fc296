#include "machine.hpp"
#include "recall.hpp"

#include <algorithm>
#include <utility>

namespace tenure::daemon {

using queue::JobState;

namespace {

// Whatever else a round carries must be done whether or not somebody has written.
bool is_only_a_look(const RoundWork& work) {
  return work.ends.empty() && !work.promote && !work.unblock && work.claims.empty() &&
         work.queue_names.empty() && work.kind_names.empty();
}

}  // namespace

void Dispatcher::Impl::start_round() {
  if (in_flight_ || (retry_at_ && now_.steady < *retry_at_)) return;
  retry_at_.reset();
  RoundWork work = work_of_stage();
  flight_ = work;
  if (stage_ != Stage::opening) add_ends(work);
  if (stage_ == Stage::working && !stopping_.is_asked()) {
    add_looks(work);
    add_claims(work);
  }
  if (work.is_empty()) return;
  if (!look_now_ && work.take_hints && is_only_a_look(work) && ++idle_looks_ % kLooksPerFullLook != 0) {
    work.unless_changed_since = change_counter_;
  }
  if (work.take_hints) look_now_ = false;
  flight_.take_hints = work.take_hints;
  flight_.count_changes = work.count_changes;
  flight_.tenant_states = work.tenant_states;
  flight_.arrivals_after = work.arrivals_after;
  flight_.promote = work.promote;
  flight_.unblock = work.unblock;
  in_flight_ = true;
  actions_.emplace_back(RunRound{std::move(work)});
}

RoundWork Dispatcher::Impl::work_of_stage() {
  RoundWork work;
  if (stopping_.is_asked()) return work;
  switch (stage_) {
    case Stage::opening:
      work.open = OpenIncarnation{settings_.node, settings_.pid};
      break;
    case Stage::reclaiming:
      work.reclaim_before = incarnation_;
      break;
    case Stage::scanning:
      work.lanes_after.emplace(scanned_until_);
      work.tenant_states = std::exchange(scanned_tenants_, {});
      break;
    case Stage::working:
      work.tenant_states = std::exchange(scanned_tenants_, {});
      break;
  }
  work.queue_names = lanes_.unnamed_queues(kRoundRowsMax);
  work.kind_names = lanes_.unnamed_kinds(kRoundRowsMax);
  return work;
}

void Dispatcher::Impl::add_ends(RoundWork& work) {
  const auto count = static_cast<std::ptrdiff_t>(std::min(pending_.size(), kRoundRowsMax));
  flight_ends_.assign(std::make_move_iterator(pending_.begin()),
                      std::make_move_iterator(pending_.begin() + count));
  pending_.erase(pending_.begin(), pending_.begin() + count);
  work.ends.reserve(flight_ends_.size());
  for (const PendingEnd& pending : flight_ends_) work.ends.push_back(pending.end);
}

void Dispatcher::Impl::add_looks(RoundWork& work) {
  work.promote = next_due_ && *next_due_ <= now_.wall;
  if (unblocked_until_) work.unblock = Unblock{queue::JobReason::envelope_newer, *unblocked_until_};
  const bool is_poll = now_.steady >= next_look_;
  if (!look_now_ && !is_poll) return;
  work.take_hints = true;
  work.arrivals_after = last_seq_;
  if (!is_poll) return;
  work.count_changes = true;  // a hint is answered sooner without
  next_look_ = now_.steady + settings_.poll;
  if (work.tenant_states.empty()) work.tenant_states = lanes_.parked_tenants(kRoundRowsMax);
}

void Dispatcher::Impl::add_claims(RoundWork& work) {
  plan_.make(settings_.pools.size(), kRoundRowsMax, incarnation_, next_counter_);
  work.claims_bytes_max = kRoundBytesMax;
  work.claims.reserve(plan_.claims().size());
  for (const PlannedClaim& claim : plan_.claims()) work.claims.push_back(claim.request);
}

// In the order in which the store did it, so that the claims meet lanes that know everything the claims have seen.
void Dispatcher::Impl::absorb(RoundReply& reply) {
  if (flight_.count_changes) change_counter_ = reply.change_counter;
  if (reply.was_unchanged) return;
  for (std::size_t pool = 0; pool < settings_.pools.size(); ++pool) {
    lanes_.ring(pool).set_ahead(processes_.ahead_us(pool));
  }
  absorb_ends(reply);
  absorb_arrivals(reply);
  absorb_names(reply);
  absorb_claims(reply);
  absorb_stage(reply);
}

void Dispatcher::Impl::absorb_stage(const RoundReply& reply) {
  if (flight_.open && reply.incarnation) {
    incarnation_ = *reply.incarnation;
    stage_ = Stage::reclaiming;
  } else if (flight_.reclaim_before && reply.reclaimed.size() < kRoundRowsMax) {
    stage_ = Stage::scanning;
  } else if (flight_.lanes_after) {
    // What was enqueued since the first page is found by its arrival.
    if (!*flight_.lanes_after) last_seq_ = reply.last_seq;
    for (const queue::Lane& lane : reply.lanes) {
      lanes_.scanned(lane);
      if (scanned_tenants_.empty() || scanned_tenants_.back() != lane.tenant)
        scanned_tenants_.push_back(lane.tenant);
    }
    if (!reply.lanes.empty()) scanned_until_ = reply.lanes.back();
    if (reply.lanes.size() < kRoundRowsMax) stage_ = Stage::working;
    look_now_ = true;
  }
}

void Dispatcher::Impl::absorb_ends(const RoundReply& reply) {
  TENURE_INVARIANT(reply.ends.size() == flight_ends_.size());
  for (std::size_t index = 0; index < flight_ends_.size(); ++index) {
    if (reply.ends[index]) {
      absorb_end(flight_ends_[index], *reply.ends[index]);
    } else {
      ++figures_.claims_lost;
    }
  }
  flight_ends_.clear();
}

void Dispatcher::Impl::absorb_end(const PendingEnd& pending, JobState state) {
  const auto& how = pending.end.how;
  if (std::holds_alternative<EndSucceeded>(how)) {
    ++figures_.succeeded;
  } else if (const auto* const retry = std::get_if<EndRetry>(&how)) {
    ++figures_.failed;
    known_due(retry->due);
  } else if (std::holds_alternative<EndFinal>(how) || std::holds_alternative<EndBlock>(how)) {
    ++figures_.failed;
  } else {
    if (std::holds_alternative<EndReclaim>(how)) ++figures_.reclaimed;
    if (state == JobState::ready) lanes_.arrived(pending.lane, pending.place);
  }
}

void Dispatcher::Impl::absorb_names(const RoundReply& reply) {
  for (const auto& [number, name] : reply.queue_names) lanes_.name_queue(number, name);
  lanes_.name_kinds(reply.kind_names);
  for (const TenantNumber number : flight_.tenant_states) {
    const auto state = reply.tenant_states.find(number);
    lanes_.set_tenant_state(number,
                            state == reply.tenant_states.end() ? TenantState::deleted : state->second);
  }
}

void Dispatcher::Impl::absorb_arrivals(const RoundReply& reply) {
  figures_.reclaimed += static_cast<std::int64_t>(reply.reclaimed.size());
  for (const auto* rows : {&reply.reclaimed, &reply.promoted, &reply.unblocked, &reply.hinted}) {
    for (const queue::JobArrival& row : *rows) absorb_row(row);
  }
  for (const queue::JobArrival& row : reply.arrived) {
    last_seq_ = std::max(last_seq_, row.seq);
    // Claimed by a look into its lane before its arrival was read.
    if (!is_outstanding(row.seq)) absorb_row(row);
  }
  if (flight_.promote || flight_.arrivals_after) next_due_ = reply.next_due;
  if (std::max(reply.arrived.size(), reply.hinted.size()) >= kRoundRowsMax) look_now_ = true;
  if (flight_.unblock) absorb_unblocked(reply.unblocked);
}

void Dispatcher::Impl::absorb_unblocked(const std::vector<queue::JobArrival>& page) {
  if (page.size() >= kRoundRowsMax) {
    unblocked_until_ = page.back().seq;
  } else if (std::exchange(unblock_again_, false)) {
    unblocked_until_ = queue::JobSeq{0};
  } else {
    unblocked_until_.reset();
  }
}

void Dispatcher::Impl::absorb_row(const queue::JobArrival& row) {
  if (row.state == JobState::ready) lanes_.arrived(row.lane, {row.due, row.seq});
  if (row.state == JobState::scheduled) known_due(row.due);
}

void Dispatcher::Impl::absorb_claims(RoundReply& reply) {
  TENURE_INVARIANT(reply.claims.size() == plan_.claims().size());
  const std::size_t first_action = actions_.size();
  for (std::size_t index = 0; index < reply.claims.size(); ++index) {
    absorb_claim(plan_.claims()[index], reply.claims[index], first_action);
  }
  plan_.clear();
  processes_.forget_plans();
}

// The jobs are counted before the plan is taken back, so that their tenant does not look absent in between.
void Dispatcher::Impl::absorb_claim(const PlannedClaim& claim, queue::ClaimReply& reply,
                                    std::size_t first_action) {
  Process* const process = processes_.find(claim.request.process);
  const bool can_take = process != nullptr && process->takes_jobs();
  if (can_take) count_assigned(*process, reply.jobs);
  plan_.undo(claim);
  lanes_.settle(claim.request, reply, last_seq_);
  if (can_take) {
    assign(process->number, std::move(reply.jobs), first_action);
  } else {
    for (const queue::ClaimedJob& job : reply.jobs) pending_.push_back(give_back(job));
  }
}

void Dispatcher::Impl::count_assigned(Process& process, const std::vector<queue::ClaimedJob>& jobs) {
  if (jobs.empty()) return;
  const TenantNumber tenant = jobs.front().lane.tenant;
  std::int64_t charge_us = 0;
  for (const queue::ClaimedJob& job : jobs) {
    const std::int64_t usual_us = usual_[process.pool].of(job.lane.kind).count();
    charge_us += usual_us;
    process.jobs.add({{job.seq, job.token},
                      job.lane,
                      job.place,
                      usual_us,
                      job.envelope.size(),
                      job.failures,
                      job.attempts_max,
                      job.crashes,
                      false});
  }
  lanes_.ring(process.pool).assigned(tenant, process.number, static_cast<int>(jobs.size()));
  lanes_.ring(process.pool).charge(tenant, charge_us);
  process.used_by(tenant);
  figures_.started += static_cast<std::int64_t>(jobs.size());
}

// One frame for each process and round.
void Dispatcher::Impl::assign(ProcessNumber process, std::vector<queue::ClaimedJob> jobs,
                              std::size_t first_action) {
  if (jobs.empty()) return;
  for (std::size_t index = first_action; index < actions_.size(); ++index) {
    auto* const earlier = std::get_if<Assign>(&actions_[index]);
    if (earlier == nullptr || earlier->process != process) continue;
    earlier->jobs.insert(earlier->jobs.end(), std::make_move_iterator(jobs.begin()),
                         std::make_move_iterator(jobs.end()));
    return;
  }
  actions_.emplace_back(Assign{process, std::move(jobs)});
}

void Dispatcher::Impl::undo_round() {
  pending_.insert(pending_.begin(), std::make_move_iterator(flight_ends_.begin()),
                  std::make_move_iterator(flight_ends_.end()));
  flight_ends_.clear();
  for (const PlannedClaim& claim : plan_.claims()) {
    plan_.undo(claim);
    lanes_.forget_plan(claim.request);
  }
  plan_.clear();
  processes_.forget_plans();
  if (flight_.take_hints) look_now_ = true;
  scanned_tenants_.insert(scanned_tenants_.end(), flight_.tenant_states.begin(), flight_.tenant_states.end());
}

void Dispatcher::Impl::recall_for_newcomers() {
  for (std::size_t pool = 0; pool < settings_.pools.size(); ++pool) {
    const std::vector<TenantNumber> newcomers = lanes_.ring(pool).take_newcomers();
    if (newcomers.empty() || stopping_.is_asked()) continue;
    if (const auto place = lanes_.ring(pool).place_of(newcomers.front())) {
      recall_for(pool, *place, lanes_, processes_, actions_);
    }
  }
}

void Dispatcher::Impl::known_due(WallTime due) { next_due_ = next_due_ ? std::min(*next_due_, due) : due; }

bool Dispatcher::Impl::is_outstanding(queue::JobSeq seq) const {
  return std::any_of(processes_.all().begin(), processes_.all().end(),
                     [&](const auto& entry) { return entry.second.jobs.contains(seq); });
}

}  // namespace tenure::daemon
