#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/queue/store.hpp>

#include <chrono>
#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <vector>

namespace tenure::daemon {

// Below which ids no job of a tenant may still run, as the store was when it began to be read. A tenant that is not named had no job
// that may. A job that has come since may have any id, but its receipts are no older than it.
struct ReceiptHorizons {
  std::map<TenantNumber, queue::JobId> smallest;
  Instant read_since;
};

// Reads, page by page, the ids of all jobs that may still run. Rows are read in the order of their sequences, which no job ever
// changes, so that none slips through that moves meanwhile; and a success is for ever, so that later passes leave out whatever held
// nothing else: the first one looks at each row, the next ones at what has come since and at what was left. It decides and does nothing.
// Threads: one at a time.
class HorizonScan {
 public:
  static constexpr std::chrono::hours kEvery{6};
  static constexpr std::chrono::milliseconds kPause{100};
  static constexpr std::size_t kRowsPerPage = 1000;

  struct Page {
    queue::JobSeq after, until;
  };
  // What is to be read now.
  [[nodiscard]] std::optional<Page> next(Instant now) const;
  [[nodiscard]] Instant next_at() const { return next_at_; }
  // That page was read, not before `now`. True: it was the last one of a pass, and take() has what was found. What was read has to be
  // on disk before anybody acts on it.
  [[nodiscard]] bool read(const Page& page, const queue::UnsucceededJobs& found, Instant now);
  [[nodiscard]] ReceiptHorizons take();

 private:
  void begin(queue::JobSeq newest, Instant now);
  void add(const queue::UnsucceededJob& job);
  [[nodiscard]] bool is_at_end() const { return at_ == pages_.size(); }

  // From behind `after`.
  std::vector<Page> pages_;       // of this pass, each of any length
  std::size_t at_ = 0;            // the one under way
  std::vector<Page> for_next_{};  // where something was found that may still run
  bool is_under_way_ = false;
  queue::JobSeq newest_{std::numeric_limits<std::int64_t>::min()};  // behind it nothing was read yet
  ReceiptHorizons found_;
  Instant next_at_;
};

}  // namespace tenure::daemon
