#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/queue/outbox.hpp>
#include <tenure/queue/tenant_restore.hpp>
#include <tenure/tenancy/registry.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What an operator makes of a tenant once it is there, besides a pause (pause.hpp): it is read only, or it is deleted. The store keeps
// what should be; who calls these verbs changes the stamp of the tenant's file, behind which nothing is committed there.
namespace tenure::queue {

// A tenant whose state has changed, and what it is by now.
struct ChangedTenant {
  TenantNumber tenant;
  TenantState state = TenantState::active;
  friend bool operator==(const ChangedTenant&, const ChangedTenant&) = default;
};

// How far the deletion of one generation has come. Stored: never renumber.
enum class DeletionStep : std::uint8_t {
  draining = 1,    // nothing is accepted; what waits is cancelled, and what runs comes to its end
  buried = 2,      // the tenant is deleted, and its file lies in the graveyard
  erased = 3,      // file and jobs are gone
  taken_back = 4,  // it lives on in a later generation
  // From buried on one of the two, which excludes the other for ever:
  taking_back = 5,  // an operator makes it again, with a copy of its file
  erasing = 6,      // its undo window is over, and file and jobs go
};
[[nodiscard]] std::string_view name_of(DeletionStep step);

struct NewDeletion {
  TenantName tenant;
  std::int64_t uid = 0;
  std::string login = {};
  std::string reason = {};
};

struct DeletionRecord {
  TenantRecord tenant;
  DeletionStep step = DeletionStep::draining;
  WallTime begun{};
  std::optional<WallTime> erase_at = std::nullopt;  // once it is buried
  std::int64_t size_bytes = 0;                      // of what lies in the graveyard
  std::int64_t uid = 0;
  std::string login = {};
  std::string reason = {};
  bool is_restore = false;  // it was put away for a copy that has its place: its jobs are not erased
};

// What lies where nobody writes by now.
struct BuriedTenant {
  std::int64_t size_bytes = 0;
  OutboxSeq newest{0};  // that its outbox has given; 0 where its file is missing
  WallTime erase_at{};
};

// What became of rows of the outbox of a tenant that goes.
struct CancelledOutbox {
  std::int64_t cancelled = 0;             // jobs, which never start
  std::int64_t existed = 0;               // that were there before
  std::int64_t lost = 0;                  // numbers before them that are in neither database
  std::vector<RefusedOutboxRow> refused;  // that can be no jobs; they are given up
};

// Jobs of tenants that are `erasing`.
struct ErasableJobs {
  std::vector<JobId> jobs;  // in their order
  JobSeq looked_until{0};   // the last row that was looked at
  bool is_end = false;
};

// As the stamp of a file has it.
struct StampedTenant {
  TenantName name;
  Generation generation;
  TenantState state = TenantState::active;
};

// A part of Store.
class TraceEraser {
 public:
  virtual ~TraceEraser() = default;
  // What was deleted may still stand in pages that are free, and in the log: overwrites a bounded piece of it, in a commit of its own. True
  // where there is more to do. Safe at any time; a store whose rows leave no traces has nothing to do.
  [[nodiscard]] virtual bool erase_traces() { return false; }
};

// A part of JobReader.
class TenantLifeReader : public TenantRestoreReader {
 public:
  // Of one generation; nothing where nobody has deleted it.
  [[nodiscard]] virtual std::optional<DeletionRecord> deletion(TenantNumber tenant) = 0;
  // The newest one of that name that is neither erased nor taken back; with a generation that one.
  [[nodiscard]] virtual std::optional<DeletionRecord> open_deletion(const TenantName& name,
                                                                    std::optional<Generation> generation) = 0;
  // All of these, by number from behind `after`, at most `limit`.
  [[nodiscard]] virtual std::vector<DeletionRecord> open_deletions(TenantNumber after, std::size_t limit) = 0;
  // Of all tenants that are `erasing`, so that one pass over the rows finds the jobs of each. Looks at so many rows behind `after` at most.
  [[nodiscard]] virtual ErasableJobs erasable_jobs(JobSeq after, std::size_t looks_max) = 0;
};

// A part of StoreWriter. Commit what it changes durably, but for take_changed_tenants.
class TenantLifeWriter : public TenantRestoreWriter {
 public:
  // Whether only what reads runs. What it was before; one that is paused stays so, and becomes this once it is resumed.
  // TenantDoesNotExist, TenantDeleted, TenantNotReady (it is neither active nor read-only nor paused).
  [[nodiscard]] virtual Result<TenantState> set_read_only(const TenantName& tenant, bool is_read_only) = 0;

