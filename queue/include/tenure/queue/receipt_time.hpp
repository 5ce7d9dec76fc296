#pragma once

#include <chrono>

namespace tenure::queue {

// How long the receipts of `once` stay in any case, so that jobs of a control database that is restored from a backup meet theirs.
inline constexpr std::chrono::days kReceiptsKeptFor{7};

}  // namespace tenure::queue
