#include "program.hpp"

namespace tenure::cli {
namespace {

using queue::JobReason;
using queue::ShownState;
using ::testing::HasSubstr;

// Jobs in each state: what each verb counts, does and leaves alone.
class JobVerbs : public Program {
 protected:
  JobVerbs() {
    add_tenant("acme");
    add_tenant("corvid");
    for (int i = 1; i <= 4; ++i) add_job(i, "acme", "billing.close");
    die(1);
    succeed(2);
    fail_once(3, "SmtpTimeout");  // and 4 is ready
    add_job(5, "corvid", "billing.close", "{}", std::chrono::hours(1));
    add_job(6, "corvid", "reports.monthly");
    suspect(6);
    add_job(7, "corvid", "reports.monthly");
    start(7);
    add_job(8, "none", "reports.monthly");
  }

  void start(int seed) {
    const TenantNumber corvid = store->registry().find(TenantName("corvid"))->number;
    store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      for (const queue::Lane& lane : writer.reader().lanes(std::nullopt, 100)) {
        if (lane.tenant != corvid) continue;
        const auto reply = writer.claim({.queue = lane.queue,
                                         .priority = lane.priority,
                                         .tenant = lane.tenant,
                                         .kinds = {{lane.kind, std::nullopt}},
                                         .count = 1,
                                         .incarnation = queue::Incarnation{1},
                                         .first_counter = 9'000,
                                         .process = queue::ProcessNumber{3}},
                                        clock.wall());
        ASSERT_EQ(reply.jobs.at(0).id, job_id(seed));
      }
    });
  }

  // What a dry run counts is what is done, and again there is nothing to do.
  void expect_dry_run_equals_effect(const std::string& verb, const std::string& would,
                                    const std::string& done) {
    EXPECT_EQ(run({"job", verb, "tenant=*", "--dry-run"}), 0) << output.error;
    EXPECT_EQ(output.out, would);
    EXPECT_EQ(wakes, 0);
    EXPECT_EQ(run({"job", verb, "tenant=*", "--yes"}), 0) << output.error;
    EXPECT_EQ(output.out, done);
    EXPECT_EQ(wakes, 1);
    EXPECT_EQ(run({"job", verb, "tenant=*", "--yes"}), 0);
    EXPECT_THAT(output.error, HasSubstr("no job that could be "));
  }
  bool is_there(int seed) {
    bool found = false;
    store->read([&](queue::JobReader& reader) { found = reader.find_job(job_id(seed)).has_value(); });
    return found;
  }
};

TEST_F(JobVerbs, CLI_04_CancelsWhatWaitsAsksWhatRunsToStopAndLeavesWhatHasEnded) {
  EXPECT_EQ(run({"job", "cancel", "tenant=*", "--dry-run"}), 0) << output.error;
  EXPECT_EQ(output.out, "would cancel 6 jobs\n");
  EXPECT_EQ(job(7).cancel_asked, std::nullopt);
  EXPECT_EQ(run({"job", "cancel", "tenant=*", "--yes"}), 0) << output.error;
  EXPECT_EQ(output.out, "cancelled 5 jobs of 2 tenants; asked 1 running job to stop\n");
  EXPECT_EQ(wakes, 1);
  for (const int seed : {3, 4, 5, 6, 8}) {
    EXPECT_EQ(job(seed).state, ShownState::cancelled);
    EXPECT_EQ(job(seed).reason, JobReason::by_operator);
  }
  EXPECT_EQ(job(1).state, ShownState::dead);
  EXPECT_EQ(job(2).state, ShownState::succeeded);
  EXPECT_EQ(job(7).state, ShownState::running);
  EXPECT_EQ(job(7).cancel_asked, clock.wall());
}

