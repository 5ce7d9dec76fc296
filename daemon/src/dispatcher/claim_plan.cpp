#include "claim_plan.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tenure::daemon {

using std::chrono::microseconds;

std::size_t quantum(microseconds usual) {
  return static_cast<std::size_t>(
      std::clamp<std::int64_t>(kQuantumTime.count() / usual.count(), 1, kQuantumJobs));
}

std::vector<queue::ClaimRequest> ClaimPlan::make(std::size_t jobs_max, Instant now) {
  processes_.begin_plans(now);
  for (std::size_t pool = 0; pool < usual_.size(); ++pool) {
    KeptRoom kept(settings_.pools[pool].reserved, pool, processes_);
    for (Crew crew{pool, 0}; crew.offer < lanes_.offers(pool); ++crew.offer) fill_slots(crew, kept, jobs_max);
    for (Crew crew{pool, 0}; crew.offer < lanes_.offers(pool); ++crew.offer) fill_ahead(crew, kept, jobs_max);
  }
  return std::exchange(requests_, {});
}

void ClaimPlan::fill_slots(Crew crew, KeptRoom& kept, std::size_t& jobs_left) {
  Slots slots;
  for (const auto& [number, process] : processes_.all()) {
    if (!crew.has(process)) continue;
    slots.all += process.slots;
    slots.free += process.free_slots();
  }
  while (slots.free > 0 && jobs_left > 0) {
    auto visit = next_visit(crew, kept, slots);
    if (!visit) return;
    const Choice choice =
        choose(crew, visit->standing.tenant, [](const Process& process) { return process.free_slots(); });
    std::size_t count = std::min({quantum(visit->usual), choice.room, visit->jobs_max, jobs_left});
    // Several long ones at once would step over the rule for the last slot.
    if (visit->usual > kLongJob) count = 1;
    slots.free -= count;
    jobs_left -= count;
    kept.planned(visit->standing.bucket.priority, count);
    take(std::move(*visit), *choice.process, count);
  }
}

// Stops at the first tenant whose next job may not be assigned ahead: the slot that falls free next is that tenant's.
void ClaimPlan::fill_ahead(Crew crew, KeptRoom& kept, std::size_t& jobs_left) {
  while (jobs_left > 0) {
    const auto standing = lanes_.ring(crew.pool).first(crew.offer);
    if (!standing || !kept.may_wait_ahead(standing->bucket.priority)) return;
    Visit visit = visit_at(crew, *standing, microseconds::max(), Lanes::Ahead::yes);
    if (visit.kinds.empty()) return;
    const Choice choice = choose(crew, standing->tenant,
                                 [&](const Process& process) { return process.room_ahead(visit.usual); });
    if (choice.process == nullptr) return;
    const std::size_t count = std::min({quantum(visit.usual), choice.room, visit.jobs_max, jobs_left});
    jobs_left -= count;
    take(std::move(visit), *choice.process, count);
  }
}

// Nearly always the first of the ring; further only past tenants that run long jobs here, of which there are fewer than slots, and past
// priorities from which all that is free is kept.
std::optional<ClaimPlan::Visit> ClaimPlan::next_visit(Crew crew, const KeptRoom& kept, Slots slots) {
  const Ring& ring = lanes_.ring(crew.pool);
  for (auto standing = ring.first(crew.offer); standing;) {
    const std::int64_t room = kept.room(standing->bucket.priority);
    if (room == 0) {
      standing = ring.after_bucket(standing->bucket, crew.offer);
      continue;
    }
    const bool is_last = slots.all >= kLongJobSlotsMin && (slots.free == 1 || room == 1);
    const bool keeps_short = is_last && ring.outstanding(standing->tenant) > 0;
    Visit visit = visit_at(crew, *standing, keeps_short ? kLongJob : microseconds::max(), Lanes::Ahead::no);
    visit.jobs_max = std::min(visit.jobs_max, static_cast<std::size_t>(room));
    if (!visit.kinds.empty()) return visit;
    standing = ring.after(*standing, crew.offer);
  }
  return std::nullopt;
}

