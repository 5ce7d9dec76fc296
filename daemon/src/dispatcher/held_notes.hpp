#pragma once

#include "lanes.hpp"
#include "remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/daemon/dispatcher.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Tells an operator of ready jobs that nobody performs: once for each kind without a handler and each queue without a pool, within a
// minute, and again after an hour; and once of a queue without a pool to which a kind's jobs would go. Of a pool without a worker it says nothing: why none comes is said where it is started.
namespace tenure::daemon {

inline constexpr std::chrono::seconds kHeldLook{15};  // between two looks, while some lane may be held
inline constexpr std::chrono::seconds kHeldToldAfter{
    15};                                                // by then a rolling restart has brought the handler
inline constexpr std::chrono::hours kHeldNotePause{1};  // between two notes of the same kind or queue
inline constexpr std::size_t kHeldNotesMax = 20;        // of one look; further ones wait for the next

class HeldNotes {
 public:
  // They must outlive it.
  explicit HeldNotes(const DispatcherSettings& settings) : settings_(settings) {}

  // A worker process has come, whose kinds go to these queues by default: tells of each that no pool lists, once.
  void came(const std::vector<std::string>& default_queues, const Lanes& lanes, Actions& actions);
  void tick(Lanes& lanes, Instant now, Actions& actions);
  // When tick() looks again; nothing where no lane may be held.
  [[nodiscard]] const std::optional<Instant>& next_at() const { return look_at_; }

 private:
  using Key =
      std::pair<queue::JobReason,
                std::string>;  // of kind_unknown and schema_behind the kind, of queue_without_pool the queue
  struct Entry {
    std::optional<Instant> since;  // held at every look since; nothing: not held any more
    std::optional<Instant> told;
  };
  [[nodiscard]] std::string_view who_does_not_list_it() const;
  [[nodiscard]] Note note_of(const HeldLane& lane) const;
  void look(const std::vector<HeldLane>& held, Instant now, Actions& actions);
  void forget(const std::map<Key, const HeldLane*>& held, Instant now);

  const DispatcherSettings& settings_;
  std::map<Key, Entry> entries_;
  std::set<std::string> told_defaults_;
  std::optional<Instant> look_at_;

  TENURE_REMEMBERS_BESIDE((settings), entries, told_defaults, look_at)
};

}  // namespace tenure::daemon
