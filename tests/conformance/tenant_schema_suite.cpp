#include "store_suite.hpp"

#include <gmock/gmock.h>

#include <algorithm>
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
  EXPECT_THAT(second->level, ElementsAre(number("acme")));
}

TEST_P(TenantSchemaSuite, OfAChangeOnlyWhatHasChangedIsRead) {
  for (const char* const name : {"acme", "bolt"}) note(name, 3);
  const auto all = known(SchemasMark{0});
  ASSERT_TRUE(all);
  EXPECT_TRUE(all->is_all);
  note("bolt", 2);
  const auto one = known(all->mark);
  ASSERT_TRUE(one);
  EXPECT_FALSE(one->is_all);
  EXPECT_THAT(one->tenants, ElementsAre(TenantBehind{number("bolt"), 2, behind()[1].told, now_}));
  EXPECT_THAT(one->level, IsEmpty());
  EXPECT_TRUE(forget("acme"));
  note("bolt", 1);
  EXPECT_TRUE(forget("bolt"));
  note("acme", 4);
  const auto both = known(one->mark);
  ASSERT_TRUE(both);
  EXPECT_THAT(both->tenants, ElementsAre(TenantBehind{number("acme"), 4, behind()[0].told, now_}));
  EXPECT_THAT(both->level, ElementsAre(number("bolt")));
  EXPECT_FALSE(known(both->mark));
  EXPECT_EQ(known(SchemasMark{0})->tenants, behind()) << "the next dispatcher reads all";
}

TEST_P(TenantSchemaSuite, AMigrationIsStartedOnceForATenantAndATarget) {
  const auto start = [&](std::string_view tenant, std::int64_t to, std::int64_t counter) {
    const MigrationOrder order{.tenant = number(tenant),
                               .to = to,
                               .queue = "reports",
                               .priority = Priority{-5},
                               .found_by = {JobSeq{7}, {kLives, counter}}};
    return written([&](StoreWriter& writer) { return writer.start_migration(order, now_); });
  };
  EXPECT_TRUE(start("acme", 2, 1));
  EXPECT_FALSE(start("acme", 2, 2));
  EXPECT_TRUE(start("bolt", 2, 3));
  EXPECT_TRUE(start("acme", 3, 4));
  const auto jobs = asked(
      [&](JobReader& reader) { return reader.list_jobs({}, {.order = ListOrder::oldest_first}, now_).jobs; });
  ASSERT_EQ(jobs.size(), 3U);
  EXPECT_EQ(jobs[0].kind, kMigrateKind);
  EXPECT_EQ(jobs[0].queue, "reports");
  EXPECT_EQ(jobs[0].priority, Priority{-5});
  EXPECT_EQ(jobs[0].tenant, TenantName("acme"));
  EXPECT_EQ(jobs[0].attempts_max, kMigrateAttempts);
  write([&](StoreWriter& writer) {
    static_cast<void>(writer.begin_deletion({.tenant = TenantName("bolt")}, now_));
  });
  EXPECT_FALSE(start("bolt", 3, 5)) << "one that is deleted takes no jobs";
}

class TenantMigrations : public TenantSchemaSuite {
 protected:
  bool note_migration(MigrationRecord record) {
    record.tenant = number("acme");
    record.ended = now_;
    return written([&](StoreWriter& writer) { return writer.note_migration(record); });
  }
  TenantSummary acme() {
    return asked([](JobReader& reader) { return reader.tenant(TenantName("acme")).value(); });
  }
};

TEST_P(TenantMigrations, WhatTheLastOneHasDoneIsKept) {
  EXPECT_FALSE(acme().migration);
  note("acme", 2);
  EXPECT_TRUE(note_migration({.from = 1, .to = 2, .took = std::chrono::milliseconds{3}}));
  EXPECT_THAT(behind(), IsEmpty());
  const MigrationRecord first{
      .tenant = number("acme"), .from = 1, .to = 2, .ended = now_, .took = std::chrono::milliseconds{3}};
  EXPECT_EQ(acme().migration, first);
  EXPECT_FALSE(note_migration({.from = 2, .to = 2}));
  EXPECT_EQ(acme().migration, first) << "one that had nothing to do says nothing";
  EXPECT_FALSE(note_migration({.from = 2, .to = 4}));
  EXPECT_EQ(acme().migration->to, 4);
  const auto listed = asked([](JobReader& reader) { return reader.tenants(std::nullopt, 10); });
  EXPECT_EQ(listed[0].migration, acme().migration);
  EXPECT_FALSE(listed[1].migration);
}

