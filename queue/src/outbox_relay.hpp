#pragma once

#include <tenure/base/function_ref.hpp>
#include <tenure/queue/outbox.hpp>
#include <tenure/queue/store.hpp>

// How rows of an outbox are taken over, the same for every store. Internal.
namespace tenure::queue {

// `enqueue` brings one job in. The caller keeps the watermark of the answer.
[[nodiscard]] Relayed take_over(OutboxSeq watermark, const OutboxOwner& owner, const OutboxRows& rows,
                                const KeyRing& keys, FunctionRef<Result<Enqueued>(const NewJob&)> enqueue);

}  // namespace tenure::queue
