#pragma once

#include <tenure/jobs/archive.hpp>
#include <tenure/jobs/options.hpp>
#include <tenure/queue/job_record.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What a test asks of the jobs in its queue, and the answer.
namespace tenure::testing {

// What a job must be to be meant; what is not given does not matter. C++ wants those that are named in the order of this struct.
template <JobType Job>
struct Where {
  TenantOfCall tenant = {};
  bool untenanted = false;  // outside every tenant
  std::optional<std::string> queue = {};
  std::optional<int> priority = {};
  // Of which it is a member.
  std::optional<BatchId> batch = {};
  // From now to when it is due; 0: it is due.
  std::optional<std::chrono::microseconds> due_in = {};
  // With the same arguments, compared as the codec writes them.
  std::optional<Job> arguments = {};
  // And for which this holds. Called outside every tenant.
  std::function<bool(const Job&)> that = {};
  // How many there must be; nothing: one or more.
  std::optional<std::size_t> times = {};
};

// A job as the queue has it, its arguments decoded.
template <JobType Job>
struct Found {
  Job arguments;
  queue::JobRecord record;
};

// True where as many jobs were found as were asked for. The message says what was asked for and what was found; on a miss it has the
// nearest candidates, each with what is different about it.
struct Matched {
  bool is_match = false;
  std::string message;
  explicit operator bool() const { return is_match; }
};

namespace detail {

// Which states a question is about.
enum class Stage : std::uint8_t {
  waiting,    // has not ended: scheduled, ready, blocked, held
  performed,  // succeeded
};

// Where<Job> without its type.
struct Criteria {
  Stage stage = Stage::waiting;
  std::vector<std::string_view> kinds;  // the name, then its aliases
  std::optional<TenantName> tenant;
  bool untenanted = false;
  std::optional<std::string> queue;
  std::optional<int> priority;
  std::optional<BatchId> batch;
  std::optional<std::chrono::microseconds> due_in;
  std::optional<std::string> arguments;  // JSON, as the codec writes it
  // Of arguments as JSON; may throw what decoding throws.
  std::function<bool(std::string_view arguments)> that;
  std::optional<std::size_t> times;
};

struct Candidate {
  queue::JobRecord record;
  std::string arguments;  // JSON
};

// Takes every Global ID: a test only reads what production has checked.
class AnyIds final : public PayloadContext {
 public:
  [[nodiscard]] Result<void> check(std::string_view) override { return {}; }
};

template <JobType Job>
[[nodiscard]] Job decoded(std::string_view arguments) {
  AnyIds ids;
  return decode_arguments<Job>(arguments, ids, kLimitsOfStored);
}

template <JobType Job>
[[nodiscard]] std::vector<std::string_view> kinds_of() {
  std::vector<std::string_view> kinds{Job::kind};
  if constexpr (tenure::detail::SaysAliases<Job>)
    for (const std::string_view alias : Job::aliases) kinds.push_back(alias);
  return kinds;
}

template <JobType Job>
[[nodiscard]] Criteria criteria(Stage stage, const Where<Job>& where) {
  Criteria criteria{.stage = stage,
                    .kinds = kinds_of<Job>(),
                    .tenant = where.tenant,
                    .untenanted = where.untenanted,
                    .queue = where.queue,
                    .priority = where.priority,
                    .batch = where.batch,
                    .due_in = where.due_in,
                    .arguments = {},
                    .that = {},
                    .times = where.times};
  AnyIds ids;
  if (where.arguments) criteria.arguments = encode_arguments(*where.arguments, ids, kLimitsOfStored);
  if (where.that)
    criteria.that = [that = where.that](std::string_view arguments) { return that(decoded<Job>(arguments)); };
  return criteria;
}

}  // namespace detail
}  // namespace tenure::testing
