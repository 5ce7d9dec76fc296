#include "notes.hpp"

#include <tenure/base/sqlite/look.hpp>
#include <tenure/base/sqlite/migrations.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace tenure::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class MigratedNotes : public JobTest {
 protected:
  explicit MigratedNotes(bool on_touch = false) : JobTest(newer_options(on_touch)) {
    jobs().add<AddNote>([](const AddNote& job, JobContext& context) {
      context.once("add", [&](JobTransaction& transaction) {
        transaction.execute("insert into note (text, length) values (?, ?)", job.text,
                            static_cast<std::int64_t>(job.text.size()));
      });
    });
    jobs().add_migration("0002_length", [this](TenantTransaction& transaction) {
      if (raises) raise(*raises, "a word about something else");
      if (code_throws) throw std::runtime_error("no length today");
      transaction.execute("update note set length = length(text)");
    });
  }
  static WorldOptions newer_options(bool on_touch) {
    WorldOptions options = notes_options();
    options.migrate_on_touch = on_touch;
    options.migrations.push_back(
        {2, "0002_length", "-- tenure: code\nalter table note add column length integer"});
    return options;
  }
  bool code_throws = false;
  std::optional<ErrorCode> raises;
  [[nodiscard]] queue::TenantSummary summary(const TenantName& tenant) {
    std::optional<queue::TenantSummary> found;
    world().store().read([&](queue::JobReader& reader) { found = reader.tenant(tenant); });
    return found.value();
  }
  [[nodiscard]] std::size_t migrations() {
    return static_cast<std::size_t>(
        std::ranges::count(world().runs(), std::string{queue::kMigrateKind}, &JobRun::kind));
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

// As whoever was killed in the middle of it has left it.
TEST_F(MigratedNotes, MIG_08_AMigratingTenantDelaysOnlyItsOwnJobs) {
  const TenantName other{"other"};
  world().make_tenant(other);
  sqlite::Connection{world().folder() / "tenants/other.db", {}}.execute(
      {"migrating", "update tenure_stamp set state = 5"});
  with_tenant(other, AllowSwap{}, [&] { client().enqueue(AddNote{"four"}); });
  client().enqueue(AddNote{"ab"});
  const Runs runs = drain();
  EXPECT_THAT(lengths(TenantName{kDefaultTenant}), ElementsAre(2));
  ASSERT_EQ(runs.failed(), 1U);
  const auto refused = std::ranges::find_if(runs, [](const JobRun& run) { return !run.has_succeeded(); });
  EXPECT_EQ(refused->tenant, other);
  EXPECT_EQ(refused->attempt, 1);
  EXPECT_EQ(refused->failure->code, ErrorCode::tenant_not_ready);
  client().enqueue(AddNote{"abc"});
  drain();
  EXPECT_THAT(lengths(TenantName{kDefaultTenant}), ElementsAre(2, 3)) << "and the next one too";

  EXPECT_TRUE(world().migrate(other).steps.empty());
  EXPECT_EQ(advance(std::chrono::minutes{1}).succeeded(), 1U);
  EXPECT_THAT(lengths(other), ElementsAre(4));
}

class NotesMigratedOnTouch : public MigratedNotes {
 protected:
  NotesMigratedOnTouch() : MigratedNotes(true) { world().make_tenant_of(old_, 1); }
  void add(std::string text) {
    with_tenant(old_, AllowSwap{}, [&] { client().enqueue(AddNote{std::move(text)}); });
  }
  const TenantName old_{"old"};
};

TEST_F(NotesMigratedOnTouch, MIG_14_JobsThatWaitForTheirTenantsMigrationStartOneByThemselves) {
  add("four");
  add("seven__");
  drain_all();
  EXPECT_EQ(migrations(), 1U);
  EXPECT_THAT(lengths(old_), ElementsAre(4, 7));
  EXPECT_EQ(summary(old_).migration.value().from, 1);
  EXPECT_EQ(summary(old_).migration.value().to, 2);
  add("x");
  drain_all();
  EXPECT_EQ(migrations(), 1U);
  EXPECT_THAT(lengths(old_), ElementsAre(4, 7, 1));
}

TEST_F(NotesMigratedOnTouch, MIG_05_AStepThatThrowsLeavesItsTenantAsItWasAndFailedUntilARerunHeals) {
  code_throws = true;
  add("four");
  drain_all();
  advance(std::chrono::hours{24});
  EXPECT_EQ(migrations(), static_cast<std::size_t>(queue::kMigrateAttempts)) << "it does not go on for ever";
  EXPECT_EQ(summary(old_).tenant.state, TenantState::failed);
  EXPECT_THAT(summary(old_).migration.value().error, HasSubstr("no length today"));
  EXPECT_EQ(summary(old_).held, 1);
  sqlite::look_at(world().folder() / "tenants/old.db", [](sqlite::Connection& connection) {
    EXPECT_EQ(sqlite::schema_version(connection), 1);
    EXPECT_ANY_THROW(static_cast<void>(connection.statement({"length", "select length from note"})));
  });

  code_throws = false;
  EXPECT_THAT(world().migrate(old_).steps, ElementsAre("0002_length"));
  EXPECT_EQ(summary(old_).tenant.state, TenantState::active);
  EXPECT_EQ(summary(old_).migration.value().error, "");
  drain_all();
  EXPECT_THAT(lengths(old_), ElementsAre(4));
}

// A step may call what says of itself that arguments are bad, or that a tenant is not ready: the job's own are not meant.
TEST_F(NotesMigratedOnTouch, AStepHasFailedByWhateverItThrows) {
  raises = ErrorCode::bad_payload;
  add("four");
  drain_all();
  advance(std::chrono::hours{24});
  EXPECT_EQ(summary(old_).tenant.state, TenantState::failed);
  EXPECT_THAT(summary(old_).migration.value().error, HasSubstr("0002_length: BadPayload"));
  for (const ErrorCode code : {ErrorCode::pending_migration, ErrorCode::tenant_not_ready,
                               ErrorCode::unknown_kind, ErrorCode::schema_mismatch}) {
    const TenantName other{fmt::format("other-{}", static_cast<int>(code))};
    raises = code;
    world().make_tenant_of(other, 1);
    with_tenant(other, AllowSwap{}, [&] { client().enqueue(AddNote{"four"}); });
    drain_all();
    advance(std::chrono::hours{24});
    EXPECT_EQ(summary(other).tenant.state, TenantState::failed) << name_of(code);
  }
}

TEST_F(NotesMigratedOnTouch, OtherTenantsGoOnMeanwhile) {
  code_throws = true;
  add("four");
  client().enqueue(AddNote{"ab"});
  drain_all();
  EXPECT_THAT(lengths(TenantName{kDefaultTenant}), ElementsAre(2));
}

}  // namespace
}  // namespace tenure::testing
