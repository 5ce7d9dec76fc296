#pragma once

#include <cstdint>

namespace tenure {

// Durable: on disk when commit returns. Ordered: visible at once and on disk with the next durable commit; a power cut
// undoes a suffix of such commits and never one from the middle. There is no default: each caller says which.
enum class Durability : std::uint8_t { durable, ordered };

}  // namespace tenure
