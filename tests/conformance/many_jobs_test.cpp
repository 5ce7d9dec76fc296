#include "bookkeeping_test.hpp"
#include "sqlite/tenant_life_rows.hpp"
#include "sqlite/tenant_rows.hpp"

#include <tenure/base/sqlite/transaction.hpp>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

// Jobs that another process enqueues, more than memory holds, and while this one absorbs and settles.
namespace tenure::testing {
namespace {

constexpr std::size_t kTogether = 1'000;
const TenantName kPaused{"acme"};
const TenantName kActive{"beta"};

// More than fit in memory, and farther than the mark may lie behind. TENURE_TEST_JOBS asks for more, never for less.
std::size_t many() {
  const char* asked = std::getenv("TENURE_TEST_JOBS");
  const long long wanted = asked == nullptr ? 0 : std::strtoll(asked, nullptr, 10);
  return std::max<std::size_t>(150'000,
                               static_cast<std::size_t>(std::max(wanted, 0LL)) / kTogether * kTogether);
}

class ManyJobsTest : public BookkeepingTest {
 protected:
  explicit ManyJobsTest(const BookkeepingLimits& limits = {}) : BookkeepingTest(limits) {}

  void make_tenants() {
    for (const TenantName& name : {kPaused, kActive})
      value_or_raise(other_.registry().activate(
          name, value_or_raise(other_.registry().begin_create(name, now_)).generation));
  }
  void set_state(const TenantName& name, TenantState state) {
    sqlite::Connection connection(path_, {.access = sqlite::Access::read_write});
    connection.statement(kSetState).bind(static_cast<int>(state), name.text()).run();
  }

  // Whole commits of kTogether, by a process that claims nothing.
  JobSeq enqueue(std::size_t count, const std::optional<TenantName>& tenant = {}) {
    JobSeq last{0};
    for (std::size_t done = 0; done < count; done += kTogether)
      other_.write(Durability::ordered, [&](StoreWriter& writer) {
        for (std::size_t i = 0; i < std::min(kTogether, count); ++i) {
          NewJob job = new_job("a.one", now_);
          if (tenant) job.tenant = *tenant;
          last = value_or_raise(writer.enqueue(job, now_)).arrival->seq;
        }
      });
    return last;
  }

  std::vector<Lane> lanes() {
    return written([](StoreWriter& writer) { return writer.reader().lanes(std::nullopt, kTogether); });
  }
  JobSeq known_until() {
    return written([](StoreWriter& writer) { return writer.reader().known_until(); });
  }
  void follow_in_pages() {
    JobSeq last = known_until();
    while (written([&](StoreWriter& writer) {
      const auto rows = writer.reader().arrivals(last, kTogether);
      if (!rows.empty()) last = rows.back().seq;
      return !rows.empty();
    }))
      continue;
  }
  void finish(const std::vector<ClaimedJob>& jobs) {
    store_.write(Durability::ordered, [&](StoreWriter& writer) {
      for (const ClaimedJob& job : jobs) value_or_raise(writer.finish_succeeded({job.seq, job.token}, now_));
    });
  }
  std::int64_t count(std::string_view filter) {
    const std::vector words{std::string{filter}};
    const Filter parsed = value_or_raise(parse_filter(words, job_filter_fields(), now_));
    std::int64_t counted = 0;
    other_.read(
        [&](JobReader& reader) { counted = reader.count_jobs(parsed, {.limit = 100'000'000}, now_).count; });
    return counted;
  }
  std::int64_t rows(const sqlite::Query& query) {
    sqlite::Connection connection(path_, {});
    return connection.statement(query).row().integer(0);
  }

