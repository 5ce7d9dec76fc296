#pragma once

#include "session.hpp"
#include "tenant_outbox.hpp"

#include <tenure/base/function_ref.hpp>
#include <tenure/queue/store.hpp>
#include <tenure/tenancy/handle.hpp>
#include <tenure/tenancy/handle_cache.hpp>

#include <optional>
#include <string>
#include <vector>

// One tenant's outbox, for the verbs that open its database.
namespace tenure::cli {

// What the control database knows of it.
struct KnownOutbox {
  TenantRecord tenant;
  queue::OutboxSeq watermark{0};
  std::optional<BehindFile> behind;
  std::vector<queue::OutboxMark> marks;
  queue::LostRows lost;
  bool has_dispatcher = false;
  [[nodiscard]] queue::OutboxOwner owner() const { return {tenant.name, tenant.generation}; }
};

// TenantDoesNotExist.
[[nodiscard]] KnownOutbox known_outbox(Session& session, const TenantName& name);

// `work(handle)` on the tenant's database, inside its scope.
void with_database(Session& session, const TenantRecord& tenant, HandleAccess access,
                   FunctionRef<void(TenantHandle&, const std::string& path)> work);

}  // namespace tenure::cli
