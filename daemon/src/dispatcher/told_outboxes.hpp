#pragma once

#include <tenure/daemon/dispatcher.hpp>
#include <tenure/daemon/round.hpp>
#include <tenure/queue/run.hpp>

#include <vector>

// What worker processes have told of tenants' outboxes and is not stored yet, in the order in which they told it. Bounded by the runs that
// can end in one round.
namespace tenure::daemon {

class ToldOutboxes {
 public:
  // Of the end of a run, whoever has its claim by now.
  void told(ProcessNumber process, const AttemptEnd& end);
  // All of it: under way until the round is done or not_stored().
  [[nodiscard]] OutboxRowsPart::Ask take();
  void not_stored(const OutboxRowsPart::Ask& ask);
  [[nodiscard]] bool all_stored() const { return untold_.empty(); }

 private:
  OutboxRowsPart::Ask untold_;
};

}  // namespace tenure::daemon
