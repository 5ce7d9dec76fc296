#include <tenure/base/exit_code.hpp>

#include <array>

namespace tenure {
namespace {

constexpr std::array kExitCodes{
    ExitCode::done,        ExitCode::refused,     ExitCode::usage,     ExitCode::data,
    ExitCode::unavailable, ExitCode::sync_failed, ExitCode::try_again, ExitCode::configuration,
};

}  // namespace

ExitCode exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::bad_options:
    case ErrorCode::bad_filter:
    case ErrorCode::bad_tenant_name:
    case ErrorCode::bad_global_id:
      return ExitCode::usage;
    case ErrorCode::bad_payload:
    case ErrorCode::bad_seal:
    case ErrorCode::payload_too_large:
    case ErrorCode::envelope_mismatch:
    case ErrorCode::newer_envelope:
    case ErrorCode::database_damaged:
    case ErrorCode::protocol_violation:
      return ExitCode::data;
    case ErrorCode::database_missing:
    case ErrorCode::database_moved:
    case ErrorCode::disk:
      return ExitCode::unavailable;
    // A fault of its own, because trying again would lie: the kernel forgets what it could not write.
    case ErrorCode::disk_sync_failed:
      return ExitCode::sync_failed;
    case ErrorCode::store_busy:
    case ErrorCode::tenant_busy:
    case ErrorCode::tenant_not_ready:
    case ErrorCode::tenant_unavailable:
    case ErrorCode::pending_migration:
    case ErrorCode::handle_budget_exhausted:
    case ErrorCode::lock_held:
    case ErrorCode::interrupted:
    case ErrorCode::out_of_memory:
      return ExitCode::try_again;
    // A file that this user may not open is one that somebody has to set right, and no restart helps until then.
    case ErrorCode::access_refused:
    case ErrorCode::bad_configuration:
    case ErrorCode::schema_mismatch:
      return ExitCode::configuration;
    case ErrorCode::no_tenant:
    case ErrorCode::wrong_tenant:
    case ErrorCode::missing_tenant:
    case ErrorCode::tenant_exists:
    case ErrorCode::tenant_does_not_exist:
    case ErrorCode::tenant_deleted:
    case ErrorCode::stale_generation:
    case ErrorCode::tenant_swap_prohibited:
    case ErrorCode::record_not_found:
    case ErrorCode::handle_ended:
    case ErrorCode::claim_lost:
    case ErrorCode::id_conflict:
    case ErrorCode::constraint_violated:
    case ErrorCode::query_failed:
    case ErrorCode::unknown_kind:
    case ErrorCode::limit_reached:
    case ErrorCode::duplicate_step:
    case ErrorCode::job_not_found:
    case ErrorCode::state_changed:
    case ErrorCode::handler_failed:
    case ErrorCode::worker_crashed:
    case ErrorCode::time_limit:
    case ErrorCode::replay_differs:
    case ErrorCode::forked_process:
    case ErrorCode::internal:
      return ExitCode::refused;
  }
  return ExitCode::refused;
}

std::string_view meaning_of(ExitCode code) {
  switch (code) {
    case ExitCode::done:
      return "done";
    case ExitCode::refused:
      return "it ran and the answer is no";
    case ExitCode::usage:
      return "usage";
    case ExitCode::data:
      return "bad or damaged data";
    case ExitCode::unavailable:
      return "the control database cannot be reached";
    case ExitCode::sync_failed:
      return "a sync to disk failed";
    case ExitCode::try_again:
      return "try again: busy or locked";
    case ExitCode::configuration:
      return "configuration, schema or permissions";
  }
  invariant_broken("unknown exit code", __FILE__, __LINE__);
}

std::span<const ExitCode> exit_codes() { return kExitCodes; }

}  // namespace tenure
