#include "captures.hpp"
#include "simulated.hpp"
#include "stepper.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

// Which runs are captured, and what is counted: the list alone, and in the whole dispatcher.
namespace tenure::daemon {
namespace {

using queue::CaptureNumber;
using queue::CaptureOn;
using queue::OpenCapture;
using simulation::Performance;

const WallTime kNow = from_us(1'700'000'000'000'000);

struct Wishes : ::testing::Test {
  static queue::ClaimedJob job(std::int64_t seq, std::string kind, std::int64_t tenant) {
    queue::ClaimedJob claimed;
    claimed.seq = queue::JobSeq{seq};
    claimed.kind = std::move(kind);
    claimed.lane.tenant = TenantNumber{tenant};
    claimed.tenant = TenantName{"acme"};
    return claimed;
  }
  void read(std::vector<OpenCapture> requests) {
    for (OpenCapture& request : requests)
      if (request.until == WallTime{}) request.until = kNow + std::chrono::hours{1};
    captures.read({queue::CapturesMark{++mark}, std::move(requests)});
  }
  std::int64_t wished(const queue::ClaimedJob& job, WallTime now = kNow) {
    const auto wish = captures.wish_for(job, now);
    return wish ? wish->request.value : 0;
  }
  Actions ended(std::int64_t request, std::optional<queue::TakenCapsule> taken = std::nullopt) {
    Actions actions;
    captures.ended({{CaptureNumber{request}, CaptureOn::failure}, {}, "acme", std::move(taken)}, "a",
                   actions);
    return actions;
  }
  Captures captures;
  std::int64_t mark = 0;
};

TEST_F(Wishes, TheMostSpecificRequestWinsAndOfTwoAlikeTheOlderOne) {
  read({{.number = CaptureNumber{1}, .kind = "a", .left = 9},
        {.number = CaptureNumber{2}, .tenant = TenantNumber{5}, .left = 9},
        {.number = CaptureNumber{3}, .kind = "a", .tenant = TenantNumber{5}, .left = 9},
        {.number = CaptureNumber{4}, .job = queue::JobSeq{7}, .on = CaptureOn::any_end, .left = 9},
        {.number = CaptureNumber{5}, .kind = "a", .left = 9}});
  const auto wish = captures.wish_for(job(7, "a", 5), kNow);
  ASSERT_TRUE(wish);
  EXPECT_EQ(wish->request, CaptureNumber{4});
  EXPECT_EQ(wish->on, CaptureOn::any_end);
  EXPECT_EQ(wished(job(8, "a", 5)), 3);
  EXPECT_EQ(wished(job(8, "b", 5)), 2);
  EXPECT_EQ(wished(job(8, "a", 6)), 1);
  EXPECT_EQ(wished(job(8, "b", 6)), 0);
}

TEST_F(Wishes, AJobWithoutATenantAndARequestWhoseTimeIsOverAreNotMet) {
  read({{.number = CaptureNumber{1}, .kind = "a", .left = 9, .until = kNow + 1s}});
  queue::ClaimedJob untenanted = job(7, "a", 0);
  untenanted.tenant.reset();
  EXPECT_EQ(wished(untenanted), 0);
  EXPECT_FALSE(captures.has_expired(kNow));
  EXPECT_EQ(wished(job(7, "a", 5)), 1);
  EXPECT_EQ(wished(job(7, "a", 5), kNow + 1s), 0);
  EXPECT_TRUE(captures.has_expired(kNow + 1s));
}

TEST_F(Wishes, NeverMoreRunAtOnceThanAreLeftAndAPlaceComesBackWithTheEnd) {
  read({{.number = CaptureNumber{1}, .kind = "a", .left = 2}});
  EXPECT_EQ(wished(job(7, "a", 5)), 1);
  EXPECT_EQ(wished(job(8, "a", 5)), 1);
  EXPECT_EQ(wished(job(9, "a", 5)), 0);
  EXPECT_TRUE(ended(1).empty()) << "it has not ended as was wished";
  EXPECT_EQ(wished(job(9, "a", 5)), 1);
  ended(1, queue::TakenCapsule{CaptureNumber{1}, "x.capsule"});
  EXPECT_EQ(wished(job(10, "a", 5)), 0) << "one is left, and one runs";
  read({{.number = CaptureNumber{1}, .kind = "a", .left = 1}});
  EXPECT_EQ(wished(job(10, "a", 5)), 0) << "which a look does not forget";
  ended(1);
  EXPECT_EQ(wished(job(10, "a", 5)), 1);
  read({});
  ended(1);
}

TEST_F(Wishes, ALineOfTheLogSaysWhatBecameOfACapsule) {
  read({{.number = CaptureNumber{1}, .kind = "a", .left = 3}});
  EXPECT_EQ(wished(job(7, "a", 5)), 1);
  EXPECT_EQ(wished(job(8, "a", 5)), 1);
  const auto taken = find<Note>(ended(1, queue::TakenCapsule{CaptureNumber{1}, "x.capsule"}));
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->event, "capsule.taken");
  EXPECT_EQ(taken->level, Note::Level::info);
  EXPECT_NE(taken->message.find("x.capsule"), std::string::npos);
  EXPECT_NE(taken->message.find("acme"), std::string::npos);
  const auto failed = find<Note>(ended(
      1, queue::TakenCapsule{CaptureNumber{1}, {}, Failure{ErrorCode::limit_reached, "too \x1b large"}}));
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->event, "capsule.failed");
  EXPECT_EQ(failed->level, Note::Level::warning);
  EXPECT_NE(failed->message.find("LimitReached: too \\x1b large"), std::string::npos) << failed->message;
}

// --- In the whole dispatcher.

// Jobs of kind "bad" fail, those of kind "late" too and after a minute, those of kind "fatal" end their process, all others succeed.
simulation::Options with_bad_jobs(int slots = 4) {
  auto options = one_pool(1, slots);
  options.kinds = {"job", "bad", "late", "fatal"};
  options.perform = [](const queue::ClaimedJob& job) {
    Performance performance{.run_time = job.kind == "late" ? 60s : 1ms};
    performance.kills_process = job.kind == "fatal";
    performance.is_named = performance.kills_process;
    if (job.kind == "bad" || job.kind == "late") {
      performance.result = RunResult::failed;
      performance.failure = {ErrorCode::handler_failed, "it failed"};
    }
    return performance;
  };
  return options;
}

struct Capturing : Simulated {
  explicit Capturing(simulation::Options options = with_bad_jobs()) : Simulated(std::move(options)) {
    world.create_tenant("acme");
    world.start();
    world.run_for(50ms);
  }
  CaptureNumber ask(queue::NewCapture request, bool is_hinted = true) {
    if (request.until == WallTime{}) request.until = world.wall() + std::chrono::hours{1};
    CaptureNumber number;
    store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      number = value_or_raise(writer.ask_for_capture(request, world.wall()));
    });
    if (is_hinted) world.hint();
    world.run_for(5ms);
    return number;
  }
  // The kind is one that the worker program has.
  CaptureNumber ask_for_kind(std::string kind, int count, CaptureOn on = CaptureOn::failure) {
    return ask({.target = {.kind = std::move(kind)}, .on = on, .count = count});
  }
  std::vector<queue::CaptureRecord> open() {
    std::vector<queue::CaptureRecord> records;
    store->read([&](queue::JobReader& reader) { records = reader.captures(); });
    return records;
  }
  std::vector<queue::CapsuleNote> capsules() {
    std::vector<queue::CapsuleNote> notes;
    store->read([&](queue::JobReader& reader) { notes = reader.capsules(std::nullopt); });
    return notes;
  }
  void expect_clean() { EXPECT_TRUE(world.verdict().is_clean()) << world.verdict_line(); }
};

