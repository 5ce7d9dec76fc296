#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/uuid.hpp>
#include <tenure/jobs/options.hpp>
#include <tenure/queue/shown_state.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace tenure {

using queue::ShownState;

// How far the run that goes on has come, in units of its own; `total` 0: not known.
struct FoundProgress {
  std::int64_t done = 0;
  std::int64_t total = 0;
  std::string text;
};

// One job as an application is told of it. A value: what it says was true when it was asked for.
struct FoundJob {
  Uuid id;
  std::optional<TenantName> tenant;  // nothing: untenanted
  std::string kind;
  std::string queue;
  int priority = 0;
  ShownState state = ShownState::ready;
  std::string
      reason;  // why it is in its state, a word of `tenure job list`: "retry_wait"; "none" where the state says it
  int attempts = 0;  // runs that have failed
  int attempts_max = 0;
  WallTime enqueued{};
  WallTime due{};
  std::optional<WallTime> started;
  std::optional<WallTime> finished;
  std::optional<FoundProgress> progress;  // of the run under way
  std::string error;                      // of the last run that failed, no secrets in it; empty: none has
  // What its handler returned, as JSON, of a kind that keeps it; as long as it is kept. Client::result reads it as its type.
  std::optional<std::string> result;

  // It never runs again, unless somebody retries it.
  [[nodiscard]] bool has_ended() const { return finished.has_value(); }
  [[nodiscard]] bool has_succeeded() const { return state == ShownState::succeeded; }
};

// Whose jobs a call is about, where no scope says it. As with an enqueue: inside a scope `tenant` must be the scope's.
struct JobsOf {
  TenantOfCall tenant = {};
  bool untenanted = false;  // outside every tenant, on purpose; wins over the scope
};

// What Client::change gives a job that waits; what is not given stays as it is.
struct JobChanges {
  std::optional<std::string> queue = {};
  std::optional<int> priority = {};                      // -100 to 100
  std::optional<std::chrono::microseconds> run_in = {};  // from now on; at least 0
  RunAt run_at = {};                                     // instead of run_in
};

// What became of a cancel.
enum class Cancelled : std::uint8_t {
  at_once,        // it waited, and is cancelled
  when_it_obeys,  // it runs, and its stop token fires: it has ended, cancelled or not, when `find` says so
};

}  // namespace tenure
