#include "schedule_suite.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

// What is declared and added, and which of its ticks fire.
namespace tenure::testing {
namespace {

using std::chrono::days;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

// --- What is declared.

TEST_P(ScheduleSuite, WhatIsDeclaredIsShownAndRead) {
  ScheduleEntry entry = hourly();
  entry.queue = "reports";
  entry.priority = -5;
  entry.attempts_max = 3;
  entry.rule = {.cron = "0 3 L * *", .every = {}, .time_zone = "Europe/Berlin"};
  entry.arguments = R"({"format":"pdf"})";
  entry.scope = ScheduleScope::each_tenant;
  entry.spread = 30min;
  entry.catch_up = CatchUp::all;
  entry.catch_up_max = 24;
  entry.overlap = Overlap::queue_one;
  EXPECT_FALSE(open(SchedulesMark{0})) << "of nothing a dispatcher reads nothing";
  declare({entry});
  const auto read = open(SchedulesMark{0});
  ASSERT_TRUE(read);
  ASSERT_THAT(read->schedules, SizeIs(1));
  EXPECT_EQ(read->schedules[0].entry, entry);
  EXPECT_EQ(read->schedules[0].decided, now_);
  EXPECT_EQ(shown("hourly").record, read->schedules[0]);
  EXPECT_FALSE(open(read->mark)) << "nothing has changed";
  declare({entry});
  EXPECT_FALSE(open(read->mark)) << "declared again it is the same";
}

TEST_P(ScheduleSuite, ATickMakesTheJobThatWasWritten) {
  ScheduleEntry entry = hourly();
  entry.queue = "reports";
  entry.priority = -5;
  entry.attempts_max = 3;
  entry.arguments = R"({"format":"pdf"})";
  declare({entry});
  EXPECT_THAT(decide(), IsEmpty()) << "what was before it is no tick";
  advance(1h);
  decide();
  ASSERT_THAT(jobs(), SizeIs(1));
  const JobRecord job = jobs()[0];
  EXPECT_EQ(job.kind, "reports.hourly");
  EXPECT_EQ(job.queue, "reports");
  EXPECT_EQ(job.priority, Priority{-5});
  EXPECT_EQ(job.attempts_max, 3);
  EXPECT_EQ(job.due, kMidnight + 1h);
  EXPECT_EQ(job.state, ShownState::ready);
  const auto envelope = asked([&](JobReader& reader) { return reader.envelope(job.seq); });
  EXPECT_THAT(*envelope, HasSubstr(R"({"format":"pdf"})"));
  ASSERT_THAT(ticks("hourly"), SizeIs(1));
  EXPECT_EQ(ticks("hourly")[0].job, job.id);
  EXPECT_EQ(claim_one().id, job.id);
}

TEST_P(ScheduleSuite, ItsJobIsEndedAsAnyOther) {
  declare({hourly()});
  advance(1h);
  decide();
  const ClaimedJob claimed = claim_one();
  write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(claimed), now_)); });
  EXPECT_EQ(record(claimed.id).state, ShownState::succeeded);
  EXPECT_THAT(lanes(), IsEmpty());
}

TEST_P(ScheduleSuite, SCH_10_ABadEntryIsNamedAndAllOthersRun) {
  ScheduleEntry syntax = hourly("syntax");
  syntax.rule = {.cron = "0 25 * * *"};
  ScheduleEntry zone = hourly("zone");
  zone.rule = {.cron = "@daily", .every = {}, .time_zone = "Mars/Olympus"};
  ScheduleEntry kind = hourly("kind");
  kind.kind = "No Kind";
  ScheduleEntry tenant = hourly("tenant");
  tenant.scope = ScheduleScope::tenant;
  tenant.tenant = "No Tenant";
  ScheduleEntry unknown = hourly("unknown");
  unknown.scope = ScheduleScope::tenant;
  unknown.tenant = "dodo";
  ScheduleEntry arguments = hourly("arguments");
  arguments.arguments = "{";
  ScheduleEntry never = hourly("never");
  never.rule = {.cron = "0 0 30 2 *"};
  declare({syntax, zone, kind, tenant, unknown, arguments, never, hourly("good")});
  EXPECT_THAT(shown("syntax").disabled, HasSubstr("cron, column 3: 25 is no hour"));
  EXPECT_THAT(shown("zone").disabled, HasSubstr("no time zone Mars/Olympus"));
  EXPECT_THAT(shown("kind").disabled, HasSubstr("kind"));
  EXPECT_THAT(shown("tenant").disabled, HasSubstr("No Tenant"));
  EXPECT_THAT(shown("unknown").disabled, HasSubstr("there is no tenant dodo"));
  EXPECT_NE(shown("arguments").disabled, "");
  EXPECT_THAT(shown("never").disabled, HasSubstr("never comes"));
  EXPECT_EQ(shown("good").disabled, "");
  advance(1h);
  decide();
  EXPECT_THAT(jobs(), SizeIs(1));
  EXPECT_EQ(ticks("good").at(0).job, jobs().at(0).id);
  // Put right, it runs from then on.
  declare({hourly("syntax")});
  EXPECT_EQ(shown("syntax").disabled, "");
  EXPECT_THAT(decide(), IsEmpty());
  advance(1h);
  decide();
  EXPECT_THAT(jobs(), SizeIs(2));
}