TEST(Capture, ARunThatFailsIsCapturedAndCountedWithItsEnd) {
  Capturing sim;
  sim.ask_for_kind("bad", 1);
  const auto id = sim->enqueue({.tenant = "acme", .kind = "bad"});
  ASSERT_TRUE(sim->run_until([&] { return sim->job(id).failures == 1; }, 1s));
  EXPECT_TRUE(sim.open().empty());
  const auto noted = sim.capsules();
  ASSERT_EQ(noted.size(), 1U);
  EXPECT_EQ(noted[0].file, id.text() + ".capsule");
  EXPECT_EQ(noted[0].job, id);
  ASSERT_TRUE(sim->run_until([&] { return sim->job(id).failures == 2; }, std::chrono::hours{1}));
  EXPECT_EQ(sim.capsules().size(), 1U) << "nothing more was asked for";
}

TEST(Capture, OneThatDoesNotEndAsWasWishedGivesItsPlaceBack) {
  Capturing sim;
  const auto number = sim.ask_for_kind("job", 1);
  sim->enqueue_many({.tenant = "acme", .kind = "job"}, 20);
  ASSERT_TRUE(sim.drains(5s));
  ASSERT_EQ(sim.open().size(), 1U);
  EXPECT_EQ(sim.open()[0].number, number);
  EXPECT_EQ(sim.open()[0].left, 1);
  EXPECT_TRUE(sim.capsules().empty());
  sim.ask_for_kind("job", 2, CaptureOn::success);
  sim.store->write(queue::Durability::durable,
                   [&](queue::StoreWriter& writer) { EXPECT_TRUE(writer.withdraw_capture(number)); });
  sim->hint();
  sim->run_for(5ms);
  sim->enqueue_many({.tenant = "acme", .kind = "job"}, 20);
  ASSERT_TRUE(sim.drains(5s));
  EXPECT_EQ(sim.capsules().size(), 2U);
  EXPECT_TRUE(sim.open().empty());
  sim.expect_clean();
}

