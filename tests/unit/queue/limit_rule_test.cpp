#include <tenure/queue/limit_rule.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

// Whom a limit takes, whom it counts together, and what its buckets say.
namespace tenure::queue {
namespace {

using std::chrono::seconds;

constexpr WallTime kNoon = from_us(1'700'000'000'000'000);

StartBucket bucket(std::int64_t number, std::int64_t starts, seconds ago, bool is_last = false) {
  return {.number = number, .starts = starts, .is_last = is_last, .last_start = kNoon - ago};
}

TEST(LimitRule, TakesByPatternsOfKindAndQueue) {
  EXPECT_TRUE(takes({}, "default", "a.b"));
  const LimitTarget reports{.kind = "reports.*", .queue = "bulk-?"};
  EXPECT_TRUE(takes(reports, "bulk-1", "reports.monthly"));
  EXPECT_FALSE(takes(reports, "bulk-10", "reports.monthly"));
  EXPECT_FALSE(takes(reports, "bulk-1", "report.monthly"));
}

TEST(LimitRule, CountsSeparatelyWhatPerSays) {
  const Lane lane{QueueNumber{1}, Priority{5}, TenantNumber{2}, KindNumber{3}};
  const LimitNumber number{9};
  EXPECT_EQ(group_of(number, {}, lane), (LimitGroup{number, {}, {}, {}}));
  EXPECT_EQ(group_of(number, {.per = {.tenant = true}}, lane), (LimitGroup{number, TenantNumber{2}, {}, {}}));
  EXPECT_EQ(group_of(number, {.per = {.kind = true, .queue = true}}, lane),
            (LimitGroup{number, {}, QueueNumber{1}, KindNumber{3}}));
}

TEST(LimitRule, PerIsReadAsItIsWritten) {
  for (const char* const text : {"", "tenant", "kind", "queue", "tenant,kind", "tenant,kind,queue", "key"})
    EXPECT_EQ(text_of(parse_limit_per(text).value()), text);
  EXPECT_EQ(parse_limit_per("queue,tenant"), (LimitPer{.tenant = true, .queue = true}));
  for (const char* const text : {"keys", "tenant,", ",tenant", "tenant,tenant", "Tenant", "tenant kind"})
    EXPECT_FALSE(parse_limit_per(text)) << text;
}

TEST(LimitRule, StartsCountUntilTheWindowHasPassedSinceTheLastOfTheirBucket) {
  const StartRate rate{10, seconds{60}};
  const std::vector<StartBucket> buckets{bucket(1, 4, seconds{60}), bucket(2, 4, seconds{30}),
                                         bucket(3, 6, seconds{10}, true)};
  EXPECT_EQ(starts_of(buckets, rate, kNoon), (LimitUse{0, 10, kNoon + seconds{30}}));
  EXPECT_EQ(starts_of(buckets, rate, kNoon + seconds{30}), (LimitUse{0, 6, std::nullopt}));
  EXPECT_EQ(starts_of(buckets, rate, kNoon + seconds{50}), LimitUse{});
}

// Its dispatcher may start more in it.
TEST(LimitRule, ABucketThatIsNotTheLastLeavesRoom) {
  const StartRate rate{10, seconds{60}};
  EXPECT_EQ(starts_of({bucket(1, 9, seconds{5}), bucket(2, 4, seconds{1})}, rate, kNoon),
            (LimitUse{0, 9, std::nullopt}));
}

TEST(LimitRule, ACapDecidesBeforeARate) {
  const LimitBounds both{.running = 2, .rate = StartRate{1, seconds{60}}};
  EXPECT_EQ(limit_gate(both, {}), JobReason::none);
  EXPECT_EQ(limit_gate(both, {.running = 1, .starts = 1, .next_start = kNoon}), JobReason::limit_rate);
  EXPECT_EQ(limit_gate(both, {.running = 2, .starts = 1, .next_start = kNoon}), JobReason::limit_cap);
  EXPECT_EQ(limit_gate({.rate = both.rate}, {.running = 99}), JobReason::none);
}

TEST(StartRates, AreReadAsTheyAreWritten) {
  for (const char* const text : {"100/1m", "1/1s", "1000000/1d", "5/90s", "7/2h"})
    EXPECT_EQ(text_of(parse_start_rate(text).value()), text);
  EXPECT_EQ(text_of(parse_start_rate("5/60s").value()), "5/1m");
  for (const char* const text : {"", "/", "5", "5/", "/1m", "0/1m", "-1/1m", "1000001/1m", "5/0s", "5/1ms",
                                 "5/25h", "5/1", "5 /1m", "5/1m "})
    EXPECT_FALSE(parse_start_rate(text)) << text;
}

}  // namespace
}  // namespace tenure::queue
