#include "program.hpp"

// Why jobs do not run, as an operator is told.
namespace tenure::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Why : public Program {
 protected:
  // One job of each kind of reason, and a dispatcher that performs mail.send in default.
  Why() {
    add_tenant("acme");
    add_tenant("corvid");
    tell_pools({{"general", {"default"}, 2, {"mail.send"}}, {"heavy", {"reports"}, 0, {}}});
    add_job(1, "acme", "mail.send");
    fail_once(1, "SmtpTimeout: no answer");
    add_job(2, "acme", "mail.send");
    die(2);
    add_job(3, "acme", "mail.sned");
    add_job(4, "acme", "mail.send", "{}", {}, "exports");
    add_job(5, "none", "mail.send", "{}", {}, "reports");
    add_job(6, "corvid", "mail.sned");
    queue::set_tenant_state_for_test(*store, TenantName("corvid"), TenantState::paused);
    add_job(7, "acme", "mail.send", "{}", std::chrono::hours{1});
    add_job(8, "acme", "mail.send");
    succeed(8);
    add_job(9, "acme", "mail.send");
    add_job(10, "acme", "mail.send");
    clock.advance(std::chrono::seconds(6));
  }
  std::string why(int seed) {
    EXPECT_EQ(run({"why", job_id(seed).text()}), 0);
    return output.out;
  }
};

TEST_F(Why, TheAnswersStayAsTheyAre) {
  std::string all;
  for (int seed = 1; seed <= 10; ++seed) all += why(seed) + '\n';
  output.out = all;
  expect_golden("why.txt");
}

TEST_F(Why, EveryReasonIsSaidTheDecidingOneFirst) {
  EXPECT_THAT(why(6), AllOf(HasSubstr("waits for  tenant paused (tenant_paused)\n"),
                            HasSubstr("and for    a worker that knows the kind (kind_unknown)\n")));
  EXPECT_THAT(why(9), HasSubstr("waits for  its turn (tenant_turn)\n"));
  EXPECT_THAT(why(10), HasSubstr("ahead      1 job of its lane; 0 other tenants"));
}

TEST_F(Why, CLI_01_ItsJsonStaysAsItIs) {
  std::string all;
  for (const int seed : {1, 2, 6, 10}) {
    EXPECT_EQ(run({"job", "why", job_id(seed).text(), "--json"}), 0);
    all += output.out;
  }
  output.out = all;
  expect_golden("why.json");
}

TEST_F(Why, OfAJobThatRunsItNamesTheAttempt) {
  hold(9);
  EXPECT_THAT(why(9), AllOf(StartsWith("job        running, mail.send of tenant acme in queue default\n"),
                            HasSubstr("runs       attempt 1 of 10, on process 3 of pid 812 on app-1\n"),
                            Not(HasSubstr("waits for"))));
}

TEST_F(Why, OfSuspectsItSaysThatTheyStartAlone) {
  suspect(9);
  EXPECT_THAT(why(9), HasSubstr("waits for  its turn to run by itself, since the daemon or its worker "
                                "process died under it (suspect)"));
}

TEST_F(Why, ReasonsOfManyAreCountedWithTheFilterThatFindsThem) {
  EXPECT_EQ(run({"why", "tenant=acme,corvid,none"}), 0);
  expect_golden("why_list.txt");
  EXPECT_EQ(output.error, "8 reasons\n");
  EXPECT_EQ(run({"why", "tenant=*", "--json"}), 0);
  expect_golden("why_list.json");
}

TEST_F(Why, WhatItPrintsAsAFilterFindsTheseJobs) {
  EXPECT_EQ(run({"why", "kind=mail.*", "--columns", "jobs,filter"}), 0);
  EXPECT_THAT(output.out, HasSubstr("   1  'kind=mail.*' state=held reason=tenant_paused\n"));
  EXPECT_EQ(run({"job", "list", "kind=mail.*", "state=held", "reason=tenant_paused", "--columns", "id"}), 0);
  EXPECT_EQ(output.out, "ID\n" + job_id(6).text() + '\n');
}

TEST_F(Why, OfSucceededJobsNothingIsCountedUnlessTheyAreNamed) {
  EXPECT_EQ(run({"why", "kind=mail.*", "--columns", "state"}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("succeeded")));
  EXPECT_EQ(run({"why", "state=succeeded", "--columns", "state,jobs"}), 0);
  EXPECT_EQ(output.out, "STATE      JOBS\nsucceeded     1\n");
}

TEST_F(Why, ItAnswersMonitors) {
  EXPECT_EQ(run({"why", "reason=kind_unknown", "--fail-if-any"}), 1);
  EXPECT_EQ(run({"why", "reason=envelope_newer", "--fail-if-any"}), 0);
}

TEST_F(Why, CLI_09_WhatItCannotAnswerIsRefused) {
  EXPECT_EQ(run({"why"}), 2);
  EXPECT_EQ(run({"why", "nonsense"}), 2);
  EXPECT_EQ(run({"wyh", job_id(1).text()}), 2);
  EXPECT_THAT(output.error, HasSubstr("did you mean why?"));
  EXPECT_EQ(run({"why", job_id(1).text(), "--columns", "jobs"}), 2);
  EXPECT_EQ(run({"why", job_id(77).text()}), 1);
  EXPECT_EQ(run({"why", "--help"}), 0);
  EXPECT_THAT(output.out, StartsWith("tenure job why JOB|FILTER... [OPTIONS]"));
}

// Without a dispatcher nothing of pools is known but what the last one told, which was never any.
class WhyWithoutDispatcher : public Program {};

TEST_F(WhyWithoutDispatcher, ThatNoneRunsIsTheReason) {
  add_job(1, "none", "mail.send");
  EXPECT_EQ(run({"why", job_id(1).text()}), 0);
  EXPECT_THAT(output.out,
              AllOf(HasSubstr("waits for  a dispatcher, and none is seen to run (no_dispatcher)\n"),
                    HasSubstr("change     systemctl start tenured\n")));
  EXPECT_EQ(run({"why", "tenant=none", "--columns", "reason,jobs"}), 0);
  EXPECT_EQ(output.out, "REASON         JOBS\nno_dispatcher     1\n");
}

}  // namespace
}  // namespace tenure::cli
