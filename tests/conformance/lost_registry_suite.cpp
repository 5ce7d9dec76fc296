#include "store_suite.hpp"

#include <gmock/gmock.h>

#include <optional>
#include <string_view>

// Tenants of which the registry learns by their files: `tenure doctor --rebuild-registry`.
namespace tenure::testing {
namespace {

class LostRegistrySuite : public StoreSuite {
 protected:
  std::optional<TenantRecord> registered(std::string_view name, std::int64_t generation, TenantState state) {
    return written([&](StoreWriter& writer) {
      return writer.register_tenant({TenantName{name}, Generation{generation}, state}, now_);
    });
  }
  Result<TenantRestore> begin_restore(StoreWriter& writer, std::string_view name) const {
    return writer.begin_restore(
        {.tenant = TenantName{name}, .copied = now_, .copied_generation = Generation{1}}, now_);
  }
  TenantState state(std::string_view name) { return store().registry().find(TenantName{name})->state; }

  const TenantRecord acme_ = create_tenant("acme");
};

// An older copy of the control database was put back: what has been buried since lies in the graveyard.
TEST_P(LostRegistrySuite, AGenerationWhoseFileLiesInTheGraveyardIsDeletedWhateverTheRegistryKnowsOfIt) {
  const BuriedTenant buried{.size_bytes = 512, .erase_at = now_ + hours{1}};
  const auto register_burial = [&](TenantNumber tenant) {
    write([&](StoreWriter& writer) {
      writer.register_burial(tenant, {.tenant = TenantName{"acme"}, .login = "dana"}, buried, now_);
    });
  };
  const auto known = registered("acme", 1, TenantState::deleted);
  ASSERT_TRUE(known) << "it is known, and as one that lives";
  EXPECT_EQ(known->number, acme_.number);
  EXPECT_EQ(state("acme"), TenantState::deleted);
  register_burial(known->number);
  EXPECT_FALSE(registered("acme", 1, TenantState::deleted)) << "its burial is known";

  ASSERT_TRUE(registered("acme", 5, TenantState::active));
  const auto older = registered("acme", 3, TenantState::deleted);
  ASSERT_TRUE(older) << "which the registry has never had";
  register_burial(older->number);
  EXPECT_EQ(state("acme"), TenantState::active) << "the newest is another one";
  EXPECT_EQ(store().registry().find(TenantName{"acme"})->generation, Generation{5});
  const auto deletion = [&](std::int64_t generation) {
    return asked(
        [&](JobReader& reader) { return reader.open_deletion(TenantName{"acme"}, Generation{generation}); });
  };
  ASSERT_TRUE(deletion(1));
  ASSERT_TRUE(deletion(3));
  EXPECT_FALSE(deletion(1)->is_restore) << "nothing was in its place when it was buried";
}

// What a copy has taken the place of keeps its jobs, and nobody can tell it from what was deleted before the name was taken again.
TEST_P(LostRegistrySuite, AGenerationBehindWhichALaterOneLivesIsRegisteredAsPutAway) {
  const JobId waits = put(new_job("acme")).id;
  const auto later = registered("acme", 2, TenantState::active);
  ASSERT_TRUE(later);
  const auto older = registered("acme", 1, TenantState::deleted);
  ASSERT_TRUE(older);
  write([&](StoreWriter& writer) {
    writer.register_burial(older->number, {.tenant = TenantName{"acme"}, .login = "dana"},
                           {.size_bytes = 512, .erase_at = now_}, now_);
    EXPECT_TRUE(writer.begin_erasing(older->number, now_));
  });
  const auto deletion = asked([&](JobReader& reader) { return reader.deletion(older->number); });
  ASSERT_TRUE(deletion);
  EXPECT_TRUE(deletion->is_restore);
  EXPECT_TRUE(asked([](JobReader& reader) { return reader.erasable_jobs(JobSeq{0}, 100); }).jobs.empty());
  const auto restore = asked([](JobReader& reader) { return reader.tenant_restore(TenantName{"acme"}); });
  ASSERT_TRUE(restore);
  EXPECT_FALSE(restore->is_open());
  write([&](StoreWriter& writer) {
    EXPECT_TRUE(writer.hold_for_restore(waits));
    EXPECT_TRUE(writer.restamp(waits, now_));
  });
}

TEST_P(LostRegistrySuite, AStampThatWasClosedIsTakenOverWhereNobodyWhoIsKnownHasClosedIt) {
  for (const char* const name : {"deleted", "restored", "later"}) static_cast<void>(create_tenant(name));
  ASSERT_TRUE(registered("later", 2, TenantState::active));
  write([&](StoreWriter& writer) {
    EXPECT_TRUE(writer.begin_deletion({.tenant = TenantName{"deleted"}}, now_));
    EXPECT_TRUE(begin_restore(writer, "restored"));
  });
  const auto known = registered("acme", 1, TenantState::draining);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->number, acme_.number);
  EXPECT_EQ(known->state, TenantState::draining);
  EXPECT_EQ(state("acme"), TenantState::draining);
  for (const char* const name : {"acme", "deleted", "restored", "later"})
    EXPECT_FALSE(registered(name, 1, TenantState::draining)) << name;
  EXPECT_EQ(state("later"), TenantState::active);
}

TEST_P(LostRegistrySuite, WhereADeletionOrARestoreIsUnderWayAFileInTheGraveyardIsItsOwn) {
  create_tenant("beta");
  write([&](StoreWriter& writer) {
    EXPECT_TRUE(writer.begin_deletion({.tenant = TenantName{"acme"}}, now_));
    EXPECT_TRUE(begin_restore(writer, "beta"));
  });
  for (const char* const name : {"acme", "beta"}) {
    EXPECT_FALSE(registered(name, 1, TenantState::deleted)) << name;
    EXPECT_EQ(state(name), TenantState::draining) << name;
  }
}

// Of one whose stamp was closed nobody knows for what: it is deleted, or a copy is put in its place.
TEST_P(LostRegistrySuite, OneThatIsDrainingForNobodyWhoIsKnownIsRestoredOrDeleted) {
  for (const char* const name : {"copied", "gone"})
    ASSERT_TRUE(registered(name, 1, TenantState::draining)) << name;
  write([&](StoreWriter& writer) {
    EXPECT_TRUE(begin_restore(writer, "copied"));
    EXPECT_TRUE(writer.begin_deletion({.tenant = TenantName{"gone"}}, now_));
    EXPECT_EQ(code_of(begin_restore(writer, "gone")), ErrorCode::state_changed) << "it is being deleted";
  });
}

TEST_P(LostRegistrySuite, ATenantThatTheRegistryHasLostIsRegisteredWithItsGenerationAndState) {
  const auto zed = registered("zed", 7, TenantState::read_only);
  ASSERT_TRUE(zed);
  EXPECT_EQ(store().registry().find(TenantName{"zed"})->generation, Generation{7});
  EXPECT_EQ(state("zed"), TenantState::read_only);
  EXPECT_TRUE(enqueue(new_job("zed")));
  EXPECT_FALSE(registered("zed", 7, TenantState::active)) << "it is known";
  EXPECT_FALSE(registered("zed", 6, TenantState::active)) << "a later one is";
  EXPECT_EQ(state("zed"), TenantState::read_only);

  const auto gone = registered("gone", 2, TenantState::deleted);
  ASSERT_TRUE(gone);
  const BuriedTenant buried{.size_bytes = 512, .erase_at = now_ + hours{1}};
  for (int times = 0; times < 2; ++times)
    write([&](StoreWriter& writer) {
      writer.register_burial(gone->number, {.tenant = gone->name, .login = "dana"}, buried, now_);
    });
  const auto deletion =
      asked([&](JobReader& reader) { return reader.open_deletion(TenantName{"gone"}, std::nullopt); });
  ASSERT_TRUE(deletion);
  EXPECT_EQ(deletion->step, DeletionStep::buried);
  EXPECT_EQ(deletion->size_bytes, 512);
  EXPECT_EQ(deletion->erase_at, now_ + hours{1});
  EXPECT_EQ(create_tenant("gone").generation, Generation{3});

  ASSERT_TRUE(registered("acme", 4, TenantState::active)) << "a later one takes its place";
  EXPECT_EQ(store().registry().find(TenantName{"acme"})->generation, Generation{4});
  NewJob of_former = new_job("acme");
  of_former.generation = acme_.generation;
  EXPECT_EQ(code_of(enqueue(of_former)), ErrorCode::stale_generation);
}

INSTANTIATE_TEST_SUITE_P(EachStore, LostRegistrySuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
