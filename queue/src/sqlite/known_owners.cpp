#include "known_owners.hpp"

#include <mutex>

namespace tenure::queue {
namespace {

constexpr std::size_t kKnownMax = 65'536;

}  // namespace

std::optional<Owner> KnownOwners::find(std::int64_t mark, const TenantName& name) const {
  const std::shared_lock lock(mutex_);
  if (mark != mark_) return std::nullopt;
  const auto found = owners_.find(name);
  return found == owners_.end() ? std::nullopt : std::optional{found->second};
}

// Marks only grow, so an older one is of a transaction that another one has overtaken.
void KnownOwners::remember(std::int64_t mark, const Owners& owners) {
  if (owners.empty()) return;
  const std::unique_lock lock(mutex_);
  if (mark < mark_) return;
  if (mark > mark_ || owners_.size() + owners.size() > kKnownMax) owners_.clear();
  mark_ = mark;
  owners_.insert(owners.begin(), owners.end());
}

}  // namespace tenure::queue
