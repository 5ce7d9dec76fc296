#pragma once

#include "remembered.hpp"

#include <tenure/daemon/dispatcher.hpp>
#include <tenure/daemon/round.hpp>
#include <tenure/queue/run.hpp>

#include <cstddef>
#include <vector>

// What worker processes have told of tenants' outboxes and is not stored yet: of each file the report that goes
// furthest, which has all that others told and was not taken over since.
namespace tenure::daemon {

class ToldOutboxes {
 public:
  // All of them together: as many as one commit may well have. Then a report is left out, and its file is marked instead.
  static constexpr std::size_t kBytesMax = 16UL << 20U;

  // Of the end of a run, whoever has its claim by now. False where it was left out.
  [[nodiscard]] bool told(ProcessNumber process, const AttemptEnd& end);
  // All of it: under way until the round is done or not_stored().
  [[nodiscard]] OutboxRowsPart::Ask take();
  void not_stored(const OutboxRowsPart::Ask& ask);
  [[nodiscard]] bool all_stored() const { return untold_.empty(); }

 private:
  OutboxRowsPart::Ask untold_;
  std::size_t bytes_ = 0;

  TENURE_REMEMBERS(untold, bytes)
};

}  // namespace tenure::daemon
