#include "prepared_jobs.hpp"

#include "run_here.hpp"

#include <tenure/base/limits.hpp>

#include <string>
#include <utility>

namespace tenure::detail {
namespace {

void refuse(PreparedJobs& jobs, std::size_t index, Failure failure) {
  if (jobs.rule == BulkRule::all_or_nothing) {
    failure.message = "item " + std::to_string(index) + ": " + failure.message;
    raise(std::move(failure));
  }
  jobs.items[index].failure = std::move(failure);
}

// All are of one kind and, as the call has said, of one tenant.
void log_drafts(const PreparedJobs& jobs) {
  std::size_t count = 0;
  const queue::NewJob* first = nullptr;
  for (const auto& draft : jobs.drafts) {
    if (!draft) continue;
    if (count++ == 0) first = &draft->job;
  }
  if (first != nullptr) log_if_for_another(first->tenant, first->kind, count);
}

}  // namespace

PreparedJobs prepare_one(const JobDrafting& drafting, const JobKind& kind, const void* job,
                         const EnqueueOptions& options) {
  PreparedJobs one;
  const queue::Draft& draft = *one.drafts.emplace_back(drafting.draft(kind, job, options));
  log_if_for_another(draft.job.tenant, draft.job.kind, 1);
  one.items.resize(1);
  return one;
}

PreparedJobs prepare_all(const JobDrafting& drafting, const JobKind& kind, const void* jobs,
                         std::size_t count, const EnqueueOptions& options, BulkRule rule) {
  if (count > limits::kBulkMax)
    raise(ErrorCode::bad_options, "a bulk of " + std::to_string(count) + " jobs; at most " +
                                      std::to_string(limits::kBulkMax) + " go into one commit");
  if (options.id) raise(ErrorCode::bad_options, "one id cannot name all jobs of a bulk");
  PreparedJobs all{.rule = rule};
  all.drafts.resize(count);
  all.items.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    try {
      all.drafts[i] = drafting.draft(kind, static_cast<const std::byte*>(jobs) + i * kind.size, options);
    } catch (const Error& error) {
      refuse(all, i, error.failure());
    }
  }
  log_drafts(all);
  return all;
}

void store(PreparedJobs& jobs, queue::StoreWriter& writer, const Clock& clock) {
  for (std::size_t i = 0; i < jobs.drafts.size(); ++i) {
    if (!jobs.drafts[i]) continue;
    jobs.items[i] = {};  // a lazy call may be started twice, and is the same jobs then
    const auto result = queue::enqueue(writer, *jobs.drafts[i], clock);
    if (result) jobs.items[i].id = result->id.uuid;
    else refuse(jobs, i, result.error());
  }
}

std::size_t bytes_of(const PreparedJobs& jobs) {
  std::size_t bytes = 0;
  for (const auto& draft : jobs.drafts)
    if (draft) bytes += draft->job.arguments.size();
  return bytes;
}

}  // namespace tenure::detail
