#include "program.hpp"

namespace tenure::cli {
namespace {

using queue::Priority;
using queue::ShownState;
using ::testing::HasSubstr;

// What changes waiting jobs, copies jobs, and clears a queue.
class JobChanges : public Program {
 protected:
  JobChanges() {
    add_tenant("acme");
    add_tenant("corvid");
    add_job(1, "acme", "billing.close", R"({"a":1})");
    die(1);
    add_job(2, "acme", "billing.close");
    fail_once(2, "SmtpTimeout");
    add_job(3, "acme", "billing.close");
    add_job(4, "corvid", "reports.monthly", "{}", std::chrono::hours(1), "reports");
    add_job(5, "none", "reports.monthly", "{}", {}, "reports");
    add_job(6, "none", "billing.close");
    suspect(6);
  }
};

TEST_F(JobChanges, CLI_04_ChangesWhatWaitsAndADryRunCountsIt) {
  EXPECT_EQ(run({"job", "change", "tenant=*", "--queue", "moved", "--priority", "-9", "--dry-run"}), 0);
  EXPECT_EQ(output.out, "would change 4 jobs\n");
  EXPECT_EQ(job(3).queue, "default");
  EXPECT_EQ(run({"job", "change", "tenant=*", "--queue", "moved", "--priority", "-9", "--yes"}), 0);
  EXPECT_EQ(output.out, "changed 4 jobs of 2 tenants\n");
  EXPECT_EQ(wakes, 1);
  for (const int seed : {2, 3, 4, 5}) {
    EXPECT_EQ(job(seed).queue, "moved");
    EXPECT_EQ(job(seed).priority, Priority{-9});
  }
  EXPECT_EQ(job(4).state, ShownState::scheduled);
  EXPECT_EQ(job(1).queue, "default");
  EXPECT_EQ(job(6).queue, "default");
  EXPECT_EQ(run({"job", "change", "queue=moved", "--run-in", "10m", "--yes"}), 0);
  for (const int seed : {2, 3, 4, 5}) {
    EXPECT_EQ(job(seed).state, ShownState::scheduled);
    EXPECT_EQ(job(seed).due, clock.wall() + std::chrono::minutes(10));
  }
  EXPECT_EQ(run({"job", "change", job_id(3).text(), "--run-at", "now"}), 0);
  EXPECT_EQ(job(3).state, ShownState::ready);
}

TEST_F(JobChanges, CLI_05_NamedJobsThatDoNotWaitAreLeftAloneInWords) {
  EXPECT_EQ(run({"job", "change", job_id(1).text(), job_id(6).text(), job_id(3).text(), "--priority", "1"}),
            1);
  EXPECT_EQ(output.out, "changed 1 job of 1 tenant; 2 left alone\n");
  EXPECT_THAT(output.error, HasSubstr("; only scheduled, ready and held jobs are changed\n"));
}

TEST_F(JobChanges, WhatToChangeMustBeSaidAndBePossible) {
  const std::string id3 = job_id(3).text();
  EXPECT_EQ(run({"job", "change", id3}), 2);
  EXPECT_THAT(output.error, HasSubstr("change what? say --queue, --priority, --run-at or --run-in"));
  EXPECT_EQ(run({"job", "change", id3, "--queue", "No Queue"}), 2);
  EXPECT_EQ(run({"job", "change", id3, "--priority", "101"}), 2);
  EXPECT_EQ(run({"job", "change", id3, "--run-at", "now", "--run-in", "1s"}), 2);
  EXPECT_EQ(wakes, 0);
}

TEST_F(JobChanges, ACopyIsANewJobAndItsIdIsPrinted) {
  EXPECT_EQ(run({"job", "copy", job_id(1).text()}), 0) << output.error;
  ASSERT_THAT(output.out, HasSubstr(job_id(1).text() + "  "));
  EXPECT_THAT(output.out, HasSubstr("\ncopied 1 job of 1 tenant\n"));
  const auto id = Uuid::parse(output.out.substr(38, 36));
  ASSERT_TRUE(id) << output.out;
  std::optional<queue::JobRecord> copy;
  store->read([&](queue::JobReader& reader) { copy = reader.find_job(queue::JobId{*id}); });
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->state, ShownState::ready);
  EXPECT_EQ(copy->kind, "billing.close");
  EXPECT_EQ(copy->failures, 0);
  EXPECT_EQ(job(1).state, ShownState::dead);
  EXPECT_EQ(wakes, 1);
}

TEST_F(JobChanges, CLI_04_CopiesAsManyAsItCountedAndNoCopyOfACopy) {
  EXPECT_EQ(run({"job", "copy", "tenant=*", "--dry-run"}), 0);
  EXPECT_EQ(output.out, "would copy 6 jobs\n");
  EXPECT_EQ(run({"job", "copy", "tenant=*", "--yes", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("matched":6,"copied":6,"skipped":0)"));
  EXPECT_THAT(output.out, HasSubstr(R"("copies":[{"of":")" + job_id(1).text() + R"(","id":")"));
  EXPECT_EQ(run({"job", "count"}), 0);
  EXPECT_EQ(output.out, "12\n");
}

TEST_F(JobChanges, AQueueIsClearedOfWhatWaitsInIt) {
  EXPECT_EQ(run({"queue", "clear", "reports", "--dry-run"}), 0);
  EXPECT_EQ(output.out, "would cancel 2 jobs\n");
  EXPECT_EQ(run({"queue", "clear", "reports"}), 2) << "nobody can be asked";
  EXPECT_EQ(run({"queue", "clear", "reports", "--yes", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("schema":"tenure.queue.clear/1")"));
  EXPECT_EQ(job(4).state, ShownState::cancelled);
  EXPECT_EQ(job(5).state, ShownState::cancelled);
  EXPECT_EQ(job(3).state, ShownState::ready);
  EXPECT_EQ(run({"queue", "clear", "report"}), 1);
  EXPECT_THAT(output.error, HasSubstr("there is no queue 'report'; did you mean reports?"));
}

}  // namespace
}  // namespace tenure::cli
