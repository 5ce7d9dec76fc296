#include "shop.hpp"
#include "support/outboxes.hpp"

#include <tenure/daemon/dispatcher.hpp>
#include <tenure/jobs/client.hpp>
#include <tenure/jobs/perform.hpp>
#include <tenure/queue/outbox_file.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <cereal/cereal.hpp>
#include <gmock/gmock.h>

#include <deque>
#include <functional>
#include <outbox/outbox_sweep.hpp>
#include <utility>
#include <variant>

// What a run has enqueued in its tenant's database, on its way from the run's end to the queue: the real dispatcher and its rounds, the
// real performer and sweep, over real files, step by step.
namespace tenure::testing {
namespace {

using namespace std::chrono_literals;
using daemon::Actions;
using daemon::Event;
using queue::JobId;
using queue::JobRecord;
using queue::ShownState;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

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
    step(daemon::Started{});
    carry_out_rounds();
  }

  // --- The daemon.

  void step(const Event& event) {
    Actions actions = dispatcher_.step(event, {clock_.wall(), clock_.steady()});
    for (daemon::Action& action : actions) {
      if (auto* round = std::get_if<daemon::RunRound>(&action)) rounds_.push_back(std::move(round->work));
      if (auto* assign = std::get_if<daemon::Assign>(&action))
        for (queue::ClaimedJob& job : assign->jobs) assigned_.emplace_back(assign->process, std::move(job));
      if (const auto* start = std::get_if<daemon::StartProcess>(&action)) starting_.push_back(start->process);
      if (const auto* told = std::get_if<daemon::AcknowledgeOutbox>(&action)) acknowledged_.push_back(*told);
      if (const auto* wake = std::get_if<daemon::WakeAt>(&action)) wake_ = wake->at;
    }
    while (!starting_.empty()) {
      const auto process = starting_.front();
      starting_.pop_front();
      step(
          daemon::WorkerReady{.process = process, .kinds = {std::string{Order::kind}}, .default_queues = {}});
    }
  }
  // The one under way, as the store's thread does it.
  void carry_out_round() {
    const auto work = rounds_.front();
    rounds_.pop_front();
    step(daemon::RoundDone{run_round(*store_, *work, clock_.wall())});
  }
  void carry_out_rounds() {
    while (!rounds_.empty()) carry_out_round();
  }
  // Until a job has come to a worker process.
  queue::ClaimedJob next_assigned() {
    step(daemon::WakeHinted{});
    for (int wakes = 0; assigned_.empty() && wakes < 1000; ++wakes) {
      carry_out_rounds();
      if (!assigned_.empty()) break;
      clock_.advance(std::max<std::chrono::microseconds>(wake_ - clock_.steady(), 1ms));
      step(daemon::TimePassed{});
    }
    if (assigned_.empty()) throw std::runtime_error("nothing was assigned");
    carry_out_rounds();
    process_ = assigned_.front().first;
    queue::ClaimedJob job = std::move(assigned_.front().second);
    assigned_.pop_front();
    return job;
  }
  void report(queue::AttemptEnd end) { step(daemon::AttemptsEnded{process_, {std::move(end)}}); }
  // The process dies while it performs, before a word of it; the board says so.
  void die(const queue::ClaimedJob& job) {
    const queue::ClaimRef claim{job.seq, job.token};
    step(daemon::WorkerGone{.process = process_,
                            .cause = "signal 11 (Segmentation fault)",
                            .exit = queue::ProcessExit{queue::ProcessExit::By::signal, 11},
                            .slots = daemon::LastSlots{.begun = {claim}, .crashed = {claim}}});
    carry_out_rounds();
  }

  // --- The worker process.

  queue::AttemptEnd perform(const queue::ClaimedJob& job, HowEnds how = HowEnds::well) {
    how_ends_ = how;
    queue::RunNotes notes{{job.seq, job.token}};
    return performer_.perform({.claim = {job.seq, job.token},
                               .id = job.id,
                               .tenant = job.tenant,
                               .generation = job.generation,
                               .kind = job.kind,
                               .envelope = job.envelope,
                               .attempt = job.failures + 1,
                               .attempts_max = job.attempts_max},
                              {}, notes);
  }
  // What the daemon has acknowledged, and nothing else.
  void obey_acknowledgements() {
    for (const auto& told : std::exchange(acknowledged_, {}))
      performer_.clear_outbox(told.owner, told.watermark);
  }

  // --- What is there.

