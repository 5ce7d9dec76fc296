#pragma once

#include <tenure/queue/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What a worker program decides of a job whose run has failed: its handler, or a rule of its kind. The dispatcher, which has no code of
// applications, carries it out; where nothing is decided it goes by after_failure (retry_rule.hpp).
namespace tenure::queue {

inline constexpr std::size_t kRuleNameMax = 128;  // bytes
inline constexpr std::size_t kRulesMax = 16;      // of a kind

// On the wire: never renumber; a new one takes the next number.
enum class Decided : std::uint8_t {
  retry = 1,    // behind the wait, as a failure that its rule counts
  discard = 2,  // discarded: by_rule
  dead = 3,     // for the reason that is given
  put_off = 4,  // behind the wait, and the run costs nothing
};

struct RunDecision {
  Decided what = Decided::retry;
  JobReason reason =
      JobReason::none;  // of `dead`: permanent_error, attempts_exhausted, by_rule or time_exhausted
  std::chrono::microseconds wait{0};  // of `retry` and `put_off`: from the end of the run
  std::string rule;                   // of `retry`; empty: no rule takes it. At most kRuleNameMax bytes
  friend bool operator==(const RunDecision&, const RunDecision&) = default;
};
inline constexpr std::chrono::hours kDecidedWaitMax{24 * 3650};
[[nodiscard]] bool is_valid(const RunDecision& decision);

// Failures that one rule has taken.
struct RuleCount {
  std::string rule;
  int failures = 0;
  friend bool operator==(const RuleCount&, const RuleCount&) = default;
};

// Of a job's present budget.
struct FailureHistory {
  std::vector<RuleCount> by_rule;  // by name, of rules that have one
  std::optional<WallTime> first;   // when the first of its failures ended, whoever took it
  friend bool operator==(const FailureHistory&, const FailureHistory&) = default;
};
[[nodiscard]] int failures_by(const FailureHistory& history, std::string_view rule);
// Of so many in all, those that no rule has taken.
[[nodiscard]] int failures_without_rule(const FailureHistory& history, int failures);

}  // namespace tenure::queue
