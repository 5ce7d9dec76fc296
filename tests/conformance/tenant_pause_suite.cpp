#include "store_suite.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

// Tenants that operators pause.
namespace tenure::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TenantPauseSuite : public StoreSuite {
 protected:
  TenantPauseSuite() : acme_(create_tenant("acme")) {
    create_tenant("beta");
    static_cast<void>(changed());
  }

  NewPause of(std::string name) {
    return {.scope = PauseScope::tenant,
            .name = std::move(name),
            .uid = 1000,
            .login = "dana",
            .reason = "restore test"};
  }
  Result<bool> pause(const NewPause& pause) {
    return written([&](StoreWriter& writer) { return writer.pause(pause, now_); });
  }
  bool resume(std::string_view name) {
    return written([&](StoreWriter& writer) { return writer.resume(PauseScope::tenant, name); });
  }
  std::optional<PauseRecord> pause_of(std::string_view name) {
    return asked([&](JobReader& reader) { return reader.tenant_pause(TenantName{name}); });
  }
  TenantState state(std::string_view name) { return store().registry().find(TenantName{name})->state; }
  std::optional<OpenPauses> open(PausesMark known) {
    return written([&](StoreWriter& writer) { return writer.open_pauses(known); });
  }
  void end_expired() {
    write([&](StoreWriter& writer) { writer.remove_expired_pauses(now_); });
  }
  std::vector<ChangedTenant> changed(std::size_t limit = 100) {
    return written([&](StoreWriter& writer) { return writer.take_changed_tenants(limit); });
  }
  Result<TenantState> set_read_only(std::string_view name, bool is_read_only) {
    return written([&](StoreWriter& writer) { return writer.set_read_only(TenantName{name}, is_read_only); });
  }

  const TenantRecord acme_;
};

TEST_P(TenantPauseSuite, StandsWithWhoAndWhyUntilItIsResumedAndEnqueuesGoOn) {
  const Enqueued before = put(new_job("acme"));
  EXPECT_TRUE(pause(of("acme")).value());
  const PauseRecord expected{.scope = PauseScope::tenant,
                             .name = "acme",
                             .paused = now_,
                             .uid = 1000,
                             .login = "dana",
                             .reason = "restore test"};
  EXPECT_EQ(pause_of("acme"), expected);
  EXPECT_EQ(asked([](JobReader& reader) { return reader.tenant(TenantName{"acme"}); })->pause, expected);
  EXPECT_THAT(asked([](JobReader& reader) { return reader.pauses(); }), IsEmpty()) << "of queues and kinds";
  const Enqueued later = put(new_job("acme"));
  for (const Enqueued& job : {before, later}) {
    EXPECT_EQ(record(job.id).state, ShownState::held);
    EXPECT_EQ(record(job.id).reason, JobReason::tenant_paused);
  }
  EXPECT_EQ(claim(acme_.number, 5).gate, TenantState::paused);
  EXPECT_TRUE(resume("acme"));
  EXPECT_FALSE(resume("acme"));
  EXPECT_FALSE(pause_of("acme"));
  EXPECT_EQ(claim(acme_.number, 5).jobs.size(), 2U);
}

TEST_P(TenantPauseSuite, WhatRunsEnds) {
  put(new_job("acme"));
  const ClaimedJob job = claim_one(acme_.number);
  EXPECT_TRUE(pause(of("acme")).value());
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.finish_succeeded(ref(job), now_); }));
}

TEST_P(TenantPauseSuite, PausedAgainItHasTheNewEndAndReason) {
  NewPause first = of("acme");
  first.until = now_ + seconds{60};
  EXPECT_TRUE(pause(first).value());
  advance(seconds{5});
  NewPause second = of("acme");
  second.login = "erin";
  EXPECT_FALSE(pause(second).value()) << "it was paused";
  EXPECT_EQ(pause_of("acme")->login, "erin");
  EXPECT_FALSE(pause_of("acme")->until);
}

TEST_P(TenantPauseSuite, WhatIsNotAtWorkIsRefusedAndSoIsATimeThatHasPassed) {
  EXPECT_EQ(code_of(pause(of("nobody"))), ErrorCode::tenant_does_not_exist);
  EXPECT_EQ(code_of(pause(of("no body"))), ErrorCode::bad_tenant_name);
  for (const TenantState state :
       {TenantState::provisioning, TenantState::migrating, TenantState::failed, TenantState::draining}) {
    set_tenant_state("acme", state);
    EXPECT_EQ(code_of(pause(of("acme"))), ErrorCode::tenant_not_ready) << name_of(state);
  }
  set_tenant_state("acme", TenantState::deleted);
  EXPECT_EQ(code_of(pause(of("acme"))), ErrorCode::tenant_deleted);
  NewPause past = of("beta");
  past.until = now_;
  EXPECT_EQ(code_of(pause(past)), ErrorCode::bad_options);
  EXPECT_FALSE(resume("nobody"));
}

