#include "store_suite.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

// Limits that are declared beside the jobs, as rows; and how they stand.
namespace tenure::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

class LimitSuite : public StoreSuite {
 protected:
  LimitSuite() { create_tenant("acme"); }

  void declare(std::vector<DeclaredLimit> limits) {
    write([&](StoreWriter& writer) { writer.declare_limits(limits); });
  }
  Result<bool> set(const NewLimit& limit) {
    return written([&](StoreWriter& writer) { return writer.set_limit(limit, now_); });
  }
  Result<void> unset(std::string_view name) {
    return written([&](StoreWriter& writer) { return writer.unset_limit(name); });
  }
  std::vector<LimitRecord> limits() {
    return asked([](JobReader& reader) { return reader.limits(); });
  }
  std::vector<LimitStanding> standings(LimitNumber number) {
    return asked([&](JobReader& reader) {
      reader.set_now(now_);
      return reader.limit_standings(number, 10);
    });
  }
  std::optional<OpenLimits> open(LimitsMark known) {
    return written([&](StoreWriter& writer) { return writer.open_limits(known); });
  }
  static DeclaredLimit reports(std::int64_t running = 2) {
    return {.name = "reports",
            .target = {.kind = "billing.*", .per = {.tenant = true}},
            .bounds = {.running = running}};
  }
  JobRecord record_now(JobId id) {
    return asked([&](JobReader& reader) {
      reader.set_now(now_);
      return *reader.find_job(id);
    });
  }
  TenantNumber acme() { return store().registry().find(TenantName{"acme"})->number; }
};

TEST_P(LimitSuite, ADeclaredOneStandsAsTheConfigurationSaysAndGoesWithIt) {
  declare(
      {reports(),
       {.name = "mail", .target = {.queue = "mailers"}, .bounds = {.rate = StartRate{100, seconds{60}}}}});
  const auto both = limits();
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0].name, "mail");
  EXPECT_EQ(both[0].bounds().rate, (StartRate{100, seconds{60}}));
  EXPECT_FALSE(both[0].bounds().running);
  EXPECT_EQ(both[1].target, reports().target);
  EXPECT_EQ(both[1].declared, reports().bounds);
  declare({reports(5)});
  ASSERT_EQ(limits().size(), 1U);
  EXPECT_EQ(limits()[0].number, both[1].number);
  EXPECT_EQ(limits()[0].bounds().running, 5);
  declare({});
  EXPECT_TRUE(limits().empty());
}

TEST_P(LimitSuite, TheOperatorsWordIsBeforeTheConfigurationsUntilItIsUnset) {
  declare({reports()});
  EXPECT_FALSE(
      set({.name = "reports", .bounds = {.running = 7}, .uid = 1000, .login = "dana", .reason = "month end"})
          .value());
  declare({reports(3)});  // as each restart does
  ASSERT_EQ(limits().size(), 1U);
  EXPECT_EQ(limits()[0].bounds().running, 7);
  EXPECT_EQ(limits()[0].declared->running, 3);
  const SetLimit expected{
      .bounds = {.running = 7}, .when = now_, .uid = 1000, .login = "dana", .reason = "month end"};
  EXPECT_EQ(limits()[0].set, expected);
  // What he leaves as it is stays as it is.
  EXPECT_FALSE(set({.name = "reports", .bounds = {.rate = StartRate{9, seconds{60}}}}).value());
  EXPECT_EQ(limits()[0].bounds(), (LimitBounds{.running = 7, .rate = StartRate{9, seconds{60}}}));
  EXPECT_TRUE(unset("reports"));
  EXPECT_EQ(limits()[0].bounds(), (LimitBounds{.running = 3}));
  EXPECT_EQ(code_of(unset("reports")), ErrorCode::state_changed);
  EXPECT_EQ(code_of(unset("others")), ErrorCode::record_not_found);
}

TEST_P(LimitSuite, OneThatTheConfigurationDropsStaysAsTheOperatorHasSetIt) {
  declare({reports()});
  EXPECT_TRUE(set({.name = "reports", .bounds = {.running = 7}}));
  declare({});
  ASSERT_EQ(limits().size(), 1U);
  EXPECT_FALSE(limits()[0].declared);
  EXPECT_EQ(limits()[0].bounds().running, 7);
  EXPECT_TRUE(unset("reports"));
  EXPECT_TRUE(limits().empty());
}

TEST_P(LimitSuite, AnOperatorMakesOneByItsTarget) {
  EXPECT_EQ(code_of(set({.name = "incident", .bounds = {.running = 1}})), ErrorCode::bad_options);
  EXPECT_TRUE(set({.name = "incident", .target = LimitTarget{.kind = "billing.*"}, .bounds = {.running = 1}})
                  .value());
  EXPECT_EQ(
      code_of(set({.name = "incident", .target = LimitTarget{.kind = "a.b"}, .bounds = {.running = 1}})),
      ErrorCode::bad_options);
  EXPECT_FALSE(set({.name = "incident", .bounds = {.running = 2}}).value());
  EXPECT_TRUE(unset("incident"));
  EXPECT_TRUE(limits().empty());
}

