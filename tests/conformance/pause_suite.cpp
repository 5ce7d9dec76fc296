#include "store_suite.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

// Queues and kinds that operators pause.
namespace tenure::testing {
namespace {

class PauseSuite : public StoreSuite {
 protected:
  PauseSuite() {
    create_tenant("acme");
    put(job_in("exports", "report.build"));
  }

  NewJob job_in(std::string queue, std::string kind) {
    NewJob job = new_job("acme");
    job.queue = std::move(queue);
    job.kind = std::move(kind);
    return job;
  }
  NewPause of(PauseScope scope, std::string name) {
    return {.scope = scope, .name = std::move(name), .uid = 1000, .login = "dana", .reason = "disk is full"};
  }
  Result<bool> pause(const NewPause& pause) {
    return written([&](StoreWriter& writer) { return writer.pause(pause, now_); });
  }
  bool resume(PauseScope scope, std::string_view name) {
    return written([&](StoreWriter& writer) { return writer.resume(scope, name); });
  }
  std::vector<PauseRecord> pauses() {
    return asked([](JobReader& reader) { return reader.pauses(); });
  }
  std::optional<OpenPauses> open(PausesMark known) {
    return written([&](StoreWriter& writer) { return writer.open_pauses(known); });
  }
  std::vector<JobReason> gates(JobId id) {
    return asked([&](JobReader& reader) { return gates_of(reader.lane_facts(*reader.find_job(id))); });
  }
};

TEST_P(PauseSuite, StandsWithWhoAndWhyUntilItIsResumedAndEnqueuesGoOn) {
  EXPECT_TRUE(pause(of(PauseScope::queue, "exports")).value());
  const PauseRecord expected{.scope = PauseScope::queue,
                             .name = "exports",
                             .paused = now_,
                             .uid = 1000,
                             .login = "dana",
                             .reason = "disk is full"};
  EXPECT_EQ(pauses(), std::vector<PauseRecord>{expected});
  const Enqueued later = put(job_in("exports", "report.build"));
  EXPECT_THAT(gates(later.id), ::testing::Contains(JobReason::queue_paused));
  EXPECT_EQ(record(later.id).state, ShownState::held);
  EXPECT_EQ(record(later.id).reason, JobReason::queue_paused);
  EXPECT_TRUE(resume(PauseScope::queue, "exports"));
  EXPECT_FALSE(resume(PauseScope::queue, "exports"));
  EXPECT_TRUE(pauses().empty());
  EXPECT_THAT(gates(later.id), ::testing::Not(::testing::Contains(JobReason::queue_paused)));
  EXPECT_EQ(record(later.id).state, ShownState::ready);
}

TEST_P(PauseSuite, AKindIsHeldInEachQueueAndNoOtherIs) {
  const Enqueued elsewhere = put(job_in("urgent", "report.build"));
  const Enqueued other = put(job_in("exports", "report.send"));
  EXPECT_TRUE(pause(of(PauseScope::kind, "report.build")).value());
  EXPECT_EQ(record(elsewhere.id).reason, JobReason::kind_paused);
  EXPECT_EQ(record(other.id).state, ShownState::ready);
}

TEST_P(PauseSuite, AQueueAndAKindOfOneNameAreTwo) {
  put(job_in("both", "both"));
  EXPECT_TRUE(pause(of(PauseScope::queue, "both")).value());
  EXPECT_FALSE(resume(PauseScope::kind, "both"));
  EXPECT_TRUE(pause(of(PauseScope::kind, "both")).value());
  ASSERT_EQ(pauses().size(), 2U);
  EXPECT_EQ(pauses()[0].scope, PauseScope::queue);
}

TEST_P(PauseSuite, PausedAgainItHasTheNewEndAndReason) {
  NewPause first = of(PauseScope::queue, "exports");
  first.until = now_ + seconds{60};
  EXPECT_TRUE(pause(first).value());
  advance(seconds{5});
  NewPause second = of(PauseScope::queue, "exports");
  second.login = "erin";
  EXPECT_FALSE(pause(second).value()) << "it was paused";
  ASSERT_EQ(pauses().size(), 1U);
  EXPECT_EQ(pauses()[0].login, "erin");
  EXPECT_EQ(pauses()[0].paused, now_);
  EXPECT_FALSE(pauses()[0].until);
}

TEST_P(PauseSuite, WhatNobodyKnowsIsRefusedAndSoIsATimeThatHasPassed) {
  EXPECT_EQ(pause(of(PauseScope::queue, "exprots")).error().code, ErrorCode::record_not_found);
  EXPECT_EQ(pause(of(PauseScope::kind, "report.biuld")).error().code, ErrorCode::unknown_kind);
  NewPause past = of(PauseScope::queue, "exports");
  past.until = now_;
  EXPECT_EQ(pause(past).error().code, ErrorCode::bad_options);
  EXPECT_TRUE(pauses().empty());
}

TEST_P(PauseSuite, APoolThatListsAQueueOrHasAKindIsEnough) {
  write([&](StoreWriter& writer) {
    const Incarnation incarnation = writer.open_incarnation(1, "test", 1, now_);
    const PoolRecord pool{.name = "general", .queues = {"fresh"}, .workers = 1, .kinds = {"fresh.kind"}};
    writer.tell_pools(incarnation, std::span{&pool, 1});
  });
  EXPECT_TRUE(pause(of(PauseScope::queue, "fresh")).value());
  EXPECT_TRUE(pause(of(PauseScope::kind, "fresh.kind")).value());
  const auto queues = asked([](JobReader& reader) { return reader.queues(); });
  ASSERT_EQ(queues.size(), 2U) << "also one that has had no job";
  EXPECT_EQ(queues[1].name, "fresh");
  EXPECT_EQ(queues[1].pause.value().reason, "disk is full");
  EXPECT_FALSE(queues[0].pause);
}

TEST_P(PauseSuite, ADispatcherReadsThemWhereAnyHasChanged) {
  EXPECT_FALSE(open(PausesMark{0}));
  EXPECT_TRUE(pause(of(PauseScope::kind, "report.build")).value());
  NewPause timed = of(PauseScope::queue, "exports");
  timed.until = now_ + seconds{60};
  EXPECT_TRUE(pause(timed).value());
  const auto all = open(PausesMark{0});
  ASSERT_TRUE(all);
  EXPECT_EQ(all->pauses, (std::vector<OpenPause>{{PauseScope::queue, "exports", timed.until},
                                                 {PauseScope::kind, "report.build", std::nullopt}}));
  EXPECT_FALSE(open(all->mark));
  write([&](StoreWriter& writer) { writer.remove_expired_pauses(now_ + seconds{59}); });
  EXPECT_FALSE(open(all->mark)) << "nothing has expired";
  write([&](StoreWriter& writer) { writer.remove_expired_pauses(now_ + seconds{60}); });
  const auto left = open(all->mark);
  ASSERT_TRUE(left);
  EXPECT_EQ(left->pauses, (std::vector<OpenPause>{{PauseScope::kind, "report.build", std::nullopt}}));
}

INSTANTIATE_TEST_SUITE_P(EachStore, PauseSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
