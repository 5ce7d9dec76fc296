#pragma once

#include "fields.hpp"

#include <cstddef>
#include <memory>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

// The names of members and of enumerators, as the compiler spells them in the name of a function: what each is called, in their order, as
// part of one text. Boost.PFR has none before 1.84. For digests, and not to be shown to anybody.
namespace tenure::daemon::journal {

namespace detail {

// An object whose members have addresses. There is none, and none is read.
template <class T>
extern const T some_object;

// Clang takes the address of a member as an argument of a template in a struct only.
template <class Member>
struct Place {
  const Member* member;
};
template <class Member>
Place(const Member*) -> Place<Member>;

template <auto... kValues>
constexpr std::string_view spelled() {
  return __PRETTY_FUNCTION__;
}

#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#endif
template <class T, std::size_t... kIndex>
constexpr std::string_view spelled_members(std::index_sequence<kIndex...>) {
  if constexpr (Remembering<T>)
    return spelled<Place{std::addressof(std::get<kIndex>(Remembered::of(some_object<T>)))}...>();
  else return spelled<Place{std::addressof(boost::pfr::get<kIndex>(some_object<T>))}...>();
}
#ifdef __clang__
#pragma clang diagnostic pop
#endif

template <class T, std::size_t... kValue>
constexpr std::string_view spelled_enumerators(std::index_sequence<kValue...>) {
  return spelled<static_cast<T>(kValue)...>();
}

template <class T>
constexpr std::size_t count_members() {
  if constexpr (Remembering<T>) return std::tuple_size_v<RememberedBy<T>>;
  else return boost::pfr::tuple_size_v<T>;
}

}  // namespace detail

// Of a struct that is taken apart, or of a class that remembers.
template <class T>
constexpr std::string_view names_of_members() {
  return detail::spelled_members<T>(std::make_index_sequence<detail::count_members<T>()>{});
}

// Enumerators above are not told: those of a journal are numbered from 0 or 1 on.
inline constexpr std::size_t kEnumeratorMax = 127;

template <class T>
constexpr std::string_view names_of_enumerators() {
  return detail::spelled_enumerators<T>(std::make_index_sequence<kEnumeratorMax + 1>{});
}

}  // namespace tenure::daemon::journal
