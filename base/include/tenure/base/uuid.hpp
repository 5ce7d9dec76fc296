#pragma once

#include <tenure/base/clock.hpp>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tenure {

// 128 bits, compared as bytes: for version 7 that is the order of creation.
class Uuid {
 public:
  static constexpr std::size_t kSize = 16;
  using Bytes = std::array<std::uint8_t, kSize>;

  constexpr Uuid() = default;
  constexpr explicit Uuid(const Bytes& bytes) : bytes_(bytes) {}

  // The canonical 36 characters in lower case; nothing else.
  [[nodiscard]] static std::optional<Uuid> parse(std::string_view text);
  // Nothing unless there are exactly 16 bytes.
  [[nodiscard]] static std::optional<Uuid> from_bytes(std::span<const std::byte> bytes);

  [[nodiscard]] std::string text() const;
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }
  friend constexpr auto operator<=>(const Uuid&, const Uuid&) = default;

 private:
  Bytes bytes_{};
};

// Makes UUIDs of version 7 (RFC 9562, section 5.7, method 2 of section 6.2: inside a millisecond the random part is
// counted up). Strictly increasing from one generator, also when the clock steps back.
// Threads: next() from any thread.
class UuidGenerator {
 public:
  explicit UuidGenerator(std::uint64_t seed);
  ~UuidGenerator();
  UuidGenerator(const UuidGenerator&) = delete;
  UuidGenerator& operator=(const UuidGenerator&) = delete;
  [[nodiscard]] Uuid next(WallTime now);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The one of this process, seeded by the system: ids of jobs increase within a process, and it may have many clients.
[[nodiscard]] UuidGenerator& uuids_of_process();

}  // namespace tenure

template <>
struct std::hash<tenure::Uuid> {
  std::size_t operator()(const tenure::Uuid& uuid) const noexcept;
};
