#pragma once

#include <tenure/base/limits.hpp>
#include <tenure/base/uuid.hpp>
#include <tenure/jobs/detail/never.hpp>
#include <tenure/jobs/failures.hpp>
#include <tenure/queue/batch_id.hpp>
#include <tenure/queue/job_keys.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <chrono>
#include <concepts>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tenure {

// What a kind says of its jobs, in a static function `options()` of the argument type.
// How many of the application's migrations a tenant's database has had.
struct SchemaRange {
  int min = 0;  // at least
  int max = 0;  // at most; 0: as many as the worker program knows
  friend bool operator==(const SchemaRange&, const SchemaRange&) = default;
};

struct JobOptions {
  std::string queue = "default";                // [a-z0-9][a-z0-9_-]*, at most 64 bytes
  int priority = 0;                             // -100 to 100; lower runs first
  int attempts_max = limits::kAttemptsDefault;  // 1 to 1000; 1 never retries a failure
  // Of one run: the stop token at 80 % of it, at its end the worker process is replaced. 100 ms to 30 days; 0: as the pool says.
  std::chrono::milliseconds time_limit{0};
  // A job that has not started so long after it was due is discarded, reason `expired`, wherever it waits. 1 ms to 3650 days; 0: it starts
  // however late.
  std::chrono::milliseconds start_within{0};
  // At most so many jobs that state the same key run at a time; nothing: no such limit.
  std::optional<ConcurrencyKey> concurrency = {};
  // An enqueue while another job has the key makes none and returns that one's id; nothing: it always makes one.
  std::optional<UniqueKey> unique = {};
  // What becomes of a job by what its handler throws: {retry_on<SmtpTimeout>(20), discard_on<NoSuchRecipient>()}. What no rule takes is
  // retried until attempts_max.
  ErrorRules errors = {};
  Backoff backoff = {};  // of all its retries
  // From its first failure on: where the wait for a retry would end later, the job is dead, reason time_exhausted, with whatever attempts
  // are left. 1 ms to 3650 days; 0: as long as there are attempts.
  std::chrono::milliseconds retry_for{0};
  // Of a kind with a `Result`: for how long what its handler returned is kept, from the end of the job on. 1 min to 365 days; it goes with its job
  // before that where the retention of the configuration is shorter.
  std::chrono::milliseconds keep_result{std::chrono::hours{24}};
  // With which of its tenants' databases the handler can work: a job of another tenant waits, reason `schema_behind`, until that one is
  // migrated. Nothing: with those that have had exactly the migrations that the worker program knows.
  std::optional<SchemaRange> schema = {};
  // Its handler only reads its tenant's database: its handle is leased for reading, so that whatever writes through it is AccessRefused, and
  // its jobs run in tenants that are read-only, too.
  bool reads_only = false;
};

// A moment, or none: made from a WallTime or from another time of the system clock, whose fractions of a microsecond are cut.
struct RunAt : std::optional<WallTime> {
  using std::optional<WallTime>::optional;
  template <class Duration>
  requires(!std::same_as<Duration, WallTime::duration>)
      RunAt(std::chrono::sys_time<Duration> time)  // NOLINT(google-explicit-constructor): a value of a field
      : std::optional<WallTime>(std::chrono::floor<WallTime::duration>(time)) {}
  RunAt(std::optional<WallTime> time)  // NOLINT(google-explicit-constructor)
      : std::optional<WallTime>(time) {}
};

// A tenant, or none: also made from a name's text (BadTenantName), and from what current_tenant() returns.
struct TenantOfCall : std::optional<TenantName> {
  using std::optional<TenantName>::optional;
  TenantOfCall(std::string_view name)  // NOLINT(google-explicit-constructor): a value of a field
      : std::optional<TenantName>(std::in_place, name) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  TenantOfCall(const char* name) : TenantOfCall(std::string_view{name}) {}
  TenantOfCall(const std::string& name)  // NOLINT(google-explicit-constructor)
      : TenantOfCall(std::string_view{name}) {}
  TenantOfCall(std::optional<TenantName> tenant)  // NOLINT(google-explicit-constructor)
      : std::optional<TenantName>(std::move(tenant)) {}
};

// What one enqueue says; a value that is given overrides the kind's. C++ wants those that are named in the order of this struct.
struct EnqueueOptions {
  std::chrono::microseconds run_in{0};  // at least 0
  RunAt run_at = {};                    // instead of run_in
  // It starts before that or never: else it is discarded then, reason `expired`. Later than run_at. One that has started, if only to fail,
  // is retried however late it is.
  RunAt start_before = {};
  std::optional<std::chrono::milliseconds> start_within =
      {};  // instead; as the kind's, counted from run_at or run_in
  std::optional<std::string> queue = {};
  std::optional<int> priority = {};
  std::optional<int> attempts_max = {};
  // Made by the caller who repeats an enqueue after a lost reply: the same id again is the same job. Where it is read from a text,
  // .id = Uuid::parse(text).value(): without value() a text that is no id is no id given, and each call makes a job of its own. Not
  // the zero id (BadOptions).
  std::optional<Uuid> id = {};
  // Instead of with_tenant around the call. Inside a scope it must be the scope's tenant.
  TenantOfCall tenant = {};
  // Outside every tenant, on purpose; wins over the scope.
  bool untenanted = false;
  std::optional<ConcurrencyKey> concurrency = {};
  std::optional<UniqueKey> unique = {};
  // Of which it is a member: opened by Client::open_batch, not closed, and of its tenant or of none. Where another job has its unique key,
  // that one does not become a member.
  std::optional<BatchId> batch = {};
};

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): static_assert takes nothing but a literal
#define TENURE_JOB_WITHOUT_KIND                                                              \
  "tenure: a job type says its name on the wire, `static constexpr std::string_view kind = " \
  "\"billing.send_invoice\"`."

