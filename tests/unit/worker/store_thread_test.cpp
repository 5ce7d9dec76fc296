#include <tenure/queue/memory_store.hpp>

#include <gtest/gtest.h>

#include <future>
#include <latch>
#include <loop/store_thread.hpp>
#include <memory>

namespace tenure::daemon {
namespace {

// Passes everything on but can be told to fail, like a disk.
class FailingStore final : public queue::Store {
 public:
  explicit FailingStore(std::unique_ptr<queue::Store> store) : store_(std::move(store)) {}
  std::optional<ErrorCode> fails_with;

  void write(queue::Durability durability, FunctionRef<void(queue::StoreWriter&)> work) override {
    if (fails_with) raise(*fails_with, "the disk is full");
    store_->write(durability, work);
  }
  void read(FunctionRef<void(queue::StoreReader&)> work) override { store_->read(work); }
  void sync() override {
    store_->sync();
    synced.count_down();
  }
  std::latch synced{1};
  std::int64_t change_counter() override { return store_->change_counter(); }
  void checkpoint(std::int64_t wal_bytes_min) override { store_->checkpoint(wal_bytes_min); }
  TenantRegistry& registry() override { return store_->registry(); }

 private:
  std::unique_ptr<queue::Store> store_;
};

class StoreThreadTest : public ::testing::Test {
 protected:
  Event answer_to(RoundWork work) {
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
  const Event event = answer_to({.open = OpenIncarnation{.node = "n", .pid = 1}});
  ASSERT_TRUE(std::holds_alternative<RoundDone>(event));
  EXPECT_TRUE(std::get<RoundDone>(event).reply.incarnation.has_value());
}

TEST_F(StoreThreadTest, TellsOfARoundThatFailedAndNothingElse) {
  store_.fails_with = ErrorCode::disk;
  const Event event = answer_to({.open = OpenIncarnation{.node = "n", .pid = 1}});
  ASSERT_TRUE(std::holds_alternative<RoundFailed>(event));
  EXPECT_EQ(std::get<RoundFailed>(event).failure.code, ErrorCode::disk);
}

// The virtual clock stands at the start and jumps past the bound, so the first look at it finds the sync due.
TEST_F(StoreThreadTest, CLM_28_AnOrderedCommitIsSyncedWithoutMoreWork) {
  StoreThread thread(store_, clock_, [&](const Event&) { clock_.advance(std::chrono::milliseconds{100}); });
  thread.submit({.open = OpenIncarnation{.node = "n", .pid = 1}});
  store_.synced.wait();
}

TEST_F(StoreThreadTest, StopIsSafeTwice) {
  StoreThread thread(store_, clock_, [](const Event&) {});
  thread.stop();
  thread.stop();
}

}  // namespace
}  // namespace tenure::daemon
