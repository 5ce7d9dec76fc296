#include "store_suite.hpp"

#include <gmock/gmock.h>

#include <array>

// What a store tells of the way before a job that waits.
namespace tenure::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class WhySuite : public StoreSuite {
 protected:
  NewJob job_of(std::optional<std::string_view> tenant, std::string_view kind, minutes due_before) {
    NewJob job = new_job(tenant);
    job.kind = kind;
    job.due = now_ - due_before;
    return job;
  }
  WayAhead way_ahead(const Enqueued& job) {
    const JobRecord found = record(job.id);
    return asked([&](JobReader& reader) { return reader.way_ahead(found); });
  }
  LaneFacts lane_facts(const Enqueued& job) {
    const JobRecord found = record(job.id);
    return asked([&](JobReader& reader) { return reader.lane_facts(found); });
  }
  Filter filter_of(std::string_view word) {
    return value_or_raise(parse_filter(std::vector{std::string{word}}, job_filter_fields(), now_));
  }
  std::vector<JobSeq> visited(std::string_view word, std::size_t limit, std::size_t wanted) {
    std::vector<JobSeq> seqs;
    static_cast<void>(asked([&](JobReader& reader) {
      return reader.visit_jobs(filter_of(word), {.limit = limit}, now_, [&](const JobRecord& job) {
        seqs.push_back(job.seq);
        return seqs.size() < wanted;
      });
    }));
    return seqs;
  }
};

}  // namespace

TEST_P(WhySuite, AheadAreTheJobsOfItsLaneThatWereDueBefore) {
  const TenantNumber acme = create_tenant("acme").number;
  const auto running = put(job_of("acme", "mail.send", minutes{9}));
  static_cast<void>(claim_one(acme));
  ASSERT_EQ(record(running.id).state, ShownState::running);
  put(job_of("acme", "mail.send", minutes{1}));
  put(job_of("acme", "mail.read", minutes{8}));
  put(job_of("acme", "mail.send", minutes{7}));
  const auto asked_for = put(job_of("acme", "mail.send", minutes{5}));
  const auto later = put(job_of("acme", "mail.send", minutes{2}));
  EXPECT_EQ(way_ahead(asked_for), (WayAhead{.jobs = 1}));
  EXPECT_EQ(way_ahead(later), (WayAhead{.jobs = 2}));
}

TEST_P(WhySuite, BesideItAreTheActiveTenantsOfItsQueueAndPriority) {
  for (const auto* name : {"acme", "corvid", "dodo", "egret"}) create_tenant(name);
  const auto job = put(job_of("acme", "mail.send", minutes{5}));
  put(job_of("corvid", "mail.read", minutes{1}));
  put(job_of("corvid", "mail.send", minutes{1}));
  put(job_of(std::nullopt, "mail.send", minutes{1}));
  put(job_of("dodo", "mail.send", minutes{1}));
  set_tenant_state("dodo", TenantState::paused);
  NewJob urgent = job_of("egret", "mail.send", minutes{1});
  urgent.priority = Priority{-1};
  put(urgent);
  EXPECT_EQ(way_ahead(job), (WayAhead{.jobs = 0, .tenants = 2}));
}

TEST_P(WhySuite, TheWayAheadIsCountedSoFarAndNoFurther) {
  std::vector<NewJob> jobs;
  for (std::int64_t i = 0; i <= kWayAheadMax; ++i) jobs.push_back(job_of(std::nullopt, "a.b", minutes{5}));
  write([&](StoreWriter& writer) {
    for (const NewJob& job : jobs) value_or_raise(writer.enqueue(job, now_));
  });
  const auto last = put(job_of(std::nullopt, "a.b", minutes{1}));
  EXPECT_EQ(way_ahead(last), (WayAhead{.jobs = kWayAheadMax, .tenants = 0, .capped = true}));
}

// Unlike what is shown of its state, which believes nothing of a dispatcher that has ended.
TEST_P(WhySuite, TheFactsOfALaneAreWhatWasToldLast) {
  create_tenant("acme");
  NewJob new_one = new_job("acme");
  new_one.queue = "exports";
  const auto job = put(new_one);
  EXPECT_FALSE(lane_facts(job).has_dispatcher);
  EXPECT_FALSE(lane_facts(job).pools) << "nobody has told of pools";
  write([&](StoreWriter& writer) {
    const Incarnation life = writer.open_incarnation(2000, "app-1", 42, now_);
    writer.tell_pools(life, std::vector<PoolRecord>{{"general", {"default"}, 1, {"mail.send"}}});
  });
  set_tenant_state("acme", TenantState::paused);
  LaneFacts facts = lane_facts(job);
  EXPECT_EQ(facts.tenant, TenantState::paused);
  ASSERT_TRUE(facts.pools);
  EXPECT_TRUE(facts.pools->empty());
  facts.has_dispatcher = true;
  EXPECT_THAT(gates_of(facts), ElementsAre(JobReason::tenant_paused, JobReason::queue_without_pool));
  EXPECT_EQ(asked([](JobReader& reader) { return reader.last_holder(); })->pid, 42);
}