TEST_P(ScheduleSuite, SCH_14_AnEditedRuleIsFollowedByTheNextTickAndOneThatIsRemovedHasNone) {
  declare({hourly("edited"), hourly("removed"), hourly("same")});
  advance(30min);
  ScheduleEntry edited = hourly("edited");
  edited.rule.every = 20min;
  declare({edited, hourly("same")});
  advance(30min);
  decide();
  std::vector<WallTime> of_edited;
  for (const TickRecord& tick : ticks("edited")) of_edited.push_back(tick.tick);
  EXPECT_EQ(shown("edited").record.decided, kMidnight + 1h);
  EXPECT_THAT(of_edited, ElementsAre(kMidnight + 1h, kMidnight + 40min))
      << "the one before it is no tick of it";
  EXPECT_EQ(ticks("same").at(0).tick, kMidnight + 1h) << "others are as they were";
  for (const ShownSchedule& one : shown()) EXPECT_NE(one.record.entry.name, "removed");
  // An order by what was before does nothing.
  const ScheduleRecord before = shown("edited").record;
  advance(20min);
  const auto order = order_of(before, now_);
  declare({hourly("edited")});
  const TickReply reply =
      written([&](StoreWriter& writer) { return writer.schedules().tick(*order, 10, now_); });
  EXPECT_TRUE(reply.is_stale);
}

TEST_P(ScheduleSuite, WhatIsAddedIsNobodysInTheConfiguration) {
  const auto add = [&](const ScheduleEntry& entry) {
    return written([&](StoreWriter& writer) { return writer.schedules().add(entry, now_); });
  };
  const auto remove = [&](std::string_view name) {
    return code_of(written([&](StoreWriter& writer) { return writer.schedules().remove(name); }));
  };
  ASSERT_TRUE(add(hourly("added")));
  EXPECT_EQ(code_of(add(hourly("added"))), ErrorCode::id_conflict);
  ScheduleEntry bad = hourly("bad");
  bad.rule.every = 1ms;
  EXPECT_EQ(code_of(add(bad)), ErrorCode::bad_options);
  declare({hourly("declared")});
  EXPECT_EQ(shown("added").record.origin, ScheduleOrigin::added)
      << "what is declared removes only what was declared";
  EXPECT_EQ(remove("declared"), ErrorCode::state_changed);
  EXPECT_EQ(remove("added"), std::nullopt);
  EXPECT_EQ(remove("added"), ErrorCode::record_not_found);
  EXPECT_THAT(shown(), SizeIs(1));
}

// --- Ticks that were missed, clocks.

struct Missed {
  CatchUp catch_up;
  int max;
  std::vector<int> fired;  // of the five hours that were missed
};

TEST_P(ScheduleSuite, SCH_03_OfMissedTicksFireAsManyAsTheRuleSays) {
  const Missed rules[] = {{CatchUp::none, 1, {}},
                          {CatchUp::latest, 1, {5}},
                          {CatchUp::all, 1, {5}},
                          {CatchUp::all, 3, {3, 4, 5}},
                          {CatchUp::all, 5, {1, 2, 3, 4, 5}},
                          {CatchUp::all, 1000, {1, 2, 3, 4, 5}}};
  for (std::size_t rule = 0; rule < std::size(rules); ++rule) {
    ScheduleEntry entry = hourly("rule" + std::to_string(rule));
    entry.catch_up = rules[rule].catch_up;
    entry.catch_up_max = rules[rule].max;
    now_ = kMidnight + days{rule};
    declare({entry});
    const WallTime begin = now_;
    advance(5h + 30min);
    const std::size_t before = jobs().size();
    decide();
    std::vector<WallTime> expected;
    for (const int tick : rules[rule].fired) expected.push_back(begin + hours{tick});
    auto due = due_times();
    due.erase(due.begin(), due.begin() + static_cast<std::ptrdiff_t>(before));
    EXPECT_EQ(due, expected) << rule;
    EXPECT_EQ(shown(entry.name).record.missed, 5 - std::ssize(rules[rule].fired)) << rule;
    // The next one is no missed one.
    advance(30min);
    decide();
    EXPECT_EQ(due_times().back(), begin + 6h) << rule;
  }
}

