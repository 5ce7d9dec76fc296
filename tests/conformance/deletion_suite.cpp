#include "store_suite.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

// Tenants that are deleted, as far as the store keeps it.
namespace tenure::testing {
namespace {

using ::testing::IsEmpty;

class DeletionSuite : public StoreSuite {
 protected:
  DeletionSuite() : acme_(create_tenant("acme")) { create_tenant("beta"); }

  Result<DeletionRecord> begin(std::string_view name = "acme") {
    return written([&](StoreWriter& writer) {
      return writer.begin_deletion(
          {.tenant = TenantName{name}, .uid = 1000, .login = "dana", .reason = "left us"}, now_);
    });
  }
  Result<void> bury() {
    return written([&](StoreWriter& writer) { return writer.bury(acme_.number, 4096, now_ + hours{1}); });
  }
  Result<void> end(DeletionStep how) {
    return written([&](StoreWriter& writer) { return writer.end_deletion(acme_.number, how); });
  }
  std::optional<DeletionRecord> deletion() {
    return asked([&](JobReader& reader) { return reader.deletion(acme_.number); });
  }
  std::optional<DeletionRecord> open_deletion() {
    return asked([](JobReader& reader) { return reader.open_deletion(TenantName{"acme"}); });
  }
  std::vector<DeletionRecord> open_deletions(TenantNumber after = TenantNumber{0}, std::size_t limit = 100) {
    return asked([&](JobReader& reader) { return reader.open_deletions(after, limit); });
  }
  TenantState state(std::string_view name = "acme") {
    return store().registry().find(TenantName{name})->state;
  }

  const TenantRecord acme_;
};

TEST_P(DeletionSuite, REG_08_FromItsBeginningNothingIsAcceptedAndThenTheGenerationIsNamed) {
  put(new_job("acme"));
  const auto begun = begin();
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->step, DeletionStep::draining);
  EXPECT_EQ(begun->begun, now_);
  EXPECT_EQ(begun->login, "dana");
  EXPECT_EQ(begun->reason, "left us");
  EXPECT_EQ(begun->tenant.generation, acme_.generation);
  EXPECT_EQ(state(), TenantState::draining);
  EXPECT_EQ(code_of(enqueue(new_job("acme"))), ErrorCode::tenant_not_ready);
  EXPECT_EQ(claim(acme_.number).gate, TenantState::draining);
  EXPECT_TRUE(bury());
  EXPECT_EQ(state(), TenantState::deleted);
  const auto refused = enqueue(new_job("acme"));
  EXPECT_EQ(code_of(refused), ErrorCode::tenant_deleted);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("its last generation was 1"));
  EXPECT_TRUE(enqueue(new_job("beta")));
}

// An enqueue of the same transaction has looked the tenant up before.
TEST_P(DeletionSuite, WhatItsOwnTransactionHasReadOfTheTenantIsForgotten) {
  write([&](StoreWriter& writer) {
    EXPECT_TRUE(writer.enqueue(new_job("acme"), now_));
    EXPECT_TRUE(writer.begin_deletion({.tenant = TenantName{"acme"}}, now_));
    EXPECT_EQ(code_of(writer.enqueue(new_job("acme"), now_)), ErrorCode::tenant_not_ready);
  });
  EXPECT_EQ(code_of(enqueue(new_job("acme"))), ErrorCode::tenant_not_ready);
}

TEST_P(DeletionSuite, BegunAgainItIsTheOneThatHasBegun) {
  EXPECT_TRUE(begin());
  advance(seconds{5});
  EXPECT_EQ(begin()->begun, now_ - seconds{5});
  EXPECT_TRUE(bury());
  EXPECT_EQ(code_of(begin()), ErrorCode::tenant_deleted);
  EXPECT_EQ(code_of(begin("nobody")), ErrorCode::tenant_does_not_exist);
}

TEST_P(DeletionSuite, ATenantInAnyLiveStateMayGo) {
  for (const TenantState before :
       {TenantState::provisioning, TenantState::active, TenantState::paused, TenantState::read_only,
        TenantState::migrating, TenantState::failed, TenantState::draining}) {
    const std::string name = "t" + std::to_string(static_cast<int>(before));
    create_tenant(name);
    set_tenant_state(name, before);
    EXPECT_TRUE(begin(name)) << name_of(before);
    EXPECT_EQ(state(name), TenantState::draining);
  }
}

