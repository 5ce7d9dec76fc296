#pragma once

#include <tl/expected.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tenure {

// Every way in which Tenure says no; docs/manual/errors.md says of each what it means, who raises it and what to do. The numbers are
// stored in attempt rows and sent in worker frames: never renumber; a new one takes the next free number of its block, a line in
// error.cpp, a type below and a row of that page.
enum class ErrorCode : std::uint16_t {
  // Tenancy
  no_tenant = 1,
  wrong_tenant = 2,
  missing_tenant = 3,
  tenant_exists = 4,
  tenant_does_not_exist = 5,
  tenant_not_ready = 6,
  tenant_deleted = 7,
  stale_generation = 8,
  bad_tenant_name = 9,
  tenant_swap_prohibited = 10,
  pending_migration = 11,
  handle_budget_exhausted = 12,
  tenant_busy = 13,
  record_not_found = 14,
  bad_global_id = 15,
  handle_ended = 16,
  tenant_unavailable = 17,
  // Queue
  claim_lost = 30,
  id_conflict = 31,
  payload_too_large = 32,
  bad_payload = 33,
  unknown_kind = 34,
  limit_reached = 35,
  bad_options = 36,
  duplicate_step = 37,
  job_not_found = 38,
  state_changed = 39,
  newer_envelope = 40,
  bad_filter = 41,
  constraint_violated = 42,
  query_failed = 43,
  envelope_mismatch = 45,
  bad_seal = 44,
  // Running
  handler_failed = 60,
  worker_crashed = 61,
  time_limit = 62,
  replay_differs = 63,
  // The world
  store_busy = 80,
  disk = 81,
  disk_sync_failed = 82,
  database_missing = 83,
  database_moved = 84,
  database_damaged = 85,
  schema_mismatch = 86,
  bad_configuration = 87,
  lock_held = 88,
  access_refused = 89,
  interrupted = 90,
  out_of_memory = 91,
  protocol_violation = 92,
  forked_process = 93,
  internal = 99,
};

// The name that logs, the CLI and attempt rows show: `WrongTenant`.
[[nodiscard]] std::string_view name_of(ErrorCode code);

// Whether the same call may succeed later without anybody changing anything in it: for a caller who thinks of repeating it. It does
// not say what becomes of a job whose handler an error has left; docs/manual/writing-jobs.md does ("Failures").
enum class Permanence : std::uint8_t { permanent, transient };
[[nodiscard]] Permanence permanence_of(ErrorCode code);

// What went wrong, as a value. `message` is a whole sentence without the error's name; `tenant` and `where` (a field
// path, a file, a query's name) are empty where they do not apply.
struct Failure {
  ErrorCode code = ErrorCode::internal;
  std::string message;
  std::string tenant = {};
  std::string where = {};

  // "WrongTenant: the id belongs to acme (at $.invoice)".
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Failure&, const Failure&) = default;
};

// For outcomes that the next line branches on. A broken world (disk, schema, damaged row) throws instead.
template <class T>
using Result = tl::expected<T, Failure>;

[[nodiscard]] inline tl::unexpected<Failure> fail(ErrorCode code, std::string message,
                                                  std::string tenant = {}, std::string where = {}) {
  return tl::unexpected<Failure>(Failure{code, std::move(message), std::move(tenant), std::move(where)});
}

// The root of all exceptions that Tenure throws. what() is Failure::text().
class Error : public std::runtime_error {
 public:
  explicit Error(Failure failure);
  [[nodiscard]] const Failure& failure() const { return failure_; }
  [[nodiscard]] ErrorCode code() const { return failure_.code; }
  [[nodiscard]] Permanence permanence() const { return permanence_of(failure_.code); }

 private:
  Failure failure_;
};

// The type of one code, so that a caller can catch exactly what it acts on. Each code has one, under the name that name_of() gives.
template <ErrorCode kCode>
class TypedError : public Error {
 public:
  explicit TypedError(Failure failure) : Error(std::move(failure)) {}
};