TEST(Capture, NoMoreAreTakenThanWereAskedForHoweverManyRun) {
  Capturing sim(with_bad_jobs(8));
  sim.ask_for_kind("bad", 3);
  sim->enqueue_many({.tenant = "acme", .kind = "bad"}, 60);
  sim->run_for(5s);
  EXPECT_EQ(sim.capsules().size(), 3U);
  EXPECT_TRUE(sim.open().empty());
}

TEST(Capture, OfOneJobTheNextAttemptIsCaptured) {
  Capturing sim;
  const auto id = sim->enqueue({.tenant = "acme", .kind = "bad"});
  const auto other = sim->enqueue({.tenant = "acme", .kind = "bad"});
  ASSERT_TRUE(
      sim->run_until([&] { return sim->job(id).failures == 1 && sim->job(other).failures == 1; }, 1s));
  sim.ask({.target = {.job = id}}, false);
  ASSERT_TRUE(sim->run_until([&] { return sim->job(id).failures == 2 && sim->job(other).failures == 2; },
                             std::chrono::hours{1}));
  const auto noted = sim.capsules();
  ASSERT_EQ(noted.size(), 1U);
  EXPECT_EQ(noted[0].job, id);
}

TEST(Capture, ACapsuleThatCannotBeMadeCountsSoThatNobodyTriesForEver) {
  auto options = with_bad_jobs();
  options.perform = [perform = options.perform](const queue::ClaimedJob& job) {
    Performance performance = perform(job);
    performance.capsule_failure = Failure{ErrorCode::disk, "no room"};
    return performance;
  };
  Capturing sim(options);
  sim.ask_for_kind("bad", 2);
  sim->enqueue_many({.tenant = "acme", .kind = "bad"}, 10);
  sim->run_for(5s);
  const auto noted = sim.capsules();
  ASSERT_EQ(noted.size(), 2U);
  EXPECT_EQ(noted[0].failure, (Failure{ErrorCode::disk, "no room"}));
  EXPECT_TRUE(sim.open().empty());
}

