#include "store_suite.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

// Fan-outs on each store. A dispatcher is played by `carry_on`.
namespace tenure::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class FanOutSuite : public StoreSuite {
 protected:
  NewFanOut new_fan_out(std::string key = {}) {
    NewFanOut fan_out;
    fan_out.id = BatchId{new_job().id.uuid};
    fan_out.name = "rebuild";
    fan_out.key = std::move(key);
    fan_out.job.queue = "default";
    fan_out.job.kind = "index.rebuild";
    fan_out.job.attempts_max = 3;
    fan_out.job.arguments = R"({"deep":true})";
    fan_out.on_complete = callback_of("report.complete");
    fan_out.on_success = callback_of("report.success");
    return fan_out;
  }
  static BatchCallback callback_of(std::string_view kind) {
    BatchCallback callback;
    callback.job.queue = "default";
    callback.job.kind = kind;
    callback.job.attempts_max = 3;
    callback.job.arguments = "{}";
    return callback;
  }
  Result<StartedFanOut> try_start(const NewFanOut& fan_out) {
    return written([&](StoreWriter& writer) { return writer.fan_outs().start(fan_out, now_); });
  }
  BatchId start(const NewFanOut& fan_out) { return value_or_raise(try_start(fan_out)).id; }
  BatchId start() { return start(new_fan_out()); }
  Result<void> cancel(BatchId id) {
    return written([&](StoreWriter& writer) { return writer.fan_outs().cancel(id, now_); });
  }
  std::vector<OpenFanOut> open() {
    return written([&](StoreWriter& writer) { return writer.fan_outs().open(FanOutsMark{-1}); })->fan_outs;
  }
  static VisitOrder order_of(const OpenFanOut& fan_out, std::size_t tenants, std::size_t jobs = 1000) {
    return {.fan_out = fan_out.number,
            .after = fan_out.after,
            .is_cancelled = fan_out.is_cancelled,
            .tenants_max = tenants,
            .jobs_max = jobs};
  }
  VisitReply carry_on_once(const VisitOrder& order) {
    return written([&](StoreWriter& writer) { return writer.fan_outs().carry_on(order, now_); });
  }
  // Until nothing is under way, in pages of so many.
  void carry_on(std::size_t tenants = 2) {
    for (int pages = 0; !open().empty(); ++pages) {
      ASSERT_LT(pages, 1000) << "it never ends";
      for (const OpenFanOut& fan_out : open())
        EXPECT_FALSE(carry_on_once(order_of(fan_out, tenants)).is_stale);
    }
  }
  FanOutRecord fan_out(BatchId id) {
    return asked([&](JobReader& reader) { return reader.fan_outs().fan_out(id); }).value();
  }
  std::vector<FanOutJob> jobs_of(BatchId id, FanOutJobs which = FanOutJobs::all) {
    return asked([&](JobReader& reader) { return reader.fan_outs().jobs(id, which, JobSeq{0}, 1000); });
  }
  std::vector<std::string> tenants_of(const std::vector<FanOutJob>& jobs) {
    std::vector<std::string> names;
    for (const FanOutJob& job : jobs) names.push_back(job.tenant ? job.tenant->text() : "none");
    return names;
  }
  // By tenant, of those that were skipped.
  std::map<std::string, std::string> skips_of(BatchId id) {
    std::map<std::string, std::string> skips;
    for (const SkippedTenant& one :
         asked([&](JobReader& reader) { return reader.fan_outs().skipped(id, TenantNumber{0}, 1000); }))
      skips[one.tenant ? one.tenant->text() : "none"] += std::string{name_of(one.skip)};
    return skips;
  }
  std::vector<std::string> made_by(BatchId id) {
    std::vector<std::string> moments;
    for (const BatchMoment moment : {BatchMoment::complete, BatchMoment::success})
      if (asked([&](JobReader& reader) { return reader.find_job(job_id_of_callback(id, moment)); }))
        moments.emplace_back(name_of(moment));
    return moments;
  }
  TenantNumber active_tenant(std::string_view name) {
    const TenantRecord tenant = create_tenant(name);
    set_tenant_state(name, TenantState::active);
    return tenant.number;
  }
  void delete_tenant(std::string_view name) {
    const TenantName tenant = value_or_raise(TenantName::parse(name));
    write([&](StoreWriter& writer) {
      const auto deletion = value_or_raise(writer.begin_deletion({.tenant = tenant, .login = "ann"}, now_));
      value_or_raise(writer.bury(deletion.tenant.number, {.erase_at = now_ + hours{1}}));
    });
  }
  void succeed(const ClaimedJob& job) {
    write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(job), now_)); });
  }
  void die(const ClaimedJob& job) {
    write([&](StoreWriter& writer) {
      value_or_raise(writer.finish(ref(job), JobState::dead, JobReason::by_rule,
                                   {ErrorCode::handler_failed, "no"}, now_));
    });
  }
  std::vector<MiscountedFanOut> miscounted() {
    return asked([](JobReader& reader) { return reader.fan_outs().miscounted_fan_outs(10); });
  }
};

