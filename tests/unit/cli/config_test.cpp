#include "program.hpp"

#include <tenure/config/setting_table.hpp>

#include <fstream>

namespace tenure::cli {
namespace {

using ::testing::HasSubstr;

class Config : public Program {
 protected:
  void write(std::string_view content) {
    const auto file = folder / "tenure.toml";
    std::ofstream(file) << content;
    std::filesystem::permissions(file, std::filesystem::perms{0644});
  }
  std::string usable() const {
    return "[[pool]]\nname = \"general\"\nprogram = \"/bin/true\"\n"
           "[store]\npath = \"%{config_dir}/control.db\"\n[tenants]\npath = \"%{config_dir}/%{tenant}.db\"\n";
  }
};

TEST_F(Config, CheckIsQuietlyGladWhereAllIsWell) {
  write(usable());
  EXPECT_EQ(run({"config", "check"}), 0) << output.out;
  EXPECT_THAT(output.out,
              HasSubstr("ok    " + (folder / "tenure.toml").string() + ": 4 settings stated, 1 pool\n"));
}

TEST_F(Config, CFG_01_CheckNamesEveryProblemOnALine) {
  write("[store]\npol = \"1s\"\npoll = \"5 parsecs\"\n");
  EXPECT_EQ(run({"config", "check"}), 78);
  EXPECT_THAT(
      output.out,
      HasSubstr("tenure.toml:2: store.pol is no setting of this release; did you mean store.poll?\n"));
  EXPECT_THAT(output.out, HasSubstr("tenure.toml:3: store.poll = \"5 parsecs\": is no duration"));
  EXPECT_EQ(run({"config", "check", "--json"}), 78);
  EXPECT_THAT(output.out,
              HasSubstr("{\"schema\":\"tenure.config.check/1\",\"ok\":false,\"problems\":[{\"where\":"));
}

TEST_F(Config, CFG_02_CheckLooksAtTheMachine) {
  write("[store]\npath = \"/nowhere/at/all/control.db\"\n");
  EXPECT_EQ(run({"config", "check"}), 78);
  EXPECT_THAT(output.out, HasSubstr("its folder cannot be used"));
}

TEST_F(Config, CheckReadsTheMigrationsAsWhoeverMakesATenantDoes) {
  write(usable() + "migrations = \"%{config_dir}/migrations\"\n");
  std::filesystem::create_directory(folder / "migrations");
  std::ofstream(folder / "migrations/0001_first.sql") << "create table note (number integer primary key)";
  EXPECT_EQ(run({"config", "check"}), 0) << output.out;
  std::ofstream(folder / "migrations/0003_third.sql") << "select 1";
  EXPECT_EQ(run({"config", "check"}), 78);
  EXPECT_THAT(output.out,
              HasSubstr("FAIL  this machine: tenants.migrations: the migration stands where number 2"));
  EXPECT_THAT(output.out, HasSubstr("0003_third.sql"));
}

TEST_F(Config, CheckRefusesWhatTenuredWouldNotStartWith) {
  write("[store]\npath = \"%{config_dir}/control.db\"\n");
  EXPECT_EQ(run({"config", "check"}), 78);
  EXPECT_THAT(output.out, HasSubstr("there is no [[pool]], so tenured would not start"));
  write(usable() + "[log]\nfile = \"/proc/sys/kernel/tenured.log\"\n");
  EXPECT_EQ(run({"config", "check"}), 78);
  EXPECT_THAT(output.out, HasSubstr("log.file = \"/proc/sys/kernel/tenured.log\""));
}

TEST_F(Config, CFG_08_CheckWarnsOfADescriptorLimit) {
  write(usable());
  environment.descriptors_limit = 100;
  EXPECT_EQ(run({"config", "check"}), 0);
  EXPECT_THAT(output.out,
              HasSubstr("warn  this machine: tenants.descriptors_max = 256: the limit of open files is 100"));
}

TEST_F(Config, CheckRefusesWhatATenuredWithoutHttpWouldNotStartWith) {
  write(usable() + "[http]\nprobe_listen = \"127.0.0.1:7421\"\n");
  EXPECT_EQ(run({"config", "check"}), 0) << output.out;
  environment.has_http = false;
  EXPECT_EQ(run({"config", "check"}), 78);
  EXPECT_THAT(output.out, HasSubstr("http.probe_listen is set, and this tenured was built without HTTP"));
}

TEST_F(Config, OtherCommandsRefuseABadConfigurationInOneLine) {
  write("[store]\npol = \"1s\"\npoll = 3\n");
  EXPECT_EQ(run({"job", "list"}), 78);
  EXPECT_EQ(output.out, "");
  EXPECT_THAT(output.error, HasSubstr("store.pol is no setting of this release; did you mean store.poll? "
                                      "(and 1 more: tenure config check)\n"));
  EXPECT_FALSE(opened);
}

TEST_F(Config, AMissingFileIsExitCode78WhereItWasNamed) {
  EXPECT_EQ(run({"job", "list", "--config", (folder / "none.toml").string()}), 78);
  EXPECT_THAT(output.error, HasSubstr("cannot be opened"));
}

TEST_F(Config, CFG_06_ShowSaysWhereEachValueCameFrom) {
  write("[store]\npoll = \"2s\"\n");
  environment.variables.emplace_back("TENURE_LOG_LEVEL", "debug");
  EXPECT_EQ(run({"config", "show", "--store", "/tmp/x.db"}), 0);
  EXPECT_THAT(output.out, ::testing::ContainsRegex("store.poll +\"2s\" +file .*tenure.toml:2\n"));
  EXPECT_THAT(output.out, ::testing::ContainsRegex("log.level +\"debug\" +environment TENURE_LOG_LEVEL\n"));
  EXPECT_THAT(output.out, ::testing::ContainsRegex("store.path +\"/tmp/x.db\" +option --store\n"));
  EXPECT_THAT(output.out, ::testing::ContainsRegex("log.file +\"\" +default\n"));
}

TEST_F(Config, ExplainSaysUnitDefaultLimitsMeaningAndTheValueNow) {
  write("[store]\npoll = \"2s\"\n");
  EXPECT_EQ(run({"config", "explain", "store.poll"}), 0);
  EXPECT_THAT(output.out, HasSubstr("default      \"1s\"\n"));
  EXPECT_THAT(output.out, HasSubstr("limits       100ms to 1m\n"));
  EXPECT_THAT(output.out, HasSubstr("environment  TENURE_STORE_POLL\n"));
  EXPECT_THAT(output.out, HasSubstr("now          \"2s\"  (store.poll, file "));
  EXPECT_EQ(run({"config", "explain", "store.durability"}), 0);
  EXPECT_THAT(output.out, HasSubstr("power cut"));
  EXPECT_EQ(run({"config", "explain", "store.pol"}), 2);
  EXPECT_THAT(output.error, HasSubstr("did you mean store.poll?"));
}

TEST_F(Config, ExplainOfAPoolsSettingListsEachPool) {
  write("[[pool]]\nname = \"a\"\nprogram = \"/p\"\nslots = 3\n[[pool]]\nname = \"b\"\nprogram = \"/p\"\n");
  EXPECT_EQ(run({"config", "explain", "pool.slots"}), 0);
  EXPECT_THAT(output.out, HasSubstr("3  (pool[0].slots, file "));
  EXPECT_THAT(output.out, HasSubstr("8  (pool[1].slots, default)"));
  EXPECT_EQ(run({"config", "explain", "pool[1].slots"}), 0);
  EXPECT_THAT(output.out, HasSubstr("8  (pool[1].slots, default)"));
  EXPECT_THAT(output.out, ::testing::Not(HasSubstr("pool[0]")));
  EXPECT_EQ(run({"config", "explain", "pool[2].slots"}), 2);
  EXPECT_THAT(output.error, HasSubstr("there is no pool[2].slots: the configuration has 2 pools"));
  EXPECT_EQ(run({"config", "explain", "pool[0].slotz"}), 2);
}

TEST_F(Config, CFG_05_SampleIsTheSample) {
  EXPECT_EQ(run({"config", "sample"}), 0);
  EXPECT_EQ(output.out, config::sample());
  EXPECT_EQ(run({"config", "sample", "--json"}), 0);
  EXPECT_TRUE(output.out.starts_with("{\"schema\":\"tenure.config.sample/1\",\"text\":\"# ")) << output.out;
}

}  // namespace
}  // namespace tenure::cli