TEST_F(JobVerbs, RUN_06_AJobThatRunsOnAfterItsCancelSaysSo) {
  EXPECT_EQ(run({"job", "cancel", job_id(7).text()}), 0) << output.error;
  EXPECT_EQ(output.out, "cancelled 0 jobs; asked 1 running job of 1 tenant to stop\n");
  clock.advance(std::chrono::seconds{90});
  EXPECT_EQ(run({"job", "list", "state=running", "--columns", "state,waits_for"}), 0);
  EXPECT_THAT(output.out, HasSubstr("; cancel requested 2026-"));
  EXPECT_EQ(run({"job", "show", job_id(7).text()}), 0);
  EXPECT_THAT(output.out, HasSubstr("\ncancel     requested "));
  EXPECT_EQ(run({"job", "show", job_id(7).text(), "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr("\"cancel_requested\":\"2026-"));
  on_terminal(160);
  EXPECT_EQ(run({"job", "show", job_id(7).text()}), 0);
  EXPECT_THAT(output.out, HasSubstr("; cancel requested "));
}

TEST_F(JobVerbs, CLI_04_MakesScheduledJobsDueWithTheirFailures) {
  expect_dry_run_equals_effect("run", "would make due 2 jobs\n", "made due 2 jobs of 2 tenants\n");
  for (const int seed : {3, 5}) {
    EXPECT_EQ(job(seed).state, ShownState::ready);
    EXPECT_EQ(job(seed).due, clock.wall());
  }
  EXPECT_EQ(job(3).failures, 1);
}

TEST_F(JobVerbs, CLI_04_DiscardsWhatFailedAndWaitsForItsRetry) {
  expect_dry_run_equals_effect("discard", "would discard 1 job\n", "discarded 1 job of 1 tenant\n");
  EXPECT_EQ(job(3).state, ShownState::discarded);
  EXPECT_EQ(job(5).state, ShownState::scheduled);
}

TEST_F(JobVerbs, CLI_04_DeletesWhatHasEnded) {
  expect_dry_run_equals_effect("delete", "would delete 2 jobs\n", "deleted 2 jobs of 1 tenant\n");
  EXPECT_FALSE(is_there(1) || is_there(2));
  for (int seed = 3; seed <= 8; ++seed) EXPECT_TRUE(is_there(seed));
}

TEST_F(JobVerbs, HeldJobsWaitToo) {
  tell_pools({{.name = "default", .queues = {"default"}, .workers = 1, .kinds = {"billing.close"}}});
  ASSERT_EQ(job(8).state, ShownState::held);
  EXPECT_EQ(run({"job", "cancel", "state=held", "--yes"}), 0);
  EXPECT_EQ(output.out, "cancelled 1 job\n");
  EXPECT_EQ(job(8).state, ShownState::cancelled);
}

TEST_F(JobVerbs, CLI_05_NamedJobsInOtherStatesAreLeftAloneInWords) {
  const std::string id1 = job_id(1).text(), id4 = job_id(4).text(), id7 = job_id(7).text();
  EXPECT_EQ(run({"job", "cancel", id1, id4}), 1);
  EXPECT_EQ(output.out, "cancelled 1 job of 1 tenant; 1 left alone\n");
  EXPECT_THAT(output.error, HasSubstr("; only jobs that wait or run are cancelled\n"));
  EXPECT_THAT(output.error, HasSubstr(id1 + " is dead"));
  EXPECT_EQ(run({"job", "run", id7}), 1);
  EXPECT_THAT(output.error, HasSubstr(id7 + " is running, since 2026-"));
  EXPECT_THAT(output.error, HasSubstr("; only scheduled jobs are made due\n"));
  EXPECT_EQ(run({"job", "discard", job_id(5).text()}), 1);
  EXPECT_THAT(output.error, HasSubstr(" is scheduled, due 2026-"));
  EXPECT_THAT(output.error,
              HasSubstr("; only jobs that failed or were put off, and wait for another try are discarded\n"));
  EXPECT_EQ(run({"job", "delete", id7, "--yes"}), 1);
  EXPECT_THAT(output.error, HasSubstr("; only jobs that have ended are deleted\n"));
  EXPECT_EQ(job(7).state, ShownState::running);
}

TEST_F(JobVerbs, CLI_05_AJobThatStartsBeforeTheAnswerIsAskedToStop) {
  add_job(9, "corvid", "reports.monthly");
  on_terminal(120);
  environment.read_line = [this] {
    start(9);
    return std::optional<std::string>("y");
  };
  EXPECT_EQ(run({"job", "cancel", "tenant=corvid", "kind=reports.*"}), 0);
  EXPECT_THAT(output.error, HasSubstr("3 jobs to cancel, the oldest of them:"));
  EXPECT_EQ(output.out, "cancelled 1 job of 1 tenant; asked 2 running jobs to stop\n");
  EXPECT_EQ(job(9).state, ShownState::running);
}

TEST_F(JobVerbs, CLI_06_DeletingAsksForNamedJobsToo) {
  const std::string id = job_id(1).text();
  EXPECT_EQ(run({"job", "delete", id}), 2);
  EXPECT_THAT(output.error, HasSubstr(id + "  dead  acme  billing.close"));
  EXPECT_THAT(output.error, HasSubstr("say --yes to delete it"));
  EXPECT_TRUE(is_there(1));
  on_terminal(120);
  answer = "n";
  EXPECT_EQ(run({"job", "delete", id}), 1);
  EXPECT_THAT(output.error, HasSubstr("delete them for good? [y/N] nothing was deleted\n"));
  EXPECT_TRUE(is_there(1));
  answer = "y";
  EXPECT_EQ(run({"job", "delete", id}), 0);
  EXPECT_FALSE(is_there(1));
}

TEST_F(JobVerbs, TheNewestJobOfAllIsNamedAsNotDeleted) {
  EXPECT_EQ(run({"job", "cancel", job_id(8).text()}), 0);
  EXPECT_EQ(run({"job", "delete", job_id(8).text(), "--yes"}), 1);
  EXPECT_EQ(output.out, "deleted 0 jobs; 1 failed\n");
  EXPECT_THAT(output.error, HasSubstr("is the newest of all, and stays until another one is enqueued"));
  EXPECT_TRUE(is_there(8));
}

TEST_F(JobVerbs, CLI_01_TheirJsonStaysAsItIs) {
  const auto json = [this](const std::string& verb) {
    (void)run({"job", verb, "tenant=*", "--dry-run", "--json"});
    std::string all = output.out;
    (void)run({"job", verb, "tenant=*", "--yes", "--json"});
    return all + output.out;
  };
  std::string all = json("run");
  all += json("delete");
  all += json("cancel");
  add_job(20, "acme", "billing.close");
  fail_once(20, "SmtpTimeout");
  all += json("discard");
  output.out = all;
  expect_golden("job_verbs.json");
}

TEST_F(JobVerbs, AJobThatItsHandlerHasPutOffIsDiscardedToo) {
  add_job(31, "acme", "billing.close", "{}", {}, "snoozed");
  const queue::ClaimedJob claimed = claim(31);
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    value_or_raise(
        writer.put_off({claimed.seq, claimed.token}, clock.wall() + std::chrono::hours(1), {}, clock.wall()));
  });
  EXPECT_EQ(run({"job", "discard", "queue=snoozed", "--yes"}), 0) << output.error;
  EXPECT_EQ(output.out, "discarded 1 job of 1 tenant\n");
  EXPECT_EQ(job(31).state, ShownState::discarded);
}

}  // namespace
}  // namespace tenure::cli
