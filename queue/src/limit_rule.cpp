#include "limit_rules.hpp"

#include <tenure/base/names.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/filter.hpp>
#include <tenure/queue/limit_rule.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tenure::queue {
namespace {

constexpr std::int64_t kBucketsOfFullRate = 8;
constexpr std::int64_t kBucketTimesOfWindow = 16;
constexpr std::size_t kPatternMax = 200;  // bytes

bool is_pattern(std::string_view text) {
  return !text.empty() && text.size() <= kPatternMax &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 127; });
}

Result<void> check_bounds_of(const LimitBounds& bounds) {
  if (!bounds.running && !bounds.rate)
    return fail(ErrorCode::bad_options, "a limit says how many run, or a rate of starts, or both");
  if (bounds.running && (*bounds.running < 1 || *bounds.running > kCapMax))
    return fail(ErrorCode::bad_options, fmt::format("of a limit 1 to {} jobs run at a time", kCapMax));
  if (bounds.rate && (bounds.rate->starts < 1 || bounds.rate->starts > kRateStartsMax ||
                      bounds.rate->window < kRateWindowMin || bounds.rate->window > kRateWindowMax))
    return fail(ErrorCode::bad_options, fmt::format("a rate is 1 to {} starts in 1s to 24h", kRateStartsMax));
  return {};
}

}  // namespace

std::string text_of(const LimitPer& per) {
  std::string text;
  const auto add = [&](bool is_said, std::string_view word) {
    if (!is_said) return;
    if (!text.empty()) text += ',';
    text += word;
  };
  add(per.tenant, "tenant");
  add(per.kind, "kind");
  add(per.queue, "queue");
  add(per.key, "key");
  return text;
}

std::optional<LimitPer> parse_limit_per(std::string_view text) {
  LimitPer per;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const std::string_view word = text.substr(0, comma);
    bool* const said = word == "tenant"  ? &per.tenant
                       : word == "kind"  ? &per.kind
                       : word == "queue" ? &per.queue
                       : word == "key"   ? &per.key
                                         : nullptr;
    if (said == nullptr || std::exchange(*said, true)) return std::nullopt;
    if (comma == std::string_view::npos) return per;
    text.remove_prefix(comma + 1);
    if (text.empty()) return std::nullopt;
  }
  return per;
}

bool takes(const LimitTarget& target, std::string_view queue, std::string_view kind) {
  const auto matches = [](const std::string& pattern, std::string_view name) {
    return pattern == "*" || glob_matches({pattern, false}, name);
  };
  return matches(target.kind, kind) && matches(target.queue, queue);
}

Result<void> check_limit(const DeclaredLimit& limit) {
  if (auto name = check_limit_name(limit.name); !name) return name;
  if (!is_pattern(limit.target.kind) || !is_pattern(limit.target.queue))
    return fail(ErrorCode::bad_options,
                fmt::format("kind and queue of a limit are patterns of 1 to {} characters", kPatternMax));
  const LimitPer& per = limit.target.per;
  if (per.key && (per.tenant || per.kind || per.queue))
    return fail(ErrorCode::bad_options, "a limit per key counts by nothing else: a key is of its tenant");
  if (per.key && limit.bounds.rate)
    return fail(ErrorCode::bad_options, "a limit per key says how many run, and has no rate");
  return check_bounds_of(limit.bounds);
}

Result<void> check_limit_name(std::string_view name) {
  const std::string broken = broken_name_rule(NameOf::queue, name);
  if (broken.empty()) return {};
  return fail(ErrorCode::bad_options,
              fmt::format("the name '{}' of a limit {}", escaped(name, kPatternMax), broken));
}

LimitsInTheWay in_the_way(std::span<const LimitStanding> limits) {
  LimitsInTheWay found;
  for (const LimitStanding& limit : limits) {
    const LimitBounds bounds = limit.limit.bounds();
    if (bounds.running && limit.use.running >= *bounds.running) found.is_at_cap = true;
    if (limit.use.next_start)
      found.next_start = std::max(found.next_start.value_or(*limit.use.next_start), *limit.use.next_start);
  }
  return found;
}

LimitBounds LimitRecord::bounds() const {
  LimitBounds bounds = declared.value_or(LimitBounds{});
  if (!set) return bounds;
  if (set->bounds.running) bounds.running = set->bounds.running;
  if (set->bounds.rate) bounds.rate = set->bounds.rate;
  return bounds;
}

LimitGroup group_of(LimitNumber limit, const LimitTarget& target, const Lane& lane) {
  return {limit, target.per.tenant ? lane.tenant : TenantNumber{},
          target.per.queue ? lane.queue : QueueNumber{}, target.per.kind ? lane.kind : KindNumber{}};
}

std::int64_t bucket_starts(const StartRate& rate) {
  return std::max<std::int64_t>(1, rate.starts / kBucketsOfFullRate);
}

std::chrono::microseconds bucket_time(const StartRate& rate) { return rate.window / kBucketTimesOfWindow; }

// The last one says whether its own starts are used up; before it all are.
LimitUse starts_of(const std::vector<StartBucket>& buckets, const StartRate& rate, WallTime now) {
  LimitUse use;
  std::vector<StartBucket> counting;
  for (const StartBucket& bucket : buckets)
    if (bucket.last_start + rate.window > now) counting.push_back(bucket);
  for (const StartBucket& bucket : counting) use.starts += bucket.starts;
  if (counting.empty() || use.starts < rate.starts) return use;
  if (!counting.back().is_last) {
    use.starts = std::min(use.starts, rate.starts - 1);
    return use;
  }
  use.starts = rate.starts;
  use.next_start = std::ranges::min(counting, {}, &StartBucket::last_start).last_start + rate.window;
  return use;
}

JobReason limit_gate(const LimitBounds& bounds, const LimitUse& use) {
  if (bounds.running && use.running >= *bounds.running) return JobReason::limit_cap;
  if (bounds.rate && use.next_start) return JobReason::limit_rate;
  return JobReason::none;
}

}  // namespace tenure::queue
