#pragma once

#include <tenure/base/blob.hpp>
#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace tenure {

// One value bound to a parameter of SQL. Made from integers, double, text, bytes (a span, a vector, tenure::Bytes), WallTime (whole
// microseconds since 1970) or another time of the system clock, an enum (its number), nullptr, an optional of these, and a Ref or
// Loaded record (its id, whose tenant is checked before the statement is touched). It points into what it was made from: an argument of a call,
// never stored.
class TenantValue {
 public:
  using Content =
      std::variant<std::nullptr_t, std::int64_t, double, std::string_view, std::span<const std::byte>>;

  // NOLINTBEGIN(google-explicit-constructor): it stands for an argument of a call
  template <std::integral Integer>
  TenantValue(Integer value) : content_(std::in_place_type<std::int64_t>) {
    if (std::is_unsigned_v<Integer> && static_cast<std::uint64_t>(value) > std::uint64_t{INT64_MAX})
      raise(ErrorCode::bad_options, "an integer above 2^63 - 1 cannot be bound");
    content_ = static_cast<std::int64_t>(value);
  }
  TenantValue(double value) : content_(value) {}
  TenantValue(std::string_view text) : content_(text) {}
  TenantValue(const std::string& text) : content_(std::string_view{text}) {}
  TenantValue(const char* text) : content_(std::string_view{text}) {}
  TenantValue(std::span<const std::byte> bytes) : content_(bytes) {}
  TenantValue(const std::vector<std::byte>& bytes) : TenantValue(std::span<const std::byte>{bytes}) {}
  TenantValue(const Bytes& bytes) : TenantValue(bytes.value) {}
  template <class Enum>
  requires std::is_enum_v<Enum> TenantValue(Enum value)
      : TenantValue(static_cast<std::underlying_type_t<Enum>>(value)) {}
  TenantValue(WallTime time) : content_(to_us(time)) {}
  template <class Duration>
  requires(!std::same_as<Duration, WallTime::duration>) TenantValue(std::chrono::sys_time<Duration> time)
      : TenantValue(std::chrono::floor<WallTime::duration>(time)) {}
  TenantValue(std::nullptr_t) : content_(nullptr) {}
  template <class T>
  requires std::convertible_to<const T&, TenantValue> TenantValue(const std::optional<T>& value)
      : TenantValue(value ? TenantValue(*value) : TenantValue(nullptr)) {}

  // NOLINTEND(google-explicit-constructor)

  // The id of a record. `owner` is null for models without tenant.
  static TenantValue record_id(std::string_view id, const TenantName* owner) {
    TenantValue value{id};
    value.owner_ = owner;
    return value;
  }

  [[nodiscard]] const Content& content() const { return content_; }
  [[nodiscard]] const TenantName* owner() const { return owner_; }

 private:
  Content content_;
  const TenantName* owner_ = nullptr;
};

namespace detail {

template <class... Values>
[[nodiscard]] std::array<TenantValue, sizeof...(Values)> values_of(const Values&... values) {
  constexpr bool kAll = (std::is_convertible_v<const Values&, TenantValue> && ...);
  static_assert(
      kAll,
      "tenure: a parameter of SQL is an integer, an enum, double, text, bytes (std::span<const std::byte>, "
      "tenure::Bytes), a time of the system clock, nullptr, a Ref or Loaded record, or an optional of "
      "these.");
  if constexpr (kAll) return {TenantValue(values)...};
  else return {((void)values, TenantValue(nullptr))...};
}

}  // namespace detail

}  // namespace tenure
