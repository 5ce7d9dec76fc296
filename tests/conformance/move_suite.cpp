#include "store_suite.hpp"

#include <vector>

// Waiting jobs that the dispatcher moves, or is told of, a page at a time.
namespace tenure::testing {

TEST_P(StoreSuite, SER_07_BlockedJobsComeInPagesAndOnesThatBlockAgainAreNotOfALaterPage) {
  std::vector<JobSeq> seqs;
  for (int i = 0; i < 5; ++i) seqs.push_back(put().seq);
  const auto block_ready = [&] {
    for (const ClaimedJob& job : claim(kUntenanted, 10).jobs)
      write([&](StoreWriter& writer) { value_or_raise(writer.block(ref(job), JobReason::envelope_newer)); });
  };
  const auto page_after = [&](JobSeq after) {
    std::vector<JobSeq> page;
    const auto jobs =
        written([&](StoreWriter& writer) { return writer.unblock(JobReason::envelope_newer, after, 2); });
    for (const JobArrival& job : jobs) page.push_back(job.seq);
    block_ready();
    return page;
  };
  block_ready();
  EXPECT_EQ(page_after(JobSeq{0}), (std::vector{seqs[0], seqs[1]}));
  EXPECT_EQ(page_after(seqs[1]), (std::vector{seqs[2], seqs[3]}));
  EXPECT_EQ(page_after(seqs[3]), (std::vector{seqs[4]}));
  EXPECT_TRUE(page_after(seqs[4]).empty());
  EXPECT_EQ(page_after(JobSeq{0}), (std::vector{seqs[0], seqs[1]}));
}

TEST_P(StoreSuite, OnlyRetriesThatAreFurtherOffThanTheirWaitAreDrawnIn) {
  const auto failed_until = [&](WallTime due) {
    const Enqueued job = put();
    const ClaimedJob claimed = claim_one();
    write([&](StoreWriter& writer) { value_or_raise(writer.retry(ref(claimed), due, {}, now_)); });
    return job;
  };
  const auto wait_max = [](int failures) { return minutes{failures}; };
  const Enqueued at_its_limit = failed_until(now_ + minutes{1});
  const Enqueued far = failed_until(now_ + minutes{1} + std::chrono::microseconds{1});
  const Enqueued further = failed_until(now_ + hours{24});
  NewJob next_week = new_job();
  next_week.due = now_ + hours{24 * 7};
  put(next_week);
  const auto drawn = written([&](StoreWriter& writer) {
    return writer.draw_in_retries({now_, JobSeq{0}}, 10, wait_max, now_);
  });
  EXPECT_EQ(drawn.due, (std::vector{now_ + minutes{1}, now_ + minutes{1}}));
  EXPECT_FALSE(drawn.read_until);
  for (const Enqueued& job : {at_its_limit, far, further}) {
    EXPECT_EQ(record(job.id).due, now_ + minutes{1});
    EXPECT_EQ(record(job.id).reason, JobReason::retry_wait);
  }
  EXPECT_EQ(record(next_week.id).due, next_week.due);
  advance(minutes{1});
  EXPECT_EQ(written([&](StoreWriter& writer) { return writer.promote(now_, 10); }).size(), 3U);
  EXPECT_EQ(record(further.id).state, ShownState::ready);
}

TEST_P(StoreSuite, RetriesAreDrawnInPageByPage) {
  std::vector<Enqueued> jobs;
  for (int i = 0; i < 3; ++i) {
    jobs.push_back(put());
    const ClaimedJob claimed = claim_one();
    write(
        [&](StoreWriter& writer) { value_or_raise(writer.retry(ref(claimed), now_ + hours{24}, {}, now_)); });
  }
  const auto wait_max = [](int) { return minutes{1}; };
  const auto page_after = [&](LanePlace after, std::size_t limit) {
    return written([&](StoreWriter& writer) { return writer.draw_in_retries(after, limit, wait_max, now_); });
  };
  const auto first = page_after({now_ + minutes{1}, JobSeq{0}}, 2);
  EXPECT_EQ(first.due.size(), 2U);
  EXPECT_EQ(first.read_until, (LanePlace{now_ + hours{24}, jobs[1].seq}));
  const auto second = page_after(*first.read_until, 2);
  EXPECT_EQ(second.due.size(), 1U);
  EXPECT_FALSE(second.read_until);
  for (const Enqueued& job : jobs) EXPECT_EQ(record(job.id).due, now_ + minutes{1});
}

TEST_P(StoreSuite, LaneHintsComeInOrderAndInPages) {
  std::vector<JobSeq> seqs;
  for (int i = 0; i < 3; ++i) {
    const Enqueued job = put();
    seqs.push_back(job.seq);
    const ClaimedJob claimed = claim_one();
    write([&](StoreWriter& writer) {
      value_or_raise(writer.finish(ref(claimed), JobState::cancelled, JobReason::by_operator, {}, now_));
      value_or_raise(writer.retry_by_operator(job.id, now_));
    });
    const ClaimedJob again = claim_one();
    write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(again), now_)); });
  }
  const auto page = written([&](StoreWriter& writer) { return writer.take_lane_hints(2); });
  ASSERT_EQ(page.size(), 2U);
  EXPECT_EQ(page[0].seq, seqs[0]);
  EXPECT_EQ(page[1].seq, seqs[1]);
  EXPECT_EQ(page[0].state, JobState::succeeded) << "a hint tells what the job is by now";
  EXPECT_EQ(written([&](StoreWriter& writer) { return writer.take_lane_hints(2); }).at(0).seq, seqs[2]);
}

}  // namespace tenure::testing
