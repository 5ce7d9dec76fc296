#include "simulated.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

// Tenants whose databases are older or newer than worker programs want, in the whole dispatcher.
namespace tenure::daemon {
namespace {

using queue::JobReason;

simulation::Options wanting(std::uint32_t schema, int processes = 1) {
  auto options = one_pool(processes, 2);
  options.schema = schema;
  options.kinds = {"job"};
  return options;
}

struct OlderTenants : Simulated {
  explicit OlderTenants(simulation::Options options = wanting(2)) : Simulated(std::move(options)) {
    for (const char* const tenant : {"acme", "bolt"}) {
      world.create_tenant(tenant);
      world.migrate_tenant(tenant, 1, false);
    }
    world.start();
    world.run_for(50ms);
  }
  void expect_held(queue::JobId id) {
    EXPECT_EQ(world.job(id).state, ShownState::held);
    EXPECT_EQ(world.job(id).reason, JobReason::schema_behind);
    EXPECT_EQ(world.job(id).failures, 0);
  }
  void expect_clean() { EXPECT_TRUE(world.verdict().is_clean()) << world.verdict_line(); }
};

TEST(TenantSchema, AJobOfAnOlderTenantIsTriedOnceAndHeldUntilItsTenantIsMigrated) {
  OlderTenants sim;
  const auto first = sim->enqueue({.tenant = "acme"});
  sim->run_for(10ms);
  const auto second = sim->enqueue({.tenant = "acme"});
  sim->run_for(200s);
  sim.expect_held(first);
  sim.expect_held(second);
  EXPECT_EQ(sim->faults.met_older_tenants, 1);
  EXPECT_TRUE(sim->starts.empty());
  EXPECT_EQ(std::ranges::count(sim->notes, "kind.schema_behind", &Note::event), 1);

  const auto migrated = sim->now();
  sim->migrate_tenant("acme", 2);
  ASSERT_TRUE(sim.drains(10ms)) << "at once";
  EXPECT_LT(sim->starts.front().at - migrated, 5ms);
  EXPECT_EQ(sim->faults.met_older_tenants, 1);
  sim.expect_clean();
}

TEST(TenantSchema, ItDelaysNoOtherTenant) {
  OlderTenants sim;
  sim->migrate_tenant("bolt", 2);
  const auto waits = sim->enqueue({.tenant = "acme"});
  const auto beside = sim->enqueue_many({.tenant = "bolt"}, 20);
  const auto nobodys = sim->enqueue({});
  sim->run_for(100ms);
  sim.expect_held(waits);
  for (const auto id : beside) EXPECT_EQ(sim->job(id).state, ShownState::succeeded);
  EXPECT_EQ(sim->job(nobodys).state, ShownState::succeeded);
}

TEST(TenantSchema, WithoutAHintItStartsWithTheNextLook) {
  OlderTenants sim;
  sim->enqueue({.tenant = "acme"});
  sim->run_for(60s);
  sim->migrate_tenant("acme", 2, false);
  EXPECT_TRUE(sim.drains(2s));
}

// A report may come behind the migration that it had not seen.
TEST(TenantSchema, WhatIsKnownIsNotTrustedForEver) {
  OlderTenants sim;
  sim->migrate_tenant("acme", 2);
  const auto acme = sim.store->registry().find(TenantName("acme"))->number;
  sim.store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    writer.note_behind({acme, 2, "late", sim->wall()});
  });
  const auto waits = sim->enqueue({.tenant = "acme"});
  sim->run_for(4min);
  sim.expect_held(waits);
  EXPECT_TRUE(sim.drains(62s));
  sim.expect_clean();
}

// What one dispatcher has found out, the next one need not.
TEST(TenantSchema, ItOutlivesTheDispatcher) {
  OlderTenants sim;
  const auto waits = sim->enqueue({.tenant = "acme"});
  sim->run_for(100ms);
  sim->crash_dispatcher();
  sim->start();
  sim->run_for(60s);
  sim.expect_held(waits);
  EXPECT_EQ(sim->faults.met_older_tenants, 1);
  sim->migrate_tenant("acme", 2);
  EXPECT_TRUE(sim.drains(10ms));
  sim.expect_clean();
}

