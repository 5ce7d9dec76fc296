#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace tenure::cli {

// What stands on a screen: printable lines from its top.
struct Frame {
  std::vector<std::string> lines;
  std::optional<std::size_t> marked = {};  // the line that is chosen
  // The part of it that is: characters from its left.
  std::size_t marked_from = 0, marked_size = 0;
};

}  // namespace tenure::cli
