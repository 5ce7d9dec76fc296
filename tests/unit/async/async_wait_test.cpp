#include "pings.hpp"
#include "unit/worker/failing_store.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <vector>

// Waiting for the end of a job from an event loop.
namespace tenure::testing {
namespace {

using namespace std::chrono_literals;

class AsyncWait : public AsyncClient {
 protected:
  void end(Uuid id) { client_->cancel(id, kOutside); }
  static inline const JobsOf kOutside{.untenanted = true};
};

TEST_F(AsyncWait, ItEndsWithTheJobAndSaysHow) {
  const Uuid id = client_->enqueue(Ping{1}, kUntenanted);
  Outcome<FoundJob> outcome;
  client_->async_wait(id, kOutside, into(outcome));
  loop_.poll();
  EXPECT_EQ(outcome.times, 0);
  end(id);
  loop_.restart();
  loop_.run();
  EXPECT_EQ(outcome.times, 1);
  EXPECT_EQ(outcome.code(), std::nullopt);
  EXPECT_EQ(outcome.answer->id, id);
  EXPECT_EQ(outcome.answer->state, ShownState::cancelled);
}

TEST_F(AsyncWait, OfAJobThatHasEndedItEndsAtOnce) {
  const Uuid id = client_->enqueue(Ping{1}, kUntenanted);
  end(id);
  Outcome<FoundJob> outcome;
  client_->async_wait(id, kOutside, into(outcome));
  loop_.run();
  EXPECT_EQ(outcome.answer->state, ShownState::cancelled);
}

TEST_F(AsyncWait, SomeEndAndTheOthersGoOn) {
  std::array<Outcome<FoundJob>, 3> outcomes;
  std::array<Uuid, 3> ids;
  for (std::size_t each = 0; each < ids.size(); ++each) {
    ids[each] = client_->enqueue(Ping{1}, kUntenanted);
    client_->async_wait(ids[each], kOutside, into(outcomes[each]));
  }
  end(ids[1]);
  while (outcomes[1].times == 0) loop_.run_one();
  EXPECT_EQ(outcomes[0].times + outcomes[2].times, 0);
  end(ids[0]);
  end(ids[2]);
  loop_.run();
  for (const auto& outcome : outcomes) EXPECT_EQ(outcome.times, 1);
}

TEST_F(AsyncWait, AJobThatIsNotTheirsIsNotFound) {
  const Uuid id = client_->enqueue(Ping{1}, kUntenanted);
  Outcome<FoundJob> of_acme;
  Outcome<FoundJob> of_nobody;
  client_->async_wait(id, {.tenant = "acme"}, into(of_acme));
  client_->async_wait(id, {}, into(of_nobody));
  loop_.run();
  EXPECT_EQ(of_acme.code(), ErrorCode::job_not_found);
  EXPECT_EQ(of_nobody.code(), ErrorCode::no_tenant);
}

TEST_F(AsyncWait, OneThatIsCancelledEndsAndItsJobIsLeft) {
  const Uuid id = client_->enqueue(Ping{1}, kUntenanted);
  Outcome<FoundJob> outcome;
  asio::cancellation_signal cancel;
  client_->async_wait(id, kOutside, asio::bind_cancellation_slot(cancel.slot(), into(outcome)));
  cancel.emit(asio::cancellation_type::terminal);
  loop_.run();
  EXPECT_EQ(outcome.code(), ErrorCode::interrupted);
  EXPECT_EQ(outcome.times, 1);
  EXPECT_EQ(client_->find(id, kOutside)->state, ShownState::ready);
}

// The look at all that wait takes many reads, and what is enqueued meanwhile waits for one of them.
TEST_F(AsyncWait, HoweverManyWaitAnEnqueueIsStoredBetweenTwoReads) {
  constexpr std::size_t kWaits = 3'000;
  daemon::FailingStore store(
      queue::open_sqlite_store({.path = folder_ / "other.db", .create = true}, clock_));
  std::atomic<bool> is_armed = false;
  std::atomic<int> reads_before_write = -1;  // -1: it has not been asked for
  Outcome<Uuid> stored;
  store.at_read = [&] {
    if (reads_before_write >= 0) ++reads_before_write;
    if (!is_armed.exchange(false)) return;
    reads_before_write = 0;
    client_->async_enqueue(Ping{1}, kUntenanted, into(stored));
  };
  int reads = -1;
  store.at_write = [&] {
    if (reads_before_write >= 0 && reads < 0) reads = reads_before_write;
  };
  client_.emplace(store, clock_, ClientOptions{.application = "test", .durability = Durability::ordered});
  std::vector<Outcome<FoundJob>> outcomes(kWaits);
  for (Outcome<FoundJob>& outcome : outcomes)
    client_->async_wait(client_->enqueue(Ping{1}, kUntenanted), kOutside, into(outcome));
  is_armed = true;
  while (stored.times == 0) loop_.run_one();
  EXPECT_EQ(stored.code(), std::nullopt);
  EXPECT_EQ(reads, 0);
  client_.reset();
  loop_.run();
  for (const auto& outcome : outcomes) EXPECT_EQ(outcome.times, 1);
}

TEST_F(AsyncWait, MoreThanMayWaitIsRefused) {
  client_.emplace(*store_, clock_, ClientOptions{.application = "test", .waiting_ends_max = 1});
  const Uuid id = client_->enqueue(Ping{1}, kUntenanted);
  Outcome<FoundJob> first;
  Outcome<FoundJob> second;
  client_->async_wait(id, kOutside, into(first));
  client_->async_wait(id, kOutside, into(second));
  while (second.times == 0) loop_.run_one();
  EXPECT_EQ(second.code(), ErrorCode::limit_reached);
  end(id);
  loop_.run();
  EXPECT_EQ(first.code(), std::nullopt);
}

}  // namespace
}  // namespace tenure::testing
