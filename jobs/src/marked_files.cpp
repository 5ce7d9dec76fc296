#include "marked_files.hpp"

#include <algorithm>

namespace tenure::detail {

bool MarkedFiles::has(const queue::OutboxOwner& owner, const queue::OutboxState& file) const {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find({owner.tenant, owner.generation});
  return found != files_.end() && found->second.epoch == file.epoch && found->second.newest <= file.newest;
}

void MarkedFiles::add(const queue::OutboxOwner& owner, const queue::OutboxState& file) {
  const std::lock_guard lock(mutex_);
  if (files_.size() == kMax) files_.clear();
  files_.insert_or_assign({owner.tenant, owner.generation}, file);
}

void MarkedFiles::saw(const queue::OutboxOwner& owner, queue::OutboxSeq newest) {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find({owner.tenant, owner.generation});
  if (found != files_.end()) found->second.newest = std::max(found->second.newest, newest);
}

}  // namespace tenure::detail
