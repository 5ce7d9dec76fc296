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
  EXPECT_THAT(why(6), AllOf(HasSubstr("waits for  its tenant, which is paused (tenant_paused)\n"),
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

TEST_F(Why, OfAJobThatWaitsForItsKeyItNamesWhoHasItAndHowManyComeBefore) {
  EXPECT_EQ(run({"job", "enqueue", "reports.monthly", "--tenant", "acme", "--id", job_id(20).text(),
                 "--queue", "reports", "--concurrency-key", "reports-per-tenant"}),
            0);
  hold(20);
  EXPECT_EQ(run({"job", "enqueue", "reports.monthly", "--tenant", "acme", "--id", job_id(23).text(),
                 "--queue", "reports", "--concurrency-key", "reports-per-tenant"}),
            0);
  EXPECT_THAT(
      why(23),
      AllOf(HasSubstr("waits for  its concurrency key, which as many jobs have as may run (limit_key)\n"),
            HasSubstr("key        \"reports-per-tenant\": 1 of 1 run; 0 jobs of its tenant before it\n"),
            HasSubstr("key        " + job_id(20).text() + " runs since ")));
  EXPECT_EQ(run({"why", job_id(23).text(), "--json"}), 0);
  EXPECT_THAT(
      output.out,
      HasSubstr(
          R"("concurrency":{"key":"reports-per-tenant","global":false,"running_max":1,"running":1,"ahead":0,"holders":[")" +
          job_id(20).text() + R"("],"allowed":1,"limit":null})"));
  EXPECT_EQ(run({"why", "reason=limit_key", "--columns", "reason,jobs"}), 0);
  EXPECT_EQ(output.out, "REASON     JOBS\nlimit_key     1\n");
  EXPECT_EQ(run({"job", "show", job_id(23).text()}), 0);
  EXPECT_THAT(output.out, HasSubstr("limit      key \"reports-per-tenant\": 1 of 1 run\n"));
  EXPECT_EQ(run({"job", "list", "reason=limit_key", "--columns", "id"}), 0);
  EXPECT_EQ(output.out, "ID\n" + job_id(23).text() + '\n');
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
  for (const char* const word : {"123", "nonsense", "019cadff"}) {
    EXPECT_EQ(run({"why", word}), 2);
    EXPECT_EQ(output.error,
              "tenure: BadOptions: '" + std::string(word) +
                  "' is neither a job id like 019cae08-9913-7c12-9a44-5b0d7e1f20c3 nor a filter "
                  "term like state=dead\n");
  }
  EXPECT_EQ(run({"job", "why", "123", "state=dead"}), 2);
  EXPECT_THAT(output.error, HasSubstr("'123' is neither a job id"));
  EXPECT_EQ(run({"why", job_id(1).text(), job_id(2).text()}), 2);
  EXPECT_THAT(output.error, HasSubstr("why takes one job id alone, or a filter; of several jobs say id="));
  EXPECT_EQ(run({"why", "id=gid://shop/tenure.job/" + job_id(1).text()}), 2);
  EXPECT_THAT(output.error, HasSubstr("id takes UUIDs"));
  EXPECT_EQ(run({"wyh", job_id(1).text()}), 2);
  EXPECT_THAT(output.error, HasSubstr("did you mean why?"));
  EXPECT_EQ(run({"why", job_id(1).text(), "--columns", "jobs"}), 2);
  EXPECT_EQ(run({"why", job_id(77).text()}), 1);
  EXPECT_EQ(run({"why", "--help"}), 0);
  EXPECT_THAT(output.out, StartsWith("tenure job why JOB|[FILTER...] [OPTIONS]"));
}

TEST_F(Why, WithoutAWordItCountsAllThatHaveNotSucceeded) {
  EXPECT_EQ(run({"why", "--columns", "jobs,filter"}), 0);
  EXPECT_THAT(output.out, HasSubstr("   1  state=held reason=tenant_paused\n"));
}

TEST_F(Why, ATermThatIsThereAlreadyIsNotPrintedAgain) {
  hold(9);
  EXPECT_EQ(run({"why", "state=running", "--columns", "filter"}), 0);
  EXPECT_EQ(output.out, "FILTER\nstate=running\n");
}

