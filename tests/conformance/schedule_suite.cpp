#include "store_suite.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

// Schedules: what is declared and added, and what becomes of their ticks. A dispatcher is played by `decide`, which asks of each schedule
// what it asks.
namespace tenure::testing {
namespace {

using std::chrono::days;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

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

// --- Overlap.

TEST_P(ScheduleSuite, SCH_06_SkipNeverHasTwoUnfinishedJobsAlsoAcrossRetries) {
  ScheduleEntry entry = hourly();
  entry.overlap = Overlap::skip;
  declare({entry});
  advance(1h);
  decide();
  ASSERT_EQ(unfinished(), 1U);
  advance(1h);
  decide();
  EXPECT_EQ(unfinished(), 1U) << "while it waits";
  const ClaimedJob claimed = claim_one();
  advance(1h);
  decide();
  EXPECT_EQ(unfinished(), 1U) << "while it runs";
  write([&](StoreWriter& writer) {
    value_or_raise(writer.retry(ref(claimed), now_ + 90min, {.code = ErrorCode::handler_failed}, now_));
  });
  advance(1h);
  decide();
  EXPECT_EQ(unfinished(), 1U) << "while it waits for its retry";
  EXPECT_THAT(jobs(), SizeIs(1));
  advance(30min);
  write([&](StoreWriter& writer) { static_cast<void>(writer.promote(now_, 10)); });
  const ClaimedJob again = claim_one();
  write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(again), now_)); });
  advance(30min);
  decide();
  EXPECT_THAT(jobs(), SizeIs(2));
  EXPECT_EQ(unfinished(), 1U);
  std::vector<TickResult> results;
  for (const TickRecord& tick : ticks("hourly")) results.push_back(tick.result);
  EXPECT_THAT(results, ElementsAre(TickResult::fired, TickResult::overlap, TickResult::overlap,
                                   TickResult::overlap, TickResult::fired));
}

TEST_P(ScheduleSuite, SCH_06_QueueOneHasAtMostOneWaitingWhichStartsBehindTheOther) {
  ScheduleEntry entry = hourly();
  entry.overlap = Overlap::queue_one;
  declare({entry});
  advance(1h);
  decide();
  advance(1h);
  decide();
  EXPECT_THAT(jobs(), SizeIs(1)) << "that one waits";
  const ClaimedJob running = claim_one();
  advance(1h);
  decide();
  ASSERT_THAT(jobs(), SizeIs(2));
  const JobId waiting = jobs()[1].id;
  EXPECT_EQ(record(waiting).state, ShownState::blocked);
  EXPECT_EQ(record(waiting).reason, JobReason::schedule_overlap);
  advance(1h);
  decide();
  EXPECT_THAT(jobs(), SizeIs(2)) << "one waits already";
  release();
  EXPECT_EQ(record(waiting).state, ShownState::blocked) << "the other one runs";
  EXPECT_THAT(claim().jobs, IsEmpty());
  write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(running), now_)); });
  release();
  EXPECT_EQ(record(waiting).state, ShownState::ready);
  EXPECT_EQ(claim_one().id, waiting);
  EXPECT_THAT(defects(), IsEmpty());
}

TEST_P(ScheduleSuite, AJobThatWaitsBehindOneOfAScheduleThatHasGoneIsReleased) {
  ScheduleEntry entry = hourly();
  entry.overlap = Overlap::queue_one;
  declare({entry});
  advance(1h);
  decide();
  const ClaimedJob running = claim_one();
  advance(1h);
  decide();
  EXPECT_THAT(defects(), IsEmpty());
  declare({});
  release();
  EXPECT_EQ(record(jobs()[1].id).state, ShownState::ready);
}

TEST_P(ScheduleSuite, SCH_06_AllowMakesOneForEachTick) {
  declare({hourly()});
  for (int tick = 0; tick < 5; ++tick) {
    advance(1h);
    decide();
  }
  EXPECT_EQ(unfinished(), 5U);
}

TEST_P(ScheduleSuite, WhatHasEndedIsForgottenAlsoWhereAnyNumberIsAllowed) {
  declare({hourly()});
  for (int tick = 0; tick < 20; ++tick) {
    advance(1h);
    decide();
    const ClaimedJob claimed = claim_one();
    write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(claimed), now_)); });
  }
  ScheduleEntry entry = hourly();
  entry.overlap = Overlap::skip;
  declare({entry});
  advance(1h);
  decide();
  EXPECT_EQ(unfinished(), 1U) << "of those before it none stands in its way";
}

