#include "program.hpp"

namespace tenure::cli {
namespace {

using ::testing::HasSubstr;

class Lists : public Program {
 protected:
  Lists() {
    for (const char* name : {"corvid", "acme", "blue-heron"}) add_tenant(name);
    for (int i = 1; i <= 3; ++i) add_job(i, "blue-heron", "reports.monthly", "{}", {}, "reports");
    add_job(4, "acme", "billing.close");
    die(4);
    add_job(5, "none", "house.keeping");
    clock.advance(std::chrono::seconds(48));
  }
};

TEST_F(Lists, TenantsStandInTheOrderOfTheirNames) {
  EXPECT_EQ(run({"tenant", "list"}), 0);
  expect_golden("tenant_list.txt");
  EXPECT_EQ(output.error, "3 tenants\n");
}

TEST_F(Lists, CLI_01_TheirJsonStaysAsItIs) {
  EXPECT_EQ(run({"tenant", "list", "--json"}), 0);
  expect_golden("tenant_list.json");
  EXPECT_EQ(run({"queue", "list", "--json"}), 0);
  expect_golden("queue_list.json");
}

TEST_F(Lists, TenantsCanBeSortedFilteredAndPaged) {
  EXPECT_EQ(run({"tenant", "list", "--sort", "ready:desc", "--limit", "1", "--columns", "name,ready"}), 0);
  EXPECT_EQ(output.out, "TENANT      READY\nblue-heron      3\n");
  EXPECT_EQ(output.error, "1 of 3; next page: --after blue-heron\n");
  EXPECT_EQ(run({"tenant", "list", "--columns", "name", "--after", "acme", "--limit", "1"}), 0);
  EXPECT_EQ(output.out, "TENANT\nblue-heron\n");
  EXPECT_EQ(run({"tenant", "list", "--columns", "name", "name=*c*", "state=active"}), 0);
  EXPECT_EQ(output.out, "TENANT\nacme\ncorvid\n");
  EXPECT_EQ(run({"tenant", "list", "--after", "nobody"}), 2);
  EXPECT_EQ(run({"tenant", "list", "--after", "No Body"}), 2);
  EXPECT_EQ(run({"tenant", "list", "ready=1..", "--columns", "name"}), 0);
  EXPECT_EQ(output.out, "TENANT\nblue-heron\n");
  EXPECT_EQ(run({"tenant", "list", "dead=1..", "--columns", "name"}), 0);
  EXPECT_EQ(output.out, "TENANT\nacme\n");
  EXPECT_EQ(run({"tenant", "list", "queue=mail"}), 2);
}

TEST_F(Lists, QueuesShowWhatWaits) {
  EXPECT_EQ(run({"queue", "list"}), 0);
  expect_golden("queue_list.txt");
  on_terminal(120);
  EXPECT_EQ(run({"queue", "list", "--color", "never", "--sort", "oldest:desc", "--limit", "1"}), 0);
  EXPECT_THAT(output.out, HasSubstr("50 s"));  // 48 s and the 2.5 s that a job ran
  EXPECT_EQ(run({"queue", "list", "name=rep*", "--columns", "name,ready"}), 0);
  EXPECT_EQ(run({"queue", "list", "name=none", "--fail-if-any"}), 0);
  EXPECT_EQ(run({"queue", "list", "--fail-if-any"}), 1);
  EXPECT_EQ(run({"queue", "list", "oldest=5m..", "--fail-if-any"}), 0);
  EXPECT_EQ(run({"queue", "list", "oldest=40s..", "--fail-if-any"}), 1);
  EXPECT_EQ(run({"queue", "list", "ready=3..", "--columns", "name", "--color", "never"}), 0);
  EXPECT_EQ(output.out, "QUEUE\nreports\n");
}

TEST_F(Lists, StoreShowNamesTheHolder) {
  EXPECT_EQ(run({"store", "show"}), 0);
  EXPECT_THAT(output.out, HasSubstr("store    memory"));
  EXPECT_THAT(output.out, HasSubstr("jobs     5, 0 claimed"));
  EXPECT_THAT(output.out, HasSubstr("tenants  3"));
  EXPECT_THAT(output.out, HasSubstr("holder   pid 812 on app-1"));
  EXPECT_EQ(run({"store", "show", "--json"}), 0);
  EXPECT_TRUE(output.out.starts_with("{\"schema\":\"tenure.store.show/1\",\"item\":{\"backend\":\"memory\""))
      << output.out;
  EXPECT_THAT(output.out, HasSubstr("\"has_dispatcher\":true}}"));
}

class TenantCreate : public Program {};

TEST_F(TenantCreate, MakesTheTenantAndItsFile) {
  EXPECT_EQ(run({"tenant", "create", "acme", "corvid"}), 0) << output.error;
  EXPECT_EQ(output.out, "created acme, generation 1, active\ncreated corvid, generation 1, active\n");
  EXPECT_TRUE(std::filesystem::exists(folder / "tenants/acme.db"));
  EXPECT_TRUE(opened->create);
  EXPECT_EQ(run({"tenant", "create", "heron", "--json"}), 0);
  EXPECT_EQ(output.out,
            "{\"schema\":\"tenure.tenant.create/"
            "1\",\"items\":[{\"name\":\"heron\",\"generation\":1,\"state\":\"active\"}]}\n");
}

TEST_F(TenantCreate, ATenantThatIsThereIsRefused) {
  EXPECT_EQ(run({"tenant", "create", "acme"}), 0);
  EXPECT_EQ(run({"tenant", "create", "acme"}), 1);
  EXPECT_THAT(output.error, HasSubstr("TenantExists"));
}

TEST_F(TenantCreate, CLI_11_WhatWasMadeBeforeAnErrorIsNamed) {
  EXPECT_EQ(run({"tenant", "create", "acme"}), 0);
  EXPECT_EQ(run({"tenant", "create", "corvid", "acme", "heron"}), 1);
  EXPECT_EQ(output.out, "created corvid, generation 1, active\n");
  EXPECT_THAT(output.error, HasSubstr("TenantExists"));
  EXPECT_EQ(run({"tenant", "create", "heron", "acme", "--json"}), 1);
  EXPECT_THAT(output.out, HasSubstr(R"("items":[{"name":"heron","generation":1,"state":"active"}])"));
  EXPECT_THAT(output.error, HasSubstr("\"code\":\"TenantExists\""));
  EXPECT_EQ(run({"tenant", "create", "acme", "--json"}), 1);
  EXPECT_EQ(output.out, "");
}

TEST_F(TenantCreate, ABadNameStopsBeforeAnyIsMade) {
  EXPECT_EQ(run({"tenant", "create", "acme", "../other"}), 2);
  EXPECT_FALSE(std::filesystem::exists(folder / "tenants/acme.db"));
}

TEST_F(TenantCreate, AFolderOfMigrationsThatCannotBeReadIsNamed) {
  const std::string missing = (folder / "none").string();
  environment.variables.emplace_back("TENURE_TENANTS_MIGRATIONS", missing);
  EXPECT_EQ(run({"tenant", "create", "acme"}), 78);
  EXPECT_THAT(output.error, HasSubstr("cannot be read: No such file or directory (at " + missing + ")"));
}

TEST_F(TenantCreate, AMissingDataFolderIsCalledThat) {
  environment.open_store = [this](const queue::SqliteStoreOptions& options) {
    return std::shared_ptr(queue::open_sqlite_store(options, clock));
  };
  environment.look_at_store = [](const std::filesystem::path& path) {
    return queue::look_at_sqlite_store(path);
  };
  const std::string missing = (folder / "nowhere").string();
  environment.variables.emplace_back("TENURE_STORE_PATH", missing + "/control.db");
  EXPECT_EQ(run({"tenant", "create", "acme"}), 69);
  EXPECT_THAT(output.error, HasSubstr("there is no folder " + missing + " for the control database"));
  EXPECT_EQ(run({"tenant", "list"}), 69);
  EXPECT_THAT(output.error, HasSubstr("there is no folder " + missing));
  std::filesystem::create_directory(missing);
  EXPECT_EQ(run({"tenant", "list"}), 69);
  EXPECT_THAT(output.error,
              HasSubstr("there is no control database " + missing + "/control.db; tenured makes it"));
}

TEST_F(TenantCreate, AStoreThatIsNamedIsNotMade) {
  EXPECT_EQ(run({"tenant", "create", "acme", "--store", (folder / "x.db").string()}), 0);
  EXPECT_FALSE(opened->create);
  EXPECT_EQ(opened->path, folder / "x.db");
  EXPECT_EQ(run({"job", "list"}), 0);
  EXPECT_FALSE(opened->create);
}

}  // namespace
}  // namespace tenure::cli
