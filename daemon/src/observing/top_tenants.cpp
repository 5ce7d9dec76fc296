#include "top_tenants.hpp"

#include <algorithm>
#include <utility>

namespace tenure::daemon {

void TopTenants::used(const Run& run, Instant now) {
  const Instant since = std::max(run.since.value_or(now), begun_at_);
  const auto time = std::max(std::chrono::microseconds{0}, now - since);
  used_ += time;
  if (!run.tenant || count_max_ == 0 || time.count() == 0) return;
  used_by_.try_emplace(run.lane.tenant, Used{*run.tenant}).first->second.time += time;
}

void TopTenants::choose(Instant now) {
  std::vector<Used> all;
  all.reserve(used_by_.size());
  for (auto& [number, used] : used_by_) all.push_back(std::move(used));
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(count_max_, all.size()));
  std::partial_sort(all.begin(), end, all.end(), [](const Used& left, const Used& right) {
    return left.time != right.time ? left.time > right.time : left.name < right.name;
  });
  chosen_.clear();
  for (auto tenant = all.begin(); tenant != end; ++tenant) {
    const double ratio = static_cast<double>(tenant->time.count()) / static_cast<double>(used_.count());
    // One that was deleted and made anew has two numbers, and is one.
    const auto same = std::ranges::find(chosen_, tenant->name, &Chosen::name);
    if (same != chosen_.end()) same->ratio += ratio;
    else chosen_.push_back({std::move(tenant->name), ratio});
  }
  used_by_.clear();
  used_ = {};
  begun_at_ = now;
}

}  // namespace tenure::daemon
