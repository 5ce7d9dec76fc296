#pragma once

#include "processes.hpp"
#include "remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/daemon/dispatcher.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

// Worker processes that make room for others without interrupting a job: their program or settings are new, or they have performed
// enough, or have grown too large. One at a time in each pool: the successor is started beside the former one, which is
// drained once that has said hello. So no slot is missed, and a program that does not start takes nobody's place.
namespace tenure::daemon {

class Replacements {
 public:
  // Both must outlive it.
  Replacements(const DispatcherSettings& settings, Processes& processes)
      : settings_(settings), processes_(processes), under_way_(settings.pools.size()) {}

  // Every process of the pools that are new, or of a program that was replaced, in the order of their numbers.
  void reloaded(const Reconfigured& settings);
  // Whether it has performed enough, or has grown too large (`memory` in bytes, 0: not known).
  void look_at(const Process& process, std::int64_t memory = 0);
  // It asks to be drained, or an operator does, and that waits for no turn.
  void leaves(Process& process, Instant now, Actions& actions);
  void drain(Process& process, std::int64_t uid, Instant now, Actions& actions);
  // An operator wants others in the places of all processes, or of those of one pool.
  void recycle(const RecycleAsked& event);
  // It has said hello: those whose place it takes are drained.
  void came(const Process& successor, Actions& actions);
  void tick(Instant now, Actions& actions);

 private:
  struct Wanted {
    ProcessNumber process;
    Note::Level level = Note::Level::info;
    std::string because;
  };
  void leave_now(Process& process, Note&& note, Instant now, Actions& actions);
  void want(ProcessNumber process, Note::Level level, std::string because);
  [[nodiscard]] bool is_busy(std::size_t pool);
  void begin(Process& former, const Wanted& wanted, Instant now, Actions& actions);

  const DispatcherSettings& settings_;
  Processes& processes_;
  std::deque<Wanted> wanted_;
  std::vector<std::optional<ProcessNumber>>
      under_way_;  // of each pool, whose successor has not said hello yet

  TENURE_REMEMBERS_BESIDE((settings, processes), wanted, under_way)
};

}  // namespace tenure::daemon
