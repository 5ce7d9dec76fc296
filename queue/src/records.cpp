#include <tenure/queue/records.hpp>

#include <fmt/format.h>

#include <cstring>

namespace tenure::queue {

// Not strsignal(), which speaks the language of the environment and is not for several threads.
std::string text_of(const ProcessExit& exit) {
  if (exit.by == ProcessExit::By::code) return fmt::format("exit {}", exit.number);
  const char* const description = ::sigdescr_np(exit.number);
  return fmt::format("signal {} ({})", exit.number, description != nullptr ? description : "unknown");
}

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
