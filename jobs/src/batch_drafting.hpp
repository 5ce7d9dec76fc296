#pragma once

#include "drafting.hpp"

#include <tenure/jobs/batch.hpp>
#include <tenure/queue/batch.hpp>
#include <tenure/queue/store.hpp>

#include <vector>

// What a client makes of a batch before a store sees it. Internal.
namespace tenure {

// The jobs that are to be stored with a batch.
struct BatchJobs::Filling {
  const detail::JobDrafting& drafting;
  const BatchOptions& of_batch;
  std::vector<queue::Draft> drafts = {};
};

namespace detail {

// With its tenant, and its callbacks drafted. Of the tenant what an enqueue says of one.
[[nodiscard]] queue::NewBatch draft_batch(const JobDrafting& drafting, const BatchOptions& options);
[[nodiscard]] BatchStatus status_of(const queue::BatchRecord& record);

}  // namespace detail
}  // namespace tenure
