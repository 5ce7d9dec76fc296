#pragma once

#include "session.hpp"

#include <tenure/queue/store.hpp>

#include <span>
#include <string_view>

namespace tenure::cli {

// What an operator does to many jobs: those that are named, or those that a filter matches and whose states are for it.
struct BulkVerb {
  std::string_view name;      // on the command line and in the schema of its JSON
  std::string_view to_do;     // "would ... 3 jobs"
  std::string_view done;      // "... 3 jobs", "nothing was ..."
  std::string_view json_key;  // how many it was done to
  std::string_view question;
  std::string_view whom;  // "only ... are retried"
  std::span<const queue::ShownState> states;
  queue::JobReason reason = queue::JobReason::none;  // besides the state, unless none
  bool cannot_be_undone = false;                     // so that it asks for named jobs too
  Result<void> (*act)(queue::StoreWriter& writer, queue::JobId id, WallTime now) = nullptr;
  // What is done instead to a job that runs, so that it stops by itself; null: such a job is left alone.
  Result<void> (*ask_running)(queue::StoreWriter& writer, queue::JobId id, WallTime now) = nullptr;
};

// Counts first, shows the oldest, asks; in commits of some hundred. Skipped and failed ones are counted and named.
[[nodiscard]] ExitCode run_bulk_verb(Session& session, const BulkVerb& verb);

}  // namespace tenure::cli
