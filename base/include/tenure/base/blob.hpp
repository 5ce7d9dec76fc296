#pragma once

#include <cstddef>
#include <vector>

namespace tenure {

// Bytes that are no text: base64 in arguments, a blob in SQL.
struct Bytes {
  std::vector<std::byte> value;
  friend bool operator==(const Bytes&, const Bytes&) = default;
};

}  // namespace tenure
