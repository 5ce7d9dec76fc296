#pragma once

#include <tenure/base/function_ref.hpp>
#include <tenure/queue/outbox.hpp>
#include <tenure/queue/store.hpp>
#include <tenure/queue/tenant_life.hpp>

// How rows of the outbox of a tenant that goes are ended, the same for every store. Internal.
namespace tenure::queue {

struct ClosedRows {
  CancelledOutbox done;
  OutboxSeq watermark{0};
};

// `is_behind`: the file was found to be an older copy before. `enqueue` brings one job in, whatever state its tenant is in, and `cancel`
// ends it. Without rows there are no more, and what the file has given behind the watermark is lost. BadConfiguration.
[[nodiscard]] Result<ClosedRows> close_rows(OutboxSeq watermark, bool is_behind, const OutboxOwner& owner,
                                            const OutboxRows& rows, const KeyRing& keys,
                                            FunctionRef<Result<Enqueued>(const NewJob&)> enqueue,
                                            FunctionRef<Result<void>(JobId)> cancel);

}  // namespace tenure::queue
