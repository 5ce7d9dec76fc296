#include "create_tenant.hpp"

#include <tenure/base/text.hpp>
#include <tenure/tenancy/global_id.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <fmt/format.h>

namespace tenure {
namespace {

// An application may read and write what jobs may not: a paused tenant's jobs wait, its data is there.
bool is_open(TenantState state) {
  switch (state) {
    case TenantState::active:
    case TenantState::paused:
    case TenantState::read_only:
    case TenantState::draining:
      return true;
    case TenantState::provisioning:
    case TenantState::migrating:
    case TenantState::failed:
    case TenantState::deleted:
      return false;
  }
  return false;
}

void check_application(const std::string& application) {
  try {
    const GlobalId probe{application, "Any", "1", std::nullopt};
  } catch (const BadGlobalId& error) {
    raise(ErrorCode::bad_configuration,
          fmt::format("\"{}\" is no application name: {}", escaped(application), error.failure().message));
  }
}

}  // namespace

Tenants::Tenants(TenantRegistry& registry, HandleCache& handles, const Clock& clock, TenantsOptions options)
    : registry_(registry), handles_(handles), clock_(clock), options_(std::move(options)) {
  check_application(options_.application);
}

TenantRecord Tenants::create(const TenantName& name, const CreateOptions& options) {
  return detail::create_tenant(registry_, handles_.files(), clock_, options_, name, options);
}

HandleLease Tenants::open(const TenantName& name, HandleAccess access) {
  const std::optional<TenantRecord> record = registry_.find(name);
  if (!record)
    raise(ErrorCode::tenant_does_not_exist, fmt::format("there is no tenant {}", name.text()), name.text());
  if (record->state == TenantState::deleted)
    raise(ErrorCode::tenant_deleted,
          fmt::format("{} was deleted in generation {}", name.text(), record->generation.value), name.text());
  if (!is_open(record->state))
    raise(ErrorCode::tenant_not_ready, fmt::format("{} is {}", name.text(), name_of(record->state)),
          name.text());
  HandleLease lease = value_or_raise(handles_.acquire(name, record->generation, access));
  if (!options_.migrations.empty()) require_schema(lease, access);
  return lease;
}

// Whoever opens a tenant may be outside of its scope, or in none.
void Tenants::require_schema(HandleLease& lease, HandleAccess access) {
  const TenantScope scope(lease->tenant(), lease->generation(), AllowSwap{});
  const auto require = [&] { require_tenant_schema(lease->begin_read(), options_.migrations); };
  if (!options_.migrate_on_touch) return require();
  try {
    require();
  } catch (const PendingMigration&) {
    const TenantMigrations migrations{options_.migrations, options_.codes};
    if (access == HandleAccess::read_write) {
      static_cast<void>(migrate_tenant(lease, migrations, clock_.wall()));
    } else {
      HandleLease writer = value_or_raise(handles_.acquire(lease->tenant(), lease->generation()));
      static_cast<void>(migrate_tenant(writer, migrations, clock_.wall()));
    }
  }
}

HandleLease Tenants::open_current(HandleAccess access) {
  const std::optional<TenantName> name = current_tenant();
  if (!name) raise(ErrorCode::no_tenant, "no tenant is current; use it inside with_tenant");
  return open(*name, access);
}

}  // namespace tenure
