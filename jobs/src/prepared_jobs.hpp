#pragma once

#include "drafting.hpp"

#include <tenure/jobs/client.hpp>
#include <tenure/queue/draft.hpp>

#include <cstddef>
#include <optional>
#include <vector>

namespace tenure::detail {

// What one call enqueues, before its commit and behind it.
struct PreparedJobs {
  BulkRule rule = BulkRule::store_good_ones;
  std::vector<std::optional<queue::Draft>> drafts = {};  // none where its item says why
  std::vector<BulkItem> items = {};
  std::optional<Failure> error =
      {};  // why there is nothing to store; of an event loop's call, which tells it in the end
};

[[nodiscard]] PreparedJobs prepare_one(const JobDrafting& drafting, const JobKind& kind, const void* job,
                                       const EnqueueOptions& options);
// With all_or_nothing throws the first refusal, and so does store().
[[nodiscard]] PreparedJobs prepare_all(const JobDrafting& drafting, const JobKind& kind, const void* jobs,
                                       std::size_t count, const EnqueueOptions& options, BulkRule rule);
// Inside one transaction; what it tells counts once that is committed.
void store(PreparedJobs& jobs, queue::StoreWriter& writer, const Clock& clock);

// Of their arguments.
[[nodiscard]] std::size_t bytes_of(const PreparedJobs& jobs);

}  // namespace tenure::detail
