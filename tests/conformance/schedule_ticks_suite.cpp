#include "schedule_suite.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

// Which ticks make jobs, and for whom: the overlap policy, pauses, runs by an operator, tenants.
namespace tenure::testing {
namespace {

using std::chrono::days;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

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

TEST_P(ScheduleSuite, SCH_06_ARetryByAnOperatorObeysTheOverlapPolicyToo) {
  ScheduleEntry skip = hourly("skip");
  skip.overlap = Overlap::skip;
  ScheduleEntry queue_one = hourly("queue_one");
  queue_one.overlap = Overlap::queue_one;
  queue_one.kind = "reports.queued";
  declare({skip, queue_one});
  const auto retry = [&](JobId id) {
    return written([&](StoreWriter& writer) { return writer.retry_by_operator(id, now_); });
  };
  const auto of_kind = [&](std::string_view kind) {
    std::vector<JobId> ids;
    for (const JobRecord& job : jobs())
      if (job.kind == kind) ids.push_back(job.id);
    return ids;
  };
  advance(1h);
  decide();
  for (const ClaimedJob& job : {claim_one(), claim_one()})
    write([&](StoreWriter& writer) {
      value_or_raise(writer.finish(ref(job), JobState::dead, JobReason::attempts_exhausted, {}, now_));
    });
  advance(1h);
  decide();
  const JobId dead_of_skip = of_kind("reports.hourly").at(0), dead_of_queue = of_kind("reports.queued").at(0);
  // Another one of the schedule has come meanwhile.
  const auto refused = retry(dead_of_skip);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::limit_reached);
  EXPECT_EQ(record(dead_of_skip).state, ShownState::dead);
  EXPECT_EQ(code_of(retry(dead_of_queue)), ErrorCode::limit_reached) << "that one waits itself";
  std::vector<ClaimedJob> running{claim_one(), claim_one()};
  ASSERT_TRUE(retry(dead_of_queue).has_value());
  EXPECT_EQ(record(dead_of_queue).reason, JobReason::schedule_overlap);
  for (const ClaimedJob& job : running)
    write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(job), now_)); });
  release();
  EXPECT_EQ(record(dead_of_queue).state, ShownState::ready);
  // And the next tick sees that it has not ended.
  ASSERT_TRUE(retry(dead_of_skip).has_value());
  EXPECT_EQ(record(dead_of_skip).state, ShownState::ready);
  advance(1h);
  decide();
  EXPECT_EQ(of_kind("reports.hourly").size(), 2U) << "skipped";
  EXPECT_EQ(ticks("skip").front().result, TickResult::overlap);
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

// What a tick's kind does not do in a read-only tenant is told by the pools.
TEST_P(ScheduleSuite, AReadOnlyTenantHasTheTicksOfKindsThatOnlyRead) {
  active_tenant("acme");
  active_tenant("bolt");
  set_tenant_state("acme", TenantState::read_only);
  ScheduleEntry of_one = hourly();
  of_one.scope = ScheduleScope::tenant;
  of_one.tenant = "acme";
  ScheduleEntry of_each = hourly();
  of_each.name = "each";
  of_each.scope = ScheduleScope::each_tenant;
  declare({of_one, of_each});
  const auto next = [&] {
    advance(1h);
    const std::size_t before = jobs().size();
    decide();
    return jobs().size() - before;
  };
  const auto tell_reading_kind = [&](const std::string& kind, PoolTenants tenants = {},
                                     std::string queue = "default") {
    PoolRecord pool{
        .name = "general", .queues = {std::move(queue)}, .workers = 1, .kinds = {kind}, .default_queues = {}};
    pool.reads_only = {kind};
    pool.tenants = std::move(tenants);
    write([&](StoreWriter& writer) {
      writer.tell_pools(writer.open_incarnation(1, "app-1", 42, now_), std::vector{pool});
    });
  };
  EXPECT_EQ(next(), 1U) << "bolt's";
  tell_reading_kind(of_one.kind);
  EXPECT_EQ(shown("hourly").disabled, "");
  EXPECT_EQ(next(), 3U);
  tell_reading_kind(of_one.kind, {PoolTenants::Rule::only, {"bolt"}});
  EXPECT_THAT(shown("hourly").disabled, HasSubstr("read_only")) << "nobody reads in acme";
  EXPECT_EQ(next(), 1U);
  tell_reading_kind(of_one.kind, {}, "exports");
  EXPECT_EQ(next(), 1U) << "nor in its queue";
  tell_reading_kind(of_one.kind, {PoolTenants::Rule::all_but, {"bolt"}});
  EXPECT_EQ(next(), 3U);
  tell_reading_kind("another.kind");
  EXPECT_EQ(next(), 1U);
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

}  // namespace
}  // namespace tenure::testing