TEST_P(DeletionSuite, EachStepFollowsTheOneBefore) {
  EXPECT_EQ(code_of(bury()), ErrorCode::state_changed);
  EXPECT_TRUE(begin());
  EXPECT_EQ(code_of(end(DeletionStep::erased)), ErrorCode::state_changed);
  EXPECT_TRUE(bury());
  EXPECT_EQ(deletion()->step, DeletionStep::buried);
  EXPECT_EQ(deletion()->erase_at, now_ + hours{1});
  EXPECT_EQ(deletion()->size_bytes, 4096);
  EXPECT_EQ(code_of(bury()), ErrorCode::state_changed);
  EXPECT_TRUE(end(DeletionStep::erased));
  EXPECT_EQ(deletion()->step, DeletionStep::erased);
  EXPECT_EQ(code_of(end(DeletionStep::taken_back)), ErrorCode::state_changed);
}

TEST_P(DeletionSuite, OpenOnesAreListedUntilTheyAreErasedOrTakenBack) {
  EXPECT_THAT(open_deletions(), IsEmpty());
  EXPECT_FALSE(open_deletion());
  EXPECT_TRUE(begin());
  EXPECT_TRUE(begin("beta"));
  ASSERT_EQ(open_deletions().size(), 2U);
  EXPECT_EQ(open_deletions(TenantNumber{0}, 1).size(), 1U);
  EXPECT_EQ(open_deletions(acme_.number).size(), 1U);
  EXPECT_TRUE(bury());
  EXPECT_EQ(open_deletion()->step, DeletionStep::buried);
  EXPECT_TRUE(end(DeletionStep::taken_back));
  EXPECT_FALSE(open_deletion());
  ASSERT_EQ(open_deletions().size(), 1U);
  EXPECT_EQ(open_deletions().front().tenant.name.text(), "beta");
}

TEST_P(DeletionSuite, WhereTheNextGenerationIsThereTheBuriedOneIsFoundAllTheSame) {
  EXPECT_TRUE(begin());
  EXPECT_TRUE(bury());
  const TenantRecord next = create_tenant("acme");
  EXPECT_EQ(next.generation.value, acme_.generation.value + 1);
  EXPECT_EQ(open_deletion()->tenant.generation, acme_.generation);
  EXPECT_TRUE(enqueue(new_job("acme")));
}

TEST_P(DeletionSuite, WithTheTenantItsPauseGoesAndSoDoTheMarksOfItsFile) {
  write([&](StoreWriter& writer) {
    EXPECT_TRUE(writer.pause({.scope = PauseScope::tenant, .name = "acme"}, now_));
    writer.mark_outbox_of(acme_.number, now_);
  });
  EXPECT_TRUE(begin());
  EXPECT_FALSE(asked([](JobReader& reader) { return reader.tenant_pause(TenantName{"acme"}); }));
  EXPECT_EQ(asked([](JobReader& reader) { return reader.outbox_marks(OutboxMarkNumber{0}, 10); }).size(), 1U);
  EXPECT_TRUE(bury());
  EXPECT_THAT(asked([](JobReader& reader) { return reader.outbox_marks(OutboxMarkNumber{0}, 10); }),
              IsEmpty());
}

// What runs comes to its end while it drains, and what is to run again waits and can be cancelled.
TEST_P(DeletionSuite, RunsEndWhileItDrains) {
  put(new_job("acme"));
  put(new_job("acme"));
  const ClaimedJob first = claim_one(acme_.number);
  const ClaimedJob second = claim_one(acme_.number);
  EXPECT_TRUE(begin());
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.finish_succeeded(ref(first), now_); }));
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.release(ref(second), true, {}, now_); }));
  EXPECT_EQ(record(second.id).state, ShownState::held);
  EXPECT_TRUE(written([&](StoreWriter& writer) { return writer.cancel_by_operator(second.id, now_); }));
  EXPECT_EQ(record(second.id).state, ShownState::cancelled);
}

INSTANTIATE_TEST_SUITE_P(EachStore, DeletionSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