TEST_P(FanOutSuite, EachActiveTenantHasOneJobPageByPageInItsScope) {
  for (const char* const name : {"acme", "bolt", "crab", "duck", "elk"}) active_tenant(name);
  const BatchId id = start();
  EXPECT_EQ(fan_out(id).state(), FanOutState::visiting);
  EXPECT_EQ(fan_out(id).tenants, 5);
  carry_on(2);
  EXPECT_EQ(tenants_of(jobs_of(id)), (std::vector<std::string>{"acme", "bolt", "crab", "duck", "elk"}));
  for (const FanOutJob& job : jobs_of(id)) {
    EXPECT_EQ(job.id, job_id_of_fan_out(id, job.tenant->text(), job.generation));
    const JobRecord record = this->record(job.id);
    EXPECT_EQ(record.batch, id);
    EXPECT_EQ(record.kind, "index.rebuild");
    EXPECT_EQ(record.state, ShownState::ready);
    EXPECT_THAT(asked([&](JobReader& reader) { return reader.envelope(job.seq); }).value(),
                HasSubstr(R"({"deep":true})"));
  }
  EXPECT_EQ(fan_out(id).state(), FanOutState::waiting);
  EXPECT_TRUE(fan_out(id).batch.closed.has_value());
  EXPECT_EQ(fan_out(id).made, 5);
  EXPECT_THAT(miscounted(), IsEmpty());
}

TEST_P(FanOutSuite, FAN_03_TenantsThatAreNotActiveAreSkippedWithAReasonAndTheCountsAddUpToTheRegistry) {
  active_tenant("acme");
  for (const auto& [name, state] :
       {std::pair{"paws", TenantState::paused}, std::pair{"fail", TenantState::failed},
        std::pair{"read", TenantState::read_only}, std::pair{"moves", TenantState::migrating}}) {
    create_tenant(name);
    set_tenant_state(name, state);
  }
  create_tenant("new");
  set_tenant_state("new", TenantState::provisioning);
  active_tenant("old");
  delete_tenant("old");
  advance(seconds{1});
  const BatchId id = start();
  carry_on(3);
  EXPECT_THAT(tenants_of(jobs_of(id)), ElementsAre("acme", "moves"))
      << "what is migrated has its job, which waits";
  EXPECT_THAT(skips_of(id),
              UnorderedElementsAre(Pair("paws", "paused"), Pair("fail", "failed"), Pair("read", "read_only"),
                                   Pair("new", "provisioning"), Pair("old", "deleted")));
  const FanOutRecord record = fan_out(id);
  EXPECT_THAT(record.skips,
              UnorderedElementsAre(Pair(FanOutSkip::paused, 1), Pair(FanOutSkip::failed, 1),
                                   Pair(FanOutSkip::read_only, 1), Pair(FanOutSkip::provisioning, 1),
                                   Pair(FanOutSkip::deleted, 1)));
  std::int64_t live = 0;
  for (const auto& [state, tenants] : asked([](JobReader& reader) { return reader.tenant_counts(); }))
    live += tenants;
  EXPECT_EQ(record.made + record.skipped - record.skips.at(FanOutSkip::deleted), live);
  EXPECT_EQ(record.tenants, 7);
  EXPECT_EQ(record.visited, 7);
  EXPECT_THAT(miscounted(), IsEmpty());
}

