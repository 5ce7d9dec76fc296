#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace tenure {

using Sha256Digest = std::array<std::byte, 32>;

// SHA-256 (FIPS 180-4) of a byte string. Threads: any.
[[nodiscard]] Sha256Digest sha256(std::string_view bytes);

// The same of bytes that come piece by piece. Threads: one at a time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::string_view bytes);
  // Once, at the end.
  [[nodiscard]] Sha256Digest digest();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// 64 hexadecimal digits, the small ones.
[[nodiscard]] std::string hex_text(const Sha256Digest& digest);

}  // namespace tenure
