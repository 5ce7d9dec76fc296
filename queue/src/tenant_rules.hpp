#pragma once

#include <tenure/queue/pause.hpp>
#include <tenure/queue/tenant_life.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

// What every store decides alike of a tenant's life. Internal.
namespace tenure::queue {

// Whether it is one of those between which operators move a tenant: TenantDoesNotExist, TenantDeleted, TenantNotReady.
[[nodiscard]] Result<void> check_at_work(const std::optional<TenantRecord>& newest, const TenantName& name,
                                         std::string_view verb);
// The same of a tenant that is to be deleted: TenantDoesNotExist, TenantDeleted.
[[nodiscard]] Result<void> check_may_be_deleted(const std::optional<TenantRecord>& newest,
                                                const TenantName& name);
// Of the newest generation, whose restore has not begun: TenantDoesNotExist, TenantNotReady, StateChanged. One may be draining and not be
// deleted by anybody who is known: the registry was rebuilt from the stamp of a file that was closed.
[[nodiscard]] Result<void> check_may_be_restored(const std::optional<TenantRecord>& newest,
                                                 const TenantName& name, bool is_being_deleted);
// Whether it is under way in the newest generation, and not of an earlier one.
[[nodiscard]] bool is_open_of(const TenantRestore& restore, const TenantRecord& newest);
// A copy must not be of a later generation than the one that it becomes: StateChanged.
[[nodiscard]] Result<void> check_next_is_later(const TenantRestore& restore, Generation copied);
// Above those that were.
[[nodiscard]] Generation next_generation(Generation newest, Generation copied);
// Whether what a stamp says counts of a generation that the registry knows, where nobody deletes or restores it.
[[nodiscard]] bool may_be_taken_over(const StampedTenant& stamped, const TenantRecord& known,
                                     const TenantRecord& newest);
// Of a generation that lies in the graveyard: whether a later one is in its place, so that its jobs stay as those of a restored tenant do.
[[nodiscard]] bool was_put_away(const TenantRecord& buried, const TenantRecord& newest);
[[nodiscard]] tl::unexpected<Failure> is_being_restored(const TenantName& name);
[[nodiscard]] tl::unexpected<Failure> no_restore_begun(const TenantName& name);
// Of a job of an owner whose newest generation that is: StateChanged, TenantNotReady, TenantDeleted.
[[nodiscard]] Result<void> check_restamp(JobId id, const TenantRecord& owner,
                                         const std::optional<TenantRecord>& newest);
[[nodiscard]] tl::unexpected<Failure> running_is_not_restamped(JobId id);
[[nodiscard]] tl::unexpected<Failure> no_tenant_to_restamp(JobId id);
// StateChanged.
[[nodiscard]] Result<void> check_step(const std::optional<DeletionRecord>& deletion, DeletionStep expected);

// Where rows of its outbox are neither jobs nor given up: StateChanged.
[[nodiscard]] Result<void> check_outbox_ended(const DeletionRecord& deletion, const BuriedTenant& buried,
                                              OutboxSeq watermark);
// What TenantLifeWriter says of the verbs.
[[nodiscard]] Result<void> check_may_be_taken_back(const std::optional<DeletionRecord>& deletion,
                                                   WallTime now);
[[nodiscard]] Result<void> check_may_be_erased(const std::optional<DeletionRecord>& deletion, WallTime now);
// Nothing of its file is there any more.
[[nodiscard]] bool has_ended(DeletionStep step);
// From which a deletion ends as this.
[[nodiscard]] DeletionStep step_before(DeletionStep how);

[[nodiscard]] PauseRecord pause_record(const NewPause& pause, WallTime now);

}  // namespace tenure::queue
