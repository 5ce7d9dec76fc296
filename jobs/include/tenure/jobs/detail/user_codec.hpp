#pragma once

#include <tenure/jobs/detail/archives.hpp>
#include <tenure/jobs/detail/cereal_functions.hpp>
#include <tenure/jobs/detail/refused_types.hpp>

// Types with cereal functions of their own.
namespace tenure::detail {

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
  } else {
    static_assert(std::is_empty_v<T>);
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
  } else {
    static_assert(std::is_empty_v<T>);
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
  using OfUserType = T;

  static void write(PayloadWriter& writer, const T& value) {
    if constexpr (kRefused<T> != Refused::no) {
      refuse_type<T>();
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
    if constexpr (kRefused<T> != Refused::no) {
      refuse_type<T>();
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
    if constexpr (kRefused<T> != Refused::no) {
      refuse_type<T>();
    } else {
      static_assert(!kIsMinimal,
                    "tenure: a base class needs serialize, or save and load, not the minimal ones.");
      call_to_write<T>(writer, &value);
    }
  }
  static void read_from_frame(PayloadReader& reader, T& value) {
    if constexpr (kRefused<T> != Refused::no) {
      refuse_type<T>();
    } else {
      call_to_read<T>(reader, &value);
    }
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