// --- Pause, and runs by an operator.

TEST_P(ScheduleSuite, SCH_07_APauseRecordsTheTicksThatItSkipsAndAResumeFiresWhatCatchUpSays) {
  const Missed rules[] = {{CatchUp::none, 1, {}}, {CatchUp::latest, 1, {4}}, {CatchUp::all, 2, {3, 4}}};
  for (std::size_t rule = 0; rule < std::size(rules); ++rule) {
    ScheduleEntry entry = hourly("rule" + std::to_string(rule));
    entry.catch_up = rules[rule].catch_up;
    entry.catch_up_max = rules[rule].max;
    now_ = kMidnight + days{rule};
    declare({entry});
    const WallTime begin = now_;
    pause(entry.name);
    EXPECT_EQ(shown(entry.name).record.paused, (SchedulePause{now_, 7, "ann", "a test"}));
    const std::size_t before = jobs().size();
    for (int tick = 1; tick <= 4; ++tick) {
      advance(1h);
      decide();
    }
    EXPECT_THAT(jobs(), SizeIs(before)) << "paused";
    ASSERT_THAT(ticks(entry.name), SizeIs(4));
    for (const TickRecord& tick : ticks(entry.name)) EXPECT_EQ(tick.result, TickResult::paused);
    advance(10min);
    resume(entry.name);
    decide();
    std::vector<WallTime> expected;
    for (const int tick : rules[rule].fired) expected.push_back(begin + hours{tick});
    auto due = due_times();
    due.erase(due.begin(), due.begin() + static_cast<std::ptrdiff_t>(before));
    EXPECT_EQ(due, expected) << rule;
  }
}

TEST_P(ScheduleSuite, WhatIsPausedIsNotPausedOnceMore) {
  declare({hourly()});
  const auto pausing = [&](std::string_view name) {
    return code_of(written([&](StoreWriter& writer) { return writer.schedules().pause(name, {}); }));
  };
  const auto resuming = [&](std::string_view name) {
    return code_of(written([&](StoreWriter& writer) { return writer.schedules().resume(name); }));
  };
  EXPECT_EQ(resuming("hourly"), ErrorCode::state_changed);
  EXPECT_EQ(pausing("hourly"), std::nullopt);
  EXPECT_EQ(pausing("hourly"), ErrorCode::state_changed);
  declare({hourly()});
  EXPECT_TRUE(shown("hourly").record.paused) << "a reload resumes nothing";
  EXPECT_EQ(resuming("hourly"), std::nullopt);
  EXPECT_EQ(pausing("dodo"), ErrorCode::record_not_found);
  EXPECT_EQ(resuming("dodo"), ErrorCode::record_not_found);
}

TEST_P(ScheduleSuite, SCH_11_RunNowAddsAJobThatIsMarkedManualAndMovesNoTick) {
  declare({hourly()});
  advance(20min);
  const auto run = run_now("hourly");
  ASSERT_TRUE(run);
  EXPECT_EQ(record(run->id).state, ShownState::ready);
  const auto tick = asked([&](JobReader& reader) { return reader.schedules().tick_of(run->id); });
  ASSERT_TRUE(tick);
  EXPECT_TRUE(tick->is_manual);
  EXPECT_EQ(shown("hourly").record.decided, kMidnight);
  advance(40min);
  decide();
  ASSERT_THAT(jobs(), SizeIs(2));
  const JobId second = jobs()[1].id;
  const auto by_tick = asked([&](JobReader& reader) { return reader.schedules().tick_of(second); });
  EXPECT_FALSE(by_tick->is_manual);
  // At the moment of a tick, too.
  EXPECT_FALSE(run_now("hourly")->existed);
  EXPECT_THAT(jobs(), SizeIs(3));
}

TEST_P(ScheduleSuite, RunNowObeysTheOverlapPolicy) {
  ScheduleEntry skip = hourly("skip");
  skip.overlap = Overlap::skip;
  ScheduleEntry queue_one = hourly("queue_one");
  queue_one.overlap = Overlap::queue_one;
  declare({skip, queue_one});
  ASSERT_TRUE(run_now("skip"));
  const auto refused = run_now("skip");
  EXPECT_EQ(code_of(refused), ErrorCode::limit_reached);
  EXPECT_THAT(refused.error().message, HasSubstr(jobs()[0].id.text()));
  static_cast<void>(claim_one());
  ASSERT_TRUE(run_now("queue_one"));
  static_cast<void>(claim_one());
  const SchedulesMark mark = open(SchedulesMark{-1})->mark;
  advance(1s);
  const auto behind = run_now("queue_one");
  ASSERT_TRUE(behind);
  EXPECT_EQ(record(behind->id).state, ShownState::blocked);
  EXPECT_TRUE(open(mark)) << "a dispatcher learns that one waits";
  EXPECT_EQ(code_of(run_now("dodo")), ErrorCode::record_not_found);
}

