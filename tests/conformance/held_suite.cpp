#include "store_suite.hpp"

#include <gmock/gmock.h>

#include <array>
#include <map>

// What is shown of ready jobs that no worker process can perform: it follows from what the dispatcher tells of its pools.
namespace tenure::testing {
namespace {

using ::testing::ElementsAre;

constexpr Incarnation kDispatcher{2000};

class HeldSuite : public StoreSuite {
 protected:
  // A dispatcher that lives.
  void begin_dispatcher(Incarnation incarnation = kDispatcher) {
    world_->lock_as_dispatcher();
    write([&](StoreWriter& writer) {
      static_cast<void>(writer.open_incarnation(incarnation.value, "app-1", 42, now_));
    });
  }
  void tell(const std::vector<PoolRecord>& pools, Incarnation incarnation = kDispatcher) {
    write([&](StoreWriter& writer) { writer.tell_pools(incarnation, pools); });
  }
  Enqueued put_in(std::string_view queue, std::string_view kind,
                  std::optional<std::string_view> tenant = std::nullopt) {
    NewJob job = new_job(tenant);
    job.queue = queue;
    job.kind = kind;
    return put(job);
  }
  std::pair<ShownState, JobReason> shown(const Enqueued& job) {
    const JobRecord found = record(job.id);
    return {found.state, found.reason};
  }
  std::int64_t count(std::string_view word) {
    const auto filter =
        value_or_raise(parse_filter(std::vector{std::string{word}}, job_filter_fields(), now_));
    const auto counted =
        asked([&](JobReader& reader) { return reader.count_jobs(filter, {.limit = 1000}, now_); });
    const auto page = asked([&](JobReader& reader) { return reader.list_jobs(filter, {}, now_); });
    EXPECT_EQ(counted.count, std::ssize(page.jobs)) << word;
    return counted.count;
  }
};

constexpr auto kReady = std::pair{ShownState::ready, JobReason::none};
constexpr auto held_for(JobReason reason) { return std::pair{ShownState::held, reason}; }

const PoolRecord kGeneral{"general", {"default"}, 2, {"mail.send"}};

}  // namespace

TEST_P(HeldSuite, AJobWhoseTenantEachPoolOfItsQueueLeavesOutIsHeldForThat) {
  begin_dispatcher();
  for (const char* const tenant : {"acme", "bolt"}) create_tenant(tenant);
  PoolRecord jumbo{"jumbo", {"default", "heavy"}, 1, {"mail.send"}};
  jumbo.tenants = {PoolTenants::Rule::only, {"acme", "late"}};
  PoolRecord general = kGeneral;
  general.tenants = {PoolTenants::Rule::all_but, {"acme", "bolt", "late"}};
  tell({general, jumbo});
  const auto acme = put_in("default", "mail.send", "acme");
  const auto bolt = put_in("default", "mail.send", "bolt");
  const auto untenanted = put_in("default", "mail.send");
  const auto heavy = put_in("heavy", "mail.send");
  const auto unknown = put_in("default", "b.c", "acme");
  const auto left_out = held_for(JobReason::tenant_without_pool);
  EXPECT_EQ(shown(acme), kReady);
  EXPECT_EQ(shown(bolt), left_out);
  EXPECT_EQ(shown(untenanted), kReady);
  EXPECT_EQ(shown(heavy), left_out);
  EXPECT_EQ(shown(unknown), held_for(JobReason::kind_unknown)) << "of the pools that take it";
  EXPECT_EQ(count("reason=tenant_without_pool"), 2);
  EXPECT_EQ(count("state=ready"), 2);
  create_tenant("late");
  EXPECT_EQ(shown(put_in("default", "mail.send", "late")), kReady) << "it has come behind what was told";
  const auto lane_of = [&](const Enqueued& job) {
    return asked([&](JobReader& reader) { return reader.lane_facts(*reader.find_job(job.id)); });
  };
  EXPECT_EQ(gates_of(lane_of(bolt)), std::vector{JobReason::tenant_without_pool});
  EXPECT_EQ(asked([](JobReader& reader) { return reader.pools(); }), (std::vector{general, jumbo}));
  jumbo.tenants = {PoolTenants::Rule::only, {"none"}};
  general.tenants = {};
  tell({general, jumbo});
  EXPECT_EQ(shown(bolt), kReady);
  EXPECT_EQ(shown(heavy), kReady);
  EXPECT_EQ(asked([](JobReader& reader) { return reader.pools(); }), (std::vector{general, jumbo}));
  tell({general});
  tell({general, {"jumbo", {"heavy"}, 0, {}}});
  EXPECT_EQ(asked([](JobReader& reader) { return reader.pools().back().tenants; }), PoolTenants{})
      << "a pool that had gone leaves nothing behind";
}

TEST_P(HeldSuite, TheNameOfATenantIsKnownByItsNumber) {
  create_tenant("acme");
  put_in("default", "mail.send", "acme");
  write([&](StoreWriter& writer) {
    const auto lanes = writer.reader().lanes(std::nullopt, 10);
    EXPECT_EQ(writer.reader().tenant_name(lanes.front().tenant), "acme");
    EXPECT_EQ(writer.reader().tenant_name(kUntenanted), kUntenantedName);
    EXPECT_EQ(writer.reader().tenant_name(TenantNumber{4711}), "");
  });
}

TEST_P(HeldSuite, RTY_05_AJobThatNobodyCanPerformIsHeldWithItsReason) {
  begin_dispatcher();
  tell({kGeneral, {"reports", {"reports"}, 0, {}}});
  const auto known = put_in("default", "mail.send");
  const auto unknown = put_in("default", "mail.sned");
  const auto unlisted = put_in("exports", "mail.send");
  const auto unserved = put_in("reports", "mail.send");
  EXPECT_EQ(shown(known), kReady);
  EXPECT_EQ(shown(unknown), held_for(JobReason::kind_unknown));
  EXPECT_EQ(shown(unlisted), held_for(JobReason::queue_without_pool));
  EXPECT_EQ(shown(unserved), held_for(JobReason::pool_without_worker));
}

TEST_P(HeldSuite, RTY_05_ListsAndCountsTellHeldJobsFromReadyOnes) {
  create_tenant("acme");
  begin_dispatcher();
  tell({kGeneral});
  put_in("default", "mail.send", "acme");
  for (int i = 0; i < 2; ++i) put_in("default", "mail.sned", "acme");
  for (int i = 0; i < 3; ++i) put_in("exports", "mail.send");
  EXPECT_EQ(count("state=ready"), 1);
  EXPECT_EQ(count("state=held"), 5);
  EXPECT_EQ(count("state=ready,held"), 6);
  EXPECT_EQ(count("reason=kind_unknown"), 2);
  EXPECT_EQ(count("reason=queue_without_pool"), 3);
  const auto queues = asked([](JobReader& reader) { return reader.queues(); });
  ASSERT_EQ(queues.size(), 2U);
  EXPECT_EQ(std::pair(queues[0].ready, queues[0].held), std::pair(std::int64_t{1}, std::int64_t{2}));
  EXPECT_EQ(std::pair(queues[1].ready, queues[1].held), std::pair(std::int64_t{0}, std::int64_t{3}));
  EXPECT_FALSE(queues[1].oldest_ready);
  const auto tenants = asked([](JobReader& reader) { return reader.tenants(std::nullopt, 10); });
  EXPECT_EQ(std::pair(tenants.at(0).ready, tenants.at(0).held), std::pair(std::int64_t{1}, std::int64_t{2}));
}

TEST_P(HeldSuite, RTY_05_AHeldJobIsReadyAgainWhenAWorkerThatKnowsItsKindHasSaidHello) {
  begin_dispatcher();
  tell({kGeneral});
  const auto job = put_in("default", "mail.sned");
  ASSERT_EQ(shown(job), held_for(JobReason::kind_unknown));
  tell({{"general", {"default"}, 3, {"mail.send", "mail.sned"}}});
  EXPECT_EQ(shown(job), kReady);
}

TEST_P(HeldSuite, OfOtherStatesNothingIsSaid) {
  create_tenant("acme");
  NewJob later = new_job();
  later.due = now_ + hours{1};
  const auto scheduled = put(later);
  const auto paused = put_in("exports", "mail.send", "acme");
  set_tenant_state("acme", TenantState::paused);
  const auto running = put();
  static_cast<void>(claim_one());
  begin_dispatcher();
  tell({{"general", {}, 1, {}}});
  EXPECT_EQ(record(scheduled.id).state, ShownState::scheduled);
  EXPECT_EQ(record(running.id).state, ShownState::running);
  EXPECT_EQ(shown(paused), held_for(JobReason::tenant_paused)) << "its tenant comes first";
}

TEST_P(HeldSuite, ANewDispatcherIsBelievedOnlyOnceItHasToldItsOwnPools) {
  begin_dispatcher();
  tell({kGeneral});
  const auto job = put_in("exports", "mail.send");
  ASSERT_EQ(shown(job), held_for(JobReason::queue_without_pool));
  write([&](StoreWriter& writer) {
    static_cast<void>(writer.open_incarnation(kDispatcher.value + 1, "app-1", 43, now_));
  });
  EXPECT_EQ(shown(job), kReady);
  tell({{"general", {"exports"}, 0, {}}}, Incarnation{kDispatcher.value + 1});
  EXPECT_EQ(shown(job), held_for(JobReason::pool_without_worker));
}

TEST_P(HeldSuite, APoolWithoutAWorkerKeepsTheKindsThatItsLastOnesNamed) {
  begin_dispatcher();
  tell({{"general", {"mail", "default"}, 2, {"b", "a"}, {"y", "x"}}, {"old", {"old"}, 1, {"c"}, {"z"}}});
  tell({{"general", {"default"}, 0, {}}});
  EXPECT_THAT(asked([](JobReader& reader) { return reader.pools(); }),
              ElementsAre(PoolRecord{"general", {"default"}, 0, {"a", "b"}, {"x", "y"}}));
  tell({{"general", {"default"}, 1, {"d"}}});
  EXPECT_THAT(asked([](JobReader& reader) { return reader.pools(); }),
              ElementsAre(PoolRecord{"general", {"default"}, 1, {"d"}}));
}

TEST_P(HeldSuite, AQueueSaysWhyItsJobsAreHeld) {
  for (const char* const name : {"acme", "bolt", "cog", "dune"}) create_tenant(name);
  begin_dispatcher();
  tell({kGeneral});
  for (const char* const tenant : {"acme", "bolt", "cog", "dune"}) put_in("default", "mail.send", tenant);
  put_in("default", "mail.sned", "acme");
  put_in("default", "mail.sned", "bolt");
  put_in("exports", "mail.send");
  set_tenant_state("bolt", TenantState::paused);
  set_tenant_state("cog", TenantState::read_only);
  set_tenant_state("dune", TenantState::migrating);
  const auto queues = asked([](JobReader& reader) { return reader.queues(); });
  const auto reasons = [&](std::size_t queue) {
    std::map<JobReason, std::int64_t> jobs;
    for (const HeldJobs& held : queues.at(queue).held_by) jobs[held.reason] = held.jobs;
    return jobs;
  };
  EXPECT_THAT(
      reasons(0),
      ElementsAre(std::pair{JobReason::kind_unknown, 1}, std::pair{JobReason::tenant_paused, 2},
                  std::pair{JobReason::tenant_read_only, 1}, std::pair{JobReason::tenant_not_ready, 1}));
  EXPECT_EQ(queues.at(0).held, 5);
  EXPECT_THAT(reasons(1), ElementsAre(std::pair{JobReason::queue_without_pool, 1}));
}

TEST_P(HeldSuite, TenantsAreCountedByStateAndFoundByName) {
  for (const char* const name : {"acme", "bolt", "cog"}) create_tenant(name);
  begin_dispatcher();
  tell({kGeneral});
  for (int i = 0; i < 2; ++i) put_in("default", "mail.send", "cog");
  set_tenant_state("acme", TenantState::paused);
  set_tenant_state("bolt", TenantState::deleted);
  EXPECT_EQ(asked([](JobReader& reader) { return reader.tenant_counts(); }),
            (std::map<TenantState, std::int64_t>{{TenantState::active, 1}, {TenantState::paused, 1}}));
  const std::vector<TenantName> names{TenantName{"cog"}, TenantName{"bolt"}, TenantName{"nobody"},
                                      TenantName{"acme"}};
  const auto found = asked([&](JobReader& reader) { return reader.tenants_named(names); });
  ASSERT_EQ(found.size(), 2U) << "neither a deleted one nor one that was never there";
  EXPECT_EQ(found[0].tenant.name, TenantName{"cog"});
  EXPECT_EQ(found[0].ready, 2);
  EXPECT_EQ(found[1].tenant.name, TenantName{"acme"});
}

TEST_P(HeldSuite, APoolWhoseProcessesAreGoneIsKnownByWhatTheLastOnesHaveSaid) {
  begin_dispatcher();
  PoolRecord pool{"general", {"default"}, 2, {"report.build", "mail.send", "report.read"}};
  pool.default_queues = {"default"};
  pool.schemas = {{"mail.send", 3}};
  pool.reads_only = {"report.read", "report.build"};
  tell({pool});
  tell({{"general", {"default"}, 0, {}}});
  const auto pools = asked([](JobReader& reader) { return reader.pools(); });
  ASSERT_EQ(pools.size(), 1U);
  EXPECT_EQ(pools[0].workers, 0);
  EXPECT_EQ(pools[0].kinds, (std::vector<std::string>{"mail.send", "report.build", "report.read"}));
  EXPECT_EQ(pools[0].default_queues, pool.default_queues);
  EXPECT_EQ(pools[0].schemas, pool.schemas);
  EXPECT_EQ(pools[0].reads_only, (std::vector<std::string>{"report.build", "report.read"}));
}

INSTANTIATE_TEST_SUITE_P(EachStore, HeldSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"EagerSqlite", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace tenure::testing
