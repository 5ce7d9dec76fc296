#include "stepper.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

// What worker processes tell of tenants' outboxes, on its way through the dispatcher into a round and back.
namespace tenure::daemon {
namespace {

using queue::OutboxOwner;
using queue::OutboxReport;
using queue::OutboxSeq;

const OutboxOwner kAcme{TenantName{"acme"}, Generation{1}};
constexpr ProcessNumber kFirst{1};

OutboxReport report_of(std::vector<std::int64_t> seqs, bool is_all = true) {
  OutboxReport report{.owner = kAcme, .is_all = is_all};
  for (const std::int64_t seq : seqs) report.rows.rows.push_back({OutboxSeq{seq}, "row"});
  if (!seqs.empty()) report.rows.newest = OutboxSeq{seqs.back()};
  return report;
}

class TellsOutbox : public ::testing::Test {
 protected:
  TellsOutbox() {
    stepper.come_to_claim(2);
    stepper.answer_claims({Stepper::jobs_of(stepper.claims().at(0), 2)});
    claims = stepper.last_assigned();
    while (stepper.has_round()) stepper.answer();
  }
  Actions end(std::size_t job, std::optional<OutboxReport> report, RunResult result = RunResult::succeeded) {
    AttemptEnd end{.claim = claims.at(job), .result = result, .failure = {ErrorCode::handler_failed, "no"}};
    end.outbox = std::move(report);
    return stepper.step(AttemptsEnded{kFirst, {std::move(end)}});
  }
  std::vector<std::vector<std::int64_t>> asked() const {
    std::vector<std::vector<std::int64_t>> asked;
    for (const auto& [process, report] :
         stepper.round().ask<OutboxRowsPart>().value_or(OutboxRowsPart::Ask{})) {
      auto& seqs = asked.emplace_back();
      for (const queue::OutboxRow& row : report.rows.rows) seqs.push_back(row.seq.value);
    }
    return asked;
  }
  using Rows = std::vector<std::vector<std::int64_t>>;

