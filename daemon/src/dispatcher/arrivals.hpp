#pragma once

#include "lanes.hpp"
#include "remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/queue/store.hpp>

#include <optional>
#include <vector>

// How far the dispatcher has read what waits in the store: the scan of lanes at the start, the tail of new jobs, when the next
// scheduled job is due, and the pages of blocked jobs that a hello asks for. What it reads goes into the lanes.
namespace tenure::daemon {

class Arrivals {
 public:
  // `lanes` must outlive it.
  explicit Arrivals(Lanes& lanes) : lanes_(lanes) {}

  // --- Rows. A ready job goes into its lane, a scheduled one only says when it is due.
  void came(const queue::JobArrival& row);
  void came(const std::vector<queue::JobArrival>& rows);

  // --- The scan. Nothing: it begins.
  [[nodiscard]] const std::optional<queue::Lane>& scanned_until() const { return scanned_until_; }
  void scanned(const std::vector<queue::Lane>& page);
  // Tenants that the scan has met since the last call: in which states they are is not known yet.
  [[nodiscard]] std::vector<TenantNumber> take_scanned_tenants();
  void ask_again(const std::vector<TenantNumber>& tenants);

  // --- The tail: rows behind the last one seen.
  [[nodiscard]] queue::JobSeq last_seq() const { return last_seq_; }
  void tail_begins_behind(queue::JobSeq seq) { last_seq_ = seq; }
  // The next row; of one that is outstanding already nothing becomes known.
  void tail(const queue::JobArrival& row, bool is_outstanding);

  // --- Scheduled jobs.
  [[nodiscard]] const std::optional<WallTime>& next_due() const { return next_due_; }
  [[nodiscard]] bool has_due(WallTime now) const { return next_due_ && *next_due_ <= now; }
  void scheduled_for(WallTime due);
  void next_due_is(std::optional<WallTime> due) { next_due_ = due; }

  // --- Jobs that must start before some time, also those that are claimed.
  [[nodiscard]] const std::optional<WallTime>& next_expiry() const { return next_expiry_; }
  [[nodiscard]] bool has_expired(WallTime now) const { return next_expiry_ && *next_expiry_ <= now; }
  void expires_at(WallTime start_before);
  void next_expiry_is(std::optional<WallTime> time) { next_expiry_ = time; }

  // --- Blocked jobs, from the front at each hello; nothing where nobody has asked.
  void look_at_blocked();
  [[nodiscard]] const std::optional<queue::JobSeq>& blocked_after() const { return blocked_after_; }
  void unblocked(const std::vector<queue::JobArrival>& page);

 private:
  Lanes& lanes_;
  std::optional<queue::Lane> scanned_until_;
  std::vector<TenantNumber> scanned_tenants_;
  queue::JobSeq last_seq_;
  std::optional<WallTime> next_due_;
  std::optional<WallTime> next_expiry_;
  // How far the look has come, so that rows which block again are not taken again.
  std::optional<queue::JobSeq> blocked_after_;
  bool from_the_front_again_ = false;  // another hello came meanwhile

  TENURE_REMEMBERS_BESIDE((lanes), scanned_until, scanned_tenants, last_seq, next_due, next_expiry,
                          blocked_after, from_the_front_again)
};

}  // namespace tenure::daemon