TEST_P(FanOutSuite, FAN_05_TenantsSinceTheStartAreNotVisitedAndThoseDeletedSinceAreGone) {
  for (const char* const name : {"acme", "bolt", "crab"}) active_tenant(name);
  const BatchId id = start();
  advance(seconds{1});
  EXPECT_EQ(carry_on_once(order_of(open().front(), 1)).visited, 1);
  active_tenant("late");
  delete_tenant("crab");
  active_tenant("crab");  // again, which is another one
  carry_on();
  EXPECT_THAT(tenants_of(jobs_of(id)), ElementsAre("acme", "bolt"));
  EXPECT_THAT(skips_of(id), ElementsAre(Pair("crab", "gone")));
  const FanOutRecord record = fan_out(id);
  EXPECT_EQ(record.tenants, 3);
  EXPECT_EQ(record.visited, 3);
  EXPECT_EQ(record.problem, "");
  EXPECT_THAT(miscounted(), IsEmpty());
}

TEST_P(FanOutSuite, ATenantWhoseRowHasGoneIsCountedAsGone) {
  active_tenant("acme");
  const TenantName never = value_or_raise(TenantName::parse("never"));
  const TenantRecord tenant = value_or_raise(store().registry().begin_create(never, now_));
  const BatchId id = start();
  store().registry().abandon_create(never, tenant.generation);
  carry_on();
  EXPECT_THAT(fan_out(id).skips, ElementsAre(Pair(FanOutSkip::gone, 1)));
  EXPECT_EQ(fan_out(id).visited, 2);
  EXPECT_THAT(miscounted(), IsEmpty());
}

TEST_P(FanOutSuite, WithoutTenantsItSucceedsAndMakesItsCallbacksOnce) {
  const BatchId id = start();
  EXPECT_THAT(made_by(id), IsEmpty());
  carry_on();
  EXPECT_EQ(fan_out(id).state(), FanOutState::complete);
  EXPECT_TRUE(fan_out(id).batch.succeeded.has_value());
  EXPECT_EQ(fan_out(id).batch.counts.members, 0);
  EXPECT_THAT(made_by(id), ElementsAre("complete", "success"));
}

TEST_P(FanOutSuite, CallbacksComeBehindTheLastEndAndFailedTenantsAreListed) {
  const TenantNumber acme = active_tenant("acme");
  const TenantNumber bolt = active_tenant("bolt");
  const TenantNumber crab = active_tenant("crab");
  const BatchId id = start();
  EXPECT_EQ(carry_on_once(order_of(open().front(), 1)).visited, 1);
  succeed(claim_one(acme));
  EXPECT_THAT(made_by(id), IsEmpty()) << "all that there are have ended, and more are to come";
  carry_on();
  die(claim_one(bolt));
  EXPECT_THAT(made_by(id), IsEmpty());
  succeed(claim_one(crab));
  EXPECT_THAT(made_by(id), ElementsAre("complete"));
  EXPECT_THAT(tenants_of(jobs_of(id, FanOutJobs::failed)), ElementsAre("bolt"));
  EXPECT_EQ(jobs_of(id, FanOutJobs::failed).front().ended, JobState::dead);
}

TEST_P(FanOutSuite, UnderAKeyOneIsUnfinishedAtATime) {
  const TenantNumber acme = active_tenant("acme");
  const BatchId first = start(new_fan_out("nightly"));
  const auto again = try_start(new_fan_out("nightly"));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->id, first);
  EXPECT_TRUE(again->existed);
  EXPECT_NE(start(new_fan_out("weekly")), first);
  EXPECT_THAT(asked([](JobReader& reader) { return reader.fan_outs().fan_outs({}, 10); }), SizeIs(2));
  carry_on();
  EXPECT_EQ(start(new_fan_out("nightly")), first) << "its job has not ended";
  succeed(claim_one(acme));
  succeed(claim_one(acme));
  EXPECT_EQ(fan_out(first).state(), FanOutState::complete);
  EXPECT_NE(start(new_fan_out("nightly")), first);
}

