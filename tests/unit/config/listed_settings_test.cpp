#include "scratch_folder.hpp"

#include <tenure/config/load.hpp>

#include <gmock/gmock.h>

#include <chrono>
#include <string>
#include <vector>

// Sections that may be written several times: schedules and limits.
namespace tenure::config {
namespace {

using ::testing::IsEmpty;

class ListedSections : public ScratchFolder {};

TEST_F(ListedSections, SchedulesAreReadAsTheyAreWrittenSoThatABadOneStopsNoOther) {
  const LoadedSettings loaded = read(R"([[schedule]]
name = "monthly-report"
kind = "reports.monthly"
cron = "0 3 1 * *"
time_zone = "Europe/Berlin"
arguments = '{"format":"pdf"}'
scope = "each_tenant"
spread = "30m"
catch_up = "all:24"
overlap = "queue_one"
queue = "reports"
priority = -5
attempts = 3

[[schedule]]
name = "No Name"
kind = "No Kind"
cron = "no cron"
every = "15m"
scope = "nowhere"
)");
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_THAT(loaded.settings.schedules,
              ::testing::ElementsAre(ScheduleSettings{.name = "monthly-report",
                                                      .kind = "reports.monthly",
                                                      .queue = "reports",
                                                      .priority = -5,
                                                      .attempts = 3,
                                                      .cron = "0 3 1 * *",
                                                      .time_zone = "Europe/Berlin",
                                                      .arguments = R"({"format":"pdf"})",
                                                      .scope = "each_tenant",
                                                      .spread = std::chrono::minutes{30},
                                                      .catch_up = "all:24",
                                                      .overlap = "queue_one"},
                                     ScheduleSettings{.name = "No Name",
                                                      .kind = "No Kind",
                                                      .cron = "no cron",
                                                      .every = std::chrono::minutes{15},
                                                      .scope = "nowhere"}));
}

TEST_F(ListedSections, AScheduleHasNameAndKindAndItsNameAlone) {
  const LoadedSettings loaded = read(
      "[[schedule]]\nkind = \"a.b\"\n[[schedule]]\nname = \"b\"\nkind = \"a.b\"\ncrno = \"\"\n"
      "[[schedule]]\nname = \"b\"\nkind = \"a.b\"\n");
  std::vector<std::string> keys;
  for (const Problem& problem : loaded.problems) keys.push_back(problem.key);
  EXPECT_THAT(keys, ::testing::IsSupersetOf({"schedule[0].name", "schedule.crno", "schedule[2].name"}));
}

TEST_F(ListedSections, LimitsAreAListOfSections) {
  const LoadedSettings loaded = read(
      "[[limit]]\nname = \"reports-per-tenant\"\nkind = \"reports.*\"\nper = \"tenant\"\nrunning = 2\n"
      "[[limit]]\nname = \"mail\"\nqueue = \"mailers\"\nrate = \"100/1m\"\n");
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_THAT(
      loaded.settings.limits,
      ::testing::ElementsAre(
          LimitSettings{.name = "reports-per-tenant", .kind = "reports.*", .per = "tenant", .running = 2},
          LimitSettings{.name = "mail", .queue = "mailers", .rate = "100/1m"}));
}

// Unlike a schedule's: what a wrong limit does not hold would be noticed too late.
TEST_F(ListedSections, AWrongLimitIsAProblem) {
  const auto keys_of = [&](const std::string& lines) {
    std::vector<std::string> keys;
    for (const Problem& problem : read("[[limit]]\n" + lines).problems) keys.push_back(problem.key);
    return keys;
  };
  EXPECT_THAT(keys_of("running = 2\n"), ::testing::Contains("limit[0].name"));
  EXPECT_THAT(keys_of("name = \"No Name\"\nrunning = 2\n"), ::testing::Contains("limit[0].name"));
  EXPECT_THAT(keys_of("name = \"a\"\n"), ::testing::ElementsAre("limit[0]")) << "it allows anything";
  EXPECT_THAT(keys_of("name = \"a\"\nrunning = 2\nper = \"keys\"\n"), ::testing::Contains("limit[0].per"));
  EXPECT_THAT(keys_of("name = \"a\"\nrunning = 2\nper = \"tenant,key\"\n"),
              ::testing::Contains("limit[0].per"));
  EXPECT_THAT(keys_of("name = \"a\"\nrate = \"9/1m\"\nper = \"key\"\n"), ::testing::Contains("limit[0]"))
      << "of a key it says how many run";
  EXPECT_THAT(keys_of("name = \"a\"\nrunning = 2\nper = \"key\"\n"), ::testing::IsEmpty());
  EXPECT_THAT(keys_of("name = \"a\"\nrate = \"100 a minute\"\n"), ::testing::Contains("limit[0].rate"));
  EXPECT_THAT(keys_of("name = \"a\"\nrunning = -1\n"), ::testing::Contains("limit[0].running"));
  EXPECT_THAT(keys_of("name = \"a\"\nrunning = 1\nkind = \"\"\n"), ::testing::Contains("limit[0].kind"));
  EXPECT_THAT(keys_of("name = \"a\"\nrunning = 1\n[[limit]]\nname = \"a\"\nrunning = 1\n"),
              ::testing::Contains("limit[1].name"));
}

}  // namespace
}  // namespace tenure::config
