#include <tenure/base/error.hpp>
#include <tenure/base/random.hpp>

#include <sys/random.h>

namespace tenure {

std::uint64_t Random::seed_from_system() {
  std::uint64_t seed = 0;
  if (::getrandom(&seed, sizeof seed, 0) != sizeof seed)
    raise(ErrorCode::internal, "the kernel gave no random bytes");
  return seed;
}

std::uint64_t Random::next() {
  state_ += 0x9E3779B97F4A7C15U;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
  return mixed ^ (mixed >> 31U);
}

std::uint64_t Random::below(std::uint64_t bound) {
  // Widening multiply; the bias is below bound / 2^64, far under what a jitter can show.
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64U);
}

}  // namespace tenure
