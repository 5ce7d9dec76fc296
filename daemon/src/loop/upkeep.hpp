#pragma once

#include "../outbox/sweep_thread.hpp"
#include "../retention/eraser.hpp"
#include "../retention/pruner.hpp"
#include "loop.hpp"
#include "recurring_thread.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/config/settings.hpp>
#include <tenure/daemon/daemon.hpp>
#include <tenure/queue/store.hpp>

#include <boost/asio/io_context.hpp>

namespace tenure::daemon {

// The threads that look after the store and tenants' databases beside the loop: `sweep`, `retention` and `erasing`. What they have done is
// told on the loop's thread.
class Upkeep {
 public:
  // Begins at once. All must outlive it.
  Upkeep(boost::asio::io_context& context, const config::Settings& settings, queue::Store& store,
         const Clock& clock, Loop& loop, Observer& observer);
  // Behind the loop's end. Leaves the process with that code where one of them is held up by a file that does not answer.
  void stop(int exit_code);

 private:
  OutboxSweep sweep_;
  HorizonReader horizons_;
  SweepThread sweeping_;
  Pruner pruner_;
  RecurringThread pruning_;
  Eraser eraser_;
  RecurringThread erasing_;
};

}  // namespace tenure::daemon