// --- Tenants.

TEST_P(ScheduleSuite, SCH_04_EachActiveTenantHasOneJobATickInsideTheSpreadAtTheSameOffset) {
  const TenantState others[] = {TenantState::provisioning, TenantState::paused, TenantState::read_only,
                                TenantState::migrating,    TenantState::failed, TenantState::draining,
                                TenantState::deleted};
  for (const TenantState state : others) {
    const std::string name = "is-" + std::string{name_of(state)};
    std::string tenant = name;
    std::ranges::replace(tenant, '_', '-');
    create_tenant(tenant);
    set_tenant_state(tenant, state);
  }
  for (int tenant = 0; tenant < 25; ++tenant) active_tenant("t" + std::to_string(tenant));
  ScheduleEntry entry = hourly();
  entry.scope = ScheduleScope::each_tenant;
  entry.spread = 30min;
  declare({entry});
  std::map<std::string, std::chrono::microseconds> offsets;
  for (int tick = 1; tick <= 3; ++tick) {
    advance(1h);
    const std::size_t before = jobs().size();
    decide(7);
    const auto all = jobs();
    std::set<std::string> tenants;
    for (std::size_t index = before; index < all.size(); ++index) {
      const std::string tenant{all[index].tenant->text()};
      EXPECT_TRUE(tenants.insert(tenant).second) << tenant << " has one";
      EXPECT_TRUE(tenant.starts_with("t")) << tenant;
      const auto offset = all[index].due - (kMidnight + hours{tick});
      EXPECT_GE(offset, 0us);
      EXPECT_LT(offset, 30min);
      EXPECT_EQ(offsets.emplace(tenant, offset).first->second, offset) << "the same each tick";
    }
    EXPECT_THAT(tenants, SizeIs(25));
  }
  std::set<std::chrono::microseconds> different;
  for (const auto& [tenant, offset] : offsets) different.insert(offset);
  EXPECT_GT(different.size(), 20U) << "they are spread";
}

TEST_P(ScheduleSuite, ATickOfManyTenantsGoesOnWhereItWasAndTheNextOneComesBehindIt) {
  for (int tenant = 0; tenant < 10; ++tenant) active_tenant("t" + std::to_string(tenant));
  ScheduleEntry entry = hourly();
  entry.scope = ScheduleScope::each_tenant;
  declare({entry});
  advance(1h);
  auto order = order_of(shown("hourly").record, now_);
  TickReply reply = written([&](StoreWriter& writer) { return writer.schedules().tick(*order, 4, now_); });
  EXPECT_EQ(reply.fired, 4);
  ASSERT_TRUE(reply.fan_out);
  EXPECT_EQ(shown("hourly").record.fan_out, reply.fan_out) << "whoever comes next finds it in the row";
  advance(1h);
  decide(4);
  std::map<WallTime, int> count;
  for (const JobRecord& job : jobs()) ++count[job.due];
  EXPECT_EQ(count, (std::map<WallTime, int>{{kMidnight + 1h, 10}, {kMidnight + 2h, 10}}));
  EXPECT_FALSE(shown("hourly").record.fan_out);
}

TEST_P(ScheduleSuite, AnotherScopeEndsATickThatIsUnderWay) {
  for (int tenant = 0; tenant < 10; ++tenant) active_tenant("t" + std::to_string(tenant));
  ScheduleEntry entry = hourly();
  entry.scope = ScheduleScope::each_tenant;
  declare({entry});
  advance(1h);
  const auto order = order_of(shown("hourly").record, now_);
  EXPECT_EQ(written([&](StoreWriter& writer) { return writer.schedules().tick(*order, 4, now_); }).fired, 4);
  declare({hourly()});
  EXPECT_FALSE(shown("hourly").record.fan_out);
  EXPECT_THAT(decide(), IsEmpty());
  EXPECT_THAT(jobs(), SizeIs(4));
}

