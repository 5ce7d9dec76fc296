#include "shop.hpp"
#include "support/outboxes.hpp"
#include "support/stepped_daemon.hpp"

#include <tenure/daemon/dispatcher.hpp>
#include <tenure/jobs/client.hpp>
#include <tenure/jobs/perform.hpp>
#include <tenure/queue/outbox_file.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <cereal/cereal.hpp>
#include <gmock/gmock.h>

#include <outbox/outbox_sweep.hpp>
#include <utility>

// What a run has enqueued in its tenant's database, on its way from the run's end to the queue: the real dispatcher and its rounds, the
// real performer and sweep, over real files, step by step.
namespace tenure::testing {
namespace {

using namespace std::chrono_literals;
using queue::JobId;
using queue::JobRecord;
using queue::ShownState;
using ::testing::IsEmpty;

struct Order {
  static constexpr std::string_view kind = "shop.order";
  template <class Archive>
  void serialize(Archive&) {}
};
// Nobody performs it here.
struct Shipment {
  static constexpr std::string_view kind = "shop.shipment";
  template <class Archive>
  void serialize(Archive&) {}
};

// How a run ends that has made two shipments in its step.
enum class HowEnds : std::uint8_t { well, by_throwing };

struct StoreMaker {
  std::string_view name;
  std::unique_ptr<queue::Store> (*make)(const std::filesystem::path&, const Clock&);
  friend std::ostream& operator<<(std::ostream& out, const StoreMaker& maker) { return out << maker.name; }
};

class RunOutbox : public ::testing::TestWithParam<StoreMaker> {
 protected:
  RunOutbox() {
    tenants_.create(kAcme);
    jobs_.add<Order>([this](const Order&, JobContext& context) {
      context.once("ship", [](JobTransaction& transaction) {
        for (int each = 0; each < 2; ++each) transaction.enqueue(Shipment{});
      });
      if (how_ends_ == HowEnds::by_throwing) throw std::runtime_error("out of paper");
    });
    daemon_.start();
  }

  queue::ClaimedJob next_assigned() {
    auto job = daemon_.next_assigned(1000);
    if (!job) throw std::runtime_error("nothing was assigned");
    return *std::move(job);
  }

  // --- The worker process.

  queue::AttemptEnd perform(const queue::ClaimedJob& job, HowEnds how = HowEnds::well) {
    how_ends_ = how;
    queue::RunNotes notes{{job.seq, job.token}};
    return performer_.perform(assigned_job(job), {}, notes);
  }
  // What the daemon has acknowledged, and nothing else.
  void obey_acknowledgements() {
    acknowledged_ = 0;
    for (const auto& told : daemon_.take_acknowledged()) {
      ++acknowledged_;
      performer_.clear_outbox(told.owner, told.watermark);
    }
  }

  // --- What is there.

  JobId enqueue(std::optional<std::chrono::milliseconds> start_within = {}) {
    return JobId{with_tenant("acme", [&] {
      return client_.enqueue(Order{}, {.start_within = start_within, .attempts_max = 10});
    })};
  }
  // In the tenant's database.
  std::size_t rows() {
    const TenantScope scope{kAcme};
    return tenants_.open_current()->read(
        [](TenantReader& reader) { return queue::read_outbox_front(reader).rows.rows.size(); });
  }
  std::size_t shipments() {
    return static_cast<std::size_t>(std::ranges::count_if(
        jobs_in(*store_), [](const JobRecord& job) { return job.kind == Shipment::kind; }));
  }
  ShownState state_of(JobId id) {
    for (const JobRecord& job : jobs_in(*store_))
      if (job.id == id) return job.state;
    throw std::runtime_error("no such job");
  }
  // What the store holds right behind the commit of one round.
  struct Held {
    std::size_t shipments;
    ShownState state;
    friend bool operator==(const Held&, const Held&) = default;
  };
  Held held(JobId id) { return {shipments(), state_of(id)}; }
  template <class Verb>
  void by_operator(Verb verb) {
    store_->write(queue::Durability::durable,
                  [&](queue::StoreWriter& writer) { value_or_raise(verb(writer)); });
  }
  // A run has made its shipments, and its process dies before it has said so.
  void ship_and_die() {
    const queue::ClaimedJob job = next_assigned();
    static_cast<void>(perform(job));
    daemon_.process_dies(job);
    EXPECT_EQ(shipments(), 0U);
  }
  // A power cut has undone it, and what its run has written is on disk.
  void undo_claim(const queue::ClaimedJob& job) {
    by_operator([&](auto& writer) { return writer.release({job.seq, job.token}, false, {}, clock_.wall()); });
  }
  void expect_ended(JobId id, ShownState state, queue::JobReason reason) {
    EXPECT_EQ(state_of(id), state);
    for (const JobRecord& job : jobs_in(*store_)) {
      if (job.id == id) {
        EXPECT_EQ(job.reason, reason);
      }
    }
    expect_swept();
  }
  void expect_swept() {
    const std::size_t before = shipments();
    EXPECT_EQ(rows(), 2U);
    for (int twice = 0; twice < 2; ++twice) {
      static_cast<void>(sweep_.pass());
      EXPECT_EQ(shipments(), before + 2);
      EXPECT_EQ(rows(), 0U);
    }
  }

