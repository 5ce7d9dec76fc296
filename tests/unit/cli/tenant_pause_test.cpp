#include "program.hpp"

#include <string>

// `tenure tenant pause|resume`, and what other verbs say of tenants that are paused.
namespace tenure::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class TenantPauses : public Program {
 protected:
  TenantPauses() {
    for (const char* const name : {"acme", "apex", "beta"}) add_tenant(name);
    who.login = "dana";
    add_job(1, "acme", "report.build");
  }
  TenantState state(std::string_view name) { return store->registry().find(TenantName{name})->state; }
};

TEST_F(TenantPauses, OneIsPausedWithWhoAndWhyAndResumed) {
  EXPECT_EQ(run({"tenant", "pause", "acme", "--until", "2h", "--reason", "restore test"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("paused tenant acme, until "));
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(run({"tenant", "show", "acme"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("paused   by dana, "));
  EXPECT_THAT(output.out, HasSubstr(": restore test\n"));
  EXPECT_THAT(output.out, HasSubstr("change   tenure tenant resume acme\n"));
  EXPECT_EQ(run({"tenant", "list", "state=paused"}), 0);
  EXPECT_THAT(output.out, HasSubstr("by dana, "));
  EXPECT_EQ(run({"tenant", "list", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("pause":{"scope":"tenant","paused":")"));
  EXPECT_EQ(run({"why", job_id(1).text()}), 0);
  EXPECT_THAT(output.out, HasSubstr("its tenant, which is paused (tenant_paused)"));
  EXPECT_THAT(output.out, HasSubstr("paused     tenant by dana, "));
  EXPECT_THAT(output.out, HasSubstr("change     tenure tenant resume acme\n"));
  EXPECT_EQ(run({"why", job_id(1).text(), "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("pauses":[{"scope":"tenant")"));

  EXPECT_EQ(run({"tenant", "resume", "acme", "--reason", "it was"}), 0) << output.error;
  EXPECT_EQ(output.out, "tenant acme goes on\n");
  EXPECT_EQ(wakes, 2);
  EXPECT_EQ(run({"why", job_id(1).text()}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("paused")));
  EXPECT_EQ(run({"store", "audit", "verb=tenant *", "--columns", "verb,subject,reason"}), 0);
  EXPECT_THAT(output.out, HasSubstr("acme: until 2026-03-02T12:14:00Z"));
  EXPECT_THAT(output.out, HasSubstr("restore test"));
  EXPECT_THAT(output.out, HasSubstr("it was"));
}

TEST_F(TenantPauses, AllThatAreNamedOrNone) {
  EXPECT_EQ(run({"tenant", "pause", "acme", "acne"}), 1);
  EXPECT_THAT(output.error, HasSubstr("there is no tenant acne"));
  EXPECT_EQ(state("acme"), TenantState::active);
  EXPECT_EQ(run({"tenant", "pause", "acme", "apex"}), 0);
  EXPECT_EQ(output.out,
            "paused tenant acme, until somebody resumes it\n"
            "paused tenant apex, until somebody resumes it\n");
  EXPECT_EQ(run({"tenant", "pause", "acme", "--json"}), 0);
  EXPECT_EQ(
      output.out,
      R"({"schema":"tenure.tenant.pause/1","items":[{"name":"acme","until":null,"was_paused":true}],"skipped":0,"dry_run":false})"
      "\n");
  EXPECT_EQ(run({"tenant", "resume", "acme", "beta"}), 1);
  EXPECT_THAT(output.error, HasSubstr("NotPaused: the tenant beta is not paused"));
  EXPECT_EQ(state("acme"), TenantState::paused);
  EXPECT_EQ(run({"tenant", "resume", "acme", "--json"}), 0);
  EXPECT_EQ(output.out,
            R"({"schema":"tenure.tenant.resume/1","items":[{"name":"acme"}],"skipped":0,"dry_run":false})"
            "\n");
}

TEST_F(TenantPauses, ThoseThatAFilterFindsAreCountedShownAndAskedAbout) {
  EXPECT_EQ(run({"tenant", "pause", "name=a*"}), 2);
  EXPECT_THAT(output.error, HasSubstr("2 tenants to pause, the first of them:"));
  EXPECT_THAT(output.error, HasSubstr("2 tenants match: say --yes to pause them"));
  EXPECT_EQ(run({"tenant", "pause", "name=a*", "--dry-run"}), 0);
  EXPECT_EQ(output.out, "");
  EXPECT_EQ(run({"tenant", "pause", "acme", "--dry-run"}), 0);
  EXPECT_THAT(output.error, HasSubstr("would pause acme"));
  EXPECT_EQ(state("acme"), TenantState::active);
  EXPECT_EQ(wakes, 0);
  EXPECT_EQ(run({"tenant", "pause", "name=a*", "--yes"}), 0) << output.error;
  EXPECT_EQ(output.out, "paused 2 tenants, until somebody resumes it\n");
  EXPECT_EQ(state("apex"), TenantState::paused);
  EXPECT_EQ(state("beta"), TenantState::active);
  EXPECT_EQ(run({"store", "audit", "verb=tenant pause", "--columns", "verb,subject,count"}), 0);
  EXPECT_THAT(output.out, HasSubstr("'name=a*'"));
  EXPECT_EQ(run({"tenant", "resume", "state=paused", "--yes"}), 0);
  EXPECT_EQ(output.out, "resumed 2 tenants\n");
  EXPECT_EQ(run({"tenant", "resume", "state=paused", "--yes"}), 0) << "none matches";
}

TEST_F(TenantPauses, AnAnswerThatIsNoChangesNothing) {
  on_terminal(80);
  answer = "no";
  EXPECT_EQ(run({"tenant", "pause", "name=*"}), 1);
  EXPECT_EQ(state("acme"), TenantState::active);
}

TEST_F(TenantPauses, TheDoctorNamesThoseThatNobodyHasTakenBack) {
  EXPECT_EQ(run({"tenant", "pause", "acme", "--until", "2h", "--reason", "restore test"}), 0);
  EXPECT_EQ(run({"doctor", "tenants"}), 0);
  EXPECT_THAT(output.out, HasSubstr("warn  tenants   \"acme\" is paused by dana, "));
  EXPECT_THAT(output.out, HasSubstr(": restore test  -> tenure tenant resume acme\n"));
  clock.advance(std::chrono::hours(2));
  EXPECT_EQ(run({"doctor", "tenants"}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("paused by"))) << "its time is over";
}

}  // namespace
}  // namespace tenure::cli
