#pragma once

#include <tenure/daemon/round_part.hpp>

#include <cstdint>
#include <string>

namespace tenure::daemon {

// A dispatcher's first act: a new incarnation, made durable before anything is claimed.
struct OpeningPart {
  struct Ask {
    std::string node;
    std::int64_t pid = 0;
  };
  using Answer = queue::Incarnation;

  static constexpr auto kDurability = queue::Durability::durable;
  static constexpr auto kAskedBy = AskedBy::need;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
