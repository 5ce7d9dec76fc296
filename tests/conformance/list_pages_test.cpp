#include "bookkeeping_test.hpp"
#include "support/sqlite_steps.hpp"

#include <tenure/base/random.hpp>
#include <tenure/queue/filter.hpp>

#include <algorithm>
#include <cstdlib>
#include <vector>

// Pages of lists where there are more jobs than are looked at one by one: of tenants with many jobs and with few, whose jobs wait in
// lanes, in memory or for a time, run, and have ended, settled or not.
namespace tenure::testing {
namespace {

constexpr int kListedJobs = 60'000;
constexpr int kOfOneCommit = 1'000;
constexpr std::size_t kPageJobs = 50;

class ListPages : private SqliteSteps, public BookkeepingTest {
 protected:
  using SqliteSteps::steps;
  ListPages() : BookkeepingTest({}) {
    for (const char* name : {"many", "some", "rare"}) {
      const TenantName tenant{name};
      value_or_raise(store_.registry().activate(
          tenant, value_or_raise(store_.registry().begin_create(tenant, now_)).generation));
    }
  }

  // Of 1,000 jobs one is rare's, and one of eight some's.
  void enqueue(int count) {
    for (int done = 0; done < count; done += kOfOneCommit)
      written([&](StoreWriter& writer) {
        for (int i = 0; i < kOfOneCommit; ++i) {
          NewJob job = new_job("a.one", now_ + std::chrono::hours{random_.below(50) == 0 ? 1 : 0});
          job.priority = Priority{static_cast<int>(random_.below(2))};
          job.tenant = TenantName{i == 500 ? "rare" : i % 8 == 0 ? "some" : "many"};
          static_cast<void>(value_or_raise(writer.enqueue(job, now_)));
        }
        return true;
      });
  }
  // So many of each tenant's oldest of one priority succeed; those of the other wait on, between them.
  void finish(std::size_t of_each) {
    for (const Lane& lane :
         written([](StoreWriter& writer) { return writer.reader().lanes(std::nullopt, kOfOneCommit); })) {
      if (lane.priority != Priority{0}) continue;
      const auto jobs = claim(lane, lane_share(lane, of_each));
      written([&](StoreWriter& writer) {
        for (const ClaimedJob& job : jobs)
          value_or_raise(writer.finish_succeeded({job.seq, job.token}, now_));
        return true;
      });
    }
  }
  void settle() {
    while (store_.tidy()) continue;
  }

  JobPage page(const Filter& filter, const ListOptions& options) {
    JobPage page;
    store_.read([&](JobReader& reader) { page = reader.list_jobs(filter, options, now_); });
    return page;
  }
  static std::vector<std::int64_t> seqs_of(const JobPage& page) {
    std::vector<std::int64_t> seqs;
    for (const JobRecord& job : page.jobs) seqs.push_back(job.seq.value);
    return seqs;
  }
  // All that match, the oldest first.
  std::vector<JobRecord> matching(const Filter& filter) {
    std::vector<JobRecord> jobs = page({}, {.limit = kListedJobs, .order = ListOrder::oldest_first}).jobs;
    EXPECT_EQ(jobs.size(), static_cast<std::size_t>(kListedJobs));
    std::erase_if(jobs, [&](const JobRecord& job) { return !matches(filter, job, now_); });
    return jobs;
  }

  // What a page must have of `all`, which are in the order of the list.
  static std::vector<std::int64_t> expected(const std::vector<JobRecord>& all, const ListOptions& options,
                                            bool left_out) {
    std::vector<std::int64_t> seqs;
    for (const JobRecord& job : all) {
      if (seqs.size() == options.limit) break;
      if (left_out && job.state == ShownState::succeeded && job.seq.value <= kListedJobs - options.looks_max)
        continue;
      const bool is_behind =
          !options.after ||
          (options.order == ListOrder::oldest_first ? job.seq > *options.after : job.seq < *options.after);
      if (is_behind) seqs.push_back(job.seq.value);
    }
    return seqs;
  }

