#include "program.hpp"

namespace tenure::cli {
namespace {

using queue::ShownState;
using ::testing::HasSubstr;

class JobRetry : public Program {
 protected:
  JobRetry() {
    add_tenant("acme");
    add_tenant("corvid");
    add_job(1, "acme", "billing.close");
    add_job(2, "corvid", "billing.close");
    add_job(3, "acme", "reports.monthly");
    for (int i = 1; i <= 3; ++i) die(i);
    add_job(4, "acme", "billing.close");  // ready: nothing to retry
  }
};

TEST_F(JobRetry, ByFilterRetriesWhatMatchesAndSendsAWakeHint) {
  EXPECT_EQ(run({"job", "retry", "kind=billing.*", "--yes"}), 0);
  EXPECT_EQ(output.out, "retried 2 jobs of 2 tenants\n");
  EXPECT_EQ(job(1).state, ShownState::ready);
  EXPECT_EQ(job(2).state, ShownState::ready);
  EXPECT_EQ(job(3).state, ShownState::dead);
  EXPECT_EQ(job(1).failures, 0);
  EXPECT_EQ(wakes, 1);
}

TEST_F(JobRetry, CLI_04_ADryRunCountsWhatWillBeDoneAndDoesNothing) {
  EXPECT_EQ(run({"job", "retry", "tenant=acme", "--dry-run"}), 0);
  EXPECT_EQ(output.out, "would retry 2 jobs\n");
  EXPECT_EQ(job(1).state, ShownState::dead);
  EXPECT_EQ(wakes, 0);
  EXPECT_EQ(run({"job", "retry", "tenant=acme", "--yes"}), 0);
  EXPECT_EQ(output.out, "retried 2 jobs of 1 tenant\n");
  EXPECT_EQ(run({"job", "retry", "tenant=acme", "--yes"}), 0);  // again: nothing is left
  EXPECT_EQ(output.error, "no job that could be retried matches\n");
}

TEST_F(JobRetry, CLI_06_WithoutYesAndWithoutATerminalItOnlySaysWhatWouldHappen) {
  EXPECT_EQ(run({"job", "retry", "state=dead"}), 2);
  EXPECT_EQ(output.out, "");
  EXPECT_THAT(output.error, HasSubstr("3 jobs to retry"));
  EXPECT_THAT(output.error, HasSubstr("say --yes"));
  EXPECT_EQ(job(1).state, ShownState::dead);
}

TEST_F(JobRetry, CLI_06_OnATerminalItAsksAfterShowingASample) {
  on_terminal(120);
  for (const auto& typed :
       {std::optional<std::string>("n"), std::optional<std::string>(""), std::optional<std::string>()}) {
    answer = typed;
    EXPECT_EQ(run({"job", "retry", "state=dead"}), 1);
    EXPECT_THAT(output.error, HasSubstr("3 jobs to retry, the oldest of them:\n  " + job_id(1).text()));
    EXPECT_THAT(output.error, HasSubstr("retry them? [y/N] "));
    EXPECT_EQ(job(1).state, ShownState::dead);
  }
  answer = "y";
  EXPECT_EQ(run({"job", "retry", "state=dead"}), 0);
  EXPECT_EQ(job(1).state, ShownState::ready);
}

TEST_F(JobRetry, CLI_05_AJobWhoseStateChangedIsSkippedAndSaidSo) {
  on_terminal(120);
  environment.read_line = [this] {  // somebody else is faster than the answer
    store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      value_or_raise(writer.retry_by_operator(job_id(2), clock.wall()));
    });
    return std::optional<std::string>("y");
  };
  EXPECT_EQ(run({"job", "retry", "state=dead"}), 0);
  EXPECT_EQ(output.out, "retried 2 jobs of 1 tenant\n");
  // Between its reading and its writing: by the same command, named twice.
  die(4);
  EXPECT_EQ(run({"job", "retry", job_id(4).text(), job_id(4).text()}), 1);
  EXPECT_EQ(output.out, "retried 1 job of 1 tenant; 1 skipped (state changed)\n");
  EXPECT_EQ(job(4).state, ShownState::ready);
}

// Nobody was faster: it never was to be retried.
TEST_F(JobRetry, CLI_05_ANamedJobInAnotherStateIsLeftAloneAndSaysWhichOne) {
  add_job(5, "acme", "billing.retry");
  fail_once(5, "SmtpTimeout");
  EXPECT_EQ(run({"job", "retry", job_id(5).text(), job_id(1).text()}), 1);
  EXPECT_EQ(output.out, "retried 1 job of 1 tenant; 1 left alone\n");
  EXPECT_THAT(output.error, HasSubstr(job_id(5).text() + " is scheduled, retry 2026-"));
  EXPECT_THAT(output.error,
              HasSubstr(" (SmtpTimeout); only dead, discarded and cancelled jobs are retried\n"));
  EXPECT_EQ(job(5).state, ShownState::scheduled);
  EXPECT_EQ(run({"job", "retry", job_id(4).text()}), 1);
  EXPECT_EQ(output.out, "retried 0 jobs; 1 left alone\n");
  EXPECT_EQ(output.error,
            job_id(4).text() + " is ready; only dead, discarded and cancelled jobs are retried\n");
  EXPECT_EQ(run({"job", "retry", job_id(4).text(), job_id(2).text(), "--dry-run"}), 0);
  EXPECT_EQ(output.error, "would retry " + job_id(2).text() + " (billing.close, dead)\n" + job_id(4).text() +
                              " is ready; only dead, discarded and cancelled jobs are retried\n");
  EXPECT_EQ(run({"job", "retry", job_id(4).text(), "--json"}), 1);
  EXPECT_THAT(output.out,
              HasSubstr("\"left_alone\":[{\"id\":\"" + job_id(4).text() + "\",\"state\":\"ready\"}]"));
  EXPECT_EQ(job(4).state, ShownState::ready);
}

