#include "stepper.hpp"
#include "support/dispatcher_text.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenure::daemon {
namespace {

using queue::ClaimedJob;
using queue::JobSeq;
using queue::Lane;

TEST(DispatcherStep, BeginsWithItsProcessesAndADurableRoundThatOnlyOpensAnIncarnation) {
  Stepper stepper;
  const Actions actions = stepper.step(Started{});
  EXPECT_TRUE(find<StartProcess>(actions));
  ASSERT_TRUE(stepper.has_round());
  EXPECT_TRUE(stepper.round().ask<OpeningPart>());
  EXPECT_EQ(stepper.round().durability(), queue::Durability::durable);
  EXPECT_TRUE(stepper.claims().empty());
  EXPECT_FALSE(stepper.round().ask<LaneScanPart>());
}

TEST(DispatcherStep, LSE_04_ReclaimsUntilThereIsNoMoreThenScansPageByPageThenLooks) {
  Stepper stepper;
  stepper.step(Started{});
  stepper.answer<OpeningPart>(queue::Incarnation{7});
  EXPECT_EQ(stepper.round().ask<FormerClaimsPart>()->current, queue::Incarnation{7});
  FormerClaimsPart::Answer full;
  for (std::size_t row = 0; row < kRoundRowsMax; ++row) {
    full.ready.push_back(
        {JobSeq{static_cast<std::int64_t>(row) + 1}, kLane, WallTime{}, queue::JobState::ready});
  }
  full.claims = full.ready.size();
  stepper.answer<FormerClaimsPart>(full);
  EXPECT_EQ(stepper.round().ask<FormerClaimsPart>()->current, queue::Incarnation{7});
  full.ready.pop_back();
  --full.claims;
  stepper.answer<FormerClaimsPart>(full);
  ASSERT_TRUE(stepper.round().ask<LaneScanPart>());
  EXPECT_FALSE(stepper.round().ask<LaneScanPart>()->after);
  LaneScanPart::Answer lanes;
  lanes.known_until = JobSeq{5000};
  for (std::size_t row = 0; row < kRoundRowsMax; ++row) {
    Lane lane = kLane;
    lane.tenant = TenantNumber{static_cast<std::int64_t>(row) + 10};
    lanes.lanes.push_back(lane);
  }
  stepper.answer<LaneScanPart>(lanes);
  ASSERT_TRUE(stepper.round().ask<LaneScanPart>());
  EXPECT_EQ(stepper.round().ask<LaneScanPart>()->after, lanes.lanes.back());
  EXPECT_EQ(stepper.round().ask<TenantStatesPart>()->size(), kRoundRowsMax);
  // What came since the first page may lie in lanes that it had passed.
  stepper.answer<LaneScanPart>({JobSeq{9000}, {}});
  EXPECT_FALSE(stepper.round().ask<LaneScanPart>());
  EXPECT_EQ(stepper.round().ask<NewJobsPart>()->after, JobSeq{5000});
  EXPECT_TRUE(stepper.round().ask<LaneHintsPart>());
  EXPECT_EQ(stepper.dispatcher().status().lanes, static_cast<std::int64_t>(kRoundRowsMax) + 1);
}

TEST(DispatcherStep, STP_07_ItServesOnceTheLanesAreReadToTheirEndAndSaysSoOnce) {
  Stepper stepper;
  EXPECT_FALSE(find<Serving>(stepper.step(Started{})));
  EXPECT_FALSE(find<Serving>(stepper.step(WorkerReady{ProcessNumber{1}, 1, {"job"}})));
  EXPECT_FALSE(find<Serving>(stepper.fail()));
  stepper.pass(1s);
  stepper.step(TimePassed{});
  EXPECT_FALSE(find<Serving>(stepper.answer<OpeningPart>(queue::Incarnation{7})));
  EXPECT_FALSE(find<Serving>(stepper.answer()));  // reclaiming
  EXPECT_TRUE(find<Serving>(stepper.answer<LaneScanPart>({JobSeq{100}, {}})));
  EXPECT_FALSE(find<Serving>(stepper.answer()));
}

TEST(DispatcherStep, OneRoundIsUnderWayAtATimeAndWhatQueuesUpMeanwhileGoesIntoTheNext) {
  Stepper stepper;
  stepper.come_to_claim(2);
  ASSERT_EQ(stepper.claims().size(), 1U);
  RoundReply reply;
  reply.answer<ClaimsPart>() = {{Stepper::jobs_of(stepper.claims()[0], 2)}};
  const Actions actions = stepper.answer(reply);
  const auto assigned = find<Assign>(actions);
  ASSERT_TRUE(assigned);
  ASSERT_EQ(assigned->jobs.size(), 2U);
  const auto& jobs = assigned->jobs;
  const Actions first = stepper.step(
      AttemptsEnded{ProcessNumber{1}, {{{jobs[0].seq, jobs[0].token}, RunResult::succeeded, 10us, {}}}});
  ASSERT_TRUE(find<RunRound>(first));
  EXPECT_EQ(stepper.ends().size(), 1U);
  EXPECT_EQ(stepper.claims().size(), 1U);  // for the slot that it has freed
  const Actions second = stepper.step(
      AttemptsEnded{ProcessNumber{1}, {{{jobs[1].seq, jobs[1].token}, RunResult::succeeded, 10us, {}}}});
  EXPECT_FALSE(find<RunRound>(second));
  stepper.step(WakeHinted{});
  const Actions third = stepper.answer();
  ASSERT_TRUE(find<RunRound>(third));
  EXPECT_EQ(stepper.ends().size(), 1U);
  EXPECT_TRUE(stepper.round().ask<LaneHintsPart>());
}

TEST(DispatcherStep, LSE_10_AFailedRoundLosesNothingAndIsTriedAgainAfterABackOff) {
  Stepper stepper;
  stepper.come_to_claim(1);
  RoundReply reply;
  reply.answer<ClaimsPart>() = {{Stepper::jobs_of(stepper.claims()[0], 1)}};
  const auto jobs = find<Assign>(stepper.answer(reply))->jobs;
  stepper.step(
      AttemptsEnded{ProcessNumber{1}, {{{jobs[0].seq, jobs[0].token}, RunResult::succeeded, 10us, {}}}});
  auto wait = std::chrono::microseconds{kRoundRetryMin};
  int notes = 0;
  for (int failure = 0; failure < 10; ++failure) {
    const std::size_t asked = stepper.claims().size();
    notes += find<Note>(stepper.fail()) ? 1 : 0;
    EXPECT_FALSE(stepper.has_round());
    EXPECT_FALSE(find<RunRound>(stepper.step(WakeHinted{})));
    stepper.pass(wait - 1us);
    EXPECT_FALSE(find<RunRound>(stepper.step(TimePassed{})));
    stepper.pass(1us);
    ASSERT_TRUE(find<RunRound>(stepper.step(TimePassed{})));
    ASSERT_EQ(stepper.ends().size(), 1U);
    EXPECT_EQ(stepper.claims().size(), asked);
    wait = std::min<std::chrono::microseconds>(wait * 2, kRoundRetryMax);
  }
  EXPECT_LT(notes, 10);
  EXPECT_GE(notes, 7);
  stepper.answer();
  EXPECT_EQ(stepper.dispatcher().status().succeeded, 1);
}

TEST(DispatcherStep, LSE_20_AStoreThatNoRetryHealsEndsTheDaemonAtOnce) {
  for (const ErrorCode code :
       {ErrorCode::database_moved, ErrorCode::database_missing, ErrorCode::database_damaged,
        ErrorCode::disk_sync_failed, ErrorCode::schema_mismatch, ErrorCode::access_refused}) {
    Stepper stepper;
    stepper.come_to_claim(1);
    const Actions actions = stepper.fail(code);
    ASSERT_TRUE(find<Leave>(actions)) << name_of(code);
    stepper.pass(1min);
    EXPECT_TRUE(stepper.step(TimePassed{}).empty());
  }
}

TEST(DispatcherStep, AStoreThatMayHealIsAskedAgain) {
  for (const ErrorCode code : {ErrorCode::store_busy, ErrorCode::disk, ErrorCode::out_of_memory}) {
    Stepper stepper;
    stepper.come_to_claim(1);
    EXPECT_FALSE(find<Leave>(stepper.fail(code))) << name_of(code);
    stepper.pass(kRoundRetryMax);
    EXPECT_TRUE(find<RunRound>(stepper.step(TimePassed{}))) << name_of(code);
  }
}

// The log is synced and checkpointed between rounds too.
TEST(DispatcherStep, LSE_20_WhatIsWrongBetweenTwoRoundsEndsTheDaemonToo) {
  Stepper stepper;
  stepper.come_to_claim(1);
  RoundReply reply;
  reply.answer<ClaimsPart>() = {{Stepper::jobs_of(stepper.claims()[0], 1)}};
  stepper.answer(reply);
  ASSERT_FALSE(stepper.has_round());
  EXPECT_FALSE(find<Leave>(stepper.step(RoundFailed{Failure{ErrorCode::disk, "full"}})));
  EXPECT_TRUE(find<Leave>(stepper.step(RoundFailed{Failure{ErrorCode::database_moved, "replaced"}})));
}

TEST(DispatcherStep, LSE_02_ALostClaimIsCountedAndChangesNothing) {
  Stepper stepper;
  stepper.come_to_claim(1);
  RoundReply reply;
  reply.answer<ClaimsPart>() = {{Stepper::jobs_of(stepper.claims()[0], 1)}};
  const auto jobs = find<Assign>(stepper.answer(reply))->jobs;
  stepper.step(
      AttemptsEnded{ProcessNumber{1}, {{{jobs[0].seq, jobs[0].token}, RunResult::succeeded, 10us, {}}}});
  RoundReply lost;
  lost.answer<EndsPart>().emplace().emplace_back(fail(ErrorCode::claim_lost, "moved on"));
  stepper.answer(lost);
  EXPECT_EQ(stepper.dispatcher().status().claims_lost, 1);
  EXPECT_EQ(stepper.dispatcher().status().succeeded, 0);
}

TEST(DispatcherStep, AnEndThatIsReportedTwiceOrByAStrangerIsIgnored) {
  Stepper stepper;
  stepper.come_to_claim(1);
  RoundReply reply;
  reply.answer<ClaimsPart>() = {{Stepper::jobs_of(stepper.claims()[0], 1)}};
  const auto jobs = find<Assign>(stepper.answer(reply))->jobs;
  const AttemptEnd end{{jobs[0].seq, jobs[0].token}, RunResult::succeeded, 10us, {}};
  AttemptEnd other = end;
  ++other.claim.token.counter;
  stepper.step(AttemptsEnded{ProcessNumber{9}, {end}});
  stepper.step(AttemptsEnded{ProcessNumber{1}, {other, end, end}});
  EXPECT_EQ(stepper.ends().size(), 1U);
}

TEST(DispatcherStep, JobsClaimedForAProcessThatDiedMeanwhileAreGivenBackUnstarted) {
  Stepper stepper;
  stepper.come_to_claim(1);
  RoundReply reply;
  reply.answer<ClaimsPart>() = {{Stepper::jobs_of(stepper.claims()[0], 1)}};
  stepper.step(WorkerGone{ProcessNumber{1}, "exit 1"});
  const Actions actions = stepper.answer(reply);
  EXPECT_FALSE(find<Assign>(actions));
  ASSERT_EQ(stepper.ends().size(), 1U);
  EXPECT_FALSE(std::get<EndRelease>(stepper.ends()[0].how).started);
}

std::optional<Note> note_of(const Actions& actions, std::string_view event) {
  for (const Action& action : actions)
    if (const auto* const note = std::get_if<Note>(&action); note != nullptr && note->event == event)
      return *note;
  return std::nullopt;
}

TEST(DispatcherStep, TheEndOfAnIdleProcessIsTold) {
  for (const auto& [asked, cause, level] :
       {std::tuple{false, "signal 9 (Killed)", Note::Level::warning},
        std::tuple{false, "exit 0", Note::Level::warning}, std::tuple{true, "exit 0", Note::Level::info},
        std::tuple{true, "exit 1", Note::Level::warning}}) {
    SCOPED_TRACE(cause);
    Stepper stepper;
    stepper.come_to_claim(1);
    stepper.answer_claims({Stepper::jobs_of(stepper.claims()[0], 0)});
    stepper.pass(10s);
    if (asked) stepper.step(DrainAsked{ProcessNumber{1}, 0});
    const auto note = note_of(stepper.step(WorkerGone{ProcessNumber{1}, cause}), "worker.ended");
    ASSERT_TRUE(note);
    EXPECT_EQ(note->level, level);
    EXPECT_EQ(note->process, ProcessNumber{1});
    EXPECT_NE(note->message.find(std::string("ended without a job (") + cause + "); it had performed 0"),
              std::string::npos)
        << note->message;
  }
}

TEST(DispatcherStep, AnEndThatAnotherLineTellsIsToldOnce) {
  Stepper stepper;
  stepper.come_to_claim(1);
  stepper.answer_claims({Stepper::jobs_of(stepper.claims()[0], 0)});
  const Actions soon = stepper.step(WorkerGone{ProcessNumber{1}, "exit 1"});
  EXPECT_TRUE(note_of(soon, "worker.restart_delayed"));
  EXPECT_FALSE(note_of(soon, "worker.ended"));
}

TEST(DispatcherStep, ACrashNamesItsJobAndKind) {
  Stepper stepper;
  stepper.come_to_claim(1);
  const auto jobs = find<Assign>(stepper.answer_claims({Stepper::jobs_of(stepper.claims()[0], 1)}))->jobs;
  const queue::ClaimRef claim{jobs[0].seq, jobs[0].token};
  const auto note =
      note_of(stepper.step(WorkerGone{.process = ProcessNumber{1},
                                      .cause = "signal 6 (Aborted)",
                                      .slots = LastSlots{.begun = {claim}, .crashed = {claim}}}),
              "worker.crashed");
  ASSERT_TRUE(note);
  EXPECT_NE(note->message.find("by the crash of job " + jobs[0].id.text() + ", of kind"), std::string::npos)
      << note->message;
}

TEST(DispatcherStep, STP_01_JobsClaimedWhileTheStopCameAreGivenBackUnstarted) {
  Stepper stepper;
  stepper.come_to_claim(1);
  RoundReply reply;
  reply.answer<ClaimsPart>() = {{Stepper::jobs_of(stepper.claims()[0], 1)}};
  EXPECT_TRUE(find<Drain>(stepper.step(StopAsked{})));
  const Actions actions = stepper.answer(reply);
  EXPECT_FALSE(find<Assign>(actions));
  ASSERT_EQ(stepper.ends().size(), 1U);
  EXPECT_TRUE(std::holds_alternative<EndRelease>(stepper.ends()[0].how));
  EXPECT_FALSE(find<Leave>(stepper.answer()));
  EXPECT_TRUE(find<Leave>(stepper.step(WorkerGone{ProcessNumber{1}, "exit 0"})));
  EXPECT_TRUE(stepper.step(TimePassed{}).empty());
}

TEST(DispatcherStep, ARoundCarriesAtMostSoManyEndsAndClaims) {
  Stepper stepper;
  stepper.come_to_claim(1500);
  std::size_t asked = 0;
  for (const auto& claim : stepper.claims()) asked += claim.count;
  EXPECT_EQ(asked, kRoundRowsMax);
  RoundReply reply;
  reply.answer<ClaimsPart>() = {{Stepper::jobs_of(stepper.claims()[0], kRoundRowsMax)}};
  const auto jobs = find<Assign>(stepper.answer(reply))->jobs;
  // A round for the other 500 is under way: what ends meanwhile waits.
  AttemptsEnded ended{ProcessNumber{1}, {}};
  for (const ClaimedJob& job : jobs)
    ended.ends.push_back({{job.seq, job.token}, RunResult::succeeded, 1us, {}});
  stepper.step(ended);
  stepper.answer();
  EXPECT_EQ(stepper.ends().size(), kRoundRowsMax);
}

TEST(DispatcherStep, TokensNeverRepeat) {
  Stepper stepper;
  stepper.come_to_claim(1);
  const auto first = stepper.claims().at(0);
  stepper.fail();
  stepper.pass(1s);
  stepper.step(TimePassed{});
  const auto second = stepper.claims().at(0);
  EXPECT_GE(second.first_counter, first.first_counter + static_cast<std::int64_t>(first.count));
}

TEST(DispatcherStep, RPL_01_TheSameEventsGiveTheSameActionsByteForByte) {
  Random random(5);
  auto options = one_pool(2, 3, 5);
  options.kinds = {"a", "b"};
  options.perform = [&](const ClaimedJob&) {
    simulation::Performance performance{.run_time = std::chrono::microseconds{random.below(3000)}};
    if (random.below(20) == 0) {
      performance.result = RunResult::failed;
      performance.failure = {ErrorCode::handler_failed, "sometimes"};
    }
    return performance;
  };
  Simulated sim(options);
  struct Stepped {
    Event event;
    Now now;
    std::string actions;
  };
  std::vector<Stepped> journal;
  sim->on_step = [&](const Event& event, const Actions& actions) {
    journal.push_back({event, {sim->wall(), sim->now()}, simulation::text_of(actions)});
  };
  sim->start();
  for (const char* name : {"acme", "bolt", "crane"}) sim->create_tenant(name);
  for (int burst = 0; burst < 100; ++burst) {
    const std::string tenant = burst % 3 == 0 ? "acme" : burst % 3 == 1 ? "bolt" : "crane";
    (void)sim->enqueue_many({.tenant = tenant, .kind = burst % 2 == 0 ? "a" : "b"}, random.below(40) + 1);
    sim->run_for(std::chrono::microseconds{random.below(9000)});
    if (burst % 20 == 19 && !sim->live_workers().empty()) sim->kill_worker(sim->live_workers().front());
  }
  sim->stop();
  ASSERT_TRUE(sim->run_until([&] { return sim->has_left(); }, 60s));
  ASSERT_GT(journal.size(), 1000U);
  Dispatcher again(sim->settings());
  for (const Stepped& stepped : journal) {
    ASSERT_EQ(simulation::text_of(again.step(stepped.event, stepped.now)), stepped.actions);
  }
}

}  // namespace
}  // namespace tenure::daemon
