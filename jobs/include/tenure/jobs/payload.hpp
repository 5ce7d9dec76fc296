#pragma once

#include <tenure/base/blob.hpp>
#include <tenure/queue/payload.hpp>

// What a type may say about how it stands in a payload, and what a payload is held against. No archive is needed to say
// it: these are the parts that a header with plain data includes.
namespace tenure {

// Declares which values of an enum there are: `static constexpr E first, last`, both included, without gaps between. An
// enum without it is no argument, since a number outside the set would be undefined behaviour in the handler.
template <class E>
struct EnumRange;

// Makes T a reference to a record. Specialise with `static std::string text(const T&)` and
// `static Result<T> from_text(std::string_view)`. It is written as {"$gid": TEXT}, and no other object decodes as T.
template <class T>
struct PayloadReference;

}  // namespace tenure
