#include "support/shim_vfs.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/system.hpp>
#include <tenure/client.hpp>
#include <tenure/queue/sqlite_store.hpp>
#include <tenure/queue/wake_hint.hpp>

#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <string>
#include <sys/socket.h>
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

// What one enqueue costs is its sync (docs/performance.md, figures 3 and 6): a bulk has one, whatever its size.
TEST(ClientDisk, ENQ_08_ABulkAnswersInTheOrderOfItsJobsWithOneSyncAndOneWakeHint) {
  const testing::TemporaryFolder folder;
  int syncs = 0;
  const testing::ShimVfs vfs([&](const testing::ShimVfs::Event& event) {
    syncs += event.call == testing::ShimVfs::Call::sync && event.file == testing::ShimVfs::File::wal ? 1 : 0;
    return kOk;
  });
  const VirtualClock clock;
  const auto control = folder / "control.db";
  const auto store = queue::open_sqlite_store({.path = control, .create = true}, clock);
  const Descriptor receiver{queue::bind_wake_receiver(control)};
  const auto hints = [&] {
    int count = 0;
    for (std::array<char, queue::kWakeHintMax> datagram{};
         ::recv(receiver.number(), datagram.data(), datagram.size(), 0) >= 0;)
      ++count;
    return count;
  };
  Client client(*store, clock, {.application = "test", .wake_path = control.string()});
  const EnqueueOptions untenanted{.untenanted = true};
  client.enqueue(Ping{0}, untenanted);  // its kind is new
  static_cast<void>(hints());

  constexpr int kJobs = 64;
  std::vector<Ping> jobs;
  for (int number = 1; number <= kJobs; ++number) jobs.push_back({number});
  syncs = 0;
  const auto bulk = client.enqueue_all(jobs, untenanted);
  EXPECT_EQ(syncs, 1);
  EXPECT_EQ(hints(), 1);
  ASSERT_EQ(std::ssize(bulk), kJobs);
  store->read([&](queue::JobReader& reader) {
    for (int number = 1; number <= kJobs; ++number) {
      const auto job = reader.find_job({bulk[static_cast<std::size_t>(number - 1)].id});
      ASSERT_TRUE(job);
      EXPECT_THAT(reader.envelope(job->seq).value_or(""),
                  ::testing::EndsWith("{\"number\":" + std::to_string(number) + "}"));
    }
  });

  syncs = 0;
  for (const Ping& job : jobs) {
    client.enqueue(job, untenanted);
    EXPECT_EQ(hints(), 1);
  }
  EXPECT_EQ(syncs, kJobs);
}

}  // namespace
}  // namespace tenure
