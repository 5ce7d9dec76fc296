#include "sqlite/tenant_ranges.hpp"

#include "bookkeeping_test.hpp"

#include <tenure/base/text.hpp>

#include <limits>
#include <string>
#include <vector>

// Ranges of four sequences: what they name, which rows a list of one tenant reads, and that a list tells the truth where rows of
// ranges are missing or hold what nobody wrote.
namespace tenure::testing {
namespace {

class TenantRangesTest : public BookkeepingTest {
 protected:
  TenantRangesTest() : BookkeepingTest(eager_bookkeeping()) {
    for (const char* name : {"acme", "globex"}) {
      const auto record = value_or_raise(store_.registry().begin_create(TenantName{name}, now_));
      value_or_raise(store_.registry().activate(record.name, record.generation));
    }
  }

  void put_for(const char* tenant, int jobs) {
    for (int i = 0; i < jobs; ++i) {
      NewJob job = new_job("a.one", now_);
      job.tenant = TenantName{tenant};
      written([&](StoreWriter& writer) { return value_or_raise(writer.enqueue(job, now_)); });
    }
  }

  std::vector<std::int64_t> listed(const std::string& filter, ListOrder order,
                                   std::optional<JobSeq> after = {}) {
    const auto parsed = value_or_raise(parse_filter(std::vector{filter}, job_filter_fields(), now_));
    std::vector<std::int64_t> seqs;
    store_.read([&](JobReader& reader) {
      for (const JobRecord& job :
           reader.list_jobs(parsed, {.limit = 100, .after = after, .order = order}, now_).jobs)
        seqs.push_back(job.seq.value);
    });
    return seqs;
  }

  // What behind `above` and up to 99 is read for one tenant, each part as its first and last sequence.
  std::vector<std::pair<std::int64_t, std::int64_t>> parts_read(std::int64_t tenant, ListOrder order,
                                                                JobSeq above = JobSeq{0}) {
    sqlite::Connection connection(path_, {});
    RangesOfTenants ranges(connection, {above, JobSeq{100}}, order, {&tenant, 1});
    std::vector<std::pair<std::int64_t, std::int64_t>> parts;
    while (const auto part = ranges.next()) parts.emplace_back(part->above.value + 1, part->below.value - 1);
    return parts;
  }

  void damage(const std::string& sql) { sqlite::Connection(path_, {}).execute({"damage", sql}); }

  using Parts = std::vector<std::pair<std::int64_t, std::int64_t>>;
  using Seqs = std::vector<std::int64_t>;
  static constexpr std::int64_t kAcme = 1;
  static constexpr std::int64_t kGlobex = 2;
};

}  // namespace

TEST_F(TenantRangesTest, AListReadsNoRangeThatDoesNotNameItsTenant) {
  put_for("acme", 5);
  put_for("globex", 8);
  put_for("acme", 1);
  follow();
  // Ranges: 1 to 4 and 5 to 8, of both; 9 to 12 of globex; 13 on is not told yet.
  EXPECT_EQ(parts_read(kAcme, ListOrder::oldest_first), (Parts{{1, 8}, {13, 99}}));
  EXPECT_EQ(parts_read(kAcme, ListOrder::newest_first), (Parts{{13, 99}, {1, 8}}));
  EXPECT_EQ(parts_read(kGlobex, ListOrder::oldest_first), (Parts{{5, 99}}));
  EXPECT_EQ(listed("tenant=acme", ListOrder::oldest_first), (Seqs{1, 2, 3, 4, 5, 14}));
  EXPECT_EQ(listed("tenant=acme", ListOrder::newest_first), (Seqs{14, 5, 4, 3, 2, 1}));
  EXPECT_EQ(listed("tenant=acme", ListOrder::newest_first, JobSeq{5}), (Seqs{4, 3, 2, 1}));
  EXPECT_EQ(listed("tenant=acme", ListOrder::oldest_first, JobSeq{4}), (Seqs{5, 14}));
  EXPECT_EQ(listed("tenant=acme,globex", ListOrder::oldest_first).size(), 14U);
  EXPECT_EQ(misplaced(), std::vector<std::string>{});
}

TEST_F(TenantRangesTest, AfterAStartNoRangeOverlapsAnotherAndNoneIsWrong) {
  put_for("acme", 6);
  follow();
  undo_something();
  put_for("globex", 1);
  put_for("acme", 9);
  follow();
  EXPECT_EQ(misplaced(), std::vector<std::string>{});
  EXPECT_EQ(listed("tenant=globex", ListOrder::oldest_first), (Seqs{7}));
  EXPECT_EQ(parts_read(kGlobex, ListOrder::oldest_first), (Parts{{5, 8}, {17, 99}}));
}

TEST_F(TenantRangesTest, NothingIsReadBeforeWhereAListBegins) {
  put_for("acme", 12);
  follow();
  for (const ListOrder order : {ListOrder::oldest_first, ListOrder::newest_first}) {
    EXPECT_EQ(parts_read(kGlobex, order, JobSeq{20}), (Parts{{21, 99}}));
    EXPECT_EQ(parts_read(kGlobex, order, JobSeq{10}), (Parts{{13, 99}}));
    EXPECT_EQ(parts_read(kAcme, order, JobSeq{10}), (Parts{{11, 99}}));
  }
}

TEST_F(TenantRangesTest, WhatIsInNoRangeIsRead) {
  put_for("acme", 12);
  follow();
  EXPECT_EQ(parts_read(kGlobex, ListOrder::oldest_first), (Parts{{13, 99}}));
  damage("delete from job_range where first = 5");
  EXPECT_EQ(parts_read(kGlobex, ListOrder::oldest_first), (Parts{{5, 8}, {13, 99}}));
  EXPECT_EQ(parts_read(kGlobex, ListOrder::newest_first), (Parts{{13, 99}, {5, 8}}));
}

TEST_F(TenantRangesTest, BytesThatNobodyWroteAreNotBelieved) {
  put_for("acme", 8);
  follow();
  damage("update job_range set tenants = x'020304' where first = 1");
  EXPECT_EQ(listed("tenant=acme", ListOrder::newest_first).size(), 8U);
  EXPECT_EQ(parts_read(kGlobex, ListOrder::oldest_first), (Parts{{1, 4}, {9, 99}}));
  damage("update job_range set tenants = x'' where first = 1");
  EXPECT_EQ(listed("tenant=acme", ListOrder::newest_first).size(), 8U);
  damage("update job_range set last = 9223372036854775807 where first = 1");
  EXPECT_EQ(listed("tenant=acme", ListOrder::newest_first).size(), 8U);
  EXPECT_EQ(parts_read(kGlobex, ListOrder::oldest_first), (Parts{{1, 4}, {9, 99}}));
}

TEST_F(TenantRangesTest, ACursorAtTheEndOfAllNumbersFindsNothing) {
  put_for("acme", 8);
  follow();
  const JobSeq end{std::numeric_limits<std::int64_t>::max()};
  EXPECT_EQ(listed("tenant=acme", ListOrder::oldest_first, end), Seqs{});
  EXPECT_EQ(listed("tenant=acme", ListOrder::newest_first, end).size(), 8U);
}

}  // namespace tenure::testing