TEST_P(ScheduleSuite, OneThatIsDecidedInTimeIsNotMissed) {
  ScheduleEntry entry = hourly();
  entry.catch_up = CatchUp::none;
  declare({entry});
  advance(1h + kTickOnTime);
  decide();
  EXPECT_THAT(jobs(), SizeIs(1));
  advance(1h + 1us);
  decide();
  EXPECT_THAT(jobs(), SizeIs(1));
  EXPECT_EQ(ticks("hourly").at(0).result, TickResult::missed);
}

TEST_P(ScheduleSuite, YearsOfMissedTicksAreCountedToABound) {
  ScheduleEntry entry = hourly();
  entry.rule.every = 1s;
  entry.catch_up = CatchUp::all;
  entry.catch_up_max = 3;
  declare({entry});
  advance(days{3650});
  decide();
  EXPECT_THAT(due_times(), ElementsAre(now_ - 2s, now_ - 1s, now_));
  EXPECT_EQ(shown("hourly").record.missed, kTicksCounted - 3);
  EXPECT_EQ(shown("hourly").record.decided, now_);
}

TEST_P(ScheduleSuite, SCH_08_AClockThatGoesBackFiresNoTickTwiceAndOneThatGoesForwardIsCaughtUpWith) {
  ScheduleEntry entry = hourly();
  entry.catch_up = CatchUp::latest;
  declare({entry});
  advance(3h);
  decide();
  ASSERT_THAT(due_times(), ElementsAre(kMidnight + 3h));
  now_ -= 1h;
  decide();
  for (int minute = 0; minute < 59; ++minute) {
    advance(1min);
    EXPECT_THAT(decide(), IsEmpty());
  }
  advance(1min + 1h);
  decide();
  EXPECT_THAT(due_times(), ElementsAre(kMidnight + 3h, kMidnight + 4h));
  advance(5h + 10min);
  decide();
  EXPECT_THAT(due_times(), ElementsAre(kMidnight + 3h, kMidnight + 4h, kMidnight + 9h));
}

TEST_P(ScheduleSuite, SCH_09_PruningWhatHasEndedFiresNoTickAgain) {
  declare({hourly(), hourly("other")});
  advance(1h);
  decide();
  for (int count = 0; count < 2; ++count) {
    const ClaimedJob claimed = claim_one();
    write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(claimed), now_)); });
  }
  put();  // the newest job of all stays
  for (const JobRecord& job : jobs())
    if (job.state == ShownState::succeeded)
      write([&](StoreWriter& writer) { value_or_raise(writer.delete_by_operator(job.id)); });
  ASSERT_THAT(jobs(), SizeIs(1));
  EXPECT_THAT(decide(), IsEmpty());
  // Nor is what became of ticks needed for that, which goes a day later.
  for (int tick = 0; tick < 26; ++tick) {
    advance(1h);
    decide();
  }
  EXPECT_LE(ticks("hourly").size(), 26U) << "rows of ticks go";
  now_ = kMidnight + 1h;
  EXPECT_THAT(decide(), IsEmpty());
}

TEST_P(ScheduleSuite, TheSameOrderTwiceMakesOneJob) {
  declare({hourly()});
  advance(1h);
  const auto order = order_of(shown("hourly").record, now_);
  ASSERT_TRUE(order);
  const auto tick = [&] {
    return written([&](StoreWriter& writer) { return writer.schedules().tick(*order, 10, now_); });
  };
  EXPECT_EQ(tick().fired, 1);
  EXPECT_TRUE(tick().is_stale) << "as of another dispatcher that asks for the same";
  EXPECT_THAT(jobs(), SizeIs(1));
}

TEST_P(ScheduleSuite, ACommitThatIsUndoneHasDecidedNothing) {
  declare({hourly()});
  advance(1h);
  const auto order = order_of(shown("hourly").record, now_);
  EXPECT_THROW(write([&](StoreWriter& writer) {
                 EXPECT_EQ(writer.schedules().tick(*order, 10, now_).fired, 1);
                 throw Abandoned{};
               }),
               Abandoned);
  EXPECT_THAT(jobs(), IsEmpty());
  decide();
  EXPECT_THAT(due_times(), ElementsAre(kMidnight + 1h));
}

INSTANTIATE_TEST_SUITE_P(EachStore, ScheduleSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
