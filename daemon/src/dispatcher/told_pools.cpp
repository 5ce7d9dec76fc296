#include "told_pools.hpp"

#include <algorithm>
#include <utility>

namespace tenure::daemon {

// What came and went again, or went and came again, before it was told is none.
void ToldPools::changed(std::vector<queue::PoolRecord> pools, Instant tell_at) {
  pools_ = std::move(pools);
  if (told_ == pools_) tell_at_.reset();
  else tell_at_ = tell_at_ ? std::min(*tell_at_, tell_at) : tell_at;
}

// It may have changed on the way.
void ToldPools::told(const std::vector<queue::PoolRecord>& pools, Instant now) {
  told_ = pools;
  changed(std::move(pools_), tell_at_.value_or(now));
}

}  // namespace tenure::daemon
