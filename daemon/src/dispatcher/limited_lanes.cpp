#include "lanes.hpp"

#include <algorithm>
#include <limits>
#include <utility>

// Of the lanes: those of whom no more may start, by the limits that count them.
namespace tenure::daemon {

using queue::Lane;
using queue::LimitGroup;

std::vector<LimitGroup> Lanes::limit_groups(const Lane& lane) const {
  std::vector<LimitGroup> groups;
  if (!has_limits()) return groups;
  const auto names = [&] { return std::pair{queue_name(lane.queue), kind_name(lane.kind)}; };
  for (const std::size_t limit : limits_.taking(lane, names)) groups.push_back(limits_.group(limit, lane));
  return groups;
}

void Lanes::set_limits(std::vector<queue::OpenLimit> limits, const std::vector<Lane>& claims) {
  if (limits.empty() && !has_limits()) return;
  limits_.set(std::move(limits));
  for (const Lane& lane : claims)
    for (const LimitGroup& group : limit_groups(lane)) limits_.found(group);
  static_cast<void>(limits_.take_changed());
  for (auto& [id, bucket] : buckets_)
    for (auto& [tenant, lanes] : bucket)
      for (KindLane& kind : lanes.kinds) kind.is_limited = false;
  refresh_all();
}

void Lanes::restore_starts(const std::vector<queue::StartBucket>& buckets, Now now) {
  limits_.restore(buckets, now);
  refresh_limited();
}

std::optional<Instant> Lanes::next_unpark() const {
  const auto busy = busy_.next_due();
  const auto limits = limits_.next_opening();
  return busy && limits ? std::min(*busy, *limits) : busy ? busy : limits;
}

bool Lanes::has_room(const Lane& lane) const {
  return std::ranges::all_of(limit_groups(lane),
                             [&](const LimitGroup& group) { return limits_.room(group) > 0; });
}

std::int64_t Lanes::keep_together(const Ring::Standing& standing, std::vector<queue::LaneCursor>& kinds,
                                  Ahead ahead) const {
  std::vector<std::pair<std::vector<LimitGroup>, std::vector<queue::LaneCursor>>> together;
  const TenantLanes& lanes = lanes_of(standing);
  for (const queue::LaneCursor& cursor : kinds) {
    const auto known_lane = std::ranges::find(lanes.kinds, cursor.kind, &KindLane::kind);
    if (known_lane->jobs && *known_lane->jobs <= known_lane->planned) continue;
    const Lane lane{standing.bucket.queue, standing.bucket.priority, standing.tenant, cursor.kind};
    const auto names = [&] { return std::pair{queue_name(lane.queue), kind_name(lane.kind)}; };
    const auto& taking = limits_.taking(lane, names);
    const bool is_paced =
        std::ranges::any_of(taking, [&](std::size_t limit) { return limits_.has_rate(limit); });
    if (ahead == Ahead::yes && is_paced) {
      kinds.clear();
      return 0;
    }
    auto groups = limit_groups(lane);
    const auto known = std::ranges::find(together, groups, [](const auto& each) { return each.first; });
    if (known != together.end()) known->second.push_back(cursor);
    else together.push_back({std::move(groups), {cursor}});
  }
  kinds.clear();
  if (together.empty()) return 0;
  auto& [groups, chosen] = together[lanes.visits % together.size()];
  kinds = std::move(chosen);
  std::int64_t room = std::numeric_limits<std::int64_t>::max();
  for (const LimitGroup& group : groups) room = std::min(room, limits_.room(group));
  return room;
}

std::int64_t Lanes::jobs_of(const Ring::Standing& standing,
                            const std::vector<queue::LaneCursor>& kinds) const {
  std::int64_t jobs = 0;
  for (const KindLane& kind : lanes_of(standing).kinds) {
    if (std::ranges::find(kinds, kind.kind, &queue::LaneCursor::kind) == kinds.end()) continue;
    if (!kind.jobs) return std::numeric_limits<std::int64_t>::max();
    jobs += *kind.jobs - kind.planned;
  }
  return jobs;
}

void Lanes::expect(const Lane& lane, Expected& expected) const {
  for (const LimitGroup& group : limit_groups(lane)) ++expected[group];
}

bool Lanes::has_room(const Lane& lane, const Expected& expected) const {
  return std::ranges::all_of(limit_groups(lane), [&](const LimitGroup& group) {
    const auto before = expected.find(group);
    return limits_.room(group) > (before == expected.end() ? 0 : before->second);
  });
}

void Lanes::plan_start(const Lane& lane) {
  for (const LimitGroup& group : limit_groups(lane)) limits_.planned(group, 1);
  refresh_limited();
}

void Lanes::started(const Lane& lane, Instant now) {
  for (const LimitGroup& group : limit_groups(lane)) limits_.started(group, now);
  refresh_limited();
}

void Lanes::claim_ended(const Lane& lane) {
  for (const LimitGroup& group : limit_groups(lane)) limits_.ended(group);
  refresh_limited();
}

void Lanes::forget_start_plans() {
  limits_.forget_plans();
  refresh_limited();
}

void Lanes::not_noted(const std::vector<queue::BucketNote>& notes) {
  limits_.not_noted(notes);
  refresh_limited();
}

void Lanes::add_limits(const Lane& lane, queue::LaneFacts& facts) const {
  for (const LimitGroup& group : limit_groups(lane)) {
    if (limits_.room(group) > 0) continue;
    if (limits_.is_at_cap(group)) facts.is_at_cap = true;
    else facts.next_start = WallTime{};  // which the store tells
  }
}

void Lanes::note_limited(const Bucket& id, TenantNumber tenant, TenantLanes& lanes) {
  for (KindLane& kind : lanes.kinds) kind.is_limited = !has_room({id.queue, id.priority, tenant, kind.kind});
}

void Lanes::refresh_limited() {
  for (const LimitGroup& group : limits_.take_changed()) refresh_group(group);
}

void Lanes::refresh_group(const LimitGroup& group) {
  const auto counts = [&](const Bucket& id, TenantNumber tenant, const TenantLanes& lanes) {
    return std::ranges::any_of(lanes.kinds, [&](const KindLane& kind) {
      const auto groups = limit_groups({id.queue, id.priority, tenant, kind.kind});
      return std::ranges::find(groups, group) != groups.end();
    });
  };
  if (limits_.is_per_tenant(group)) return refresh_tenant(group.tenant);
  for (auto& [id, bucket] : buckets_) {
    if (group.queue != queue::QueueNumber{} && group.queue != id.queue) continue;
    for (auto& [tenant, lanes] : bucket)
      if (counts(id, tenant, lanes)) refresh(id, tenant, lanes);
  }
}

}  // namespace tenure::daemon
