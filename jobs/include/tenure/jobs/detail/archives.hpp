#pragma once

#include <tenure/jobs/detail/never.hpp>
#include <tenure/jobs/detail/payload_input.hpp>
#include <tenure/jobs/detail/payload_output.hpp>

#include <cereal/cereal.hpp>

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>

namespace tenure {

// Made by optional_field().
template <class T>
struct OptionalField {
  const char* name;
  T value;  // a reference

  // For archives of other makers, to which it is a field like any other.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(cereal::make_nvp(name, value));
  }
};

namespace detail {

// How values of a type stand in a payload: `write(PayloadWriter&, const T&)` and
// `read(PayloadReader&, const json::Value&, T&)`. Unless specialised, T is a user type.
template <class T>
struct Codec;

// The codec of user types, which is also that of types with no codec at all.
template <class T>
concept HasUserCodec = requires {
  typename Codec<T>::OfUserType;
};

template <class T>
concept IsReference = requires(const T& value, std::string_view text) {
  { PayloadReference<T>::text(value) } -> std::convertible_to<std::string>;
  { PayloadReference<T>::from_text(text) } -> std::same_as<Result<T>>;
};

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

template <class T, template <class> class Wrapper>
inline constexpr bool kIsA = false;
template <class T, template <class> class Wrapper>
inline constexpr bool kIsA<Wrapper<T>, Wrapper> = true;

// Does not compile; one sentence says why T is no argument, and what to do.
template <class T>
constexpr void refuse_type();

// What cereal wraps a value in, besides the wrappers that stand for members.
template <class T>
inline constexpr bool kIsForeignWrapper = kIsA<T, cereal::BinaryData> || kIsA<T, cereal::DeferredData> ||
                                          kIsA<T, cereal::virtual_base_class> || kIsA<T, cereal::SizeTag>;

template <class T>
constexpr void refuse_member() {
  if constexpr (kIsForeignWrapper<T>) {
    refuse_type<T>();
  } else {
    static_assert(kNever<T>,
                  "tenure: each member needs its name, archive(CEREAL_NVP(member)), for without names two "
                  "that change places would swap their values in the jobs that wait.");
  }
}

template <class Base>
constexpr void refuse_base() {
  static_assert(kNever<Base>,
                "tenure: this base class has no fields that could stand beside others. Make it a member, or "
                "name it: cereal::make_nvp(\"base\", cereal::base_class<Base>(this)).");
}

template <class T>
constexpr void refuse_constant() {
  static_assert(kNever<T>,
                "tenure: a const or volatile member is no argument, for the payload is read into it.");
}

}  // namespace detail

// Writes one payload. Users meet it as the `Archive&` of their serialize functions.
class PayloadWriter final : public cereal::OutputArchive<PayloadWriter, cereal::AllowEmptyClassElision>,
                            public cereal::traits::TextArchive {
 public:
  PayloadWriter(PayloadContext& context, const PayloadLimits& limits)
      : OutputArchive(this), output_(context, limits) {}

  // Hides cereal's operators, and with them its own ways of writing.
  template <class... T>
  PayloadWriter& operator()(T&&... fields) {
    TENURE_INVARIANT(frame_ != nullptr);
    (process_one(fields), ...);
    return *this;
  }
  template <class T>
  PayloadWriter& operator&(T&& field) {
    return (*this)(field);
  }
  template <class T>
  PayloadWriter& operator<<(T&& field) {
    return (*this)(field);
  }

  // User types come as a pointer and a function of a plain signature: a callable of its own for each of them is most
  // of what a program with many kinds would compile.
  using Write = void (*)(PayloadWriter&, const void* value);

  [[nodiscard]] std::string write_root(const void* value, Write write_value);

  // For codecs.
  [[nodiscard]] detail::PayloadOutput& output() { return output_; }
  void write_fields(const void* value, Write user_code);

 private:
  template <class T>
  void process_one(T& head) {
    using Head = std::remove_cv_t<T>;
    if constexpr (detail::kIsA<Head, cereal::NameValuePair>) {
      write_field(head.name, head.value);
    } else if constexpr (detail::kIsA<Head, OptionalField>) {
      frame_->field(head.name, [&] { write(head.value); });
    } else if constexpr (detail::kIsA<Head, cereal::base_class>) {
      write_base(*head.base_ptr);
    } else {
      detail::refuse_member<Head>();
    }
  }

  template <class T>
  void write(const T& value) {
    detail::Codec<std::remove_cv_t<T>>::write(*this, value);
  }

  template <class T>
  void write_field(const char* name, const T& value) {
    if constexpr (detail::kIsOptional<T>) {
      if (!value) return;
    }
    frame_->field(name, [&] { write(value); });
  }

  template <class T>
  void write_base(const T& base) {
    if constexpr (detail::HasUserCodec<T>) {
      detail::Codec<T>::write_into_frame(*this, base);
    } else {
      detail::refuse_base<T>();
    }
  }

  detail::PayloadOutput output_;
  detail::OutputFrame* frame_ = nullptr;
};

