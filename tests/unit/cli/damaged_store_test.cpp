#include "program.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/sqlite_store.hpp>

// What is said of a store whose rows are not what they should be.
namespace tenure::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class DamagedStore : public Program {
 protected:
  DamagedStore() {
    store = queue::open_sqlite_store({.path = path_, .create = true}, clock);
    add_tenant("acme");
    add_tenant("corvid");
    add_job(1, "acme", "billing.close", R"({"of":"acme"})");
    add_job(2, "corvid", "billing.close", R"({"of":"corvid"})");
  }
  void damage(const std::string& sql) {
    sqlite::Connection(path_, {}).execute({"damage", "pragma ignore_check_constraints = 1; " + sql});
  }
  std::string shown(int seed, const std::string& option = "--utc") {
    EXPECT_EQ(run({"job", "show", job_id(seed).text(), option}), 0) << output.error;
    return output.out;
  }

 private:
  std::filesystem::path path_ = folder / "control.db";
};

TEST_F(DamagedStore, ANameThatIsRefusedTodayIsShownEscaped) {
  damage("update tenant set name = 'Acme' || char(27) || ' Ltd' where name = 'acme'");
  EXPECT_EQ(run({"tenant", "list", "--columns", "name,state"}), 0);
  EXPECT_EQ(output.out, "TENANT        STATE\nAcme\\x1b Ltd  failed\ncorvid        active\n");
  EXPECT_EQ(run({"tenant", "list", "--columns", "name", "--limit", "1"}), 0);
  EXPECT_THAT(output.error, HasSubstr("--after Acme\\x1b Ltd"));
  EXPECT_EQ(run({"tenant", "list", "--columns", "name", "--after", "Acme\x1b Ltd"}), 0);
  EXPECT_EQ(output.out, "TENANT\ncorvid\n");
  EXPECT_EQ(run({"tenant", "list", "--json"}), 0);
  EXPECT_EQ(run({"job", "list", "--columns", "tenant,state,waits_for", "state=held"}), 0);
  EXPECT_EQ(output.out,
            "TENANT        STATE  WAITS FOR\n"
            "Acme\\x1b Ltd  held   nobody: the name of its tenant breaks the rules of names\n");
  EXPECT_THAT(shown(1), HasSubstr("tenant     Acme\\x1b Ltd, generation 1, failed"));
  EXPECT_THAT(shown(1, "--json"), HasSubstr("\"refused\":\"the name of its tenant"));
}

TEST_F(DamagedStore, AJobWithoutItsTenantsRowIsShown) {
  damage("delete from tenant where name = 'acme'");
  EXPECT_EQ(run({"job", "count"}), 0);
  EXPECT_EQ(output.out, "2\n");
  EXPECT_EQ(run({"job", "list", "--columns", "tenant,state,waits_for", "tenant=*missing*"}), 0);
  EXPECT_THAT(output.out,
              HasSubstr("(tenant 1 is missing)  held   nobody: the row of its tenant is missing"));
  EXPECT_THAT(shown(1), HasSubstr("(tenant 1 is missing)"));
}

TEST_F(DamagedStore, AnotherJobsEnvelopeIsNotShownAsItsArguments) {
  damage("update job set envelope = (select envelope from job where seq = 2) where seq = 1");
  const std::string text = shown(1);
  EXPECT_THAT(text, Not(HasSubstr("\"corvid\"")));
  EXPECT_THAT(text, Not(HasSubstr("envelope 1, not sealed")));
  EXPECT_THAT(text, HasSubstr("arguments  are not shown: the envelope is another job's: it says id " +
                              job_id(2).text() + ", tenant corvid\n"));
  const std::string json = shown(1, "--json");
  EXPECT_THAT(json, HasSubstr("\"arguments\":null,\"envelope_problem\":\"the envelope is another job's"));
}

TEST_F(DamagedStore, EachThingThatAnEnvelopeSaysOtherwiseIsNamed) {
  damage(
      "update job set kind = (select max(number) from kind) + 1 where seq = 1;"
      "insert into kind(name) values ('billing.open'); update tenant set generation = 7 where name = 'acme'");
  EXPECT_THAT(shown(1), HasSubstr("it says generation 1, kind billing.close\n"));
}

TEST_F(DamagedStore, OfAnEnvelopeThatCannotBeReadNothingIsSaid) {
  damage("update job set envelope = x'7b7d' where seq = 1");
  EXPECT_THAT(shown(1), HasSubstr("size       2 bytes\n"));
  EXPECT_THAT(shown(1), HasSubstr("arguments  are not shown: the envelope cannot be read: NotAnEnvelope"));
  damage(
      "update job set envelope = cast('tenure/2 something new' || char(10) || '{}' as blob) where seq = 1");
  EXPECT_THAT(shown(1), HasSubstr("the envelope has version 2"));
  EXPECT_THAT(shown(2), HasSubstr("envelope 1, not sealed"));
}

}  // namespace
}  // namespace tenure::cli
