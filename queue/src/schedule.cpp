#include "derived_job_id.hpp"
#include "job_rules.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/names.hpp>
#include <tenure/base/sha256.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/arguments.hpp>
#include <tenure/queue/schedule.hpp>
#include <tenure/tenancy/global_id.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>

namespace tenure::queue {
namespace {

constexpr std::string_view kTenantPrefix = "tenant:";
constexpr std::string_view kAllPrefix = "all:";
constexpr std::size_t kTextShown = 60;  // bytes of what is refused

// Ids of no tenant, or of that of the schedule: for which application they are, each worker program says.
class ScheduledArguments final : public PayloadContext {
 public:
  explicit ScheduledArguments(const ScheduleEntry& entry) : tenant_(entry.tenant) {}
  Result<void> check(std::string_view gid) override {
    const auto id = GlobalId::parse(gid);
    if (!id) return tl::unexpected(id.error());
    if (!id->tenant() || id->tenant()->text() == tenant_) return {};
    return fail(ErrorCode::wrong_tenant,
                fmt::format("the id {} belongs to {}, and the schedule is not of this tenant", escaped(gid),
                            id->tenant()->text()));
  }

 private:
  std::string_view tenant_;
};

Result<void> check_bounds(const ScheduleEntry& entry) {
  if (entry.spread < std::chrono::microseconds{0} || entry.spread > kSpreadMax)
    return fail(ErrorCode::bad_options, "a spread is at most 7d");
  if (entry.spread != std::chrono::microseconds{0} && entry.scope != ScheduleScope::each_tenant)
    return fail(ErrorCode::bad_options, "only a schedule of each tenant has a spread");
  if (entry.catch_up_max < 1 || entry.catch_up_max > kCatchUpMax)
    return fail(ErrorCode::bad_options, fmt::format("catch_up is all:1 to all:{}", kCatchUpMax));
  return {};
}

Result<void> check_target(const ScheduleEntry& entry) {
  if (entry.scope != ScheduleScope::tenant) return {};
  const auto tenant = TenantName::parse(entry.tenant);
  if (!tenant) return tl::unexpected(tenant.error());
  return {};
}

// The number in `digest` from that byte on.
std::uint64_t number_in(const Sha256Digest& digest, std::size_t place) {
  std::uint64_t number = 0;
  for (std::size_t byte = 0; byte < sizeof number; ++byte)
    number = number << 8 | std::to_integer<std::uint64_t>(digest.at(place + byte));
  return number;
}

// The ticks behind `after` up to `until`: how many, and the newest `kept` of them.
struct Passed {
  std::int64_t count = 0;
  std::deque<WallTime> newest;
};
Passed ticks_between(const ScheduleRule& rule, WallTime after, WallTime until, std::size_t kept) {
  Passed passed;
  while (passed.count < kTicksCounted) {
    const auto next = next_tick(rule, after);
    if (!next || *next > until) return passed;
    ++passed.count;
    if (passed.newest.size() == kept) passed.newest.pop_front();
    passed.newest.push_back(*next);
    after = *next;
  }
  // Too many to go through one by one: the newest lie in the last stretch that holds enough of them.
  for (std::chrono::microseconds span = std::chrono::minutes{1};; span *= 2) {
    const WallTime from = std::max(after, until - span);
    std::deque<WallTime> last;
    for (auto next = next_tick(rule, from); next && *next <= until; next = next_tick(rule, *next))
      last.push_back(*next);
    if (last.size() < kept && from > after) continue;
    if (last.size() > kept) last.erase(last.begin(), last.end() - static_cast<std::ptrdiff_t>(kept));
    if (!last.empty()) passed.newest = std::move(last);
    return passed;
  }
}

// Of ticks that are due, the newest of which stands last: how many fire.
std::size_t firing(const ScheduleEntry& entry, const std::deque<WallTime>& newest, WallTime now) {
  const std::size_t on_time = now - newest.back() <= kTickOnTime ? 1 : 0;
  switch (entry.catch_up) {
    case CatchUp::none:
      return on_time;
    case CatchUp::latest:
      return 1;
    case CatchUp::all:
      return std::min(newest.size(), static_cast<std::size_t>(entry.catch_up_max));
  }
  return 0;
}

}  // namespace

std::string_view name_of(ScheduleScope scope) {
  switch (scope) {
    case ScheduleScope::global:
      return "global";
    case ScheduleScope::tenant:
      return "tenant";
    case ScheduleScope::each_tenant:
      return "each_tenant";
  }
  return "unknown";
}

std::string_view name_of(CatchUp catch_up) {
  switch (catch_up) {
    case CatchUp::none:
      return "none";
    case CatchUp::latest:
      return "latest";
    case CatchUp::all:
      return "all";
  }
  return "unknown";
}

std::string_view name_of(Overlap overlap) {
  switch (overlap) {
    case Overlap::allow:
      return "allow";
    case Overlap::skip:
      return "skip";
    case Overlap::queue_one:
      return "queue_one";
  }
  return "unknown";
}

std::string_view name_of(TickResult result) {
  switch (result) {
    case TickResult::fired:
      return "fired";
    case TickResult::overlap:
      return "overlap";
    case TickResult::paused:
      return "paused";
    case TickResult::missed:
      return "missed";
    case TickResult::tenant:
      return "tenant";
    case TickResult::refused:
      return "refused";
  }
  return "unknown";
}

Result<void> read_scope(std::string_view text, ScheduleEntry& entry) {
  entry.tenant.clear();
  if (text == "global") {
    entry.scope = ScheduleScope::global;
  } else if (text == "each_tenant") {
    entry.scope = ScheduleScope::each_tenant;
  } else if (text.starts_with(kTenantPrefix)) {
    entry.scope = ScheduleScope::tenant;
    entry.tenant = text.substr(kTenantPrefix.size());
  } else {
    return fail(
        ErrorCode::bad_options,
        fmt::format("{} is no scope: it is global, tenant:NAME or each_tenant", escaped(text, kTextShown)));
  }
  return {};
}

Result<void> read_catch_up(std::string_view text, ScheduleEntry& entry) {
  entry.catch_up_max = 1;
  if (text == "none") {
    entry.catch_up = CatchUp::none;
    return {};
  }
  if (text == "latest") {
    entry.catch_up = CatchUp::latest;
    return {};
  }
  entry.catch_up = CatchUp::all;
  const std::string_view number = text.starts_with(kAllPrefix) ? text.substr(kAllPrefix.size()) : "";
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), entry.catch_up_max);
  if (!number.empty() && error == std::errc{} && end == number.data() + number.size() &&
      entry.catch_up_max >= 1 && entry.catch_up_max <= kCatchUpMax)
    return {};
  entry.catch_up_max = 1;
  return fail(ErrorCode::bad_options,
              fmt::format("{} is no rule to catch up: it is none, latest, or all:1 to all:{}",
                          escaped(text, kTextShown), kCatchUpMax));
}