TEST_P(LimitSuite, WhatNoLimitHasIsRefused) {
  const auto refused = [&](const std::string& name, const LimitTarget& target, const LimitBounds& bounds) {
    return code_of(set({.name = name, .target = target, .bounds = bounds})) == ErrorCode::bad_options;
  };
  EXPECT_TRUE(refused("Bad name", {}, {.running = 1}));
  EXPECT_TRUE(refused("", {}, {.running = 1}));
  EXPECT_TRUE(refused("x", {}, {}));
  EXPECT_TRUE(refused("x", {}, {.running = 0}));
  EXPECT_TRUE(refused("x", {}, {.running = kCapMax + 1}));
  EXPECT_TRUE(refused("x", {.kind = ""}, {.running = 1}));
  EXPECT_TRUE(refused("x", {}, {.rate = StartRate{0, seconds{60}}}));
  EXPECT_TRUE(refused("x", {}, {.rate = StartRate{1, milliseconds{500}}}));
  EXPECT_TRUE(limits().empty());
}

TEST_P(LimitSuite, ADispatcherReadsThemOnceForEachChange) {
  const auto first = open(LimitsMark{-1});
  ASSERT_TRUE(first);
  EXPECT_FALSE(open(first->mark));
  declare({reports()});
  const auto second = open(first->mark);
  ASSERT_TRUE(second);
  ASSERT_EQ(second->limits.size(), 1U);
  EXPECT_EQ(second->limits[0].bounds.running, 2);
  declare({reports()});  // no change
  EXPECT_FALSE(open(second->mark));
  EXPECT_TRUE(set({.name = "reports", .bounds = {.running = 3}}));
  EXPECT_EQ(open(second->mark)->limits[0].bounds.running, 3);
}

TEST_P(LimitSuite, WhatAClaimFillsIsHeldForItsTenantAndToldWithWhoHoldsIt) {
  create_tenant("bolt");
  declare({reports(1)});
  const Enqueued runs = put(new_job("acme"));
  const Enqueued waits = put(new_job("acme"));
  const Enqueued of_another = put(new_job("bolt"));
  const auto claim = claim_one(acme());
  EXPECT_EQ(record(waits.id).state, ShownState::held);
  EXPECT_EQ(record(waits.id).reason, JobReason::limit_cap);
  EXPECT_EQ(record(waits.id).held_by, "reports, 1 of 1 run");
  EXPECT_EQ(record(of_another.id).state, ShownState::ready);
  const auto in_the_way =
      asked([&](JobReader& reader) { return reader.limits_of(*reader.find_job(waits.id)); });
  ASSERT_EQ(in_the_way.size(), 1U);
  EXPECT_EQ(in_the_way[0].gate(), JobReason::limit_cap);
  EXPECT_EQ(in_the_way[0].tenant, "acme");
  EXPECT_EQ(in_the_way[0].use.running, 1);
  ASSERT_EQ(in_the_way[0].holders.size(), 1U);
  EXPECT_EQ(in_the_way[0].holders[0].id, runs.id);
  const auto gates =
      asked([&](JobReader& reader) { return gates_of(reader.lane_facts(*reader.find_job(waits.id))); });
  EXPECT_THAT(gates, Contains(JobReason::limit_cap));
  // By lists, counts and sums as by one job.
  const auto counted = asked([&](JobReader& reader) {
    const std::vector<std::string> words{"reason=limit_cap"};
    return reader.count_jobs(*parse_filter(words, job_filter_fields(), now_), {}, now_).count;
  });
  EXPECT_EQ(counted, 1);
  const auto queues = asked([](JobReader& reader) { return reader.queues(); });
  ASSERT_EQ(queues.size(), 1U);
  EXPECT_EQ(queues[0].held, 1);
  ASSERT_EQ(queues[0].held_by.size(), 1U);
  EXPECT_EQ(queues[0].held_by[0].reason, JobReason::limit_cap);
  EXPECT_EQ(asked([](JobReader& reader) { return reader.tenant(TenantName{"acme"})->held; }), 1);
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.finish_succeeded(ref(claim), now_); }));
  EXPECT_EQ(record(waits.id).state, ShownState::ready);
}

TEST_P(LimitSuite, ARateIsHeldUntilItsFirstStartsHaveLeftTheWindow) {
  declare({{.name = "mail", .target = {.kind = "billing.*"}, .bounds = {.rate = StartRate{3, seconds{60}}}}});
  const LimitNumber number = limits()[0].number;
  const Enqueued waits = put(new_job("acme"));
  const LimitGroup group{number, {}, {}, {}};
  const auto note = [&](std::int64_t bucket, std::int64_t starts, bool is_last) {
    write([&](StoreWriter& writer) {
      const std::vector<BucketNote> notes{
          {.bucket = {.group = group, .number = bucket, .starts = starts, .is_last = is_last},
           .window = seconds{60},
           .open_for = seconds{0},
           .is_news = true}};
      writer.note_buckets(notes, now_);
    });
  };
  const WallTime begun = now_;
  note(1, 2, false);
  EXPECT_EQ(record_now(waits.id).state, ShownState::ready);
  advance(seconds{20});
  note(2, 1, true);
  EXPECT_EQ(record_now(waits.id).reason, JobReason::limit_rate);
  ASSERT_EQ(standings(number).size(), 1U);
  EXPECT_EQ(standings(number)[0].use.starts, 3);
  EXPECT_EQ(standings(number)[0].use.next_start, begun + seconds{60});
  const auto facts = asked([&](JobReader& reader) {
    reader.set_now(now_);
    return reader.lane_facts(*reader.find_job(waits.id));
  });
  EXPECT_EQ(facts.next_start, begun + seconds{60});
  EXPECT_THAT(gates_of(facts), Contains(JobReason::limit_rate));
  advance(seconds{40});
  EXPECT_EQ(record_now(waits.id).state, ShownState::ready);
  EXPECT_EQ(standings(number)[0].use.starts, 1);
  advance(seconds{20});
  EXPECT_TRUE(standings(number).empty());
}