// Programs N-1 and N side by side, while a fleet is migrated tenant by tenant.
TEST(TenantSchema, AProcessOfTheFormerProgramServesTenantsThatAreNotMigratedYet) {
  OlderTenants sim(wanting(1, 2));
  sim->run_for(2s);
  sim->set_schema(2);
  const ProcessNumber former = sim->live_workers().back();
  sim->kill_worker(sim->live_workers().front());
  sim->run_for(2s);
  const auto all = sim->enqueue_many({.tenant = "acme"}, 40);
  ASSERT_TRUE(sim.drains(5s));
  EXPECT_LE(sim->faults.met_older_tenants, 2) << "as many as had been assigned before one was tried";
  EXPECT_TRUE(std::ranges::all_of(sim->starts, [&](const auto& start) { return start.process == former; }));

  sim->kill_worker(former);
  sim->run_for(2s);
  const auto waits = sim->enqueue({.tenant = "acme"});
  sim->run_for(60s);
  sim.expect_held(waits);
  sim->migrate_tenant("acme", 2);
  EXPECT_TRUE(sim.drains(10ms));
  sim.expect_clean();
}

// The same fleet when it is migrated: what a process is too old for it gives back at no cost, until the other one takes it.
TEST(TenantSchema, AProcessOfTheNextProgramServesTenantsThatAreAheadOfTheFormer) {
  OlderTenants sim(wanting(1, 2));
  sim->run_for(2s);
  sim->set_schema(2);
  const ProcessNumber former = sim->live_workers().back();
  sim->kill_worker(sim->live_workers().front());
  sim->run_for(2s);
  sim->migrate_tenant("acme", 2);
  auto all = sim->enqueue_many({.tenant = "acme"}, 40);
  const auto of_bolt = sim->enqueue_many({.tenant = "bolt"}, 40);
  all.insert(all.end(), of_bolt.begin(), of_bolt.end());
  ASSERT_TRUE(sim.drains(60s)) << sim->verdict_line();
  EXPECT_GT(sim->faults.met_newer_tenants, 0);
  for (const auto& start : sim->starts) EXPECT_EQ(start.process == former, start.tenant == "bolt");
  for (const auto id : all) EXPECT_EQ(sim->job(id).failures, 0);
  sim.expect_clean();
}

TEST(TenantSchema, AJobThatNoProgramIsNewEnoughForWaitsAtNoCost) {
  OlderTenants sim(wanting(1));
  sim->migrate_tenant("acme", 2);
  const auto waits = sim->enqueue({.tenant = "acme"});
  sim->run_for(200s);
  EXPECT_EQ(sim->job(waits).state, ShownState::ready);
  EXPECT_EQ(sim->job(waits).failures, 0);
  EXPECT_TRUE(sim->starts.empty());
  sim->set_schema(2);
  sim->kill_worker(sim->live_workers().front());
  EXPECT_TRUE(sim.drains(10s));
  sim.expect_clean();
}

TEST(TenantSchema, AProgramThatWantsLessLetsThemGo) {
  OlderTenants sim;
  const auto waits = sim->enqueue({.tenant = "acme"});
  sim->run_for(2s);
  sim.expect_held(waits);
  sim->set_schema(1);
  sim->kill_worker(sim->live_workers().front());
  EXPECT_TRUE(sim.drains(2s));
  sim.expect_clean();
}

simulation::Options migrating(std::uint32_t schema, int processes = 1) {
  auto options = wanting(schema, processes);
  options.migrates = true;
  return options;
}

std::vector<queue::JobRecord> migrations(OlderTenants& sim) {
  std::vector<queue::JobRecord> found;
  sim.store->read([&](queue::JobReader& reader) {
    for (const queue::JobRecord& job : reader.list_jobs({}, {.limit = 1000}, sim->wall()).jobs)
      if (job.kind == queue::kMigrateKind) found.push_back(job);
  });
  return found;
}

