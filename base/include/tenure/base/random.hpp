#pragma once

#include <cstdint>

namespace tenure {

// A seeded generator (SplitMix64: Steele, Lea and Flood, OOPSLA 2014). Same seed, same numbers, on every machine and
// standard library; not for secrets. Threads: one at a time.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  // A seed from the operating system, for production. Tests pass their own.
  [[nodiscard]] static std::uint64_t seed_from_system();

  [[nodiscard]] std::uint64_t next();
  // Uniform in [0, bound); 0 where bound is 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);

 private:
  std::uint64_t state_;
};

}  // namespace tenure
