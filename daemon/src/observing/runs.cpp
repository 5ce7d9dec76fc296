#include "runs.hpp"

#include <algorithm>
#include <utility>

namespace tenure::daemon {

Runs::Begun Runs::add(Run run, Instant now) {
  const queue::JobSeq seq = run.claim.seq;
  const auto place = runs_.insert(runs_.end(), std::move(run));
  if (!places_.emplace(seq, place).second) {  // the same claim twice is for the dispatcher to find
    runs_.erase(place);
    return nullptr;
  }
  return begin_next(now);
}

Runs::Ended Runs::end(queue::ClaimRef claim, Instant now) {
  const auto found = places_.find(claim.seq);
  if (found == places_.end() || found->second->claim != claim) return {};
  Ended ended{.run = std::move(*found->second)};
  runs_.erase(found->second);
  places_.erase(found);
  if (ended.run->since) --performing_;
  ended.begun = begin_next(now);
  return ended;
}

Runs::Begun Runs::begin_next(Instant now) {
  if (performing_ >= slots_) return nullptr;
  const auto next =
      std::ranges::find_if(runs_, [](const Run& run) { return !run.since && !run.is_recalled; });
  if (next == runs_.end()) return nullptr;
  next->since = now;
  ++performing_;
  return &*next;
}

void Runs::recall(queue::ClaimRef claim) {
  const auto found = places_.find(claim.seq);
  if (found != places_.end() && found->second->claim == claim) found->second->is_recalled = true;
}

void Runs::recall_all() {
  for (Run& run : runs_) run.is_recalled = true;
}

}  // namespace tenure::daemon
