#pragma once

#include <tenure/daemon/round_part.hpp>

#include <optional>
#include <vector>

namespace tenure::daemon {

// A job that may have got a concurrency key from its line, and the lanes of that line that were met before it: all of them gated.
struct KeyTurn {
  queue::JobSeq seq;
  queue::Lane lane;
  std::vector<queue::Lane> gated = {};
};

// Jobs whose turn it is on their key and whose lanes are gated: the next one of each line that stands in another lane becomes ready too.
struct PassedTurnsPart {
  using Ask = std::vector<KeyTurn>;
  using Answer = std::vector<std::optional<queue::JobArrival>>;  // one for each

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::need;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
