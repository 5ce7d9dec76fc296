#pragma once

#include <tenure/base/function_ref.hpp>
#include <tenure/queue/audit.hpp>
#include <tenure/queue/outbox.hpp>
#include <tenure/queue/store.hpp>

// How rows of an outbox are taken over, the same for every store. Internal.
namespace tenure::queue {

// `enqueue` brings one job in. The caller keeps the watermark of the answer. `is_behind`: the file was found to be an older copy before.
[[nodiscard]] Relayed take_over(OutboxSeq watermark, bool is_behind, const OutboxOwner& owner,
                                const OutboxRows& rows, const KeyRing& keys,
                                FunctionRef<Result<Enqueued>(const NewJob&)> enqueue);

// Of the commit by which a tenant has failed since its file is an older copy.
[[nodiscard]] AuditEntry audit_of_behind(const OutboxOwner& owner, OutboxSeq newest, OutboxSeq watermark);
// Of the commit by which numbers were found that are in neither database; `up_to` is the last of them.
[[nodiscard]] AuditEntry audit_of_lost(const OutboxOwner& owner, std::int64_t count, OutboxSeq up_to);
// Whether rows may be added to the file; `behind` as it was noted. TenantNotReady.
[[nodiscard]] Result<void> check_not_behind(const OutboxOwner& owner, std::optional<OutboxSeq> behind,
                                            OutboxSeq watermark);
// What a recheck says of a file that was found behind when it had given `behind`, and has given `newest` now.
[[nodiscard]] Result<void> check_recheck(const OutboxOwner& owner, std::optional<OutboxSeq> behind,
                                         OutboxSeq newest, OutboxSeq watermark);

}  // namespace tenure::queue
