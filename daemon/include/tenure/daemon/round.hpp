#pragma once

#include <tenure/queue/store.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// What the dispatcher asks of the store: everything that queued up while the last commit ran, as one commit.
namespace tenure::daemon {

// How a claim ends. `claim` names it; the verbs are those of queue::StoreWriter.
struct EndSucceeded {};
struct EndRetry {
  WallTime due{};
  queue::AttemptFailure failure;
};
struct EndFinal {
  queue::JobState state = queue::JobState::dead;
  queue::JobReason reason = queue::JobReason::none;
  queue::AttemptFailure failure;
};
struct EndRelease {
  bool started = false;
  queue::AttemptFailure why;  // of a started one
};
struct EndBlock {
  queue::JobReason reason = queue::JobReason::envelope_newer;
};
struct EndReclaim {
  queue::CrashCharge charge = queue::CrashCharge::none;
  queue::AttemptFailure failure;
};
struct ClaimEnd {
  queue::ClaimRef claim;
  std::variant<EndSucceeded, EndRetry, EndFinal, EndRelease, EndBlock, EndReclaim> how;
};

// A dispatcher's first act: a new incarnation, made durable before anything is claimed.
struct OpenIncarnation {
  std::string node;
  std::int64_t pid = 0;
};

// The next page of the blocked jobs: those behind `after`.
struct Unblock {
  queue::JobReason reason = queue::JobReason::envelope_newer;
  queue::JobSeq after;
};

// What one commit shall do, in this order; parts that are not asked for stay empty.
struct RoundWork {
  std::optional<OpenIncarnation> open;
  std::vector<ClaimEnd> ends;
  // Takes back claims of incarnations before this one, at most so many.
  std::optional<queue::Incarnation> reclaim_before;
  bool promote = false;
  // Makes jobs ready that were blocked for that reason: a worker has come that may know better.
  std::optional<Unblock> unblock;
  bool take_hints = false;
  std::optional<queue::JobSeq> arrivals_after;
  // The scan of all lanes at the start; the inner nothing begins it.
  std::optional<std::optional<queue::Lane>> lanes_after;
  // Each says how much it may take at most; together, in their order, they take no more than claims_bytes_max. Only the first job
  // of a request that says so (first_of_any_size) may pass that.
  std::vector<queue::ClaimRequest> claims;
  std::size_t claims_bytes_max = std::numeric_limits<std::size_t>::max();
  std::vector<TenantNumber> tenant_states;
  std::vector<queue::QueueNumber> queue_names;
  std::vector<queue::KindNumber> kind_names;
  // Whether the reply says how the store's change counter stands.
  bool count_changes = false;
  // Of a look that only time asked for: where the store's change counter is still this one, no other process has written and
  // nothing of the round is done. Only beside count_changes, take_hints, arrivals_after and tenant_states.
  std::optional<std::int64_t> unless_changed_since;

  [[nodiscard]] bool is_empty() const;
  // Opening is durable; everything else here may be undone by a power cut, and is then done again.
  [[nodiscard]] queue::Durability durability() const;
};

// The answers, part by part as asked.
struct RoundReply {
  std::optional<queue::Incarnation> incarnation;
  // In the order of `ends`, the state that the job has now; an error is ClaimLost.
  std::vector<Result<queue::JobState>> ends;
  std::vector<queue::JobArrival> reclaimed;
  std::vector<queue::JobArrival> promoted;
  std::vector<queue::JobArrival> unblocked;
  std::vector<queue::JobArrival> hinted;
  std::vector<queue::JobArrival> arrived;
  std::vector<queue::Lane> lanes;
  queue::JobSeq last_seq;
  std::vector<queue::ClaimReply> claims;
  std::map<TenantNumber, TenantState> tenant_states;
  std::map<queue::QueueNumber, std::string> queue_names;
  std::map<queue::KindNumber, std::string> kind_names;
  // When the next scheduled job is due. Answered where `promote` or `arrivals_after` asks, nothing where there is none.
  std::optional<WallTime> next_due;
  // Where `count_changes` asks. Read before everything else, so that whatever was written since shows at the next look.
  std::int64_t change_counter = 0;
  bool was_unchanged = false;
};

// Rows that one round reads or changes at most, for each part.
inline constexpr std::size_t kRoundRowsMax = 1000;

// Carries a round out. Throws what the store throws; then nothing of it has happened.
[[nodiscard]] RoundReply run_round(queue::Store& store, const RoundWork& work, WallTime now);

}  // namespace tenure::daemon
