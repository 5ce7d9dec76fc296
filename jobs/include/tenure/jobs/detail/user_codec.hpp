#pragma once

#include <tenure/jobs/detail/archives.hpp>

#include <memory>
#include <string_view>

// Types with cereal functions of their own, and the reasons why a type is no argument.
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
inline constexpr bool kIsVersioned =
    cereal::traits::has_member_versioned_serialize<T, PayloadWriter>::value ||
    cereal::traits::has_non_member_versioned_serialize<T, PayloadWriter>::value ||
    cereal::traits::has_member_versioned_save<T, PayloadWriter>::value ||
    cereal::traits::has_non_member_versioned_save<T, PayloadWriter>::value;

// Which of cereal's functions a type has. One that is named by cereal::specialize beats the others.
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

// What no class can be said about. True if T may go on to be asked for its functions.
template <class T>
constexpr bool check_kind_of_type() {
  static_assert(!std::is_pointer_v<T> && !std::is_null_pointer_v<T> && !std::is_member_pointer_v<T>,
                "tenure: a raw pointer is no argument, for an address means nothing in the process that "
                "performs the job. Use the value itself, std::optional for one that may be absent, or "
                "tenure::Ref for a record.");
  static_assert(!kIsSmartPointer<T>,
                "tenure: unique_ptr, shared_ptr and weak_ptr are no arguments, for ownership and identity "
                "do not survive a payload. Use the value itself, std::optional for one that may be "
                "absent, or tenure::Ref for a record.");
  static_assert(!std::is_array_v<T>,
                "tenure: a C array is no argument. Use std::array, or std::string for text.");
  static_assert(!std::is_enum_v<T>,
                "tenure: an enum is an argument only once its values are declared, so that a number "
                "outside is refused. Specialise tenure::EnumRange with `first` and `last`; for std::byte "
                "use tenure::Bytes.");
  static_assert(!std::is_arithmetic_v<T>,
                "tenure: long double, wchar_t, char8_t, char16_t and char32_t differ between machines and "
                "are no arguments. Use double, std::string or an integer of stated width.");
  static_assert(!std::is_same_v<T, std::string_view>,
                "tenure: std::string_view is no argument, for it does not own its text. Use std::string.");
  constexpr bool kMayHaveFunctions = std::is_class_v<T> || std::is_union_v<T>;
  return kMayHaveFunctions && !kIsSmartPointer<T> && !std::is_same_v<T, std::string_view>;
}

template <class T>
constexpr bool check_functions_of_type() {
  static_assert(!std::is_polymorphic_v<T>,
                "tenure: a type with virtual functions is no argument, for which class it is would depend "
                "on what a program has registered. Use std::variant of plain types.");
  static_assert(!kIsVersioned<T>,
                "tenure: class versions (serialize with a version number) are not supported. Let the type "
                "grow by std::optional fields and tenure::optional_field.");
  static_assert(kIsVersioned<T> || kIsDescribed<T>,
                "tenure: this type is no argument, for cereal finds no function for it, or only one of "
                "save and load. Give it `template <class Archive> void serialize(Archive& archive)` that "
                "calls the archive with CEREAL_NVP of each member.");
  static_assert(!kHasTooMany<T>,
                "tenure: cereal finds more than one function for this type. Keep one, or name it by "
                "cereal::specialize.");
  return !std::is_polymorphic_v<T> && !kIsVersioned<T> && kIsDescribed<T>;
}

template <class T>
constexpr bool check_user_type() {
  if constexpr (check_kind_of_type<T>()) {
    return check_functions_of_type<T>();
  } else {
    return false;
  }
}

// The user's function is called without a qualifier, so that it is found beside the type.
template <class T>
void call_to_write(PayloadWriter& archive, const void* object) {
  [[maybe_unused]] const T& value = *static_cast<const T*>(object);
  // cereal's serialize is one function for both ways and so takes T&; when writing, it has no reason to change it.
  [[maybe_unused]] T& both_ways = const_cast<T&>(value);
  if constexpr (kWritesByMemberSerialize<T>) {
    cereal::access::member_serialize(archive, both_ways);
  } else if constexpr (kWritesByFreeSerialize<T>) {
    CEREAL_SERIALIZE_FUNCTION_NAME(archive, both_ways);
  } else if constexpr (kWritesByMemberSave<T>) {
    cereal::access::member_save(archive, value);
  } else if constexpr (kWritesByFreeSave<T>) {
    CEREAL_SAVE_FUNCTION_NAME(archive, value);
  }
}