TEST_P(FanOutSuite, TheSameIdIsTheSameFanOutAndNoBatchOfAnotherKind) {
  const NewFanOut one = new_fan_out();
  EXPECT_FALSE(value_or_raise(try_start(one)).existed);
  EXPECT_TRUE(value_or_raise(try_start(one)).existed);
  NewBatch batch;
  batch.id = BatchId{new_job().id.uuid};
  batch.name = "rebuild";
  write([&](StoreWriter& writer) { value_or_raise(writer.batches().open(batch, now_)); });
  NewFanOut other = new_fan_out();
  other.id = batch.id;
  EXPECT_EQ(code_of(try_start(other)), ErrorCode::id_conflict);
}

// Whoever asks again has missed the answer, however long ago.
TEST_P(FanOutSuite, TheSameIdIsTheSameFanOutWhateverHasItsKeyAndHoweverManyThereAre) {
  const NewFanOut first = new_fan_out("nightly");
  start(first);
  carry_on();
  const BatchId second = start(new_fan_out("nightly"));
  EXPECT_NE(second, first.id);
  EXPECT_EQ(start(first), first.id);
  while (open().size() < kFanOutsMax) start();
  EXPECT_EQ(code_of(try_start(new_fan_out())), ErrorCode::limit_reached);
  EXPECT_EQ(start(first), first.id);
}

TEST_P(FanOutSuite, WhatCannotBeIsRefusedAndLeavesNothing) {
  const auto refused = [&](auto change) {
    NewFanOut fan_out = new_fan_out();
    change(fan_out);
    EXPECT_EQ(code_of(try_start(fan_out)), ErrorCode::bad_options);
  };
  refused([](NewFanOut& fan_out) { fan_out.key = std::string(kFanOutKeyMax + 1, 'k'); });
  refused([](NewFanOut& fan_out) { fan_out.key = "a\nb"; });
  refused([](NewFanOut& fan_out) { fan_out.window = kFanOutWindowMax + std::chrono::microseconds{1}; });
  refused([](NewFanOut& fan_out) { fan_out.window = -seconds{1}; });
  refused([](NewFanOut& fan_out) { fan_out.rate = StartRate{.starts = 0}; });
  refused([](NewFanOut& fan_out) { fan_out.rate = StartRate{.starts = 1, .window = milliseconds{999}}; });
  refused([](NewFanOut& fan_out) { fan_out.start_within = -seconds{1}; });
  refused([](NewFanOut& fan_out) { fan_out.job.queue = "NO QUEUE"; });
  refused([](NewFanOut& fan_out) { fan_out.name = "a\nb"; });
  EXPECT_THAT(open(), IsEmpty());
  EXPECT_THAT(asked([](JobReader& reader) { return reader.batches().batches({}, 10); }), IsEmpty());
  NewFanOut most = new_fan_out(std::string(kFanOutKeyMax, 'k'));
  most.window = kFanOutWindowMax;
  most.rate = StartRate{.starts = kRateStartsMax, .window = kRateWindowMax};
  EXPECT_TRUE(try_start(most).has_value());
  EXPECT_EQ(fan_out(most.id).rate, most.rate);
  EXPECT_EQ(fan_out(most.id).window, kFanOutWindowMax);
}

TEST_P(FanOutSuite, CancellingVisitsNoMoreAndCancelsWhatHasNotStarted) {
  const TenantNumber acme = active_tenant("acme");
  const TenantNumber bolt = active_tenant("bolt");
  const TenantNumber crab = active_tenant("crab");
  active_tenant("duck");
  const BatchId id = start();
  EXPECT_EQ(carry_on_once(order_of(open().front(), 3)).visited, 3);
  const ClaimedJob runs = claim_one(acme);
  const ClaimedJob retried = claim_one(bolt);
  write([&](StoreWriter& writer) {
    value_or_raise(
        writer.retry(ref(retried), {.due = now_ + seconds{1}}, {ErrorCode::handler_failed, "no"}, now_));
  });
  value_or_raise(cancel(id));
  EXPECT_EQ(fan_out(id).state(), FanOutState::cancelling);
  carry_on(1);
  EXPECT_EQ(fan_out(id).visited, 3) << "no new job";
  EXPECT_EQ(fan_out(id).state(), FanOutState::waiting);
  EXPECT_THAT(tenants_of(jobs_of(id, FanOutJobs::failed)), ElementsAre("crab"));
  EXPECT_EQ(this->record(retried.id).state, ShownState::scheduled) << "by its own rules";
  EXPECT_EQ(this->record(runs.id).state, ShownState::running);
  EXPECT_EQ(code_of(cancel(id)), ErrorCode::state_changed);
  succeed(runs);
  advance(seconds{2});
  write([&](StoreWriter& writer) { EXPECT_THAT(writer.promote(now_, 10), SizeIs(1)); });
  succeed(claim_one(bolt));
  EXPECT_EQ(fan_out(id).state(), FanOutState::complete);
  EXPECT_THAT(made_by(id), ElementsAre("complete"));
  EXPECT_EQ(code_of(cancel(id)), ErrorCode::state_changed);
  EXPECT_EQ(code_of(cancel(BatchId{new_job().id.uuid})), ErrorCode::record_not_found);
  EXPECT_EQ(claim(crab).jobs.size(), 0U);
}

