#include "program.hpp"

#include <chrono>
#include <string>
#include <vector>

// `tenure limit list|show|set|unset`, and what other verbs say of limits.
namespace tenure::cli {
namespace {

using std::chrono::hours;
using ::testing::HasSubstr;
using ::testing::Not;

class LimitVerbsOfProgram : public Program {
 protected:
  LimitVerbsOfProgram() {
    add_tenant("acme");
    who.login = "dana";
    for (int seed = 1; seed <= 3; ++seed) add_job(seed, "acme", "reports.monthly", "{}", {}, "reports");
    store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      const std::vector<queue::DeclaredLimit> declared{
          {.name = "reports-per-tenant",
           .target = {.kind = "reports.*", .per = {.tenant = true}},
           .bounds = {.running = 2}}};
      writer.declare_limits(declared);
    });
  }
};

TEST_F(LimitVerbsOfProgram, AreListedAndShownWithWhoHoldsThem) {
  EXPECT_EQ(run({"limit", "list"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("reports-per-tenant  2 run   kind reports.* per tenant        0  -"));
  hold(1);
  hold(2);
  EXPECT_EQ(run({"limit", "list"}), 0);
  EXPECT_THAT(output.out, HasSubstr("tenant acme, full"));
  EXPECT_EQ(run({"limit", "list", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("schema":"tenure.limit.list/1")"));
  EXPECT_THAT(output.out, HasSubstr(R"("gate":"limit_cap","bounds":{"running":2,"rate":null},"running":2)"));
  EXPECT_EQ(run({"limit", "show", "reports-per-tenant"}), 0);
  EXPECT_THAT(output.out, HasSubstr("allows    2 run\n"));
  EXPECT_THAT(output.out, HasSubstr("counted   tenant acme: 2 run; full\n"));
  EXPECT_EQ(run({"limit", "show", "reports-per-tenant", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("schema":"tenure.limit.show/1")"));
  EXPECT_THAT(output.out, HasSubstr(job_id(2).text()));
  EXPECT_EQ(run({"limit", "show", "reports-per-tenat"}), 1);
  EXPECT_THAT(output.error, HasSubstr("did you mean reports-per-tenant?"));
}

TEST_F(LimitVerbsOfProgram, WhyNamesTheLimitWhoHoldsItAndTheCommandThatChangesIt) {
  hold(1);
  hold(2);
  EXPECT_EQ(run({"job", "list", "state=held", "--columns", "id,reason"}), 0);
  EXPECT_THAT(output.out, HasSubstr(job_id(3).text() + "  limit_cap"));
  EXPECT_EQ(run({"job", "list", "state=held", "--columns", "state,waits_for"}), 0);
  EXPECT_THAT(output.out, HasSubstr("held   limit reports-per-tenant, 2 of 2 run\n"));
  EXPECT_EQ(run({"job", "list", "state=held", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("held_by":"reports-per-tenant, 2 of 2 run")"));
  EXPECT_EQ(run({"why", job_id(3).text()}), 0);
  EXPECT_THAT(output.out, HasSubstr("a limit, of which as many run as may (limit_cap)\n"));
  EXPECT_THAT(output.out, HasSubstr("limit      reports-per-tenant: of tenant acme 2 of 2 run\n"));
  EXPECT_THAT(output.out, HasSubstr("  " + job_id(1).text() + " runs since "));
  EXPECT_THAT(output.out, HasSubstr("change     tenure limit set reports-per-tenant 3\n"));
  EXPECT_EQ(run({"why", job_id(3).text(), "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("reason":"limit_cap")"));
  EXPECT_THAT(output.out, HasSubstr(R"("limits":[{"limit":"reports-per-tenant","tenant":"acme")"));
  EXPECT_EQ(run({"why", "reason=limit_cap", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("jobs":1)"));
}

TEST_F(LimitVerbsOfProgram, ASetOneHoldsWithWhoAndWhyUntilItIsUnset) {
  hold(1);
  hold(2);
  EXPECT_EQ(run({"limit", "set", "reports-per-tenant", "3", "--dry-run"}), 0) << output.error;
  EXPECT_EQ(output.out, "would have set limit reports-per-tenant: 3 run\n");
  EXPECT_EQ(wakes, 0);
  EXPECT_EQ(run({"limit", "set", "reports-per-tenant", "3", "100/1m", "--reason", "month end"}), 0);
  EXPECT_EQ(output.out, "set limit reports-per-tenant: 3 run, 100/1m\n");
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(run({"why", job_id(3).text()}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("limit_cap")));
  EXPECT_EQ(run({"limit", "show", "reports-per-tenant"}), 0);
  EXPECT_THAT(output.out, HasSubstr("declared  2 run\n"));
  EXPECT_THAT(output.out, HasSubstr("set       3 run, 100/1m by dana, "));
  EXPECT_THAT(output.out, HasSubstr(": month end\n"));
  EXPECT_EQ(run({"limit", "unset", "reports-per-tenant", "--json"}), 0) << output.error;
  EXPECT_EQ(output.out,
            R"({"schema":"tenure.limit.unset/1","name":"reports-per-tenant","allows":"","dry_run":false})"
            "\n");
  EXPECT_EQ(run({"limit", "unset", "reports-per-tenant"}), 1);
  EXPECT_EQ(run({"why", job_id(3).text()}), 0);
  EXPECT_THAT(output.out, HasSubstr("limit_cap"));
  EXPECT_EQ(run({"store", "audit", "verb=limit *", "--columns", "verb,subject,reason"}), 0);
  EXPECT_THAT(output.out, HasSubstr("limit reports-per-tenant, 3 run, 100/1m"));
  EXPECT_THAT(output.out, HasSubstr("month end"));
}

TEST_F(LimitVerbsOfProgram, OneIsMadeByItsTarget) {
  EXPECT_EQ(run({"limit", "set", "incident", "1"}), 2);
  EXPECT_THAT(output.error, HasSubstr("there is no limit incident"));
  EXPECT_EQ(run({"limit", "set", "incident", "1", "--kind", "reports.*", "--per", "tenant,kind"}), 0)
      << output.error;
  EXPECT_EQ(run({"limit", "list", "--columns", "limit,of"}), 0);
  EXPECT_THAT(output.out, HasSubstr("incident            kind reports.* per tenant,kind"));
  EXPECT_EQ(run({"limit", "unset", "incident"}), 0);
  EXPECT_EQ(run({"limit", "list"}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("incident")));
}

TEST_F(LimitVerbsOfProgram, OnePerKeyIsSetAndNamedByWhyWithWhoHoldsTheKey) {
  EXPECT_EQ(run({"limit", "set", "exports", "1", "--kind", "exports.*", "--per", "key"}), 0) << output.error;
  for (int seed = 20; seed <= 21; ++seed)
    EXPECT_EQ(run({"job", "enqueue", "exports.build", "--tenant", "acme", "--id", job_id(seed).text(),
                   "--queue", "reports", "--concurrency-key", "ftp", "--running-max", "5"}),
              0)
        << output.error;
  hold(20);
  EXPECT_EQ(run({"job", "enqueue", "exports.build", "--tenant", "acme", "--id", job_id(22).text(), "--queue",
                 "reports", "--concurrency-key", "ftp", "--running-max", "5"}),
            0);
  EXPECT_EQ(run({"why", job_id(22).text()}), 0);
  EXPECT_THAT(output.out, HasSubstr("(limit_key)\n"));
  EXPECT_THAT(output.out, HasSubstr("key        \"ftp\": 1 of 1 run (limit exports); "));
  EXPECT_THAT(output.out, HasSubstr("change     tenure limit set exports 2\n"));
  EXPECT_EQ(run({"why", job_id(22).text(), "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("running_max":5,"running":1,)"));
  EXPECT_THAT(output.out, HasSubstr(R"(],"allowed":1,"limit":"exports"})"));
  EXPECT_EQ(run({"limit", "show", "exports"}), 0);
  EXPECT_THAT(output.out, HasSubstr("of        kind exports.* per key\n"));
  EXPECT_THAT(output.out, HasSubstr("counted   tenant acme, key ftp: 1 run; full\n"));
  EXPECT_EQ(run({"limit", "show", "exports", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("key":"ftp","gate":"limit_cap")"));
  EXPECT_EQ(run({"limit", "list"}), 0);
  EXPECT_THAT(output.out, HasSubstr("tenant acme, key ftp, full"));
  EXPECT_EQ(run({"limit", "set", "exports", "9/1m"}), 2);
  EXPECT_EQ(run({"limit", "set", "x", "1", "--per", "tenant,key"}), 2);
}

TEST_F(LimitVerbsOfProgram, WhatIsNoBoundIsRefused) {
  for (const char* const value :
       {"0", "-1", "many", "1000001", "3x", "", "0/1m", "5/", "5/1ms", "5/25h", "/1m"})
    EXPECT_EQ(run({"limit", "set", "reports-per-tenant", value}), 2) << value;
  EXPECT_EQ(run({"limit", "set", "x", "1", "--per", "tenants"}), 2);
  EXPECT_THAT(output.error, HasSubstr("--per tenants: tenant, kind, queue"));
  EXPECT_EQ(wakes, 0);
}

TEST_F(LimitVerbsOfProgram, TheDoctorNamesOneBehindWhichJobsWaitForLong) {
  EXPECT_EQ(run({"doctor", "limits"}), 0);
  EXPECT_THAT(output.out, HasSubstr("ok    limits    1 limit, and nothing waits long for any"));
  hold(1);
  hold(2);
  EXPECT_EQ(run({"doctor", "limits"}), 0);
  EXPECT_THAT(output.out, HasSubstr("ok    limits"));
  clock.advance(hours(1));
  EXPECT_EQ(run({"doctor", "limits"}), 0);
  EXPECT_THAT(
      output.out,
      HasSubstr("warn  limits    1 job waits behind limit reports-per-tenant, 2 of 2 run, the first since "));
  EXPECT_THAT(output.out, HasSubstr("-> tenure limit show reports-per-tenant\n"));
}

TEST_F(LimitVerbsOfProgram, ARateSaysWhenTheNextMayStart) {
  EXPECT_EQ(run({"limit", "set", "paced", "1/1h", "--kind", "reports.*"}), 0);
  store->write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
    queue::LimitNumber number;
    const auto open = writer.open_limits(queue::LimitsMark{-1});
    for (const queue::OpenLimit& limit : open->limits)
      if (limit.name == "paced") number = limit.number;
    const std::vector<queue::BucketNote> notes{
        {.bucket = {.group = {number, {}, {}, {}}, .number = 1, .starts = 1, .is_last = true},
         .window = hours{1},
         .is_news = true}};
    writer.note_buckets(notes, clock.wall());
  });
  EXPECT_EQ(run({"why", job_id(3).text(), "--utc"}), 0);
  const std::string next = to_rfc3339(clock.wall() + hours{1});
  EXPECT_THAT(output.out, HasSubstr("a limit, of which as many have started as may (limit_rate)\n"));
  EXPECT_THAT(output.out, HasSubstr("until      " + next));
  EXPECT_THAT(output.out, HasSubstr("paced: 1/1h have started, the next one may " + next));
  EXPECT_THAT(output.out, HasSubstr("change     tenure limit set paced 2/1h\n"));
  EXPECT_EQ(run({"limit", "show", "paced", "--utc"}), 0);
  EXPECT_THAT(output.out, HasSubstr("counted   0 run, 1 started; next " + next));
  clock.advance(hours(1));
  EXPECT_EQ(run({"why", job_id(3).text()}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("limit_rate")));
}

}  // namespace
}  // namespace tenure::cli
