#pragma once

#include "receipts.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/clock_leaps.hpp>
#include <tenure/queue/outbox.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace tenure::detail {

// How the receipts of jobs that run no more leave the files that this process works in: a few with each commit that writes a receipt
// anyway, in a walk through those below the file's horizon, which begins anew after a while. What is forgotten here costs a walk.
// Threads: every method from any thread.
class OldReceipts {
 public:
  // A commit looks at so many, so that it takes no longer for how many there are.
  static constexpr std::size_t kPerCommit = 100;
  // And deletes so much of results, which are overwritten, too.
  static constexpr std::int64_t kBytesPerCommit = 256 * 1024;
  // How long a file is left alone when all of it has been looked at.
  static constexpr std::chrono::hours kAgainAfter{6};
  // By then jobs may have come with smaller ids, and receipts of theirs.
  static constexpr std::chrono::hours kHorizonUsedFor{1};
  static constexpr std::size_t kFilesMax = 100'000;  // then it begins anew

  // `clock` outlives it.
  explicit OldReceipts(const Clock& clock) : clock_(clock) {}

  // No job of that tenant with a smaller id may still run, the daemon says.
  void horizon_is(const queue::OutboxOwner& owner, queue::JobId horizon);

  // Deletes what is old enough of the next ones, inside a transaction that writes. Nothing: there was none to look at. To be
  // committed(), or the same are looked at again. DatabaseDamaged.
  struct Step {
    ReceiptPlace from;
    std::optional<ReceiptPlace> until;  // nothing: up to the horizon
    std::int64_t forgotten = 0;
  };
  [[nodiscard]] std::optional<Step> forget_some(TenantTransaction& transaction,
                                                const queue::OutboxOwner& owner);
  void committed(const queue::OutboxOwner& owner, const Step& step);

 private:
  struct File {
    queue::JobId horizon;
    Instant told;
    ReceiptPlace at;  // of the walk, from where on nothing was looked at
    Instant rests_until;
    std::int64_t forgotten = 0;  // in this walk
  };
  // Where the next step begins, if there is to be one.
  [[nodiscard]] std::optional<File> file_to_walk(const queue::OutboxOwner& owner, WallTime wall);

  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::pair<TenantName, Generation>, File> files_;
  ClockLeaps leaps_;
};

}  // namespace tenure::detail
