#include "fault_list.hpp"
#include "world_impl.hpp"

#include <tenure/base/uuid.hpp>
#include <tenure/queue/arguments.hpp>
#include <tenure/queue/draft.hpp>

#include <fmt/format.h>

#include <utility>

namespace tenure::testing {
namespace {

using detail::FaultKind;
using detail::FaultState;

std::string_view name_of(CrashPoint point) {
  switch (point) {
    case CrashPoint::before_claim_commit:
      return "before_claim_commit";
    case CrashPoint::after_claim_commit:
      return "after_claim_commit";
    case CrashPoint::before_finish_commit:
      return "before_finish_commit";
    case CrashPoint::after_finish_commit:
      return "after_finish_commit";
  }
  return "";
}

Fault ask(detail::FaultList& faults, std::shared_ptr<FaultState> fault) {
  if (fault->asked < 1)
    raise(ErrorCode::bad_options, fmt::format("{} is asked for {} times", fault->name, fault->asked));
  faults.add(fault);
  return Fault{std::move(fault)};
}

std::shared_ptr<FaultState> new_fault(FaultKind kind, std::string name, int times) {
  auto fault = std::make_shared<FaultState>();
  fault->kind = kind;
  fault->name = std::move(name);
  fault->asked = times;
  return fault;
}

std::shared_ptr<FaultState> of_tenant(FaultKind kind, std::string_view word, const TenantName& tenant,
                                      int times) {
  auto fault = new_fault(kind, fmt::format("{}({})", word, tenant.text()), times);
  fault->tenant = tenant;
  return fault;
}

}  // namespace

const std::string& Fault::name() const { return state_->name; }
int Fault::asked() const { return state_->asked; }
int Fault::fired() const { return state_->fired; }

Fault Faults::tenant_gone(const TenantName& tenant, int times) {
  return ask(world_.impl_->fault_list, of_tenant(FaultKind::tenant_gone, "tenant_gone", tenant, times));
}

Fault Faults::tenant_busy(const TenantName& tenant, int times) {
  return ask(world_.impl_->fault_list, of_tenant(FaultKind::tenant_busy, "tenant_busy", tenant, times));
}

Fault Faults::disk_full(int times) {
  return ask(world_.impl_->fault_list, new_fault(FaultKind::disk_full, "disk_full", times));
}

Fault Faults::disk_full_in(const TenantName& tenant, int times) {
  return ask(world_.impl_->fault_list, of_tenant(FaultKind::disk_full_in, "disk_full_in", tenant, times));
}

Fault Faults::clock_jump(std::chrono::microseconds by, int times) {
  auto fault = new_fault(FaultKind::clock_jump, fmt::format("clock_jump({} us)", by.count()), times);
  fault->jump = by;
  return ask(world_.impl_->fault_list, std::move(fault));
}

Fault Faults::crash(CrashPoint point, int times) {
  auto fault = new_fault(FaultKind::crash, fmt::format("crash({})", name_of(point)), times);
  fault->point = point;
  return ask(world_.impl_->fault_list, std::move(fault));
}

// As `tenure job enqueue` does, which knows no type either.
Fault Faults::older_payload(std::string_view kind, std::string_view arguments,
                            const EnqueueOptions& options) {
  World::Impl& world = *world_.impl_;
  check_kind(kind);
  JobOptions of_kind;
  for (const JobRegistry::Kind& known : world.jobs.kinds())
    if (known.name == kind) of_kind.queue = known.queue;
  const JobOptions effective = effective_options(of_kind, options);
  queue::Draft draft{.run_at = options.run_at,
                     .run_in = options.run_in,
                     .start_before = options.start_before,
                     .start_within = effective.start_within};
  queue::NewJob& job = draft.job;
  job.id = {options.id ? *options.id : uuids_of_process().next(world.clock.wall())};
  if (!options.untenanted)
    job.tenant = options.tenant ? std::optional<TenantName>{options.tenant} : current_tenant();
  if (!job.tenant && !options.untenanted)
    raise(ErrorCode::no_tenant, "no tenant is current for the job of another program version");
  job.queue = effective.queue;
  job.kind = kind;
  job.priority = queue::Priority{effective.priority};
  job.attempts_max = effective.attempts_max;
  TenantPayloadContext context{world.options.application, job.tenant};
  job.arguments = queue::canonical_arguments(arguments, context, kLimitsOfStored);
  auto fault = new_fault(FaultKind::older_payload, fmt::format("older_payload({})", kind), 1);
  fault->job = job.id;
  Fault asked = ask(world.fault_list, std::move(fault));
  std::optional<Result<queue::Enqueued>> result;
  // Past what a client meets.
  world.store->write(Durability::durable, [&](queue::StoreWriter& writer) {
    result = queue::enqueue(writer, draft, world.clock);
  });
  static_cast<void>(value_or_raise(*std::move(result)));
  world.written();
  return asked;
}

}  // namespace tenure::testing
