#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
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

// A part of JobReader.
class TenantLifeReader : public TenantRestoreReader {
 public:
  // Of one generation; nothing where nobody has deleted it.
  [[nodiscard]] virtual std::optional<DeletionRecord> deletion(TenantNumber tenant) = 0;
  // The newest one of that name that is draining or buried.
  [[nodiscard]] virtual std::optional<DeletionRecord> open_deletion(const TenantName& name) = 0;
  // All of these, by number from behind `after`, at most `limit`.
  [[nodiscard]] virtual std::vector<DeletionRecord> open_deletions(TenantNumber after, std::size_t limit) = 0;
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
  // draining -> buried, and the tenant is deleted. The caller has seen in one snapshot that no job of it waits or runs, and none can
  // come any more; its file is where nobody writes. StateChanged where it is not draining.
  [[nodiscard]] virtual Result<void> bury(TenantNumber tenant, std::int64_t size_bytes,
                                          WallTime erase_at) = 0;
  // buried -> erased or taken_back. StateChanged from any other step.
  [[nodiscard]] virtual Result<void> end_deletion(TenantNumber tenant, DeletionStep how) = 0;

  // Tenants whose state has changed since the last call, by whomever, left for the dispatcher in the commit that did it. Taking deletes
  // them.
  [[nodiscard]] virtual std::vector<ChangedTenant> take_changed_tenants(std::size_t limit) = 0;
};

}  // namespace tenure::queue
