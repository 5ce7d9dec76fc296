#include "notes.hpp"

#include <gmock/gmock.h>

namespace tenure::testing {
namespace {

using ::testing::ElementsAre;

class MigratedNotes : public JobTest {
 protected:
  MigratedNotes() : JobTest(newer_options()) {
    jobs().add<AddNote>([](const AddNote& job, JobContext& context) {
      context.once("add", [&](JobTransaction& transaction) {
        transaction.execute("insert into note (text, length) values (?, ?)", job.text,
                            static_cast<std::int64_t>(job.text.size()));
      });
    });
    jobs().add_migration("0002_length", [](TenantTransaction& transaction) {
      transaction.execute("update note set length = length(text)");
    });
  }
  static WorldOptions newer_options() {
    WorldOptions options = notes_options();
    options.migrations.push_back(
        {2, "0002_length", "-- tenure: code\nalter table note add column length integer"});
    return options;
  }
  std::vector<std::int64_t> lengths(const TenantName& tenant) {
    return with_tenant(tenant, AllowSwap{}, [&] {
      return tenants().open_current()->read([](TenantReader& reader) {
        std::vector<std::int64_t> all;
        for (const TenantRow& row : reader.query("select length from note order by id"))
          all.push_back(row.integer(0));
        return all;
      });
    });
  }
};

TEST_F(MigratedNotes, ATenantOfAnOlderVersionWaitsUntilItIsMigrated) {
  const TenantName old{"old"};
  world().make_tenant_of(old, 1);
  with_tenant(old, AllowSwap{}, [&] {
    EXPECT_THROW(static_cast<void>(tenants().open_current()), PendingMigration);
    client().enqueue(AddNote{"four"});
  });
  const Runs before = drain();
  ASSERT_EQ(before.failed(), 1U);
  EXPECT_EQ(before.front().failure->code, ErrorCode::pending_migration);
  EXPECT_EQ(before.front().attempt, 1) << "it is given back, and costs nothing";

  EXPECT_THAT(world().migrate(old).steps, ElementsAre("0002_length"));
  EXPECT_EQ(advance(std::chrono::minutes{1}).succeeded(), 1U);
  EXPECT_THAT(lengths(old), ElementsAre(4));
}

TEST_F(MigratedNotes, ATenantThatIsMadeHasAllOfThem) {
  client().enqueue(AddNote{"abc"});
  EXPECT_EQ(drain().succeeded(), 1U);
  EXPECT_TRUE(world().migrate(TenantName{kDefaultTenant}).steps.empty());
  EXPECT_THROW(world().make_tenant_of(TenantName{"future"}, 3), BadOptions);
  EXPECT_THROW(world().migrate(TenantName{"nobody"}), TenantDoesNotExist);
}

}  // namespace
}  // namespace tenure::testing
