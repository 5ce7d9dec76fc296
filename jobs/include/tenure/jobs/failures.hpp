#pragma once

#include <tenure/base/clock.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

// What a handler says of its job otherwise than by returning, and what a kind says of the errors of its handler.
namespace tenure {

// --- Thrown by a handler, or by what it calls, from wherever: what its transaction or step has not committed is undone. It is no error,
// so let it pass.

// The job is of no use (any more): it ends as discarded, reason by_rule.
class Discard : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// No retry will help: it is dead at once, reason permanent_error, whatever rules and attempts there are.
class PermanentFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A failure after which the job runs again behind that wait and not behind the kind's, at most 3650 days. It counts as a failure that no
// rule takes.
class RetryIn : public std::runtime_error {
 public:
  RetryIn(std::chrono::microseconds wait, const std::string& why) : std::runtime_error(why), wait_(wait) {}
  [[nodiscard]] std::chrono::microseconds wait() const { return wait_; }

 private:
  std::chrono::microseconds wait_;
};

// It is too early: the job is given back until then, at the cost of no attempt, and as often as it says so. A time that has passed is now;
// at most 3650 days from now.
class Snooze : public std::runtime_error {
 public:
  explicit Snooze(WallTime until, const std::string& why = "it was put off");
  explicit Snooze(std::chrono::microseconds wait, const std::string& why = "it was put off")
      : std::runtime_error(why), wait_(wait) {}
  // From `now` on, not below 0.
  [[nodiscard]] std::chrono::microseconds wait(WallTime now) const;

 private:
  WallTime until_{};
  std::chrono::microseconds wait_{-1};
};

// --- Said by a kind, in its options().

// The wait behind failure n: the least of first * factor^(n - 1) and max, and up to a half of that more, by chance.
struct Backoff {
  std::chrono::milliseconds first{
      0};               // at most 3650 days; 0: Tenure's, n^4 + 15 s and up to 30 n s more, at most 6 h
  double factor = 2.0;  // 1 to 100
  std::chrono::milliseconds max{std::chrono::hours{6}};  // at least `first`, at most 3650 days
};

// What becomes of a job whose handler has thrown what a rule is of.
struct ErrorRule {
  enum class End : std::uint8_t { retry, discard, dead };
  std::string name;  // of the type
  bool (*takes)(const std::exception_ptr& thrown) = nullptr;
  End end = End::retry;
  int retries = 0;  // of `retry`: then it is dead, reason attempts_exhausted
};

namespace detail {

// As it is written in C++, at most 128 bytes of it.
[[nodiscard]] std::string name_of_error(const std::type_info& type);

template <class Thrown>
[[nodiscard]] bool is_thrown(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Thrown&) {
    return true;
  } catch (...) {  // another rule's, or nobody's
    return false;
  }
}

template <class Thrown>
struct RuleOf {
  ErrorRule rule;
};

}  // namespace detail

// `Thrown`, and what is derived from it, is retried so often, 1 to 1000: each rule counts for itself, and attempts_max counts what no rule
// takes. Only attempts_max 1 goes before: it never retries.
template <class Thrown>
[[nodiscard]] detail::RuleOf<Thrown> retry_on(int retries) {
  return {
      {detail::name_of_error(typeid(Thrown)), &detail::is_thrown<Thrown>, ErrorRule::End::retry, retries}};
}
// The job ends as discarded, reason by_rule.
template <class Thrown>
[[nodiscard]] detail::RuleOf<Thrown> discard_on() {
  return {{detail::name_of_error(typeid(Thrown)), &detail::is_thrown<Thrown>, ErrorRule::End::discard, 0}};
}
// It is dead at once, reason by_rule.
template <class Thrown>
[[nodiscard]] detail::RuleOf<Thrown> dead_on() {
  return {{detail::name_of_error(typeid(Thrown)), &detail::is_thrown<Thrown>, ErrorRule::End::dead, 0}};
}

// The rules of a kind: the one of the most derived type takes an error, wherever it stands; of two that are not derived from each other
// the first. At most 16.
class ErrorRules {
 public:
  ErrorRules() = default;
  template <class... Thrown>
  explicit(sizeof...(Thrown) == 0)
      ErrorRules(detail::RuleOf<Thrown>... rules) {  // NOLINT: a value of a field
    constexpr std::size_t kRules = sizeof...(Thrown);
    if constexpr (kRules > 0) {
      constexpr std::array<std::size_t, kRules> kBases{bases_among<Thrown, Thrown...>()...};
      static_assert(((times_among<Thrown, Thrown...>() == 1) && ...),
                    "tenure: a kind has two rules of one type");
      std::array<ErrorRule, kRules> all{std::move(rules.rule)...};
      // Who is derived from more of them comes first.
      for (std::size_t bases = kRules; bases-- > 0;)
        for (std::size_t each = 0; each < kRules; ++each)
          if (kBases[each] == bases) rules_.push_back(std::move(all[each]));
    }
  }
  // In the order in which they are asked.
  [[nodiscard]] const std::vector<ErrorRule>& in_order() const { return rules_; }

 private:
  template <class Type, class... All>
  static constexpr std::size_t bases_among() {
    return ((std::is_base_of_v<All, Type> && !std::is_same_v<All, Type> ? 1U : 0U) + ... + 0U);
  }
  template <class Type, class... All>
  static constexpr std::size_t times_among() {
    return ((std::is_same_v<All, Type> ? 1U : 0U) + ... + 0U);
  }
  std::vector<ErrorRule> rules_;
};

}  // namespace tenure
