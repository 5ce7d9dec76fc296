#include <tenure/config/changes.hpp>

#include <gmock/gmock.h>

namespace tenure::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

Settings two_pools() {
  Settings settings;
  settings.pools = {{.name = "general", .program = "/usr/bin/worker"},
                    {.name = "heavy", .program = "/usr/bin/worker"}};
  return settings;
}

TEST(Changes, NothingChangedIsNothingToDo) {
  const Changes none = changes(two_pools(), two_pools());
  EXPECT_EQ(none.settings, two_pools());
  EXPECT_THAT(none.taken_over, IsEmpty());
  EXPECT_THAT(none.by_new_workers, IsEmpty());
  EXPECT_THAT(none.at_start, IsEmpty());
  EXPECT_THAT(none.workers_are_old, ElementsAre(false, false));
}

TEST(Changes, STP_09_WhatTheDaemonAloneReadsIsTakenOverAtOnce) {
  Settings after = two_pools();
  after.daemon.stop_deadline = 5s;
  after.store.poll = 2s;
  after.retention.dead = 48h;
  after.pools[0].processes = 7;
  after.pools[1].tenants = {"!acme"};
  after.pools[1].reserved = {{-10, 1}};
  const Changes found = changes(two_pools(), after);
  EXPECT_EQ(found.settings, after);
  EXPECT_THAT(found.taken_over,
              ElementsAre("daemon.stop_deadline", "store.poll", "retention.dead", "pool.processes of general",
                          "pool.reserved of heavy", "pool.tenants of heavy"));
  EXPECT_THAT(found.workers_are_old, ElementsAre(false, false));
}

TEST(Changes, STP_10_WhatWorkersHaveReadMakesThemOld) {
  Settings after = two_pools();
  after.pools[1].slots = 3;
  EXPECT_THAT(changes(two_pools(), after).workers_are_old, ElementsAre(false, true));
  EXPECT_THAT(changes(two_pools(), after).by_new_workers, ElementsAre("pool.slots of heavy"));
  EXPECT_THAT(changes(two_pools(), after).taken_over, IsEmpty());
  after = two_pools();
  after.tenants.handle_wait = 1s;
  EXPECT_THAT(changes(two_pools(), after).workers_are_old, ElementsAre(true, true));
  after = two_pools();
  after.log.level = log::Level::debug;
  EXPECT_EQ(changes(two_pools(), after).settings, after);
}

TEST(Changes, STP_09_WhatWaitsForTheNextStartIsNamedAndKeepsItsValue) {
  Settings after = two_pools();
  after.store.path = "/elsewhere/control.db";
  after.store.durability = sqlite::Durability::ordered;
  after.store.payload_max = 4096;
  after.tenants.path = "/elsewhere/%{tenant}.db";
  after.pools[0].queues = {"mailers"};
  const Changes found = changes(two_pools(), after);
  EXPECT_EQ(found.settings, two_pools());
  EXPECT_THAT(found.taken_over, IsEmpty());
  EXPECT_THAT(found.at_start, ElementsAre("store.path", "store.durability", "store.payload_max",
                                          "tenants.path", "pool.queues of general"));
}

TEST(Changes, PoolsThatCameOrWentWaitForTheNextStart) {
  Settings after = two_pools();
  after.pools[0].name = "mail";
  const Changes found = changes(two_pools(), after);
  EXPECT_EQ(found.settings, two_pools());
  EXPECT_THAT(found.at_start, ElementsAre("pool general, which is gone", "pool mail, which is new"));
}

TEST(Changes, SchedulesAreTakenOverWhole) {
  Settings before = two_pools();
  before.schedules = {
      {.name = "gone", .kind = "a.b"}, {.name = "same", .kind = "a.b"}, {.name = "edited", .kind = "a.b"}};
  Settings after = two_pools();
  after.schedules = {{.name = "same", .kind = "a.b"},
                     {.name = "edited", .kind = "a.b", .cron = "@daily"},
                     {.name = "new", .kind = "a.b"}};
  const Changes found = changes(before, after);
  EXPECT_EQ(found.settings.schedules, after.schedules);
  EXPECT_THAT(found.taken_over,
              ElementsAre("schedule gone, which is gone", "schedule edited", "schedule new, which is new"));
  EXPECT_THAT(found.workers_are_old, ElementsAre(false, false));
}

TEST(Changes, LimitsAreTakenOverAtOnce) {
  Settings before = two_pools();
  before.limits = {
      {.name = "gone", .running = 1}, {.name = "same", .running = 1}, {.name = "edited", .running = 1}};
  Settings after = two_pools();
  after.limits = {
      {.name = "same", .running = 1}, {.name = "edited", .running = 2}, {.name = "new", .running = 1}};
  const Changes found = changes(before, after);
  EXPECT_EQ(found.settings.limits, after.limits);
  EXPECT_THAT(found.taken_over,
              ElementsAre("limit gone, which is gone", "limit edited", "limit new, which is new"));
  EXPECT_THAT(found.workers_are_old, ElementsAre(false, false));
}

TEST(Changes, PoolsMayStandInAnotherOrder) {
  Settings after = two_pools();
  std::swap(after.pools[0], after.pools[1]);
  after.pools[0].slots = 5;
  const Changes found = changes(two_pools(), after);
  EXPECT_EQ(found.settings.pools[1].slots, 5);
  EXPECT_THAT(found.workers_are_old, ElementsAre(false, true));
  EXPECT_THAT(found.at_start, IsEmpty());
}

}  // namespace
}  // namespace tenure::config