// Whatever a worker process says that it has done.
TEST_P(TenantMigrations, WhatCannotBeIsNotKept) {
  for (const char* const result :
       {R"({"from":-1,"to":0})", R"({"from":2,"to":1})", R"({"from":0,"to":10000})", R"({"from":-2,"to":-1})",
        R"({"from":1,"to":9223372036854775807})", "[]", "no"}) {
    SCOPED_TRACE(result);
    const MigratedFromTo told = read_migrate_result(result);
    EXPECT_EQ(told.from, 0);
    EXPECT_EQ(told.to, 0);
    EXPECT_FALSE(note_migration({.from = told.from, .to = told.to}));
    EXPECT_FALSE(acme().migration);
  }
  EXPECT_EQ(read_migrate_result(migrate_result(1, 9999, {})).to, 9999);
}

TEST_P(TenantMigrations, OneThatFailsFailsItsTenantAndTheNextHealsIt) {
  const JobId waits = put(job_of("acme")).id;
  EXPECT_FALSE(note_migration({.from = 1, .to = 1, .error = "0002_x line 1"}));
  EXPECT_EQ(acme().tenant.state, TenantState::failed);
  EXPECT_EQ(acme().migration->error, "0002_x line 1");
  EXPECT_EQ(record(waits).reason, JobReason::tenant_not_ready);
  EXPECT_FALSE(note_migration({.from = 1, .to = 1, .error = "0002_x line 7"})) << "it has failed already";
  EXPECT_EQ(acme().migration->error, "0002_x line 7");
  std::vector<AuditRecord> audit;
  store().read([&](JobReader& reader) {
    reader.for_each_audit(std::nullopt, [&](const AuditRecord& each) {
      if (each.entry.verb == "tenant failed") audit.push_back(each);
      return true;
    });
  });
  ASSERT_EQ(audit.size(), 1U);
  EXPECT_EQ(audit[0].entry.reason, "a migration has failed; tenure tenant show acme")
      << "the error may quote a row, and nobody erases a record";
  EXPECT_TRUE(note_migration({.from = 1, .to = 2}));
  EXPECT_EQ(acme().tenant.state, TenantState::active);
  EXPECT_EQ(acme().migration->error, "");
  EXPECT_EQ(record(waits).state, ShownState::ready);
}

TEST_P(TenantMigrations, AHealedTenantIsWhatItWas) {
  write([&](StoreWriter& writer) {
    static_cast<void>(writer.pause({.scope = PauseScope::tenant, .name = "acme"}, now_));
  });
  EXPECT_FALSE(note_migration({.error = "no"}));
  EXPECT_TRUE(note_migration({.from = 1, .to = 2}));
  EXPECT_EQ(acme().tenant.state, TenantState::paused);
  EXPECT_FALSE(note_migration({.error = "no"}));
  write([&](StoreWriter& writer) { static_cast<void>(writer.resume(PauseScope::tenant, "acme")); });
  EXPECT_EQ(acme().tenant.state, TenantState::failed);
  EXPECT_TRUE(note_migration({.from = 2, .to = 3}));
  EXPECT_EQ(acme().tenant.state, TenantState::active) << "somebody has resumed it meanwhile";
}

TEST_P(TenantMigrations, OneThatIsBeingDeletedStaysSo) {
  write([&](StoreWriter& writer) {
    static_cast<void>(writer.begin_deletion({.tenant = TenantName("acme")}, now_));
  });
  EXPECT_FALSE(note_migration({.error = "no"}));
  EXPECT_EQ(acme().tenant.state, TenantState::draining);
  EXPECT_FALSE(note_migration({.from = 1, .to = 2}));
  EXPECT_EQ(acme().tenant.state, TenantState::draining);
}

// A failed tenant can be deleted.
TEST_P(TenantMigrations, AFailedOneCanBeDeleted) {
  EXPECT_FALSE(note_migration({.error = "no"}));
  write(
      [&](StoreWriter& writer) { EXPECT_TRUE(writer.begin_deletion({.tenant = TenantName("acme")}, now_)); });
  EXPECT_EQ(acme().tenant.state, TenantState::draining);
}

