#include "marked_files.hpp"

namespace tenure::detail {

bool MarkedFiles::has(const queue::OutboxOwner& owner, std::int64_t epoch) const {
  const std::lock_guard lock(mutex_);
  const auto found = epochs_.find({owner.tenant, owner.generation});
  return found != epochs_.end() && found->second == epoch;
}

void MarkedFiles::add(const queue::OutboxOwner& owner, std::int64_t epoch) {
  const std::lock_guard lock(mutex_);
  if (epochs_.size() == kMax) epochs_.clear();
  epochs_.insert_or_assign({owner.tenant, owner.generation}, epoch);
}

}  // namespace tenure::detail
