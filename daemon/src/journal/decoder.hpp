#pragma once

#include "../dispatcher/outstanding.hpp"
#include "fields.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

// Bytes to values: the other way of Encoder. What does not fit is refused; nothing is allocated that the bytes do not justify.
namespace tenure::daemon::journal {

// Of the bytes, at a place: an ending of "what is there".
class Unreadable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Zeros that stand for texts which the journal leaves out, in one record: a round claims 8 MiB, and besides a job of any size for each
// process.
inline constexpr std::size_t kWithheldMax = 1UL << 30U;

class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool is_at_end() const { return bytes_.empty(); }
  [[nodiscard]] std::string_view take_rest() { return std::exchange(bytes_, {}); }

  [[nodiscard]] std::uint64_t get_unsigned() {
    const auto first = static_cast<std::uint8_t>(take(1)[0]);
    if (first < kSmall) return first;
    const std::string_view raw = take(static_cast<std::size_t>(first - kSmall) + 1);
    std::uint64_t value = 0;
    for (std::size_t at = raw.size(); at > 0; --at)
      value = value << 8U | static_cast<std::uint8_t>(raw[at - 1]);
    return value;
  }
  [[nodiscard]] std::int64_t get_signed() {
    const std::uint64_t value = get_unsigned();
    return static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
  }

  template <class T>
  [[nodiscard]] T get() {
    if constexpr (Number<T>) return get_number<T>();
    else if constexpr (StrongNumber<T>) return T{get<decltype(T::value)>()};
    else if constexpr (Duration<T>) return T{get<typename T::rep>()};
    else if constexpr (std::same_as<T, WallTime>) return from_us(get_signed());
    else if constexpr (std::same_as<T, std::string>) return get_text();
    else if constexpr (std::same_as<T, Uuid>) return get_uuid();
    else if constexpr (std::same_as<T, TenantName>) return TenantName::stored(get_text());
    else if constexpr (std::same_as<T, OutstandingTenant>) return OutstandingTenant{get_text()};
    else if constexpr (std::same_as<T, Random>) return std::bit_cast<Random>(get_unsigned());
    else if constexpr (std::same_as<T, std::monostate>) return {};
    else if constexpr (Optional<T>) return get_flag() ? T{get<typename T::value_type>()} : T{};
    else if constexpr (Outcome<T>) return get_outcome<T>();
    else if constexpr (Shared<T>) return get_shared<T>();
    else if constexpr (Variant<T>) return get_variant<T>();
    else if constexpr (Optionals<T>) return get_optionals<T>();
    else if constexpr (Tuple<T>) return get_tuple<T>();
    else if constexpr (Container<T>) return get_container<T>();
    else if constexpr (Remembering<T>) return get_remembering<T>();
    else return get_plain<T>();
  }
  // A class of the dispatcher that is there already.
  template <Remembering T>
  void get_into(T& object) {
    for_each_member(object, [this]<class Member>(Member& member) {
      if constexpr (Remembering<Member>) get_into(member);
      else member = get<Member>();
    });
  }

 private:
  static constexpr std::uint8_t kSmall = 248;