  void expect_pages(const std::vector<std::string>& words) {
    const Filter filter = value_or_raise(parse_filter(words, job_filter_fields(), now_));
    std::vector<JobRecord> all = matching(filter);
    for (const ListOrder order : {ListOrder::oldest_first, ListOrder::newest_first}) {
      for (const std::int64_t looks_max : {kListedJobs, kListedJobs / 4})
        for (const std::int64_t after : {0, 10'000, 39'999, 59'000}) {
          ListOptions options{.limit = kPageJobs, .order = order, .looks_max = looks_max};
          if (after > 0) options.after = JobSeq{after};
          const JobPage shown = page(filter, options);
          EXPECT_EQ(seqs_of(shown), expected(all, options, shown.left_out))
              << ::testing::PrintToString(words) << " behind " << after << ", oldest first "
              << (order == ListOrder::oldest_first) << ", looks " << looks_max;
        }
      std::ranges::reverse(all);
    }
  }

  Random random_{20261130};

 private:
  static std::size_t lane_share(const Lane& lane, std::size_t of_each) {
    return lane.tenant == TenantNumber{1} ? of_each : of_each / 8;
  }
};

TEST_F(ListPages, AreThoseOfAListOfAllWhoeverHasTheJobsAndWhereverTheyStand) {
  enqueue(kListedJobs / 3);
  finish(10'000);
  settle();
  enqueue(kListedJobs / 3);
  finish(3'000);  // not settled
  enqueue(kListedJobs / 3);
  for (const auto& words : std::vector<std::vector<std::string>>{{"tenant=many"},
                                                                 {"tenant=some"},
                                                                 {"tenant=rare"},
                                                                 {"tenant=rare,some"},
                                                                 {"tenant=some", "state=succeeded"},
                                                                 {"tenant=rare", "state=ready"},
                                                                 {"tenant=some", "state=scheduled,succeeded"},
                                                                 {"state=succeeded"},
                                                                 {"state=ready,succeeded"}})
    expect_pages(words);
  settle();
  expect_pages({"tenant=some"});
  expect_pages({"state=succeeded"});
}

// TENURE_TEST_LISTED_JOBS asks for more, never for fewer.
int many_listed() {
  const char* asked = std::getenv("TENURE_TEST_LISTED_JOBS");
  return std::max(kListedJobs, asked == nullptr ? 0 : std::atoi(asked) / 3'000 * 3'000);
}

// Of 50 to 100 ns each, so that a page is there within the 200 ms, whatever the number of jobs.
constexpr std::int64_t kStepsOfPage = 1'500'000;

TEST_F(ListPages, OBS_11_TheFirstPageIsShortAmongMillionsAndPagesShowEachJobOnceThoughAllHaveOneTime) {
  const int jobs = many_listed();
  enqueue(jobs / 3);
  finish(static_cast<std::size_t>(jobs) / 8);
  settle();
  enqueue(jobs - jobs / 3);
  settle();
  for (const auto& words : std::vector<std::vector<std::string>>{{},
                                                                 {"tenant=many"},
                                                                 {"tenant=some"},
                                                                 {"tenant=rare"},
                                                                 {"tenant=rare", "state=succeeded"},
                                                                 {"state=ready"},
                                                                 {"state=scheduled"},
                                                                 {"state=succeeded"},
                                                                 {"state=dead"}}) {
    const Filter filter = value_or_raise(parse_filter(words, job_filter_fields(), now_));
    const std::int64_t before = steps();
    static_cast<void>(page(filter, {.limit = kPageJobs, .looks_max = 1'000'000}));
    EXPECT_LE(steps() - before, kStepsOfPage) << ::testing::PrintToString(words);
  }
  std::int64_t shown = 0;
  ListOptions options{.limit = 1'000};
  for (JobPage each = page({}, options); !each.jobs.empty(); each = page({}, options)) {
    for (const JobRecord& job : each.jobs) {
      ASSERT_TRUE(!options.after || job.seq < *options.after);
      options.after = job.seq;
    }
    shown += std::ssize(each.jobs);
  }
  EXPECT_EQ(shown, jobs);
}

}  // namespace
}  // namespace tenure::testing
