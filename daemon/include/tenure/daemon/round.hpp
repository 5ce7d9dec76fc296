#pragma once

#include <tenure/daemon/round_part.hpp>
#include <tenure/daemon/rounds/blocked_jobs.hpp>
#include <tenure/daemon/rounds/cancel_requests.hpp>
#include <tenure/daemon/rounds/captures.hpp>
#include <tenure/daemon/rounds/claims.hpp>
#include <tenure/daemon/rounds/due_jobs.hpp>
#include <tenure/daemon/rounds/ends.hpp>
#include <tenure/daemon/rounds/expired_jobs.hpp>
#include <tenure/daemon/rounds/fan_outs.hpp>
#include <tenure/daemon/rounds/far_retries.hpp>
#include <tenure/daemon/rounds/former_claims.hpp>
#include <tenure/daemon/rounds/free_keys.hpp>
#include <tenure/daemon/rounds/lane_hints.hpp>
#include <tenure/daemon/rounds/lane_scan.hpp>
#include <tenure/daemon/rounds/limits.hpp>
#include <tenure/daemon/rounds/lone_claims.hpp>
#include <tenure/daemon/rounds/names.hpp>
#include <tenure/daemon/rounds/new_jobs.hpp>
#include <tenure/daemon/rounds/next_due.hpp>
#include <tenure/daemon/rounds/next_expiry.hpp>
#include <tenure/daemon/rounds/opening.hpp>
#include <tenure/daemon/rounds/outbox_rows.hpp>
#include <tenure/daemon/rounds/outbox_sync.hpp>
#include <tenure/daemon/rounds/overlaps.hpp>
#include <tenure/daemon/rounds/passed_turns.hpp>
#include <tenure/daemon/rounds/pauses.hpp>
#include <tenure/daemon/rounds/pools.hpp>
#include <tenure/daemon/rounds/refusals.hpp>
#include <tenure/daemon/rounds/run_news.hpp>
#include <tenure/daemon/rounds/schedules.hpp>
#include <tenure/daemon/rounds/schemas.hpp>
#include <tenure/daemon/rounds/starts.hpp>
#include <tenure/daemon/rounds/suspect_news.hpp>
#include <tenure/daemon/rounds/suspects.hpp>
#include <tenure/daemon/rounds/tenant_news.hpp>
#include <tenure/daemon/rounds/tenant_states.hpp>
#include <tenure/daemon/rounds/ticks.hpp>
#include <tenure/daemon/rounds/trials.hpp>
#include <tenure/daemon/rounds/visits.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>

// What the dispatcher asks of the store: everything that queued up while the last commit ran, as one commit. A plain value goes
// in and a plain value comes out; what a part of it is, and how one is added, says round_part.hpp.
namespace tenure::daemon {

template <class... Parts>
struct PartList {
  static_assert((CheckedPart<Parts>::kIsWhole && ...));
  using Asks = std::tuple<std::optional<typename Parts::Ask>...>;
  using Answers = std::tuple<std::optional<typename Parts::Answer>...>;
  // fn.template operator()<Part>() for each part, in order.
  template <class Function>
  static void for_each(Function&& fn) {
    (fn.template operator()<Parts>(), ...);
  }
  // The place of a part in the list.
  template <class Part>
  static constexpr std::size_t index() {
    static_assert((std::same_as<Part, Parts> || ...), "tenure: this part is not in the list of the round");
    std::size_t place = 0;
    bool is_found = false;
    ((is_found = is_found || std::same_as<Part, Parts>, place += is_found ? 0 : 1), ...);
    return place;
  }
};

// In the order in which they are asked, carried out and absorbed. Ends come before claims, so that what is given back can be
// claimed at once; whatever makes lanes known comes before what is claimed from them.
using RoundParts =
    PartList<OpeningPart, RunNewsPart, OutboxRowsPart, OutboxSyncPart, EndsPart, RefusalsPart,
             SuspectNewsPart, FormerClaimsPart, SuspectsPart, FarRetriesPart, ExpiredJobsPart, DueJobsPart,
             BlockedJobsPart, CancelRequestsPart, CapturesPart, PausesPart, SchemasPart, LimitsPart,
             TicksPart, OverlapsPart, SchedulesPart, VisitsPart, FanOutsPart, FreeKeysPart, PassedTurnsPart,
             LaneHintsPart, NewJobsPart, NextDuePart, NextExpiryPart, LaneScanPart, TenantNewsPart,
             TenantStatesPart, NamesPart, TrialsPart, LoneClaimsPart, ClaimsPart, StartsPart, PoolsPart>;

// Stands before a whole round: it asks how the store's change counter stands.
struct ChangeCheck {
  // Where the counter is still this one no other process has written, and nothing of the round is done.
  std::optional<std::int64_t> unless_still;
};

// What one commit shall do; parts that are not asked are empty.
struct RoundWork {
  RoundParts::Asks asks;
  std::optional<ChangeCheck> change_check;
  // Carried out only while no later dispatcher has opened the store; 0 asks nothing.
  queue::Incarnation incarnation = {};

  template <class Part>
  [[nodiscard]] std::optional<typename Part::Ask>& ask() {
    return std::get<RoundParts::index<Part>()>(asks);
  }
  template <class Part>
  [[nodiscard]] const std::optional<typename Part::Ask>& ask() const {
    return std::get<RoundParts::index<Part>()>(asks);
  }
  [[nodiscard]] bool is_empty() const;
  // Durable where one of its parts is; everything else may be undone by a power cut, and is then done again.
  [[nodiscard]] queue::Durability durability() const;
  // Every part of it is asked only to see what others have written.
  [[nodiscard]] bool only_looks() const;
};

// The answers to the parts that were asked.
struct RoundReply {
  RoundParts::Answers answers;
  // Where a change check asks. Read before everything else, so that whatever was written since shows at the next look.
  std::int64_t change_counter = 0;
  bool was_unchanged = false;

  template <class Part>
  [[nodiscard]] std::optional<typename Part::Answer>& answer() {
    return std::get<RoundParts::index<Part>()>(answers);
  }
  template <class Part>
  [[nodiscard]] const std::optional<typename Part::Answer>& answer() const {
    return std::get<RoundParts::index<Part>()>(answers);
  }
};

// Rows that one round reads or changes at most, for each part.
inline constexpr std::size_t kRoundRowsMax = 1000;

// Carries a round out. Throws what the store throws, and ClaimLost where a later dispatcher has taken over; then nothing of it has
// happened.
[[nodiscard]] RoundReply run_round(queue::Store& store, const RoundWork& work, WallTime now);

}  // namespace tenure::daemon
