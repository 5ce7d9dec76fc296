#pragma once

#include <compare>
#include <cstddef>
#include <functional>

namespace tenure {

// An integer that cannot be mistaken for another one. `using QueueNumber = Strong<struct QueueNumberTag, std::int64_t>`.
template <class Tag, class Integer>
struct Strong {
  Integer value{};

  constexpr Strong() = default;
  constexpr explicit Strong(Integer initial) : value(initial) {}
  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;
};

}  // namespace tenure

template <class Tag, class Integer>
struct std::hash<tenure::Strong<Tag, Integer>> {
  std::size_t operator()(const tenure::Strong<Tag, Integer>& strong) const noexcept {
    return std::hash<Integer>{}(strong.value);
  }
};
