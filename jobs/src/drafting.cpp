#include "drafting.hpp"

#include <tenure/base/uuid.hpp>
#include <tenure/jobs/reference.hpp>
#include <tenure/tenancy/scope.hpp>

#include <optional>
#include <utility>

namespace tenure::detail {

// The scope is what a named tenant is compared with, and the default.
std::optional<TenantName> tenant_of_call(const TenantOfCall& tenant, bool untenanted) {
  if (untenanted) {
    if (tenant)
      raise(ErrorCode::bad_options, "untenanted and tenant " + tenant->text() + " exclude each other");
    return std::nullopt;
  }
  auto current = current_tenant();
  if (!tenant) {
    if (!current)
      raise(ErrorCode::no_tenant,
            "no tenant is current; call this inside with_tenant, or with {.tenant = ...}; jobs outside every "
            "tenant are named with {.untenanted = true}");
    return current;
  }
  if (current && *current != *tenant)
    raise(ErrorCode::tenant_swap_prohibited,
          "the job is for " + tenant->text() + ", the scope is of " + current->text(), current->text());
  return tenant;
}

JobOwner owner_of(const EnqueueOptions& options) {
  JobOwner owner{.tenant = tenant_of_call(options.tenant, options.untenanted), .generation = {}};
  if (owner.tenant && current_tenant() == owner.tenant) owner.generation = current_generation();
  return owner;
}

queue::Draft JobDrafting::draft(const JobKind& kind, const void* job_data,
                                const EnqueueOptions& of_call) const {
  check_kind(kind.name);
  const JobOptions effective = effective_options(kind.options(), of_call);
  queue::Draft draft{.run_at = of_call.run_at,
                     .run_in = of_call.run_in,
                     .start_before = of_call.start_before,
                     .start_within = effective.start_within};
  queue::NewJob& job = draft.job;
  job.id = {of_call.id ? *of_call.id : (ids == nullptr ? uuids_of_process() : *ids).next(clock.wall())};
  auto owner = owner_of(of_call);
  job.tenant = std::move(owner.tenant);
  job.generation = owner.generation;
  job.queue = effective.queue;
  job.kind = kind.name;
  job.priority = queue::Priority{effective.priority};
  job.attempts_max = effective.attempts_max;
  job.concurrency = effective.concurrency;
  job.unique = effective.unique;
  job.batch = of_call.batch;
  TenantPayloadContext context{application, job.tenant};
  try {
    job.arguments = kind.encode(job_data, context);
  } catch (const Error& error) {  // which may quote a secret
    raise(mask.told(error.failure()));
  }
  return draft;
}

}  // namespace tenure::detail
