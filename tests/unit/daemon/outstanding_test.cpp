#include "outstanding.hpp"

#include <tenure/base/random.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <utility>
#include <vector>

namespace tenure::daemon {
namespace {

using queue::ClaimRef;
using queue::ClaimToken;
using queue::Incarnation;
using queue::JobSeq;

constexpr Instant kAssigned{std::chrono::seconds{5}};

OutstandingJob job(std::int64_t seq, std::int64_t assumed_us = 100) {
  OutstandingJob made;
  made.claim = {JobSeq{seq}, ClaimToken{Incarnation{1}, seq}};
  made.assumed_us = assumed_us;
  return made;
}

std::vector<std::int64_t> in_order(Outstanding& jobs, bool performing) {
  std::vector<std::int64_t> seqs;
  jobs.for_each([&](const OutstandingJob& each, bool is_performing) {
    if (is_performing == performing) seqs.push_back(each.claim.seq.value);
  });
  return seqs;
}

TEST(Outstanding, TheFirstJobsPerformAndTheOthersAreAhead) {
  Outstanding jobs(2);
  for (const std::int64_t seq : {7, 3, 9, 1}) jobs.add(job(seq), kAssigned);
  EXPECT_EQ(in_order(jobs, true), (std::vector<std::int64_t>{7, 3}));
  EXPECT_EQ(in_order(jobs, false), (std::vector<std::int64_t>{9, 1}));
  EXPECT_EQ(jobs.performing(), 2U);
  EXPECT_EQ(jobs.ahead(), 2U);
  EXPECT_EQ(jobs.ahead_us(), 200);
}

TEST(Outstanding, AnEndLetsTheFirstOneAheadStart) {
  Outstanding jobs(2);
  for (const std::int64_t seq : {7, 3, 9, 1}) jobs.add(job(seq), kAssigned);
  ASSERT_TRUE(jobs.take(job(3).claim, kAssigned));
  EXPECT_EQ(in_order(jobs, true), (std::vector<std::int64_t>{7, 9}));
  EXPECT_EQ(jobs.ahead_us(), 100);
  ASSERT_TRUE(jobs.take(job(1).claim, kAssigned));  // one that had not started
  EXPECT_EQ(jobs.ahead_us(), 0);
  EXPECT_EQ(in_order(jobs, true), (std::vector<std::int64_t>{7, 9}));
}

TEST(Outstanding, TakesNothingForAnotherClaimOfTheSameJob) {
  Outstanding jobs(1);
  jobs.add(job(7), kAssigned);
  EXPECT_FALSE(jobs.take(ClaimRef{JobSeq{7}, ClaimToken{Incarnation{1}, 8}}, kAssigned));
  EXPECT_FALSE(jobs.take(ClaimRef{JobSeq{8}, ClaimToken{Incarnation{1}, 8}}, kAssigned));
  EXPECT_EQ(jobs.size(), 1U);
}

TEST(Outstanding, AgreesWithAPlainListOverManySeededSteps) {
  Random random(7);
  Outstanding jobs(3);
  std::list<std::int64_t> plain;
  std::int64_t next = 1;
  for (int step = 0; step < 20'000; ++step) {
    if (plain.empty() || (plain.size() < 700 && random.below(100) < 52)) {
      const std::int64_t seq = next++ * 64;  // sequences that collide in a weak table
      jobs.add(job(seq, seq % 50), kAssigned);
      plain.push_back(seq);
    } else {
      auto victim = plain.begin();
      std::advance(victim, static_cast<long>(random.below(plain.size())));
      ASSERT_TRUE(jobs.take(job(*victim).claim, kAssigned));
      plain.erase(victim);
    }
    ASSERT_EQ(jobs.size(), plain.size());
    std::int64_t ahead_us = 0;
    std::size_t position = 0;
    for (const std::int64_t seq : plain) ahead_us += position++ < 3 ? 0 : seq % 50;
    ASSERT_EQ(jobs.ahead_us(), ahead_us);
  }
  for (const std::int64_t seq : plain) EXPECT_TRUE(jobs.contains(JobSeq{seq}));
}

TEST(Outstanding, AJobPerformsFromItsAssignmentOrFromTheEndThatMadeRoomForIt) {
  Outstanding jobs(2);
  for (std::int64_t seq = 1; seq <= 4; ++seq) jobs.add(job(seq), Instant{std::chrono::seconds{seq}});
  ASSERT_TRUE(jobs.take(job(1).claim, Instant{std::chrono::seconds{9}}));
  std::vector<std::pair<std::int64_t, Instant>> performing;
  jobs.for_each_performing([&](const OutstandingJob& each, Instant since) {
    performing.emplace_back(each.claim.seq.value, since);
  });
  EXPECT_EQ(performing, (std::vector<std::pair<std::int64_t, Instant>>{
                            {2, Instant{std::chrono::seconds{2}}}, {3, Instant{std::chrono::seconds{9}}}}));
}

TEST(Outstanding, RecallsWhatIsAheadOnceAndForgetsThatWhenItStartsOrEnds) {
  Outstanding jobs(1);
  for (std::int64_t seq = 1; seq <= 4; ++seq) jobs.add(job(seq), kAssigned);
  const auto all = [](const OutstandingJob&) { return true; };
  EXPECT_EQ(jobs.waiting(), 3U);
  EXPECT_EQ(jobs.recall([](const OutstandingJob& each) { return each.claim.seq.value != 3; }),
            (std::vector<ClaimRef>{job(2).claim, job(4).claim}));
  EXPECT_EQ(jobs.waiting(), 1U);
  EXPECT_EQ(jobs.recall(all), std::vector<ClaimRef>{job(3).claim});
  EXPECT_TRUE(jobs.recall(all).empty());
  EXPECT_EQ(jobs.waiting(), 0U);
  ASSERT_TRUE(jobs.take(job(1).claim, kAssigned));  // the second one starts all the same
  ASSERT_TRUE(jobs.take(job(4).claim, kAssigned));
  jobs.add(job(5), kAssigned);
  EXPECT_EQ(jobs.ahead(), 2U);
  EXPECT_EQ(jobs.waiting(), 1U);
}

}  // namespace
}  // namespace tenure::daemon