  TemporaryFolder folder_;
  VirtualClock clock_;
  std::unique_ptr<queue::Store> store_ = GetParam().make(folder_ / "control.db", clock_);
  HandleCache handles_{files_in(folder_.path()), {}};
  Tenants tenants_{
      store_->registry(), handles_, clock_, {.application = "shop", .migrations = shop_migrations()}};
  Client client_{*store_, clock_, {.application = "shop"}};
  JobRegistry jobs_;
  Performer performer_{jobs_, handles_, clock_, {.application = "shop"}};
  HowEnds how_ends_ = HowEnds::well;
  daemon::OutboxSweep sweep_{*store_, clock_, files_in(folder_.path()), {.application = "shop"}, [] {}};

  SteppedDaemon daemon_{*store_, clock_, {std::string{Order::kind}}};
  int acknowledged_ = 0;  // files, when they were obeyed last
};

TEST_P(RunOutbox, WhatWasTakenOverBehindASyncIsAcknowledgedBehindTheNext) {
  const auto run_ends = [&] {
    enqueue();
    daemon_.report(perform(next_assigned()));
    daemon_.carry_out_rounds();
    obey_acknowledgements();
  };
  run_ends();
  EXPECT_EQ(acknowledged_, 1);
  run_ends();
  EXPECT_EQ(shipments(), 4U);
  EXPECT_EQ(acknowledged_, 0);
  EXPECT_EQ(rows(), 2U);
  clock_.advance(1s);
  daemon_.step(daemon::TimePassed{});
  ASSERT_TRUE(daemon_.has_round());
  const auto work = daemon_.take_round();
  EXPECT_EQ(work->durability(), queue::Durability::durable);
  daemon::RoundReply reply = run_round(*store_, *work, clock_.wall());
  obey_acknowledgements();
  EXPECT_EQ(acknowledged_, 0);
  daemon_.step(daemon::RoundDone{std::move(reply)});
  obey_acknowledgements();
  EXPECT_EQ(acknowledged_, 1);
  EXPECT_EQ(rows(), 0U);
  EXPECT_EQ(shipments(), 4U);
}

TEST_P(RunOutbox, OBX_12_RowsComeWithTheOutcomeInOneCommitAndGoWhenThatIsAcknowledged) {
  for (const HowEnds how : {HowEnds::well, HowEnds::by_throwing}) {
    clock_.advance(
        1s);  // so that the sync for the last outbox was long ago, and the next is in the commit itself
    const JobId id = enqueue();
    const std::size_t before = shipments();
    const queue::ClaimedJob job = next_assigned();
    queue::AttemptEnd end = perform(job, how);
    EXPECT_EQ(rows(), 2U);
    daemon_.report(std::move(end));
    ASSERT_TRUE(daemon_.has_round());
    EXPECT_EQ(held(id), (Held{before, ShownState::running})) << "neither is there";
    const auto work = daemon_.take_round();
    EXPECT_EQ(work->durability(), queue::Durability::durable);
    daemon::RoundReply reply = run_round(*store_, *work, clock_.wall());
    const ShownState ended = how == HowEnds::well ? ShownState::succeeded : ShownState::scheduled;
    EXPECT_EQ(held(id), (Held{before + 2, ended})) << "both are";
    obey_acknowledgements();
    EXPECT_EQ(rows(), 2U) << "nothing was acknowledged";
    daemon_.step(daemon::RoundDone{std::move(reply)});
    obey_acknowledgements();
    EXPECT_EQ(acknowledged_, 1);
    EXPECT_EQ(rows(), 0U);
    daemon_.carry_out_rounds();
    EXPECT_EQ(shipments(), before + 2);
    if (how == HowEnds::by_throwing)
      by_operator([&](auto& writer) { return writer.cancel_by_operator(id, {}); });
  }
}

TEST_P(RunOutbox, OBX_12_WhereTheCommitFailsNeitherIsThereUntilItIsMade) {
  const JobId id = enqueue();
  queue::AttemptEnd end = perform(next_assigned());
  daemon_.report(std::move(end));
  const auto work = daemon_.take_round();
  daemon_.step(daemon::RoundFailed{Failure{ErrorCode::store_busy, "it was so"}});
  EXPECT_EQ(held(id), (Held{0, ShownState::running}));
  obey_acknowledgements();
  EXPECT_EQ(acknowledged_, 0);
  // All of it happened but the answer, which the dispatcher never had: it asks again.
  EXPECT_TRUE(run_round(*store_, *work, clock_.wall()).answer<daemon::EndsPart>()->at(0));
  while (!daemon_.has_round()) daemon_.wake();
  daemon_.carry_out_rounds();
  EXPECT_EQ(held(id), (Held{2, ShownState::succeeded}));
  obey_acknowledgements();
  EXPECT_EQ(acknowledged_, 1);
  EXPECT_EQ(rows(), 0U);
}

TEST_P(RunOutbox, OBX_12_RowsOfALostClaimComeAllTheSame) {
  const JobId id = enqueue();
  const queue::ClaimedJob job = next_assigned();
  queue::AttemptEnd end = perform(job);
  // Somebody else has ended it meanwhile.
  by_operator([&](auto& writer) { return writer.release({job.seq, job.token}, true, {}, clock_.wall()); });
  daemon_.report(std::move(end));
  const auto work = daemon_.take_round();
  daemon::RoundReply reply = run_round(*store_, *work, clock_.wall());
  const auto& ended = reply.answer<daemon::EndsPart>()->at(0);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, ErrorCode::claim_lost);
  EXPECT_EQ(held(id), (Held{2, ShownState::ready})) << "the loser changes nothing of the job";
  EXPECT_EQ(rows(), 2U);
  daemon_.step(daemon::RoundDone{std::move(reply)});
  obey_acknowledgements();
  EXPECT_EQ(rows(), 0U);
  queue::ClaimedJob later = job;
  later.token.counter += 100;
  EXPECT_FALSE(perform(later).outbox.has_value()) << "its next run meets the receipt";
}

// Each way in which a job ends without having told of its rows. The job that has not ended is the mark; whoever ends it leaves one.
TEST_P(RunOutbox, OBX_13_RowsOfAJobThatIsCancelledDiscardedExpiredOrPoisonBeforeItReportedAreSwept) {
  {
    SCOPED_TRACE("poison");
    const JobId id = enqueue();
    for (int crash = 0; crash < 3; ++crash) ship_and_die();
    expect_ended(id, ShownState::dead, queue::JobReason::poison);
  }
  for (const bool discards : {false, true}) {
    SCOPED_TRACE(discards ? "discarded while it waits for its retry"
                          : "cancelled while it waits for its retry");
    const JobId id = enqueue();
    queue::AttemptEnd end = perform(next_assigned(), HowEnds::by_throwing);
    end.outbox.reset();
    daemon_.report(std::move(end));
    daemon_.carry_out_rounds();
    EXPECT_EQ(state_of(id), ShownState::scheduled);
    EXPECT_THAT(marks_in(*store_), IsEmpty()) << "the job is the mark";
    by_operator([&](auto& writer) {
      return discards ? writer.discard_by_operator(id, clock_.wall())
                      : writer.cancel_by_operator(id, clock_.wall());
    });
    expect_ended(id, discards ? ShownState::discarded : ShownState::cancelled, queue::JobReason::by_operator);
  }
  {
    SCOPED_TRACE("cancelled while it runs");
    const JobId id = enqueue();
    const queue::ClaimedJob job = next_assigned();
    static_cast<void>(perform(job));
    by_operator([&](auto& writer) { return writer.ask_to_cancel(id, clock_.wall()); });
    daemon_.process_dies(job);
    expect_ended(id, ShownState::cancelled, queue::JobReason::by_operator);
  }
  {
    SCOPED_TRACE("expired while it waits");
    const JobId id = enqueue(1min);
    const queue::ClaimedJob job = next_assigned();
    static_cast<void>(perform(job));
    undo_claim(job);
    EXPECT_THAT(marks_in(*store_), IsEmpty()) << "the job is the mark";
    clock_.advance(1min);
    daemon_.wake();
    daemon_.carry_out_rounds();
    expect_ended(id, ShownState::discarded, queue::JobReason::expired);
    // The process that has it still is told that it has lost it.
    daemon_.report({.claim = {job.seq, job.token}, .failure = {}});
    daemon_.carry_out_rounds();
    EXPECT_EQ(state_of(id), ShownState::discarded);
  }
  {
    SCOPED_TRACE("expired where it would have run again");
    const JobId id = enqueue(1min);
    const queue::ClaimedJob job = next_assigned();
    static_cast<void>(
        perform(job));  // a run whose claim a power cut has undone, and this is the claim after that
    clock_.advance(1min);
    queue::AttemptEnd end = perform(job);
    EXPECT_EQ(end.result, queue::RunResult::expired);
    daemon_.report(std::move(end));
    daemon_.carry_out_rounds();
    expect_ended(id, ShownState::discarded, queue::JobReason::expired);
  }
}

std::unique_ptr<queue::Store> make_memory(const std::filesystem::path&, const Clock&) {
  return queue::make_memory_store();
}
std::unique_ptr<queue::Store> make_sqlite(const std::filesystem::path& path, const Clock& clock) {
  return queue::open_sqlite_store({.path = path, .create = true}, clock);
}

INSTANTIATE_TEST_SUITE_P(EachStore, RunOutbox,
                         ::testing::Values(StoreMaker{"Memory", &make_memory},
                                           StoreMaker{"Sqlite", &make_sqlite}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
