#pragma once

// How the tests were built. A sanitizer makes processes slow, and needs descriptors of its own: the vptr check of UBSan looks at
// memory through a pipe, and calls an object bad where no descriptor is left.
namespace tenure::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kIsSanitized = true;
#else
inline constexpr bool kIsSanitized = false;
#endif

}  // namespace tenure::testing
