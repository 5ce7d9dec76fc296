#include "failing_store.hpp"

#include <tenure/queue/memory_store.hpp>

#include <gtest/gtest.h>

#include <future>
#include <loop/store_thread.hpp>
#include <memory>
#include <mutex>
#include <stdexcept>

namespace tenure::daemon {
namespace {

class StoreThreadTest : public ::testing::Test {
 protected:
  static std::shared_ptr<const RoundWork> opening() {
    RoundWork work;
    work.ask<OpeningPart>() = OpeningPart::Ask{.node = "n", .pid = 1};
    return std::make_shared<const RoundWork>(std::move(work));
  }
  Event answer_to(std::shared_ptr<const RoundWork> work) {
    std::promise<Event> promise;
    StoreThread thread(store_, clock_, [&](Event event) { promise.set_value(std::move(event)); });
    thread.submit(std::move(work));
    auto future = promise.get_future();
    if (future.wait_for(std::chrono::seconds{60}) != std::future_status::ready)
      throw std::runtime_error("no answer");
    return future.get();
  }

  VirtualClock clock_;
  FailingStore store_{queue::make_memory_store()};
};

TEST_F(StoreThreadTest, AnswersWithWhatTheStoreDid) {
  const Event event = answer_to(opening());
  ASSERT_TRUE(std::holds_alternative<RoundDone>(event));
  EXPECT_TRUE(std::get<RoundDone>(event).reply.answer<OpeningPart>().has_value());
}

TEST_F(StoreThreadTest, TellsOfARoundThatFailedAndNothingElse) {
  store_.write_fails_with = ErrorCode::disk;
  const Event event = answer_to(opening());
  ASSERT_TRUE(std::holds_alternative<RoundFailed>(event));
  EXPECT_EQ(std::get<RoundFailed>(event).failure.code, ErrorCode::disk);
}

TEST_F(StoreThreadTest, NoRoundIsCarriedOutWhoseConditionFails) {
  std::promise<Event> promise;
  StoreThread thread(
      store_, clock_, [&](Event event) { promise.set_value(std::move(event)); },
      [] { raise(ErrorCode::database_moved, "the lock is gone"); });
  thread.submit(opening());
  const Event event = promise.get_future().get();
  ASSERT_TRUE(std::holds_alternative<RoundFailed>(event));
  EXPECT_EQ(std::get<RoundFailed>(event).failure.code, ErrorCode::database_moved);
  store_.read([](queue::JobReader& reader) { EXPECT_FALSE(reader.summary().last_holder); });
}

// The virtual clock stands at the start and jumps past the bound, so the first look at it finds the sync due.
TEST_F(StoreThreadTest, CLM_28_AnOrderedCommitIsSyncedWithoutMoreWork) {
  StoreThread thread(store_, clock_, [&](const Event&) { clock_.advance(std::chrono::milliseconds{100}); });
  thread.submit(opening());
  store_.synced.wait();
}

TEST_F(StoreThreadTest, LSE_20_TellsOfASyncBetweenTwoRoundsThatNoRetryHeals) {
  store_.sync_fails_with = ErrorCode::database_moved;
  std::promise<ErrorCode> told;
  std::once_flag once;
  StoreThread thread(store_, clock_, [&](const Event& event) {
    clock_.advance(std::chrono::milliseconds{100});
    if (const auto* failed = std::get_if<RoundFailed>(&event))
      std::call_once(once, [&] { told.set_value(failed->failure.code); });
  });
  thread.submit(opening());
  auto code = told.get_future();
  ASSERT_EQ(code.wait_for(std::chrono::seconds{60}), std::future_status::ready);
  EXPECT_EQ(code.get(), ErrorCode::database_moved);
}

TEST_F(StoreThreadTest, StopIsSafeTwice) {
  StoreThread thread(store_, clock_, [](const Event&) {});
  thread.stop();
  thread.stop();
}

}  // namespace
}  // namespace tenure::daemon
