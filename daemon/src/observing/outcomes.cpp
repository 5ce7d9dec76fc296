#include "outcomes.hpp"

#include <variant>

namespace tenure::daemon {
namespace {

struct OutcomeOf {
  std::string_view operator()(const EndSucceeded&) const { return "succeeded"; }
  std::string_view operator()(const EndRetry&) const { return "failed"; }
  std::string_view operator()(const EndFinal& end) const {
    if (end.reason == queue::JobReason::expired) return {};
    return "failed";
  }
  std::string_view operator()(const EndRelease& end) const {
    return end.started ? std::string_view{"released"} : std::string_view{};
  }
  std::string_view operator()(const EndBlock&) const { return {}; }
  std::string_view operator()(const EndPutOff&) const { return "released"; }
  std::string_view operator()(const EndReclaim&) const { return "interrupted"; }
};

}  // namespace

std::string_view outcome_of(const ClaimEnd& end, queue::JobState state) {
  const std::string_view outcome = std::visit(OutcomeOf{}, end.how);
  return state == queue::JobState::cancelled && !outcome.empty() ? std::string_view{"cancelled"} : outcome;
}

}  // namespace tenure::daemon
