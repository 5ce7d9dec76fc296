#pragma once

#include "../journal/keeper.hpp"
#include "../observing/activity.hpp"

#include <tenure/base/error.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/daemon/process_status.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tenure::daemon::control {

// Worker processes of one pool for which others come.
struct Replaced {
  std::string pool;
  std::int64_t processes = 0;
  bool is_new_program = false;  // its file is another one; else only what they have read is different
};

// What a reload has brought.
struct Reloaded {
  std::vector<std::string> taken_over;
  std::vector<std::string> waiting;  // for the next start
  std::vector<Replaced> replaced = {};
  std::optional<Failure> refused = {};  // then nothing was taken over
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
  std::vector<std::string> waiting = {};  // settings that wait for the next start, as of the last reload
};

struct JournalView {
  std::size_t size = 0;  // bytes of memory; 0: none is kept
  journal::Dump dump;    // the last one
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
  // Begins a file of the dispatcher's journal, and tells how far the last one is. Not to be called of one that stands by.
  virtual journal::Dump dump_journal() { return {}; }
  [[nodiscard]] virtual JournalView journal() const { return {}; }
};

}  // namespace tenure::daemon::control
