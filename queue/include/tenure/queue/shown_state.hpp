#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tenure::queue {

// The states that an operator or an application sees: the stored ones, and the two that follow from a claim or a gate.
enum class ShownState : std::uint8_t {
  scheduled = 1,
  ready = 2,
  blocked = 3,
  succeeded = 4,
  dead = 5,
  discarded = 6,
  cancelled = 7,
  running = 100,
  held = 101,
};
[[nodiscard]] std::string_view name_of(ShownState state);
[[nodiscard]] std::optional<ShownState> shown_state_named(std::string_view name);

}  // namespace tenure::queue
