#include <tenure/base/error.hpp>
#include <tenure/base/error_names.hpp>
#include <tenure/base/system.hpp>

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

constexpr auto kPermanent = Permanence::permanent;
constexpr auto kTransient = Permanence::transient;

constexpr std::array kRows{
    row<ErrorCode::no_tenant>("NoTenant", kPermanent),
    row<ErrorCode::wrong_tenant>("WrongTenant", kPermanent),
    row<ErrorCode::missing_tenant>("MissingTenant", kPermanent),
    row<ErrorCode::tenant_exists>("TenantExists", kPermanent),
    row<ErrorCode::tenant_does_not_exist>("TenantDoesNotExist", kPermanent),
    row<ErrorCode::tenant_not_ready>("TenantNotReady", kTransient),
    row<ErrorCode::tenant_deleted>("TenantDeleted", kPermanent),
    row<ErrorCode::stale_generation>("StaleGeneration", kPermanent),
    row<ErrorCode::bad_tenant_name>("BadTenantName", kPermanent),
    row<ErrorCode::tenant_swap_prohibited>("TenantSwapProhibited", kPermanent),
    row<ErrorCode::pending_migration>("PendingMigration", kTransient),
    row<ErrorCode::handle_budget_exhausted>("HandleBudgetExhausted", kTransient),
    row<ErrorCode::tenant_busy>("TenantBusy", kTransient),
    row<ErrorCode::record_not_found>("RecordNotFound", kPermanent),
    row<ErrorCode::bad_global_id>("BadGlobalId", kPermanent),
    row<ErrorCode::handle_ended>("HandleEnded", kPermanent),
    row<ErrorCode::tenant_unavailable>("TenantUnavailable", kTransient),
    row<ErrorCode::claim_lost>("ClaimLost", kPermanent),
    row<ErrorCode::id_conflict>("IdConflict", kPermanent),
    row<ErrorCode::payload_too_large>("PayloadTooLarge", kPermanent),
    row<ErrorCode::bad_payload>("BadPayload", kPermanent),
    row<ErrorCode::unknown_kind>("UnknownKind", kTransient),
    row<ErrorCode::limit_reached>("LimitReached", kTransient),
    row<ErrorCode::bad_options>("BadOptions", kPermanent),
    row<ErrorCode::duplicate_step>("DuplicateStep", kPermanent),
    row<ErrorCode::job_not_found>("JobNotFound", kPermanent),
    row<ErrorCode::state_changed>("StateChanged", kPermanent),
    row<ErrorCode::newer_envelope>("NewerEnvelope", kTransient),
    row<ErrorCode::bad_filter>("BadFilter", kPermanent),
    row<ErrorCode::constraint_violated>("ConstraintViolated", kTransient),
    row<ErrorCode::query_failed>("QueryFailed", kTransient),
    row<ErrorCode::envelope_mismatch>("EnvelopeMismatch", kPermanent),
    row<ErrorCode::bad_seal>("BadSeal", kPermanent),
    row<ErrorCode::handler_failed>("HandlerFailed", kTransient),
    row<ErrorCode::worker_crashed>("WorkerCrashed", kTransient),
    row<ErrorCode::time_limit>("TimeLimit", kTransient),
    row<ErrorCode::replay_differs>("ReplayDiffers", kPermanent),
    row<ErrorCode::store_busy>("StoreBusy", kTransient),
    row<ErrorCode::disk>("DiskError", kTransient),
    row<ErrorCode::disk_sync_failed>("DiskSyncFailed", kPermanent),
    row<ErrorCode::database_missing>("DatabaseMissing", kPermanent),
    row<ErrorCode::database_moved>("DatabaseMoved", kPermanent),
    row<ErrorCode::database_damaged>("DatabaseDamaged", kPermanent),
    row<ErrorCode::schema_mismatch>("SchemaMismatch", kPermanent),
    row<ErrorCode::bad_configuration>("BadConfiguration", kPermanent),
    row<ErrorCode::lock_held>("LockHeld", kTransient),
    row<ErrorCode::access_refused>("AccessRefused", kPermanent),
    row<ErrorCode::interrupted>("Interrupted", kTransient),
    row<ErrorCode::out_of_memory>("OutOfMemory", kTransient),
    row<ErrorCode::protocol_violation>("ProtocolViolation", kPermanent),
    row<ErrorCode::forked_process>("ForkedProcess", kPermanent),
    row<ErrorCode::internal>("Internal", kPermanent),
};

// Codes also arrive as bare numbers (rows, frames), so an unknown one is an answer and not a bug.
const Row& find(ErrorCode code) {
  for (const Row& row : kRows)
    if (row.code == code) return row;
  return kRows.back();
}

}  // namespace

std::string_view name_of(ErrorCode code) { return find(code).name; }

std::optional<ErrorCode> error_named(std::string_view name) {
  for (const Row& row : kRows)
    if (row.name == name) return row.code;
  return std::nullopt;
}

std::vector<std::string_view> error_names() {
  std::vector<std::string_view> names;
  names.reserve(kRows.size());
  for (const Row& row : kRows) names.push_back(row.name);
  return names;
}

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
  const Thrower thrower = find(failure.code).thrower;
  thrower(std::move(failure));
  std::abort();
}

void raise(ErrorCode code, std::string message, std::string tenant, std::string where) {
  raise(Failure{code, std::move(message), std::move(tenant), std::move(where)});
}

void invariant_broken(const char* condition, const char* file, int line) {
  std::array<char, 1024> text{};
  std::snprintf(text.data(), text.size(), "tenure: invariant broken: %s (%s:%d)\n", condition, file, line);
  write_last_words(text.data());
  std::abort();
}

}  // namespace tenure