  std::string_view take(std::size_t bytes) {
    if (bytes > bytes_.size()) throw Unreadable("it ends within a value");
    const std::string_view taken = bytes_.substr(0, bytes);
    bytes_.remove_prefix(bytes);
    return taken;
  }
  // Of things that have at least `bytes_each`.
  std::size_t get_count(std::size_t bytes_each) {
    const std::uint64_t count = get_unsigned();
    if (count > bytes_.size() / std::max<std::size_t>(bytes_each, 1))
      throw Unreadable("it says that it has more than it has");
    return static_cast<std::size_t>(count);
  }
  bool get_flag() {
    const std::uint64_t flag = get_unsigned();
    if (flag > 1) throw Unreadable(fmt::format("{} is no answer to whether something is there", flag));
    return flag == 1;
  }
  template <class T>
  T get_number() {
    if constexpr (std::is_enum_v<T>) {
      return static_cast<T>(get_number<std::underlying_type_t<T>>());
    } else if constexpr (std::same_as<T, bool>) {
      return get_flag();
    } else if constexpr (std::is_signed_v<T>) {
      const std::int64_t value = get_signed();
      if (!std::in_range<T>(value)) throw Unreadable(fmt::format("{} is out of range", value));
      return static_cast<T>(value);
    } else {
      const std::uint64_t value = get_unsigned();
      if (value > std::numeric_limits<T>::max()) throw Unreadable(fmt::format("{} is out of range", value));
      return static_cast<T>(value);
    }
  }
  std::string get_text() {
    const std::uint64_t size = get_unsigned();
    if ((size & 1U) == 0) {
      if (size >> 1U > bytes_.size()) throw Unreadable("it ends within a text");
      return std::string(take(static_cast<std::size_t>(size >> 1U)));
    }
    if (size >> 1U > kWithheldMax - withheld_) throw Unreadable("it leaves out more than any round has");
    withheld_ += static_cast<std::size_t>(size >> 1U);
    return std::string(static_cast<std::size_t>(size >> 1U), '\0');
  }
  Uuid get_uuid() {
    Uuid::Bytes bytes{};
    const std::string_view raw = take(Uuid::kSize);
    std::copy(raw.begin(), raw.end(), bytes.begin());
    return Uuid{bytes};
  }
  template <class T>
  T get_outcome() {
    if (get_flag()) return T{get<typename T::value_type>()};
    return tl::unexpected<Failure>(get<Failure>());
  }
  template <class T>
  T get_shared() {
    if (!get_flag()) return nullptr;
    return std::make_shared<typename T::element_type>(get<std::remove_const_t<typename T::element_type>>());
  }
  template <class T>
  T get_variant() {
    const std::uint64_t index = get_unsigned();
    return [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
      std::optional<T> value;
      ((index == kIndex
            ? void(value.emplace(std::in_place_index<kIndex>, get<std::variant_alternative_t<kIndex, T>>()))
            : void()),
       ...);
      if (!value) throw Unreadable(fmt::format("there is no kind {}", index));
      return std::move(*value);
    }
    (std::make_index_sequence<std::variant_size_v<T>>{});
  }
  template <class T>
  T get_optionals() {
    const std::uint64_t present = get_unsigned();
    if (std::bit_width(present) > std::tuple_size_v<T>) throw Unreadable("it has parts that there are not");
    T parts;
    std::apply(
        [&](auto&... part) {
          std::uint64_t bit = 1;
          const auto fill = [&]<class Part>(std::optional<Part>& one) {
            if ((present & bit) != 0) one.emplace(get<Part>());
            bit <<= 1U;
          };
          (fill(part), ...);
        },
        parts);
    return parts;
  }
  template <class T>
  T get_tuple() {
    return [this]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
      return T{get<std::remove_const_t<std::tuple_element_t<kIndex, T>>>()...};  // braces: from left to right
    }
    (std::make_index_sequence<std::tuple_size_v<T>>{});
  }
  template <class T>
  T get_container() {
    using Element = typename T::value_type;
    T values;
    for (std::size_t left = get_count(std::is_empty_v<Element> ? 0 : 1); left > 0; --left) {
      if constexpr (requires { values.push_back(std::declval<Element>()); }) values.push_back(get<Element>());
      else values.insert(get<Element>());
    }
    return values;
  }
  template <class T>
  T get_remembering() {
    T object = [] {
      if constexpr (std::is_default_constructible_v<T>) return T{};
      else return T{1};  // Outstanding, by its slots
    }();
    get_into(object);
    return object;
  }
  template <Plain T>
  T get_plain() {
    return [this]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
      return T{get<boost::pfr::tuple_element_t<kIndex, T>>()...};  // braces: from left to right
    }
    (std::make_index_sequence<boost::pfr::tuple_size_v<T>>{});
  }

  std::string_view bytes_;
  std::size_t withheld_ = 0;
};

}  // namespace tenure::daemon::journal
