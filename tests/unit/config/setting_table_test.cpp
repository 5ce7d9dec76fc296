#include "scratch_folder.hpp"
#include "support/golden.hpp"

#include <tenure/config/setting_table.hpp>

#include <gmock/gmock.h>

#include <sstream>

namespace tenure::config {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::string_view kNameLetters = "abcdefghijklmnopqrstuvwxyz_";

TEST(SettingTable, CFG_05_EverySettingHasUnitDefaultLimitAndHelp) {
  for (const SettingInfo& info : all_settings()) {
    EXPECT_THAT(info.type, Not(IsEmpty())) << info.key;
    EXPECT_THAT(info.limits, Not(IsEmpty())) << info.key;
    EXPECT_THAT(info.help, Not(IsEmpty())) << info.key;
    const bool is_required = info.key == "pool.name" || info.key == "pool.program" ||
                             info.key == "schedule.name" || info.key == "schedule.kind" ||
                             info.key == "limit.name";
    EXPECT_EQ(info.default_value.empty(), is_required) << info.key;
    EXPECT_TRUE(sample().find(info.key.substr(info.key.find('.') + 1) + " = ") != std::string::npos)
        << info.key;
  }
}

// `#name = value`, `#[[pool]]` and `#[[schedule]]` without their mark; prose has a space behind it.
std::string with_settings_uncommented(const std::string& text) {
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line); result += line + '\n') {
    const bool setting = line.starts_with('#') && line.find_first_not_of(kNameLetters, 1) == line.find(" = ");
    if (line.starts_with("#[[") || (setting && line.find(" = ") != std::string::npos)) line.erase(0, 1);
  }
  return result;
}

class Sample : public ScratchFolder {};

TEST_F(Sample, CFG_05_LoadsToTheDefaults) {
  const LoadedSettings loaded = read(sample());
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_EQ(loaded.settings, Settings{});
}

TEST_F(Sample, CFG_05_ItsPoolLoadsToTheDefaultsOfAPool) {
  const LoadedSettings loaded = read(with_settings_uncommented(sample()));
  ASSERT_THAT(loaded.problems, IsEmpty());
  EXPECT_THAT(loaded.settings.pools, ::testing::ElementsAre(PoolSettings{
                                         .name = "general", .program = "/usr/lib/billing/billing-worker"}));
}

TEST_F(Sample, CFG_05_ItsScheduleLoadsToTheDefaultsOfASchedule) {
  const LoadedSettings loaded = read(with_settings_uncommented(sample()));
  EXPECT_THAT(loaded.settings.schedules,
              ::testing::ElementsAre(ScheduleSettings{
                  .name = "monthly-report", .kind = "reports.monthly", .cron = "0 3 1 * *"}));
}

TEST_F(Sample, CFG_05_StaysAsItIs) {
  testing::expect_golden(sample(), std::filesystem::path(TENURE_GOLDEN_FOLDER) / "sample.toml");
}

TEST(SettingTable, CFG_09_TheHelpOfDurabilitySaysWhatAPowerCutMayLose) {
  const auto info = find_setting("store.durability");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->default_value, "\"durable\"");
  EXPECT_THAT(info->help, HasSubstr("power cut"));
  EXPECT_THAT(info->help, HasSubstr("lose"));
}

TEST(SettingTable, SuggestsTheKeyThatWasMeant) {
  EXPECT_EQ(nearest_setting("store.pol"), "store.poll");
  EXPECT_EQ(nearest_setting("daemon.poll"), "store.poll");  // the right word in the wrong section
  EXPECT_EQ(nearest_setting("stor.path"), "store.path");
  EXPECT_EQ(nearest_setting("poll"), "store.poll");
  EXPECT_EQ(nearest_setting("pool.slot"), "pool.slots");
  EXPECT_EQ(nearest_setting("weather.tomorrow"), std::nullopt);
}

TEST(SettingTable, FindsByTheWholeKeyOnly) {
  EXPECT_EQ(find_setting("store.poll")->environment, "TENURE_STORE_POLL");
  EXPECT_EQ(find_setting("pool.slots")->environment, "");
  EXPECT_FALSE(find_setting("poll"));
}

}  // namespace
}  // namespace tenure::config
