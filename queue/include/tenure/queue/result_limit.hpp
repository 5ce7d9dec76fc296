#pragma once

#include <cstddef>

namespace tenure::queue {

inline constexpr std::size_t kJobResultMax =
    64UL * 1024;  // bytes of what a handler returns for whoever asks, as JSON

}  // namespace tenure::queue
