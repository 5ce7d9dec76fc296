#include "batch_drafting.hpp"

#include "run_here.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/tenancy/scope.hpp>

#include <fmt/format.h>

#include <utility>

namespace tenure {
namespace detail {
namespace {

[[noreturn]] void refuse_option(std::string_view callback, std::string_view option) {
  raise(ErrorCode::bad_options,
        fmt::format("{}.{}: what makes the job of a batch says it, and nobody else", callback, option), {},
        fmt::format("{}.{}", callback, option));
}

void check_callback(std::string_view name, const EnqueueOptions& options) {
  if (options.id) refuse_option(name, "id");
  if (options.tenant) refuse_option(name, "tenant");
  if (options.untenanted) refuse_option(name, "untenanted");
  if (options.run_at) refuse_option(name, "run_at");
  if (options.start_before) refuse_option(name, "start_before");
  if (options.batch) refuse_option(name, "batch");
}

std::optional<queue::BatchCallback> draft_callback(const JobDrafting& drafting, const BatchOptions& of_batch,
                                                   std::string_view name,
                                                   const std::optional<BatchJob>& job) {
  if (!job) return std::nullopt;
  check_callback(name, job->options());
  EnqueueOptions options = job->options();
  options.tenant = of_batch.tenant;
  options.untenanted = of_batch.untenanted;
  queue::Draft draft = drafting.draft(job->kind(), job->job(), options);
  log_if_for_another(draft.job.tenant, draft.job.kind, 1);
  draft.job.unique.reset();
  return queue::BatchCallback{std::move(draft.job), draft.run_in, draft.start_within};
}

}  // namespace

queue::NewBatch draft_batch(const JobDrafting& drafting, const BatchOptions& options) {
  const JobOwner owner = owner_of(EnqueueOptions{.tenant = options.tenant, .untenanted = options.untenanted});
  queue::NewBatch batch;
  batch.id =
      options.id
          ? *options.id
          : BatchId{
                (drafting.ids == nullptr ? uuids_of_process() : *drafting.ids).next(drafting.clock.wall())};
  batch.tenant = owner.tenant;
  batch.generation = owner.generation;
  batch.name = options.name;
  batch.on_complete = draft_callback(drafting, options, "on_complete", options.on_complete);
  batch.on_success = draft_callback(drafting, options, "on_success", options.on_success);
  return batch;
}

BatchStatus status_of(const queue::BatchRecord& record) {
  return {.id = record.id,
          .name = record.name,
          .is_closed = record.closed.has_value(),
          .is_complete = record.completed.has_value(),
          .has_succeeded = record.succeeded.has_value(),
          .members = record.counts.members,
          .succeeded = record.counts.succeeded,
          .dead = record.counts.dead,
          .discarded = record.counts.discarded,
          .cancelled = record.counts.cancelled};
}

}  // namespace detail

Uuid BatchJobs::add(const detail::JobKind& kind, const void* job, const EnqueueOptions& options) {
  if (options.batch)
    raise(ErrorCode::bad_options, "a job that is enqueued here is of this batch: batch is not said", {},
          "batch");
  if (filling_.drafts.size() == limits::kBulkMax)
    raise(ErrorCode::limit_reached,
          fmt::format("at most {} jobs go into one commit; this would be one more", limits::kBulkMax));
  EnqueueOptions of_job = options;
  if (!of_job.tenant && !of_job.untenanted) {
    of_job.tenant = filling_.of_batch.tenant;
    of_job.untenanted = filling_.of_batch.untenanted;
  }
  of_job.batch = id_;
  filling_.drafts.push_back(filling_.drafting.draft(kind, job, of_job));
  return filling_.drafts.back().job.id.uuid;
}

}  // namespace tenure
