#include "seen_outboxes.hpp"

namespace tenure::detail {

bool SeenOutboxes::has(const queue::OutboxOwner& owner) const {
  const std::lock_guard lock(mutex_);
  return owners_.contains({owner.tenant, owner.generation});
}

void SeenOutboxes::add(const queue::OutboxOwner& owner) {
  const std::lock_guard lock(mutex_);
  if (owners_.size() == kMax) owners_.clear();
  owners_.emplace(owner.tenant, owner.generation);
}

}  // namespace tenure::detail
