#pragma once

#include <tenure/queue/types.hpp>

#include <optional>
#include <string>

namespace tenure::queue {

// What is changed of a job that waits; what is not given stays as it is.
struct JobChange {
  std::optional<std::string> queue = {};
  std::optional<Priority> priority = {};
  std::optional<WallTime> due = {};
};

}  // namespace tenure::queue
