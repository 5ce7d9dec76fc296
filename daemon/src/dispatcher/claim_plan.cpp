#include "claim_plan.hpp"

#include <algorithm>
#include <set>

namespace tenure::daemon {

using std::chrono::microseconds;

std::size_t quantum(microseconds usual) {
  return static_cast<std::size_t>(
      std::clamp<std::int64_t>(kQuantumTime.count() / usual.count(), 1, kQuantumJobs));
}

void ClaimPlan::make(std::size_t pools, std::size_t jobs_max, queue::Incarnation incarnation,
                     std::int64_t& counter) {
  for (std::size_t pool = 0; pool < pools; ++pool) {
    for (Crew crew{pool, 0}; crew.program < lanes_.programs(pool); ++crew.program) fill_slots(crew, jobs_max);
    for (Crew crew{pool, 0}; crew.program < lanes_.programs(pool); ++crew.program) fill_ahead(crew, jobs_max);
  }
  std::set<ProcessNumber> served;
  for (PlannedClaim& claim : claims_) {
    claim.request.first_of_any_size = served.insert(claim.request.process).second;
    claim.request.incarnation = incarnation;
    claim.request.first_counter = counter;
    counter += static_cast<std::int64_t>(claim.request.count);
  }
}

void ClaimPlan::fill_slots(Crew crew, std::size_t& jobs_left) {
  std::size_t slots = 0;
  std::size_t free = 0;
  for (const auto& [number, process] : processes_.all()) {
    if (!crew.has(process)) continue;
    slots += process.slots;
    free += process.free_slots();
  }
  while (free > 0 && jobs_left > 0) {
    auto visit = next_visit(crew, free == 1 && slots >= kLongJobSlotsMin);
    if (!visit) return;
    const Choice choice =
        choose(crew, visit->place.tenant, [](const Process& process) { return process.free_slots(); });
    std::size_t count = std::min({quantum(visit->usual), choice.room,
                                  lanes_.jobs_max(crew.pool, crew.program, visit->place), jobs_left});
    // Several long ones at once would step over the rule for the last slot.
    if (visit->usual > kLongJob) count = 1;
    free -= count;
    jobs_left -= count;
    take(std::move(*visit), *choice.process, count);
  }
}

// Stops at the first tenant whose next job may not be assigned ahead: the slot that falls free next is that tenant's.
void ClaimPlan::fill_ahead(Crew crew, std::size_t& jobs_left) {
  while (jobs_left > 0) {
    const auto place = lanes_.ring(crew.pool).first(crew.program);
    if (!place) return;
    Visit visit = visit_at(crew, *place, false);
    const Choice choice =
        choose(crew, place->tenant, [&](const Process& process) { return process.room_ahead(visit.usual); });
    if (choice.process == nullptr) return;
    const std::size_t count = std::min(
        {quantum(visit.usual), choice.room, lanes_.jobs_max(crew.pool, crew.program, *place), jobs_left});
    jobs_left -= count;
    take(std::move(visit), *choice.process, count);
  }
}

// Nearly always the first of the ring; further only past tenants that run long jobs here, of which there are fewer than slots.
std::optional<ClaimPlan::Visit> ClaimPlan::next_visit(Crew crew, bool is_last_slot) {
  const Ring& ring = lanes_.ring(crew.pool);
  for (auto place = ring.first(crew.program); place; place = ring.after(*place, crew.program)) {
    Visit visit = visit_at(crew, *place, is_last_slot && ring.outstanding(place->tenant) > 0);
    if (!visit.kinds.empty()) return visit;
  }
  return std::nullopt;
}

ClaimPlan::Visit ClaimPlan::visit_at(Crew crew, const Ring::Place& place, bool without_long) const {
  Visit visit{place, {}, microseconds{1}};
  lanes_.for_each_kind(crew.pool, crew.program, place, [&](const queue::LaneCursor& cursor) {
    const microseconds usual = usual_[crew.pool].of(cursor.kind);
    if (without_long && usual > kLongJob) return;
    visit.usual = std::max(visit.usual, usual);
    visit.kinds.push_back(cursor);
  });
  return visit;
}

// Where jobs of this tenant run now, else where some ran lately, else the least loaded; the lowest number among equals.
template <class Room>
ClaimPlan::Choice ClaimPlan::choose(Crew crew, TenantNumber tenant, Room&& room_of) {
  Choice best;
  std::pair<int, std::int64_t> best_rank{};
  for (auto& [number, process] : processes_.all()) {
    if (!crew.has(process)) continue;
    const std::size_t room = room_of(process);
    if (room == 0) continue;
    const int runs = lanes_.ring(crew.pool).outstanding(tenant, number) > 0 ? 2
                     : process.was_used_by(tenant)                          ? 1
                                                                            : 0;
    const auto load = static_cast<std::int64_t>(process.jobs.size() + process.planned);
    const std::pair<int, std::int64_t> rank{-runs, load};
    if (best.process != nullptr && best_rank <= rank) continue;
    best = {&process, room};
    best_rank = rank;
  }
  return best;
}

void ClaimPlan::take(Visit&& visit, Process& process, std::size_t count) {
  const Ring::Place place = visit.place;
  const std::int64_t us = visit.usual.count() * static_cast<std::int64_t>(count);
  process.plan(count, visit.usual);
  Ring& ring = lanes_.ring(process.pool);
  ring.served(place);
  ring.assigned(place.tenant, process.number, static_cast<int>(count));
  ring.charge(place.tenant, us);
  lanes_.planned(process.pool, process.program, place, count);
  PlannedClaim& claim = claim_for(std::move(visit), process);
  claim.request.count += count;
  claim.charged_us += us;
}

// Several visits of one tenant for one process are one request.
PlannedClaim& ClaimPlan::claim_for(Visit&& visit, const Process& process) {
  const auto& place = visit.place;
  const auto [entry, is_new] =
      index_.try_emplace({place.tenant, place.bucket, process.number, visit.kinds.size()}, claims_.size());
  if (!is_new) return claims_[entry->second];
  queue::ClaimRequest request;
  request.queue = place.bucket.queue;
  request.priority = place.bucket.priority;
  request.tenant = place.tenant;
  request.kinds = std::move(visit.kinds);
  request.count = 0;
  request.process = process.number;
  claims_.push_back({process.pool, place, std::move(request), 0});
  return claims_.back();
}

void ClaimPlan::clear() {
  claims_.clear();
  index_.clear();
}

void ClaimPlan::undo(const PlannedClaim& claim) {
  Ring& ring = lanes_.ring(claim.pool);
  ring.charge(claim.place.tenant, -claim.charged_us);
  for (std::size_t job = 0; job < claim.request.count; ++job) {
    ring.ended(claim.place.tenant, claim.request.process);
  }
}

}  // namespace tenure::daemon
