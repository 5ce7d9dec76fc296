#pragma once

#include <tenure/daemon/round_part.hpp>

#include <cstddef>
#include <vector>

namespace tenure::daemon {

// Jobs for the worker processes. A request that stands behind another one for the same lane goes on behind what that has taken.
struct ClaimsPart {
  struct Ask {
    // Each says how much it may take; together, in their order, they take no more than bytes_max. Only the first job of a request
    // that says so (first_of_any_size) may pass that.
    std::vector<queue::ClaimRequest> requests;
    std::size_t bytes_max = 0;
  };
  using Answer = std::vector<queue::ClaimReply>;  // in the order of the requests

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::need;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
