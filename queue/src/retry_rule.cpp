#include <tenure/queue/retry_rule.hpp>

#include <algorithm>
#include <array>

namespace tenure::queue {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

microseconds least_wait(int failure) {
  constexpr std::int64_t kBeyondCap =
      13;  // 13^4 s is more than six hours; larger ones would overflow in the end
  const std::int64_t n = std::clamp<std::int64_t>(failure, 1, kBeyondCap);
  return seconds{n * n * n * n + 15};
}

microseconds jitter_max(int failure) {
  constexpr std::int64_t kBeyond = 120;  // an hour is spread enough, and leaves most of the cap
  return seconds{30 * std::clamp<std::int64_t>(failure, 1, kBeyond)};
}

}  // namespace

bool is_trouble(ErrorCode code) {
  constexpr std::array kTroubles{
      ErrorCode::tenant_unavailable, ErrorCode::disk,           ErrorCode::disk_sync_failed,
      ErrorCode::database_missing,   ErrorCode::database_moved, ErrorCode::database_damaged,
      ErrorCode::bad_configuration,
  };
  return std::ranges::find(kTroubles, code) != kTroubles.end();
}

bool pauses_tenant(ErrorCode code) {
  return is_trouble(code) || code == ErrorCode::tenant_busy || code == ErrorCode::tenant_not_ready ||
         code == ErrorCode::pending_migration;
}

bool is_border_refusal(ErrorCode code) {
  constexpr std::array kRefusals{
      ErrorCode::no_tenant,        ErrorCode::wrong_tenant,
      ErrorCode::stale_generation, ErrorCode::tenant_swap_prohibited,
      ErrorCode::bad_global_id,    ErrorCode::envelope_mismatch,
      ErrorCode::bad_seal,         ErrorCode::access_refused,
  };
  return std::ranges::find(kRefusals, code) != kRefusals.end();
}

namespace {

// What a handler meets while its tenant or its program is not ready for it: waiting heals it, so it costs no attempt.
bool costs_no_attempt(ErrorCode code) {
  constexpr std::array kFree{
      ErrorCode::tenant_not_ready, ErrorCode::pending_migration, ErrorCode::handle_budget_exhausted,
      ErrorCode::tenant_busy,      ErrorCode::unknown_kind,      ErrorCode::limit_reached,
      ErrorCode::newer_envelope,   ErrorCode::interrupted,
  };
  return is_trouble(code) || std::ranges::find(kFree, code) != kFree.end();
}

}  // namespace

microseconds retry_wait(int failure, Random& random) {
  const microseconds jitter{random.below(static_cast<std::uint64_t>(jitter_max(failure).count()) + 1)};
  // Where the cap would make one moment of many it is spread before the cap.
  if (least_wait(failure) + jitter_max(failure) > kRetryWaitMax) return kRetryWaitMax - jitter;
  return least_wait(failure) + jitter;
}

microseconds retry_wait_max(int failure) {
  return std::min<microseconds>(least_wait(failure) + jitter_max(failure), kRetryWaitMax);
}

AfterFailure after_failure(ErrorCode code, const JobBudget& job) {
  const bool is_free =
      code == ErrorCode::store_busy ? job.releases < kStoreBusyFreeMax : costs_no_attempt(code);
  if (is_free) return {AfterFailure::Verdict::release, JobReason::none};
  if (permanence_of(code) == Permanence::permanent)
    return {AfterFailure::Verdict::dead, JobReason::permanent_error};
  if (job.failures >= job.attempts_max) return {AfterFailure::Verdict::dead, JobReason::attempts_exhausted};
  return {AfterFailure::Verdict::retry, JobReason::retry_wait};
}

}  // namespace tenure::queue