  Stepper stepper;
  std::vector<queue::ClaimRef> claims;
};

TEST_F(TellsOutbox, RowsGoBeforeTheEndOfTheirRunInOneCommitAndAreAcknowledgedBehindItsSync) {
  static_assert(RoundParts::index<OutboxRowsPart>() < RoundParts::index<EndsPart>());
  EXPECT_FALSE(find<AcknowledgeOutbox>(end(0, report_of({3, 4}))));
  ASSERT_TRUE(stepper.has_round());
  EXPECT_EQ(asked(), (Rows{{3, 4}}));
  EXPECT_EQ(stepper.ends().size(), 1U);
  EXPECT_EQ(stepper.round().durability(), queue::Durability::durable);
  const Actions behind = stepper.answer<OutboxRowsPart>({{.watermark = OutboxSeq{4}, .inserted = 2}});
  const auto acknowledged = find<AcknowledgeOutbox>(behind);
  ASSERT_TRUE(acknowledged);
  EXPECT_EQ(acknowledged->process, kFirst);
  EXPECT_EQ(acknowledged->owner, kAcme);
  EXPECT_EQ(acknowledged->watermark, OutboxSeq{4});
  ASSERT_TRUE(stepper.has_round()) << "it looks for what is new";
  EXPECT_TRUE(stepper.round().ask<NewJobsPart>());
  EXPECT_TRUE(asked().empty());
}

// The sync behind the first is in its own commit; that of the next comes when its time has.
TEST_F(TellsOutbox, ManyCommitsShareOneSyncBehindWhichAllOfThemAreAcknowledged) {
  const auto sync_is_asked = [&] {
    return stepper.has_round() && stepper.round().ask<OutboxSyncPart>().has_value();
  };
  end(0, report_of({1}));
  EXPECT_TRUE(sync_is_asked());
  stepper.answer<OutboxRowsPart>({{.watermark = OutboxSeq{1}, .inserted = 0}});
  while (stepper.has_round()) stepper.answer();

  end(1, report_of({2}));
  EXPECT_EQ(asked(), (Rows{{2}}));
  EXPECT_FALSE(sync_is_asked());
  EXPECT_EQ(stepper.round().durability(), queue::Durability::ordered);
  EXPECT_FALSE(find<AcknowledgeOutbox>(stepper.answer<OutboxRowsPart>({{.watermark = OutboxSeq{2}}})));
  while (stepper.has_round()) stepper.answer();
  stepper.pass(kOutboxSyncPause - 1ms);
  stepper.step(TimePassed{});
  EXPECT_FALSE(sync_is_asked());
  while (stepper.has_round()) stepper.answer();
  stepper.pass(1ms);
  stepper.step(TimePassed{});
  ASSERT_TRUE(sync_is_asked());
  EXPECT_EQ(stepper.round().durability(), queue::Durability::durable);
  const auto acknowledged = find<AcknowledgeOutbox>(stepper.answer());
  ASSERT_TRUE(acknowledged);
  EXPECT_EQ(acknowledged->watermark, OutboxSeq{2});
}

TEST_F(TellsOutbox, ASyncThatFailedIsAskedAgainAndNothingIsAcknowledgedBefore) {
  end(0, report_of({1}));
  stepper.answer<OutboxRowsPart>({{.watermark = OutboxSeq{1}, .inserted = 0}});
  while (stepper.has_round()) stepper.answer();
  end(1, report_of({2}));
  stepper.answer<OutboxRowsPart>({{.watermark = OutboxSeq{2}}});
  while (stepper.has_round()) stepper.answer();
  stepper.pass(kOutboxSyncPause);
  stepper.step(TimePassed{});
  ASSERT_TRUE(stepper.round().ask<OutboxSyncPart>());
  EXPECT_FALSE(find<AcknowledgeOutbox>(stepper.fail()));
  stepper.pass(10s);
  stepper.step(TimePassed{});
  ASSERT_TRUE(stepper.round().ask<OutboxSyncPart>());
  EXPECT_TRUE(find<AcknowledgeOutbox>(stepper.answer()));
}

TEST_F(TellsOutbox, WhoStopsSyncsWithEachCommit) {
  end(0, report_of({1}));
  stepper.answer<OutboxRowsPart>({{.watermark = OutboxSeq{1}, .inserted = 0}});
  while (stepper.has_round()) stepper.answer();
  stepper.step(StopAsked{});
  end(1, report_of({2}));
  ASSERT_TRUE(stepper.has_round());
  EXPECT_TRUE(stepper.round().ask<OutboxSyncPart>());
}

TEST_F(TellsOutbox, ARoundWithoutRowsIsOrdered) {
  end(0, std::nullopt);
  EXPECT_TRUE(asked().empty());
  EXPECT_EQ(stepper.round().durability(), queue::Durability::ordered);
  EXPECT_FALSE(find<AcknowledgeOutbox>(stepper.answer()));
}

TEST_F(TellsOutbox, RowsOfAFailedRunGoToo) {
  end(0, report_of({1}), RunResult::failed);
  EXPECT_EQ(asked(), (Rows{{1}}));
}

TEST_F(TellsOutbox, RowsOfAClaimThatHasMovedOnGoAllTheSame) {
  AttemptEnd late{.claim = claims[0]};
  ++late.claim.token.counter;
  late.outbox = report_of({1, 2});
  stepper.step(AttemptsEnded{kFirst, {late}});
  EXPECT_EQ(asked(), (Rows{{1, 2}}));
  EXPECT_TRUE(stepper.ends().empty());
  EXPECT_TRUE(find<AcknowledgeOutbox>(stepper.answer()));
}

TEST_F(TellsOutbox, ARoundThatFailedIsAskedAgainWithAllOfThem) {
  end(0, report_of({1}));
  AttemptEnd other{.claim = claims.at(1)};
  other.outbox = report_of({1, 2});
  other.outbox->owner.tenant = TenantName{"globex"};
  stepper.step(AttemptsEnded{kFirst, {other}});
  stepper.fail();
  stepper.pass(10s);
  stepper.step(TimePassed{});
  ASSERT_TRUE(stepper.has_round());
  EXPECT_EQ(asked(), (Rows{{1}, {1, 2}}));
  EXPECT_EQ(stepper.ends().size(), 2U);
}

TEST_F(TellsOutbox, OfEachFileTheLatestGoesAndHasWhatWasToldBefore) {
  stepper.step(WakeHinted{});
  ASSERT_TRUE(stepper.has_round());  // they gather while it is under way
  end(0, report_of({1, 2}));
  end(1, report_of({1}));
  stepper.answer();
  ASSERT_TRUE(stepper.has_round());
  EXPECT_EQ(asked(), (Rows{{1, 2}}));
  EXPECT_EQ(stepper.ends().size(), 2U);
}

// Each run leaves out what lies behind its own rows, though its file had given those numbers when it looked.
TEST_F(TellsOutbox, OfEachFileTheReportGoesThatGoesFurthest) {
  stepper.step(WakeHinted{});
  ASSERT_TRUE(stepper.has_round());
  const auto of_run = [](std::vector<std::int64_t> seqs) {
    OutboxReport report = report_of(std::move(seqs));
    report.rows.newest = OutboxSeq{3};
    return report;
  };
  end(0, of_run({1}));
  end(1, of_run({1, 2}));
  stepper.answer();
  EXPECT_EQ(asked(), (Rows{{1, 2}}));
}

TEST(ToldOutboxes, OneThatWasNotStoredGivesWayToALaterOneThatGoesFurther) {
  ToldOutboxes told;
  const auto tell = [&](std::vector<std::int64_t> seqs) {
    AttemptEnd end;
    end.outbox = report_of(std::move(seqs));
    end.outbox->rows.newest = OutboxSeq{3};
    EXPECT_TRUE(told.told(kFirst, end));
  };
  tell({1, 2});
  const auto failed = told.take();
  tell({1, 2, 3});
  told.not_stored(failed);
  const auto ask = told.take();
  ASSERT_EQ(ask.size(), 1U);
  EXPECT_EQ(ask[0].report.rows.rows.size(), 3U);
}

TEST(ToldOutboxes, EachProcessThatToldOfAFileHasItsOwnAcknowledgement) {
  constexpr ProcessNumber kSecond{2};
  ToldOutboxes told;
  told.taken_over({kFirst, kAcme, OutboxSeq{2}});
  told.taken_over({kSecond, kAcme, OutboxSeq{3}});
  told.taken_over({kFirst, kAcme, OutboxSeq{5}});
  const auto synced = told.synced(Instant{1s});
  ASSERT_EQ(synced.size(), 2U);
  EXPECT_EQ(synced[0].process, kFirst);
  EXPECT_EQ(synced[0].watermark, OutboxSeq{5});
  EXPECT_EQ(synced[1].process, kSecond);
  EXPECT_EQ(synced[1].watermark, OutboxSeq{3});
}

TEST(ToldOutboxes, HaveABoundBehindWhichTheyAreLeftOut) {
  ToldOutboxes told;
  AttemptEnd end;
  const auto report = [&](int tenant, std::size_t bytes) {
    end.outbox = report_of({1});
    end.outbox->owner.tenant = TenantName{"tenant-" + std::to_string(tenant)};
    end.outbox->rows.rows[0].text.assign(bytes, 'x');
    return told.told(kFirst, end);
  };
  constexpr std::size_t kHalf = ToldOutboxes::kBytesMax / 2 - 1024;
  EXPECT_TRUE(report(1, kHalf));
  EXPECT_TRUE(report(2, kHalf));
  EXPECT_FALSE(report(3, kHalf));
  EXPECT_TRUE(report(4, 1));
  const auto ask = told.take();
  EXPECT_EQ(ask.size(), 3U);
  EXPECT_TRUE(report(3, kHalf)) << "there is room again";
  told.not_stored(ask);
  EXPECT_FALSE(report(5, 1'000'000));
  EXPECT_EQ(told.take().size(), 4U) << "nothing that was taken is lost";
}

TEST_F(TellsOutbox, WhatWasNotTakenOverIsNotAcknowledged) {
  end(0, report_of({5, 6}));
  EXPECT_FALSE(find<AcknowledgeOutbox>(stepper.answer<OutboxRowsPart>({{.watermark = OutboxSeq{4}}})));
}

TEST_F(TellsOutbox, NothingOfAnOlderCopyIsAcknowledged) {
  end(0, report_of({4}));
  EXPECT_FALSE(find<AcknowledgeOutbox>(
      stepper.answer<OutboxRowsPart>({{.watermark = OutboxSeq{10}, .is_file_behind = true}})));
}

TEST_F(TellsOutbox, OfWhatAProcessHasNotToldAllTheFileIsMarked) {
  end(0, report_of({1}, false));
  EXPECT_TRUE(stepper.ends().at(0).leaves_outbox);
  stepper.answer();
  while (stepper.has_round()) stepper.answer();
  end(1, report_of({}, false));
  EXPECT_TRUE(asked().empty()) << "it could not be read, and says nothing of the file";
  EXPECT_TRUE(stepper.ends().at(0).leaves_outbox);
}

TEST_F(TellsOutbox, OfRunsThatToldAllNothingIsMarked) {
  end(0, report_of({1}));
  EXPECT_FALSE(stepper.ends().at(0).leaves_outbox);
  stepper.answer();
  while (stepper.has_round()) stepper.answer();
  end(1, std::nullopt);
  EXPECT_FALSE(stepper.ends().at(0).leaves_outbox);
}

TEST_F(TellsOutbox, OfRunsThatEndedWithTheirProcessTheFileIsMarkedAndOfOthersNot) {
  stepper.step(WorkerGone{.process = kFirst,
                          .cause = "signal 9 (Killed)",
                          .exit = queue::ProcessExit{queue::ProcessExit::By::signal, 9},
                          .slots = LastSlots{.begun = {claims[0]}, .crashed = {}}});
  ASSERT_TRUE(stepper.has_round());
  const auto ends = stepper.ends();
  ASSERT_EQ(ends.size(), 2U);
  for (const ClaimEnd& each : ends) EXPECT_EQ(each.leaves_outbox, each.claim == claims[0]);
}

TEST_F(TellsOutbox, OfARunWhoseEndWasNotToldTheFileIsMarked) {
  stepper.step(WorkerGone{
      .process = kFirst,
      .cause = "signal 9 (Killed)",
      .slots = LastSlots{.begun = claims, .crashed = {claims[0]}, .ended = {{.claim = claims[1]}}}});
  ASSERT_TRUE(stepper.has_round());
  for (const ClaimEnd& each : stepper.ends()) EXPECT_TRUE(each.leaves_outbox);
}

TEST_F(TellsOutbox, AStopWaitsUntilRowsAreStored) {
  end(0, report_of({1}));
  end(1, std::nullopt);
  stepper.step(StopAsked{});
  Actions actions = stepper.step(WorkerGone{.process = kFirst, .cause = "exit 0"});
  EXPECT_FALSE(find<Leave>(actions));
  for (int rounds = 0; rounds < 5 && stepper.has_round() && !find<Leave>(actions); ++rounds)
    actions = stepper.answer();
  EXPECT_TRUE(find<Leave>(actions));
}

// What each part does with a store.
class OutboxRounds : public ::testing::Test {
 protected:
  OutboxRounds() {
    const auto created = value_or_raise(store->registry().begin_create(kAcme.tenant, now));
    value_or_raise(store->registry().activate(kAcme.tenant, created.generation));
    acme = created.number;
  }
  static queue::NewJob child(std::uint8_t number) {
    Uuid::Bytes bytes{};
    bytes.back() = number;
    return {.id = queue::JobId{Uuid{bytes}},
            .tenant = kAcme.tenant,
            .generation = kAcme.generation,
            .queue = "default",
            .kind = "job",
            .attempts_max = 3,
            .arguments = "{}"};
  }
  RoundReply run(const RoundWork& work) { return run_round(*store, work, now); }
  std::size_t marks() {
    std::size_t count = 0;
    store->read([&](queue::JobReader& reader) { count = reader.outbox_marks({}, 10).size(); });
    return count;
  }

