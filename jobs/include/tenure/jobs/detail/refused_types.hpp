#pragma once

#include <tenure/jobs/detail/archives.hpp>
#include <tenure/jobs/detail/cereal_functions.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>

// Which types are no arguments, and the sentence with which each is refused.
namespace tenure::detail {

template <class T>
inline constexpr bool kIsSmartPointer = false;
template <class T, class Deleter>
inline constexpr bool kIsSmartPointer<std::unique_ptr<T, Deleter>> = true;
template <class T>
inline constexpr bool kIsSmartPointer<std::shared_ptr<T>> = true;
template <class T>
inline constexpr bool kIsSmartPointer<std::weak_ptr<T>> = true;

template <class T>
inline constexpr bool kIsString = false;
template <class Character, class Traits, class Allocator>
inline constexpr bool kIsString<std::basic_string<Character, Traits, Allocator>> = true;

template <class T>
inline constexpr bool kHasEqualKeys = false;
template <class T, class Compare, class Allocator>
inline constexpr bool kHasEqualKeys<std::multiset<T, Compare, Allocator>> = true;
template <class Key, class T, class Compare, class Allocator>
inline constexpr bool kHasEqualKeys<std::multimap<Key, T, Compare, Allocator>> = true;
template <class T, class Hash, class Equal, class Allocator>
inline constexpr bool kHasEqualKeys<std::unordered_multiset<T, Hash, Equal, Allocator>> = true;
template <class Key, class T, class Hash, class Equal, class Allocator>
inline constexpr bool kHasEqualKeys<std::unordered_multimap<Key, T, Hash, Equal, Allocator>> = true;

template <class T>
inline constexpr bool kDiffersBetweenMachines =
    std::is_same_v<T, long double> || std::is_same_v<T, wchar_t> || std::is_same_v<T, char8_t> ||
    std::is_same_v<T, char16_t> || std::is_same_v<T, char32_t>;

// T as the compiler spells it, from its outermost namespace on.
template <class T>
constexpr std::string_view spelled() {
  constexpr std::string_view kBefore = "T = ";
  const std::string_view function = __PRETTY_FUNCTION__;
  return function.substr(function.find(kBefore) + kBefore.size());
}

enum class Refused : std::uint8_t {
  no,
  pointer,
  smart_pointer,
  c_array,
  undeclared_enum,
  machines_number,
  compilers_number,
  string_view,
  other_string,
  equal_keys,
  calendar,
  path,
  standard_library,
  other_library,
  raw_bytes,
  deferred,
  virtual_base,
  size_tag,
  bad_reference,
  polymorphic,
  versioned,
  changed_by_saving,
  not_described,
  described_twice,
};

template <class T>
consteval Refused why_scalar_refused() {
  if (std::is_pointer_v<T> || std::is_null_pointer_v<T> || std::is_member_pointer_v<T>)
    return Refused::pointer;
  if (std::is_array_v<T>) return Refused::c_array;
  if (std::is_enum_v<T>) return Refused::undeclared_enum;
  if (kDiffersBetweenMachines<T>) return Refused::machines_number;
  return Refused::compilers_number;
}

template <class T>
consteval Refused why_wrapper_refused() {
  if (kIsA<T, cereal::BinaryData>) return Refused::raw_bytes;
  if (kIsA<T, cereal::DeferredData>) return Refused::deferred;
  if (kIsA<T, cereal::virtual_base_class>) return Refused::virtual_base;
  return Refused::size_tag;
}

// What cereal's own headers would make arguments, in forms of their own and some in an order that does not last.
template <class T>
consteval Refused why_library_class_refused() {
  if (kIsSmartPointer<T>) return Refused::smart_pointer;
  if (std::is_same_v<T, std::string_view>) return Refused::string_view;
  if (kIsString<T>) return Refused::other_string;
  if (kHasEqualKeys<T>) return Refused::equal_keys;
  constexpr std::string_view kName = spelled<T>();
  if (kName.starts_with("std::chrono::")) return Refused::calendar;
  if (kName.starts_with("std::filesystem::")) return Refused::path;
  if (kName.starts_with("std::")) return Refused::standard_library;
  if (kName.starts_with("boost::variant<")) return Refused::other_library;
  return Refused::no;
}

template <class T>
inline constexpr bool kHasPayloadReference = requires {
  sizeof(PayloadReference<T>);
};

template <class T>
consteval Refused why_user_class_refused() {
  if (kHasPayloadReference<T>) return Refused::bad_reference;
  if (std::is_polymorphic_v<T>) return Refused::polymorphic;
  if constexpr (kChangedBySaving<T>) {
    return Refused::changed_by_saving;
  } else {
    if (kIsVersioned<T>) return Refused::versioned;
    if (!kIsDescribed<T>) return Refused::not_described;
    if (kHasTooMany<T>) return Refused::described_twice;
    return Refused::no;
  }
}

template <class T>
consteval Refused why_refused() {
  if constexpr (!HasUserCodec<T>) {
    return Refused::no;
  } else if constexpr (!std::is_class_v<T> && !std::is_union_v<T>) {
    return why_scalar_refused<T>();
  } else if constexpr (kIsForeignWrapper<T>) {
    return why_wrapper_refused<T>();
  } else if constexpr (why_library_class_refused<T>() != Refused::no) {
    return why_library_class_refused<T>();
  } else {
    return why_user_class_refused<T>();
  }
}

template <class T>
inline constexpr Refused kRefused = why_refused<T>();

template <class T>
constexpr void refuse_scalar() {
  static_assert(kRefused<T> != Refused::pointer,
                "tenure: a raw pointer is no argument, for an address means nothing in the process that "
                "performs the job. Use the value itself, std::optional for one that may be absent, or "
                "tenure::Ref for a record.");
  static_assert(kRefused<T> != Refused::c_array,
                "tenure: a C array is no argument. Use std::array, or std::string for text.");
  static_assert(kRefused<T> != Refused::undeclared_enum,
                "tenure: an enum is an argument only once its values are declared, so that a number "
                "outside is refused. Specialise tenure::EnumRange with `first` and `last`; for std::byte "
                "use tenure::Bytes.");
  static_assert(kRefused<T> != Refused::machines_number,
                "tenure: long double, wchar_t, char8_t, char16_t and char32_t differ between machines and "
                "are no arguments. Use double, std::string or an integer of stated width.");
  static_assert(kRefused<T> != Refused::compilers_number,
                "tenure: __int128, __float128, _Complex, vector types and what else one compiler adds are no "
                "arguments. Use integers of at most 64 bits, double, std::array or std::string.");
}

template <class T>
constexpr void refuse_library_class() {
  static_assert(kRefused<T> != Refused::smart_pointer,
                "tenure: unique_ptr, shared_ptr and weak_ptr are no arguments, for ownership and identity "
                "do not survive a payload. Use the value itself, std::optional for one that may be "
                "absent, or tenure::Ref for a record.");
  static_assert(kRefused<T> != Refused::string_view,
                "tenure: std::string_view is no argument, for it does not own its text. Use std::string.");
  static_assert(kRefused<T> != Refused::other_string,
                "tenure: of the strings only std::string is an argument, holding UTF-8; wstring, u8string, "
                "u16string, u32string and those of std::pmr are not. Convert to std::string.");
  static_assert(kRefused<T> != Refused::equal_keys,
                "tenure: multimap, multiset and their unordered kin are no arguments, for elements with "
                "equal keys would change places. Use a std::map of std::vector, or a std::vector of pairs.");
  static_assert(kRefused<T> != Refused::calendar,
                "tenure: of std::chrono, durations and sys_time are arguments, and year_month_day and the "
                "rest of the calendar are not. Use std::chrono::sys_days for a date.");
  static_assert(kRefused<T> != Refused::path,
                "tenure: std::filesystem::path is no argument. Use std::string, and path(text) and "
                "path.string() to convert.");
  static_assert(
      kRefused<T> != Refused::standard_library,
      "tenure: of the standard library only what docs/formats/arguments.md lists is an argument, and "
      "this type is not there, as bitset, complex, valarray, queue, stack, forward_list and atomic "
      "are not. Hold its values in a std::vector, a std::string, a number or a struct of your own.");
  static_assert(kRefused<T> != Refused::other_library,
                "tenure: boost::variant is no argument. Use std::variant.");
}

template <class T>
constexpr void refuse_wrapper() {
  static_assert(
      kRefused<T> != Refused::raw_bytes,
      "tenure: raw bytes of memory are no argument, for their layout and padding belong to one build of one "
      "program. Use tenure::Bytes for bytes, and serialize the members of a struct.");
  static_assert(kRefused<T> != Refused::deferred,
                "tenure: cereal::defer orders pointers, and pointers are no arguments. Serialize the values "
                "themselves.");
  static_assert(
      kRefused<T> != Refused::virtual_base,
      "tenure: cereal::virtual_base_class is not supported. Use cereal::base_class once, or a member.");
  static_assert(kRefused<T> != Refused::size_tag,
                "tenure: cereal::make_size_tag is not supported, nor is a class that inherits a standard "
                "container. Hold the container as a member and name it with CEREAL_NVP.");
}

template <class T>
constexpr void refuse_user_class() {
  static_assert(kRefused<T> != Refused::bad_reference,
                "tenure: PayloadReference of a type has `static std::string text(const T&)` and "
                "`static tenure::Result<T> from_text(std::string_view)`.");
  static_assert(kRefused<T> != Refused::polymorphic,
                "tenure: a type with virtual functions is no argument, for which class it is would depend "
                "on what a program has registered. Use std::variant of plain types.");
  static_assert(kRefused<T> != Refused::versioned,
                "tenure: class versions (functions of cereal's with a version number) are not supported. Let "
                "the type grow by std::optional fields and tenure::optional_field.");
  static_assert(kRefused<T> != Refused::changed_by_saving,
                "tenure: `save` and `save_minimal` must be const, for they only read. Write "
                "`template <class Archive> void save(Archive& archive) const`.");
  static_assert(kRefused<T> != Refused::not_described,
                "tenure: this type is no argument, for cereal finds no function for it, or only one of "
                "save and load. Give it `template <class Archive> void serialize(Archive& archive)` that "
                "calls the archive with CEREAL_NVP of each member, public or with cereal::access as friend.");
  static_assert(kRefused<T> != Refused::described_twice,
                "tenure: cereal finds more than one function for this type. Keep one, or name it by "
                "cereal::specialize.");
}

template <class T>
constexpr void refuse_type() {
  static_assert(kRefused<T> != Refused::no);
  refuse_scalar<T>();
  refuse_wrapper<T>();
  refuse_library_class<T>();
  refuse_user_class<T>();
}

}  // namespace tenure::detail

// For users' functions that ask. What has a codec needs no function of cereal's.
template <class T>
struct cereal::traits::is_output_serializable<T, tenure::PayloadWriter>
    : std::bool_constant<tenure::detail::kRefused<T> == tenure::detail::Refused::no> {};
template <class T>
struct cereal::traits::is_input_serializable<T, tenure::PayloadReader>
    : std::bool_constant<tenure::detail::kRefused<T> == tenure::detail::Refused::no> {};
