#include "tenant_rules.hpp"

#include "job_rules.hpp"

#include <fmt/format.h>

namespace tenure::queue {
namespace {

bool is_at_work(TenantState state) {
  switch (state) {
    case TenantState::active:
    case TenantState::paused:
    case TenantState::read_only:
      return true;
    case TenantState::provisioning:
    case TenantState::migrating:
    case TenantState::failed:
    case TenantState::draining:
    case TenantState::deleted:
      return false;
  }
  return false;
}

}  // namespace

std::string_view name_of(DeletionStep step) {
  switch (step) {
    case DeletionStep::draining:
      return "draining";
    case DeletionStep::buried:
      return "buried";
    case DeletionStep::erased:
      return "erased";
    case DeletionStep::taken_back:
      return "taken_back";
  }
  return "unknown";
}

Result<void> check_at_work(const std::optional<TenantRecord>& newest, const TenantName& name,
                           std::string_view verb) {
  if (auto known = check_may_be_deleted(newest, name); !known) return known;
  if (is_at_work(newest->state)) return {};
  return fail(ErrorCode::tenant_not_ready,
              fmt::format("tenant {} is {}, and can be {} only where it is active, read_only or paused",
                          name.text(), name_of(newest->state), verb),
              name.text());
}

Result<void> check_may_be_deleted(const std::optional<TenantRecord>& newest, const TenantName& name) {
  if (!newest) return unknown_tenant(name);
  if (newest->state == TenantState::deleted) return deleted_tenant(name, newest->generation);
  return {};
}

Result<void> check_step(const std::optional<DeletionRecord>& deletion, DeletionStep expected) {
  if (!deletion) return fail(ErrorCode::state_changed, "nobody has deleted that generation of the tenant");
  if (deletion->step == expected) return {};
  const std::string& name = deletion->tenant.name.text();
  return fail(ErrorCode::state_changed,
              fmt::format("the deletion of {}, generation {}, is {}", name, deletion->tenant.generation.value,
                          name_of(deletion->step)),
              name);
}

PauseRecord pause_record(const NewPause& pause, WallTime now) {
  return {.scope = pause.scope,
          .name = pause.name,
          .paused = now,
          .until = pause.until,
          .uid = pause.uid,
          .login = pause.login,
          .reason = pause.reason};
}

}  // namespace tenure::queue