TEST_P(WhySuite, SlotsThatAreKeptForBetterPrioritiesAreToldWithWhoHoldsTheOthers) {
  world_->lock_as_dispatcher();
  Incarnation life;
  write([&](StoreWriter& writer) { life = writer.open_incarnation(kLife.value, "app-1", 42, now_); });
  const std::vector<ReservedSlots> reserved{{Priority{-50}, 1}, {Priority{-10}, 1}};
  write([&](StoreWriter& writer) {
    writer.tell_pools(life, std::vector<PoolRecord>{{.name = "general",
                                                     .queues = {"default"},
                                                     .workers = 1,
                                                     .kinds = {"billing.send_invoice"},
                                                     .processes = {{kProcess, 4}},
                                                     .reserved = reserved}});
  });
  EXPECT_EQ(asked([](JobReader& reader) { return reader.pools(); }).front().reserved, reserved);
  for (int i = 0; i < 2; ++i) put();
  const auto waiting = put();
  EXPECT_FALSE(lane_facts(waiting).are_slots_kept);
  for (int i = 0; i < 2; ++i) static_cast<void>(claim_one(kUntenanted));
  NewJob better = new_job(std::nullopt);
  better.priority = Priority{-20};
  const auto urgent = put(better);
  EXPECT_THAT(asked([](JobReader& reader) { return reader.pool_slots(); }),
              ElementsAre(PoolSlots{"general", 4, 2, {{reserved[0], 2}, {reserved[1], 2}}}));
  EXPECT_TRUE(lane_facts(waiting).are_slots_kept);
  EXPECT_FALSE(lane_facts(waiting).are_slots_taken);
  EXPECT_FALSE(lane_facts(urgent).are_slots_kept) << "one of the two is kept from it, and one is free for it";
}

// What waits in a process takes no slot of another one, and other dispatchers' processes have other claims.
TEST_P(WhySuite, TheSlotsOfAPoolAreThoseOfItsProcessesAndAreTakenByClaims) {
  EXPECT_TRUE(asked([](JobReader& reader) { return reader.pool_slots(); }).empty());
  world_->lock_as_dispatcher();
  Incarnation life;
  write([&](StoreWriter& writer) { life = writer.open_incarnation(kLife.value, "app-1", 42, now_); });
  const auto tell = [&](std::vector<PoolProcess> processes) {
    write([&](StoreWriter& writer) {
      writer.tell_pools(life, std::vector<PoolRecord>{{.name = "general",
                                                       .queues = {"default"},
                                                       .workers = std::ssize(processes),
                                                       .kinds = {"billing.send_invoice"},
                                                       .processes = processes},
                                                      {"idle", {"reports"}, 0, {}}});
    });
  };
  const auto slots = [&] { return asked([](JobReader& reader) { return reader.pool_slots(); }); };
  tell({{kProcess, 2}, {ProcessNumber{kProcess.value + 1}, 1}});
  EXPECT_EQ(asked([](JobReader& reader) { return reader.pools(); }).front().processes,
            (std::vector<PoolProcess>{{kProcess, 2}, {ProcessNumber{kProcess.value + 1}, 1}}));
  EXPECT_THAT(slots(), ElementsAre(PoolSlots{"general", 3, 0}, PoolSlots{"idle", 0, 0}));
  for (int i = 0; i < 3; ++i) put();
  const auto waiting = put();
  static_cast<void>(claim_one(kUntenanted));
  EXPECT_THAT(slots(), ElementsAre(PoolSlots{"general", 3, 1}, PoolSlots{"idle", 0, 0}));
  static_cast<void>(claim_one(kUntenanted));
  static_cast<void>(claim_one(kUntenanted));
  EXPECT_THAT(slots(), ElementsAre(PoolSlots{"general", 3, 2}, PoolSlots{"idle", 0, 0}));
  EXPECT_FALSE(lane_facts(waiting).are_slots_taken);
  tell({{kProcess, 2}});
  EXPECT_TRUE(lane_facts(waiting).are_slots_taken);
  tell({{kProcess, 4}});
  EXPECT_FALSE(lane_facts(waiting).are_slots_taken) << "the same process may have other slots than were told";
  tell({});
  EXPECT_FALSE(lane_facts(waiting).are_slots_taken) << "a pool without slots has none that are taken";
  write([&](StoreWriter& writer) {
    static_cast<void>(writer.open_incarnation(life.value + 1, "app-1", 43, now_));
  });
  EXPECT_TRUE(slots().empty()) << "the newest dispatcher has not told of its pools";
}

