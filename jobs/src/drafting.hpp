#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/uuid.hpp>
#include <tenure/jobs/detail/job_kind.hpp>
#include <tenure/jobs/options.hpp>
#include <tenure/queue/draft.hpp>
#include <tenure/queue/mask.hpp>

#include <optional>
#include <string>

namespace tenure::detail {

// Whose job a call is about: the tenant that it names, or the scope's. Nothing: untenanted, on purpose. NoTenant, TenantSwapProhibited,
// BadOptions (both of it).
[[nodiscard]] std::optional<TenantName> tenant_of_call(const TenantOfCall& tenant, bool untenanted);
// Whose job or batch it is.
struct JobOwner {
  std::optional<TenantName> tenant;
  Generation generation;  // 0: whatever is live
};
[[nodiscard]] JobOwner owner_of(const EnqueueOptions& options);

// Makes of an enqueue the job as it will be stored: whose it is, its options checked, its arguments encoded and every id in them compared.
// Threads: any.
struct JobDrafting {
  const std::string& application;
  const queue::Mask& mask;
  const Clock& clock;
  UuidGenerator* ids = nullptr;  // null: those of the process

  [[nodiscard]] queue::Draft draft(const JobKind& kind, const void* job, const EnqueueOptions& of_call) const;
};

}  // namespace tenure::detail