TEST_F(JobRetry, TouchesNoMoreThanItCounted) {
  on_terminal(120);
  environment.read_line = [this] {  // one more dies while the question stands
    die(4);
    return std::optional<std::string>("y");
  };
  EXPECT_EQ(run({"job", "retry", "state=dead"}), 0);
  EXPECT_EQ(output.out, "retried 3 jobs of 2 tenants\n");
  EXPECT_EQ(job(4).state, ShownState::dead);
}

TEST_F(JobRetry, ByIdNeedsNoQuestion) {
  EXPECT_EQ(run({"job", "retry", job_id(1).text(), job_id(2).text()}), 0);
  EXPECT_EQ(output.out, "retried 2 jobs of 2 tenants\n");
  EXPECT_EQ(job(3).state, ShownState::dead);
}

TEST_F(JobRetry, AMissingIdStopsBeforeAnythingIsDone) {
  EXPECT_EQ(run({"job", "retry", job_id(1).text(), job_id(9).text()}), 1);
  EXPECT_THAT(output.error, HasSubstr("nothing was retried"));
  EXPECT_EQ(job(1).state, ShownState::dead);
}

TEST_F(JobRetry, CLI_01_ItsJsonStaysAsItIs) {
  EXPECT_EQ(run({"job", "retry", "state=dead", "--yes", "--json"}), 0);
  EXPECT_EQ(output.out,
            "{\"schema\":\"tenure.job.retry/"
            "1\",\"dry_run\":false,\"matched\":3,\"retried\":3,\"skipped\":0,\"tenants\":2,"
            "\"failed\":[],\"left_alone\":[]}\n");
}

class BulkRetry : public JobRetry {
 protected:
  // 1,050 jobs to retry.
  BulkRetry() {
    for (int i = 100; i < 1150; ++i) {
      add_job(i, "acme", "bulk.job", "{}", {}, "bulk");
    }
    // All at once, since dying one by one is slow.
    store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      const auto incarnation = writer.open_incarnation(2, "app-1", 1, clock.wall());
      std::int64_t counter = 0;
      for (const queue::Lane& lane : writer.reader().lanes(std::nullopt, 100)) {
        if (writer.reader().queue_name(lane.queue) != "bulk") continue;
        auto reply = writer.claim({.queue = lane.queue,
                                   .priority = lane.priority,
                                   .tenant = lane.tenant,
                                   .kinds = {{lane.kind, std::nullopt}},
                                   .count = 2000,
                                   .incarnation = incarnation,
                                   .first_counter = ++counter,
                                   .process = queue::ProcessNumber{1}},
                                  clock.wall());
        for (const auto& each : reply.jobs)
          value_or_raise(writer.finish({each.seq, each.token}, queue::JobState::cancelled,
                                       queue::JobReason::by_operator, {ErrorCode::handler_failed, ""},
                                       clock.wall()));
      }
    });
  }
};

TEST_F(BulkRetry, WorksInBatchesWithAWakeHintEach) {
  EXPECT_EQ(run({"job", "retry", "state=cancelled", "--yes"}), 0);
  EXPECT_EQ(output.out, "retried 1050 jobs of 1 tenant\n");
  EXPECT_EQ(wakes, 3);  // 500, 500, 50
}

TEST_F(BulkRetry, CLI_11_WhatWasRetriedBeforeAnErrorIsSaid) {
  environment.wake = [this](const std::filesystem::path&) {
    if (++wakes == 2) raise(ErrorCode::store_busy, "somebody else writes");
  };
  EXPECT_EQ(run({"job", "retry", "state=cancelled", "--yes"}), 75);
  EXPECT_EQ(output.out, "retried 1000 jobs of 1 tenant\n");
  EXPECT_THAT(output.error, HasSubstr("somebody else writes"));
  wakes = 1;
  EXPECT_EQ(run({"job", "retry", "state=cancelled", "--yes", "--json"}), 75);
  EXPECT_THAT(output.out, HasSubstr("\"retried\":50,"));
}

TEST_F(BulkRetry, OnATerminalABarIsDrawnAgainInItsPlace) {
  on_terminal(120);
  environment.wake = [this](const std::filesystem::path&) { clock.advance(std::chrono::seconds(1)); };
  EXPECT_EQ(run({"job", "retry", "state=cancelled", "--yes"}), 0);
  EXPECT_EQ(output.error,
            "\r[#########...........]  500 / 1,050   47 %   500/s   about 2 s left"
            "\r[###################.]  1,000 / 1,050   95 %   500/s   about 1 s left"
            "\r[####################]  1,050 / 1,050   100 %   350/s   about 0 s left\n");
  EXPECT_EQ(output.out, "retried 1,050 jobs of 1 tenant\n");
}

TEST_F(BulkRetry, ElsewhereALineNowAndThenTellsHowFarItIs) {
  environment.wake = [this](const std::filesystem::path&) { clock.advance(std::chrono::seconds(6)); };
  EXPECT_EQ(run({"job", "retry", "state=cancelled", "--yes"}), 0);
  EXPECT_EQ(output.error, "1000 / 1050\n");
}

TEST_F(BulkRetry, NothingIsDrawnWhereNobodyWantsIt) {
  on_terminal(120);
  EXPECT_EQ(run({"job", "retry", "state=cancelled", "--yes", "--quiet"}), 0);
  EXPECT_EQ(output.error, "");
}

}  // namespace
}  // namespace tenure::cli