  JobId enqueue() {
    return JobId{with_tenant("acme", [&] { return client_.enqueue(Order{}, {.attempts_max = 10}); })};
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
    die(job);
    EXPECT_EQ(shipments(), 0U);
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

  daemon::Dispatcher dispatcher_{{.pools = {{"default", 1, {"default"}}}, .node = "test"}};
  std::deque<std::shared_ptr<const daemon::RoundWork>> rounds_;
  std::deque<std::pair<daemon::ProcessNumber, queue::ClaimedJob>> assigned_;
  std::deque<daemon::ProcessNumber> starting_;
  std::vector<daemon::AcknowledgeOutbox> acknowledged_;
  Instant wake_;
  daemon::ProcessNumber process_;  // of the job that was assigned last
};

TEST_P(RunOutbox, OBX_12_RowsComeWithTheOutcomeInOneCommitAndGoWhenThatIsAcknowledged) {
  for (const HowEnds how : {HowEnds::well, HowEnds::by_throwing}) {
    const JobId id = enqueue();
    const std::size_t before = shipments();
    const queue::ClaimedJob job = next_assigned();
    queue::AttemptEnd end = perform(job, how);
    EXPECT_EQ(rows(), 2U);
    report(std::move(end));
    ASSERT_FALSE(rounds_.empty());
    EXPECT_EQ(held(id), (Held{before, ShownState::running})) << "neither is there";
    EXPECT_EQ(rounds_.front()->durability(), queue::Durability::durable);
    const auto work = rounds_.front();
    rounds_.pop_front();
    daemon::RoundReply reply = run_round(*store_, *work, clock_.wall());
    const ShownState ended = how == HowEnds::well ? ShownState::succeeded : ShownState::scheduled;
    EXPECT_EQ(held(id), (Held{before + 2, ended})) << "both are";
    obey_acknowledgements();
    EXPECT_EQ(rows(), 2U) << "nothing was acknowledged";
    step(daemon::RoundDone{std::move(reply)});
    ASSERT_THAT(acknowledged_, SizeIs(1));
    obey_acknowledgements();
    EXPECT_EQ(rows(), 0U);
    carry_out_rounds();
    EXPECT_EQ(shipments(), before + 2);
    if (how == HowEnds::by_throwing)
      by_operator([&](auto& writer) { return writer.cancel_by_operator(id, {}); });
  }
}

TEST_P(RunOutbox, OBX_12_WhereTheCommitFailsNeitherIsThereUntilItIsMade) {
  const JobId id = enqueue();
  queue::AttemptEnd end = perform(next_assigned());
  report(std::move(end));
  const auto work = rounds_.front();
  rounds_.pop_front();
  step(daemon::RoundFailed{Failure{ErrorCode::store_busy, "it was so"}});
  EXPECT_EQ(held(id), (Held{0, ShownState::running}));
  EXPECT_THAT(acknowledged_, IsEmpty());
  // All of it happened but the answer, which the dispatcher never had: it asks again.
  EXPECT_TRUE(run_round(*store_, *work, clock_.wall()).answer<daemon::EndsPart>()->at(0));
  while (rounds_.empty()) {
    clock_.advance(std::max<std::chrono::microseconds>(wake_ - clock_.steady(), 1ms));
    step(daemon::TimePassed{});
  }
  carry_out_rounds();
  EXPECT_EQ(held(id), (Held{2, ShownState::succeeded}));
  ASSERT_THAT(acknowledged_, SizeIs(1));
  obey_acknowledgements();
  EXPECT_EQ(rows(), 0U);
}

TEST_P(RunOutbox, OBX_12_RowsOfALostClaimComeAllTheSame) {
  const JobId id = enqueue();
  const queue::ClaimedJob job = next_assigned();
  queue::AttemptEnd end = perform(job);
  // Somebody else has ended it meanwhile.
  by_operator([&](auto& writer) { return writer.release({job.seq, job.token}, true, {}, clock_.wall()); });
  report(std::move(end));
  const auto work = rounds_.front();
  rounds_.pop_front();
  daemon::RoundReply reply = run_round(*store_, *work, clock_.wall());
  const auto& ended = reply.answer<daemon::EndsPart>()->at(0);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, ErrorCode::claim_lost);
  EXPECT_EQ(held(id), (Held{2, ShownState::ready})) << "the loser changes nothing of the job";
  EXPECT_EQ(rows(), 2U);
  step(daemon::RoundDone{std::move(reply)});
  obey_acknowledgements();
  EXPECT_EQ(rows(), 0U);
  queue::ClaimedJob later = job;
  later.token.counter += 100;
  EXPECT_FALSE(perform(later).outbox.has_value()) << "its next run meets the receipt";
}

// Expired jobs cannot be made yet.
TEST_P(RunOutbox, RowsOfAJobThatIsPoisonBeforeItHasReportedAreSwept) {
  const JobId id = enqueue();
  for (int crash = 0; crash < 3; ++crash) ship_and_die();
  EXPECT_EQ(state_of(id), ShownState::dead);
  expect_swept();
}

// Of two jobs that wait for their retries, and whose runs have told nothing of their rows.
TEST_P(RunOutbox, RowsOfAJobThatAnOperatorEndsWhileItWaitsToRunAgainAreSwept) {
  for (const bool discards : {false, true}) {
    const JobId id = enqueue();
    queue::AttemptEnd end = perform(next_assigned(), HowEnds::by_throwing);
    end.outbox.reset();
    report(std::move(end));
    carry_out_rounds();
    EXPECT_EQ(state_of(id), ShownState::scheduled);
    EXPECT_THAT(marks_in(*store_), IsEmpty()) << "the job is the mark";
    by_operator([&](auto& writer) {
      return discards ? writer.discard_by_operator(id, clock_.wall())
                      : writer.cancel_by_operator(id, clock_.wall());
    });
    EXPECT_EQ(state_of(id), discards ? ShownState::discarded : ShownState::cancelled);
    expect_swept();
  }
}

TEST_P(RunOutbox, RowsOfAJobThatIsCancelledWhileItRunsAreSwept) {
  const JobId id = enqueue();
  const queue::ClaimedJob job = next_assigned();
  static_cast<void>(perform(job));
  by_operator([&](auto& writer) { return writer.ask_to_cancel(id, clock_.wall()); });
  die(job);
  EXPECT_EQ(state_of(id), ShownState::cancelled);
  expect_swept();
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
