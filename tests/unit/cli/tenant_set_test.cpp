#include "file_program.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/tenancy/stamp.hpp>

#include <filesystem>
#include <string>

// `tenure tenant set NAME read_only=...`.
namespace tenure::cli {
namespace {

using ::testing::HasSubstr;

class TenantSets : public FileProgram {
 protected:
  TenantSets() {
    EXPECT_EQ(run({"tenant", "create", "acme"}), 0) << output.error;
    add_job(1, "acme", "report.build");
  }
  TenantState state() { return store->registry().find(TenantName{"acme"})->state; }
  TenantState stamped() {
    sqlite::Connection connection{folder / "tenants/acme.db", {}};
    return read_stamp(connection)->state;
  }
  void stamp(TenantState state) {
    sqlite::Connection connection{folder / "tenants/acme.db", {}};
    sqlite::WriteTransaction transaction{connection};
    Stamp stamp = *read_stamp(connection);
    stamp.state = state;
    write_stamp(connection, stamp);
    transaction.commit();
  }
};

TEST_F(TenantSets, ReadOnlyItsJobsAreHeldAndItsFileSaysSoUntilItMayBeWrittenAgain) {
  EXPECT_EQ(run({"tenant", "set", "acme", "read_only=true", "--reason", "audit"}), 0) << output.error;
  EXPECT_EQ(output.out, "acme is read-only: its jobs are held, and nobody writes to its database\n");
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(state(), TenantState::read_only);
  EXPECT_EQ(stamped(), TenantState::read_only);
  EXPECT_EQ(run({"why", job_id(1).text()}), 0);
  EXPECT_THAT(output.out, HasSubstr("tenant read_only (tenant_read_only)"));
  EXPECT_THAT(output.out, HasSubstr("change     tenure tenant set acme read_only=false\n"));
  EXPECT_EQ(run({"doctor", "stamps"}), 0) << output.out;
  EXPECT_EQ(run({"store", "audit", "verb=tenant set", "--columns", "subject,reason"}), 0);
  EXPECT_THAT(output.out, HasSubstr("acme, generation 1, read_only=true"));
  EXPECT_EQ(run({"tenant", "set", "acme", "read_only=false", "--json"}), 0) << output.error;
  EXPECT_EQ(output.out,
            R"({"schema":"tenure.tenant.set/1","name":"acme","read_only":false,"was":"read_only"})"
            "\n");
  EXPECT_EQ(state(), TenantState::active);
  EXPECT_EQ(stamped(), TenantState::active);
}

TEST_F(TenantSets, APausedOneStaysPausedAndIsThatOnceItIsResumed) {
  EXPECT_EQ(run({"tenant", "pause", "acme"}), 0);
  EXPECT_EQ(run({"tenant", "set", "acme", "read_only=true"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("; it is paused, and its jobs wait until it is resumed"));
  EXPECT_EQ(state(), TenantState::paused);
  EXPECT_EQ(stamped(), TenantState::read_only);
  EXPECT_EQ(run({"doctor", "stamps"}), 0) << output.out;
  EXPECT_EQ(run({"tenant", "resume", "acme"}), 0);
  EXPECT_EQ(state(), TenantState::read_only);
}

// As one that dies where the registry would be changed.
TEST_F(TenantSets, InterruptedBetweenRegistryAndFileNobodyWrites) {
  const auto open_store = environment.open_store;
  const auto die = [](const queue::SqliteStoreOptions&) -> std::shared_ptr<queue::Store> {
    raise(ErrorCode::disk, "died");
  };
  environment.open_store = die;
  EXPECT_NE(run({"tenant", "set", "acme", "read_only=true"}), 0);
  EXPECT_EQ(stamped(), TenantState::read_only) << "closed first";
  environment.open_store = open_store;
  EXPECT_EQ(run({"doctor", "stamps"}), 1);
  EXPECT_THAT(output.out, HasSubstr("the file says read_only, the registry active"));
  EXPECT_EQ(run({"tenant", "set", "acme", "read_only=true"}), 0) << output.error;
  environment.open_store = die;
  EXPECT_NE(run({"tenant", "set", "acme", "read_only=false"}), 0);
  EXPECT_EQ(stamped(), TenantState::read_only) << "opened last";
  environment.open_store = open_store;
  EXPECT_EQ(run({"tenant", "set", "acme", "read_only=false"}), 0) << output.error;
  EXPECT_EQ(state(), TenantState::active);
  EXPECT_EQ(stamped(), TenantState::active);
}

TEST_F(TenantSets, WhereTheFileCannotFollowNothingIsChanged) {
  stamp(TenantState::migrating);
  EXPECT_NE(run({"tenant", "set", "acme", "read_only=true"}), 0);
  EXPECT_THAT(output.error, HasSubstr("TenantNotReady"));
  EXPECT_EQ(state(), TenantState::active);
  stamp(TenantState::active);
  EXPECT_EQ(run({"tenant", "set", "acme", "read_only=true"}), 0);
  stamp(TenantState::migrating);
  EXPECT_NE(run({"tenant", "set", "acme", "read_only=false"}), 0);
  EXPECT_EQ(state(), TenantState::read_only);
  stamp(TenantState::active);
  EXPECT_EQ(run({"tenant", "set", "acme", "read_only=false"}), 0);
  execute("update tenant set state = 7");  // draining
  EXPECT_NE(run({"tenant", "set", "acme", "read_only=true"}), 0);
  EXPECT_EQ(stamped(), TenantState::active);
}

// However the two have come to differ, it is named, and the same command goes on.
TEST_F(TenantSets, WhatIsHalfDoneIsNamedAndDoneAgain) {
  EXPECT_EQ(run({"tenant", "set", "acme", "read_only=true"}), 0);
  stamp(TenantState::active);
  EXPECT_EQ(run({"doctor", "stamps"}), 1);
  EXPECT_THAT(output.out, HasSubstr("the file says active, the registry read_only"));
  EXPECT_EQ(run({"tenant", "set", "acme", "read_only=true"}), 0);
  EXPECT_EQ(stamped(), TenantState::read_only);
}

TEST_F(TenantSets, WhatCannotBeSetIsRefused) {
  for (const char* const word : {"read_only", "read_only=yes", "readonly=true", "=true", ""})
    EXPECT_EQ(run({"tenant", "set", "acme", word}), 2) << word;
  EXPECT_EQ(run({"tenant", "set", "nobody", "read_only=true"}), 1);
  EXPECT_EQ(run({"tenant", "set", "acme", "read_only=true", "--dry-run"}), 0);
  EXPECT_EQ(state(), TenantState::active);
  stamp(TenantState::deleted);
  EXPECT_EQ(run({"tenant", "set", "acme", "read_only=false"}), 1);
  EXPECT_THAT(output.error, HasSubstr("TenantDeleted"));
}

}  // namespace
}  // namespace tenure::cli
