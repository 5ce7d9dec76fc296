#pragma once

#include <tenure/base/uuid.hpp>

#include <compare>
#include <string>

namespace tenure {

// Names a batch of jobs, for life. Arguments of jobs hold it as its text: a handler that adds to a batch, or a callback, is told so which one
// it is. Threads: values.
struct BatchId {
  Uuid uuid;
  friend auto operator<=>(const BatchId&, const BatchId&) = default;
  [[nodiscard]] std::string text() const { return uuid.text(); }
};

}  // namespace tenure