TEST_P(TenantSchemaSuite, AReadOnlyTenantHoldsWhatDoesNotOnlyRead) {
  PoolRecord pool{.name = "general",
                  .queues = {"default"},
                  .workers = 1,
                  .kinds = {"mail.send", "report.build"},
                  .default_queues = {}};
  pool.reads_only = {"report.build"};
  write([&](StoreWriter& writer) { writer.tell_pools(kLives, std::vector{pool}); });
  EXPECT_EQ(asked([](JobReader& reader) { return reader.pools(); })[0].reads_only,
            std::vector<std::string>{"report.build"});
  const JobId writes = put(job_of("acme")).id;
  const JobId reads = put(job_of("acme", "report.build")).id;
  write([&](StoreWriter& writer) { EXPECT_TRUE(writer.set_read_only(TenantName("acme"), true)); });
  EXPECT_EQ(record(writes).state, ShownState::held);
  EXPECT_EQ(record(writes).reason, JobReason::tenant_read_only);
  EXPECT_THAT(gates(writes), Contains(JobReason::tenant_read_only));
  EXPECT_EQ(record(reads).state, ShownState::ready);
  EXPECT_THAT(gates(reads), Not(Contains(JobReason::tenant_read_only)));
  const auto summary = asked([](JobReader& reader) { return *reader.tenant(TenantName("acme")); });
  EXPECT_EQ(summary.held, 1);
  EXPECT_EQ(summary.ready, 1);

  const Lane lane = asked([&](JobReader& reader) { return reader.lane_of(*reader.find_job(reads)); });
  ClaimRequest request{.queue = lane.queue,
                       .priority = lane.priority,
                       .tenant = lane.tenant,
                       .kinds = {{lane.kind, std::nullopt}},
                       .count = 5,
                       .incarnation = kLives,
                       .first_counter = 1,
                       .process = ProcessNumber{1}};
  const auto claimed = [&] {
    return written([&](StoreWriter& writer) {
      EXPECT_FALSE(writer.reader().lanes(std::nullopt, 10).empty());
      return writer.claim(request, now_);
    });
  };
  EXPECT_EQ(claimed().gate, TenantState::read_only);
  request.reads_only = true;
  const ClaimReply reply = claimed();
  EXPECT_FALSE(reply.gate);
  EXPECT_EQ(reply.jobs.size(), 1U);

  pool.reads_only.clear();
  write([&](StoreWriter& writer) { writer.tell_pools(kLives, std::vector{pool}); });
  EXPECT_EQ(asked([](JobReader& reader) { return reader.pools(); })[0].reads_only,
            std::vector<std::string>{});
}

// One pool reads and does not take the tenant, or wants more of its database; the other takes it and does not read.
TEST_P(TenantSchemaSuite, AReadOnlyTenantsJobIsReadyWhereTheOnePoolThatReadsTakesIt) {
  PoolRecord reading{
      .name = "a", .queues = {"default"}, .workers = 1, .kinds = {"report.build"}, .default_queues = {}};
  PoolRecord other = reading;
  other.name = "b";
  reading.reads_only = {"report.build"};
  const JobId job = put(job_of("acme", "report.build")).id;
  write([&](StoreWriter& writer) { EXPECT_TRUE(writer.set_read_only(TenantName("acme"), true)); });
  const auto is_held = [&](PoolTenants of_reading, std::map<std::string, std::int64_t> schemas) {
    reading.tenants = std::move(of_reading);
    reading.schemas = std::move(schemas);
    write([&](StoreWriter& writer) { writer.tell_pools(kLives, std::vector{reading, other}); });
    const std::vector<JobReason> found = gates(job);
    const bool is_gated = std::ranges::find(found, JobReason::tenant_read_only) != found.end();
    EXPECT_EQ(record(job).state, is_gated ? ShownState::held : ShownState::ready);
    return is_gated;
  };
  EXPECT_FALSE(is_held({}, {}));
  EXPECT_TRUE(is_held({PoolTenants::Rule::only, {"bolt"}}, {}));
  EXPECT_TRUE(is_held({PoolTenants::Rule::all_but, {"acme"}}, {}));
  EXPECT_FALSE(is_held({PoolTenants::Rule::only, {"acme"}}, {}));
  note("acme", 2);
  EXPECT_TRUE(is_held({}, {{"report.build", 2}}));
  EXPECT_FALSE(is_held({}, {{"report.build", 1}}));
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

INSTANTIATE_TEST_SUITE_P(EachStore, TenantMigrations,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

INSTANTIATE_TEST_SUITE_P(EachStore, TenantSchemaSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