using NoTenant = TypedError<ErrorCode::no_tenant>;
using WrongTenant = TypedError<ErrorCode::wrong_tenant>;
using MissingTenant = TypedError<ErrorCode::missing_tenant>;
using TenantExists = TypedError<ErrorCode::tenant_exists>;
using TenantDoesNotExist = TypedError<ErrorCode::tenant_does_not_exist>;
using TenantNotReady = TypedError<ErrorCode::tenant_not_ready>;
using TenantDeleted = TypedError<ErrorCode::tenant_deleted>;
using StaleGeneration = TypedError<ErrorCode::stale_generation>;
using BadTenantName = TypedError<ErrorCode::bad_tenant_name>;
using TenantSwapProhibited = TypedError<ErrorCode::tenant_swap_prohibited>;
using PendingMigration = TypedError<ErrorCode::pending_migration>;
using HandleBudgetExhausted = TypedError<ErrorCode::handle_budget_exhausted>;
using TenantBusy = TypedError<ErrorCode::tenant_busy>;
using RecordNotFound = TypedError<ErrorCode::record_not_found>;
using BadGlobalId = TypedError<ErrorCode::bad_global_id>;
using HandleEnded = TypedError<ErrorCode::handle_ended>;
using TenantUnavailable = TypedError<ErrorCode::tenant_unavailable>;
using ClaimLost = TypedError<ErrorCode::claim_lost>;
using IdConflict = TypedError<ErrorCode::id_conflict>;
using PayloadTooLarge = TypedError<ErrorCode::payload_too_large>;
using BadPayload = TypedError<ErrorCode::bad_payload>;
using EnvelopeMismatch = TypedError<ErrorCode::envelope_mismatch>;
using BadSeal = TypedError<ErrorCode::bad_seal>;
using UnknownKind = TypedError<ErrorCode::unknown_kind>;
using LimitReached = TypedError<ErrorCode::limit_reached>;
using BadOptions = TypedError<ErrorCode::bad_options>;
using DuplicateStep = TypedError<ErrorCode::duplicate_step>;
using JobNotFound = TypedError<ErrorCode::job_not_found>;
using StateChanged = TypedError<ErrorCode::state_changed>;
using NewerEnvelope = TypedError<ErrorCode::newer_envelope>;
using BadFilter = TypedError<ErrorCode::bad_filter>;
using ConstraintViolated = TypedError<ErrorCode::constraint_violated>;
using QueryFailed = TypedError<ErrorCode::query_failed>;
using HandlerFailed = TypedError<ErrorCode::handler_failed>;
using WorkerCrashed = TypedError<ErrorCode::worker_crashed>;
using TimeLimit = TypedError<ErrorCode::time_limit>;
using ReplayDiffers = TypedError<ErrorCode::replay_differs>;
using StoreBusy = TypedError<ErrorCode::store_busy>;
using DiskError = TypedError<ErrorCode::disk>;
using DiskSyncFailed = TypedError<ErrorCode::disk_sync_failed>;
using DatabaseMissing = TypedError<ErrorCode::database_missing>;
using DatabaseMoved = TypedError<ErrorCode::database_moved>;
using DatabaseDamaged = TypedError<ErrorCode::database_damaged>;
using SchemaMismatch = TypedError<ErrorCode::schema_mismatch>;
using BadConfiguration = TypedError<ErrorCode::bad_configuration>;
using LockHeld = TypedError<ErrorCode::lock_held>;
using AccessRefused = TypedError<ErrorCode::access_refused>;
using Interrupted = TypedError<ErrorCode::interrupted>;
using OutOfMemory = TypedError<ErrorCode::out_of_memory>;
using ProtocolViolation = TypedError<ErrorCode::protocol_violation>;
using ForkedProcess = TypedError<ErrorCode::forked_process>;
using Internal = TypedError<ErrorCode::internal>;

// Throws the TypedError of `failure.code`. For handlers too: raise(ErrorCode::record_not_found, "...") ends a job for good.
[[noreturn]] void raise(Failure failure);
[[noreturn]] void raise(ErrorCode code, std::string message, std::string tenant = {}, std::string where = {});

// The border between the two styles: the value, or its failure as an exception.
template <class T>
T value_or_raise(Result<T> result) {
  if (!result) raise(std::move(result.error()));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// Always on. For facts that only a bug of ours can break; never for input.
#define TENURE_INVARIANT(condition) \
  (static_cast<bool>(condition) ? void(0) : ::tenure::invariant_broken(#condition, __FILE__, __LINE__))
[[noreturn]] void invariant_broken(const char* condition, const char* file, int line);

}  // namespace tenure
