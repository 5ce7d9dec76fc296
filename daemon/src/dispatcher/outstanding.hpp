#pragma once

#include "remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/queue/store.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

// The jobs that one worker process was assigned and has not ended, in the order of assignment. The first `slots` of them
// are being performed; the others, and exactly then when there are more than `slots`, were assigned ahead. Every operation is O(1) and none allocates once warm.
namespace tenure::daemon {

// A tenant's name, empty for none, without an allocation.
class OutstandingTenant {
 public:
  OutstandingTenant() = default;
  explicit OutstandingTenant(std::string_view name) : size_(std::min(name.size(), bytes_.size())) {
    std::copy_n(name.begin(), size_, bytes_.begin());
  }
  [[nodiscard]] std::string_view text() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, limits::kTenantNameMax> bytes_{};
  std::size_t size_ = 0;
};

struct OutstandingJob {
  queue::ClaimRef claim;
  queue::JobId id;
  OutstandingTenant tenant;
  queue::Lane lane;
  queue::LanePlace place;
  std::int64_t assumed_us = 0;  // what its tenant was charged at the start
  std::size_t bytes = 0;        // of its envelope
  int failures = 0;
  int attempts_max = 0;
  int crashes = 0;
  int releases = 0;
  std::chrono::microseconds time_limit{0};  // 0: none
  bool recalled = false;
  bool cancelled = false;  // by an operator, since it was claimed
  std::optional<queue::CaptureWish> capture = std::nullopt;
  std::optional<WallTime> start_before = std::nullopt;
  int failures_without_rule = 0;  // of its kind that has taken them
};

class Outstanding {
 public:
  // `slots` is at least 1.
  explicit Outstanding(std::size_t slots) : slots_(slots) {}

  // The sequence must not be there yet.
  void add(const OutstandingJob& job, Instant now);
  // Nothing where this very claim is not outstanding here.
  [[nodiscard]] std::optional<OutstandingJob> take(queue::ClaimRef claim, Instant now);
  // An operator has cancelled it. False where this very claim is not outstanding here, or that was noted already.
  [[nodiscard]] bool note_cancelled(queue::ClaimRef claim);
  [[nodiscard]] bool contains(queue::JobSeq seq) const { return find(seq) != kNone; }
  [[nodiscard]] bool contains(const queue::ClaimRef& claim) const { return find(claim) != kNone; }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t performing() const { return size_ < slots_ ? size_ : slots_; }
  [[nodiscard]] std::size_t ahead() const { return size_ - performing(); }
  // Assigned ahead, and not recalled.
  [[nodiscard]] std::size_t waiting() const { return ahead() - recalled_; }
  // The envelopes of all of them.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  // The assumed run times of the jobs assigned ahead.
  [[nodiscard]] std::int64_t ahead_us() const { return ahead_us_; }

  // In order: fn(job, is_performing).
  template <class Function>
  void for_each(Function&& fn) const {
    std::size_t position = 0;
    for (std::int32_t at = first_; at != kNone; at = node(at).next) fn(node(at).job, position++ < slots_);
  }
  // fn(job, since) for those being performed; `since` is when that became known here, and so no sooner than it really was.
  template <class Function>
  void for_each_performing(Function&& fn) const {
    for (std::int32_t at = first_; at != first_ahead_; at = node(at).next) fn(node(at).job, node(at).since);
  }
  // fn(job, since) for all of them, in order; without `since` for those assigned ahead.
  template <class Function>
  void for_each_held(Function&& fn) const {
    for (std::int32_t at = first_; at != kNone; at = node(at).next)
      fn(node(at).job, node(at).ahead ? std::nullopt : std::optional{node(at).since});
  }
  // Marks as recalled those assigned ahead that are not yet and of which fn(job) says so, in order; returns their claims.
  template <class Function>
  [[nodiscard]] std::vector<queue::ClaimRef> recall(Function&& fn) {
    std::vector<queue::ClaimRef> claims;
    for (std::int32_t at = first_ahead_; at != kNone; at = node(at).next) {
      OutstandingJob& job = node(at).job;
      if (job.recalled || !fn(std::as_const(job))) continue;
      job.recalled = true;
      ++recalled_;
      claims.push_back(job.claim);
    }
    return claims;
  }

 private:
  static constexpr std::int32_t kNone = -1;
  struct Node {
    OutstandingJob job;
    std::int32_t previous = kNone;
    std::int32_t next = kNone;
    bool ahead = false;
    Instant since;  // of its performing
  };
  [[nodiscard]] Node& node(std::int32_t at) { return nodes_[static_cast<std::size_t>(at)]; }
  [[nodiscard]] const Node& node(std::int32_t at) const { return nodes_[static_cast<std::size_t>(at)]; }
  [[nodiscard]] std::int32_t find(queue::JobSeq seq) const;
  // This very claim.
  [[nodiscard]] std::int32_t find(const queue::ClaimRef& claim) const;
  [[nodiscard]] std::size_t home_of(queue::JobSeq seq) const;
  [[nodiscard]] std::int32_t new_node(const OutstandingJob& job);
  void put_into_table(std::int32_t at);
  void take_out_of_table(queue::JobSeq seq);
  void grow();
  void unlink(std::int32_t at, Instant now);
  void first_ahead_starts(Instant now);
  void check() const;

  std::size_t slots_;
  std::vector<Node> nodes_;
  std::vector<std::int32_t> free_;
  std::vector<std::int32_t>
      table_;  // open addressing by sequence, a power of two, at most half full; never iterated
  std::int32_t first_ = kNone;
  std::int32_t last_ = kNone;
  std::int32_t first_ahead_ = kNone;
  std::size_t size_ = 0;
  std::size_t recalled_ = 0;  // of those ahead
  std::size_t bytes_ = 0;
  std::int64_t ahead_us_ = 0;

  TENURE_REMEMBERS(slots, nodes, free_nodes, table, first, last, first_ahead, size, recalled, bytes, ahead_us)
};

}  // namespace tenure::daemon
