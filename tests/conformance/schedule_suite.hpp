#pragma once

#include "store_suite.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Schedules on each store. A dispatcher is played by `decide`, which asks of each schedule what it asks.
namespace tenure::testing {

class ScheduleSuite : public StoreSuite {
 protected:
  // 2023-11-15 00:00 UTC, a day behind the suite's beginning.
  static constexpr WallTime kMidnight{std::chrono::sys_days{std::chrono::year{2023} / 11 / 15}};

  ScheduleSuite() { now_ = kMidnight; }

  // Each hour, without a tenant.
  static ScheduleEntry hourly(std::string name = "hourly") {
    ScheduleEntry entry;
    entry.name = std::move(name);
    entry.kind = "reports.hourly";
    entry.rule.every = hours{1};
    entry.overlap = Overlap::allow;
    return entry;
  }

  void declare(const std::vector<ScheduleEntry>& entries) {
    std::vector<DeclaredSchedule> declared;
    for (const ScheduleEntry& entry : entries) declared.push_back({entry});
    write([&](StoreWriter& writer) { writer.schedules().declare(declared, now_); });
  }
  std::optional<OpenSchedules> open(SchedulesMark known) {
    return written([&](StoreWriter& writer) { return writer.schedules().open(known); });
  }
  std::vector<ShownSchedule> shown() {
    return asked([](JobReader& reader) { return reader.schedules().schedules(); });
  }
  ShownSchedule shown(std::string_view name) {
    for (const ShownSchedule& one : shown())
      if (one.record.entry.name == name) return one;
    ADD_FAILURE() << "there is no schedule " << name;
    return {};
  }
  std::vector<TickRecord> ticks(std::string_view name) {
    const ScheduleNumber number = shown(name).record.number;
    return asked([&](JobReader& reader) { return reader.schedules().ticks(number, 1000); });
  }
  std::vector<JobRecord> jobs() {
    return asked([&](JobReader& reader) {
             return reader.list_jobs(Filter{}, {.limit = 1000, .after = {}, .order = ListOrder::oldest_first},
                                     now_);
           })
        .jobs;
  }
  std::vector<WallTime> due_times() {
    std::vector<WallTime> due;
    for (const JobRecord& job : jobs()) due.push_back(job.due);
    return due;
  }

  // What a dispatcher orders now of that schedule; nothing where it is not due.
  static std::optional<TickOrder> order_of(const ScheduleRecord& schedule, WallTime now) {
    if (schedule.fan_out)
      return TickOrder{.schedule = schedule.number,
                       .revision = schedule.revision,
                       .decided = schedule.decided,
                       .until = schedule.decided};
    return due_order(schedule, value_or_raise(read_rule(schedule.entry.rule)), now);
  }
  // All that is due now, of all schedules, as one dispatcher after another would. Returns what it was told.
  std::vector<TickReply> decide(std::size_t limit = 100) {
    std::vector<TickReply> replies;
    write([&](StoreWriter& writer) {
      for (bool is_any = true; is_any;) {
        is_any = false;
        const auto all = writer.schedules().open(SchedulesMark{-1});
        for (const ScheduleRecord& schedule : all->schedules) {
          const auto order = order_of(schedule, now_);
          if (!order) continue;
          replies.push_back(writer.schedules().tick(*order, limit, now_));
          is_any = is_any || !replies.back().is_waiting;
        }
        ASSERT_LT(replies.size(), 10'000U) << "it never ends";
      }
    });
    return replies;
  }
  void release() {
    write([&](StoreWriter& writer) {
      JobSeq after{0};
      for (std::optional<JobSeq> next = after; next; after = *next) {
        next = writer.schedules().release_blocked(after, 2, now_).read_until;
        if (!next) break;
      }
    });
  }
  void pause(std::string_view name) {
    value_or_raise(written([&](StoreWriter& writer) {
      return writer.schedules().pause(name, {.since = now_, .uid = 7, .login = "ann", .reason = "a test"});
    }));
  }
  void resume(std::string_view name) {
    value_or_raise(written([&](StoreWriter& writer) { return writer.schedules().resume(name); }));
  }
  Result<Enqueued> run_now(std::string_view name, std::optional<std::string_view> tenant = std::nullopt) {
    std::optional<TenantName> named;
    if (tenant) named = value_or_raise(TenantName::parse(*tenant));
    return written([&](StoreWriter& writer) { return writer.schedules().run_now(name, named, now_); });
  }
  // But for claims, whose dispatcher is played.
  std::vector<Defect> defects() {
    std::vector<Defect> found;
    for (const DefectRecord& record :
         asked([](JobReader& reader) { return reader.defects(PageCheck::none); }))
      if (record.defect != Defect::claim_without_holder) found.push_back(record.defect);
    return found;
  }
  void active_tenant(std::string_view name) {
    create_tenant(name);
    set_tenant_state(name, TenantState::active);
  }
  std::size_t unfinished() {
    return static_cast<std::size_t>(std::ranges::count_if(jobs(), [](const JobRecord& job) {
      return job.state < ShownState::succeeded || job.state >= ShownState::running;
    }));
  }
};

}  // namespace tenure::testing