  // From this commit on no job of it is accepted, nor claimed. One whose deletion has begun: that one, as it stands; the reason stays.
  // TenantDoesNotExist, TenantDeleted; StateChanged while it is put back from a copy.
  [[nodiscard]] virtual Result<DeletionRecord> begin_deletion(const NewDeletion& deletion, WallTime now) = 0;
  // Of a tenant that drains and whose file is closed: rows of its outbox that the caller has read and synced become jobs that are cancelled,
  // by_operator, in the same commit, so that what was acknowledged is told of. What can be no job is given up. Of an older copy each row
  // counts, since its numbers say nothing. StateChanged where it does not drain; BadConfiguration where the caller's keys are not those in
  // force.
  [[nodiscard]] virtual Result<CancelledOutbox> cancel_outbox(const OutboxOwner& owner,
                                                              const OutboxRows& rows, WallTime now) = 0;
  // Of a tenant that goes: at most `limit` batches that are not complete are cancelled, and complete where no member can end any more; how
  // many.
  [[nodiscard]] virtual std::int64_t end_batches_of(TenantNumber tenant, std::size_t limit, WallTime now) = 0;
  // draining -> buried, and the tenant is deleted. The caller has seen that no job of it waits or runs, and none can come any more; its file
  // is where nobody writes. StateChanged where it is not draining, and where rows of its outbox are neither jobs nor given up.
  [[nodiscard]] virtual Result<void> bury(TenantNumber tenant, const BuriedTenant& buried) = 0;
  // buried -> taking_back, before erase_at; one that is taking_back already stays so, however late it is. StateChanged.
  [[nodiscard]] virtual Result<void> begin_taking_back(TenantNumber tenant, WallTime now) = 0;
  // taking_back -> buried: it came to no end, and the name has another tenant by now. StateChanged.
  [[nodiscard]] virtual Result<void> give_up_taking_back(TenantNumber tenant) = 0;
  // buried -> erasing, from erase_at on. StateChanged.
  [[nodiscard]] virtual Result<void> begin_erasing(TenantNumber tenant, WallTime now) = 0;
  // A job of a tenant that is deleted, whatever its state: with all that is kept of it, and overwritten in its pages. JobNotFound;
  // StateChanged where it runs; LimitReached for the newest job of all, from whose number the next one is made.
  [[nodiscard]] virtual Result<void> erase_job(JobId id, WallTime now) = 0;
  // The same of what is kept of a deleted tenant besides jobs: at most `limit` rows; how many.
  [[nodiscard]] virtual std::int64_t erase_rows_of(TenantNumber tenant, std::size_t limit) = 0;
  // erasing -> erased, or taking_back -> taken_back. StateChanged from any other step.
  [[nodiscard]] virtual Result<void> end_deletion(TenantNumber tenant, DeletionStep how) = 0;

  // A row of a generation that the registry has lost and whose file is there; a later one takes the place of an earlier one. A deleted one
  // gets its row behind a later one too, and a known one is deleted from now on, unless somebody deletes or restores it. Else no change.
  [[nodiscard]] virtual std::optional<TenantRecord> register_tenant(const StampedTenant& tenant,
                                                                    WallTime now) = 0;
  // The same of its deletion: it is buried. Where one is known, it stays.
  virtual void register_burial(TenantNumber tenant, const NewDeletion& deletion, const BuriedTenant& buried,
                               WallTime now) = 0;

  // Tenants whose state has changed since the last call, by whomever, left for the dispatcher in the commit that did it. Taking deletes
  // them.
  [[nodiscard]] virtual std::vector<ChangedTenant> take_changed_tenants(std::size_t limit) = 0;
};

}  // namespace tenure::queue
