#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The steps A1 to A8 and B1 to B7 (docs/formats/tenant-database.md) as a machine without files, whose every order of steps is looked at:
// of applications that enqueue in a transaction of one tenant, of a sweep, of the runs of one job that enqueues in a step of `once`, and
// of kills and power cuts in between. A commit and its sync are two steps. A power cut leaves of each file what was synced and any number
// of the commits behind it, in their order.
// With the program it shares the decision which rows are taken over (queue/src/outbox_relay.hpp). The rest is written anew: the tests of
// relay_file, Client::transaction and `once` show that these do the same steps.
namespace tenure::testing {

// Each may be left out, to show what it prevents.
struct OutboxRules {
  bool mark_is_synced = true;            // A1, where the mark was there already
  bool file_is_synced = true;            // A5, before rows that were read are taken over
  bool watermark_is_synced = true;       // A6, where all rows had been taken over already
  bool has_watermark = true;             // A5
  bool raises_epoch = true;              // A7
  bool has_receipts = true;              // B4
  bool step_is_synced = true;            // B5, before its run's end is told
  bool acknowledges_when_synced = true;  // B7
  bool marks_lost_runs = true;           // a run that ends without a word of its worker
  bool marks_leaving_jobs = true;        // a waiting job that leaves without a run
  bool marks_anew = true;                // such a mark that is there already gets another number
  bool looks_at_first = true;  // the first run of a tenant in a process tells of rows that it has not written
};

struct OutboxScope {
  int enqueuers = 2;     // each with one transaction of one job
  int runs_max = 0;      // of the job that enqueues another one in its step; 0: there is none
  int crashes = 1;       // a kill of any process, or a power cut
  int runs_killed = 0;   // by the daemon: at a time limit, for a cancel
  bool jobs_go = false;  // jobs that were delivered may be performed and removed
};

enum class OutboxBreach : std::uint8_t {
  lost = 1,                  // acknowledged, and everybody is done without it
  twice = 2,                 // delivered, and again
  without_transaction = 3,   // delivered, and its transaction is gone
  watermark_above_file = 4,  // rows to come would be passed over
  effect_twice = 5,
  finished_without_effect = 6,
};
[[nodiscard]] std::string_view name_of(OutboxBreach breach);

struct ExploredOutbox {
  std::size_t states = 0;
  std::optional<OutboxBreach> breach;  // the first one that was met; behind it nothing more is looked at
  std::vector<std::string> steps;      // that led to it, as few as there are
};
[[nodiscard]] ExploredOutbox explore_outbox(const OutboxScope& scope, const OutboxRules& rules);

}  // namespace tenure::testing