TEST_P(FanOutSuite, OneThatHasVisitedAllCanBeCancelledToo) {
  active_tenant("acme");
  const BatchId id = start();
  carry_on();
  value_or_raise(cancel(id));
  carry_on();
  EXPECT_EQ(fan_out(id).state(), FanOutState::complete);
  EXPECT_EQ(fan_out(id).batch.counts.cancelled, 1);
}

TEST_P(FanOutSuite, AnOrderOfAnotherCursorDoesNothing) {
  active_tenant("acme");
  active_tenant("bolt");
  const BatchId id = start();
  const VisitOrder first = order_of(open().front(), 1);
  EXPECT_FALSE(carry_on_once(first).is_stale);
  EXPECT_TRUE(carry_on_once(first).is_stale);
  EXPECT_EQ(fan_out(id).made, 1);
  const VisitOrder second = order_of(open().front(), 1);
  value_or_raise(cancel(id));
  EXPECT_TRUE(carry_on_once(second).is_stale);
  EXPECT_EQ(fan_out(id).made, 1);
}

TEST_P(FanOutSuite, JobsAreBoundedApartFromTenantsAndThoseThatWaitAreTold) {
  const TenantNumber acme = active_tenant("acme");
  create_tenant("paws");
  set_tenant_state("paws", TenantState::paused);
  active_tenant("bolt");
  active_tenant("crab");
  static_cast<void>(start());
  VisitReply reply = carry_on_once(order_of(open().front(), 10, 1));
  EXPECT_THAT(reply.made, SizeIs(1));
  EXPECT_EQ(reply.visited, 1);
  reply = carry_on_once(order_of(open().front(), 10, 1));
  EXPECT_EQ(reply.visited, 3) << "one was skipped, which is no job";
  static_cast<void>(claim_one(acme));
  VisitOrder look = order_of(open().front(), 10, 0);
  look.waiting_max = 10;
  const VisitReply waits = carry_on_once(look);
  EXPECT_EQ(waits.waiting, reply.made);
  EXPECT_THAT(waits.made, IsEmpty());
  EXPECT_EQ(waits.visited, 3);
}

TEST_P(FanOutSuite, OfJobsThatAreNamedItSaysWhichStillWait) {
  const TenantNumber acme = active_tenant("acme");
  active_tenant("bolt");
  active_tenant("crab");
  active_tenant("dodo");
  const BatchId id = start();
  const std::vector<JobSeq> made = carry_on_once(order_of(open().front(), 10, 3)).made;
  ASSERT_THAT(made, SizeIs(3));
  static_cast<void>(claim_one(acme));
  const JobId of_crab = jobs_of(id).at(2).id;
  value_or_raise(written([&](StoreWriter& writer) { return writer.cancel_by_operator(of_crab, now_); }));
  VisitOrder look = order_of(open().front(), 10, 0);
  look.look = {made[0], made[1], made[2], JobSeq{1'000'000}};
  EXPECT_EQ(carry_on_once(look).waiting, std::vector{made[1]});
}

