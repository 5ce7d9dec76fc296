#include <tenure/queue/records.hpp>

namespace tenure::queue {

std::string_view name_of(ShownState state) {
  switch (state) {
    case ShownState::running:
      return "running";
    case ShownState::held:
      return "held";
    case ShownState::scheduled:
    case ShownState::ready:
    case ShownState::blocked:
    case ShownState::succeeded:
    case ShownState::dead:
    case ShownState::discarded:
    case ShownState::cancelled:
      break;
  }
  return name_of(static_cast<JobState>(state));
}

std::optional<ShownState> shown_state_named(std::string_view name) {
  if (name == "running") return ShownState::running;
  if (name == "held") return ShownState::held;
  if (const auto state = job_state_named(name)) return static_cast<ShownState>(*state);
  return std::nullopt;
}

}  // namespace tenure::queue
