#include "machine.hpp"
#include "rounds_by_hand.hpp"
#include "simulated.hpp"
#include "support/dispatcher_text.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenure::daemon {
namespace {

using queue::ClaimedJob;
using queue::ClaimReply;
using queue::ClaimRequest;
using queue::JobSeq;
using queue::Lane;

// Steps a dispatcher by hand, with answers made up by the test.
class Stepper {
 public:
  explicit Stepper(DispatcherSettings settings = one_pool(1, 1).settings)
      : dispatcher_(std::move(settings)) {}

  Actions step(const Event& event) {
    Actions actions = dispatcher_.step(event, now_);
    for (const Action& action : actions) {
      if (const auto* const round = std::get_if<RunRound>(&action)) round_ = round->work;
      if (const auto* const wake = std::get_if<WakeAt>(&action)) wake_ = wake->at;
      if (const auto* const assigned = std::get_if<Assign>(&action)) note(*assigned);
    }
    return actions;
  }
  void pass(std::chrono::microseconds time) {
    now_.steady = now_.steady + time;
    now_.wall += time;
  }
  // The round under way.
  const RoundWork& round() const { return *round_; }
  bool has_round() const { return round_ != nullptr; }
  std::optional<Instant> wake() const { return wake_; }
  Now now() const { return now_; }
  Dispatcher& dispatcher() { return dispatcher_; }
  const std::vector<queue::ClaimRef>& last_assigned() const { return assigned_; }

  std::vector<ClaimRequest> claims() const { return claims_in(*round_); }
  std::vector<ClaimEnd> ends() const { return ends_in(*round_); }

  Actions answer(RoundReply reply = {}) {
    const auto work = std::exchange(round_, nullptr);
    return step(RoundDone{completed(std::move(reply), *work)});
  }
  template <class Part>
  Actions answer(typename Part::Answer answer) {
    RoundReply reply;
    reply.answer<Part>() = std::move(answer);
    return this->answer(std::move(reply));
  }
  Actions answer_claims(std::vector<ClaimReply> replies) { return answer<ClaimsPart>(std::move(replies)); }
  Actions fail(ErrorCode code = ErrorCode::store_busy) {
    round_.reset();
    return step(RoundFailed{Failure{code, "it was so"}});
  }
  // Started, opened, scanned with one lane, one process ready: the round under way claims from it.
  void come_to_claim(int slots = 1) {
    step(Started{});
    answer<OpeningPart>(queue::Incarnation{7});
    answer();  // reclaiming
    answer<LaneScanPart>({JobSeq{100}, {kLane}});
    step(WorkerReady{ProcessNumber{1}, slots, {"job"}});
    answer();  // the names
    if (has_round() && claims().empty()) answer();
  }
  static ClaimReply jobs_of(const queue::ClaimRequest& request, std::size_t count) {
    ClaimReply reply;
    for (std::size_t index = 0; index < count; ++index) {
      ClaimedJob job;
      job.seq = JobSeq{static_cast<std::int64_t>(index) + 1};
      job.lane = kLane;
      job.place = {WallTime{}, job.seq};
      job.token = {request.incarnation, request.first_counter + static_cast<std::int64_t>(index)};
      job.kind = "job";
      job.attempts_max = 10;
      reply.jobs.push_back(std::move(job));
    }
    return reply;
  }

