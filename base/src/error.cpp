#include <tenure/base/error.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace tenure {
namespace {

using Thrower = void (*)(Failure);

struct Row {
  ErrorCode code;
  std::string_view name;
  Permanence permanence;
  Thrower thrower;
};

template <ErrorCode kCode>
[[noreturn]] void throw_typed(Failure failure) {
  throw TypedError<kCode>(std::move(failure));
}

template <ErrorCode kCode>
constexpr Row row(std::string_view name, Permanence permanence) {
  return {kCode, name, permanence, &throw_typed<kCode>};
}

constexpr auto permanent = Permanence::permanent;
constexpr auto transient = Permanence::transient;

constexpr std::array kRows{
    row<ErrorCode::no_tenant>("NoTenant", permanent),
    row<ErrorCode::wrong_tenant>("WrongTenant", permanent),
    row<ErrorCode::missing_tenant>("MissingTenant", permanent),
    row<ErrorCode::tenant_exists>("TenantExists", permanent),
    row<ErrorCode::tenant_does_not_exist>("TenantDoesNotExist", permanent),
    row<ErrorCode::tenant_not_ready>("TenantNotReady", transient),
    row<ErrorCode::tenant_deleted>("TenantDeleted", permanent),
    row<ErrorCode::stale_generation>("StaleGeneration", permanent),
    row<ErrorCode::bad_tenant_name>("BadTenantName", permanent),
    row<ErrorCode::tenant_swap_prohibited>("TenantSwapProhibited", permanent),
    row<ErrorCode::pending_migration>("PendingMigration", transient),
    row<ErrorCode::handle_budget_exhausted>("HandleBudgetExhausted", transient),
    row<ErrorCode::tenant_busy>("TenantBusy", transient),
    row<ErrorCode::record_not_found>("RecordNotFound", permanent),
    row<ErrorCode::bad_global_id>("BadGlobalId", permanent),
    row<ErrorCode::handle_ended>("HandleEnded", permanent),
    row<ErrorCode::claim_lost>("ClaimLost", permanent),
    row<ErrorCode::id_conflict>("IdConflict", permanent),
    row<ErrorCode::payload_too_large>("PayloadTooLarge", permanent),
    row<ErrorCode::bad_payload>("BadPayload", permanent),
    row<ErrorCode::unknown_kind>("UnknownKind", transient),
    row<ErrorCode::limit_reached>("LimitReached", transient),
    row<ErrorCode::bad_options>("BadOptions", permanent),
    row<ErrorCode::duplicate_step>("DuplicateStep", permanent),
    row<ErrorCode::job_not_found>("JobNotFound", permanent),
    row<ErrorCode::state_changed>("StateChanged", permanent),
    row<ErrorCode::newer_envelope>("NewerEnvelope", transient),
    row<ErrorCode::bad_filter>("BadFilter", permanent),
    row<ErrorCode::constraint_violated>("ConstraintViolated", transient),
    row<ErrorCode::handler_failed>("HandlerFailed", transient),
    row<ErrorCode::worker_crashed>("WorkerCrashed", transient),
    row<ErrorCode::time_limit>("TimeLimit", transient),
    row<ErrorCode::store_busy>("StoreBusy", transient),
    row<ErrorCode::disk>("DiskError", transient),
    row<ErrorCode::disk_sync_failed>("DiskSyncFailed", permanent),
    row<ErrorCode::database_missing>("DatabaseMissing", permanent),
    row<ErrorCode::database_moved>("DatabaseMoved", permanent),
    row<ErrorCode::database_damaged>("DatabaseDamaged", permanent),
    row<ErrorCode::schema_mismatch>("SchemaMismatch", permanent),
    row<ErrorCode::bad_configuration>("BadConfiguration", permanent),
    row<ErrorCode::lock_held>("LockHeld", transient),
    row<ErrorCode::access_refused>("AccessRefused", permanent),
    row<ErrorCode::interrupted>("Interrupted", transient),
    row<ErrorCode::out_of_memory>("OutOfMemory", transient),
    row<ErrorCode::protocol_violation>("ProtocolViolation", permanent),
    row<ErrorCode::internal>("Internal", permanent),
};

// Codes also arrive as bare numbers (rows, frames), so an unknown one is an answer and not a bug.
const Row& find(ErrorCode code) {
  for (const Row& row : kRows)
    if (row.code == code) return row;
  return kRows.back();
}

}  // namespace

std::string_view name_of(ErrorCode code) { return find(code).name; }

Permanence permanence_of(ErrorCode code) { return find(code).permanence; }

std::string Failure::text() const {
  std::string text{name_of(code)};
  text += ": ";
  text += message;
  if (!where.empty()) text += " (at " + where + ")";
  return text;
}

Error::Error(Failure failure) : std::runtime_error(failure.text()), failure_(std::move(failure)) {}

void raise(Failure failure) {
  find(failure.code).thrower(std::move(failure));
  std::abort();
}

void raise(ErrorCode code, std::string message, std::string tenant, std::string where) {
  raise(Failure{code, std::move(message), std::move(tenant), std::move(where)});
}

void invariant_broken(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "tenure: invariant broken: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace tenure
