#pragma once

#include "values.hpp"

#include <tenure/base/names.hpp>
#include <tenure/config/setting_table.hpp>
#include <tenure/config/settings.hpp>

#include <span>
#include <string>
#include <string_view>

// The tables in which each setting is declared once.
namespace tenure::config {

template <class Owner>
struct Setting {
  std::string_view section;
  std::string_view key;
  Rule rule;
  Field (*field)(Owner&);
  std::string_view help;  // sentences, without the limits; one line of the sample each at '\n'
  TakenOver taken_over = TakenOver::at_start;
  bool required = false;       // only of pools, schedules and limits
  bool may_be_secret = false;  // what somebody wrote by mistake: no message quotes it
};

// A name of that sort.
template <NameOf kWhat>
inline constexpr TextRule kNameRule{
    [] { return name_rule(kWhat); },
    [](std::string_view text) { return broken_name_rule(kWhat, text).empty(); }};

[[nodiscard]] std::span<const Setting<Settings>> plain_settings();
[[nodiscard]] std::span<const Setting<PoolSettings>> pool_settings();
[[nodiscard]] std::span<const Setting<ScheduleSettings>> schedule_settings();
[[nodiscard]] std::span<const Setting<LimitSettings>> limit_settings();

inline constexpr std::string_view kPoolSection = "pool";
inline constexpr std::size_t kPoolsMax = 64;
inline constexpr std::string_view kScheduleSection = "schedule";
inline constexpr std::size_t kSchedulesMax = 1000;
inline constexpr std::string_view kLimitSection = "limit";
inline constexpr std::size_t kLimitsMax = 500;
// In the sample and in lists, pools, schedules and limits stand before it.
inline constexpr std::string_view kSectionAfterPools = "http";

[[nodiscard]] std::string environment_name(std::string_view section, std::string_view key);

// As the file would say it. (The field is only read.)
template <class Owner>
[[nodiscard]] std::string value_in(const Setting<Owner>& setting, const Owner& owner) {
  return value_text(setting.rule, setting.field(const_cast<Owner&>(owner)));
}

}  // namespace tenure::config