TEST(TenantSchema, OneThatMigratesOnTouchDoesSoOnceAndItsJobsStart) {
  OlderTenants sim(migrating(2));
  const auto acme = sim->enqueue_many({.tenant = "acme"}, 10);
  const auto bolt = sim->enqueue({.tenant = "bolt"});
  ASSERT_TRUE(sim.drains(100ms)) << "at once";
  for (const auto id : acme) EXPECT_EQ(sim->job(id).state, ShownState::succeeded);
  EXPECT_EQ(sim->job(bolt).state, ShownState::succeeded);
  EXPECT_EQ(migrations(sim).size(), 2U) << "one of each tenant";
  sim->enqueue_many({.tenant = "acme"}, 10);
  ASSERT_TRUE(sim.drains(100ms));
  EXPECT_EQ(migrations(sim).size(), 2U);
  sim.store->read([&](queue::JobReader& reader) {
    const auto tenant = reader.tenant(TenantName("acme"));
    ASSERT_TRUE(tenant->migration);
    EXPECT_EQ(tenant->migration->from, 1);
    EXPECT_EQ(tenant->migration->to, 2);
    EXPECT_EQ(tenant->migration->error, "");
    EXPECT_TRUE(reader.tenants_behind().empty());
  });
  sim.expect_clean();
}

// Three attempts, and no fourth: nothing of the tenant is tried any more until somebody migrates it.
TEST(TenantSchema, AMigrationThatFailsIsTriedAFewTimesAndThenItsTenantHasFailed) {
  auto options = migrating(2);
  options.perform = [](const queue::ClaimedJob& job) {
    if (job.kind != queue::kMigrateKind) return simulation::Performance{};
    return simulation::Performance{.result = RunResult::failed,
                                   .failure = {ErrorCode::query_failed, "0002_x line 1: no such table"}};
  };
  OlderTenants sim(options);
  const auto waits = sim->enqueue({.tenant = "acme"});
  sim->run_for(3h);
  ASSERT_EQ(migrations(sim).size(), 1U);
  EXPECT_EQ(migrations(sim)[0].state, ShownState::dead);
  EXPECT_EQ(migrations(sim)[0].failures, queue::kMigrateAttempts);
  EXPECT_EQ(sim->job(waits).state, ShownState::held);
  EXPECT_EQ(sim->job(waits).reason, JobReason::tenant_not_ready);
  sim.store->read([&](queue::JobReader& reader) {
    const auto tenant = reader.tenant(TenantName("acme"));
    EXPECT_EQ(tenant->tenant.state, TenantState::failed);
    EXPECT_EQ(tenant->migration.value().error, "0002_x line 1: no such table");
  });
  const auto other = sim->enqueue({});
  sim->run_for(10s);
  EXPECT_EQ(sim->job(other).state, ShownState::succeeded);

  const auto acme = sim.store->registry().find(TenantName("acme"))->number;
  sim->migrate_tenant("acme", 2, false);
  sim.store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    EXPECT_TRUE(writer.note_migration({.tenant = acme, .from = 1, .to = 2, .ended = sim->wall()}));
  });
  EXPECT_TRUE(sim.drains(2s));
  EXPECT_EQ(sim->job(waits).state, ShownState::succeeded);
}

// What says nothing of the tenant's steps takes none of its other jobs.
TEST(TenantSchema, AMigrationThatCannotBeReadFailsNoTenant) {
  for (const ErrorCode code : {ErrorCode::bad_payload, ErrorCode::bad_seal, ErrorCode::schema_mismatch}) {
    auto options = migrating(2);
    options.perform = [&](const queue::ClaimedJob& job) {
      if (job.kind != queue::kMigrateKind) return simulation::Performance{};
      return simulation::Performance{.result = RunResult::failed, .failure = {code, "no"}};
    };
    OlderTenants sim(options);
    const auto waits = sim->enqueue({.tenant = "acme"});
    sim->run_for(4min);
    ASSERT_FALSE(migrations(sim).empty());
    EXPECT_EQ(migrations(sim)[0].state, ShownState::dead);
    sim.expect_held(waits);
    sim.store->read([&](queue::JobReader& reader) {
      const auto tenant = reader.tenant(TenantName("acme"));
      EXPECT_EQ(tenant->tenant.state, TenantState::active) << name_of(code);
      EXPECT_FALSE(tenant->migration);
    });
    sim->migrate_tenant("acme", 2);
    EXPECT_TRUE(sim.drains(2s));
  }
}

// Half of the fleet is of the former version, and so is half of the processes.
TEST(TenantSchema, AProgramThatDoesNotMigrateStartsNone) {
  OlderTenants sim;
  const auto waits = sim->enqueue({.tenant = "acme"});
  sim->run_for(10min);
  sim.expect_held(waits);
  EXPECT_TRUE(migrations(sim).empty());
}

