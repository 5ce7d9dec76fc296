#pragma once

#include "daemon_answer.hpp"

#include <string>

namespace tenure::cli {

// Of a worker process as the daemon tells of it: a pool's being quiet is shown as a state of its own.
[[nodiscard]] inline std::string worker_state(const json::Value& worker) {
  const std::string state = text_in(worker, "state");
  return state == "ready" && truth_in(worker, "quiet") ? "quiet" : state;
}

}  // namespace tenure::cli