// Plain data with a stable wire name: `static constexpr std::string_view kind = "billing.send_invoice";` and a cereal
// `serialize` function. `static JobOptions options()` is optional, and so is
// `static constexpr std::array<std::string_view, N> aliases`, the names that the kind had before. In another form (not static,
// private, `alias`) neither compiles. `using Result = ExportMade;` says that what its handler returns, of that type, is kept for whoever asks
// (Client::result): data like arguments, at most 64 KiB as JSON.
template <class Job>
concept JobType = requires {
  { Job::kind } -> std::convertible_to<std::string_view>;
};

namespace detail {

// What of a kind's options is for failures of its handler.
struct FailurePolicy {
  ErrorRules errors = {};
  Backoff backoff = {};
  std::chrono::milliseconds retry_for{0};
};

template <class Pointer>
concept PointsToStaticData =
    std::is_pointer_v<Pointer> && !std::is_function_v<std::remove_pointer_t<Pointer>>;

template <class Range>
concept IsRangeOfNames = requires(Range& range) {
  { *std::begin(range) } -> std::convertible_to<std::string_view>;
};

// No member that is written is of views, since these are no arguments.
template <class Range>
concept IsRangeOfViews = IsRangeOfNames<Range> && requires(Range& range) {
  requires std::is_same_v<std::remove_cvref_t<decltype(*std::begin(range))>, std::string_view>;
};

template <class Job>
concept SaysResult = requires {
  typename Job::Result;
};
template <class Job>
concept SaysOptions = requires {
  { Job::options() } -> std::convertible_to<JobOptions>;
};
template <class Job>
concept SaysAliases = requires {
  { &Job::aliases } -> PointsToStaticData;
  requires IsRangeOfNames<decltype(Job::aliases)>;
};

// Members that are part of the arguments may have these names too.
template <class Job>
concept HasOptionsAsData = requires {
  requires std::is_member_object_pointer_v<decltype(&Job::options)>;
  requires !std::same_as<std::remove_cv_t<decltype(Job::options)>, JobOptions>;
};
template <class Job>
concept HasAliasesAsData = requires {
  requires std::is_member_object_pointer_v<decltype(&Job::aliases)>;
  requires !IsRangeOfViews<decltype(Job::aliases)>;
};

// Whether a class has a member of the name, of whatever sort and access: the same name from another base is ambiguous then.
struct NamesOptions {
  int options;
};
struct NamesAliases {
  int aliases;
};
template <class Job, class Names>
struct Both : Job, Names {};
template <class Job>
concept NamesOptionsItself = std::is_class_v<Job> && !std::is_final_v<Job> && !requires {
  &Both<Job, NamesOptions>::options;
};
template <class Job>
concept NamesAliasesItself = std::is_class_v<Job> && !std::is_final_v<Job> && !requires {
  &Both<Job, NamesAliases>::aliases;
};

template <class Job>
concept SaysAlias = requires {
  { &Job::alias } -> PointsToStaticData;
};
template <class Job>
concept SaysOneOption = requires {
  { &Job::queue } -> PointsToStaticData;
}
|| requires {
  { &Job::priority } -> PointsToStaticData;
}
|| requires {
  { &Job::attempts_max } -> PointsToStaticData;
}
|| requires {
  { &Job::time_limit } -> PointsToStaticData;
}
|| requires {
  { &Job::start_within } -> PointsToStaticData;
}
|| requires {
  { &Job::concurrency } -> PointsToStaticData;
}
|| requires {
  { &Job::unique } -> PointsToStaticData;
}
|| requires {
  { &Job::retry_for } -> PointsToStaticData;
}
|| requires {
  { &Job::keep_result } -> PointsToStaticData;
}
|| requires {
  { &Job::reads_only } -> PointsToStaticData;
};

// What a job type says in a form that nobody reads must not compile.
template <class Job>
struct CheckedJobType {
  static_assert(
      !requires { requires std::is_member_object_pointer_v<decltype(&Job::kind)>; },
      "tenure: `kind` of a job type is `static constexpr std::string_view kind`.");
  static_assert(
      SaysOptions<Job> || HasOptionsAsData<Job> || !NamesOptionsItself<Job>,
      "tenure: `options` of a job type is a public function, `static tenure::JobOptions options()`.");
  static_assert(
      SaysAliases<Job> || HasAliasesAsData<Job> || !NamesAliasesItself<Job>,
      "tenure: `aliases` of a job type is public, `static constexpr std::array<std::string_view, N> "
      "aliases`.");
  static_assert(!SaysAlias<Job>,
                "tenure: former names of a kind stand in `static constexpr std::array<std::string_view, N> "
                "aliases`, and `alias` is nothing that Tenure reads.");
  static_assert(
      !SaysOneOption<Job>,
      "tenure: queue, priority, attempts_max, time_limit, start_within, concurrency, unique, retry_for, "
      "keep_result and reads_only of a kind stand in what `static "
      "tenure::JobOptions options()` returns, and static members of these names are nothing that "
      "Tenure reads.");
  static constexpr bool kChecked = true;
};

}  // namespace detail

template <JobType Job>
[[nodiscard]] JobOptions options_of() {
  static_assert(detail::CheckedJobType<Job>::kChecked);
  if constexpr (detail::SaysOptions<Job>) return Job::options();
  else return {};
}

// BadOptions, whose message names the field, its value and its limits.
void check_kind(std::string_view kind);
void check_options(const JobOptions& options);

// The kind's options with the call's over them, checked; the times and the id of the call are checked too.
[[nodiscard]] JobOptions effective_options(const JobOptions& of_kind, const EnqueueOptions& of_call);

}  // namespace tenure
