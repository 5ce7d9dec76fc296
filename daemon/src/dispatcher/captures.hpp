#pragma once

#include "remembered.hpp"

#include <tenure/daemon/dispatcher.hpp>
#include <tenure/queue/store.hpp>

#include <map>
#include <optional>
#include <string_view>
#include <vector>

// Which runs are captured, since an operator has asked for it. While nothing is asked it costs a run the look at an empty list.
//
// Invariant: never more runs are under capture for a request at once than it has capsules left, so that it is not given more than it
// asked for. A run has its place from its assignment until the round that ends its claim is stored.
namespace tenure::daemon {

class Captures {
 public:
  // As of which change the requests are known.
  [[nodiscard]] queue::CapturesMark mark() const { return mark_; }
  // All requests that are open, as the store has them. Runs under capture keep their places.
  void read(queue::OpenCaptures open);
  [[nodiscard]] bool has_expired(WallTime now) const;

  // The wish for the run that begins now, which has a place from here on: of the most specific request that has one, in the order job,
  // kind and tenant, tenant, kind; of two alike the older one. Nothing for a job without a tenant.
  [[nodiscard]] std::optional<queue::CaptureWish> wish_for(const queue::ClaimedJob& job, WallTime now);
  // The end of such a run is stored, and what became of its capsule is counted there.
  void ended(const CapturedRun& run, std::string_view kind, Actions& actions);

 private:
  [[nodiscard]] int running_of(queue::CaptureNumber number) const;

  queue::CapturesMark mark_{0};
  std::vector<queue::OpenCapture> requests_;     // the most specific first
  std::map<queue::CaptureNumber, int> running_;  // also for requests that have gone

  TENURE_REMEMBERS(known, requests, running)
};

}  // namespace tenure::daemon
