#include "support/shim_vfs.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/client.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace tenure {
namespace {

// SQLite's numbers.
constexpr int kOk = 0;
constexpr int kIoErrorOfSync = 1034;

struct Ping {
  static constexpr std::string_view kind = "test.ping";
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(number));
  }
};

TEST(ClientDisk, LSE_21_ABatchWhoseSyncFailsIsNotAcknowledgedAndNothingIsAfterIt) {
  const testing::TemporaryFolder folder;
  std::atomic<int> answer = kOk;
  const testing::ShimVfs vfs([&](const testing::ShimVfs::Event& event) {
    return event.call == testing::ShimVfs::Call::sync && event.file == testing::ShimVfs::File::wal
               ? answer.load()
               : kOk;
  });
  const VirtualClock clock;
  const auto store = queue::open_sqlite_store({.path = folder / "control.db", .create = true}, clock);
  Client client(*store, clock, {.application = "test"});
  const EnqueueOptions untenanted{.untenanted = true};
  client.enqueue(Ping{1}, untenanted);

  answer = kIoErrorOfSync;
  EXPECT_THROW(client.enqueue_all(std::vector<Ping>(3), untenanted), DiskSyncFailed);
  answer = kOk;
  EXPECT_THROW(client.enqueue(Ping{2}, untenanted), DiskSyncFailed)
      << "a sync that succeeds now says nothing";
  EXPECT_THROW(client.enqueue_all(std::vector<Ping>(3), untenanted), DiskSyncFailed);
}

}  // namespace
}  // namespace tenure