TEST(Capture, ARunThatEndsItsProcessCountsAsOneThatCouldNotBeCaptured) {
  for (const CaptureOn on : {CaptureOn::failure, CaptureOn::success, CaptureOn::any_end}) {
    SCOPED_TRACE(name_of(on));
    Capturing sim;
    sim.ask_for_kind("fatal", 2, on);
    const auto id = sim->enqueue({.tenant = "acme", .kind = "fatal"});
    ASSERT_TRUE(sim.drains(60s));
    EXPECT_EQ(sim->job(id).reason, queue::JobReason::poison);
    const auto noted = sim.capsules();
    ASSERT_EQ(noted.size(), 2U) << "its third crash was not captured";
    EXPECT_EQ(noted[0].failure->code, ErrorCode::worker_crashed);
    EXPECT_TRUE(sim.open().empty());
    sim.expect_clean();
  }
}

TEST(Capture, WhatExpiresIsRemovedAndCapturesNothingBefore) {
  Capturing sim;
  sim.ask({.target = {.kind = "bad"}, .count = 5, .until = sim->wall() + 30s});
  sim->run_for(29s);
  EXPECT_EQ(sim.open().size(), 1U);
  sim->run_for(1s);
  const auto id = sim->enqueue({.tenant = "acme", .kind = "bad"});
  ASSERT_TRUE(sim->run_until([&] { return sim->job(id).failures == 1; }, 1s));
  EXPECT_TRUE(sim.capsules().empty());
  sim->run_for(15s);
  EXPECT_TRUE(sim.open().empty());
}

TEST(Capture, ADispatcherThatComesLaterKnowsWhatIsOpen) {
  Capturing sim;
  sim.ask_for_kind("late", 1);
  const auto id = sim->enqueue({.tenant = "acme", .kind = "late"});
  sim->run_for(1s);
  sim->crash_dispatcher();
  sim->start();
  sim->run_for(5s);
  EXPECT_EQ(sim.open().size(), 1U) << "what was under capture has left its place";
  ASSERT_TRUE(sim->run_until([&] { return sim->job(id).failures == 1; }, 200s));
  EXPECT_EQ(sim.capsules().size(), 1U);
  EXPECT_TRUE(sim.open().empty());
}

TEST(Capture, IsCountedOnceWhereTheRoundThatStoresTheEndHasFailed) {
  Capturing sim;
  sim.ask_for_kind("bad", 2);
  const auto id = sim->enqueue({.tenant = "acme", .kind = "bad"});
  ASSERT_TRUE(sim->run_until([&] { return sim->running() == 1; }, 1s));
  sim->fail_next_rounds(2);
  ASSERT_TRUE(sim->run_until([&] { return sim->job(id).failures == 1; }, 10s));
  sim->run_for(1s);
  EXPECT_EQ(sim.capsules().size(), 1U);
  ASSERT_EQ(sim.open().size(), 1U);
  EXPECT_EQ(sim.open()[0].left, 1);
}

// A worker process may say what it likes.
TEST(Capture, ACapsuleThatNobodyAskedForIsNotCounted) {
  Stepper stepper;
  stepper.come_to_claim();
  const auto claims = stepper.claims();
  ASSERT_EQ(claims.size(), 1U);
  stepper.answer_claims({Stepper::jobs_of(claims[0], 1)});
  ASSERT_EQ(stepper.last_assigned().size(), 1U);
  AttemptEnd end{.claim = stepper.last_assigned()[0], .failure = {}};
  end.capsule = queue::TakenCapsule{CaptureNumber{3}, "x.capsule"};
  if (stepper.has_round()) stepper.answer();
  stepper.step(AttemptsEnded{ProcessNumber{1}, {end}});
  const auto ends = stepper.ends();
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_FALSE(ends[0].capture);
}

}  // namespace
}  // namespace tenure::daemon
