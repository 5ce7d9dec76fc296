#pragma once

#include <tenure/queue/limit.hpp>

#include <optional>
#include <span>
#include <string_view>

// What every store decides alike of limits. Internal.
namespace tenure::queue {

// BadOptions.
[[nodiscard]] Result<void> check_limit_name(std::string_view name);

// What limits keep a job from starting.
struct LimitsInTheWay {
  bool is_at_cap = false;
  std::optional<WallTime> next_start;  // of the rate that lets it start last
};
[[nodiscard]] LimitsInTheWay in_the_way(std::span<const LimitStanding> limits);

}  // namespace tenure::queue
