#pragma once

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

template <class>
inline constexpr bool kNever = false;

// What may stand in a serialize function but not in a payload.
template <class T>
constexpr void refuse_wrapper() {
  static_assert(
      !kIsA<T, cereal::BinaryData>,
      "tenure: raw bytes of memory are no argument, for their layout and padding belong to one build of one "
      "program. Use tenure::Bytes for bytes, and serialize the members of a struct.");
  static_assert(!kIsA<T, cereal::DeferredData>,
                "tenure: cereal::defer orders pointers, and pointers are no arguments. Serialize the values "
                "themselves.");
  static_assert(
      !kIsA<T, cereal::virtual_base_class>,
      "tenure: cereal::virtual_base_class is not supported. Use cereal::base_class once, or a member.");
}

}  // namespace detail

// Writes one payload. Users meet it as the `Archive&` of their serialize functions.
class PayloadWriter final : public cereal::OutputArchive<PayloadWriter, cereal::AllowEmptyClassElision> {
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
    detail::refuse_wrapper<Head>();
    if constexpr (detail::kIsA<Head, cereal::NameValuePair>) {
      write_field(head.name, head.value);
    } else if constexpr (detail::kIsA<Head, OptionalField>) {
      frame_->field(head.name, [&] { write(head.value); });
    } else if constexpr (detail::kIsA<Head, cereal::SizeTag>) {
      frame_->become_array(static_cast<std::uint64_t>(head.size));
    } else if constexpr (detail::kIsA<Head, cereal::base_class>) {
      write_base(*head.base_ptr);
    } else {
      frame_->unnamed([&] { write(head); });
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
    detail::Codec<T>::write_into_frame(*this, base);
  }

  detail::PayloadOutput output_;
  detail::OutputFrame* frame_ = nullptr;
};

// Reads one payload.
class PayloadReader final : public cereal::InputArchive<PayloadReader, cereal::AllowEmptyClassElision> {
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
      static_assert(
          std::is_default_constructible_v<T>,
          "tenure: an argument type needs a default constructor, for it is made first and read then.");
      T value{};
      read(at, value);
      return value;
    }
  }

  template <class T>
  void read(const json::Value& at, T& value) {
    detail::Codec<T>::read(*this, at, value);
  }

  void read_fields(const json::Value& at, void* value, Read user_code);

 private:
  [[noreturn]] static void rethrow_at_root();

  template <class T>
  void process_one(T& head) {
    detail::refuse_wrapper<T>();
    if constexpr (detail::kIsA<T, cereal::NameValuePair>) {
      read_field(head.name, head.value);
    } else if constexpr (detail::kIsA<T, OptionalField>) {
      if (const auto at = frame_->field(head.name)) read(*at, head.value);
    } else if constexpr (detail::kIsA<T, cereal::SizeTag>) {
      head.size = static_cast<std::remove_cvref_t<decltype(head.size)>>(frame_->become_array());
    } else if constexpr (detail::kIsA<T, cereal::base_class>) {
      read_base(*head.base_ptr);
    } else {
      read(frame_->unnamed(), head);
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
    detail::Codec<T>::read_from_frame(*this, base);
  }

  detail::PayloadInput input_;
  detail::InputFrame* frame_ = nullptr;
};

}  // namespace tenure

CEREAL_SETUP_ARCHIVE_TRAITS(tenure::PayloadReader, tenure::PayloadWriter)
