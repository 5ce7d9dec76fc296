#pragma once

#include "../dispatcher/outstanding.hpp"
#include "fields.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <type_traits>
#include <vector>

// Values to bytes (docs/formats/journal.md). Equal values give equal bytes. It is on the way of each event, so nothing is allocated once
// warm.
namespace tenure::daemon::journal {

class Encoder {
 public:
  [[nodiscard]] std::string_view bytes() const { return {buffer_.get(), size_}; }
  void clear() {
    size_ = 0;
    limit_ = SIZE_MAX;
  }
  // Until the next clear() it holds so many bytes at most, and throws Full instead of growing beyond. Never less than it has room for.
  void limit(std::size_t bytes) { limit_ = bytes; }
  struct Full {};
  // Gives memory back that one large value has left.
  void shrink(std::size_t bytes_max) {
    if (capacity_ <= bytes_max) return;
    buffer_.reset();
    capacity_ = size_ = 0;
  }

  // --- A number: one byte up to 247, else 247 and how many bytes follow, and these, the least first.
  void put_unsigned(std::uint64_t value) {
    char* const at = room(kNumberMax);
    if (value < kSmall) {
      *at = static_cast<char>(value);
      ++size_;
      return;
    }
    const auto bytes = static_cast<std::size_t>(std::bit_width(value) + 7) / 8;
    *at = static_cast<char>(kSmall - 1 + bytes);
    put_little_endian(at + 1, value);
    size_ += 1 + bytes;
  }
  void put_signed(std::int64_t value) {
    put_unsigned((static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63U));
  }
  void put_raw(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(room(bytes.size()), bytes.data(), bytes.size());
    size_ += bytes.size();
  }

  template <Number T>
  void put(T value) {
    if constexpr (std::is_enum_v<T>) put(static_cast<std::underlying_type_t<T>>(value));
    else if constexpr (std::is_signed_v<T>) put_signed(value);
    else put_unsigned(value);
  }
  template <StrongNumber T>
  void put(const T& value) {
    put(value.value);
  }
  template <Duration T>
  void put(const T& value) {
    put_signed(value.count());
  }
  void put(WallTime value) { put_signed(to_us(value)); }
  void put(const std::string& text) { put_text(text, false); }
  void put(const Uuid& uuid) {
    put_raw({reinterpret_cast<const char*>(uuid.bytes().data()), Uuid::kSize});  // NOLINT
  }
  void put(const TenantName& name) { put(name.text()); }
  void put(const OutstandingTenant& tenant) {
    put_unsigned(tenant.text().size() << 1U);
    put_raw(tenant.text());
  }
  void put(const Random& random) {
    static_assert(sizeof(Random) == sizeof(std::uint64_t) && std::is_trivially_copyable_v<Random>);
    put_unsigned(std::bit_cast<std::uint64_t>(random));
  }
  void put(std::monostate) {}
  template <Optional T>
  void put(const T& value) {
    put_unsigned(value ? 1 : 0);
    if (value) put(*value);
  }
  template <Outcome T>
  void put(const T& value) {
    put_unsigned(value ? 1 : 0);
    if (value) put(*value);
    else put(value.error());
  }
  template <Shared T>
  void put(const T& value) {
    put_unsigned(value ? 1 : 0);
    if (value) put(*value);
  }
  template <Variant T>
  void put(const T& value) {
    put_unsigned(value.index());
    std::visit([this](const auto& kind) { put(kind); }, value);
  }
  template <Optionals T>
  void put(const T& parts) {
    std::apply(
        [this](const auto&... part) {
          std::uint64_t present = 0;
          std::uint64_t bit = 1;
          ((present |= part ? bit : 0, bit <<= 1U), ...);
          put_unsigned(present);
          ((part ? put(*part) : void()), ...);
        },
        parts);
  }
  template <Tuple T>
  void put(const T& values) {
    std::apply([this](const auto&... value) { (put(value), ...); }, values);
  }
  template <Container T>
  void put(const T& values) {
    put_unsigned(values.size());
    if constexpr (Unordered<T>) {
      put_in_order(values);
    } else {
      for (const auto& value : values) put(static_cast<const typename T::value_type&>(value));
    }
  }
  template <Remembering T>
  void put(const T& object) {
    for_each_member(object, [this](const auto& member) { put(member); });
  }
  template <Plain T>
  void put(const T& value) {
    for_each_member(value, [&](const auto& member) {
      if constexpr (Withholding<T> && std::same_as<std::remove_cvref_t<decltype(member)>, std::string>)
        put_text(member, is_withheld(value, member));
      else put(member);
    });
  }

 private:
  static constexpr std::uint64_t kSmall = 248;
  static constexpr std::size_t kNumberMax = 9;

  char* room(std::size_t bytes) {
    if (capacity_ - size_ < bytes) grow(bytes);
    return buffer_.get() + size_;
  }
  void grow(std::size_t bytes) {
    if (limit_ < size_ || limit_ - size_ < bytes) throw Full{};
    const std::size_t capacity = std::min(std::max(capacity_ * 2, size_ + bytes + kNumberMax), limit_);
    auto larger = std::make_unique<char[]>(capacity);  // NOLINT: bytes and no elements
    if (size_ > 0) std::memcpy(larger.get(), buffer_.get(), size_);
    buffer_ = std::move(larger);
    capacity_ = capacity;
  }
  static void put_little_endian(char* at, std::uint64_t value) {
    if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
    std::memcpy(at, &value, sizeof value);
  }
  void put_text(const std::string& text, bool is_withheld) {
    put_unsigned(text.size() << 1U | (is_withheld ? 1U : 0U));
    if (!is_withheld) put_raw(text);
  }
  // Their own order is another one in each process.
  template <Unordered T>
  void put_in_order(const T& values) {
    std::vector<const typename T::value_type*> order;
    order.reserve(values.size());
    for (const auto& value : values) order.push_back(&value);
    std::ranges::sort(order, [](const auto* a, const auto* b) {
      if constexpr (Map<T>) return a->first < b->first;
      else return *a < *b;
    });
    for (const auto* const value : order) put(*value);
  }

  std::unique_ptr<char[]> buffer_;  // NOLINT: bytes and no elements
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::size_t limit_ = SIZE_MAX;
};

}  // namespace tenure::daemon::journal
