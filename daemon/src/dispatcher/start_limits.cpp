#include "start_limits.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace tenure::daemon {

using queue::LimitBounds;
using queue::LimitGroup;

namespace {
constexpr std::int64_t kNotTold = -1;
constexpr std::int64_t kBeingTold = -2;  // for the first time, by the round under way
}  // namespace

void StartLimits::set(std::vector<queue::OpenLimit> limits) {
  for (auto group = groups_.begin(); group != groups_.end();) {
    const queue::OpenLimit* const before = limit_of(group->first);
    const auto after = std::ranges::find(limits, group->first.limit, &queue::OpenLimit::number);
    if (after == limits.end() || before == nullptr || before->target != after->target) {
      group = groups_.erase(group);
      continue;
    }
    group->second.running = 0;
    group->second.planned = 0;
    if (!after->bounds.rate) {
      group->second.buckets.clear();
      group->second.used = 0;
    }
    ++group;
  }
  limits_ = std::move(limits);
  taking_.clear();
  planned_.clear();
  to_note_.clear();
  expiries_.clear();
  waiting_.clear();
  for (auto group = groups_.begin(); group != groups_.end();) {
    group->second.expiry.reset();
    group->second.waits = false;
    refresh(group++);
  }
}

void StartLimits::restore(const std::vector<queue::StartBucket>& buckets, Now now) {
  for (const queue::StartBucket& bucket : buckets) {
    const queue::OpenLimit* const limit = limit_of(bucket.group);
    if (limit == nullptr || !limit->bounds.rate) continue;
    Group& group = groups_[bucket.group];
    group.next_number = std::max(group.next_number, bucket.number + 1);
    // As far off as the wall clock says, and never further than a bucket that was opened just now.
    const auto ago = std::max(now.wall - bucket.last_start, -queue::bucket_time(*limit->bounds.rate));
    if (ago >= limit->bounds.rate->window) continue;
    const Instant last = now.steady - ago;
    group.buckets.push_back({.number = bucket.number,
                             .starts = bucket.starts,
                             .taken = bucket.starts,
                             .told = bucket.starts,
                             .opened = last,
                             .last = last,
                             .is_told_last = bucket.is_last});
    group.used += bucket.starts;
  }
  for (auto group = groups_.begin(); group != groups_.end();) refresh(group++);
}

std::vector<std::size_t> StartLimits::find_taking(const std::string& queue, const std::string& kind) const {
  std::vector<std::size_t> places;
  for (std::size_t place = 0; place < limits_.size(); ++place)
    if (queue::takes(limits_[place].target, queue, kind)) places.push_back(place);
  return places;
}

const queue::OpenLimit* StartLimits::limit_of(const LimitGroup& group) const {
  const auto found = std::ranges::lower_bound(limits_, group.limit, {}, &queue::OpenLimit::number);
  return found != limits_.end() && found->number == group.limit ? &*found : nullptr;
}

void StartLimits::found(const LimitGroup& id) {
  const auto group = groups_.try_emplace(id).first;
  ++group->second.running;
  refresh(group);
}

void StartLimits::planned(const LimitGroup& id, std::int64_t jobs) {
  const auto group = groups_.try_emplace(id).first;
  group->second.planned += jobs;
  planned_.insert(id);
  refresh(group);
}

// Where its rate was declared while the round was under way there is no bucket for it.
void StartLimits::started(const LimitGroup& id, Instant now) {
  const auto group = groups_.try_emplace(id).first;
  ++group->second.running;
  std::vector<Bucket>& buckets = group->second.buckets;
  if (!buckets.empty() && buckets.back().taken < buckets.back().starts) {
    ++buckets.back().taken;
    ++group->second.used;
    buckets.back().last = std::max(buckets.back().last, now);
  }
  refresh(group);
}

void StartLimits::ended(const LimitGroup& id) {
  const auto group = groups_.find(id);
  if (group == groups_.end() || group->second.running == 0) return;
  --group->second.running;
  refresh(group);
}

void StartLimits::forget_plans() {
  for (const LimitGroup& id : std::exchange(planned_, {})) {
    const auto group = groups_.find(id);
    if (group == groups_.end()) continue;
    group->second.planned = 0;
    // The store knows that nothing has started in them.
    std::erase_if(group->second.buckets,
                  [](const Bucket& bucket) { return bucket.starts == 0 && bucket.told == 0; });
    refresh(group);
  }
}

