#include "installation.hpp"

#include <tenure/base/sqlite/connection.hpp>

#include <gmock/gmock.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

namespace tenure::testing {
namespace {

using queue::ShownState;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

// What somebody has written into the control database, which is not for them to write.
class RefusalTest : public Installation {
 protected:
  void SetUp() override {
    configure();
    client().tenants().create(TenantName{"bolt"});
  }
  void edit(const std::string& sql) {
    sqlite::Connection connection(control(), {});
    connection.execute({"edit", sql});
    EXPECT_EQ(connection.changes(), 1) << sql;
  }
};

TEST_F(RefusalTest, SEC_01_AnEditedRowIsRefusedBeforeTheHandlerAndRecorded) {
  static_cast<void>(enqueue(Count{"makes its kind known"}));
  const auto row = [](queue::JobId job) {
    return " where lower(hex(id)) = replace('" + job.text() + "', '-', '')";
  };

  const auto other_tenant = enqueue(Count{"tenant"});
  edit("update job set tenant = (select number from tenant where name = 'bolt')" + row(other_tenant));
  const auto other_kind = enqueue(Wait{"kind", false});
  edit("update job set kind = (select number from kind where name = 'test.count')" + row(other_kind));
  const auto other_id = enqueue(Count{"id"});
  const queue::JobId forged{*Uuid::parse("019cadff-fbe9-7e60-8d13-c2a9945b7a01")};
  edit("update job set id = x'019cadfffbe97e608d13c2a9945b7a01'" + row(other_id));

  auto daemon = start_daemon();
  expect_state(forged, ShownState::dead);
  expect_state(other_tenant, ShownState::dead);
  expect_state(other_kind, ShownState::dead);
  EXPECT_EQ(refusals().size(), 3U);
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");

  const auto other_generation = enqueue(Count{"generation"});
  edit("update tenant set generation = 2 where name = 'acme'");
  daemon = start_daemon();
  expect_state(other_generation, ShownState::dead);
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");
  edit("update tenant set generation = 1 where name = 'acme'");

  for (const auto job : {other_tenant, other_kind, forged, other_generation}) {
    EXPECT_EQ(record(job).reason, queue::JobReason::permanent_error);
    EXPECT_EQ(attempts(job).size(), 1U);
  }
  EXPECT_THAT(
      refusals(),
      UnorderedElementsAre(
          HasSubstr("id=" + other_tenant.text() + " tenant=bolt 1 WrongTenant: the envelope belongs to acme"),
          HasSubstr("id=" + other_kind.text() +
                    " tenant=acme 1 EnvelopeMismatch: the envelope is of kind test.wait"),
          HasSubstr("id=" + forged.text() + " tenant=acme 1 EnvelopeMismatch: the envelope is of job " +
                    other_id.text()),
          HasSubstr("id=" + other_generation.text() +
                    " tenant=acme 1 WrongTenant: the envelope belongs to acme")));
  for (const char* name : {"tenant", "kind", "id", "generation"}) EXPECT_EQ(runs_of(name), 0) << name;
}

}  // namespace
}  // namespace tenure::testing