TEST_P(WhySuite, TheLaneOfAJobIsWhereItIsClaimed) {
  const TenantNumber acme = create_tenant("acme").number;
  NewJob urgent = job_of("acme", "mail.send", minutes{1});
  urgent.priority = Priority{-5};
  const JobRecord job = record(put(urgent).id);
  const Lane lane = asked([&](JobReader& reader) { return reader.lane_of(job); });
  EXPECT_EQ(lanes(), std::vector{lane});
  EXPECT_EQ(lane.tenant, acme);
  EXPECT_EQ(lane.priority, Priority{-5});
}

TEST_P(WhySuite, AHeldJobOfAGatedTenantSaysWhichGate) {
  create_tenant("acme");
  const auto job = put(new_job("acme"));
  constexpr std::array kGates{std::pair{TenantState::paused, JobReason::tenant_paused},
                              std::pair{TenantState::read_only, JobReason::tenant_read_only},
                              std::pair{TenantState::migrating, JobReason::tenant_not_ready},
                              std::pair{TenantState::failed, JobReason::tenant_not_ready},
                              std::pair{TenantState::draining, JobReason::tenant_not_ready}};
  for (const auto& [state, gate] : kGates) {
    set_tenant_state("acme", state);
    EXPECT_EQ(record(job.id).state, ShownState::held);
    EXPECT_EQ(record(job.id).reason, gate);
    EXPECT_THAT(visited("reason=" + std::string{name_of(gate)}, 10, 10), ElementsAre(job.seq));
    EXPECT_EQ(visited("reason=kind_unknown", 10, 10).size(), 0U);
  }
}

TEST_P(WhySuite, AVisitEndsAtItsLimitOrWhenItHasSeenEnough) {
  const auto first = put();
  const auto second = put();
  const auto third = put();
  EXPECT_THAT(visited("state=ready", 10, 10), UnorderedElementsAre(first.seq, second.seq, third.seq));
  EXPECT_EQ(visited("state=ready", 2, 10).size(), 2U);
  EXPECT_EQ(visited("state=ready", 10, 2).size(), 2U);
  EXPECT_EQ(visited("id=" + first.id.text(), 10, 10), std::vector{first.seq});
  EXPECT_EQ(visited("age=0s..", 10, 1).size(), 1U);
}

TEST_P(WhySuite, KindsAreCountedAsQueuesAre) {
  create_tenant("acme");
  put(job_of("acme", "mail.send", minutes{5}));
  put(job_of("acme", "mail.send", minutes{-5}));
  put(job_of(std::nullopt, "mail.read", minutes{1}));
  set_tenant_state("acme", TenantState::paused);
  const auto kinds = asked([](JobReader& reader) { return reader.kinds(); });
  ASSERT_EQ(kinds.size(), 2U);
  EXPECT_EQ(kinds[0].name, "mail.read");
  EXPECT_EQ(kinds[0].ready, 1);
  EXPECT_EQ(kinds[0].oldest_ready, now_ - minutes{1});
  EXPECT_EQ(kinds[1].name, "mail.send");
  EXPECT_EQ(kinds[1].held, 1);
  EXPECT_EQ(kinds[1].scheduled, 1);
  EXPECT_EQ(kinds[1].ready, 0);
}

TEST_P(WhySuite, OneTenantIsFoundByItsNameAlsoWhenItIsDeleted) {
  const TenantName acme{"acme"};
  const auto tenant = [&] { return asked([&](JobReader& reader) { return reader.tenant(acme); }); };
  EXPECT_FALSE(tenant());
  create_tenant("acme");
  create_tenant("corvid");
  put(job_of("acme", "mail.send", minutes{5}));
  put(job_of("corvid", "mail.send", minutes{6}));
  ASSERT_TRUE(tenant());
  EXPECT_EQ(tenant()->ready, 1);
  EXPECT_EQ(tenant()->oldest_ready, now_ - minutes{5});
  set_tenant_state("acme", TenantState::deleted);
  EXPECT_EQ(tenant()->tenant.state, TenantState::deleted);
  EXPECT_EQ(tenant()->held, 1);
}

INSTANTIATE_TEST_SUITE_P(EachStore, WhySuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"EagerSqlite", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace tenure::testing