void StartLimits::expire(Instant now) {
  std::vector<LimitGroup> due;
  for (const auto& [moment, id] : expiries_) {
    if (moment > now) break;
    due.push_back(id);
  }
  for (const LimitGroup& id : due) {
    const auto group = groups_.find(id);
    expire(group->second, limit_of(id)->bounds.rate->window, now);
    refresh(group);
  }
}

// One that takes starts of the round under way is to count from those.
void StartLimits::expire(Group& group, std::chrono::microseconds window, Instant now) {
  std::erase_if(group.buckets, [&](const Bucket& bucket) {
    const bool takes_more = group.planned > 0 && bucket.taken < bucket.starts;
    const bool is_over = !takes_more && bucket.last + window <= now;
    if (is_over) group.used -= bucket.taken;
    return is_over;
  });
}

std::optional<Instant> StartLimits::next_opening() const {
  return waiting_.empty() ? std::nullopt : std::optional{waiting_.begin()->first};
}

std::vector<LimitGroup> StartLimits::take_changed() {
  std::vector<LimitGroup> changed(changed_.begin(), changed_.end());
  changed_.clear();
  return changed;
}

std::int64_t StartLimits::room(const LimitBounds& bounds, const Group& group) {
  std::int64_t room = std::numeric_limits<std::int64_t>::max();
  if (bounds.running) room = *bounds.running - group.running - group.planned;
  if (bounds.rate) room = std::min(room, bounds.rate->starts - group.used - group.planned);
  return std::max<std::int64_t>(0, room);
}

std::int64_t StartLimits::room(const LimitGroup& id) const {
  const auto found = groups_.find(id);
  const queue::OpenLimit* const limit = limit_of(id);
  if (limit == nullptr) return std::numeric_limits<std::int64_t>::max();
  return room(limit->bounds, found == groups_.end() ? Group{} : found->second);
}

bool StartLimits::is_at_cap(const LimitGroup& id) const {
  const auto found = groups_.find(id);
  const queue::OpenLimit* const limit = limit_of(id);
  return found != groups_.end() && limit != nullptr && limit->bounds.running &&
         found->second.running + found->second.planned >= *limit->bounds.running;
}

std::optional<Instant> StartLimits::next_start(const LimitGroup& id) const {
  const auto found = groups_.find(id);
  if (found == groups_.end() || !found->second.waits) return std::nullopt;
  return found->second.expiry;
}

std::map<LimitGroup, std::int64_t> StartLimits::running() const {
  std::map<LimitGroup, std::int64_t> running;
  for (const auto& [id, group] : groups_)
    if (group.running > 0) running.emplace(id, group.running);
  return running;
}

std::optional<Instant> StartLimits::first_expiry(const LimitBounds& bounds, const Group& group) {
  if (!bounds.rate || group.buckets.empty()) return std::nullopt;
  return std::ranges::min(group.buckets, {}, &Bucket::last).last + bounds.rate->window;
}

void StartLimits::refresh(Groups::iterator at) {
  const auto& [id, group] = *at;
  Group& changed = at->second;
  const queue::OpenLimit* const limit = limit_of(id);
  const LimitBounds bounds = limit != nullptr ? limit->bounds : LimitBounds{};
  const bool is_open = room(bounds, group) > 0;
  if (is_open != group.is_open) changed_.insert(id);
  changed.is_open = is_open;
  const auto expiry = first_expiry(bounds, group);
  const bool waits = expiry && bounds.rate && group.used >= bounds.rate->starts;
  if (expiry != group.expiry || waits != group.waits) {
    if (group.expiry) {
      expiries_.erase({*group.expiry, id});
      waiting_.erase({*group.expiry, id});
    }
    if (expiry) expiries_.emplace(*expiry, id);
    if (waits) waiting_.emplace(*expiry, id);
    changed.expiry = expiry;
    changed.waits = waits;
  }
  const bool has_told_too_much = group.planned == 0 && !group.buckets.empty() &&
                                 group.buckets.back().is_told_last &&
                                 group.buckets.back().taken < group.buckets.back().starts;
  if (has_told_too_much && bounds.rate && group.used < bounds.rate->starts) to_note_.insert(id);
  // The bounds are others than those by which it was told, or nobody knew how many it had.
  const bool has_told_too_little =
      group.planned == 0 && !group.buckets.empty() && !group.buckets.back().is_told_last;
  if (has_told_too_little && bounds.rate && group.used >= bounds.rate->starts) to_note_.insert(id);
  if (group.running == 0 && group.planned == 0 && group.buckets.empty()) {
    to_note_.erase(id);
    groups_.erase(at);
  }
}

