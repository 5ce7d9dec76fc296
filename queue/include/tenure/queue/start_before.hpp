#pragma once

#include <tenure/queue/types.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

// Jobs that are of no use any more where they have not started by some time. One has started once an attempt of it is recorded, in
// whatever way that ended: what failed is retried, and what was given back or interrupted runs again, however late that is. A claim that
// was given back before its handler was entered is none. An operator's retry, and a copy, have no such time.
namespace tenure::queue {

// How long a kind or an enqueue may say from the due time on.
inline constexpr std::chrono::milliseconds kStartWithinMax{std::chrono::hours{24 * 3650}};

// A job that is discarded for the reason `expired`.
struct ExpiredJob {
  JobSeq seq;
  JobId id;
  Lane lane;
};

// A part of StoreWriter.
class ExpiryWriter {
 public:
  virtual ~ExpiryWriter() = default;

  // Jobs whose time has come, that have not started and have no claim: discarded wherever they wait, by time, at most `limit`. Their
  // tenants' outboxes are marked, since a power cut may have undone a claim and kept what its run has written.
  [[nodiscard]] virtual std::vector<ExpiredJob> expire(WallTime now, std::size_t limit) = 0;
  // When there is something to expire next; not later than `now`: there is. Nothing: no job waits that has such a time. One that has a
  // claim counts as long as its time has not come.
  [[nodiscard]] virtual std::optional<WallTime> next_expiry(WallTime now) = 0;
};

}  // namespace tenure::queue
