#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace tenure {

using Sha256Digest = std::array<std::byte, 32>;

// SHA-256 (FIPS 180-4) of a byte string. Threads: any.
[[nodiscard]] Sha256Digest sha256(std::string_view bytes);

// 64 hexadecimal digits, the small ones.
[[nodiscard]] std::string hex_text(const Sha256Digest& digest);

}  // namespace tenure
