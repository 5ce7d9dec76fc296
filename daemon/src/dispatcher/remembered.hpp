#pragma once

#include <tuple>

// What a class of the dispatcher remembers between two steps, for the snapshots of the journal (journal/fields.hpp). It stands in the
// class, behind its members, and names all of them in their order: one that is added and not named does not compile, and one that is
// forgotten in a snapshot would let a replay differ.
//   TENURE_REMEMBERS(members...)
//   TENURE_REMEMBERS_BESIDE((references...), members...)   where it begins with references to others, which remember for themselves
#define TENURE_REMEMBERS(...)                \
  friend struct Remembered;                  \
  template <class Self>                      \
  static constexpr auto all_of(Self& self) { \
    auto& [__VA_ARGS__] = self;              \
    return std::tie(__VA_ARGS__);            \
  }
#define TENURE_REMEMBERS_BESIDE(references, ...)             \
  friend struct Remembered;                                  \
  template <class Self>                                      \
  static constexpr auto all_of(Self& self) {                 \
    auto& [TENURE_IN_BRACES references, __VA_ARGS__] = self; \
    return std::tie(__VA_ARGS__);                            \
  }
#define TENURE_IN_BRACES(...) __VA_ARGS__

namespace tenure::daemon {

// The only one that asks.
struct Remembered {
  template <class Class>
  static constexpr auto of(Class& object) -> decltype(Class::all_of(object)) {
    return Class::all_of(object);
  }
};

}  // namespace tenure::daemon
