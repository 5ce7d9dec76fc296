#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/queue/outbox.hpp>
#include <tenure/queue/types.hpp>
#include <tenure/tenancy/registry.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <cstdint>
#include <optional>
#include <string>

// A tenant is put back from a copy of its database, as a new generation. The store keeps what should be; whoever calls these verbs moves
// the files (graveyard.hpp, tenant_copy.hpp).
//   begin_restore     nothing is accepted any more, and nothing starts; what runs ends
//   hold_for_restore  what waits waits for an operator
//   begin_next        the old generation is deleted, and the new one is in creation, in one commit
// and from then on as any tenant that is made. Each step is repeated by the same command.
namespace tenure::queue {

struct NewTenantRestore {
  TenantName tenant;
  WallTime copied{};             // when the copy was made
  Generation copied_generation;  // that it is of
  std::int64_t uid = 0;
  std::string login = {};
  std::string reason = {};
};

struct TenantRestore {
  TenantRecord before;               // the generation that was there, as it stands now
  std::optional<TenantRecord> next;  // that the copy becomes; nothing: jobs of the old one may still run
  WallTime begun{};
  WallTime copied{};
  Generation copied_generation;
  // Whether it is under way, or was interrupted.
  [[nodiscard]] bool is_open() const { return !next || next->state == TenantState::provisioning; }
};

// A part of JobReader.
class TenantRestoreReader {
 public:
  virtual ~TenantRestoreReader() = default;
  // The newest one of that name.
  [[nodiscard]] virtual std::optional<TenantRestore> tenant_restore(const TenantName& tenant) = 0;
};

// A part of StoreWriter. Commit what it changes durably.
class TenantRestoreWriter {
 public:
  virtual ~TenantRestoreWriter() = default;

  // The newest generation is draining from this commit on, unless it is deleted already. One that has begun and is open goes on
  // with this copy. TenantDoesNotExist; TenantNotReady for one in creation; StateChanged where it is being deleted, or the copy is of a
  // later generation than the one that is made already.
  [[nodiscard]] virtual Result<TenantRestore> begin_restore(const NewTenantRestore& restore,
                                                            WallTime now) = 0;
  // Scheduled, ready or blocked -> blocked, reason generation. It is no suspect any more, and its cursor goes: what that counts may not be
  // in the copy. JobNotFound, StateChanged.
  [[nodiscard]] virtual Result<void> hold_for_restore(JobId id) = 0;
  // relay_outbox, of a tenant that is draining for this.
  [[nodiscard]] virtual Relayed relay_for_restore(const OutboxOwner& owner, const OutboxRows& rows,
                                                  WallTime now) = 0;
  // Draining -> deleted, and the next generation is provisioning, above that of the copy. The caller has seen that no job of it waits
  // elsewhere or runs; its file, of that size, is where nobody writes. Again: the one that is there. StateChanged where none has begun.
  [[nodiscard]] virtual Result<TenantRecord> begin_next(const TenantName& tenant, std::int64_t size_bytes,
                                                        WallTime erase_at, WallTime now) = 0;
  // A job of an older generation becomes one of the newest, under its id, with a new budget and its history: one that waits as it was due,
  // one that has ended is due now. It leaves its batch, in which it counts as cancelled where it had not ended. JobNotFound; StateChanged
  // for one of the newest generation, and for one that runs; TenantNotReady, TenantDeleted; LimitReached where another job has its unique
  // key; BadPayload, NewerEnvelope and BadSeal of a row that says another job than its envelope, or a seal that is wrong.
  [[nodiscard]] virtual Result<void> restamp(JobId id, WallTime now) = 0;
};

}  // namespace tenure::queue
