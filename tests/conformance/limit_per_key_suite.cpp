#include "keys_suite.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

// Limits per key, which bound concurrency keys beside what their jobs state; and whose turn it is where the one that was next cannot start.
namespace tenure::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class LimitPerKeySuite : public KeysSuite {
 protected:
  static DeclaredLimit per_key(std::int64_t running, std::string kind = "*") {
    return {.name = "keys",
            .target = {.kind = std::move(kind), .per = {.key = true}},
            .bounds = {.running = running}};
  }
  void declare(std::vector<DeclaredLimit> limits) {
    write([&](StoreWriter& writer) { writer.declare_limits(limits); });
  }
  Result<bool> set(const NewLimit& limit) {
    return written([&](StoreWriter& writer) { return writer.set_limit(limit, now_); });
  }
  void give_free_keys() {
    static_cast<void>(written([](StoreWriter& writer) { return writer.give_free_keys("", 100); }));
  }
  std::vector<LimitStanding> standings() {
    return asked(
        [&](JobReader& reader) { return reader.limit_standings(reader.limits().front().number, 10); });
  }
  NewJob of_kind(std::string kind, std::string_view tenant = "acme", bool is_global = false) {
    NewJob job = keyed(tenant, 1, is_global);
    job.kind = std::move(kind);
    return job;
  }
  std::optional<JobArrival> pass_over(const Enqueued& job, const std::vector<Lane>& gated) {
    return written([&](StoreWriter& writer) { return writer.pass_over(job.seq, gated); });
  }
  static Lane lane(const Enqueued& job) { return job.arrival->lane; }
};

TEST_P(LimitPerKeySuite, OfAKeyRunAsManyAsTheJobsSayAndNoMoreThanTheLimit) {
  declare({per_key(2)});
  const auto jobs = put_keyed(4, 10);
  const auto claimed = claim(acme_, 10).jobs;
  EXPECT_THAT(ids_of(claimed), ElementsAre(jobs[0].id, jobs[1].id));
  EXPECT_TRUE(waits(jobs[2]) && waits(jobs[3]));
  NewJob other = keyed("acme", 10);
  other.concurrency->key = "another";
  const Enqueued free = put(other);
  EXPECT_EQ(claim_one(acme_).id, free.id) << "each key by itself";
  const auto state = keys(jobs[2].id);
  EXPECT_EQ(state.running, 2);
  EXPECT_EQ(state.running_max, 2);
  EXPECT_EQ(state.limit, "keys");
  EXPECT_EQ(state.concurrency->running_max, 10);
  succeed(claimed[0]);
  EXPECT_EQ(claim_one(acme_).id, jobs[2].id);
  EXPECT_THAT(claim(acme_, 10).jobs, IsEmpty());
}

TEST_P(LimitPerKeySuite, AJobThatStatesFewerGoesByItsOwnNumberAndOneOfAnotherKindToo) {
  declare({per_key(3, "billing.*"),
           {.name = "wide", .target = {.per = {.key = true}}, .bounds = {.running = 5}}});
  const auto jobs = put_keyed(2, 1);
  EXPECT_THAT(claim(acme_, 10).jobs, SizeIs(1));
  EXPECT_EQ(keys(jobs[1].id).running_max, 1);
  EXPECT_EQ(keys(jobs[1].id).limit, "");
  std::vector<Enqueued> others;
  for (int count = 0; count < 6; ++count) {
    NewJob job = keyed("globex", 10);
    job.kind = "mail.send";
    others.push_back(put(job));
  }
  EXPECT_THAT(claim(globex_, 10).jobs, SizeIs(5));
  EXPECT_EQ(keys(others[5].id).limit, "wide");
}

