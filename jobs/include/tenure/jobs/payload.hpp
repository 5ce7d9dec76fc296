#pragma once

#include <tenure/base/error.hpp>
#include <tenure/base/limits.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// What a type may say about how it stands in a payload, and what a payload is held against. No archive is needed to say
// it: these are the parts that a header with plain data includes.
namespace tenure {

// Bytes that are no text, written as base64.
struct Bytes {
  std::vector<std::byte> value;
  friend bool operator==(const Bytes&, const Bytes&) = default;
};

// Declares which values of an enum there are: `static constexpr E first, last`, both included, without gaps between. An
// enum without it is no argument, since a number outside the set would be undefined behaviour in the handler.
template <class E>
struct EnumRange;

// Makes T a reference to a record. Specialise with `static std::string text(const T&)` and
// `static Result<T> from_text(std::string_view)`. It is written as {"$gid": TEXT}, and no other object decodes as T.
template <class T>
struct PayloadReference;

// What the references of a payload are held against. The check comes before anything is made of the text, when writing
// and when reading; its failure leaves the archive with its own code, and the path of the field as `where`.
class PayloadContext {
 public:
  virtual ~PayloadContext() = default;
  [[nodiscard]] virtual Result<void> check(std::string_view gid) = 0;
};

// Limits of one payload; at most limits::kPayloadMax bytes, whatever is said here.
struct PayloadLimits {
  std::size_t bytes_max = limits::kPayloadDefault;
  std::size_t depth_max = limits::kDepthMax;        // objects, arrays and user types inside one another
  std::size_t elements_max = limits::kElementsMax;  // fields and elements, all containers together
  std::size_t string_max = limits::kPayloadMax;     // bytes of one string or key
};

// Between an application and its handlers the store says how much a job may carry (`store.payload_max`), and what it has taken is read.
inline constexpr PayloadLimits kLimitsOfStored{.bytes_max = limits::kPayloadMax};

}  // namespace tenure
