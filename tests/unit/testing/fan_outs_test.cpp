#include "notes.hpp"

#include <gmock/gmock.h>

#include <map>
#include <set>
#include <string>
#include <vector>

// Fan-outs, by what an application writes. The world has the tenant "test" besides those that are named.
namespace tenure::testing {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

// Counts its tenant's notes, and fails where it is told to.
struct CountThem {
  static constexpr std::string_view kind = "notes.count_them";
  using Result = std::string;
  int fails_until = 0;
  std::string fails_in;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(fails_until), CEREAL_NVP(fails_in));
  }
};

// Of all tenants: looks at what became of the fan-out.
struct Report {
  static constexpr std::string_view kind = "notes.report";
  std::string moment;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(moment));
  }
};

class AFanOut : public Notes {
 protected:
  AFanOut() {
    jobs().add<CountThem>([this](const CountThem& job, JobContext& context) {
      const std::string tenant = current_tenant()->text();
      started.push_back(tenant);
      if (tenant == job.fails_in && ++failed <= job.fails_until) throw std::runtime_error("no route to host");
      context.once("note", [&](JobTransaction& transaction) {
        transaction.execute("insert into note (text) values (?)", "counted in " + tenant);
      });
      return "notes of " + tenant;
    });
    jobs().add<Report>([this](const Report& job, JobContext&) {
      EXPECT_FALSE(current_tenant().has_value());
      reported.push_back(job.moment);
      if (!fan_out) return;
      for (const FanOutTenant& one : client().fan_out_tenants(*fan_out, FanOutTenants::failed))
        failed_tenants.insert(one.tenant->text());
      for (const FanOutTenant& one : client().fan_out_tenants(*fan_out, FanOutTenants::all)) {
        const auto result = client().result<CountThem>(*one.job, {.tenant = *one.tenant});
        if (result) results.insert(*result);
      }
    });
    with_tenants("acme", "bolt", "crab");
  }
  BatchId start(const CountThem& job = {}, FanOutOptions options = {}) {
    options.on_complete = Report{"complete"};
    options.on_success = Report{"success"};
    fan_out = client().for_each_tenant(job, options);
    return *fan_out;
  }
  std::vector<std::string> notes_of(const char* tenant) {
    return with_tenant(tenant, [&] { return notes(); });
  }

  std::optional<BatchId> fan_out;
  int failed = 0;
  std::vector<std::string> started, reported;
  std::set<std::string> failed_tenants, results;
};

TEST_F(AFanOut, FAN_01_HasOneJobForEachTenantInItsScopeAndOneThatFailsRetriesAlone) {
  const BatchId id = start({.fails_until = 2, .fails_in = "bolt"});
  static_cast<void>(drain_all());
  EXPECT_THAT(started, UnorderedElementsAre("test", "acme", "bolt", "crab"));
  EXPECT_EQ(client().fan_out(id)->batch.succeeded, 3);
  static_cast<void>(advance(hours{1}));
  EXPECT_THAT(started, UnorderedElementsAre("test", "acme", "bolt", "bolt", "bolt", "crab"));
  const FanOutStatus status = client().fan_out(id).value();
  EXPECT_EQ(status.tenants, 4);
  EXPECT_EQ(status.made, 4);
  EXPECT_EQ(status.batch.succeeded, 4);
  EXPECT_TRUE(status.batch.has_succeeded);
  for (const char* const tenant : {"acme", "bolt", "crab", "test"})
    EXPECT_THAT(notes_of(tenant), ElementsAre(std::string{"counted in "} + tenant));
}

TEST_F(AFanOut, FAN_06_CallsBackOnceBehindTheLastEndWithFailedTenantsListedAndResultsReadable) {
  const BatchId id = start({.fails_until = 1000, .fails_in = "bolt"}, {.job = {.attempts_max = 2}});
  static_cast<void>(drain_all());
  EXPECT_THAT(reported, IsEmpty()) << "bolt is to be tried again";
  static_cast<void>(advance(hours{2}));
  EXPECT_THAT(reported, ElementsAre("complete"));
  EXPECT_THAT(failed_tenants, ElementsAre("bolt"));
  EXPECT_THAT(results, ElementsAre("notes of acme", "notes of crab", "notes of test"));
  const FanOutStatus status = client().fan_out(id).value();
  EXPECT_TRUE(status.batch.is_complete);
  EXPECT_EQ(status.batch.dead, 1);
  EXPECT_EQ(client().fan_out_tenants(id, FanOutTenants::failed).front().outcome, "dead");
  const auto dead = client().fan_out_tenants(id, FanOutTenants::failed).front();
  failed = 2000;
  client().retry(*dead.job, {.tenant = *dead.tenant});
  static_cast<void>(drain_all());
  EXPECT_THAT(reported, ElementsAre("complete", "success")) << "each once, the second when it is true";
}

TEST_F(AFanOut, FAN_09_UnderAKeyThatIsUnfinishedIsTheFirstOneAndNothingStartsTwice) {
  const BatchId first = start({.fails_until = 1, .fails_in = "bolt"}, {.key = "count"});
  EXPECT_EQ(start({}, {.key = "count"}), first) << "no job is made yet";
  static_cast<void>(drain_all());
  EXPECT_EQ(start({}, {.key = "count"}), first) << "one has not ended";
  static_cast<void>(drain_all());
  EXPECT_THAT(started, SizeIs(4));
  static_cast<void>(advance(hours{1}));
  EXPECT_THAT(started, SizeIs(5));
  EXPECT_THAT(reported, ElementsAre("complete", "success"));
  EXPECT_TRUE(client().fan_out(first)->batch.is_complete);
  const BatchId second = start({}, {.key = "count"});
  EXPECT_NE(second, first);
  static_cast<void>(drain_all());
  EXPECT_THAT(started, SizeIs(9));
}

