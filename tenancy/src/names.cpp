#include <tenure/base/error.hpp>
#include <tenure/tenancy/registry.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <array>

namespace tenure {
namespace {

constexpr std::array kStates{
    TenantState::provisioning, TenantState::active, TenantState::paused,   TenantState::read_only,
    TenantState::migrating,    TenantState::failed, TenantState::draining, TenantState::deleted,
};

}  // namespace

std::string_view name_of(TenantState state) {
  switch (state) {
    case TenantState::provisioning:
      return "provisioning";
    case TenantState::active:
      return "active";
    case TenantState::paused:
      return "paused";
    case TenantState::read_only:
      return "read_only";
    case TenantState::migrating:
      return "migrating";
    case TenantState::failed:
      return "failed";
    case TenantState::draining:
      return "draining";
    case TenantState::deleted:
      return "deleted";
  }
  invariant_broken("unknown tenant state", __FILE__, __LINE__);
}

std::optional<TenantState> tenant_state_named(std::string_view name) {
  for (const TenantState state : kStates)
    if (name_of(state) == name) return state;
  return std::nullopt;
}

std::string_view name_of(CreateStep step) {
  switch (step) {
    case CreateStep::lock:
      return "lock";
    case CreateStep::begin:
      return "begin";
    case CreateStep::clean:
      return "clean";
    case CreateStep::schema:
      return "schema";
    case CreateStep::migrate:
      return "migrate";
    case CreateStep::stamp:
      return "stamp";
    case CreateStep::close:
      return "close";
    case CreateStep::sync_file:
      return "sync_file";
    case CreateStep::folder:
      return "folder";
    case CreateStep::rename:
      return "rename";
    case CreateStep::sync_folder:
      return "sync_folder";
    case CreateStep::activate:
      return "activate";
    case CreateStep::unlock:
      return "unlock";
  }
  invariant_broken("unknown step", __FILE__, __LINE__);
}

}  // namespace tenure
