#pragma once

#include "lanes.hpp"
#include "processes.hpp"
#include "usual_run_time.hpp"

#include <tenure/queue/store.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

// Which claims one round asks for: first the tenant, by fairness; then the process, by affinity. Each program of a pool is
// planned for by itself, since a claim may name only kinds that its process performs. What is planned is charged
// and counted as outstanding at once, so that each visit sees the ones before it; the answer puts it right.
namespace tenure::daemon {

// One visit takes at most so much of one tenant.
inline constexpr std::size_t kQuantumJobs = 16;
inline constexpr std::chrono::microseconds kQuantumTime{50'000};
// Bytes of envelopes that one round claims.
inline constexpr std::size_t kRoundBytesMax = 8U << 20U;
// Jobs of a kind that usually runs longer never take the last free slot where their tenant runs already.
inline constexpr std::chrono::microseconds kLongJob{1'000'000};
inline constexpr std::size_t kLongJobSlotsMin = 4;  // of the pool's processes of one program, for that rule

struct PlannedClaim {
  std::size_t pool = 0;
  Ring::Place place;
  queue::ClaimRequest request;
  std::int64_t charged_us = 0;
};

class ClaimPlan {
 public:
  // All must outlive the plan. `usual` has one entry for each pool.
  ClaimPlan(Lanes& lanes, Processes& processes, const std::vector<UsualRunTimes>& usual)
      : lanes_(lanes), processes_(processes), usual_(usual) {}

  // Fills free slots, then the room ahead of busy ones, with at most `jobs_max` jobs. The requests carry counters from
  // `counter` on, which is raised. The first one for each process gets a job whatever its size, so that no pool's big payloads
  // keep another pool idle.
  void make(std::size_t pools, std::size_t jobs_max, queue::Incarnation incarnation, std::int64_t& counter);

  [[nodiscard]] const std::vector<PlannedClaim>& claims() const { return claims_; }
  // Takes back what make() charged and counted for one claim, all of it: the answer is counted anew.
  void undo(const PlannedClaim& claim);
  void clear();

 private:
  struct Visit {
    Ring::Place place;
    std::vector<queue::LaneCursor> kinds;
    std::chrono::microseconds usual{0};  // of the slowest of them
  };
  struct Choice {
    Process* process = nullptr;
    std::size_t room = 0;
  };
  // One program of one pool.
  struct Crew {
    std::size_t pool = 0;
    std::size_t program = 0;
    [[nodiscard]] bool has(const Process& process) const {
      return process.pool == pool && process.program == program && process.takes_jobs();
    }
  };
  void fill_slots(Crew crew, std::size_t& jobs_left);
  void fill_ahead(Crew crew, std::size_t& jobs_left);
  [[nodiscard]] std::optional<Visit> next_visit(Crew crew, bool is_last_slot);
  [[nodiscard]] Visit visit_at(Crew crew, const Ring::Place& place, bool without_long) const;
  template <class Room>
  [[nodiscard]] Choice choose(Crew crew, TenantNumber tenant, Room&& room_of);
  void take(Visit&& visit, Process& process, std::size_t count);
  [[nodiscard]] PlannedClaim& claim_for(Visit&& visit, const Process& process);

  Lanes& lanes_;
  Processes& processes_;
  const std::vector<UsualRunTimes>& usual_;
  std::vector<PlannedClaim> claims_;
  // Tenant, bucket, process and how many kinds: where its claim stands.
  std::map<std::tuple<TenantNumber, BucketKey, ProcessNumber, std::size_t>, std::size_t> index_;
};

// 1 to kQuantumJobs.
[[nodiscard]] std::size_t quantum(std::chrono::microseconds usual);

}  // namespace tenure::daemon
