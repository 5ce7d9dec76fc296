#include "notes.hpp"

#include <tenure/tenancy/scope.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>

namespace tenure::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A test of an application, with its fixture, inside a test of the kit.
struct Forgets {
  static constexpr std::string_view kind = "test.forgets";
};

struct KeepsHandle {
  static constexpr std::string_view kind = "test.keeps_handle";
};

struct KeepsTransaction {
  static constexpr std::string_view kind = "test.keeps_transaction";
};

class Probe : public Notes {
 public:
  using JobTest::client;
  using JobTest::drain;
  using JobTest::faults;
  using JobTest::jobs;
  using JobTest::tenants;
  using JobTest::with_tenants;
  using JobTest::world;
  void TestBody() override {}
};

// What it leaves behind outlives it, as it does where somebody keeps it for ever.
struct Leaves {
  std::unique_ptr<TenantScope> scope;
  std::optional<HandleLease> lease;
  std::optional<TenantTransaction> transaction;
};

TEST(Leaks, TST_04_AScopeHandleOrTransactionThatIsLeftOpenFailsTheTestByName) {
  Leaves left;
  EXPECT_NONFATAL_FAILURE(
      {
        Probe probe;
        probe.with_tenants("acme");
        left.scope = std::make_unique<TenantScope>(TenantName{"acme"});
      },
      "a scope was left open, the innermost of tenant acme");
  EXPECT_EQ(scope_depth(), 0U);
  EXPECT_NONFATAL_FAILURE(
      {
        Probe probe;
        probe.with_tenants("acme");
        left.lease = probe.tenants().open(TenantName{"acme"});
      },
      "a handle of tenant acme was left open");
  EXPECT_NONFATAL_FAILURE(
      {
        Probe probe;
        left.lease = probe.tenants().open_current();
        left.transaction.emplace((*left.lease)->begin());
      },
      "a handle of tenant test was left open, and on it 1 transaction");
}

TEST(Leaks, OfAHandlerAreOfItsKind) {
  Leaves left;
  World world(notes_options());
  std::optional<TenantTransaction> transaction;
  world.jobs().add<Forgets>([&](const Forgets&, JobContext&) {
    left.scope = std::make_unique<TenantScope>(TenantName{kDefaultTenant});
  });
  world.jobs().add<KeepsHandle>(
      [&](const KeepsHandle&, JobContext&) { left.lease = world.tenants().open_current(); });
  world.jobs().add<KeepsTransaction>(
      [&](const KeepsTransaction&, JobContext& context) { transaction.emplace(context.handle().begin()); });
  world.client().enqueue(Forgets{});
  EXPECT_EQ(world.drain().succeeded(), 1U);
  world.client().enqueue(KeepsTransaction{});
  EXPECT_EQ(world.drain().succeeded(), 1U);
  world.client().enqueue(KeepsHandle{});
  EXPECT_EQ(world.drain().succeeded(), 1U);
  left.lease.reset();
  EXPECT_THAT(
      world.finish(),
      ElementsAre("the handler of test.forgets ended inside a tenant scope",
                  "the handler of test.keeps_transaction ended with a transaction, snapshot or cursor open",
                  "the handler of test.keeps_handle ended with a handle of its own still open"));
  EXPECT_THAT(world.finish(), IsEmpty());
}

TEST(Leaks, OfSeveralScopesTheInnermostIsNamed) {
  World world(notes_options());
  world.with_tenants("acme");
  const TenantScope outer(TenantName{"acme"});
  const TenantScope inner(std::nullopt);
  EXPECT_THAT(world.finish(), ElementsAre("2 scopes were left open, the innermost outside every tenant"));
}

TEST(Leaks, ATestThatHasEndedEverythingHasNoProblem) {
  World world(notes_options());
  {
    const auto handle = world.tenants().open_current();
    const TenantScope scope(TenantName{kDefaultTenant});
  }
  world.client().enqueue(AddNote{"milk"});
  EXPECT_THAT(world.finish(), IsEmpty());
}

}  // namespace
}  // namespace tenure::testing
