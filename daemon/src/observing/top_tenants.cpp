#include "top_tenants.hpp"

#include <algorithm>
#include <utility>

namespace tenure::daemon {

void TopTenants::used(const std::optional<TenantName>& tenant, Instant since, Instant now) {
  const auto time = std::max(std::chrono::microseconds{0}, now - std::max(since, begun_at_));
  used_ += time;
  if (tenant && count_max_ > 0) used_by_[*tenant] += time;
}

void TopTenants::choose(Instant now) {
  std::vector<std::pair<TenantName, std::chrono::microseconds>> all(used_by_.begin(), used_by_.end());
  std::erase_if(all, [](const auto& tenant) { return tenant.second.count() == 0; });
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(count_max_, all.size()));
  std::partial_sort(all.begin(), end, all.end(), [](const auto& left, const auto& right) {
    return left.second != right.second ? left.second > right.second : left.first < right.first;
  });
  chosen_.clear();
  for (auto tenant = all.begin(); tenant != end; ++tenant)
    chosen_.push_back({std::move(tenant->first),
                       static_cast<double>(tenant->second.count()) / static_cast<double>(used_.count())});
  used_by_.clear();
  used_ = {};
  begun_at_ = now;
}

}  // namespace tenure::daemon
