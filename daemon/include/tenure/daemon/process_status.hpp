#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/queue/pool.hpp>
#include <tenure/queue/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What the dispatcher knows of pools and worker processes, as values for those who only look.
namespace tenure::daemon {

using queue::ProcessNumber;

// Of a worker process.
enum class Phase : std::uint8_t {
  starting,  // no hello yet
  ready,
  leaving,  // takes nothing more
};
// The end of a sentence: "takes jobs".
[[nodiscard]] std::string_view phase_text(Phase phase);

// An operator has asked that nothing more is claimed for a pool.
struct Quiet {
  WallTime since;
  std::int64_t uid = 0;  // who
  friend bool operator==(const Quiet&, const Quiet&) = default;
};

struct PoolStatus {
  std::string name;
  std::optional<Quiet> quiet = {};
  std::vector<queue::ReservedSlots> reserved = {};
};

// A job that a process was given and that has not ended.
struct HeldJob {
  queue::JobId id;
  std::string tenant;  // empty: untenanted
  std::string kind;    // empty where the dispatcher has not met its name
  // Performing, since no later than that; nothing: assigned ahead.
  std::optional<Instant> since;
};

struct ProcessStatus {
  ProcessNumber number;
  std::size_t pool = 0;
  Phase phase = Phase::starting;
  bool is_replaced = false;    // another one takes its place, or nobody
  std::int64_t slots = 0;      // that are used
  std::int64_t performed = 0;  // jobs that have ended in it
  std::int64_t memory = 0;     // bytes, resident, as of its last pong; 0: not known
  Instant started;
  std::vector<HeldJob> jobs;  // in the order of their assignment
};

// Tenants that are looked at for a turn.
inline constexpr std::int64_t kTurnTenantsMax = 1'000;

// How a job stands in the fair order of a pool.
struct PoolTurn {
  std::size_t pool = 0;
  std::int64_t slots = 0;  // of its processes that take jobs and perform the kind
  std::int64_t busy = 0;
  std::int64_t tenants_before = 0;  // whose turn comes first; at most kTurnTenantsMax
  bool is_capped = false;           // there are more
  // Until it starts, if all goes on as usual; nothing where nobody can tell.
  std::optional<std::chrono::microseconds> expected = {};
};

struct CrewStatus {
  std::vector<PoolStatus> pools;         // as configured
  std::vector<ProcessStatus> processes;  // in the order of their numbers
};

}  // namespace tenure::daemon