TEST_P(TenantPauseSuite, ItEndsByItselfAtItsTimeAndADispatcherIsToldWhenThatIs) {
  const PausesMark mark = open(PausesMark{-1})->mark;
  NewPause timed = of("acme");
  timed.until = now_ + seconds{60};
  EXPECT_TRUE(pause(timed).value());
  NewPause later = of("beta");
  later.until = now_ + seconds{90};
  EXPECT_TRUE(pause(later).value());
  const auto opened = open(mark);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->tenants_until, timed.until);
  EXPECT_THAT(opened->pauses, IsEmpty());
  advance(seconds{59});
  end_expired();
  EXPECT_EQ(state("acme"), TenantState::paused);
  advance(seconds{1});
  end_expired();
  EXPECT_EQ(state("acme"), TenantState::active);
  EXPECT_EQ(state("beta"), TenantState::paused);
  EXPECT_EQ(open(opened->mark)->tenants_until, later.until);
}

TEST_P(TenantPauseSuite, AReadOnlyTenantIsThatAgainOnceItIsResumed) {
  EXPECT_EQ(set_read_only("acme", true).value(), TenantState::active);
  EXPECT_TRUE(pause(of("acme")).value());
  EXPECT_FALSE(pause(of("acme")).value());
  EXPECT_TRUE(resume("acme"));
  EXPECT_EQ(state("acme"), TenantState::read_only);
  EXPECT_TRUE(pause(of("acme")).value());
  EXPECT_EQ(set_read_only("acme", false).value(), TenantState::paused);
  EXPECT_EQ(state("acme"), TenantState::paused);
  EXPECT_TRUE(resume("acme"));
  EXPECT_EQ(state("acme"), TenantState::active);
  set_tenant_state("acme", TenantState::failed);
  EXPECT_EQ(code_of(set_read_only("acme", true)), ErrorCode::tenant_not_ready);
}

// An older copy was found in its place, and the right one is back.
TEST_P(TenantPauseSuite, OneThatFailsAndIsMendedMeanwhileIsPausedStillOrWhatItWouldBe) {
  const OutboxOwner owner{TenantName{"acme"}, acme_.generation};
  const auto row = [&](std::int64_t seq) {
    return OutboxRow{OutboxSeq{seq}, write_outbox_row(
                                         [&] {
                                           NewJob job = new_job("acme");
                                           job.generation = acme_.generation;
                                           return job;
                                         }(),
                                         {})};
  };
  write([&](StoreWriter& writer) {
    static_cast<void>(writer.relay_outbox(owner, {.newest = OutboxSeq{2}, .rows = {row(1), row(2)}}, now_));
  });
  const auto fails = [&](std::int64_t newest) {
    write([&](StoreWriter& writer) { writer.note_older_copy(owner, OutboxSeq{newest}, OutboxSeq{2}, now_); });
    ASSERT_EQ(state("acme"), TenantState::failed);
  };
  const auto mended = [&] {
    return written([&](StoreWriter& writer) { return writer.recheck_outbox(owner, OutboxSeq{2}); }).value();
  };
  EXPECT_TRUE(pause(of("acme")).value());
  fails(1);
  EXPECT_TRUE(pause_of("acme"));
  EXPECT_EQ(mended(), TenantState::paused);
  EXPECT_TRUE(pause_of("acme"));

  fails(1);
  EXPECT_TRUE(resume("acme"));
  EXPECT_EQ(state("acme"), TenantState::failed);
  EXPECT_EQ(mended(), TenantState::active);
}

TEST_P(TenantPauseSuite, EachChangeOfAStateIsLeftForTheDispatcherOnce) {
  EXPECT_THAT(changed(), IsEmpty());
  EXPECT_TRUE(pause(of("acme")).value());
  EXPECT_TRUE(pause(of("beta")).value());
  EXPECT_TRUE(resume("beta"));
  EXPECT_THAT(changed(1), ElementsAre(ChangedTenant{acme_.number, TenantState::paused}));
  EXPECT_THAT(changed(),
              ElementsAre(ChangedTenant{TenantNumber{acme_.number.value + 1}, TenantState::active}));
  EXPECT_THAT(changed(), IsEmpty());
  EXPECT_FALSE(pause(of("acme")).value());
  EXPECT_THAT(changed(), IsEmpty()) << "it was paused";
}

INSTANTIATE_TEST_SUITE_P(EachStore, TenantPauseSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
