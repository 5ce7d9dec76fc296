#include "shop.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <support/shim_vfs.hpp>
#include <utility>

// The commit of a tenant's transaction on a disk that fails, before anything is written and at each sync.
namespace tenure {
namespace {

using testing::code_of;
using testing::ShimVfs;
using testing::Shop;

// Of SQLite.
constexpr int kOk = 0;
constexpr int kIoErrorOfWrite = 10 | (3 << 8);
constexpr int kIoErrorOfSync = 10 | (4 << 8);

class CommitFault : public ::testing::Test {
 protected:
  void insert(HandleLease& lease, std::int64_t id) {
    lease->write([&](TenantTransaction& transaction) {
      transaction.execute("insert into invoice(id, total) values(?, 1)", id);
    });
  }
  std::int64_t count() {
    HandleLease lease = shop_.open("acme");
    return lease->read([](TenantReader& reader) {
      TenantRows rows = reader.query("select count(*) from invoice");
      EXPECT_TRUE(rows.next());
      return rows.row().integer(0);
    });
  }

  std::atomic<int> write_result_ = kOk;
  std::atomic<int> sync_result_ = kOk;
  ShimVfs vfs_{[this](const ShimVfs::Event& event) {
    if (event.file != ShimVfs::File::wal) return kOk;
    if (event.call == ShimVfs::Call::write) return write_result_.load();
    return event.call == ShimVfs::Call::sync ? sync_result_.load() : kOk;
  }};
  Shop shop_;
  std::optional<HandleLease> lease_ = shop_.create("acme");
  TenantScope scope_{TenantName{"acme"}};
};

TEST_F(CommitFault, AWriteThatFailsIsTheDisksAndLeavesNothing) {
  insert(*lease_, 1);
  write_result_ = kIoErrorOfWrite;
  EXPECT_EQ(code_of([&] { insert(*lease_, 2); }), ErrorCode::disk);
  write_result_ = kOk;
  EXPECT_FALSE(shop_.handles.sync_failed());
  lease_.reset();
  EXPECT_EQ(shop_.handles.counters().idle, 0) << "the connection is not used again";
  EXPECT_EQ(count(), 1);
}

TEST_F(CommitFault, ASyncThatFailsBehindTheCommitIsPromisedToNobody) {
  insert(*lease_, 1);
  sync_result_ = kIoErrorOfSync;
  EXPECT_EQ(code_of([&] { insert(*lease_, 2); }), ErrorCode::disk_sync_failed);
  sync_result_ = kOk;
  EXPECT_TRUE(shop_.handles.sync_failed());
  lease_.reset();
  EXPECT_EQ(code_of([&] { static_cast<void>(shop_.open("acme")); }), ErrorCode::disk_sync_failed)
      << "no file is trusted again in this process";
}

// The first commit into a log that begins anew syncs its header, inside COMMIT.
TEST_F(CommitFault, ASyncThatFailsInsideTheCommitIsAFailedSyncToo) {
  lease_.reset();
  shop_.handles.close_idle();
  lease_ = shop_.open("acme");
  sync_result_ = kIoErrorOfSync;
  EXPECT_EQ(code_of([&] {
              TenantTransaction transaction = (*lease_)->begin();
              transaction.execute("insert into invoice(id, total) values(2, 1)");
              transaction.commit_ordered();
            }),
            ErrorCode::disk_sync_failed);
  sync_result_ = kOk;
  EXPECT_TRUE(shop_.handles.sync_failed());
}

// Between the question where the file is and the lock there is a wait of any length, in which whoever has the lock may move the file.
TEST(CommitOfAMovedFile, IsRefusedByALookUnderTheWritersLock) {
  std::function<void()> when_read = [] {};
  const ShimVfs vfs{[&](const ShimVfs::Event& event) {
    if (event.call == ShimVfs::Call::read) std::exchange(when_read, [] {})();
    return kOk;
  }};
  Shop shop;
  HandleLease lease = shop.create("acme");
  shop.restamp("acme", TenantState::active);  // by another connection, so that BEGIN IMMEDIATE reads pages
  const auto away = shop.folder / "away.db";
  const TenantScope scope{TenantName{"acme"}};
  when_read = [&] { std::filesystem::rename(shop.path("acme"), away); };
  EXPECT_EQ(code_of([&] {
              lease->write([](TenantTransaction& transaction) {
                transaction.execute("insert into invoice(id, total) values(7, 7)");
              });
            }),
            ErrorCode::database_moved);
  ASSERT_TRUE(std::filesystem::exists(away)) << "it was moved behind BEGIN IMMEDIATE";
  std::filesystem::rename(away, shop.path("acme"));
  HandleLease again = shop.open("acme");
  again->read([](TenantReader& reader) {
    EXPECT_FALSE(reader.query("select 1 from invoice where id = 7").next()) << "nothing was committed to it";
  });
}

}  // namespace
}  // namespace tenure
