#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace tenure {

// One value bound to a parameter of SQL. Made from integers, double, text, bytes, WallTime (whole
// microseconds since 1970), nullptr, an optional of these, and a Ref or Loaded record (its id, whose tenant
// is checked before the statement is touched). It points into what it was made from: an argument of a call,
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
  TenantValue(WallTime time) : content_(to_us(time)) {}
  TenantValue(std::nullptr_t) : content_(nullptr) {}
  template <class T>
  TenantValue(const std::optional<T>& value)
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

}  // namespace tenure