TEST_P(FanOutSuite, ItsBatchIsClosedByItselfAloneAndCancelledByAnOperator) {
  active_tenant("acme");
  const BatchId id = start();
  EXPECT_EQ(code_of(written([&](StoreWriter& writer) { return writer.batches().close(id, now_); })),
            ErrorCode::state_changed);
  value_or_raise(written([&](StoreWriter& writer) { return writer.batches().cancel(id, now_); }));
  carry_on();
  EXPECT_EQ(fan_out(id).state(), FanOutState::complete);
  EXPECT_THAT(jobs_of(id), IsEmpty());
  value_or_raise(written([&](StoreWriter& writer) { return writer.batches().close(id, now_); }));
}

TEST_P(FanOutSuite, ItIsForgottenWithItsBatch) {
  create_tenant("paws");
  set_tenant_state("paws", TenantState::paused);
  const BatchId id = start();
  carry_on();
  EXPECT_THAT(skips_of(id), SizeIs(1));
  EXPECT_EQ(written([&](StoreWriter& writer) { return writer.batches().forget(now_ + seconds{1}, 10); }), 1);
  EXPECT_FALSE(asked([&](JobReader& reader) { return reader.fan_outs().fan_out(id); }).has_value());
  EXPECT_THAT(skips_of(id), IsEmpty());
  EXPECT_THAT(asked([](JobReader& reader) { return reader.fan_outs().fan_outs({}, 10); }), IsEmpty());
}

TEST_P(FanOutSuite, TheCensusAndTheMarkTellOfThoseUnderWay) {
  active_tenant("acme");
  active_tenant("bolt");
  const auto mark =
      written([](StoreWriter& writer) { return writer.fan_outs().open(FanOutsMark{-1})->mark; });
  const BatchId id = start();
  const auto news = written([&](StoreWriter& writer) { return writer.fan_outs().open(mark); });
  ASSERT_TRUE(news.has_value());
  EXPECT_EQ(news->fan_outs.front().id, id);
  EXPECT_EQ(carry_on_once(order_of(news->fan_outs.front(), 1)).visited, 1);
  EXPECT_FALSE(written([&](StoreWriter& writer) { return writer.fan_outs().open(news->mark); }).has_value())
      << "a visit is no news";
  FanOutCensus census = asked([](JobReader& reader) { return reader.fan_outs().fan_out_census(); });
  EXPECT_EQ(census.under_way, 1);
  EXPECT_EQ(census.tenants_left, 1);
  EXPECT_EQ(census.oldest_under_way, id);
  EXPECT_EQ(census.oldest_started, now_);
  value_or_raise(cancel(id));
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.fan_outs().open(news->mark); }).has_value());
  carry_on();
  EXPECT_EQ(asked([](JobReader& reader) { return reader.fan_outs().fan_out_census(); }).under_way, 0);
}

TEST_P(FanOutSuite, MomentsAreSpreadOverTheWholeWindowInTheOrderOfVisits) {
  OpenFanOut fan_out;
  fan_out.id = BatchId{new_job().id.uuid};
  fan_out.started = now_;
  fan_out.window = seconds{100};
  fan_out.tenants = 50;
  std::set<WallTime> moments;
  WallTime before = now_;
  for (fan_out.visited = 0; fan_out.visited < fan_out.tenants; ++fan_out.visited) {
    const WallTime at = next_visit_of(fan_out);
    EXPECT_GE(at, now_ + seconds{2} * fan_out.visited);
    EXPECT_LT(at, now_ + seconds{2} * (fan_out.visited + 1));
    EXPECT_EQ(visits_due(fan_out, at, 10), 1U) << fan_out.visited;
    EXPECT_EQ(visits_due(fan_out, at - std::chrono::microseconds{1}, 10), 0U);
    EXPECT_GE(at, before);
    before = at;
    moments.insert((at - now_) % seconds{2} + WallTime{});
  }
  EXPECT_GT(moments.size(), 40U) << "each at a moment of its own";
  EXPECT_EQ(visits_due(fan_out, now_, 7), 7U) << "the end is found by a visit";
}

INSTANTIATE_TEST_SUITE_P(EachStore, FanOutSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"EagerSqlite", &make_eager_sqlite_world}),
                         [](const auto& store) { return std::string{store.param.name}; });

}  // namespace
}  // namespace tenure::testing
