#pragma once

#include <tenure/queue/types.hpp>

#include <cstdint>
#include <span>

namespace tenure::queue {

// Everything that can change a stored state, and nothing else can. The manual prints this table. A job that it would make ready, or leaves
// ready without its claim, is blocked instead (limit_key) while it must wait for its concurrency key; so is a ready one that a claim meets.
enum class Transition : std::uint8_t {
  promote,  // it is due
  succeed,
  retry,  // failed, attempts left
  die,
  discard,
  cancel,
  block,
  unblock,
  release,  // stays ready; loses its claim
  reclaim,  // stays ready; loses its claim
  retry_by_operator,
  run_by_operator,
  cancel_by_operator,
  discard_by_operator,
  change_by_operator,  // of queue, priority or due time
  hold_for_restore,    // its tenant is put back from a copy
};
[[nodiscard]] std::string_view name_of(Transition transition);

struct TransitionRow {
  Transition transition;
  JobState from;
  JobState to;
  bool needs_claim;
};

[[nodiscard]] std::span<const TransitionRow> transitions();
[[nodiscard]] bool is_allowed(Transition transition, JobState from, JobState to);

}  // namespace tenure::queue
