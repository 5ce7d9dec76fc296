#pragma once

#include <tenure/base/limits.hpp>
#include <tenure/base/uuid.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <chrono>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>

namespace tenure {

// What a kind says of its jobs, in a static function `options()` of the argument type.
struct JobOptions {
  std::string queue = "default";                // [a-z0-9][a-z0-9_-]*, at most 64 bytes
  int priority = 0;                             // -100 to 100; lower runs first
  int attempts_max = limits::kAttemptsDefault;  // 1 to 1000; 1 never retries a failure
};

// What one enqueue says; a value that is given overrides the kind's.
struct EnqueueOptions {
  std::chrono::microseconds run_in{0};  // at least 0
  std::optional<WallTime> run_at = {};  // instead of run_in
  std::optional<std::string> queue = {};
  std::optional<int> priority = {};
  std::optional<int> attempts_max = {};
  // Made by the caller who repeats an enqueue after a lost reply: the same id again is the same job.
  std::optional<Uuid> id = {};
  // Instead of with_tenant around the call. Inside a scope it must be the scope's tenant.
  std::optional<TenantName> tenant = {};
  // Outside every tenant, on purpose; wins over the scope.
  bool untenanted = false;
};

// Plain data with a stable wire name: `static constexpr std::string_view kind = "billing.send_invoice";` and a cereal
// `serialize` function. `static JobOptions options()` is optional, and so is
// `static constexpr std::array<std::string_view, N> aliases`, the names that the kind had before.
template <class Job>
concept JobType = requires {
  { Job::kind } -> std::convertible_to<std::string_view>;
};

template <JobType Job>
[[nodiscard]] JobOptions options_of() {
  if constexpr (requires { Job::options(); }) return Job::options();
  else return {};
}

// BadOptions, whose message names the field, its value and its limits.
void check_kind(std::string_view kind);
void check_options(const JobOptions& options);

// The kind's options with the call's over them, checked; run_in is checked too.
[[nodiscard]] JobOptions effective_options(const JobOptions& of_kind, const EnqueueOptions& of_call);

}  // namespace tenure