TEST_F(Why, OfATenantWhoseJobsWereGivenBackItNamesTheError) {
  give_back(9, ErrorCode::tenant_unavailable, "there is no file");
  for (const int seed : {9, 10})
    EXPECT_THAT(
        why(seed),
        AllOf(HasSubstr("waits for  its tenant, whose jobs were given back a moment ago (tenant_busy)\n"),
              HasSubstr("released   2026-03-02T10:"), HasSubstr("Z: TenantUnavailable: there is no file\n")));
  EXPECT_EQ(run({"why", "tenant=acme", "state=ready", "--columns", "reason,jobs,filter"}), 0);
  EXPECT_EQ(output.out, "REASON       JOBS  FILTER\ntenant_busy     2  tenant=acme state=ready\n");
  clock.advance(std::chrono::minutes(2));
  EXPECT_THAT(why(10), AllOf(HasSubstr("(tenant_turn)"), Not(HasSubstr("released"))))
      << "it was not tried since";
}

// As the daemon says.
class WhyQuiet : public Why {
 protected:
  WhyQuiet() {
    environment.ask_daemon = [](const std::filesystem::path&, std::string_view,
                                std::chrono::milliseconds) -> tl::expected<std::string, FailedExchange> {
      return R"({"status":200,"body":{"items":[],"pools":[)"
             R"({"name":"general","quiet":{"since":"2026-03-02T10:13:00Z","uid":1000}},{"name":"heavy","quiet":null}]}})";
    };
  }
};

