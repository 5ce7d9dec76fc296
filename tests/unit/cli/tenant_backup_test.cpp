#include "copy_pace.hpp"
#include "file_program.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/tenancy/tenant_copy.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

// `tenure tenant backup` and `clone`, and the list of tenants by when they were written to.
namespace tenure::cli {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using ::testing::Not;

class TenantBackups : public FileProgram {
 protected:
  TenantBackups() {
    EXPECT_EQ(run({"tenant", "create", "acme", "beta", "corvid"}), 0) << output.error;
    fs::create_directory(copies);
    on_pause = [] { return true; };
  }
  [[nodiscard]] fs::path file(std::string_view tenant) const {
    return folder / "tenants" / (std::string{tenant} + ".db");
  }
  static std::int64_t rows_in(const fs::path& path) {
    sqlite::Connection connection{path, {.access = sqlite::Access::look_at_file}};
    return connection.statement({"rows", "select count(*) from note"}).row().integer(0);
  }
  void write_to(std::string_view tenant) const {
    sqlite::Connection connection{file(tenant), {}};
    connection.execute(
        {"script", "create table if not exists note(x); insert into note values (zeroblob(3000000))"});
  }

  const fs::path copies = folder / "copies";
};

TEST_F(TenantBackups, OfOneToAFileWithTwoRecords) {
  write_to("acme");
  const std::string target = (copies / "acme.db").string();
  EXPECT_EQ(run({"tenant", "backup", "acme", target, "--reason", "before the import"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("copied acme, generation 1, to " + target + ", "));
  EXPECT_EQ(rows_in(target), 1);
  const TenantCopy copy = look_at_tenant_copy(target);
  EXPECT_EQ(copy.tenant.text(), "acme");
  EXPECT_EQ(copy.copied, clock.wall());
  EXPECT_EQ(run({"store", "audit", "verb=tenant backup", "--columns", "subject,reason"}), 0);
  EXPECT_THAT(output.out, HasSubstr("acme, generation 1, to " + target + ", begun"));
  EXPECT_THAT(output.out, HasSubstr("acme, generation 1, to " + target + ", complete, "));
  EXPECT_THAT(output.out, HasSubstr("before the import"));

  EXPECT_EQ(run({"tenant", "backup", "acme", target}), 78) << "nothing is overwritten";
  EXPECT_EQ(run({"tenant", "backup", "nobody", (copies / "n.db").string()}), 1);
  EXPECT_EQ(run({"tenant", "backup", "acme", (folder / "none/a.db").string()}), 1);
  EXPECT_THAT(output.error, HasSubstr("FolderMissing"));
  EXPECT_EQ(run({"tenant", "backup", "acme"}), 2);
  EXPECT_EQ(run({"tenant", "backup", "name=acme"}), 2);
  EXPECT_THAT(output.error, HasSubstr("say --folder DIR"));
}

TEST_F(TenantBackups, OfThoseThatMatchToAFolderGoesOnWhereItWasInterrupted) {
  const std::string to = copies.string();
  EXPECT_EQ(run({"tenant", "backup", "--folder", to, "--dry-run"}), 0) << output.error;
  EXPECT_THAT(output.error, HasSubstr("3 tenants to copy to " + to));
  EXPECT_EQ(run({"tenant", "backup", "name=b*,c*", "--folder", to}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("copied 2 tenants, "));
  std::ofstream{copies / "acme.1.db.partial"} << "of a run that was killed";
  EXPECT_EQ(run({"tenant", "backup", "--folder", to}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("copied 1 tenant, "));
  EXPECT_THAT(output.out, HasSubstr("; 2 were there\n"));
  for (const char* const name : {"acme.1.db", "beta.1.db", "corvid.1.db"})
    EXPECT_EQ(look_at_tenant_copy(copies / name).generation, Generation{1});
  EXPECT_FALSE(fs::exists(copies / "acme.1.db.partial"));
  EXPECT_EQ(run({"tenant", "backup", "--folder", to, "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("copied":0,"there":3,"left_out":0,"failed":0,"dry_run":false})"));
}

TEST_F(TenantBackups, OneThatFailsIsNamedAndStopsNoOther) {
  std::ofstream{file("beta"), std::ios::trunc} << std::string(8192, 'x');
  EXPECT_EQ(run({"tenant", "backup", "--folder", copies.string()}), 1);
  EXPECT_THAT(output.error, HasSubstr("failed beta: "));
  EXPECT_THAT(output.out, HasSubstr("copied 2 tenants, "));
  EXPECT_THAT(output.out, HasSubstr("; 1 failed\n"));
  EXPECT_FALSE(fs::exists(copies / "beta.1.db"));
  EXPECT_FALSE(fs::exists(copies / "beta.1.db.partial"));
}

TEST_F(TenantBackups, ARateThatIsNoneIsRefusedBeforeAnythingIsCounted) {
  for (const char* const rate : {"0", "fast", "MiB/s"}) {
    EXPECT_EQ(run({"tenant", "backup", "--folder", copies.string(), "--rate", rate, "--dry-run"}), 2);
    EXPECT_TRUE(output.error.starts_with("tenure: BadOptions: --rate '")) << output.error;
  }
}

TEST_F(TenantBackups, IsNoFasterThanItsRateAndEndedByCtrlC) {
  write_to("acme");
  const Instant begun = clock.steady();
  EXPECT_EQ(run({"tenant", "backup", "acme", (copies / "slow.db").string(), "--rate", "1MiB/s"}), 0)
      << output.error;
  EXPECT_GE(clock.steady() - begun, std::chrono::milliseconds{2800});
  EXPECT_LE(clock.steady() - begun, std::chrono::seconds{4});
  on_pause = [] { return false; };
  EXPECT_NE(run({"tenant", "backup", "acme", (copies / "ended.db").string()}), 0);
  EXPECT_THAT(output.error, HasSubstr("nothing of it is left"));
  EXPECT_FALSE(fs::exists(copies / "ended.db.partial"));
  EXPECT_EQ(run({"tenant", "backup", "acme", (copies / "x.db").string(), "--rate", "fast"}), 2);
}

TEST_F(TenantBackups, REG_26_SinceWhenTenantsWereWrittenToComesFromTheirFiles) {
  const auto written = [&](std::string_view tenant, std::chrono::hours ago) {
    const auto at = std::chrono::file_clock::from_sys(
        std::chrono::sys_time<std::chrono::microseconds>(clock.wall().time_since_epoch() - ago));
    fs::last_write_time(file(tenant), at);
  };
  written("acme", std::chrono::hours{5});
  written("beta", std::chrono::hours{0});
  written("corvid", std::chrono::hours{2});
  EXPECT_EQ(run({"tenant", "list", "written=-1h..", "--columns", "name"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("beta"));
  EXPECT_THAT(output.out, Not(HasSubstr("acme")));
  EXPECT_EQ(run({"tenant", "list", "--sort", "written", "--columns", "name,written", "--utc"}), 0);
  EXPECT_LT(output.out.find("acme"), output.out.find("corvid"));
  EXPECT_LT(output.out.find("corvid"), output.out.find("beta"));
  EXPECT_EQ(run({"tenant", "list", "written=..-4h", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("written":"2026-03-02T05:14:00Z")"));
  EXPECT_EQ(run({"tenant", "list", "--json"}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("written"))) << "no file is looked at unasked";
  fs::remove(file("acme"));
  EXPECT_EQ(run({"tenant", "list", "written=..now", "--columns", "name"}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("acme"))) << "one without a file";
  std::ofstream{file("corvid").string() + "-wal"} << "";
  const std::string copy = (folder / "control-copy.db").string();
  EXPECT_EQ(run({"store", "backup", copy}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "list", "written=-1h..", "--offline", "--store", copy}), 2);
  EXPECT_THAT(output.error, HasSubstr("beside no copy"));
}

TEST_F(TenantBackups, ACloneIsATenantOfItsOwnWithoutJobs) {
  write_to("acme");
  add_job(1, "acme", "report.build");
  EXPECT_EQ(run({"tenant", "clone", "acme", "acme-test", "--dry-run"}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "clone", "acme", "acme-test"}), 0) << output.error;
  EXPECT_EQ(output.out, "created acme-test, generation 1, active, with a copy of acme\n");
  EXPECT_EQ(rows_in(file("acme-test")), 1);
  EXPECT_EQ(run({"job", "count", "tenant=acme-test", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("count":0)"));
  EXPECT_EQ(run({"doctor", "stamps"}), 0) << output.out;
  EXPECT_EQ(run({"tenant", "clone", "acme", "acme-test"}), 1);
  EXPECT_THAT(output.error, HasSubstr("TenantExists"));
  const std::string copy = (copies / "acme.db").string();
  EXPECT_EQ(run({"tenant", "backup", "acme", copy}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "clone", "acme", "older", "--copy", copy, "--json"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr(R"({"schema":"tenure.tenant.clone/1","item":{"name":"older")"));
  EXPECT_EQ(run({"tenant", "clone", "beta", "other", "--copy", copy}), 1) << output.error;
  EXPECT_THAT(output.error, HasSubstr("the copy is of the tenant acme"));
  EXPECT_EQ(run({"tenant", "clone", "nobody", "x"}), 1);
}

TEST(CopyPace, AllCopiesTogetherHaveItsRate) {
  const Instant begun{};
  CopyPace pace(1000, begun);
  pace.copied(500);
  EXPECT_EQ(pace.wait(begun), std::chrono::milliseconds{500});
  EXPECT_EQ(pace.wait(begun + std::chrono::seconds{1}), std::chrono::milliseconds{0});
  pace.copied(1000);
  pace.copied(200);  // of the next one
  EXPECT_EQ(pace.wait(begun + std::chrono::seconds{1}), std::chrono::milliseconds{200});
  CopyPace unbounded(0, begun);
  unbounded.copied(1'000'000);
  EXPECT_EQ(unbounded.wait(begun), std::chrono::milliseconds{0});
}

}  // namespace
}  // namespace tenure::cli