TEST_P(LimitPerKeySuite, ALimitThatIsRaisedLetsInAsManyAsMayRunMoreAtTheNextLook) {
  declare({per_key(1)});
  const auto jobs = put_keyed(6, 10);
  EXPECT_THAT(claim(acme_, 10).jobs, SizeIs(1));
  ASSERT_TRUE(set({.name = "keys", .bounds = {.running = 4}}));
  give_free_keys();
  EXPECT_THAT(hints(), ElementsAre(jobs[1].seq, jobs[2].seq, jobs[3].seq));
  EXPECT_THAT(claim(acme_, 10).jobs, SizeIs(3));
  EXPECT_TRUE(waits(jobs[4]) && waits(jobs[5]));
  value_or_raise(written([](StoreWriter& writer) { return writer.unset_limit("keys"); }));
  give_free_keys();
  EXPECT_THAT(hints(), IsEmpty()) << "four run, and one may";
}

TEST_P(LimitPerKeySuite, OneThatIsLoweredStopsNothingAndStartsNothingUntilFewerRun) {
  const auto jobs = put_keyed(5, 3);
  const auto running = claim(acme_, 10).jobs;
  ASSERT_THAT(running, SizeIs(3));
  ASSERT_TRUE(set({.name = "keys", .target = per_key(1).target, .bounds = {.running = 1}}).value());
  for (const ClaimedJob& job : running) {
    EXPECT_THAT(claim(acme_, 10).jobs, IsEmpty());
    succeed(job);
  }
  EXPECT_THAT(ids_of(claim(acme_, 10).jobs), ElementsAre(jobs[3].id));
}

TEST_P(LimitPerKeySuite, ItsFullestKeysAreToldWithWhoHoldsThem) {
  declare({per_key(2)});
  EXPECT_THAT(standings(), IsEmpty());
  const auto jobs = put_keyed(2, 5);
  put(new_job("acme"));
  put(keyed("globex", 5, true));
  EXPECT_THAT(claim_all(), SizeIs(4));
  const auto all = standings();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].tenant, "acme");
  EXPECT_EQ(all[0].key, "reports");
  EXPECT_EQ(all[0].use.running, 2);
  EXPECT_EQ(all[0].gate(), JobReason::limit_cap);
  ASSERT_THAT(all[0].holders, SizeIs(2));
  EXPECT_EQ(all[0].holders[1].id, jobs[1].id);
  EXPECT_EQ(all[1].tenant, "") << "of all tenants";
  EXPECT_EQ(all[1].use.running, 1);
  EXPECT_EQ(all[1].gate(), JobReason::none);
}

TEST_P(LimitPerKeySuite, ItGatesNoLaneAndADispatcherIsToldOfIt) {
  declare({per_key(1)});
  put_keyed(2, 5);
  const Enqueued without = put(new_job("acme"));
  static_cast<void>(claim(acme_, 10));
  EXPECT_EQ(record(without.id).state, ShownState::running);
  const Enqueued next = put(new_job("acme"));
  EXPECT_EQ(record(next.id).state, ShownState::ready);
  EXPECT_THAT(asked([&](JobReader& reader) { return reader.limits_of(*reader.find_job(next.id)); }),
              IsEmpty());
  const auto open = written([](StoreWriter& writer) { return writer.open_limits(LimitsMark{-1}); });
  ASSERT_THAT(open->limits, SizeIs(1));
  EXPECT_EQ(open->limits[0].name, "keys");
  EXPECT_EQ(open->limits[0].target, per_key(1).target);
}

TEST_P(LimitPerKeySuite, ItHasNoRateAndCountsByNothingElse) {
  const auto refused = [&](LimitTarget target, LimitBounds bounds) {
    return code_of(set({.name = "x", .target = target, .bounds = bounds})) == ErrorCode::bad_options;
  };
  EXPECT_TRUE(refused({.per = {.key = true}}, {.rate = StartRate{1, seconds{60}}}));
  EXPECT_TRUE(refused({.per = {.tenant = true, .key = true}}, {.running = 1}));
  EXPECT_TRUE(refused({.per = {.queue = true, .key = true}}, {.running = 1}));
  declare({per_key(1)});
  EXPECT_EQ(code_of(set({.name = "keys", .bounds = {.rate = StartRate{1, seconds{60}}}})),
            ErrorCode::bad_options);
  EXPECT_EQ(asked([](JobReader& reader) { return reader.limits(); }).front().target, per_key(1).target);
}

