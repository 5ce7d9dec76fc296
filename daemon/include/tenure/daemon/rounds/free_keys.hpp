#pragma once

#include <tenure/daemon/round_part.hpp>

#include <string>

namespace tenure::daemon {

// Concurrency keys that are free though jobs wait for them: whoever was next stands in a lane that is gated. The next but one gets the key.
struct FreeKeysPart {
  struct Ask {
    std::string after;  // the last key of the page before; empty: from the front
  };
  struct Answer {
    std::optional<std::string> read_until;  // nothing: to the end
  };

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::need;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
