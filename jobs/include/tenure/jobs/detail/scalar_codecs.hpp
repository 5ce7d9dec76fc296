#pragma once

#include <tenure/jobs/detail/archives.hpp>

#include <chrono>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

namespace tenure::detail {

// Integers of stated or usual width; plain char is a small number, signed on every machine.
template <class T>
concept IsInteger = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                    !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> && !std::same_as<T, char16_t> &&
                    !std::same_as<T, char32_t> && (sizeof(T) <= sizeof(std::int64_t));

// The integer at `at`; OutOfRange unless it lies from `first` to `last`.
template <IsInteger T>
T integer_between(T first, T last, const json::Value& at) {
  const auto in_range = [&](auto value) {
    return !std::cmp_less(value, first) && !std::cmp_greater(value, last);
  };
  const auto checked = [&](auto value) {
    if (!in_range(value))
      refuse("OutOfRange",
             "the number must lie from " + std::to_string(first) + " to " + std::to_string(last), at.path());
    return static_cast<T>(value);
  };
  if constexpr (std::is_signed_v<T>) {
    return checked(value_or_raise(at.integer()));
  } else {
    return checked(value_or_raise(at.unsigned_integer()));
  }
}

template <>
struct Codec<bool> {
  static void write(PayloadWriter& writer, bool value) { writer.output().boolean(value); }
  static void read(PayloadReader&, const json::Value& at, bool& value) {
    if (at.type() == json::Type::integer)
      refuse("OutOfRange", "a boolean is true or false and no number", at.path());
    value = value_or_raise(at.boolean());
  }
};

template <IsInteger T>
struct Codec<T> {
  static void write(PayloadWriter& writer, T value) {
    if constexpr (std::is_signed_v<T>) {
      writer.output().integer(value);
    } else {
      writer.output().unsigned_integer(value);
    }
  }
  static void read(PayloadReader&, const json::Value& at, T& value) {
    value = integer_between(std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), at);
  }
};

template <>
struct Codec<char> {
  static void write(PayloadWriter& writer, char value) {
    writer.output().integer(static_cast<signed char>(value));
  }
  static void read(PayloadReader&, const json::Value& at, char& value) {
    using Limits = std::numeric_limits<signed char>;
    value = static_cast<char>(integer_between<signed char>(Limits::min(), Limits::max(), at));
  }
};

template <class T>
requires(std::same_as<T, double> || std::same_as<T, float>) struct Codec<T> {
  static void write(PayloadWriter& writer, T value) { writer.output().number(static_cast<double>(value)); }
  static void read(PayloadReader&, const json::Value& at, T& value) { read_number(at, value); }
};

template <>
struct Codec<std::string> {
  static void write(PayloadWriter& writer, const std::string& value) { writer.output().string(value); }
  static void read(PayloadReader&, const json::Value& at, std::string& value) {
    value = value_or_raise(at.string());
  }
};

template <>
struct Codec<Bytes> {
  static void write(PayloadWriter& writer, const Bytes& value) { writer.output().string(base64_of(value)); }
  static void read(PayloadReader&, const json::Value& at, Bytes& value) {
    auto bytes = bytes_of_base64(value_or_raise(at.string()));
    if (!bytes) refuse("BadText", bytes.error().message, at.path());
    value = std::move(*bytes);
  }
};

template <class E>
concept HasEnumRange = std::is_enum_v<E> && requires {
  { EnumRange<E>::first } -> std::convertible_to<E>;
  { EnumRange<E>::last } -> std::convertible_to<E>;
};

template <HasEnumRange E>
struct Codec<E> {
  // A bool or a character under an enum is a number all the same.
  using Underlying = std::underlying_type_t<E>;
  static_assert(sizeof(Underlying) <= sizeof(std::int64_t),
                "tenure: an enum of more than 64 bits is no argument.");
  using Number = std::conditional_t<IsInteger<Underlying>, Underlying, std::int64_t>;
  static constexpr auto kFirst = static_cast<Number>(EnumRange<E>::first);
  static constexpr auto kLast = static_cast<Number>(EnumRange<E>::last);
  static_assert(kFirst <= kLast, "tenure: EnumRange has its first value after its last.");

  static void write(PayloadWriter& writer, E value) {
    const auto number = static_cast<Number>(value);
    if (number < kFirst || number > kLast)
      writer.output().refuse("OutOfRange",
                             std::to_string(number) + " is no value that the enum's EnumRange declares");
    Codec<Number>::write(writer, number);
  }
  static void read(PayloadReader&, const json::Value& at, E& value) {
    value = static_cast<E>(integer_between(kFirst, kLast, at));
  }
};

template <class Rep, class Period>
struct Codec<std::chrono::duration<Rep, Period>> {
  using Duration = std::chrono::duration<Rep, Period>;
  static_assert(
      IsInteger<Rep>,
      "tenure: a duration is an argument if it counts in integers of at most 64 bits; fractions are "
      "not exact.");
  static_assert(std::ratio_divide<Period, std::nano>::den == 1,
                "tenure: a duration finer than nanoseconds, or no whole number of them, is no argument.");
  static constexpr auto kNanoseconds = std::int64_t{std::ratio_divide<Period, std::nano>::num};

  static void write(PayloadWriter& writer, const Duration& value) {
    std::int64_t count = 0;
    if (!std::in_range<std::int64_t>(value.count()) ||
        __builtin_mul_overflow(static_cast<std::int64_t>(value.count()), kNanoseconds, &count))
      writer.output().refuse("OutOfRange", "the time is more nanoseconds than a 64-bit integer holds");
    writer.output().integer(count);
  }
  static void read(PayloadReader&, const json::Value& at, Duration& value) {
    const std::int64_t count = value_or_raise(at.integer());
    const std::int64_t units = count / kNanoseconds;
    if (count % kNanoseconds != 0)
      refuse("OutOfRange",
             "the time is finer than the field's unit of " + std::to_string(kNanoseconds) + " nanoseconds",
             at.path());
    if (!std::in_range<Rep>(units)) refuse("OutOfRange", "the time does not fit into the field", at.path());
    value = Duration{static_cast<Rep>(units)};
  }
};

template <class Duration>
struct Codec<std::chrono::sys_time<Duration>> {
  using Time = std::chrono::sys_time<Duration>;
  static void write(PayloadWriter& writer, const Time& value) {
    Codec<Duration>::write(writer, value.time_since_epoch());
  }
  static void read(PayloadReader& reader, const json::Value& at, Time& value) {
    value = Time{reader.read_new<Duration>(at)};
  }
};

template <class Clock, class Duration>
struct Codec<std::chrono::time_point<Clock, Duration>> {
  static_assert(kNever<Clock>,
                "tenure: a time of this clock means nothing elsewhere. Use std::chrono::sys_time.");
  static void write(PayloadWriter&, const auto&) {}
  static void read(PayloadReader&, const json::Value&, auto&) {}
};

template <IsReference T>
struct Codec<T> {
  static void write(PayloadWriter& writer, const T& value) {
    const std::string text = PayloadReference<T>::text(value);
    writer.output().reference(text);
  }
  static T read_new(PayloadReader& reader, const json::Value& at) {
    auto value = PayloadReference<T>::from_text(reader.input().reference(at));
    if (!value && value.error().where.empty()) value.error().where = at.path();
    return value_or_raise(std::move(value));
  }
  static void read(PayloadReader& reader, const json::Value& at, T& value) { value = read_new(reader, at); }
};

}  // namespace tenure::detail