TEST_P(LimitPerKeySuite, WhoseLaneIsGatedPassesItsTurnToTheNextInAnotherLane) {
  put(of_kind("a.a"));
  const ClaimedJob running = claim_one(acme_);
  const Enqueued gated = put(of_kind("b.b"));
  const Enqueued behind = put(of_kind("b.b"));
  const Enqueued open = put(of_kind("c.c"));
  EXPECT_FALSE(pass_over(gated, {lane(gated)})) << "the key is taken";
  succeed(running);
  EXPECT_THAT(hints(), ElementsAre(gated.seq));
  const auto next = pass_over(gated, {lane(gated)});
  ASSERT_TRUE(next);
  EXPECT_EQ(next->seq, open.seq);
  EXPECT_EQ(next->lane, lane(open));
  EXPECT_EQ(next->state, JobState::ready);
  EXPECT_THAT(hints(), IsEmpty());
  EXPECT_TRUE(waits(behind));
  EXPECT_FALSE(pass_over(gated, {lane(gated), lane(open)})) << "whoever waits stands in a gated lane";
}

TEST_P(LimitPerKeySuite, OnAGlobalKeyManyGatedTenantsArePassedOneByOne) {
  put(of_kind("a.a", "initech", true));
  const ClaimedJob running = claim_one(initech_);
  std::vector<Enqueued> gated;
  for (const char* const tenant : {"acme", "globex"})
    for (int job = 0; job < 50; ++job) gated.push_back(put(of_kind("b.b", tenant, true)));
  const Enqueued open = put(of_kind("b.b", "initech", true));
  succeed(running);
  EXPECT_THAT(hints(), ElementsAre(gated[0].seq));
  const auto second = pass_over(gated[0], {lane(gated[0])});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->seq, gated[50].seq);
  const auto third = pass_over(gated[50], {lane(gated[0]), lane(gated[50])});
  ASSERT_TRUE(third);
  EXPECT_EQ(third->seq, open.seq);
}

TEST_P(LimitPerKeySuite, OnAGlobalKeyAReadOnlyTenantHasItsTurnWithJobsThatOnlyRead) {
  PoolRecord pool{"general", {"default"}, 1, {"b.b", "c.c"}};
  pool.reads_only = {"c.c"};
  write([&](StoreWriter& writer) {
    writer.tell_pools(writer.open_incarnation(kLife.value + 1, "app-1", 42, now_), std::span{&pool, 1});
  });
  const auto put_in_default = [&](const char* kind, const char* tenant) {
    NewJob job = of_kind(kind, tenant, true);
    job.queue = "default";
    return put(job);
  };
  put_in_default("b.b", "globex");
  const ClaimedJob running = claim_one(globex_);
  const Enqueued writes = put_in_default("b.b", "acme");
  const Enqueued reads = put_in_default("c.c", "acme");
  const Enqueued other = put_in_default("b.b", "globex");
  write([&](StoreWriter& writer) { EXPECT_TRUE(writer.set_read_only(TenantName{"acme"}, true)); });
  succeed(running);
  EXPECT_THAT(hints(), ElementsAre(reads.seq)) << "it is the turn of its tenant";
  EXPECT_TRUE(waits(writes) && waits(other));
  const auto next = pass_over(reads, {lane(reads)});
  ASSERT_TRUE(next);
  EXPECT_EQ(next->seq, other.seq);
  EXPECT_TRUE(waits(writes));
}

INSTANTIATE_TEST_SUITE_P(EachStore, LimitPerKeySuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"EagerSqlite", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