template <class T>
void call_to_read(PayloadReader& archive, void* object) {
  [[maybe_unused]] T& value = *static_cast<T*>(object);
  if constexpr (kReadsByMemberSerialize<T>) {
    cereal::access::member_serialize(archive, value);
  } else if constexpr (kReadsByFreeSerialize<T>) {
    CEREAL_SERIALIZE_FUNCTION_NAME(archive, value);
  } else if constexpr (kReadsByMemberLoad<T>) {
    cereal::access::member_load(archive, value);
  } else if constexpr (kReadsByFreeLoad<T>) {
    CEREAL_LOAD_FUNCTION_NAME(archive, value);
  }
}

template <class T>
auto minimal_of(const PayloadWriter& archive, const T& value) {
  if constexpr (kWritesByMemberSaveMinimal<T>) {
    return cereal::access::member_save_minimal(archive, value);
  } else {
    return CEREAL_SAVE_MINIMAL_FUNCTION_NAME(archive, value);
  }
}

template <class T, class Minimal>
void load_minimal_into(const PayloadReader& archive, T& value, const Minimal& minimal) {
  if constexpr (kReadsByMemberLoadMinimal<T>) {
    cereal::access::member_load_minimal(archive, value, minimal);
  } else {
    CEREAL_LOAD_MINIMAL_FUNCTION_NAME(archive, value, minimal);
  }
}

template <class T>
struct Codec {
  static void write(PayloadWriter& writer, const T& value) {
    if constexpr (!check_user_type<T>()) {
      return;
    } else if constexpr (kIsMinimal) {
      const PayloadOutput::Level level(writer.output());
      const auto path = [&] { return writer.output().path(); };
      run_user_code(
          [&] {
            const auto minimal = minimal_of(writer, value);
            Codec<std::remove_cv_t<decltype(minimal)>>::write(writer, minimal);
          },
          path);
    } else {
      writer.write_fields(&value, &call_to_write<T>);
    }
  }

  static void read(PayloadReader& reader, const json::Value& at, T& value) {
    if constexpr (!check_user_type<T>()) {
      return;
    } else if constexpr (kIsMinimal) {
      const PayloadInput::Level level(reader.input(), at);
      using Minimal = decltype(minimal_of(std::declval<const PayloadWriter&>(), value));
      run_user_code([&] { load_minimal_into(reader, value, reader.read_new<Minimal>(at)); },
                    [&] { return at.path(); });
    } else {
      reader.read_fields(at, &value, &call_to_read<T>);
    }
  }

  // As a base class, whose fields stand beside those of the derived one.
  static void write_into_frame(PayloadWriter& writer, const T& value) {
    static_assert(!kIsMinimal,
                  "tenure: a base class needs serialize, or save and load, not the minimal ones.");
    if constexpr (check_user_type<T>()) call_to_write<T>(writer, &value);
  }
  static void read_from_frame(PayloadReader& reader, T& value) {
    if constexpr (check_user_type<T>()) call_to_read<T>(reader, &value);
  }

 private:
  static constexpr bool is_minimal() {
    if constexpr (std::is_class_v<T>) {
      return kWritesByMemberSaveMinimal<T> || kWritesByFreeSaveMinimal<T>;
    } else {
      return false;
    }
  }
  static constexpr bool kIsMinimal = is_minimal();
};

// A base class under a name of its own, as a nested object.
template <class Base>
struct Codec<cereal::base_class<Base>> {
  static void write(PayloadWriter& writer, const cereal::base_class<Base>& base) {
    Codec<Base>::write(writer, *base.base_ptr);
  }
  static void read(PayloadReader& reader, const json::Value& at, cereal::base_class<Base>& base) {
    reader.read(at, *base.base_ptr);
  }
};

}  // namespace tenure::detail
