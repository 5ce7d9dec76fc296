#pragma once

#include "arrivals.hpp"
#include "cancelled_runs.hpp"
#include "captures.hpp"
#include "claim_plan.hpp"
#include "dead_jobs.hpp"
#include "endings.hpp"
#include "expired_jobs.hpp"
#include "fan_outs.hpp"
#include "far_retries.hpp"
#include "held_notes.hpp"
#include "key_looks.hpp"
#include "key_turns.hpp"
#include "lanes.hpp"
#include "limit_news.hpp"
#include "lone_jobs.hpp"
#include "looks.hpp"
#include "pauses.hpp"
#include "processes.hpp"
#include "quiet_pools.hpp"
#include "refusals.hpp"
#include "remembered.hpp"
#include "replacements.hpp"
#include "schedules.hpp"
#include "schemas.hpp"
#include "stopping.hpp"
#include "suspects.hpp"
#include "told_outboxes.hpp"
#include "told_pools.hpp"
#include "told_runs.hpp"
#include "usual_run_time.hpp"

#include <tenure/base/error.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/daemon/round.hpp>

#include <cstdint>
#include <vector>

namespace tenure::daemon {

// What a new incarnation does before it is at work, in this order.
enum class Stage : std::uint8_t { opening, reclaiming, scanning, working };

// All that the dispatcher decides from. Each member keeps its own rules; this only holds them together, so that events (Machine)
// and the parts of rounds (rounds/) find them. One step at a time works on it.
struct DispatcherState {
  explicit DispatcherState(DispatcherSettings given);
  DispatcherState(const DispatcherState&) = delete;
  DispatcherState& operator=(const DispatcherState&) = delete;

  // At that stage, and nobody has asked it to stop: then a round takes on nothing new.
  [[nodiscard]] bool is_in(Stage asked) const { return stage == asked && !stopping.is_asked(); }
  // Whether a round that is made now looks for what others have written.
  [[nodiscard]] bool is_looking() const { return is_in(Stage::working) && looks.are_due(now.steady); }
  // Or, while it stops, only for what operators have cancelled.
  [[nodiscard]] bool is_looking_for_cancels() const {
    return stage == Stage::working && looks.are_due(now.steady) &&
           (!stopping.is_asked() || processes.hold_any());
  }
  // Who performs what, and in how many slots.
  [[nodiscard]] std::vector<queue::PoolRecord> pools_to_tell() const;

  DispatcherSettings settings;  // changed by a reload only
  DispatcherStatus figures;     // those that only grow
  Lanes lanes;
  Processes processes;
  Replacements replacements;
  QuietPools quiet_pools;
  std::vector<UsualRunTimes> usual;  // for each pool
  Looks looks;
  Arrivals arrivals;
  LoneJobs lone_jobs;
  Endings endings;
  CancelledRuns cancelled_runs;
  Captures captures;
  Pauses pauses;
  Schemas schemas;
  LimitNews limit_news;
  Schedules schedules;
  FanOuts fan_outs;
  FarRetries far_retries;
  KeyLooks key_looks;
  KeyTurns key_turns;
  DeadJobs dead_jobs;
  ExpiredJobs expired_jobs;
  Refusals refusals;
  HeldNotes held_notes;
  ToldPools told_pools;
  ToldRuns told_runs;
  ToldOutboxes told_outboxes;
  ClaimPlan plan;
  Suspects suspects;
  Stopping stopping;

  Stage stage = Stage::opening;
  queue::Incarnation incarnation;  // from `reclaiming` on
  std::int64_t next_counter = 1;   // of claim tokens

  // Of this step.
  Now now;
  Actions actions;

  TENURE_REMEMBERS(settings, figures, lanes, processes, replacements, quiet_pools, usual, looks, arrivals,
                   lone_jobs, endings, cancelled_runs, captures, pauses, schemas, limit_news, schedules,
                   fan_outs, far_retries, key_looks, key_turns, dead_jobs, expired_jobs, refusals, held_notes,
                   told_pools, told_runs, told_outboxes, plan, suspects, stopping, stage, incarnation,
                   next_counter, now, actions)
};

}  // namespace tenure::daemon
