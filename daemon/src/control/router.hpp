#pragma once

#include "controlled.hpp"
#include "request.hpp"

#include <cstdint>

namespace tenure::daemon::control {

// Who asks.
struct Asker {
  std::int64_t uid = 0;
  std::int64_t pid = 0;
};

// Answers requests, whatever they came by: it knows the daemon and no socket.
// Threads: the daemon's.
class Router {
 public:
  // `daemon` must outlive it.
  explicit Router(Controlled& daemon) : daemon_(daemon) {}

  [[nodiscard]] Response answer(const Request& request, const Asker& asker);

 private:
  Controlled& daemon_;
};

}  // namespace tenure::daemon::control