  std::unique_ptr<queue::Store> store = queue::make_memory_store();
  WallTime now = from_us(1'700'000'000'000'000);
  TenantNumber acme;
};

TEST_F(OutboxRounds, RowsBecomeJobsAndARefusedOneLeavesAMark) {
  OutboxReport report{.owner = kAcme, .rows = {OutboxSeq{2}, {}}};
  report.rows.rows = {{OutboxSeq{1}, write_outbox_row(child(1), {})}, {OutboxSeq{2}, "no row"}};
  const RoundReply reply = run(asking<OutboxRowsPart>({{kFirst, report}}));
  ASSERT_EQ(reply.answer<OutboxRowsPart>()->size(), 1U);
  EXPECT_EQ(reply.answer<OutboxRowsPart>()->at(0).inserted, 1);
  EXPECT_EQ(marks(), 1U);
}

TEST_F(OutboxRounds, AnEndThatLeavesAnOutboxMarksItsTenantWhateverItIs) {
  ClaimEnd end{.claim = {queue::JobSeq{77}, {}}, .how = EndReclaim{}, .lane = kLane};
  end.lane.tenant = acme;
  (void)run(asking<EndsPart>({end}));
  EXPECT_EQ(marks(), 0U);
  end.leaves_outbox = true;
  (void)run(asking<EndsPart>({end}));
  EXPECT_EQ(marks(), 1U) << "also where the claim was lost";
}

TEST_F(OutboxRounds, AJobThatIsDeadWithoutAWordOfItsOutboxLeavesAMark) {
  const auto ended = [&](bool has_told) {
    queue::ClaimRef claim;
    store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      const auto job = value_or_raise(writer.enqueue(child(has_told ? 1 : 2), now));
      const auto lane = job.arrival->lane;
      const auto reply = writer.claim({.queue = lane.queue,
                                       .priority = lane.priority,
                                       .tenant = lane.tenant,
                                       .kinds = {{lane.kind, std::nullopt}},
                                       .incarnation = queue::Incarnation{},
                                       .first_counter = 1,
                                       .process = kFirst},
                                      now);
      claim = {reply.jobs.at(0).seq, reply.jobs.at(0).token};
    });
    ClaimEnd end{.claim = claim, .how = EndFinal{}, .lane = kLane};
    end.lane.tenant = acme;
    end.has_told_outbox = has_told;
    (void)run(asking<EndsPart>({end}));
    return marks();
  };
  EXPECT_EQ(ended(true), 0U);
  EXPECT_EQ(ended(false), 1U);
}

TEST_F(OutboxRounds, TenantsOfClaimsOfFormerHoldersAreMarked) {
  queue::Incarnation incarnation{};
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    incarnation = writer.open_incarnation(5, "test", 1, now);
    const auto job = value_or_raise(writer.enqueue(child(1), now));
    const auto lane = job.arrival->lane;
    const auto reply = writer.claim({.queue = lane.queue,
                                     .priority = lane.priority,
                                     .tenant = lane.tenant,
                                     .kinds = {{lane.kind, std::nullopt}},
                                     .incarnation = incarnation,
                                     .first_counter = 1,
                                     .process = kFirst},
                                    now);
    ASSERT_EQ(reply.jobs.size(), 1U);
  });
  (void)run(asking<FormerClaimsPart>({queue::Incarnation{incarnation.value + 1}, false}));
  EXPECT_EQ(marks(), 1U);
}

}  // namespace
}  // namespace tenure::daemon