TEST(TenantSchema, WhatMigratesOnTouchDoesSoWhateverHappensMeanwhile) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    auto options = migrating(2, 2);
    options.seed = seed;
    options.compares_lanes = true;
    OlderTenants sim(options);
    Random random(seed);
    for (int round = 0; round < 40; ++round) {
      switch (random.below(6)) {
        case 0:
          sim->kill_worker(sim->live_workers().front());
          break;
        case 1:
          sim->fail_next_rounds(1);
          break;
        case 2:
          sim->migrate_tenant("acme", static_cast<std::int64_t>(1 + random.below(2)), random.below(2) == 0);
          break;
        case 3:
          sim->crash_dispatcher();
          sim->start();
          break;
        default:
          sim->enqueue_many({.tenant = random.below(2) == 0 ? "acme" : "bolt"}, 1 + random.below(4));
          break;
      }
      sim->run_for(std::chrono::milliseconds(random.below(300)));
      if (sim->live_workers().empty()) sim->run_for(20s);
    }
    EXPECT_TRUE(sim.drains(600s)) << sim->verdict_line();
    EXPECT_EQ(sim->lanes_missed(), 0);
    sim.expect_clean();
  }
}

// Kinds that only read run in a read-only tenant; the others are held there.
TEST(ReadOnlyTenant, OnlyWhatReadsRunsInIt) {
  auto options = one_pool(1, 2);
  options.kinds = {"job", "report"};
  options.reads_only = {"report"};
  Simulated sim(options);
  sim->create_tenant("acme");
  sim->start();
  sim->run_for(50ms);
  const auto set_read_only = [&](bool is_read_only) {
    sim.store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      EXPECT_TRUE(writer.set_read_only(TenantName("acme"), is_read_only));
    });
    sim->hint();
  };
  set_read_only(true);
  const auto writes = sim->enqueue_many({.tenant = "acme"}, 5);
  const auto reads = sim->enqueue_many({.tenant = "acme", .kind = "report"}, 5);
  sim->run_for(10s);
  for (const auto id : reads) EXPECT_EQ(sim->job(id).state, ShownState::succeeded);
  for (const auto id : writes) {
    EXPECT_EQ(sim->job(id).state, ShownState::held);
    EXPECT_EQ(sim->job(id).reason, JobReason::tenant_read_only);
    EXPECT_EQ(sim->job(id).failures, 0);
  }
  set_read_only(false);
  EXPECT_TRUE(sim.drains(100ms));
  for (const auto id : writes) EXPECT_EQ(sim->job(id).state, ShownState::succeeded);
  EXPECT_TRUE(sim.world.verdict().is_clean()) << sim.world.verdict_line();
}

// Whatever else goes wrong meanwhile: seeds draw kills of processes and dispatchers, failing rounds, and which program and which tenant is
// older at which time.
TEST(TenantSchema, EveryJobRunsInTheEndWhateverHappensMeanwhile) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    auto options = wanting(2, 2);
    options.seed = seed;
    options.compares_lanes = true;
    OlderTenants sim(options);
    Random random(seed);
    for (int round = 0; round < 60; ++round) {
      const std::string tenant = random.below(2) == 0 ? "acme" : "bolt";
      switch (random.below(7)) {
        case 0:
          sim->kill_worker(sim->live_workers().front());
          break;
        case 1:
          sim->fail_next_rounds(1);
          break;
        case 2:
          sim->set_schema(static_cast<std::uint32_t>(1 + random.below(3)));
          break;
        case 3:
          sim->migrate_tenant(tenant, static_cast<std::int64_t>(1 + random.below(3)), random.below(2) == 0);
          break;
        case 4:
          sim->crash_dispatcher();
          sim->start();
          break;
        default:
          sim->enqueue_many({.tenant = tenant}, 1 + random.below(4));
          break;
      }
      sim->run_for(std::chrono::milliseconds(random.below(300)));
      if (sim->live_workers().empty()) sim->run_for(20s);
    }
    sim->migrate_tenant("acme", 3);
    sim->migrate_tenant("bolt", 3);
    sim->set_schema(3);
    for (const ProcessNumber process : sim->live_workers()) sim->kill_worker(process);
    EXPECT_TRUE(sim.drains(600s)) << sim->verdict_line();
    EXPECT_EQ(sim->lanes_missed(), 0);
    sim.expect_clean();
    EXPECT_GT(sim->faults.met_older_tenants + sim->faults.met_newer_tenants, 0);
  }
}

}  // namespace
}  // namespace tenure::daemon