 private:
  void note(const Assign& assigned) {
    assigned_.clear();
    for (const ClaimedJob& job : assigned.jobs) assigned_.push_back({job.seq, job.token});
  }
  Dispatcher dispatcher_;
  Now now_{from_us(1'700'000'000'000'000), Instant{1s}};
  std::shared_ptr<const RoundWork> round_;
  std::optional<Instant> wake_;
  std::vector<queue::ClaimRef> assigned_;
};

template <class Kind>
std::optional<Kind> find(const Actions& actions) {
  for (const Action& action : actions) {
    if (const auto* const found = std::get_if<Kind>(&action)) return *found;
  }
  return std::nullopt;
}

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
    full.push_back({JobSeq{static_cast<std::int64_t>(row) + 1}, kLane, WallTime{}, queue::JobState::ready});
  }
  stepper.answer<FormerClaimsPart>(full);
  EXPECT_EQ(stepper.round().ask<FormerClaimsPart>()->current, queue::Incarnation{7});
  full.pop_back();
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

// Idle, after one job of kLane has been claimed: the names of its queue and kind are known.
void come_to_rest(Stepper& stepper) {
  stepper.come_to_claim(2);
  RoundReply reply;
  reply.answer<ClaimsPart>() = {{Stepper::jobs_of(stepper.claims()[0], 1)}};
  const auto jobs = find<Assign>(stepper.answer(reply))->jobs;
  stepper.step(
      AttemptsEnded{ProcessNumber{1}, {{{jobs[0].seq, jobs[0].token}, RunResult::succeeded, 10us, {}}}});
  while (stepper.has_round()) stepper.answer();
}

TEST(DispatcherStep, AnIdleDispatcherClaimsWhatAHintNamesTogetherWithItsLook) {
  Stepper stepper;
  come_to_rest(stepper);
  stepper.step(WakeHinted{kLane});
  ASSERT_TRUE(stepper.has_round());
  EXPECT_TRUE(stepper.round().ask<LaneHintsPart>());
  EXPECT_TRUE(stepper.round().ask<NewJobsPart>());
  ASSERT_EQ(stepper.claims().size(), 1U);
  EXPECT_EQ(stepper.claims()[0].kinds.at(0).kind, kLane.kind);
  RoundReply found;
  found.answer<NewJobsPart>() = {{{JobSeq{900}, kLane, WallTime{}, queue::JobState::ready}}};
  found.answer<ClaimsPart>() = {{Stepper::jobs_of(stepper.claims()[0], 1)}};
  found.answer<ClaimsPart>()->at(0).jobs[0].seq = JobSeq{900};
  EXPECT_TRUE(find<Assign>(stepper.answer(found)));
  EXPECT_FALSE(stepper.has_round());  // nothing more is asked for
  EXPECT_EQ(stepper.dispatcher().status().lanes, 0);
}

TEST(DispatcherStep, AHintThatIsNotTrueCostsOneLookAndLeavesNothing) {
  Lane other_kind = kLane;
  other_kind.kind = queue::KindNumber{77};
  Lane other_queue = kLane;
  other_queue.queue = queue::QueueNumber{77};
  for (const Lane& lane : {kLane, other_kind, other_queue}) {
    Stepper stepper;
    come_to_rest(stepper);
    stepper.step(WakeHinted{lane});
    ASSERT_TRUE(stepper.has_round());
    EXPECT_EQ(stepper.claims().size(), lane == kLane ? 1U : 0U);
    EXPECT_FALSE(stepper.round().ask<NamesPart>());
    stepper.answer();
    EXPECT_FALSE(stepper.has_round());
    EXPECT_EQ(stepper.dispatcher().status().lanes, 0);
  }
}

TEST(DispatcherStep, AHintOfATenantThatIsNotThereLeavesNothing) {
  Stepper stepper;
  come_to_rest(stepper);
  Lane lane = kLane;
  lane.tenant = TenantNumber{999};
  stepper.step(WakeHinted{lane});
  ASSERT_EQ(stepper.claims().size(), 1U);
  RoundReply reply;
  reply.answer<ClaimsPart>() = {{{.gate = TenantState::deleted}}};
  stepper.answer(reply);
  EXPECT_FALSE(stepper.has_round());
  EXPECT_EQ(stepper.dispatcher().status().lanes, 0);
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

TEST(DispatcherStep, ALookThatFailedIsLookedAgainWithoutAHint) {
  Stepper stepper;
  stepper.come_to_claim(1);
  RoundReply reply;
  reply.answer<ClaimsPart>() = {{Stepper::jobs_of(stepper.claims()[0], 1)}};
  stepper.answer(reply);
  stepper.step(WakeHinted{});
  ASSERT_TRUE(stepper.round().ask<LaneHintsPart>());
  stepper.fail();
  stepper.pass(kRoundRetryMin);
  stepper.step(TimePassed{});
  ASSERT_TRUE(stepper.has_round());
  EXPECT_TRUE(stepper.round().ask<LaneHintsPart>());
  EXPECT_TRUE(stepper.round().ask<NewJobsPart>());
}

TEST(DispatcherStep, AfterAFullLookItLooksAgainAtOnceFromWhereItWas) {
  for (const std::size_t rows : {kRoundRowsMax - 1, kRoundRowsMax}) {
    Stepper stepper;
    stepper.come_to_claim(1);
    RoundReply claimed;
    claimed.answer<ClaimsPart>() = {{Stepper::jobs_of(stepper.claims()[0], 1)}};
    stepper.answer(claimed);
    stepper.step(WakeHinted{});
    NewJobsPart::Answer full;
    for (std::size_t row = 0; row < rows; ++row) {
      full.push_back(
          {JobSeq{static_cast<std::int64_t>(row) + 200}, kLane, WallTime{}, queue::JobState::ready});
    }
    stepper.answer<NewJobsPart>(full);
    EXPECT_EQ(stepper.has_round(), rows == kRoundRowsMax);
    if (stepper.has_round()) {
      EXPECT_EQ(stepper.round().ask<NewJobsPart>()->after, full.back().seq);
    }
  }
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

TEST(DispatcherStep, TheWakeIsTheNextMomentOfInterestAndToldOnlyWhenItChanges) {
  Stepper stepper;
  stepper.step(Started{});
  stepper.answer<OpeningPart>(queue::Incarnation{7});
  stepper.answer();
  stepper.answer();  // no lanes
  stepper.answer<NextDuePart>(stepper.now().wall + 300ms);
  EXPECT_EQ(stepper.wake(), stepper.now().steady + 300ms);
  EXPECT_FALSE(find<WakeAt>(stepper.step(Ponged{ProcessNumber{1}})));
  stepper.pass(300ms);
  stepper.step(TimePassed{});
  EXPECT_TRUE(stepper.round().ask<DueJobsPart>());
  stepper.answer();
  EXPECT_EQ(stepper.wake(), stepper.now().steady + 700ms);  // the poll
}

TEST(DispatcherStep, LSE_19_AWallClockThatJumpsDelaysADueJobByAPollAtMost) {
  Stepper stepper;
  stepper.step(Started{});
  stepper.answer<OpeningPart>(queue::Incarnation{7});
  stepper.answer();
  stepper.answer();
  stepper.answer<NextDuePart>(stepper.now().wall + std::chrono::hours{24 * 3650});
  EXPECT_LE(*stepper.wake() - stepper.now().steady, 1s);
}

// All 8 slots perform jobs that are thought to take 10 us, and 19 stand behind them.
void come_to_jobs_ahead(Stepper& stepper) {
  stepper.come_to_claim(8);
  const ClaimRequest asked = stepper.claims()[0];
  const auto taught = find<Assign>(stepper.answer_claims({Stepper::jobs_of(asked, asked.count)}));
  AttemptsEnded ended{ProcessNumber{1}, {}};
  for (const ClaimedJob& job : taught->jobs)
    ended.ends.push_back({{job.seq, job.token}, RunResult::succeeded, 10us, {}});
  stepper.step(ended);
  stepper.answer_claims({Stepper::jobs_of(stepper.claims()[0], 8 + 19)});
  ASSERT_EQ(stepper.dispatcher().status().ahead, 19);
}

TEST(DispatcherStep, CLM_25_WhatStandsBehindALateJobIsRecalledAtTheLookThatFindsItLate) {
  Stepper stepper;
  come_to_jobs_ahead(stepper);
  EXPECT_EQ(stepper.wake(), stepper.now().steady + kLateCheck);
  stepper.pass(kLateCheck);
  EXPECT_FALSE(find<Recall>(stepper.step(TimePassed{}))) << "4 ms are not yet too much";
  EXPECT_EQ(stepper.wake(), stepper.now().steady + kLateCheck);
  stepper.pass(kLateCheck);
  const auto recalled = find<Recall>(stepper.step(TimePassed{}));
  ASSERT_TRUE(recalled);
  EXPECT_EQ(recalled->jobs.size(), 19U);
  EXPECT_GT(*stepper.wake(), stepper.now().steady + kLateCheck) << "nothing is left to look at";
}

TEST(DispatcherStep, ALookThatComesLateItselfRecallsNothing) {
  Stepper stepper;
  come_to_jobs_ahead(stepper);
  stepper.pass(2 * kLateCheck + 1us);
  EXPECT_FALSE(find<Recall>(stepper.step(TimePassed{})));
  stepper.pass(kLateCheck);
  EXPECT_TRUE(find<Recall>(stepper.step(TimePassed{})));
}

TEST(DispatcherStep, AProcessThatIsLeavingIsNotLookedAtAndKeepsNobodyAwake) {
  for (const bool by_itself : {false, true}) {
    Stepper stepper;
    come_to_jobs_ahead(stepper);
    if (by_itself) {
      stepper.step(AttemptsEnded{ProcessNumber{1},
                                 {{stepper.last_assigned().back(), RunResult::not_started, 0us, {}}}});
    } else {
      stepper.step(StopAsked{});
    }
    stepper.pass(3 * kLateCheck);
    EXPECT_FALSE(find<Recall>(stepper.step(TimePassed{})));
    EXPECT_GT(*stepper.wake(), stepper.now().steady);
  }
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
