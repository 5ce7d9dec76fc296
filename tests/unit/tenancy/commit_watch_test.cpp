#include "shop.hpp"

#include <tenure/tenancy/commit_watch.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <string>
#include <support/shim_vfs.hpp>
#include <vector>

namespace tenure {
namespace {

using detail::CommitLabel;
using detail::CommitOf;
using testing::code_of;
using ::testing::ElementsAre;
using testing::ShimVfs;
using testing::Shop;

// Notes what it is told, with what another reader sees then and how often the log was synced.
class NotingWatch final : public detail::CommitWatch {
 public:
  NotingWatch(Shop& shop, const std::atomic<int>& syncs) : shop_(shop), syncs_(syncs) {
    detail::watch_commits(this);
  }
  ~NotingWatch() override { detail::watch_commits(nullptr); }
  NotingWatch(const NotingWatch&) = delete;
  NotingWatch& operator=(const NotingWatch&) = delete;

  void before(const detail::Commit& commit) override { note("before", commit); }
  void after(const detail::Commit& commit) override { note("after", commit); }

  std::vector<std::string> notes;

 private:
  static std::string_view word_of(CommitOf of) {
    switch (of) {
      case CommitOf::write:
        return "write";
      case CommitOf::step:
        return "step";
      case CommitOf::own:
        return "own";
    }
    return "";
  }
  void note(std::string_view side, const detail::Commit& commit) {
    std::string text{side};
    text.append(" ").append(word_of(commit.of)).append(" ").append(commit.step).append(": ");
    notes.push_back(text + std::to_string(rows()) + " rows, " + std::to_string(syncs_) + " syncs");
  }
  std::int64_t rows() {
    return shop_.open("acme")->read([](TenantReader& reader) {
      TenantRows rows = reader.query("select count(*) from invoice");
      return rows.next() ? rows.row().integer(0) : -1;
    });
  }

  Shop& shop_;
  const std::atomic<int>& syncs_;
};

class CommitWatchTest : public ::testing::Test {
 protected:
  // The head of a new log has a sync of its own.
  void SetUp() override {
    begin_insert().commit();
    syncs_ = 0;
  }
  TenantTransaction begin_insert() {
    TenantTransaction transaction = lease_->begin();
    transaction.execute("insert into invoice(total) values(1)");
    return transaction;
  }

  std::atomic<int> syncs_ = 0;
  std::atomic<int> sync_result_ = 0;
  ShimVfs vfs_{[this](const ShimVfs::Event& event) {
    if (event.file != ShimVfs::File::wal || event.call != ShimVfs::Call::sync) return 0;
    ++syncs_;
    return sync_result_.load();
  }};
  Shop shop_;
  HandleLease lease_ = shop_.create("acme");
  TenantScope scope_{TenantName{"acme"}};
};

TEST_F(CommitWatchTest, IsToldBeforeTheCommitAndBehindItsSync) {
  NotingWatch watch(shop_, syncs_);
  begin_insert().commit();
  EXPECT_THAT(watch.notes, ElementsAre("before write : 1 rows, 0 syncs", "after write : 2 rows, 1 syncs"));
}

TEST_F(CommitWatchTest, AnOrderedCommitIsTenuresOwn) {
  NotingWatch watch(shop_, syncs_);
  begin_insert().commit_ordered();
  EXPECT_THAT(watch.notes, ElementsAre("before own : 1 rows, 0 syncs", "after own : 2 rows, 0 syncs"));
}

TEST_F(CommitWatchTest, LabelsAreThoseOfTheInnermost) {
  NotingWatch watch(shop_, syncs_);
  {
    const CommitLabel own{CommitOf::own};
    {
      const CommitLabel step{CommitOf::step, "mark sent"};
      begin_insert().commit();
    }
    EXPECT_EQ(CommitLabel::current(), CommitOf::own);
  }
  EXPECT_EQ(CommitLabel::current(), CommitOf::write);
  EXPECT_THAT(watch.notes,
              ElementsAre("before step mark sent: 1 rows, 0 syncs", "after step mark sent: 2 rows, 1 syncs"));
}

TEST_F(CommitWatchTest, ACommitThatIsNotOnDiskForSureIsNotToldOf) {
  NotingWatch watch(shop_, syncs_);
  sync_result_ = 10 | (4 << 8);  // SQLite's error of a sync
  EXPECT_EQ(code_of([&] { begin_insert().commit(); }), ErrorCode::disk_sync_failed);
  EXPECT_THAT(watch.notes, ElementsAre("before write : 1 rows, 0 syncs"));
}

TEST_F(CommitWatchTest, ATransactionThatIsRolledBackIsNotToldOf) {
  NotingWatch watch(shop_, syncs_);
  { const TenantTransaction transaction = begin_insert(); }
  EXPECT_TRUE(watch.notes.empty());
}

}  // namespace
}  // namespace tenure
