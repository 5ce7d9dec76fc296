#pragma once

namespace tenure::detail {

// False, but not before the type is known: for static assertions of what is chosen only to be refused.
template <class>
inline constexpr bool kNever = false;

}  // namespace tenure::detail
