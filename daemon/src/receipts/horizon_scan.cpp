#include "horizon_scan.hpp"

#include <algorithm>
#include <utility>

namespace tenure::daemon {

std::optional<HorizonScan::Page> HorizonScan::next(Instant now) const {
  if (now < next_at_) return std::nullopt;
  // Nothing is looked at but how far there are jobs.
  if (!is_under_way_) return Page{newest_, newest_};
  return pages_[at_];
}

bool HorizonScan::read(const Page& page, const queue::UnsucceededJobs& found, Instant now) {
  if (!is_under_way_) {
    begin(found.newest, now);
  } else {
    TENURE_INVARIANT(!is_at_end() && found.looked_until > page.after);
    for (const queue::UnsucceededJob& job : found.jobs) add(job);
    pages_[at_].after = found.looked_until;
    if (found.looked_until >= page.until) ++at_;
  }
  is_under_way_ = !is_at_end();
  next_at_ = now + (is_under_way_ ? std::chrono::microseconds{kPause} : std::chrono::microseconds{kEvery});
  return !is_under_way_;
}

ReceiptHorizons HorizonScan::take() { return std::exchange(found_, {}); }

void HorizonScan::begin(queue::JobSeq newest, Instant now) {
  found_ = {.smallest = {}, .read_since = now};
  pages_ = std::exchange(for_next_, {});
  at_ = 0;
  if (newest > newest_) pages_.push_back({newest_, newest});
  newest_ = std::max(newest_, newest);
}

void HorizonScan::add(const queue::UnsucceededJob& job) {
  constexpr std::int64_t kGapMax = kRowsPerPage;  // read along, where another page would cost more
  if (!for_next_.empty() && job.seq.value <= for_next_.back().until.value + kGapMax)
    for_next_.back().until = job.seq;
  else for_next_.push_back({queue::JobSeq{job.seq.value - 1}, job.seq});
  if (job.tenant == queue::kUntenanted) return;
  const auto [smallest, is_first] = found_.smallest.try_emplace(job.tenant, job.id);
  if (!is_first) smallest->second = std::min(smallest->second, job.id);
}

}  // namespace tenure::daemon
