#include "told_runs.hpp"

#include <utility>

namespace tenure::daemon {
namespace {

// What `later` leaves open stays.
void replace(queue::RunNews& earlier, queue::RunNews later) {
  if (later.progress) earlier.progress = std::move(later.progress);
  if (!later.cursor.empty()) earlier.cursor = std::move(later.cursor);
}

}  // namespace

void ToldRuns::told(const Process& process, std::vector<queue::RunNews> news) {
  for (queue::RunNews& each : news) {
    if (!process.jobs.contains(each.claim)) continue;
    const auto [found, is_new] = untold_.try_emplace(each.claim, queue::RunNews{});
    found->second.claim = each.claim;
    replace(found->second, std::move(each));
  }
}

std::vector<queue::RunNews> ToldRuns::take() {
  std::vector<queue::RunNews> taken;
  taken.reserve(untold_.size());
  for (auto& [claim, news] : untold_) taken.push_back(std::move(news));
  untold_.clear();
  return taken;
}

void ToldRuns::not_stored(const std::vector<queue::RunNews>& news) {
  for (const queue::RunNews& each : news) {
    queue::RunNews& kept = untold_[each.claim];
    queue::RunNews later = std::exchange(kept, each);
    replace(kept, std::move(later));
  }
}

}  // namespace tenure::daemon
