#pragma once

#include "support/temporary_folder.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/queue/memory_store.hpp>
#include <tenure/replay/capsule.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <filesystem>
#include <string>
#include <string_view>

// Capsules as worker processes write them, of runs that nobody has performed.
namespace tenure::testing {

// Of a run in tenant acme that failed.
inline replay::Capsule capsule_of(queue::JobId id, std::string_view arguments = R"({"month":7})") {
  replay::Capsule capsule;
  queue::AssignedJob& job = capsule.head.job;
  job.claim = {queue::JobSeq{1}, {queue::Incarnation{2}, 3}};
  job.id = id;
  job.tenant = TenantName{"acme"};
  job.generation = Generation{1};
  job.kind = "billing.close";
  job.envelope =
      queue::write_envelope({job.id, job.tenant, job.generation, job.kind, std::string{arguments}});
  job.attempt = 2;
  job.attempts_max = 10;
  capsule.head.application = "billing";
  capsule.head.program_version = "7.1";
  capsule.head.started = from_us(1'772'446'440'000'000);
  capsule.run.failure = queue::AttemptFailure{ErrorCode::handler_failed, "declined", {}};
  return capsule;
}

// Of an empty tenant, with no mask; its path.
inline std::filesystem::path write_capsule(const std::filesystem::path& folder,
                                           const replay::Capsule& capsule) {
  const TemporaryFolder tenants_folder;
  const VirtualClock clock;
  const std::unique_ptr<queue::Store> store = queue::make_memory_store();
  const TenantName acme{"acme"};
  HandleCache handles{TenantFiles{(tenants_folder.path() / "%{tenant}.db").string()}, {}};
  Tenants tenants{store->registry(), handles, clock, {.application = "billing", .migrations = {}}};
  tenants.create(acme);
  const TenantScope scope(acme, Generation{1});
  HandleLease lease = value_or_raise(handles.acquire(acme, Generation{1}, HandleAccess::read_only));
  const TenantSnapshot before = replay::take_snapshot(*lease);
  return replay::write_capsule(before, capsule, queue::Mask{}, folder, {});
}

}  // namespace tenure::testing
