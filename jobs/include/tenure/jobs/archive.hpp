#pragma once

#include <tenure/jobs/detail/archives.hpp>
#include <tenure/jobs/detail/container_codecs.hpp>
#include <tenure/jobs/detail/scalar_codecs.hpp>
#include <tenure/jobs/detail/user_codec.hpp>
#include <tenure/jobs/payload.hpp>

// Arguments as JSON text. Types describe themselves with ordinary cereal functions (serialize, save and load, the minimal
// ones, private through cereal::access); PayloadWriter and PayloadReader are the archives. Known besides user types: bool,
// integers, float, double, std::string, Bytes, enums with an EnumRange, std::chrono durations and sys_time (nanoseconds),
// std::optional, vector, deque, list, array, set, map and their unordered kin, pair, tuple, variant, and references.
// All else does not compile (pointers, polymorphic types, raw bytes, the rest of the standard library, members without a
// name), and the message names the remedy.
//
// Fields are objects' members. One that the type lacks is skipped and counted; an absent std::optional is nullopt; any
// other absent field is refused, unless it is written with optional_field(). So a type may grow while payloads wait.
//
// Only tenure::Error leaves: BadPayload whose message begins with one word for the reason and whose `where` is a path
// (`$.lines[3].amount`); PayloadTooLarge; or whatever PayloadContext::check says. Threads: each call is on its own.
namespace tenure {

// `value` as JSON. The same value gives the same bytes: keys, sets and maps are sorted. Besides the errors of its parts:
// NotANumber for NaN and infinity, BadText for a string that is no UTF-8, OutOfRange for an enum outside its set.
template <class T>
[[nodiscard]] std::string encode_arguments(const T& value, PayloadContext& context,
                                           const PayloadLimits& limits = {}) {
  PayloadWriter writer(context, limits);
  return writer.write_root(&value, [](PayloadWriter& to, const void* root) {
    detail::Codec<T>::write(to, *static_cast<const T*>(root));
  });
}

// The value that `text` says. The whole text is checked before the first field is looked at, and memory grows only with
// bytes that are there. `unknown_fields`, unless null, is how many fields the type lacks.
template <class T>
[[nodiscard]] T decode_arguments(std::string_view text, PayloadContext& context,
                                 const PayloadLimits& limits = {}, std::size_t* unknown_fields = nullptr) {
  PayloadReader reader(text, context, limits);
  T value = reader.read_root<T>();
  if (unknown_fields != nullptr) *unknown_fields = reader.unknown_fields();
  return value;
}

// A field that older payloads lack: absent, it keeps the value that the type's constructor gave it.
// `archive(tenure::optional_field(CEREAL_NVP(priority)))`
template <class T>
[[nodiscard]] OptionalField<T> optional_field(cereal::NameValuePair<T>&& pair) {
  return {pair.name, pair.value};
}

}  // namespace tenure
