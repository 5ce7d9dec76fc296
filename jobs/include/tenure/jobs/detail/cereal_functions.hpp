#pragma once

#include <tenure/jobs/detail/archives.hpp>

#include <type_traits>

// Which of cereal's functions a type has. One that is named by cereal::specialize beats the others.
namespace tenure::detail {

// NOLINTBEGIN(bugprone-macro-parentheses): what it declares cannot stand in parentheses
#define TENURE_HAS(constant, archive, function)                                                     \
  template <class T>                                                                                \
  inline constexpr bool constant = cereal::traits::has_##function<T, archive>::value &&             \
                                   (cereal::traits::is_specialized_##function<T, archive>::value || \
                                    !cereal::traits::is_specialized<T, archive>::value)
TENURE_HAS(kWritesByMemberSerialize, PayloadWriter, member_serialize);
TENURE_HAS(kWritesByFreeSerialize, PayloadWriter, non_member_serialize);
TENURE_HAS(kWritesByMemberSave, PayloadWriter, member_save);
TENURE_HAS(kWritesByFreeSave, PayloadWriter, non_member_save);
TENURE_HAS(kWritesByMemberSaveMinimal, PayloadWriter, member_save_minimal);
TENURE_HAS(kWritesByFreeSaveMinimal, PayloadWriter, non_member_save_minimal);
TENURE_HAS(kReadsByMemberSerialize, PayloadReader, member_serialize);
TENURE_HAS(kReadsByFreeSerialize, PayloadReader, non_member_serialize);
TENURE_HAS(kReadsByMemberLoad, PayloadReader, member_load);
TENURE_HAS(kReadsByFreeLoad, PayloadReader, non_member_load);
TENURE_HAS(kReadsByMemberLoadMinimal, PayloadReader, member_load_minimal);
TENURE_HAS(kReadsByFreeLoadMinimal, PayloadReader, non_member_load_minimal);
#undef TENURE_HAS
// NOLINTEND(bugprone-macro-parentheses)

template <class T>
inline constexpr bool kWrites =
    kWritesByMemberSerialize<T> || kWritesByFreeSerialize<T> || kWritesByMemberSave<T> ||
    kWritesByFreeSave<T> || kWritesByMemberSaveMinimal<T> || kWritesByFreeSaveMinimal<T>;
template <class T>
inline constexpr bool kReads =
    kReadsByMemberSerialize<T> || kReadsByFreeSerialize<T> || kReadsByMemberLoad<T> || kReadsByFreeLoad<T> ||
    kReadsByMemberLoadMinimal<T> || kReadsByFreeLoadMinimal<T>;

// A class without members has nothing to describe.
template <class T>
inline constexpr bool kIsDescribed = (kWrites<T> && kReads<T>) ||
                                     (!kWrites<T> && !kReads<T> && std::is_empty_v<T>);

template <class T>
inline constexpr bool kHasTooMany =
    cereal::traits::detail::count_output_serializers<T, PayloadWriter>::value > 1 &&
    !cereal::traits::is_specialized<T, PayloadWriter>::value;

template <class T>
inline constexpr bool kIsVersioned =
    cereal::traits::has_member_versioned_serialize<T, PayloadWriter>::value ||
    cereal::traits::has_non_member_versioned_serialize<T, PayloadWriter>::value ||
    cereal::traits::has_member_versioned_save<T, PayloadWriter>::value ||
    cereal::traits::has_non_member_versioned_save<T, PayloadWriter>::value ||
    cereal::traits::has_member_versioned_save_minimal<T, PayloadWriter>::value ||
    cereal::traits::has_non_member_versioned_save_minimal<T, PayloadWriter>::value ||
    cereal::traits::has_member_versioned_load<T, PayloadReader>::value ||
    cereal::traits::has_non_member_versioned_load<T, PayloadReader>::value;

// A member function that writes and is not const, of which cereal's traits complain in words of their own.
template <class T>
inline constexpr bool kChangedBySaving = (
                                             requires(PayloadWriter & archive, T& value) {
                                               cereal::access::member_save_non_const(archive, value);
                                             } &&
                                             !requires(PayloadWriter & archive, const T& value) {
                                               cereal::access::member_save(archive, value);
                                             }) ||
                                         (
                                             requires(PayloadWriter & archive, T& value) {
                                               cereal::access::member_save_minimal_non_const(archive, value);
                                             } &&
                                             !requires(PayloadWriter & archive, const T& value) {
                                               cereal::access::member_save_minimal(archive, value);
                                             });

}  // namespace tenure::detail
