#include "sqlite/sqlite_store.hpp"
#include "support/in_child.hpp"
#include "support/schema_steps.hpp"
#include "support/shim_vfs.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/sqlite/migrations.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <string>

// kill -9 before each write, sync, truncation and removal that making a control database, and bringing one on, does to its files.
namespace tenure::testing {
namespace {

using namespace queue;  // NOLINT

constexpr int kPointsMax = 2000;  // far more than there are
constexpr std::uint8_t kJobs = 40;
constexpr sqlite::Query kCountJobs{"count_jobs", "select count(*) from job"};
constexpr sqlite::Query kIntegrity{"integrity", "pragma integrity_check"};
// What of the later steps is there: the table, its rows, its column, its index.
constexpr sqlite::Query kLater{"later", R"sql(
  select (select count(*) from sqlite_schema where name = 'note'),
         (select count(*) from pragma_table_info('note') where name = 'bytes'),
         (select count(*) from sqlite_schema where name = 'note_bytes'))sql"};
constexpr sqlite::Query kNotes{"notes", "select count(*), sum(bytes > 0) from note"};
constexpr sqlite::Query kRecords{"records", "select count(*) from audit where verb = 'store migrate'"};

class UpgradeKills : public ::testing::Test {
 protected:
  // True where `work` was killed at its point-th call; false where it has ended before.
  static bool is_killed_at(int point, const std::function<void()>& work) {
    constexpr int kRefused = 1;
    const int end = in_child([&] {
      int calls = 0;
      const ShimVfs shim([&](const ShimVfs::Event& event) {
        if (event.call != ShimVfs::Call::read && event.call != ShimVfs::Call::unfetch && ++calls == point)
          ::kill(::getpid(), SIGKILL);
        return 0;
      });
      try {
        work();
      } catch (const Error& error) {
        std::fprintf(stderr, "point %d: %s\n", point, error.what());
        return kRefused;
      }
      return 0;
    });
    EXPECT_NE(end, kRefused);
    return end != 0;
  }
  void make(std::vector<sqlite::Migration> steps) const {
    const SqliteStore store({.path = path_, .create = true}, clock_, {}, std::move(steps));
  }
  void make_with_jobs() {
    SqliteStore store({.path = path_, .create = true}, clock_, {});
    store.write(Durability::durable, [&](StoreWriter& writer) {
      for (std::uint8_t number = 1; number <= kJobs; ++number) {
        Uuid::Bytes bytes{};
        bytes[15] = number;
        const NewJob job{.id = JobId{Uuid{bytes}},
                         .queue = "default",
                         .kind = "power.cut",
                         .due = clock_.wall(),
                         .attempts_max = 3,
                         .arguments = R"({"text":")" + std::string(400, 'x') + R"("})"};
        (void)value_or_raise(writer.enqueue(job, clock_.wall()));
      }
    });
  }
  void migrate() const {
    migrate_control_database(path_, later_, {.who = {}, .verb = "store migrate"}, clock_);
  }
  // Each step is there as a whole or not at all, and so is its row.
  std::int64_t version_of_whole_steps() const {
    sqlite::Connection connection(path_, {});
    const std::int64_t version = sqlite::schema_version(connection);
    auto later = connection.statement(kLater);
    later.row();
    EXPECT_EQ(later.integer(0), version > own_schema() ? 1 : 0);
    EXPECT_EQ(later.integer(1), version > own_schema() + 1 ? 1 : 0);
    EXPECT_EQ(later.integer(2), version > own_schema() + 1 ? 1 : 0);
    return version;
  }
  void expect_upgraded() const {
    sqlite::Connection connection(path_, {});
    EXPECT_EQ(connection.statement(kIntegrity).row().text(0), "ok");
    EXPECT_EQ(sqlite::schema_version(connection), later_schema());
    EXPECT_EQ(connection.statement(kCountJobs).row().integer(0), kJobs);
    auto notes = connection.statement(kNotes);
    notes.row();
    EXPECT_EQ(notes.integer(0), kJobs);
    EXPECT_EQ(notes.integer(1), kJobs);
    EXPECT_EQ(connection.statement(kRecords).row().integer(0), 1) << "in the commit of the last step";
  }
  void forget() const {
    for (const char* const ending : {"", "-wal", "-shm"}) std::filesystem::remove(path_.string() + ending);
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "control.db";
  VirtualClock clock_;
  std::vector<sqlite::Migration> later_ = steps_of_a_later_program();
};

TEST_F(UpgradeKills, CFG_04_AnUpgradeThatWasKilledAnywhereIsResumed) {
  const auto original = folder_ / "original.db";
  make_with_jobs();
  std::filesystem::rename(path_, original);
  std::vector<int> killed_at_version(static_cast<std::size_t>(later_schema() + 1));
  int point = 1;
  for (bool is_killed = true; is_killed; ++point) {
    ASSERT_LT(point, kPointsMax);
    SCOPED_TRACE(point);
    forget();
    std::filesystem::copy_file(original, path_);
    is_killed = is_killed_at(point, [&] { migrate(); });
    const std::int64_t version = version_of_whole_steps();
    ASSERT_TRUE(version >= own_schema() && version <= later_schema());
    if (is_killed) ++killed_at_version[static_cast<std::size_t>(version)];
    migrate();
    expect_upgraded();
    if (HasFailure()) return;
  }
  // Else the kills of this test do not hit.
  for (std::int64_t version = own_schema(); version <= later_schema(); ++version)
    EXPECT_GT(killed_at_version[static_cast<std::size_t>(version)], 2);
}

TEST_F(UpgradeKills, ADatabaseWhoseMakingWasKilledIsNewOrWhole) {
  int point = 1;
  for (bool is_killed = true; is_killed; ++point) {
    ASSERT_LT(point, kPointsMax);
    SCOPED_TRACE(point);
    forget();
    is_killed = is_killed_at(point, [&] { make(later_); });
    ASSERT_NO_THROW(make(later_));
    EXPECT_EQ(version_of_whole_steps(), later_schema());
    if (HasFailure()) return;
  }
  EXPECT_GT(point, 10);
}

}  // namespace
}  // namespace tenure::testing
