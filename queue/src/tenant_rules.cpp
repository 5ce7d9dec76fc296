#include "tenant_rules.hpp"

#include "job_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

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
    case DeletionStep::taking_back:
      return "taking_back";
    case DeletionStep::erasing:
      return "erasing";
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

Result<void> check_may_be_restored(const std::optional<TenantRecord>& newest, const TenantName& name,
                                   bool is_being_deleted) {
  if (!newest) return unknown_tenant(name);
  if (newest->state == TenantState::provisioning)
    return fail(ErrorCode::tenant_not_ready,
                fmt::format("tenant {} is in creation, and has nothing yet", name.text()), name.text());
  if (newest->state == TenantState::draining && is_being_deleted)
    return fail(
        ErrorCode::state_changed,
        fmt::format("tenant {0} is being deleted; first that goes to its end: tenure tenant delete {0}",
                    name.text()),
        name.text());
  return {};
}

bool is_open_of(const TenantRestore& restore, const TenantRecord& newest) {
  return restore.is_open() && newest.number == (restore.next ? *restore.next : restore.before).number;
}

bool may_be_taken_over(const StampedTenant& stamped, const TenantRecord& known, const TenantRecord& newest) {
  if (stamped.state == TenantState::deleted) return true;
  return stamped.state == TenantState::draining && known.number == newest.number &&
         known.state != TenantState::draining && known.state != TenantState::deleted;
}

bool was_put_away(const TenantRecord& buried, const TenantRecord& newest) {
  return newest.generation > buried.generation && newest.state != TenantState::deleted;
}

Result<void> check_next_is_later(const TenantRestore& restore, Generation copied) {
  if (!restore.next || restore.next->generation > copied) return {};
  return fail(
      ErrorCode::state_changed,
      fmt::format("the copy is of generation {}, and {} is being put back as generation {}; put it back "
                  "from the copy that was begun with, and then from this one",
                  copied.value, restore.before.name.text(), restore.next->generation.value),
      restore.before.name.text());
}

Generation next_generation(Generation newest, Generation copied) {
  return Generation{std::max(newest.value, copied.value) + 1};
}

tl::unexpected<Failure> is_being_restored(const TenantName& name) {
  return fail(
      ErrorCode::state_changed,
      fmt::format("tenant {0} is being put back from a copy; first that goes to its end: tenure tenant "
                  "restore {0} FILE",
                  name.text()),
      name.text());
}

tl::unexpected<Failure> no_restore_begun(const TenantName& name) {
  return fail(ErrorCode::state_changed, fmt::format("nobody puts tenant {} back from a copy", name.text()),
              name.text());
}

Result<void> check_restamp(JobId id, const TenantRecord& owner, const std::optional<TenantRecord>& newest) {
  if (!newest || newest->generation == owner.generation)
    return fail(ErrorCode::state_changed,
                fmt::format("job {} is of the newest generation of {}", id.text(), owner.name.text()),
                owner.name.text());
  return check_accepts_jobs(*newest);
}

tl::unexpected<Failure> running_is_not_restamped(JobId id) {
  return fail(ErrorCode::state_changed, "job " + id.text() + " is running");
}

tl::unexpected<Failure> no_tenant_to_restamp(JobId id) {
  return fail(ErrorCode::state_changed, "job " + id.text() + " has no tenant");
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

Result<void> check_outbox_ended(const DeletionRecord& deletion, const BuriedTenant& buried,
                                OutboxSeq watermark) {
  if (buried.newest <= watermark) return {};
  const std::string& name = deletion.tenant.name.text();
  return fail(ErrorCode::state_changed,
              fmt::format("the outbox of {} has given {} numbers, and rows behind {} are neither jobs nor "
                          "given up",
                          name, buried.newest.value, watermark.value),
              name);
}

Result<void> check_may_be_taken_back(const std::optional<DeletionRecord>& deletion, WallTime now) {
  if (deletion && deletion->step == DeletionStep::taking_back) return {};
  if (auto step = check_step(deletion, DeletionStep::buried); !step) return step;
  if (!deletion->erase_at || *deletion->erase_at > now) return {};
  const std::string& name = deletion->tenant.name.text();
  return fail(ErrorCode::state_changed,
              fmt::format("the time in which {} could be taken back was over at {}", name,
                          to_rfc3339(*deletion->erase_at)),
              name);
}

Result<void> check_may_be_erased(const std::optional<DeletionRecord>& deletion, WallTime now) {
  if (auto step = check_step(deletion, DeletionStep::buried); !step) return step;
  if (deletion->erase_at && *deletion->erase_at <= now) return {};
  return fail(ErrorCode::state_changed,
              fmt::format("the undo window of {} is not over", deletion->tenant.name.text()),
              deletion->tenant.name.text());
}

bool has_ended(DeletionStep step) { return step == DeletionStep::erased || step == DeletionStep::taken_back; }

DeletionStep step_before(DeletionStep how) {
  return how == DeletionStep::taken_back ? DeletionStep::taking_back : DeletionStep::erasing;
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
