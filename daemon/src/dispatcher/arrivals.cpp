#include "arrivals.hpp"

#include <tenure/daemon/round.hpp>

#include <algorithm>
#include <utility>

namespace tenure::daemon {

using queue::JobState;

void Arrivals::came(const queue::JobArrival& row) {
  if (row.state == JobState::ready) lanes_.arrived(row.lane, {row.due, row.seq});
  if (row.state == JobState::scheduled) scheduled_for(row.due);
}

void Arrivals::came(const std::vector<queue::JobArrival>& rows) {
  for (const queue::JobArrival& row : rows) came(row);
}

void Arrivals::scanned(const std::vector<queue::Lane>& page) {
  for (const queue::Lane& lane : page) {
    lanes_.scanned(lane);
    if (scanned_tenants_.empty() || scanned_tenants_.back() != lane.tenant)
      scanned_tenants_.push_back(lane.tenant);
  }
  if (!page.empty()) scanned_until_ = page.back();
}

std::vector<TenantNumber> Arrivals::take_scanned_tenants() { return std::exchange(scanned_tenants_, {}); }

void Arrivals::ask_again(const std::vector<TenantNumber>& tenants) {
  scanned_tenants_.insert(scanned_tenants_.end(), tenants.begin(), tenants.end());
}

void Arrivals::tail(const queue::JobArrival& row, bool is_outstanding) {
  last_seq_ = std::max(last_seq_, row.seq);
  if (!is_outstanding) came(row);
}

void Arrivals::scheduled_for(WallTime due) { next_due_ = next_due_ ? std::min(*next_due_, due) : due; }

void Arrivals::expires_at(WallTime start_before) {
  next_expiry_ = next_expiry_ ? std::min(*next_expiry_, start_before) : start_before;
}

void Arrivals::look_at_blocked() {
  from_the_front_again_ = blocked_after_.has_value();
  if (!blocked_after_) blocked_after_ = queue::JobSeq{0};
}

void Arrivals::unblocked(const std::vector<queue::JobArrival>& page) {
  came(page);
  if (page.size() >= kRoundRowsMax) {
    blocked_after_ = page.back().seq;
  } else if (std::exchange(from_the_front_again_, false)) {
    blocked_after_ = queue::JobSeq{0};
  } else {
    blocked_after_.reset();
  }
}

}  // namespace tenure::daemon