  static constexpr sqlite::Query kSetState{"set_state", "update tenant set state = ?1 where name = ?2"};
  static constexpr sqlite::Query kChanges{"total_changes", "select total_changes()"};
  static constexpr sqlite::Query kReadyRows{"count_ready", "select count(*) from ready"};
  static constexpr sqlite::Query kEndedRows{"count_ended", "select count(*) from ended"};
  static constexpr sqlite::Query kSettledRows{"count_settled", "select count(*) from job where state = 4"};
  SqliteStore other_{SqliteStoreOptions{.path = path_, .create = true}, clock_, limits_};
};

class EagerJobsTest : public ManyJobsTest {
 protected:
  EagerJobsTest() : ManyJobsTest(eager_bookkeeping()) {}
};

}  // namespace

TEST_F(ManyJobsTest, AStartClaimsBeforeItHasReadAllThatCameWithoutADaemon) {
  const auto jobs = static_cast<std::int64_t>(many());
  const JobSeq last = enqueue(many());
  EXPECT_EQ(count("state=ready"), jobs);

  const std::vector<Lane> found = lanes();
  ASSERT_EQ(found.size(), 1U);
  const auto claimed = claim(found[0], 16);
  ASSERT_EQ(claimed.size(), 16U);
  EXPECT_EQ(claimed[0].seq.value, last.value - jobs + 1);
  EXPECT_LT(known_until().value, last.value - jobs / 2);

  follow_in_pages();
  EXPECT_EQ(known_until(), last);
  EXPECT_GE(rows(kReadyRows), jobs - 16 - static_cast<std::int64_t>(limits_.fresh.jobs_max));
  EXPECT_EQ(misplaced(), std::vector<std::string>{});
  EXPECT_EQ(count("state=ready"), jobs - 16);
  EXPECT_EQ(claim(found[0], 100).size(), 100U);
}

TEST_F(ManyJobsTest, AGatedTenantWithMoreJobsThanMemoryHoldsStopsNobody) {
  make_tenants();
  set_state(kPaused, TenantState::paused);
  enqueue(many(), kPaused);
  enqueue(20, kActive);
  EXPECT_EQ(count("state=held"), static_cast<std::int64_t>(many()));

  const std::vector<Lane> first = lanes();
  ASSERT_EQ(first.size(), 1U) << "the tail is read in pages";
  EXPECT_TRUE(claim(first[0], 16).empty());
  follow_in_pages();
  std::vector<Lane> others = lanes();
  std::erase(others, first[0]);
  ASSERT_EQ(others.size(), 1U);
  EXPECT_EQ(claim(others[0], 30).size(), 20U);
  while (store_.tidy()) continue;
  EXPECT_EQ(misplaced(), std::vector<std::string>{});
  EXPECT_EQ(count("state=held"), static_cast<std::int64_t>(many()));

  set_state(kPaused, TenantState::active);
  EXPECT_EQ(claim(first[0], 16).size(), 16U);
}

// Of a tenant whose jobs are in memory, in their lanes and above the mark.
TEST_F(ManyJobsTest, PausingATenantWritesAsManyRowsWhateverItHas) {
  make_tenants();
  const auto written_by = [&](auto verb) {
    sqlite::Connection connection(path_, {.access = sqlite::Access::read_write});
    sqlite::WriteTransaction transaction(connection);
    const std::int64_t before = connection.statement(kChanges).row().integer(0);
    verb(connection);
    const std::int64_t rows = connection.statement(kChanges).row().integer(0) - before;
    transaction.commit();
    return rows;
  };
  const auto pause = [&](sqlite::Connection& connection) {
    EXPECT_TRUE(
        pause_tenant(connection, {.scope = PauseScope::tenant, .name = kPaused.text()}, now_).value());
  };
  const auto resume = [&](sqlite::Connection& connection) {
    EXPECT_TRUE(resume_tenant(connection, *newest_tenant(connection, kPaused)));
  };
  const std::int64_t paused = written_by(pause);
  const std::int64_t resumed = written_by(resume);
  enqueue(many(), kPaused);
  const std::vector<Lane> found = lanes();
  follow_in_pages();
  EXPECT_EQ(written_by(pause), paused);
  EXPECT_LE(paused, 6);
  EXPECT_EQ(count("state=held"), static_cast<std::int64_t>(many()));
  EXPECT_TRUE(claim(found[0], 16).empty());
  EXPECT_EQ(written_by(resume), resumed);
  EXPECT_LE(resumed, 6);
  EXPECT_EQ(claim(found[0], 16).size(), 16U);
}

// The one who enqueues checkpoints. TENURE_TEST_JOBS=1000000 is the whole of it.
TEST_F(ManyJobsTest, HND_20_WithoutADaemonEnqueuesKeepTheLogBelowSixteenMebibytes) {
  const std::filesystem::path log = path_.string() + "-wal";
  std::uintmax_t longest = 0;
  for (std::size_t done = 0; done < many(); done += kTogether) {
    enqueue(kTogether);
    longest = std::max(longest, std::filesystem::file_size(log));
  }
  EXPECT_LT(longest, 16U << 20U);
  EXPECT_GT(longest, 8U << 20U) << "it grew, and was written over";
  EXPECT_GT(std::filesystem::file_size(path_), longest) << "more was moved out of it than it ever held";
  EXPECT_EQ(count("state=ready"), static_cast<std::int64_t>(many()));
}

TEST_F(EagerJobsTest, AnotherProcessEnqueuesWhileJobsAreAbsorbedAndSettled) {
  constexpr std::size_t kJobs = 600;
  std::atomic<bool> all_there{false};
  std::jthread enqueuer([&] {
    for (std::size_t i = 0; i < kJobs; ++i)
      other_.write(Durability::ordered, [&](StoreWriter& writer) {
        static_cast<void>(
            value_or_raise(writer.enqueue(new_job(i % 3 == 0 ? "a.one" : "a.two", now_), now_)));
      });
    all_there = true;
  });
  std::size_t done = 0;
  for (int idle = 0; done < kJobs && idle < 3;) {  // a job that is lost must fail the test, not hold it up
    const bool was_all_there = all_there;
    follow_in_pages();
    std::size_t found = 0;
    for (const Lane& lane : lanes()) {
      const auto jobs = claim(lane, 5);
      finish(jobs);
      found += jobs.size();
      static_cast<void>(store_.tidy());
    }
    done += found;
    idle = was_all_there && found == 0 ? idle + 1 : 0;
  }
  enqueuer.join();
  EXPECT_EQ(done, kJobs);
  while (store_.tidy()) continue;
  EXPECT_EQ(misplaced(), std::vector<std::string>{});
  EXPECT_EQ(count("state=succeeded"), static_cast<std::int64_t>(kJobs));
}

TEST_F(EagerJobsTest, TwoProcessesSettleTheSameEndsWithoutHarm) {
  for (int batch = 0; batch < 10; ++batch) {
    for (int i = 0; i < 12; ++i) put("a.one", now_);
    follow();
    finish(claim(lanes()[0], 12));
    while (store_.tidy() | other_.tidy()) EXPECT_EQ(misplaced(), std::vector<std::string>{});
  }
  EXPECT_EQ(count("state=succeeded"), 120);
  EXPECT_LE(rows(kEndedRows), eager_bookkeeping().settle.rows_idle);
  EXPECT_GE(rows(kSettledRows), 120 - eager_bookkeeping().settle.rows_idle);
}

}  // namespace tenure::testing
