#include "store_suite.hpp"

#include <gmock/gmock.h>

#include <map>
#include <string>
#include <vector>

// Tenants whose databases have had fewer migrations than worker programs want.
namespace tenure::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr Incarnation kLives{2000};

class TenantSchemaSuite : public StoreSuite {
 protected:
  TenantSchemaSuite() {
    create_tenant("acme");
    create_tenant("bolt");
    world_->lock_as_dispatcher();
    write([&](StoreWriter& writer) {
      static_cast<void>(writer.open_incarnation(kLives.value, "app-1", 42, now_));
    });
  }
  TenantNumber number(std::string_view tenant) {
    return asked([&](JobReader& reader) { return reader.tenant(TenantName(tenant))->tenant.number; });
  }
  void note(std::string_view tenant, std::int64_t wanted,
            std::string told = "it has had 1 of the 2 migrations") {
    const TenantBehind behind{number(tenant), wanted, std::move(told), now_};
    store().write(Durability::durable, [&](StoreWriter& writer) { writer.note_behind(behind); });
  }
  bool forget(std::string_view tenant) {
    const TenantNumber of = number(tenant);
    return written([&](StoreWriter& writer) { return writer.forget_behind(of); });
  }
  std::vector<TenantBehind> behind() {
    return asked([](JobReader& reader) { return reader.tenants_behind(); });
  }
  std::optional<KnownSchemas> known(SchemasMark since) {
    return written([&](StoreWriter& writer) { return writer.known_schemas(since); });
  }
  // One pool whose processes want so many migrations.
  void tell(std::map<std::string, std::int64_t> schemas) {
    const PoolRecord pool{.name = "general",
                          .queues = {"default"},
                          .workers = 1,
                          .kinds = {"mail.send", "report.build"},
                          .default_queues = {},
                          .schemas = std::move(schemas)};
    write([&](StoreWriter& writer) { writer.tell_pools(kLives, std::vector{pool}); });
  }
  NewJob job_of(std::string_view tenant, std::string kind = "mail.send") {
    NewJob job = new_job(tenant);
    job.queue = "default";
    job.kind = std::move(kind);
    return job;
  }
  std::vector<JobReason> gates(JobId id) {
    return asked([&](JobReader& reader) { return gates_of(reader.lane_facts(*reader.find_job(id))); });
  }
};

TEST_P(TenantSchemaSuite, IsKnownUntilItIsForgottenAndTheLeastThatIsWantedStays) {
  note("acme", 3, "first");
  note("acme", 5, "says less");
  ASSERT_EQ(behind().size(), 1U);
  EXPECT_EQ(behind()[0], (TenantBehind{number("acme"), 3, "first", now_}));
  note("acme", 2, "says more");
  EXPECT_EQ(behind()[0].wanted, 2);
  EXPECT_EQ(behind()[0].told, "says more");
  EXPECT_TRUE(forget("acme"));
  EXPECT_FALSE(forget("acme"));
  EXPECT_THAT(behind(), IsEmpty());
}

TEST_P(TenantSchemaSuite, TheOldestAreForgottenByThemselves) {
  note("acme", 2);
  now_ += std::chrono::seconds{10};
  note("bolt", 2);
  write([&](StoreWriter& writer) { writer.forget_behind_noted(now_ - std::chrono::seconds{1}); });
  ASSERT_EQ(behind().size(), 1U);
  EXPECT_EQ(behind()[0].tenant, number("bolt"));
  write([&](StoreWriter& writer) { writer.forget_behind_noted(now_); });
  EXPECT_THAT(behind(), IsEmpty());
}

TEST_P(TenantSchemaSuite, ADispatcherReadsThemOnlyWhereTheyHaveChanged) {
  EXPECT_FALSE(known(SchemasMark{0}));
  note("bolt", 2);
  note("acme", 2);
  const auto first = known(SchemasMark{0});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->tenants, behind());
  EXPECT_EQ(first->tenants.size(), 2U);
  EXPECT_FALSE(known(first->mark));
  note("acme", 4);  // says less
  EXPECT_FALSE(known(first->mark));
  EXPECT_TRUE(forget("acme"));
  const auto second = known(first->mark);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->tenants.size(), 1U);
}

TEST_P(TenantSchemaSuite, AReadyJobIsHeldWhereEachProcessWantsMore) {
  tell({{"mail.send", 2}});
  const JobId waits = put(job_of("acme")).id;
  const JobId other_kind = put(job_of("acme", "report.build")).id;
  const JobId other_tenant = put(job_of("bolt")).id;
  const JobId nobodys = put([&] {
                          NewJob job = job_of("acme");
                          job.tenant.reset();
                          return job;
                        }())
                            .id;
  EXPECT_EQ(record(waits).state, ShownState::ready);
  note("acme", 2);
  EXPECT_EQ(record(waits).state, ShownState::held);
  EXPECT_EQ(record(waits).reason, JobReason::schema_behind);
  EXPECT_THAT(gates(waits), Contains(JobReason::schema_behind));
  for (const JobId id : {other_kind, other_tenant, nobodys}) {
    EXPECT_EQ(record(id).state, ShownState::ready);
    EXPECT_THAT(gates(id), Not(Contains(JobReason::schema_behind)));
  }
  const auto facts = asked([&](JobReader& reader) { return reader.lane_facts(*reader.find_job(waits)); });
  ASSERT_TRUE(facts.behind);
  EXPECT_EQ(facts.behind->told, "it has had 1 of the 2 migrations");

  const auto summary = asked([](JobReader& reader) { return *reader.tenant(TenantName("acme")); });
  EXPECT_EQ(summary.held, 1);
  EXPECT_EQ(summary.ready, 1);
  const auto queues = asked([](JobReader& reader) { return reader.queues(); });
  ASSERT_EQ(queues.size(), 1U);
  EXPECT_EQ(queues[0].held, 1);
  ASSERT_EQ(queues[0].held_by.size(), 1U);
  EXPECT_EQ(queues[0].held_by[0].reason, JobReason::schema_behind);

  tell({{"mail.send", 1}});
  EXPECT_EQ(record(waits).state, ShownState::ready) << "a process of an older program takes it";
  tell({{"mail.send", 2}});
  EXPECT_TRUE(forget("acme"));
  EXPECT_EQ(record(waits).state, ShownState::ready);
}

TEST_P(TenantSchemaSuite, WhatPoolsWantIsReadAsItWasTold) {
  tell({{"mail.send", 7}});
  const auto pools = asked([](JobReader& reader) { return reader.pools(); });
  ASSERT_EQ(pools.size(), 1U);
  EXPECT_EQ(pools[0].schemas, (std::map<std::string, std::int64_t>{{"mail.send", 7}}));
  tell({});
  EXPECT_THAT(asked([](JobReader& reader) { return reader.pools(); })[0].schemas, IsEmpty());
}

TEST_P(TenantSchemaSuite, AnUndoneCommitLeavesNothing) {
  const TenantNumber acme = number("acme");
  struct Undone {};
  EXPECT_THROW(store().write(Durability::durable,
                             [&](StoreWriter& writer) {
                               writer.note_behind({acme, 2, "told", now_});
                               throw Undone{};
                             }),
               Undone);
  EXPECT_THAT(behind(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(EachStore, TenantSchemaSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