// Reads one payload.
class PayloadReader final : public cereal::InputArchive<PayloadReader, cereal::AllowEmptyClassElision>,
                            public cereal::traits::TextArchive {
 public:
  PayloadReader(std::string_view text, PayloadContext& context, const PayloadLimits& limits)
      : InputArchive(this), input_(text, context, limits) {}

  template <class... T>
  PayloadReader& operator()(T&&... fields) {
    TENURE_INVARIANT(frame_ != nullptr);
    (process_one(fields), ...);
    return *this;
  }
  template <class T>
  PayloadReader& operator&(T&& field) {
    return (*this)(field);
  }
  template <class T>
  PayloadReader& operator>>(T&& field) {
    return (*this)(field);
  }

  using Read = void (*)(PayloadReader&, void* value);

  template <class T>
  [[nodiscard]] T read_root() try {
    return read_new<T>(input_.root());
  } catch (...) {
    rethrow_at_root();
  }

  // Fields of the payload, at any depth, that the types which were read do not have.
  [[nodiscard]] std::size_t unknown_fields() const { return input_.unknown_fields; }

  // For codecs.
  [[nodiscard]] detail::PayloadInput& input() { return input_; }

  template <class T>
  [[nodiscard]] T read_new(const json::Value& at) {
    if constexpr (detail::IsReference<T>) {
      return detail::Codec<T>::read_new(*this, at);
    } else {
      static_assert(std::is_default_constructible_v<T>,
                    "tenure: an argument type needs a public default constructor (cereal::access does not "
                    "help it to a private one), for it is made first and read then.");
      static_assert(std::is_move_constructible_v<T>,
                    "tenure: an argument type must be movable, for what was read is handed on.");
      T value{};
      read(at, value);
      return value;
    }
  }

  template <class T>
  void read(const json::Value& at, T& value) {
    if constexpr (std::is_const_v<T> || std::is_volatile_v<T>) {
      detail::refuse_constant<T>();
    } else {
      detail::Codec<T>::read(*this, at, value);
    }
  }

  void read_fields(const json::Value& at, void* value, Read user_code);

 private:
  [[noreturn]] static void rethrow_at_root();

  template <class T>
  void process_one(T& head) {
    using Head = std::remove_cv_t<T>;
    if constexpr (detail::kIsA<Head, cereal::NameValuePair>) {
      read_field(head.name, head.value);
    } else if constexpr (detail::kIsA<Head, OptionalField>) {
      if (const auto at = frame_->field(head.name)) read(*at, head.value);
    } else if constexpr (detail::kIsA<Head, cereal::base_class>) {
      read_base(*head.base_ptr);
    } else {
      detail::refuse_member<Head>();
    }
  }

  template <class T>
  void read_field(const char* name, T& value) {
    if constexpr (detail::kIsOptional<T>) {
      const auto at = frame_->field(name);
      if (at) return read(*at, value);
      value.reset();
    } else {
      read(frame_->required(name), value);
    }
  }

  template <class T>
  void read_base(T& base) {
    if constexpr (detail::HasUserCodec<T>) {
      detail::Codec<T>::read_from_frame(*this, base);
    } else {
      detail::refuse_base<T>();
    }
  }

  detail::PayloadInput input_;
  detail::InputFrame* frame_ = nullptr;
};

}  // namespace tenure

CEREAL_SETUP_ARCHIVE_TRAITS(tenure::PayloadReader, tenure::PayloadWriter)
