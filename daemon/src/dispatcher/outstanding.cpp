#include "outstanding.hpp"

#include <tenure/base/error.hpp>

namespace tenure::daemon {

namespace {
constexpr std::size_t kTableMin = 16;
}

std::size_t Outstanding::home_of(queue::JobSeq seq) const {
  const auto mixed = static_cast<std::uint64_t>(seq.value) * 0x9E3779B97F4A7C15ULL;
  return static_cast<std::size_t>(mixed >> 32) & (table_.size() - 1);
}

std::int32_t Outstanding::find(queue::JobSeq seq) const {
  if (table_.empty()) return kNone;
  for (std::size_t place = home_of(seq);; place = (place + 1) & (table_.size() - 1)) {
    const std::int32_t at = table_[place];
    if (at == kNone || node(at).job.claim.seq == seq) return at;
  }
}

std::int32_t Outstanding::find(const queue::ClaimRef& claim) const {
  const std::int32_t at = find(claim.seq);
  return at != kNone && node(at).job.claim.token == claim.token ? at : kNone;
}

void Outstanding::add(const OutstandingJob& job, Instant now) {
  TENURE_INVARIANT(!contains(job.claim.seq));
  if ((size_ + 1) * 2 > table_.size()) grow();
  const std::int32_t at = new_node(job);
  node(at).previous = last_;
  if (last_ != kNone) node(last_).next = at;
  if (first_ == kNone) first_ = at;
  last_ = at;
  bytes_ += job.bytes;
  if (++size_ > slots_) {
    node(at).ahead = true;
    ahead_us_ += job.assumed_us;
    if (first_ahead_ == kNone) first_ahead_ = at;
  } else {
    node(at).since = now;
  }
  put_into_table(at);
  check();
}

void Outstanding::check() const {
  TENURE_INVARIANT(recalled_ <= ahead());
  TENURE_INVARIANT((first_ahead_ == kNone) == (size_ <= slots_) && ahead_us_ >= 0);
  TENURE_INVARIANT(first_ahead_ != kNone || ahead_us_ == 0);
}

std::optional<OutstandingJob> Outstanding::take(queue::ClaimRef claim, Instant now) {
  const std::int32_t at = find(claim);
  if (at == kNone) return std::nullopt;
  OutstandingJob job = node(at).job;
  take_out_of_table(claim.seq);
  bytes_ -= job.bytes;
  unlink(at, now);
  free_.push_back(at);
  return job;
}

bool Outstanding::note_cancelled(queue::ClaimRef claim) {
  const std::int32_t at = find(claim);
  if (at == kNone) return false;
  return !std::exchange(node(at).job.cancelled, true);
}

std::int32_t Outstanding::new_node(const OutstandingJob& job) {
  if (!free_.empty()) {
    const std::int32_t at = free_.back();
    free_.pop_back();
    node(at) = Node{job};
    return at;
  }
  nodes_.push_back(Node{job});
  return static_cast<std::int32_t>(nodes_.size() - 1);
}

void Outstanding::unlink(std::int32_t at, Instant now) {
  const Node& gone = node(at);
  if (gone.ahead) {
    ahead_us_ -= gone.job.assumed_us;
    recalled_ -= gone.job.recalled ? 1 : 0;
    if (first_ahead_ == at) first_ahead_ = gone.next;
  }
  if (gone.previous != kNone) node(gone.previous).next = gone.next;
  if (gone.next != kNone) node(gone.next).previous = gone.previous;
  if (first_ == at) first_ = gone.next;
  if (last_ == at) last_ = gone.previous;
  --size_;
  if (!gone.ahead) first_ahead_starts(now);
  check();
}

void Outstanding::first_ahead_starts(Instant now) {
  if (first_ahead_ == kNone) return;
  Node& starting = node(first_ahead_);
  starting.ahead = false;
  starting.since = now;
  ahead_us_ -= starting.job.assumed_us;
  recalled_ -= starting.job.recalled ? 1 : 0;
  first_ahead_ = starting.next;
}

void Outstanding::put_into_table(std::int32_t at) {
  std::size_t place = home_of(node(at).job.claim.seq);
  while (table_[place] != kNone) place = (place + 1) & (table_.size() - 1);
  table_[place] = at;
}

// Closes the gap, so that no tombstones gather.
void Outstanding::take_out_of_table(queue::JobSeq seq) {
  const std::size_t mask = table_.size() - 1;
  std::size_t gap = home_of(seq);
  while (node(table_[gap]).job.claim.seq != seq) gap = (gap + 1) & mask;
  for (std::size_t place = (gap + 1) & mask; table_[place] != kNone; place = (place + 1) & mask) {
    const std::size_t home = home_of(node(table_[place]).job.claim.seq);
    if (((place - home) & mask) < ((place - gap) & mask)) continue;  // it would move before its home
    table_[gap] = table_[place];
    gap = place;
  }
  table_[gap] = kNone;
}

void Outstanding::grow() {
  table_.assign(table_.empty() ? kTableMin : table_.size() * 2, kNone);
  for (std::int32_t at = first_; at != kNone; at = node(at).next) put_into_table(at);
}

}  // namespace tenure::daemon