ClaimPlan::Visit ClaimPlan::visit_at(Crew crew, const Ring::Standing& standing, microseconds usual_max,
                                     Lanes::Ahead ahead) const {
  Visit visit{standing, {}, microseconds{1}, lanes_.jobs_max(crew.pool, crew.offer, standing)};
  const UsualRunTimes& usual = usual_[crew.pool];
  lanes_.for_each_kind(crew.pool, crew.offer, standing, [&](const queue::LaneCursor& cursor) {
    if (usual.of(cursor.kind) <= usual_max) visit.kinds.push_back(cursor);
  });
  if (lanes_.has_limits()) {
    const std::int64_t room = lanes_.keep_together(standing, visit.kinds, ahead);
    const std::int64_t jobs = std::min(room, lanes_.jobs_of(standing, visit.kinds));
    if (jobs <= 0) visit.kinds.clear();
    visit.jobs_max = std::min(visit.jobs_max, static_cast<std::size_t>(std::max<std::int64_t>(0, jobs)));
  }
  for (const queue::LaneCursor& cursor : visit.kinds)
    visit.usual = std::max(visit.usual, usual.of(cursor.kind));
  return visit;
}

// Where jobs of this tenant run now, else where some ran lately, else the least loaded, else where the tenant is at home.
template <class Room>
ClaimPlan::Choice ClaimPlan::choose(Crew crew, TenantNumber tenant, Room&& room_of) {
  Choice best;
  std::tuple<int, std::int64_t, std::uint64_t> best_rank{};
  for (auto& [number, process] : processes_.all()) {
    if (!crew.has(process)) continue;
    const std::size_t room = room_of(process);
    if (room == 0) continue;
    const int runs = lanes_.ring(crew.pool).outstanding(tenant, number) > 0 ? 2
                     : process.recent_tenants.has(tenant)                   ? 1
                                                                            : 0;
    const auto load = static_cast<std::int64_t>(process.jobs.size() + process.planned);
    const std::tuple rank{-runs, load, distance_from_home(tenant, process.position)};
    if (best.process != nullptr && best_rank <= rank) continue;
    best = {&process, room};
    best_rank = rank;
  }
  return best;
}

void ClaimPlan::take(Visit&& visit, Process& process, std::size_t count) {
  const Ring::Standing standing = visit.standing;
  const std::int64_t us = visit.usual.count() * static_cast<std::int64_t>(count);
  process.plan(count, visit.usual);
  Ring& ring = lanes_.ring(process.pool);
  ring.served(standing);
  ring.assigned(standing.tenant, process.number, static_cast<int>(count));
  ring.charge(standing.tenant, us);
  lanes_.planned(process.pool, process.offer, standing, visit.kinds, count);
  const std::size_t claim = claim_for(std::move(visit), process);
  requests_[claim].count += count;
  claims_[claim].charged_us += us;
}

// Several visits of one tenant for one process are one request.
std::size_t ClaimPlan::claim_for(Visit&& visit, Process& process) {
  const auto& standing = visit.standing;
  const auto [entry, is_new] = index_.try_emplace(
      {standing.tenant, standing.bucket, process.number, visit.kinds.front().kind, visit.kinds.size()},
      claims_.size());
  if (!is_new) return entry->second;
  queue::ClaimRequest request;
  request.queue = standing.bucket.queue;
  request.priority = standing.bucket.priority;
  request.tenant = standing.tenant;
  request.kinds = std::move(visit.kinds);
  request.reads_only = lanes_.is_read_only(standing.tenant);
  request.count = 0;
  request.process = process.number;
  request.first_of_any_size = !std::exchange(process.has_request, true);
  requests_.push_back(std::move(request));
  claims_.push_back({process.pool, 0});
  return entry->second;
}

void ClaimPlan::clear() {
  claims_.clear();
  index_.clear();
  processes_.forget_plans();
}

void ClaimPlan::undo(const PlannedClaim& claim, const queue::ClaimRequest& request) {
  Ring& ring = lanes_.ring(claim.pool);
  ring.charge(request.tenant, -claim.charged_us);
  for (std::size_t job = 0; job < request.count; ++job) ring.ended(request.tenant, request.process);
}

}  // namespace tenure::daemon