Result<Overlap> read_overlap(std::string_view text) {
  for (const Overlap overlap : {Overlap::allow, Overlap::skip, Overlap::queue_one})
    if (text == name_of(overlap)) return overlap;
  return fail(ErrorCode::bad_options, fmt::format("{} is no overlap policy: it is allow, skip or queue_one",
                                                  escaped(text, kTextShown)));
}

DeclaredSchedule declared_schedule(ScheduleEntry entry, std::string_view scope, std::string_view catch_up,
                                   std::string_view overlap) {
  DeclaredSchedule declared{.entry = std::move(entry), .problem = {}};
  const auto problem = [&](const auto& result) {
    if (!result && declared.problem.empty()) declared.problem = result.error().message;
  };
  problem(read_scope(scope, declared.entry));
  problem(read_catch_up(catch_up, declared.entry));
  const auto policy = read_overlap(overlap);
  problem(policy);
  if (policy) declared.entry.overlap = *policy;
  return declared;
}

std::string scope_text(const ScheduleEntry& entry) {
  if (entry.scope == ScheduleScope::tenant) return std::string{kTenantPrefix} + entry.tenant;
  return std::string{name_of(entry.scope)};
}

std::string catch_up_text(const ScheduleEntry& entry) {
  if (entry.catch_up == CatchUp::all) return std::string{kAllPrefix} + std::to_string(entry.catch_up_max);
  return std::string{name_of(entry.catch_up)};
}

