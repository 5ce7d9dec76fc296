#include "limit_questions.hpp"

#include "job_key_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tenure::queue {
namespace {

template <class Counted>
std::vector<std::pair<Counted, LimitUse>> fullest(const std::map<Counted, LimitUse>& counted,
                                                  std::size_t limit) {
  std::vector<std::pair<Counted, LimitUse>> uses(counted.begin(), counted.end());
  std::ranges::stable_sort(uses, [](const auto& a, const auto& b) {
    return std::pair{a.second.running, a.second.starts} > std::pair{b.second.running, b.second.starts};
  });
  if (uses.size() > limit) uses.resize(limit);
  return uses;
}

}  // namespace

void LimitQuestions::set_now(WallTime now) {
  if (now_ == now) return;
  now_ = now;
  known_.reset();
}

const std::vector<LimitQuestions::Known>& LimitQuestions::known() {
  if (known_) return *known_;
  std::vector<Known> limits;
  for (LimitRecord& limit : rows_.limits()) limits.push_back({std::move(limit), {}});
  known_ = std::move(limits);
  taking_.clear();
  if (known_->empty()) return *known_;
  claims_ = rows_.claims();
  count_claims(*known_);
  for (Known& each : *known_) {
    if (each.limit.target.per.key) count_keys(each);
    else count_starts(each);
  }
  return *known_;
}

void LimitQuestions::count_claims(std::vector<Known>& limits) {
  for (const RunningClaim& claim : claims_)
    for (const std::size_t index : taking(claim.lane.queue, claim.lane.kind)) {
      Known& each = limits[index];
      ++each.uses[group_in(each, claim.lane)].running;
    }
}

// All that run with a key count, also those that the limit does not take.
void LimitQuestions::count_keys(Known& known) {
  const LimitTarget& target = known.limit.target;
  for (const RunningClaim& claim : claims_)
    if (!claim.key.empty() && takes(target, rows_.name_of(claim.lane.queue), rows_.name_of(claim.lane.kind)))
      known.keys.try_emplace(claim.key);
  for (const RunningClaim& claim : claims_)
    if (const auto key = known.keys.find(claim.key); key != known.keys.end()) ++key->second.running;
}

void LimitQuestions::count_starts(Known& known) {
  const auto rate = known.limit.bounds().rate;
  if (!rate || !now_) return;
  std::map<LimitGroup, std::vector<StartBucket>> groups;
  for (const StartBucket& bucket : rows_.buckets(known.limit.number)) groups[bucket.group].push_back(bucket);
  for (const auto& [group, buckets] : groups) {
    const LimitUse starts = starts_of(buckets, *rate, *now_);
    if (starts.starts == 0) continue;
    LimitUse& use = known.uses[group];
    use.starts = starts.starts;
    use.next_start = starts.next_start;
  }
}

const std::vector<std::size_t>& LimitQuestions::taking(QueueNumber queue, KindNumber kind) {
  const auto [entry, is_new] = taking_.try_emplace({queue, kind});
  if (!is_new) return entry->second;
  const std::string queue_name = rows_.name_of(queue);
  const std::string kind_name = rows_.name_of(kind);
  for (std::size_t index = 0; index < known_->size(); ++index)
    if (const LimitTarget& target = (*known_)[index].limit.target;
        !target.per.key && takes(target, queue_name, kind_name))
      entry->second.push_back(index);
  return entry->second;
}

LimitUse LimitQuestions::use_of(const Known& known, const LimitGroup& group) {
  const auto found = known.uses.find(group);
  return found == known.uses.end() ? LimitUse{} : found->second;
}

const LimitQuestions::Known* LimitQuestions::deciding(const Lane& lane) {
  const auto& limits = known();
  if (limits.empty()) return nullptr;
  const Known* paced = nullptr;
  for (const std::size_t index : taking(lane.queue, lane.kind)) {
    const Known& each = limits[index];
    const JobReason gate = limit_gate(each.limit.bounds(), use_of(each, group_in(each, lane)));
    if (gate == JobReason::limit_cap) return &each;
    if (gate != JobReason::none && paced == nullptr) paced = &each;
  }
  return paced;
}

LimitGroup LimitQuestions::group_in(const Known& known, const Lane& lane) {
  return group_of(known.limit.number, known.limit.target, lane);
}

JobReason LimitQuestions::gate_of(TenantNumber tenant, QueueNumber queue, KindNumber kind) {
  const Lane lane{queue, Priority{}, tenant, kind};
  const Known* const limit = deciding(lane);
  if (limit == nullptr) return JobReason::none;
  return limit_gate(limit->limit.bounds(), use_of(*limit, group_in(*limit, lane)));
}

std::string LimitQuestions::held_by(TenantNumber tenant, QueueNumber queue, KindNumber kind) {
  const Lane lane{queue, Priority{}, tenant, kind};
  const Known* const limit = deciding(lane);
  if (limit == nullptr) return {};
  const LimitBounds bounds = limit->limit.bounds();
  const LimitUse use = use_of(*limit, group_in(*limit, lane));
  if (limit_gate(bounds, use) == JobReason::limit_cap)
    return fmt::format("{}, {} of {} run", limit->limit.name, use.running, bounds.running.value_or(0));
  return fmt::format("{}, {} used up", limit->limit.name, text_of(bounds.rate.value_or(StartRate{})));
}

std::vector<LimitStanding> LimitQuestions::standings_of(const Lane& lane) {
  std::vector<LimitStanding> standings;
  const auto& limits = known();
  if (limits.empty()) return standings;
  for (const std::size_t index : taking(lane.queue, lane.kind)) {
    const Known& each = limits[index];
    standings.push_back(standing(each, group_in(each, lane)));
  }
  return standings;
}

std::vector<LimitStanding> LimitQuestions::standings(LimitNumber number, std::size_t limit) {
  std::vector<LimitStanding> standings;
  for (const Known& each : known()) {
    if (each.limit.number != number) continue;
    for (const auto& [group, use] : fullest(each.uses, limit)) standings.push_back(standing(each, group));
    for (const auto& [key, use] : fullest(each.keys, limit)) standings.push_back(standing(each, key, use));
  }
  return standings;
}

LimitStanding LimitQuestions::standing(const Known& known, const LimitGroup& group) {
  const LimitTarget& target = known.limit.target;
  LimitStanding standing{.limit = known.limit, .use = use_of(known, group)};
  if (target.per.tenant) standing.tenant = rows_.name_of(group.tenant);
  if (target.per.queue) standing.queue = rows_.name_of(group.queue);
  if (target.per.kind) standing.kind = rows_.name_of(group.kind);
  for (const RunningClaim& claim : claims_) {
    if (standing.holders.size() == kKeyHoldersShown) break;
    const auto& limits = taking(claim.lane.queue, claim.lane.kind);
    const bool is_taken = std::ranges::any_of(
        limits, [&](std::size_t index) { return (*known_)[index].limit.number == known.limit.number; });
    if (is_taken && group_of(known.limit.number, target, claim.lane) == group)
      standing.holders.push_back({claim.id, claim.started});
  }
  return standing;
}

LimitStanding LimitQuestions::standing(const Known& known, const std::string& key, const LimitUse& use) {
  LimitStanding standing{.limit = known.limit, .key = std::string{stated_key(key)}, .use = use};
  for (const RunningClaim& claim : claims_) {
    if (claim.key != key) continue;
    if (!is_global_key(key)) standing.tenant = rows_.name_of(claim.lane.tenant);
    standing.holders.push_back({claim.id, claim.started});
    if (standing.holders.size() == kKeyHoldersShown) break;
  }
  return standing;
}

}  // namespace tenure::queue
