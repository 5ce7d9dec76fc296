#include <tenure/queue/transitions.hpp>

#include <algorithm>
#include <array>

namespace tenure::queue {
namespace {

constexpr std::array kTransitions{
    TransitionRow{Transition::promote, JobState::scheduled, JobState::ready, false},
    TransitionRow{Transition::succeed, JobState::ready, JobState::succeeded, true},
    TransitionRow{Transition::retry, JobState::ready, JobState::scheduled, true},
    TransitionRow{Transition::die, JobState::ready, JobState::dead, true},
    TransitionRow{Transition::discard, JobState::ready, JobState::discarded, true},
    TransitionRow{Transition::cancel, JobState::ready, JobState::cancelled, true},
    TransitionRow{Transition::block, JobState::ready, JobState::blocked, true},
    TransitionRow{Transition::unblock, JobState::blocked, JobState::ready, false},
    TransitionRow{Transition::release, JobState::ready, JobState::ready, true},
    TransitionRow{Transition::reclaim, JobState::ready, JobState::ready, true},
    TransitionRow{Transition::retry_by_operator, JobState::dead, JobState::ready, false},
    TransitionRow{Transition::retry_by_operator, JobState::discarded, JobState::ready, false},
    TransitionRow{Transition::retry_by_operator, JobState::cancelled, JobState::ready, false},
    TransitionRow{Transition::run_by_operator, JobState::scheduled, JobState::ready, false},
    TransitionRow{Transition::cancel_by_operator, JobState::scheduled, JobState::cancelled, false},
    TransitionRow{Transition::cancel_by_operator, JobState::ready, JobState::cancelled, false},
    TransitionRow{Transition::cancel_by_operator, JobState::blocked, JobState::cancelled, false},
    TransitionRow{Transition::discard_by_operator, JobState::scheduled, JobState::discarded, false},
    TransitionRow{Transition::change_by_operator, JobState::scheduled, JobState::scheduled, false},
    TransitionRow{Transition::change_by_operator, JobState::scheduled, JobState::ready, false},
    TransitionRow{Transition::change_by_operator, JobState::ready, JobState::scheduled, false},
    TransitionRow{Transition::change_by_operator, JobState::ready, JobState::ready, false},
    TransitionRow{Transition::hold_for_restore, JobState::scheduled, JobState::blocked, false},
    TransitionRow{Transition::hold_for_restore, JobState::ready, JobState::blocked, false},
    TransitionRow{Transition::hold_for_restore, JobState::blocked, JobState::blocked, false},
};

}  // namespace

std::string_view name_of(Transition transition) {
  switch (transition) {
    case Transition::promote:
      return "promote";
    case Transition::succeed:
      return "succeed";
    case Transition::retry:
      return "retry";
    case Transition::die:
      return "die";
    case Transition::discard:
      return "discard";
    case Transition::cancel:
      return "cancel";
    case Transition::block:
      return "block";
    case Transition::unblock:
      return "unblock";
    case Transition::release:
      return "release";
    case Transition::reclaim:
      return "reclaim";
    case Transition::retry_by_operator:
      return "retry_by_operator";
    case Transition::run_by_operator:
      return "run_by_operator";
    case Transition::cancel_by_operator:
      return "cancel_by_operator";
    case Transition::discard_by_operator:
      return "discard_by_operator";
    case Transition::change_by_operator:
      return "change_by_operator";
    case Transition::hold_for_restore:
      return "hold_for_restore";
  }
  return "unknown";
}

std::span<const TransitionRow> transitions() { return kTransitions; }

bool is_allowed(Transition transition, JobState from, JobState to) {
  return std::ranges::any_of(kTransitions, [&](const TransitionRow& row) {
    return row.transition == transition && row.from == from && row.to == to;
  });
}

}  // namespace tenure::queue