Result<void> check_schedule(const ScheduleEntry& entry) {
  if (auto name = check_name(NameOf::queue, entry.name); !name)
    return fail(ErrorCode::bad_options, fmt::format("{} is no name of a schedule, which is as one of a queue",
                                                    escaped(entry.name, kTextShown)));
  NewJob job{.queue = entry.queue,
             .kind = entry.kind,
             .priority = Priority{entry.priority},
             .attempts_max = entry.attempts_max};
  if (auto fits = check_new_job(job); !fits) return fits;
  if (const auto rule = read_rule(entry.rule); !rule) return tl::unexpected(rule.error());
  if (auto fits = check_target(entry); !fits) return fits;
  if (auto fits = check_bounds(entry); !fits) return fits;
  try {  // a border: arguments are read by exceptions
    ScheduledArguments context{entry};
    static_cast<void>(canonical_arguments(entry.arguments, context, {}));
  } catch (const Error& error) {
    return tl::unexpected(error.failure());
  }
  return {};
}

std::chrono::microseconds spread_of(const ScheduleEntry& entry, std::string_view tenant) {
  if (entry.spread <= std::chrono::microseconds{0}) return std::chrono::microseconds{0};
  const auto digest = sha256(fmt::format("tenure spread/1\n{}\n{}", entry.name, tenant));
  return std::chrono::microseconds{
      static_cast<std::int64_t>(number_in(digest, 0) % static_cast<std::uint64_t>(entry.spread.count()))};
}

JobId job_id_of_tick(std::string_view schedule, WallTime tick, std::string_view tenant, Generation generation,
                     bool is_manual) {
  return derived_job_id(fmt::format("tenure tick/1\n{}\n{}\n{}\n{}\n{}", schedule, to_us(tick), tenant,
                                    generation.value, is_manual ? "manual" : "tick"),
                        tick);
}

std::optional<TickOrder> due_order(const ScheduleRecord& schedule, const ScheduleRule& rule, WallTime now) {
  TickOrder order{.schedule = schedule.number,
                  .revision = schedule.revision,
                  .decided = schedule.decided,
                  .fire = {},
                  .until = schedule.decided};
  if (schedule.paused) {
    const Passed passed = ticks_between(rule, std::max(schedule.decided, schedule.noted), now, kTicksTold);
    if (passed.newest.empty()) return std::nullopt;
    order.paused.assign(passed.newest.begin(), passed.newest.end());
    return order;
  }
  const auto kept = std::max(kTicksTold, static_cast<std::size_t>(schedule.entry.catch_up_max));
  Passed due = ticks_between(rule, schedule.decided, now, kept);
  if (due.newest.empty()) return std::nullopt;
  const std::size_t fires = firing(schedule.entry, due.newest, now);
  const auto first = due.newest.end() - static_cast<std::ptrdiff_t>(fires);
  order.missed_count = due.count - static_cast<std::int64_t>(fires);
  order.missed.assign(due.newest.begin(), first);
  if (order.missed.size() > kTicksTold)
    order.missed.erase(order.missed.begin(), order.missed.end() - static_cast<std::ptrdiff_t>(kTicksTold));
  // One tick at a time; those behind it are due still.
  if (fires > 0) order.fire = *first;
  order.until = fires > 0 ? *first : due.newest.back();
  return order;
}

std::optional<WallTime> next_due_of(const ScheduleRecord& schedule, const ScheduleRule& rule) {
  return next_tick(rule, schedule.paused ? std::max(schedule.decided, schedule.noted) : schedule.decided);
}

}  // namespace tenure::queue