std::optional<std::vector<queue::BucketNote>> StartLimits::take_notes(Instant now) {
  if (planned_.empty() && to_note_.empty()) return std::nullopt;
  std::vector<queue::BucketNote> notes;
  std::set<LimitGroup> ids = std::exchange(to_note_, {});
  ids.insert(planned_.begin(), planned_.end());
  for (const LimitGroup& id : ids) {
    const auto group = groups_.find(id);
    if (group == groups_.end()) continue;
    add_notes(id, group->second, now, notes);
  }
  return notes;
}

// It would count as full where nobody is left who knows.
std::optional<queue::BucketNote> StartLimits::close_newest(const LimitGroup& id, Group& group,
                                                           const StartRate& rate, Instant now) {
  if (group.buckets.empty()) return std::nullopt;
  Bucket& closed = group.buckets.back();
  closed.starts = closed.taken;
  if (std::exchange(closed.told, closed.taken) == closed.taken) return std::nullopt;
  closed.is_told_last = false;
  const queue::BucketNote note{
      .bucket = {.group = id, .number = closed.number, .starts = closed.taken},
      .window = rate.window,
      .open_for = std::chrono::duration_cast<std::chrono::microseconds>(closed.last - now),
      .is_news = true};
  return note;
}

// A bucket takes starts for its time only; where the plan does not go into it, the next one takes all of it.
void StartLimits::add_notes(const LimitGroup& id, Group& group, Instant now,
                            std::vector<queue::BucketNote>& notes) {
  const queue::OpenLimit* const limit = limit_of(id);
  if (limit == nullptr || !limit->bounds.rate) return;
  const StartRate& rate = *limit->bounds.rate;
  if (!group.buckets.empty() && group.buckets.back().told == kBeingTold)
    group.buckets.back().told = group.buckets.back().starts;
  std::int64_t takes_more = 0;
  if (!group.buckets.empty() && now < group.buckets.back().opened + queue::bucket_time(rate))
    takes_more = group.buckets.back().starts - group.buckets.back().taken;
  bool is_news = group.planned > takes_more;
  if (is_news) {
    if (auto closed = close_newest(id, group, rate, now)) notes.push_back(*closed);
    group.buckets.push_back({.number = group.next_number++,
                             .starts = std::max(group.planned, queue::bucket_starts(rate)),
                             .told = kBeingTold,
                             .opened = now,
                             .last = now});
  }
  if (group.buckets.empty()) return;
  Bucket& newest = group.buckets.back();
  if (newest.told != kBeingTold) newest.told = newest.starts;
  const bool is_last = group.used + group.planned >= rate.starts;
  is_news = is_news || is_last != newest.is_told_last;
  newest.is_told_last = is_last;
  const bool is_full = is_last || newest.taken + group.planned >= newest.starts;
  notes.push_back(
      {.bucket = {.group = id, .number = newest.number, .starts = newest.starts, .is_last = is_last},
       .window = rate.window,
       .open_for = is_full ? std::chrono::microseconds{0} : queue::bucket_time(rate),
       .is_news = is_news});
}

void StartLimits::not_noted(const std::vector<queue::BucketNote>& notes) {
  for (const queue::BucketNote& note : notes) {
    const auto group = groups_.find(note.bucket.group);
    if (group == groups_.end() || !note.is_news) continue;
    std::erase_if(group->second.buckets, [&](const Bucket& bucket) {
      return bucket.number == note.bucket.number && bucket.told == kBeingTold;
    });
    for (Bucket& bucket : group->second.buckets)
      if (bucket.number == note.bucket.number) {
        bucket.is_told_last = !note.bucket.is_last;
        bucket.told = kNotTold;
      }
    refresh(group);
  }
}

}  // namespace tenure::daemon
