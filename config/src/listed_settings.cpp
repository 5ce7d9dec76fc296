#include "setting.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/names.hpp>
#include <tenure/base/start_rate.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

// Settings of the sections of which there may be several: [[pool]], [[schedule]], [[limit]].
namespace tenure::config {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMemoryMin = 16ULL << 20U;  // a process that has done nothing has less
constexpr std::uint64_t kMemoryMax = 1ULL << 40U;

constexpr std::size_t kPoolTenantsMax = 1000;

const TextRule kPoolTenantRule{[] {
                                 return fmt::format("a tenant's name, none, or one of them behind !; {}",
                                                    name_rule(NameOf::tenant));
                               },
                               [](std::string_view text) {
                                 if (text.starts_with('!')) text.remove_prefix(1);
                                 return text == "none" || broken_name_rule(NameOf::tenant, text).empty();
                               }};

const std::array kPoolSettings{
    Setting<PoolSettings>{.section = kPoolSection,
                          .key = "name",
                          .rule = kNameRule<NameOf::pool>,
                          .field = [](PoolSettings& p) -> Field { return &p.name; },
                          .help = "The pool's name in logs and commands; each pool has its own.",
                          .required = true},
    Setting<PoolSettings>{.section = kPoolSection,
                          .key = "program",
                          .rule = PathRule{.may_be_empty = false},
                          .field = [](PoolSettings& p) -> Field { return &p.program; },
                          .help = "Your worker program, linked with tenure::worker.",
                          .taken_over = TakenOver::by_new_workers,
                          .required = true},
    Setting<PoolSettings>{.section = kPoolSection,
                          .key = "processes",
                          .rule = IntegerRule{1, 64},
                          .field = [](PoolSettings& p) -> Field { return &p.processes; },
                          .help = "Worker processes. A job that crashes ends only its own.",
                          .taken_over = TakenOver::by_reload},
    Setting<PoolSettings>{.section = kPoolSection,
                          .key = "slots",
                          .rule = IntegerRule{1, 1024},
                          .field = [](PoolSettings& p) -> Field { return &p.slots; },
                          .help = "Jobs at once in one process.",
                          .taken_over = TakenOver::by_new_workers},
    Setting<PoolSettings>{
        .section = kPoolSection,
        .key = "time_limit",
        .rule = DurationRule{limits::kTimeLimitMin, limits::kTimeLimitMax},
        .field = [](PoolSettings& p) -> Field { return &p.time_limit; },
        .help = "How long one run of a job may take whose kind states no time limit. At 80 % of it its stop "
                "token is\n"
                "set, at its end the worker process is replaced; the other jobs in it run again at no cost.",
        .taken_over = TakenOver::by_new_workers},
    Setting<PoolSettings>{.section = kPoolSection,
                          .key = "jobs_max",
                          .rule = IntegerRule{0, 1'000'000'000},
                          .field = [](PoolSettings& p) -> Field { return &p.jobs_max; },
                          .help = "A worker process that has performed so many jobs is replaced, without "
                                  "interrupting one; 0: never\n"
                                  "for that.",
                          .taken_over = TakenOver::by_reload},
    Setting<PoolSettings>{
        .section = kPoolSection,
        .key = "memory_max",
        .rule = SizeRule{kMemoryMin, kMemoryMax},
        .field = [](PoolSettings& p) -> Field { return &p.memory_max; },
        .help = "A worker process that has performed jobs and has more memory than this (resident) is "
                "replaced, one\n"
                "at a time and without interrupting a job. Looked at every sixth of daemon.ping_max.",
        .taken_over = TakenOver::by_reload},
    Setting<PoolSettings>{.section = kPoolSection,
                          .key = "queues",
                          .rule = TextListRule{.element = kNameRule<NameOf::queue>, .count_max = 200},
                          .field = [](PoolSettings& p) -> Field { return &p.queues; },
                          .help = "What the pool performs, strictly in this order."},
    Setting<PoolSettings>{
        .section = kPoolSection,
        .key = "reserved",
        .rule = ReservedRule{},
        .field = [](PoolSettings& p) -> Field { return &p.reserved; },
        .help = "Slots of the pool, over all its processes, that are kept for jobs of a priority or better. "
                "Those that\n"
                "slots are kept from are not assigned ahead of busy ones.",
        .taken_over = TakenOver::by_reload},
    Setting<PoolSettings>{
        .section = kPoolSection,
        .key = "tenants",
        .rule = TextListRule{.element = kPoolTenantRule, .count_max = kPoolTenantsMax, .count_min = 0},
        .field = [](PoolSettings& p) -> Field { return &p.tenants; },
        .help = "Whose jobs the pool takes. Empty: all; [\"acme\"]: only these; [\"!acme\"]: all but these. "
                "none stands for\njobs without a tenant.",
        .taken_over = TakenOver::by_reload},
};

template <class Section, class Value>
Section section_of(Value Section::*member);
template <auto kMember>
using SectionOf = decltype(section_of(kMember));
template <auto kMember>
Field field_of(SectionOf<kMember>& section) {
  return &(section.*kMember);
}

template <class Section>
constexpr std::string_view kNameOfSection;
template <>
constexpr std::string_view kNameOfSection<ScheduleSettings> = kScheduleSection;
template <>
constexpr std::string_view kNameOfSection<LimitSettings> = kLimitSection;

template <auto kMember>
Setting<SectionOf<kMember>> setting_of(std::string_view key, Rule rule, std::string_view help,
                                       bool required = false) {
  return {.section = kNameOfSection<SectionOf<kMember>>,
          .key = key,
          .rule = std::move(rule),
          .field = &field_of<kMember>,
          .help = help,
          .taken_over = TakenOver::by_reload,
          .required = required};
}

const TextRule kScheduleTextRule{[] { return fmt::format("at most {} bytes", limits::kPayloadMax); },
                                 [](std::string_view text) { return text.size() <= limits::kPayloadMax; }};

// Lax: a wrong value of one schedule must not keep the daemon from its work (queue/schedule.hpp says what is right).
const std::array kScheduleSettings{
    setting_of<&ScheduleSettings::name>("name", kScheduleTextRule,
                                        "Its name in lists and commands; each schedule has its own.", true),
    setting_of<&ScheduleSettings::kind>("kind", kScheduleTextRule, "Of the jobs that its ticks make.", true),
    setting_of<&ScheduleSettings::queue>("queue", kScheduleTextRule, "Of its jobs."),
    setting_of<&ScheduleSettings::priority>("priority",
                                            IntegerRule{limits::kPriorityHighest, limits::kPriorityLowest},
                                            "Of its jobs; lower runs first."),
    setting_of<&ScheduleSettings::attempts>("attempts", IntegerRule{1, limits::kAttemptsMax},
                                            "That each of its jobs may fail, at most."),
    setting_of<&ScheduleSettings::cron>(
        "cron", kScheduleTextRule,
        "Minute, hour, day of the month, month, day of the week, or six fields with seconds first. "
        "Empty where\nevery is given."),
    setting_of<&ScheduleSettings::every>(
        "every", DurationRule{0ms, 24h * 366},
        "An interval of whole seconds, in place of cron: at its multiples since 1970, UTC."),
    setting_of<&ScheduleSettings::time_zone>(
        "time_zone", kScheduleTextRule,
        "In which cron is read, as in Europe/Berlin. Where clocks are put forward, a skipped time runs "
        "once right\nafter; where they are put back, a repeated one the first time."),
    setting_of<&ScheduleSettings::arguments>("arguments", kScheduleTextRule, "Of its jobs, as JSON."),
    setting_of<&ScheduleSettings::scope>(
        "scope", kScheduleTextRule,
        "One job a tick without a tenant (global), of one tenant (tenant:acme), or of each active tenant "
        "(each_tenant)."),
    setting_of<&ScheduleSettings::spread>(
        "spread", DurationRule{0ms, 24h * 7},
        "Of each_tenant: the jobs of a tick are due within this time, each tenant's at its own moment, the "
        "same each\ntick."),
    setting_of<&ScheduleSettings::catch_up>(
        "catch_up", kScheduleTextRule,
        "Of ticks that nobody could decide for 30 s: none of them fires, the latest, or the last n "
        "(all:24)."),
    setting_of<&ScheduleSettings::overlap>(
        "overlap", kScheduleTextRule,
        "While a job of an earlier tick has not ended: skip the tick, allow another job, or queue_one, "
        "which waits\nfor it. Of each tenant by itself."),
};

constexpr std::size_t kPatternMax = 200;
const TextRule kPatternRule{
    [] { return fmt::format("a name or a pattern with * and ?, at most {} bytes", kPatternMax); },
    [](std::string_view text) {
      return !text.empty() && text.size() <= kPatternMax &&
             std::ranges::all_of(text, [](char c) { return c > ' ' && c < 127; });
    }};

bool is_limit_per(std::string_view text) {
  if (text == "key") return true;  // a key is of its tenant already
  constexpr std::array<std::string_view, 3> kWords{"tenant", "kind", "queue"};
  std::set<std::string_view> said;
  for (std::size_t at = 0; !text.empty() && at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    if (std::ranges::find(kWords, word) == kWords.end() || !said.insert(word).second) return false;
    at = end + 1;
  }
  return true;
}
const TextRule kPerRule{
    [] { return std::string{"tenant, kind, queue, or several of them with commas; key; or empty"}; },
    is_limit_per};
const TextRule kRateRule{[] { return std::string{"starts, a slash and a time of 1s to 24h; or empty"}; },
                         [](std::string_view text) { return text.empty() || parse_start_rate(text); }};
constexpr std::int64_t kCapMax = 1'000'000;

// Strict: a limit that does not hold what it should is noticed too late.
const std::array kLimitSettings{
    setting_of<&LimitSettings::name>("name", kNameRule<NameOf::queue>,
                                     "Its name in lists and commands; each limit has its own.", true),
    setting_of<&LimitSettings::kind>("kind", kPatternRule, "Which kinds it takes."),
    setting_of<&LimitSettings::queue>("queue", kPatternRule, "Of which queues."),
    setting_of<&LimitSettings::per>(
        "per", kPerRule, "By what is counted separately, which may be the concurrency key. Empty: all together."),
    setting_of<&LimitSettings::running>(
        "running", IntegerRule{0, kCapMax},
        "So many of those that are counted together run at a time. 0: no bound."),
    setting_of<&LimitSettings::rate>(
        "rate", kRateRule,
        "So many of them start in any stretch of that length, as in 100/1m. Empty: no bound."),
};

}  // namespace

std::span<const Setting<PoolSettings>> pool_settings() { return kPoolSettings; }
std::span<const Setting<ScheduleSettings>> schedule_settings() { return kScheduleSettings; }
std::span<const Setting<LimitSettings>> limit_settings() { return kLimitSettings; }

}  // namespace tenure::config
