#include "key_limits.hpp"

#include <algorithm>
#include <string>

namespace tenure::queue {

const LimitRecord* KeyLimits::least(QueueNumber queue, KindNumber kind) {
  if (!limits_) limits_ = rows_.limits_per_key();
  if (limits_->empty()) return nullptr;
  const auto [entry, is_new] = least_.try_emplace({queue, kind}, nullptr);
  if (!is_new) return entry->second;
  const std::string queue_name = rows_.name_of(queue);
  const std::string kind_name = rows_.name_of(kind);
  for (const LimitRecord& limit : *limits_) {
    const auto running = limit.bounds().running;
    if (!running || !takes(limit.target, queue_name, kind_name)) continue;
    if (entry->second == nullptr || *running < *entry->second->bounds().running) entry->second = &limit;
  }
  return entry->second;
}

std::int64_t KeyLimits::running_max(std::int64_t stated, QueueNumber queue, KindNumber kind) {
  const LimitRecord* const limit = least(queue, kind);
  return limit == nullptr ? stated : std::min(stated, limit->bounds().running.value_or(stated));
}

void KeyLimits::tell(const Lane& lane, JobKeys& keys) {
  const std::int64_t may_run = running_max(keys.running_max, lane.queue, lane.kind);
  if (may_run == keys.running_max) return;
  keys.running_max = may_run;
  keys.limit = least(lane.queue, lane.kind)->name;
}

void KeyLimits::forget() {
  least_.clear();
  limits_.reset();
}

}  // namespace tenure::queue
