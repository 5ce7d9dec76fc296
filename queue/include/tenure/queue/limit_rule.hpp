#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/base/start_rate.hpp>
#include <tenure/queue/types.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Limits that are declared beside the jobs: how many of a kind, a queue or a tenant run at a time (a cap), and how many of them start in
// any stretch of time (a rate). The configuration declares them and operators set them; who is counted together, and when nothing more
// of them may start, is said here once for the dispatcher and for whoever looks. Threads: values.
namespace tenure::queue {

inline constexpr std::size_t kLimitsMax = 1000;  // declared and set by operators, together
inline constexpr std::int64_t kCapMax = 1'000'000;

// By what jobs are counted separately; by nothing: all that the limit takes are counted together.
struct LimitPer {
  bool tenant = false;
  bool kind = false;
  bool queue = false;
  // By the concurrency key that a job states, and by nothing else: jobs without one are not taken. Such a limit has no rate. It is the
  // store that counts it, as it counts keys (limit.hpp).
  bool key = false;
  friend bool operator==(const LimitPer&, const LimitPer&) = default;
};
// "", "tenant", "tenant,kind", "key" and so on.
[[nodiscard]] std::string text_of(const LimitPer& per);
// Nothing: it names something else.
[[nodiscard]] std::optional<LimitPer> parse_limit_per(std::string_view text);

// Which jobs a limit takes: `*` any run, `?` one character.
struct LimitTarget {
  std::string kind = "*";
  std::string queue = "*";
  LimitPer per = {};
  friend bool operator==(const LimitTarget&, const LimitTarget&) = default;
};
[[nodiscard]] bool takes(const LimitTarget& target, std::string_view queue, std::string_view kind);

// What it allows to those that are counted together: one of them, or both.
struct LimitBounds {
  std::optional<std::int64_t> running = std::nullopt;  // claims at a time, 1 to kCapMax
  std::optional<StartRate> rate = std::nullopt;
  friend bool operator==(const LimitBounds&, const LimitBounds&) = default;
};

struct DeclaredLimit {
  std::string name;
  LimitTarget target = {};
  LimitBounds bounds = {};
  friend bool operator==(const DeclaredLimit&, const DeclaredLimit&) = default;
};
// BadOptions: a name, a pattern or a bound that no limit has.
[[nodiscard]] Result<void> check_limit(const DeclaredLimit& limit);

// Its row; never used again.
using LimitNumber = Strong<struct LimitNumberTag, std::int64_t>;

// What an operator sets. What is not given stays as it is.
struct NewLimit {
  std::string name;
  std::optional<LimitTarget> target = std::nullopt;  // of one that is new; nothing: of the one that is there
  LimitBounds bounds = {};
  std::int64_t uid = 0;
  std::string login = {};
  std::string reason = {};
};

// What an operator has set, until somebody unsets it.
struct SetLimit {
  LimitBounds bounds = {};
  WallTime when{};
  std::int64_t uid = 0;
  std::string login = {};
  std::string reason = {};
  friend bool operator==(const SetLimit&, const SetLimit&) = default;
};

struct LimitRecord {
  LimitNumber number;
  std::string name;
  LimitTarget target = {};
  std::optional<LimitBounds> declared = std::nullopt;  // nothing: an operator has made it
  std::optional<SetLimit> set = std::nullopt;
  // What holds: the operator's word before the configuration's.
  [[nodiscard]] LimitBounds bounds() const;
  friend bool operator==(const LimitRecord&, const LimitRecord&) = default;
};

// What a dispatcher needs of it. Those per key are none of its.
struct OpenLimit {
  LimitNumber number;
  std::string name;
  LimitTarget target = {};
  LimitBounds bounds = {};
  friend bool operator==(const OpenLimit&, const OpenLimit&) = default;
};
// Grows by every change of a limit, whoever makes it; before the first one 0.
using LimitsMark = Strong<struct LimitsMarkTag, std::int64_t>;
struct OpenLimits {
  LimitsMark mark;
  std::vector<OpenLimit> limits;  // by number
};

// Those of a limit that are counted together. What it does not count by is 0.
struct LimitGroup {
  LimitNumber limit;
  TenantNumber tenant;
  QueueNumber queue;
  KindNumber kind;
  friend auto operator<=>(const LimitGroup&, const LimitGroup&) = default;
};
[[nodiscard]] LimitGroup group_of(LimitNumber limit, const LimitTarget& target, const Lane& lane);

// --- Rates. Starts are counted in buckets: each takes some, for a part of the window at most, and counts until the window has passed since
// its last start. So no window has more starts than allowed, and a bucket is all that is kept of the starts in it.

// How many starts one bucket takes, and for how long.
[[nodiscard]] std::int64_t bucket_starts(const StartRate& rate);
[[nodiscard]] std::chrono::microseconds bucket_time(const StartRate& rate);

// A bucket as it is stored: after the death of its dispatcher it counts as full.
struct StartBucket {
  LimitGroup group;
  std::int64_t number = 0;  // of the group, growing
  std::int64_t starts = 0;  // that it takes
  bool is_last = false;     // with it nothing more may start
  WallTime last_start{};    // at the latest
  friend bool operator==(const StartBucket&, const StartBucket&) = default;
};
// What a round notes of a bucket in the commit of its claims.
struct BucketNote {
  StartBucket bucket;  // without its last start
  std::chrono::microseconds window{0};
  std::chrono::microseconds open_for{0};  // from now on; 0: nothing starts in it after this commit
  bool is_news = false;                   // else only a later last start is
};

// What is known of those that are counted together.
struct LimitUse {
  std::int64_t running = 0;
  std::int64_t starts = 0;                            // in the window, at most
  std::optional<WallTime> next_start = std::nullopt;  // of a rate that is used up
  friend bool operator==(const LimitUse&, const LimitUse&) = default;
};
// By the buckets of one group, in the order of their numbers.
[[nodiscard]] LimitUse starts_of(const std::vector<StartBucket>& buckets, const StartRate& rate,
                                 WallTime now);
// JobReason::none: another one may start.
[[nodiscard]] JobReason limit_gate(const LimitBounds& bounds, const LimitUse& use);

}  // namespace tenure::queue
