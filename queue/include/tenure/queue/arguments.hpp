#pragma once

#include <tenure/base/json.hpp>
#include <tenure/queue/payload.hpp>

#include <string>
#include <string_view>

// The text of arguments, for whoever knows no type of them (docs/formats/arguments.md). Only tenure::Error leaves, whose `where` is
// a path: BadPayload, PayloadTooLarge, or what the context says of an id. Threads: each call is on its own.
namespace tenure::queue {

// A text that has passed every check which needs no type: size, JSON, depth, elements, strings, keys that stand there twice.
[[nodiscard]] json::Document checked_arguments(std::string_view text, const PayloadLimits& limits);

// The text that a type with these values is written as, every id in it checked: no white space, keys in order. Elements keep their
// places, since only a type knows which of them are a set.
[[nodiscard]] std::string canonical_arguments(std::string_view text, PayloadContext& context,
                                              const PayloadLimits& limits);
// The same of a value that has been read, with its depth checked.
[[nodiscard]] std::string canonical_arguments(const json::Value& value, PayloadContext& context,
                                              const PayloadLimits& limits);

}  // namespace tenure::queue
