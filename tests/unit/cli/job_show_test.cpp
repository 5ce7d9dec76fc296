#include "program.hpp"

namespace tenure::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class JobShow : public Program {};

TEST_F(JobShow, ShowsFactsAttemptsAndArguments) {
  add_tenant("acme");
  add_job(
      1, "acme", "billing.send_invoice",
      R"({"invoice":"gid://billing/Invoice/8812?tenant=acme","recipient":"ap@acme.example","api_token":"t0p"})");
  fail_once(1, "SmtpTimeout: no answer from mx.acme.example");
  EXPECT_EQ(run({"job", "show", job_id(1).text()}), 0);
  expect_golden("job_show.txt");
  EXPECT_THAT(output.out, Not(HasSubstr("t0p")));
}

TEST_F(JobShow, CLI_01_ItsJsonStaysAsItIs) {
  add_job(1, "none", "house.keeping",
          R"({"password":{"a":1},"list":[{"Secret":2}],"n":-1.5,"ok":true,"none":null})");
  die(1);
  EXPECT_EQ(run({"job", "show", job_id(1).text(), "--json"}), 0);
  expect_golden("job_show.json");
}

TEST_F(JobShow, SaysThatARunHasSavedACursorAndNothingOfItsBytes) {
  add_job(1, "none", "house.keeping", "{}");
  EXPECT_EQ(run({"job", "show", job_id(1).text()}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("cursor")));
  const queue::ClaimedJob claimed = claim(1);
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    value_or_raise(writer.tell({{claimed.seq, claimed.token}, std::nullopt, "t0p"}, clock.wall()));
  });
  clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(run({"job", "show", job_id(1).text()}), 0);
  EXPECT_THAT(output.out, HasSubstr("\ncursor     3 bytes, saved 2026-03-02T10:14:0"));
  EXPECT_THAT(output.out, Not(HasSubstr("t0p")));
  EXPECT_EQ(run({"job", "show", job_id(1).text(), "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("cursor":{"bytes":3,"saved":"2026-03-02T10:14:0)"));
  EXPECT_THAT(output.out, Not(HasSubstr("t0p")));
}

TEST_F(JobShow, ShowsWhatItsHandlerReturnedWithoutSecrets) {
  add_job(1, "none", "house.keeping", "{}");
  const queue::ClaimedJob claimed = claim(1);
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    value_or_raise(writer.finish_succeeded({claimed.seq, claimed.token}, clock.wall()));
    writer.keep_result(claimed.seq, {R"({"file":"export-1.csv","api_token":"t0p"})", std::chrono::hours{1}},
                       clock.wall());
  });
  EXPECT_EQ(run({"job", "show", job_id(1).text()}), 0);
  EXPECT_THAT(output.out,
              HasSubstr("\nresult     {\"file\":\"export-1.csv\",\"api_token\":\"••••\"}, kept until "));
  EXPECT_EQ(run({"job", "show", job_id(1).text(), "--json"}), 0);
  EXPECT_THAT(output.out,
              HasSubstr(R"("result":{"file":"export-1.csv","api_token":"••••"},"result_kept_until":")"));
  EXPECT_EQ(run({"job", "show", job_id(1).text(), "--reveal"}), 0);
  EXPECT_THAT(output.out, HasSubstr("t0p"));
  clock.advance(std::chrono::hours{1});
  EXPECT_EQ(run({"job", "show", job_id(1).text()}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("result")));
}

TEST_F(JobShow, AMissingJobIsExitCode1) {
  EXPECT_EQ(run({"job", "show", job_id(9).text()}), 1);
  EXPECT_EQ(output.out, "");
  EXPECT_EQ(output.error, "tenure: JobNotFound: there is no job " + job_id(9).text() + "\n");
}

}  // namespace
}  // namespace tenure::cli
