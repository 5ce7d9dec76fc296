#include <tenure/base/process_bound.hpp>
#include <tenure/base/random.hpp>
#include <tenure/base/uuid.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>

namespace tenure {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::size_t kTextSize = 36;
constexpr std::uint64_t kHighMask = (1ULL << 12U) - 1;
constexpr std::uint64_t kLowMask = (1ULL << 62U) - 1;
// Counting starts in the lower half of the random space, so that a millisecond has room for 2^61 increments.
constexpr std::uint64_t kLowStartMask = kLowMask >> 1U;

bool dash_before(std::size_t byte) { return byte == 4 || byte == 6 || byte == 8 || byte == 10; }

std::optional<std::uint8_t> digit(char character) {
  const auto found = kDigits.find(character);
  if (found == std::string_view::npos) return std::nullopt;
  return static_cast<std::uint8_t>(found);
}

}  // namespace

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != kTextSize) return std::nullopt;
  Bytes bytes{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < kSize; ++i) {
    if (dash_before(i) && text[at++] != '-') return std::nullopt;
    const auto high = digit(text[at++]);
    const auto low = digit(text[at++]);
    if (!high || !low) return std::nullopt;
    bytes[i] = static_cast<std::uint8_t>(*high << 4U | *low);
  }
  return Uuid{bytes};
}

std::optional<Uuid> Uuid::from_bytes(std::span<const std::byte> bytes) {
  if (bytes.size() != kSize) return std::nullopt;
  Bytes copy{};
  std::memcpy(copy.data(), bytes.data(), kSize);
  return Uuid{copy};
}

std::string Uuid::text() const {
  std::string text;
  text.reserve(kTextSize);
  for (std::size_t i = 0; i < kSize; ++i) {
    if (dash_before(i)) text += '-';
    text += kDigits[bytes_[i] >> 4U];
    text += kDigits[bytes_[i] & 0x0FU];
  }
  return text;
}

struct UuidGenerator::State {
  explicit State(std::uint64_t seed) : random(seed) {}
  std::mutex mutex;
  Random random;
  std::uint64_t last_ms = 0;
  std::uint64_t high = 0;  // 12 bits: rand_a
  std::uint64_t low = 0;   // 62 bits: rand_b
};

UuidGenerator::UuidGenerator(std::uint64_t seed) : state_(std::make_unique<State>(seed)) {}
UuidGenerator::~UuidGenerator() = default;

Uuid UuidGenerator::next(WallTime now) {
  const std::lock_guard lock(state_->mutex);
  auto& [mutex, random, last_ms, high, low] = *state_;
  const auto now_ms = static_cast<std::uint64_t>(to_us(now) / 1000);
  if (now_ms > last_ms) {
    last_ms = now_ms;
    high = random.next() & kHighMask;
    low = random.next() & kLowStartMask;
  } else {
    low = low + 1 + random.below(1U << 16U);
    if (low > kLowMask) {
      low &= kLowMask;
      if (++high > kHighMask) {
        high = 0;
        ++last_ms;
      }
    }
  }
  Uuid::Bytes bytes{};
  for (unsigned i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(last_ms >> (40U - 8U * i));
  bytes[6] = static_cast<std::uint8_t>(0x70U | high >> 8U);
  bytes[7] = static_cast<std::uint8_t>(high);
  bytes[8] = static_cast<std::uint8_t>(0x80U | low >> 56U);
  for (unsigned i = 0; i < 7; ++i) bytes[9 + i] = static_cast<std::uint8_t>(low >> (48U - 8U * i));
  return Uuid{bytes};
}

namespace {

struct OwnGenerator {
  ProcessBound process;
  UuidGenerator generator{Random::seed_from_system()};
};

}  // namespace

// A child of fork() begins one of its own: the copied one would make the parent's ids again, and another thread may have had its
// mutex.
UuidGenerator& uuids_of_process() {
  static std::atomic<OwnGenerator*> own{new OwnGenerator};
  OwnGenerator* found = own;
  while (found->process.is_inherited()) {
    auto fresh = std::make_unique<OwnGenerator>();
    if (own.compare_exchange_strong(found, fresh.get())) found = fresh.release();
  }
  return found->generator;
}

}  // namespace tenure

std::size_t std::hash<tenure::Uuid>::operator()(const tenure::Uuid& uuid) const noexcept {
  // The end is the random part; the beginning is time and alike for neighbours.
  std::size_t value = 0;
  std::memcpy(&value, uuid.bytes().data() + tenure::Uuid::kSize - sizeof value, sizeof value);
  return value;
}
