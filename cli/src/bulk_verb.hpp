#pragma once

#include "session.hpp"

#include <tenure/base/function_ref.hpp>
#include <tenure/queue/store.hpp>

#include <optional>
#include <span>
#include <string>
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
  std::span<const queue::JobReason> reasons = {};  // besides the state, where there are any
  bool cannot_be_undone = false;                   // so that it asks for named jobs too
  Result<void> (*act)(queue::StoreWriter& writer, queue::JobId id, WallTime now) = nullptr;
  // What is done instead to a job that runs, so that it stops by itself; null: such a job is left alone.
  Result<void> (*ask_running)(queue::StoreWriter& writer, queue::JobId id, WallTime now) = nullptr;
  std::string_view noun = "job";
  std::string_view made_key = {};  // in its JSON, what it has made of each; empty where it makes nothing
};

// What is done to one job; the id of the job that it has made of it, where it makes one.
using BulkAct = FunctionRef<Result<std::optional<queue::JobId>>(queue::StoreWriter& writer, queue::JobId id,
                                                                WallTime now)>;

// Counts first, shows the oldest, asks; in commits of some hundred. Skipped and failed ones are counted and named.
[[nodiscard]] ExitCode run_bulk_verb(Session& session, const BulkVerb& verb);
// The same with something to do that depends on the command; `detail` says it in the audit record, behind what it was done to.
[[nodiscard]] ExitCode run_bulk_verb(Session& session, const BulkVerb& verb, BulkAct act,
                                     std::string_view detail);
// The same to what a term of a filter matches that is not among the command's words.
[[nodiscard]] ExitCode run_bulk_verb(Session& session, const BulkVerb& verb, const std::string& term);
// `begin` is called before the first of them, also where there is none; not by --dry-run, nor where the answer is no.
[[nodiscard]] ExitCode run_bulk_verb(Session& session, const BulkVerb& verb, const std::string& term,
                                     FunctionRef<void()> begin);

}  // namespace tenure::cli
