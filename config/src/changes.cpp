#include "setting.hpp"

#include <tenure/config/changes.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <variant>

namespace tenure::config {
namespace {

// Both are of the same setting.
void copy_field(const Field& to, const Field& from) {
  std::visit(
      [&]<class Target>(const Target& target) {
        const Target& source = std::get<Target>(from);
        if constexpr (std::is_same_v<Target, ChoiceField>) target.set(target.value, source.get(source.value));
        else *target = *source;
      },
      to);
}

class Comparison {
 public:
  Comparison(const Settings& before, const Settings& after) : after_(after) { result_.settings = before; }

  Changes made() {
    bool all_workers_are_old = false;
    for (const auto& setting : plain_settings()) all_workers_are_old |= compare_plain(setting);
    result_.workers_are_old.assign(result_.settings.pools.size(), all_workers_are_old);
    for (std::size_t pool = 0; pool < result_.settings.pools.size(); ++pool) compare_pool(pool);
    for (const PoolSettings& pool : after_.pools) {
      if (find_pool(result_.settings, pool.name) == nullptr)
        result_.at_start.push_back(fmt::format("pool {}, which is new", pool.name));
    }
    compare_schedules();
    compare_limits();
    return std::move(result_);
  }

 private:
  static PoolSettings* find_pool(Settings& settings, std::string_view name) {
    const auto found = std::ranges::find(settings.pools, name, &PoolSettings::name);
    return found == settings.pools.end() ? nullptr : &*found;
  }

  // Whether worker processes have read it.
  bool compare_plain(const Setting<Settings>& setting) {
    if (value_in(setting, result_.settings) == value_in(setting, after_)) return false;
    const std::string key = fmt::format("{}.{}", setting.section, setting.key);
    if (setting.taken_over == TakenOver::at_start) {
      result_.at_start.push_back(key);
      return false;
    }
    copy_field(setting.field(result_.settings), setting.field(after_));
    note_taken_over(setting.taken_over, key);
    return setting.taken_over == TakenOver::by_new_workers;
  }

  void note_taken_over(TakenOver how, const std::string& key) {
    (how == TakenOver::by_new_workers ? result_.by_new_workers : result_.taken_over).push_back(key);
  }

  static const ScheduleSettings* find_schedule(const Settings& settings, std::string_view name) {
    const auto found = std::ranges::find(settings.schedules, name, &ScheduleSettings::name);
    return found == settings.schedules.end() ? nullptr : &*found;
  }

  // All of them are taken over.
  void compare_schedules() {
    for (const ScheduleSettings& schedule : result_.settings.schedules)
      if (find_schedule(after_, schedule.name) == nullptr)
        result_.taken_over.push_back(fmt::format("schedule {}, which is gone", schedule.name));
    for (const ScheduleSettings& schedule : after_.schedules) {
      const ScheduleSettings* const former = find_schedule(result_.settings, schedule.name);
      if (former == nullptr)
        result_.taken_over.push_back(fmt::format("schedule {}, which is new", schedule.name));
      else if (*former != schedule) result_.taken_over.push_back(fmt::format("schedule {}", schedule.name));
    }
    result_.settings.schedules = after_.schedules;
  }

  void compare_limits() {
    const auto find = [](const Settings& settings, std::string_view name) -> const LimitSettings* {
      const auto found = std::ranges::find(settings.limits, name, &LimitSettings::name);
      return found == settings.limits.end() ? nullptr : &*found;
    };
    for (const LimitSettings& limit : result_.settings.limits)
      if (find(after_, limit.name) == nullptr)
        result_.taken_over.push_back(fmt::format("limit {}, which is gone", limit.name));
    for (const LimitSettings& limit : after_.limits) {
      const LimitSettings* const former = find(result_.settings, limit.name);
      if (former == nullptr) result_.taken_over.push_back(fmt::format("limit {}, which is new", limit.name));
      else if (*former != limit) result_.taken_over.push_back(fmt::format("limit {}", limit.name));
    }
    result_.settings.limits = after_.limits;
  }

  void compare_pool(std::size_t number) {
    PoolSettings& pool = result_.settings.pools[number];
    PoolSettings* const fresh = find_pool(after_, pool.name);
    if (fresh == nullptr) return result_.at_start.push_back(fmt::format("pool {}, which is gone", pool.name));
    for (const auto& setting : pool_settings()) {
      if (value_in(setting, pool) == value_in(setting, *fresh)) continue;
      const std::string key = fmt::format("pool.{} of {}", setting.key, pool.name);
      if (setting.taken_over == TakenOver::at_start) {
        result_.at_start.push_back(key);
        continue;
      }
      copy_field(setting.field(pool), setting.field(*fresh));
      note_taken_over(setting.taken_over, key);
      if (setting.taken_over == TakenOver::by_new_workers) result_.workers_are_old[number] = true;
    }
  }

  Settings after_;  // a copy, since the tables' fields are of what can be changed
  Changes result_;
};

}  // namespace

Changes changes(const Settings& before, const Settings& after) { return Comparison(before, after).made(); }

}  // namespace tenure::config