TEST_P(LimitSuite, BucketsAreKeptForTheNextDispatcherAndGoWithTheirLimit) {
  declare({{.name = "mail", .target = {.kind = "billing.*"}, .bounds = {.rate = StartRate{3, seconds{60}}}}});
  const LimitGroup group{limits()[0].number, {}, {}, {}};
  const auto note = [&](std::int64_t number, bool is_news, std::chrono::microseconds open_for) {
    write([&](StoreWriter& writer) {
      const std::vector<BucketNote> notes{{.bucket = {.group = group, .number = number, .starts = 1},
                                           .window = seconds{60},
                                           .open_for = open_for,
                                           .is_news = is_news}};
      writer.note_buckets(notes, now_);
    });
  };
  const auto kept = [&] { return written([&](StoreWriter& writer) { return writer.start_buckets(now_); }); };
  const WallTime begun = now_;
  note(1, true, seconds{2});
  ASSERT_EQ(kept().size(), 1U);
  EXPECT_EQ(kept()[0].last_start, begun + seconds{2});
  advance(seconds{1});
  note(1, false, seconds{0});  // a start that was expected
  EXPECT_EQ(kept()[0].last_start, begun + seconds{2});
  advance(seconds{4});
  note(1, false, seconds{0});  // one that was committed late
  EXPECT_EQ(kept()[0].last_start, begun + seconds{5});
  advance(seconds{70});
  note(2, true, seconds{0});
  ASSERT_EQ(kept().size(), 1U);  // the first one counts no more
  EXPECT_EQ(kept()[0].number, 2);
  declare({});
  EXPECT_TRUE(kept().empty());
}

TEST_P(LimitSuite, OneThatCountsOthersForgetsTheStartsOfThoseBefore) {
  DeclaredLimit mail{
      .name = "mail", .target = {.kind = "billing.*"}, .bounds = {.rate = StartRate{1, seconds{60}}}};
  declare({mail});
  const LimitNumber mail_number = limits()[0].number;
  write([&](StoreWriter& writer) {
    const std::vector<BucketNote> notes{
        {.bucket = {.group = {mail_number, {}, {}, {}}, .number = 1, .starts = 1, .is_last = true},
         .window = seconds{60},
         .is_news = true}};
    writer.note_buckets(notes, now_);
  });
  mail.target.per.tenant = true;
  declare({mail});
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.start_buckets(now_); }).empty());
}

TEST_P(LimitSuite, OneThatBecomesOnePerKeyHasNoRateAnyMoreWhoeverHasSetIt) {
  constexpr StartRate kRate{9, seconds{60}};
  const DeclaredLimit per_key{
      .name = "mail", .target = {.kind = "billing.*", .per = {.key = true}}, .bounds = {.running = 2}};
  for (const bool is_cap_set : {false, true}) {
    declare(
        {{.name = "mail", .target = {.kind = "billing.*"}, .bounds = {.rate = StartRate{3, seconds{60}}}}});
    EXPECT_TRUE(set(
        {.name = "mail",
         .bounds = {.running = is_cap_set ? std::optional<std::int64_t>{7} : std::nullopt, .rate = kRate}}));
    const LimitGroup group{limits().at(0).number, {}, {}, {}};
    write([&](StoreWriter& writer) {
      const std::vector<BucketNote> notes{
          {.bucket = {.group = group, .number = 1, .starts = 1, .is_last = true},
           .window = seconds{60},
           .is_news = true}};
      writer.note_buckets(notes, now_);
    });
    declare({per_key});
    ASSERT_EQ(limits().size(), 1U);
    EXPECT_EQ(limits()[0].bounds(), (LimitBounds{.running = is_cap_set ? 7 : 2}));
    EXPECT_EQ(limits()[0].set.has_value(), is_cap_set) << "nothing of what was set is left";
    EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.start_buckets(now_); }).empty());
    EXPECT_FALSE(set({.name = "mail", .bounds = {.running = 4}}).value());
    EXPECT_EQ(limits()[0].bounds(), (LimitBounds{.running = 4}));
    EXPECT_TRUE(unset("mail"));
    declare({});
  }
}

INSTANTIATE_TEST_SUITE_P(EachStore, LimitSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
