#pragma once

#include "../observing/activity.hpp"

#include <tenure/base/error.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/daemon/process_status.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tenure::daemon::control {

// What a reload has brought.
struct Reloaded {
  std::vector<std::string> taken_over;
  std::vector<std::string> waiting;  // for the next start
  std::optional<Failure> refused;    // then nothing was taken over
};

struct WorkerView {
  ProcessStatus status;
  std::int64_t pid = 0;
  std::string program_version;  // empty before its hello
};

struct DaemonView {
  std::int64_t pid = 0;
  std::string node;
  std::string holder;       // who dispatches, where this one stands by; else empty
  bool can_replace = true;  // its worker processes by others
  DispatcherStatus status;
  std::vector<PoolStatus> pools;
  std::vector<WorkerView> workers;
  Now now;
};

// The daemon as the control socket sees it: one that dispatches, or one that stands by.
// Threads: the one that runs the daemon's loop.
class Controlled {
 public:
  virtual ~Controlled() = default;
  [[nodiscard]] virtual DaemonView view() const = 0;
  // Of one that stands by there is none.
  [[nodiscard]] virtual Activity::View activity() const = 0;
  [[nodiscard]] virtual std::vector<PoolTurn> turns(const queue::Lane& lane, std::int64_t ahead) const = 0;
  // Carried out when it returns. Not to be called of one that stands by.
  virtual void ask(Event event) = 0;
  virtual Reloaded reload() = 0;
};

}  // namespace tenure::daemon::control