TEST_F(WhyQuiet, APoolThatIsQuietIsTheReasonWithTheCommandThatEndsIt) {
  EXPECT_THAT(why(9),
              AllOf(HasSubstr("waits for  a pool that claims: all that perform it are quiet (pool_quiet)\n"),
                    HasSubstr("quiet      pool general is quiet since 2026-03-02T10:13:00Z, as uid "
                              "1000 has asked\nchange     tenure worker resume general\n"),
                    Not(HasSubstr("tenant_turn")), Not(HasSubstr("in pool general"))));
  EXPECT_THAT(why(6), AllOf(HasSubstr("(tenant_paused)"), Not(HasSubstr("pool_quiet"))));
  EXPECT_EQ(run({"why", job_id(9).text(), "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("reasons":[{"reason":"pool_quiet","waits_for":"a pool that claims)"));
  EXPECT_EQ(run({"why", "tenant=acme"}), 0);
  EXPECT_THAT(output.error, HasSubstr("pool general is quiet since 2026-03-02T10:13:00Z"));
}

TEST_F(WhyQuiet, OfManyJobsItIsTheReasonThatTheyAreCountedUnder) {
  EXPECT_EQ(run({"why", "id=" + job_id(9).text()}), 0);
  EXPECT_THAT(output.out, AllOf(HasSubstr("pool_quiet"), Not(HasSubstr("tenant_turn"))));
  EXPECT_EQ(run({"why", "id=" + job_id(9).text(), "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"({"reason":"pool_quiet","state":"ready","jobs":1,)"));
  EXPECT_EQ(run({"why", "id=" + job_id(6).text()}), 0);
  EXPECT_THAT(output.out, AllOf(HasSubstr("tenant_paused"), Not(HasSubstr("pool_quiet"))));
}

// A pool whose processes have told of three slots.
class WhyOfATurn : public Program {
 protected:
  WhyOfATurn() {
    add_tenant("acme");
    tell_pools({{.name = "general",
                 .queues = {"default"},
                 .workers = 2,
                 .kinds = {"mail.send"},
                 .processes = {{queue::ProcessNumber{3}, 2}, {queue::ProcessNumber{4}, 1}}}});
    for (int seed = 1; seed <= 5; ++seed) add_job(seed, "acme", "mail.send");
    environment.ask_daemon =
        [this](const std::filesystem::path&, std::string_view line,
               std::chrono::milliseconds wait) -> tl::expected<std::string, FailedExchange> {
      asked.emplace_back(line);
      EXPECT_LE(wait, std::chrono::seconds{2});
      if (answer_line.empty())
        return tl::unexpected(FailedExchange{FailedExchange::Why::no_answer, "Connection timed out"});
      return answer_line;
    };
  }
  std::string why(int seed) {
    EXPECT_EQ(run({"why", job_id(seed).text()}), 0);
    return output.out;
  }
  static std::string told(std::string_view pools) {
    return R"({"status":200,"body":{"schema":"tenure.turn/1","pools":[)" + std::string(pools) + "]}}";
  }

  std::vector<std::string> asked;
  std::string answer_line =
      told(R"({"name":"general","slots":3,"busy":1,"tenants_before":2,"capped":false,"expected_ms":40000})");
};

TEST_F(WhyOfATurn, ItsPlaceInTheFairOrderAndItsStartAreTheDispatchersWord) {
  EXPECT_THAT(
      why(3),
      AllOf(HasSubstr("waits for  its turn (tenant_turn)\n"),
            HasSubstr("open       queue default and kind mail.send in pool general (3 of 3 slots free)\n"),
            HasSubstr("turn       after 2 other tenants in pool general, of whose slots 1 of 3 "
                      "perform; starts in about 40 s\n")));
  ASSERT_EQ(asked.size(), 2U) << "first what is quiet";
  EXPECT_THAT(asked.back(), HasSubstr(R"("path":"/turn","query":{"queue":")"));
  EXPECT_THAT(asked.back(), HasSubstr(R"("ahead":"2")")) << "jobs 1 and 2 of its lane come first";
  EXPECT_EQ(run({"why", job_id(3).text(), "--json"}), 0);
  EXPECT_THAT(
      output.out,
      HasSubstr(R"("pools":[{"name":"general","slots":3,"taken":0,"reserved":[]}],"turn":{"problem":null,)"
                R"("pools":[{"name":"general","slots":3,"busy":1,"tenants_before":2,)"
                R"("capped":false,"expected_ms":40000}]})"));
}

TEST_F(WhyOfATurn, WhatTheDispatcherCannotSayIsSaid) {
  answer_line =
      told(R"({"name":"general","slots":3,"busy":3,"tenants_before":1000,"capped":true,"expected_ms":null},)"
           R"({"name":"heavy","slots":1,"busy":0,"tenants_before":0,"capped":false,"expected_ms":0})");
  EXPECT_THAT(why(1),
              AllOf(HasSubstr("turn       after 1000+ other tenants in pool general, of whose slots 3 of 3 "
                              "perform; when it starts cannot be told\n"),
                    HasSubstr("turn       its tenant is next in pool heavy, of whose slots 0 of 1 perform; "
                              "starts in about 0 s\n")));
  answer_line = told("");
  EXPECT_THAT(why(1), HasSubstr("turn       the dispatcher claims nothing of its lane now\n"));
  answer_line.clear();
  EXPECT_THAT(why(1),
              HasSubstr("turn       not known: only the dispatcher knows the order between tenants, and "
                        "the daemon at "));
  EXPECT_THAT(why(1), HasSubstr("does not answer (Connection timed out)"));
}

TEST_F(WhyOfATurn, ThatAllSlotsAreTakenIsSaidFirstAndCounted) {
  EXPECT_EQ(run({"why", "tenant=acme", "--columns", "reason,state,jobs"}), 0);
  EXPECT_EQ(output.out, "REASON       STATE  JOBS\ntenant_turn  ready     5\n");
  hold(1);
  hold(2);
  EXPECT_THAT(why(5), HasSubstr("waits for  its turn (tenant_turn)\n"))
      << "a process of one slot has no claim";
  EXPECT_THAT(why(5), HasSubstr("(1 of 3 slots free)\n"));
  hold(3);
  EXPECT_THAT(why(5), HasSubstr("(1 of 3 slots free)\n"))
      << "what waits in a process takes no slot of another one";
  tell_pools({{.name = "general",
               .queues = {"default"},
               .workers = 1,
               .kinds = {"mail.send"},
               .processes = {{queue::ProcessNumber{3}, 2}}}});
  EXPECT_THAT(why(5),
              AllOf(HasSubstr("waits for  a slot, of which all are taken (slots_full)\n"),
                    HasSubstr("and for    its turn (tenant_turn)\n"), HasSubstr("(0 of 2 slots free)\n")));
  EXPECT_EQ(run({"why", "tenant=acme", "--columns", "reason,state,jobs,filter"}), 0);
  EXPECT_THAT(output.out, HasSubstr("slots_full  ready       2  tenant=acme state=ready\n"));
}

TEST_F(WhyOfATurn, NobodyIsAskedAboutAJobThatWaitsForSomethingElse) {
  queue::set_tenant_state_for_test(*store, TenantName("acme"), TenantState::paused);
  EXPECT_THAT(why(1), Not(HasSubstr("turn")));
  EXPECT_TRUE(asked.empty());
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
