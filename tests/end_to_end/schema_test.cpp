#include "installation.hpp"

#include <tenure/base/sqlite/connection.hpp>

#include <gmock/gmock.h>

#include <string>
#include <vector>

// Every program over a control database whose schema is another one than its own.
namespace tenure::testing {
namespace {

using ::testing::HasSubstr;

class SchemaTest : public Installation {
 protected:
  SchemaTest() { configure(); }

  void change_schema(const char* sql) { sqlite::Connection(control(), {}).execute({"script", sql}); }
  void expect_refused(std::unique_ptr<Process> process, const std::string& why) {
    EXPECT_EQ(process->wait(), "exit 78");
    EXPECT_THAT(process->output(), HasSubstr(why));
  }
  void expect_all_refused(const std::string& why) {
    expect_refused(start_daemon(false), why);
    expect_refused(start_alone(), why);
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"job", "list"}, {"tenant", "create", "globex"}, {"doctor"}}) {
      EXPECT_EQ(tenure(words), "exit 78");
      EXPECT_THAT(output_, HasSubstr(why));
    }
    try {
      static_cast<void>(Client::open(config_file()));
      FAIL() << "a client was opened";
    } catch (const SchemaMismatch& error) {
      EXPECT_THAT(error.what(), HasSubstr(why));
    }
  }
};

// As the program before this one has left it.
constexpr const char* kOlder =
    "delete from tenure_migration where number = (select max(number) from tenure_migration); drop view "
    "limits; "
    "drop index limit_rule_of_keys; alter table limit_rule drop column per_key; "
    "create view limits as select name from limit_rule";
constexpr const char* kNewer =
    "insert into tenure_migration(number, name, hash, applied_us) select max(number) + 1, 'later.sql', 'x', "
    "0 from tenure_migration";

TEST_F(SchemaTest, CFG_04_AnOlderOneIsRefusedByEveryProgramNamingTheCommand) {
  change_schema(kOlder);
  expect_all_refused("copy it (tenure store backup FILE), then: tenure store migrate");
  EXPECT_EQ(tenure({"store", "migrate", "--dry-run"}), "exit 0");
  EXPECT_THAT(output_, HasSubstr("would apply 0021_limit_per_key.sql"));
}

TEST_F(SchemaTest, CFG_04_ANewerOneIsRefusedByEveryProgramNamingWhatToInstall) {
  change_schema(kNewer);
  expect_all_refused("apt install ./tenure_VERSION.deb");
  EXPECT_EQ(tenure({"store", "migrate"}), "exit 78");
}

TEST_F(SchemaTest, AnOlderOneIsCopiedAndLookedAtBeforeItIsBroughtOn) {
  change_schema(kOlder);
  const std::string copy = folder_ / "copy.db";
  EXPECT_EQ(tenure({"store", "backup", copy}), "exit 0") << output_;
  for (const char* const verb : {"show", "check"}) {
    EXPECT_EQ(tenure({"store", verb}), "exit 0") << output_;
    EXPECT_THAT(output_, HasSubstr("this program needs"));
    EXPECT_EQ(tenure({"store", verb, "--store", copy, "--offline"}), "exit 0") << output_;
    EXPECT_THAT(output_, HasSubstr("this program needs"));
  }
  EXPECT_EQ(tenure({"job", "list", "--store", copy, "--offline"}), "exit 78");
}

TEST_F(SchemaTest, ADaemonThatLivesIsNamedToWhoWouldMigrateUnderIt) {
  const auto daemon = start_daemon();
  change_schema(
      "delete from tenure_migration where number = (select max(number) from tenure_migration)");  // of which it notices nothing
  EXPECT_EQ(tenure({"store", "migrate"}), "exit 75") << daemon->output();
  EXPECT_THAT(output_, HasSubstr(std::to_string(daemon->pid()) + " (tenured)"));
  EXPECT_THAT(output_, HasSubstr("systemctl stop tenured"));
}

}  // namespace
}  // namespace tenure::testing
