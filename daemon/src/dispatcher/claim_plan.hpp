#pragma once

#include "kept_room.hpp"
#include "lanes.hpp"
#include "processes.hpp"
#include "remembered.hpp"
#include "usual_run_time.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/queue/store.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

// Which claims one round asks for: first the tenant, by fairness; then the process, by affinity. Each offer of a pool is
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
inline constexpr std::size_t kLongJobSlotsMin = 4;  // of the pool's processes with one offer, for that rule

// What a request of the plan has changed in the accounts, in the order of the requests.
struct PlannedClaim {
  std::size_t pool = 0;
  std::int64_t charged_us = 0;
};

class ClaimPlan {
 public:
  // All must outlive the plan. `usual` has one entry for each pool.
  ClaimPlan(const DispatcherSettings& settings, Lanes& lanes, Processes& processes,
            const std::vector<UsualRunTimes>& usual)
      : settings_(settings), lanes_(lanes), processes_(processes), usual_(usual) {}

  // Fills free slots, then the room ahead of busy ones, with at most `jobs_max` jobs. Of the requests only the tokens are left
  // open. The first one for each process gets a job whatever its size, so that no pool's big payloads keep another pool idle.
  [[nodiscard]] std::vector<queue::ClaimRequest> make(std::size_t jobs_max, Instant now);

  [[nodiscard]] const std::vector<PlannedClaim>& claims() const { return claims_; }
  // Takes back what make() charged and counted for one claim, all of it: the answer is counted anew.
  void undo(const PlannedClaim& claim, const queue::ClaimRequest& request);
  // After the answer to all of them, or after its failure.
  void clear();

 private:
  struct Visit {
    Ring::Standing standing;
    std::vector<queue::LaneCursor> kinds;
    std::chrono::microseconds usual{0};  // of the slowest of them
    std::size_t jobs_max = 0;            // of them, at once
  };
  struct Choice {
    Process* process = nullptr;
    std::size_t room = 0;
  };
  // The processes of one offer of one pool.
  struct Crew {
    std::size_t pool = 0;
    std::size_t offer = 0;
    [[nodiscard]] bool has(const Process& process) const {
      return process.pool == pool && process.offer == offer && process.takes_jobs();
    }
  };
  // Of a crew.
  struct Slots {
    std::size_t all = 0, free = 0;
  };
  void fill_slots(Crew crew, KeptRoom& kept, std::size_t& jobs_left);
  void fill_ahead(Crew crew, KeptRoom& kept, std::size_t& jobs_left);
  [[nodiscard]] std::optional<Visit> next_visit(Crew crew, const KeptRoom& kept, Slots slots);
  [[nodiscard]] Visit visit_at(Crew crew, const Ring::Standing& standing, std::chrono::microseconds usual_max,
                               Lanes::Ahead ahead) const;
  template <class Room>
  [[nodiscard]] Choice choose(Crew crew, TenantNumber tenant, Room&& room_of);
  void take(Visit&& visit, Process& process, std::size_t count);
  [[nodiscard]] std::size_t claim_for(Visit&& visit, Process& process);

  const DispatcherSettings& settings_;
  Lanes& lanes_;
  Processes& processes_;
  const std::vector<UsualRunTimes>& usual_;
  std::vector<PlannedClaim> claims_;
  std::vector<queue::ClaimRequest> requests_;  // while the plan is being made
  // Tenant, bucket, process, the first kind and how many: where its claim stands.
  std::map<std::tuple<TenantNumber, Bucket, ProcessNumber, queue::KindNumber, std::size_t>, std::size_t>
      index_;

  TENURE_REMEMBERS_BESIDE((settings, lanes, processes, usual), claims, requests, index)
};

// 1 to kQuantumJobs.
[[nodiscard]] std::size_t quantum(std::chrono::microseconds usual);

}  // namespace tenure::daemon
