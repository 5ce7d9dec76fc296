#pragma once

#include "../dispatcher/remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/base/random.hpp>
#include <tenure/base/strong.hpp>
#include <tenure/base/uuid.hpp>
#include <tenure/queue/outbox.hpp>
#include <tenure/queue/run.hpp>
#include <tenure/queue/store.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <boost/pfr.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

// Of what the values are made that a journal holds: events, actions and the dispatcher's memory. Nothing is described a second time:
// a plain struct is taken apart by the compiler (Boost.PFR), a class of the dispatcher names its members itself (TENURE_REMEMBERS), and
// either way a member that is added is written, read, printed and part of the layout's digest without another line. What is neither, and
// none of the kinds below, does not compile.
namespace tenure::daemon::journal {

template <class T>
inline constexpr bool kIsStrong = false;
template <class Tag, class Integer>
inline constexpr bool kIsStrong<Strong<Tag, Integer>> = true;
template <class T>
inline constexpr bool kIsDuration = false;
template <class Count, class Period>
inline constexpr bool kIsDuration<std::chrono::duration<Count, Period>> = true;
template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <class T>
inline constexpr bool kIsVariant = false;
template <class... Kinds>
inline constexpr bool kIsVariant<std::variant<Kinds...>> = true;
template <class T>
inline constexpr bool kIsOptionals = false;
template <class... Kinds>
inline constexpr bool kIsOptionals<std::tuple<std::optional<Kinds>...>> = sizeof...(Kinds) > 0;
template <class T>
inline constexpr bool kIsTuple = false;
template <class... Kinds>
inline constexpr bool kIsTuple<std::tuple<Kinds...>> = !kIsOptionals<std::tuple<Kinds...>>;
template <class First, class Second>
inline constexpr bool kIsTuple<std::pair<First, Second>> = true;
template <class T>
inline constexpr bool kIsShared = false;
template <class T>
inline constexpr bool kIsShared<std::shared_ptr<T>> = true;
template <class T>
inline constexpr bool kIsResult = false;
template <class T>
inline constexpr bool kIsResult<Result<T>> = true;

template <class T>
concept Number = std::is_arithmetic_v<T> || std::is_enum_v<T>;
template <class T>
concept StrongNumber = kIsStrong<T>;
template <class T>
concept Duration = kIsDuration<T>;
template <class T>
concept Optional = kIsOptional<T>;
template <class T>
concept Variant = kIsVariant<T>;
// Parts of which most are missing: those of a round.
template <class T>
concept Optionals = kIsOptionals<T>;
template <class T>
concept Tuple = kIsTuple<T>;
template <class T>
concept Shared = kIsShared<T>;
template <class T>
concept Outcome = kIsResult<T>;
template <class T>
concept Container = !std::same_as<T, std::string> && requires(const T& values) {
  typename T::value_type;
  values.begin();
  values.size();
};
template <class T>
concept Unordered = Container<T> && requires {
  typename T::hasher;
};
template <class T>
concept Map = Container<T> && requires {
  typename T::mapped_type;
};
template <class T>
concept Remembering = requires(T& object) {
  Remembered::of(object);
};
// The others: plain structs.
template <class T>
concept Plain = std::is_aggregate_v<T> && std::is_class_v<T> && !Container<T>;

// The members of a class of the dispatcher as a tuple of types.
template <class T>
using RememberedBy = decltype(Remembered::of(std::declval<T&>()));

// fn(member) for each, in order.
template <Plain T, class Function>
void for_each_member(const T& value, Function&& fn) {
  if constexpr (boost::pfr::tuple_size_v < T >> 0) boost::pfr::for_each_field(value, fn);
}
template <Remembering T, class Function>
void for_each_member(T& object, Function&& fn) {
  std::apply([&](auto&... members) { (fn(members), ...); }, Remembered::of(object));
}

// Texts of tenants and of their jobs: arguments may be secret, and nothing is decided from them but by their size. The journal holds how
// long they are; who reads it finds so many zeros in their place. Text of errors it does hold: it stands in the log as well, masked.
inline bool is_withheld(const queue::ClaimedJob& job, const std::string& text) {
  return &text == &job.envelope || &text == &job.cursor;
}
inline bool is_withheld(const queue::RunNews& news, const std::string& text) { return &text == &news.cursor; }
inline bool is_withheld(const queue::Progress& progress, const std::string& text) {
  return &text == &progress.text;
}
inline bool is_withheld(const queue::ScheduleEntry& entry, const std::string& text) {
  return &text == &entry.arguments;
}
inline bool is_withheld(const queue::OutboxRow& row, const std::string& text) { return &text == &row.text; }
template <class T>
concept Withholding = requires(const T& value, const std::string& text) {
  is_withheld(value, text);
};

}  // namespace tenure::daemon::journal