TEST_F(AFanOut, FAN_08_ThatIsCancelledStartsNothingNewAndWhatHasStartedEndsByItsOwnRules) {
  const BatchId id =
      start({.fails_until = 1, .fails_in = "test"}, {.rate = StartRate{.starts = 1, .window = seconds{60}}});
  static_cast<void>(drain_all());
  EXPECT_THAT(started, ElementsAre("test"));
  client().cancel_fan_out(id);
  static_cast<void>(advance(hours{1}));
  EXPECT_THAT(started, ElementsAre("test", "test")) << "its retry is its own";
  const FanOutStatus status = client().fan_out(id).value();
  EXPECT_TRUE(status.is_cancelled);
  EXPECT_TRUE(status.batch.is_complete);
  EXPECT_FALSE(status.batch.has_succeeded);
  EXPECT_EQ(status.visited, 1);
  EXPECT_EQ(status.batch.succeeded, 1);
  EXPECT_THAT(reported, ElementsAre("complete"));
  EXPECT_THROW(client().cancel_fan_out(id), StateChanged);
}

TEST_F(AFanOut, SkipsTenantsThatArePausedAndSaysWhy) {
  world().store().write(Durability::durable, [&](queue::StoreWriter& writer) {
    value_or_raise(writer.pause({.scope = queue::PauseScope::tenant, .name = "bolt"}, clock().wall()));
  });
  const BatchId id = start();
  static_cast<void>(drain_all());
  EXPECT_THAT(started, UnorderedElementsAre("test", "acme", "crab"));
  EXPECT_THAT(client().fan_out(id)->skipped_for, ElementsAre(Pair("paused", 1)));
  const auto skipped = client().fan_out_tenants(id, FanOutTenants::skipped);
  ASSERT_THAT(skipped, SizeIs(1));
  EXPECT_EQ(skipped.front().tenant->text(), "bolt");
  EXPECT_EQ(skipped.front().outcome, "paused");
  EXPECT_FALSE(skipped.front().job.has_value());
  EXPECT_THAT(client().fan_out_tenants(id, FanOutTenants::skipped, skipped.front().place), IsEmpty());
  EXPECT_TRUE(client().fan_out(id)->batch.has_succeeded) << "of those that have a job";
}

TEST_F(AFanOut, VisitsTenantsOverItsWindowAndNoFasterThanItsRate) {
  start({}, {.over = minutes{40}});
  static_cast<void>(advance(minutes{20}));
  EXPECT_THAT(started, SizeIs(2));
  static_cast<void>(advance(minutes{20}));
  EXPECT_THAT(started, SizeIs(4));
  EXPECT_THAT(reported, ElementsAre("complete", "success"));
  started.clear();
  start({}, {.rate = StartRate{.starts = 2, .window = minutes{1}}});
  static_cast<void>(drain_all());
  EXPECT_THAT(started, SizeIs(2));
  static_cast<void>(advance(minutes{3}));
  EXPECT_THAT(started, SizeIs(4));
}

TEST_F(AFanOut, IsOfNobodyWhoIsInsideOneTenant) {
  const BatchId id = start();
  with_tenant("acme", [&] {
    EXPECT_THROW(start(), TenantSwapProhibited);
    EXPECT_THROW(static_cast<void>(client().fan_out(id)), TenantSwapProhibited);
    EXPECT_THROW(static_cast<void>(client().fan_out_tenants(id, FanOutTenants::all)), TenantSwapProhibited);
    EXPECT_THROW(client().cancel_fan_out(id), TenantSwapProhibited);
    EXPECT_NO_THROW(without_tenant([&] { static_cast<void>(client().fan_out(id)); }));
  });
}

TEST_F(AFanOut, SaysItselfWhatItsJobsMayNot) {
  const auto refused = [&](const EnqueueOptions& options) {
    EXPECT_THROW(start({}, {.job = options}), BadOptions);
  };
  refused({.run_in = seconds{1}});
  refused({.run_at = clock().wall()});
  refused({.start_before = clock().wall() + seconds{5}});
  refused({.id = uuids_of_process().next(clock().wall())});
  refused({.tenant = "acme"});
  refused({.untenanted = true});
  refused({.batch = client().open_batch({.untenanted = true})});
  EXPECT_NO_THROW(start({}, {.job = {.queue = "default", .priority = 5, .attempts_max = 1}}));
}

TEST_F(AFanOut, WithNoActiveTenantSucceedsAndCallsBackOnce) {
  for (const char* const tenant : {"test", "acme", "bolt", "crab"})
    world().store().write(Durability::durable, [&](queue::StoreWriter& writer) {
      value_or_raise(writer.pause({.scope = queue::PauseScope::tenant, .name = tenant}, clock().wall()));
    });
  const BatchId id = start();
  static_cast<void>(drain_all());
  EXPECT_THAT(reported, ElementsAre("complete", "success"));
  EXPECT_EQ(client().fan_out(id)->batch.members, 0);
  EXPECT_TRUE(client().fan_out(id)->batch.has_succeeded);
}

}  // namespace
}  // namespace tenure::testing
