#include "horizon_reader.hpp"

#include <tenure/base/log.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace tenure::daemon {

HorizonReader::HorizonReader(queue::Store& store, const Clock& clock, Tell tell)
    : store_(store), clock_(clock), tell_(std::move(tell)) {}

std::chrono::microseconds HorizonReader::pass() {
  try {
    const Instant now = clock_.steady();
    if (const auto page = scan_.next(now)) {
      queue::UnsucceededJobs found;
      store_.read([&](queue::JobReader& reader) {
        found = reader.unsucceeded_jobs(page->after, page->until, HorizonScan::kRowsPerPage);
      });
      if (scan_.read(*page, found, now)) {
        // Successes that were only visible could be undone by a power cut when their receipts are gone.
        store_.sync();
        tell_(std::make_shared<const ReceiptHorizons>(scan_.take()));
      }
    }
    return std::clamp<std::chrono::microseconds>(scan_.next_at() - now, std::chrono::microseconds{0},
                                                 kPeriod);
  } catch (const std::exception& error) {  // of the thread: a later pass tries again
    if (const auto left_out = unread_lines_.pass(clock_.steady()))
      log::write(log::Level::warning, "receipts.unread",
                 "it could not be read which jobs may still run, so the receipts in tenants' databases stay" +
                     left_out_text(*left_out),
                 {.error = error.what()});
    return kPeriod;
  }
}

}  // namespace tenure::daemon
