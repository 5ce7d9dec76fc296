#pragma once

#include "quiet_pools.hpp"
#include "released_tenants.hpp"
#include "session.hpp"
#include "tenant_outbox.hpp"
#include "turn.hpp"

#include <tenure/queue/records.hpp>
#include <tenure/queue/store.hpp>
#include <tenure/queue/why.hpp>

#include <optional>
#include <vector>

// All that is known of why one job does not run, as values: what is said of them is in explained_job_text.hpp.
namespace tenure::cli {

struct ExplainedJob {
  queue::JobRecord record;
  queue::LaneFacts lane;
  queue::Lane stands_in;
  std::vector<queue::PoolSlots> pools;  // that perform it
  std::optional<queue::HolderRecord> holder;
  std::vector<queue::CaptureRecord> captures;  // requests that are of this job alone
  std::vector<queue::PauseRecord> pauses;      // of its queue, its kind and its tenant
  queue::JobKeys keys;
  std::vector<queue::LimitStanding> limits;  // that are in its way

  std::vector<queue::WaitReason> reasons = {};           // the deciding one first
  std::optional<WallTime> attempted = {};                // when its last attempt ended
  std::optional<queue::WayAhead> ahead = {};             // of one that is in its lane
  std::optional<Release> released = {};                  // of a job of its tenant, a moment ago
  std::optional<BehindFile> behind = {};                 // its tenant's database
  std::optional<queue::MigrationRecord> failed_by = {};  // its tenant
  std::optional<queue::JobRecord> migrates = {};  // the job that migrates its tenant, which it waits for

  // As the daemon says, of a job that nothing else holds.
  std::vector<QuietPool> quiet = {};  // of the pools that perform it
  bool is_quiet = false;              // all of them are
  std::optional<Turn> turn = {};      // where they are not
};

// From the store alone.
[[nodiscard]] ExplainedJob explained(queue::JobReader& reader, const queue::JobRecord& record, WallTime now);

// From the store, and from the daemon where nothing but the turn is left. JobNotFound.
[[nodiscard]] ExplainedJob find_and_explain(Session& session, queue::JobId id);

}  // namespace tenure::cli