TEST_P(ScheduleSuite, OverlapIsOfEachTenantByItself) {
  active_tenant("acme");
  active_tenant("globex");
  ScheduleEntry entry = hourly();
  entry.scope = ScheduleScope::each_tenant;
  entry.overlap = Overlap::skip;
  declare({entry});
  advance(1h);
  decide();
  ASSERT_THAT(jobs(), SizeIs(2));
  const JobId first = jobs()[0].id;
  write([&](StoreWriter& writer) { value_or_raise(writer.cancel_by_operator(first, now_)); });
  advance(1h);
  decide();
  ASSERT_THAT(jobs(), SizeIs(3));
  EXPECT_EQ(jobs()[2].tenant, jobs()[0].tenant);
}

TEST_P(ScheduleSuite, TheStateOfItsTenantSaysWhatATickDoes) {
  active_tenant("acme");
  ScheduleEntry entry = hourly();
  entry.scope = ScheduleScope::tenant;
  entry.tenant = "acme";
  entry.catch_up = CatchUp::latest;
  declare({entry});
  const auto next = [&] {
    advance(1h);
    const std::size_t before = jobs().size();
    const auto replies = decide();
    return std::pair{jobs().size() - before, replies};
  };
  EXPECT_EQ(next().first, 1U);
  set_tenant_state("acme", TenantState::paused);
  EXPECT_EQ(next().first, 1U) << "by the overlap policy";
  EXPECT_EQ(jobs().back().state, ShownState::held);
  for (const TenantState state : {TenantState::failed, TenantState::read_only, TenantState::draining}) {
    set_tenant_state("acme", state);
    const auto [made, replies] = next();
    EXPECT_EQ(made, 0U) << name_of(state);
    EXPECT_EQ(replies.at(0).skipped, TickResult::tenant) << name_of(state);
    EXPECT_THAT(shown("hourly").disabled, HasSubstr(name_of(state)));
  }
  set_tenant_state("acme", TenantState::migrating);
  const auto [made, replies] = next();
  EXPECT_EQ(made, 0U);
  EXPECT_TRUE(replies.at(0).is_waiting);
  set_tenant_state("acme", TenantState::active);
  decide();
  EXPECT_EQ(due_times().back(), now_) << "the tick waited for it";
}

TEST_P(ScheduleSuite, SCH_16_AScheduleOfADeletedTenantIsShownDisabledAndTriesEachTickOnce) {
  active_tenant("acme");
  ScheduleEntry entry = hourly();
  entry.scope = ScheduleScope::tenant;
  entry.tenant = "acme";
  declare({entry});
  set_tenant_state("acme", TenantState::deleted);
  EXPECT_EQ(shown("hourly").disabled, "tenant acme is deleted");
  for (int tick = 0; tick < 3; ++tick) {
    advance(1h);
    EXPECT_THAT(decide(), SizeIs(1)) << "each tick is decided once";
    EXPECT_THAT(decide(), IsEmpty()) << "and not tried again";
  }
  EXPECT_THAT(jobs(), IsEmpty());
  EXPECT_EQ(code_of(run_now("hourly")), ErrorCode::tenant_deleted);
  active_tenant("acme");
  EXPECT_EQ(shown("hourly").disabled, "") << "its next generation has ticks again";
  EXPECT_THAT(decide(), IsEmpty());
  advance(1h);
  decide();
  ASSERT_THAT(jobs(), SizeIs(1));
  EXPECT_EQ(jobs()[0].generation, Generation{2});
}

TEST_P(ScheduleSuite, ArgumentsThatNoJobCanHaveAreRefusedByTheCheck) {
  ScheduleEntry entry = hourly();
  entry.arguments = "\"" + std::string(300'000, 'x') + "\"";
  EXPECT_EQ(code_of(written([&](StoreWriter& writer) { return writer.schedules().add(entry, now_); })),
            ErrorCode::payload_too_large);
}

TEST_P(ScheduleSuite, RunNowOfEachTenantIsOfTheOneThatIsNamed) {
  active_tenant("acme");
  ScheduleEntry entry = hourly();
  entry.scope = ScheduleScope::each_tenant;
  declare({entry, hourly("global")});
  EXPECT_EQ(code_of(run_now("hourly")), ErrorCode::bad_options);
  EXPECT_EQ(code_of(run_now("global", "acme")), ErrorCode::bad_options);
  EXPECT_EQ(code_of(run_now("hourly", "dodo")), ErrorCode::tenant_does_not_exist);
  ASSERT_TRUE(run_now("hourly", "acme"));
  EXPECT_EQ(jobs().at(0).tenant->text(), "acme");
}

INSTANTIATE_TEST_SUITE_P(EachStore, ScheduleSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
