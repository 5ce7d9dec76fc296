#include <tenure/base/error.hpp>
#include <tenure/jobs/options.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tenure {
namespace {

using std::chrono::minutes;

TEST(Options, ENQ_14_TheCallOverridesTheKind) {
  const JobOptions kind{.queue = "mailers", .priority = 5, .attempts_max = 3};
  const JobOptions same = effective_options(kind, {});
  EXPECT_EQ(same.queue, "mailers");
  EXPECT_EQ(same.priority, 5);
  EXPECT_EQ(same.attempts_max, 3);
  const JobOptions other = effective_options(kind, {.queue = "slow", .priority = -5, .attempts_max = 1});
  EXPECT_EQ(other.queue, "slow");
  EXPECT_EQ(other.priority, -5);
  EXPECT_EQ(other.attempts_max, 1);
}

TEST(Options, ENQ_14_ValuesOutsideTheirLimitsAreRefused) {
  for (const int priority : {-100, 100})
    EXPECT_NO_THROW(static_cast<void>(effective_options({}, {.priority = priority})));
  for (const int priority : {-101, 101})
    EXPECT_THROW(static_cast<void>(effective_options({}, {.priority = priority})), BadOptions);
  for (const int attempts : {1, 1000})
    EXPECT_NO_THROW(static_cast<void>(effective_options({}, {.attempts_max = attempts})));
  for (const int attempts : {0, 1001})
    EXPECT_THROW(static_cast<void>(effective_options({}, {.attempts_max = attempts})), BadOptions);
  EXPECT_THROW(static_cast<void>(effective_options({}, {.run_in = -minutes{1}})), BadOptions);
  EXPECT_THROW(static_cast<void>(effective_options({}, {.run_in = minutes{1}, .run_at = from_us(0)})),
               BadOptions);
}

std::string refusal_of(const EnqueueOptions& options) {
  try {
    static_cast<void>(effective_options({}, options));
  } catch (const BadOptions& error) {
    return error.failure().message;
  }
  return "taken";
}

TEST(Options, ADelayIsRefusedInTheUnitInWhichItWasSaid) {
  EXPECT_EQ(refusal_of({.run_in = -std::chrono::hours{2}}), "run_in \"-2 h\": a delay cannot be negative");
  EXPECT_EQ(refusal_of({.run_in = -minutes{90}}), "run_in \"-90 min\": a delay cannot be negative");
  EXPECT_EQ(refusal_of({.run_in = std::chrono::milliseconds{-1'500}}),
            "run_in \"-1500 ms\": a delay cannot be negative");
  EXPECT_EQ(refusal_of({.run_in = std::chrono::microseconds{-1}}),
            "run_in \"-1 us\": a delay cannot be negative");
}

TEST(Options, AJobMustStartBeforeSomeTimeAfterItIsDue) {
  using std::chrono::milliseconds;
  const JobOptions kind{.start_within = minutes{5}};
  EXPECT_EQ(effective_options(kind, {}).start_within, minutes{5});
  EXPECT_EQ(effective_options(kind, {.start_within = minutes{1}}).start_within, minutes{1});
  EXPECT_EQ(effective_options(kind, {.start_within = milliseconds{0}}).start_within, milliseconds{0});
  EXPECT_EQ(refusal_of({.start_within = std::chrono::hours{24 * 3650}}), "taken");
  EXPECT_EQ(
      refusal_of({.start_within = std::chrono::hours{24 * 3650} + milliseconds{1}}).find("start_within"), 0U);
  EXPECT_EQ(refusal_of({.start_within = -minutes{1}}),
            "start_within \"-1 min\": 1 ms to 3650 days are allowed, or 0");
  EXPECT_EQ(refusal_of({.start_before = from_us(8), .start_within = minutes{1}})
                .find("start_before \"1970-01-01T00:00:00.000008Z\": give start_before or start_within"),
            0U);
  EXPECT_EQ(refusal_of({.run_at = from_us(7), .start_before = from_us(8)}), "taken");
  EXPECT_EQ(refusal_of({.run_at = from_us(8), .start_before = from_us(8)}),
            "start_before \"1970-01-01T00:00:00.000008Z\": it is not later than run_at");
}

struct MailError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct MailTimeout : MailError {
  using MailError::MailError;
};

std::string refusal_of_kind(const JobOptions& options) {
  try {
    check_options(options);
  } catch (const BadOptions& error) {
    return error.failure().message;
  }
  return "taken";
}

TEST(Options, WhatAKindSaysOfFailuresHasLimits) {
  using std::chrono::milliseconds;
  EXPECT_EQ(refusal_of_kind(JobOptions{.errors = {retry_on<MailError>(1000)},
                                       .backoff = {.first = milliseconds{1}, .factor = 100.0},
                                       .retry_for = std::chrono::hours{24 * 3650}}),
            "taken");
  EXPECT_EQ(refusal_of_kind(JobOptions{.errors = {retry_on<MailTimeout>(0)}}),
            "tenure::(anonymous namespace)::MailTimeout \"0\": 1 to 1000 are allowed");
  EXPECT_EQ(refusal_of_kind(JobOptions{.errors = {retry_on<MailTimeout>(1001)}}),
            "tenure::(anonymous namespace)::MailTimeout \"1001\": 1 to 1000 are allowed");
  EXPECT_EQ(refusal_of_kind(JobOptions{.backoff = {.first = -milliseconds{1}}}).find("backoff.first"), 0U);
  EXPECT_EQ(
      refusal_of_kind(JobOptions{.backoff = {.first = minutes{2}, .max = minutes{1}}}).find("backoff.max"),
      0U);
  EXPECT_EQ(refusal_of_kind(JobOptions{.backoff = {.factor = 0.5}}).find("backoff.factor"), 0U);
  EXPECT_EQ(refusal_of_kind(JobOptions{.backoff = {.factor = std::nan("")}}).find("backoff.factor"), 0U);
  EXPECT_EQ(refusal_of_kind(JobOptions{.retry_for = -minutes{1}}).find("retry_for"), 0U);
}

TEST(Options, TheRulesOfAKindAreAskedTheMostDerivedTypeFirst) {
  const ErrorRules rules{dead_on<std::exception>(), retry_on<MailError>(3), discard_on<std::logic_error>(),
                         retry_on<MailTimeout>(5)};
  std::vector<std::string> names;
  for (const ErrorRule& rule : rules.in_order()) names.push_back(rule.name.substr(rule.name.rfind(':') + 1));
  EXPECT_EQ(names, (std::vector<std::string>{"MailTimeout", "MailError", "logic_error", "exception"}));
}

TEST(Options, TheZeroIdIsRefused) {
  EXPECT_EQ(refusal_of({.id = Uuid{Uuid::Bytes{1}}}), "taken");
  EXPECT_EQ(refusal_of({.id = Uuid{}}).find("id \"00000000-0000-0000-0000-000000000000\": the zero id"), 0U);
}

TEST(Options, TenantAndTimeMayBeOptionals) {
  const std::optional<TenantName> acme{TenantName{"acme"}};
  EXPECT_EQ(EnqueueOptions{.tenant = acme}.tenant.value().text(), "acme");
  EXPECT_FALSE(EnqueueOptions{.tenant = std::optional<TenantName>{}}.tenant.has_value());
  EXPECT_FALSE(EnqueueOptions{.tenant = {}}.tenant.has_value());
  EXPECT_FALSE(EnqueueOptions{.tenant = std::nullopt}.tenant.has_value());
  const std::optional<WallTime> time{from_us(7)};
  EXPECT_EQ(EnqueueOptions{.run_at = time}.run_at.value(), from_us(7));
}

TEST(Options, ENQ_14_BadQueueNamesAreRefused) {
  EXPECT_NO_THROW(static_cast<void>(effective_options({}, {.queue = std::string(64, 'q')})));
  for (const std::string& name : {std::string(65, 'q'), std::string{""}, std::string{"A"}, std::string{"-x"},
                                  std::string{"a b"}, std::string{"a\nb"}, std::string{"_other"}})
    EXPECT_THROW(static_cast<void>(effective_options({}, {.queue = name})), BadOptions) << name;
}

TEST(Options, KindsAreDottedWords) {
  for (const char* kind : {"a", "billing.send_invoice", "a.b.c2"}) EXPECT_NO_THROW(check_kind(kind)) << kind;
  EXPECT_NO_THROW(check_kind(std::string(128, 'k')));
  for (const std::string& kind : {std::string{""}, std::string{"A.b"}, std::string{".a"}, std::string{"a."},
                                  std::string{"a..b"}, std::string{"a b"}, std::string(129, 'k')})
    EXPECT_THROW(check_kind(kind), BadOptions) << kind;
}

struct SaysNothing {
  static constexpr std::string_view kind = "nothing";
};
struct SaysOptions {
  static constexpr std::string_view kind = "options";
  static constexpr JobOptions options() { return {.queue = "slow", .priority = 7}; }
};
struct HasThemAsData {
  static constexpr std::string_view kind = "data";
  std::vector<std::string> options;
  std::vector<std::string> aliases;
  std::string alias;
  int priority = 0;
};

TEST(Options, AKindSaysThemInAStaticFunctionAndMembersWithDataMayHaveTheName) {
  EXPECT_EQ(options_of<SaysNothing>().priority, 0);
  EXPECT_EQ(options_of<SaysOptions>().queue, "slow");
  EXPECT_EQ(options_of<SaysOptions>().priority, 7);
  EXPECT_EQ(options_of<HasThemAsData>().queue, "default");
  static_assert(!detail::SaysAliases<HasThemAsData>);
}

TEST(Options, TheMessageNamesFieldValueAndLimit) {
  try {
    static_cast<void>(effective_options({}, {.priority = 101}));
    FAIL();
  } catch (const BadOptions& error) {
    EXPECT_STREQ(error.what(), "BadOptions: priority \"101\": -100 to 100 are allowed (at priority)");
  }
}

}  // namespace
}  // namespace tenure
